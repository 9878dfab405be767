//! What goes on at a server: sessions, transactions, replication.

use drs_core::{Role, ServerVersion};
use mysql::Conn;

use super::{Fact, Unread, answer::ask};

/// What goes on at a server: sessions, transactions, replication.
#[derive(Clone, Debug)]
pub struct Activity {
    /// The sessions that it has.
    pub sessions: Fact<u64>,
    /// Those of them that are of the same user.
    pub own_sessions: Fact<u64>,
    /// Open transactions, the oldest first.
    pub transactions: Fact<Vec<OpenTransaction>>,
    /// How many XA transactions are prepared.
    pub prepared: Fact<usize>,
    /// Where it replicates from.
    pub channels: Fact<Vec<Channel>>,
    /// What replicates from it.
    pub replicas: Fact<Vec<Replica>>,
    /// The state of each member of its replication group; none where it is in no group.
    pub group: Fact<Vec<GroupMember>>,
}

/// An open transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTransaction {
    /// The id of its session; 0 for none, as when it is recovered.
    pub session: u64,
    /// How long ago it began.
    pub seconds: u64,
}

/// A replication channel of a replica.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channel {
    /// Its name; often empty.
    pub name: String,
    /// The source's address.
    pub source: String,
    /// The source's `server_uuid`.
    pub source_uuid: String,
    /// Events are received.
    pub receives: bool,
    /// Events are applied.
    pub applies: bool,
    /// The last error of either, without a text that might hold values.
    pub errors: Vec<u64>,
}

/// A replica of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Its `server_id`.
    pub server_id: u64,
    /// Its `server_uuid`.
    pub uuid: String,
    /// Its host, where it tells.
    pub host: String,
}

impl Replica {
    /// True for a task's own session.
    pub fn is_of_a_task(&self) -> bool {
        self.uuid.starts_with("64727300-0000-4000-8000-")
    }
}

/// A member of a replication group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// Its host.
    pub host: String,
    /// `ONLINE` and so on.
    pub state: String,
}

impl Activity {
    /// Without any answer, for this reason.
    pub(super) fn unread(reason: &Unread) -> Self {
        Self {
            sessions: Err(reason.clone()),
            own_sessions: Err(reason.clone()),
            transactions: Err(reason.clone()),
            prepared: Err(reason.clone()),
            channels: Err(reason.clone()),
            replicas: Err(reason.clone()),
            group: Err(reason.clone()),
        }
    }

    pub(super) fn gather(conn: &mut Conn, role: Role, version: ServerVersion) -> Self {
        Self {
            sessions: count(
                conn,
                role,
                "its number of sessions",
                "SHOW GLOBAL STATUS LIKE 'Threads_connected'",
            ),
            own_sessions: count(
                conn,
                role,
                "the account's sessions",
                "SELECT COUNT(*) AS Value FROM information_schema.PROCESSLIST \
                 WHERE USER = SUBSTRING(CURRENT_USER(), 1, LENGTH(CURRENT_USER()) - LENGTH(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)) - 1)",
            ),
            transactions: transactions(conn, role),
            prepared: ask(conn, role, "its prepared XA transactions", "XA RECOVER")
                .map(|rows| rows.len()),
            channels: channels(conn, role, version),
            replicas: replicas(conn, role, version),
            group: group(conn, role, version),
        }
    }
}

fn count(conn: &mut Conn, role: Role, what: &str, statement: &str) -> Fact<u64> {
    let rows = ask(conn, role, what, statement)?;
    let value = rows.first().and_then(|row| row.number(&["Value"]));
    value.ok_or_else(|| Unread::new(format!("the {role} does not tell {what}")))
}

fn transactions(conn: &mut Conn, role: Role) -> Fact<Vec<OpenTransaction>> {
    // The start is in the zone of the system, whatever the session's is.
    let statement = "SELECT trx_mysql_thread_id AS session, \
                     GREATEST(TIMESTAMPDIFF(SECOND, trx_started, CONVERT_TZ(NOW(), @@session.time_zone, 'SYSTEM')), 0) AS seconds \
                     FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id <> CONNECTION_ID() ORDER BY seconds DESC";
    let rows = ask(conn, role, "its open transactions", statement)?;
    let open = rows.iter().map(|row| OpenTransaction {
        session: row.number(&["session"]).unwrap_or(0),
        seconds: row.number(&["seconds"]).unwrap_or(0),
    });
    Ok(open.collect())
}

fn channels(conn: &mut Conn, role: Role, version: ServerVersion) -> Fact<Vec<Channel>> {
    let statement = match version.is_mysql_at_least(8, 0, 22) {
        true => "SHOW REPLICA STATUS",
        false => "SHOW SLAVE STATUS",
    };
    let rows = ask(conn, role, "whether it is a replica", statement)?;
    let channels = rows.iter().map(|row| {
        let host = row.text(&["Source_Host", "Master_Host"]);
        let port = row.text(&["Source_Port", "Master_Port"]);
        let errors = ["Last_IO_Errno", "Last_SQL_Errno"];
        let errors = errors.iter().filter_map(|name| row.number(&[name]));
        Channel {
            name: row.text(&["Channel_Name"]),
            source: format!("{host}:{port}"),
            source_uuid: row.text(&["Source_UUID", "Master_UUID"]),
            receives: row.text(&["Replica_IO_Running", "Slave_IO_Running"]) == "Yes",
            applies: row.text(&["Replica_SQL_Running", "Slave_SQL_Running"]) == "Yes",
            errors: errors.filter(|code| *code != 0).collect(),
        }
    });
    Ok(channels.collect())
}

fn replicas(conn: &mut Conn, role: Role, version: ServerVersion) -> Fact<Vec<Replica>> {
    let statement = match version.is_mysql_at_least(8, 0, 22) {
        true => "SHOW REPLICAS",
        false => "SHOW SLAVE HOSTS",
    };
    let rows = ask(conn, role, "its replicas", statement)?;
    let replicas = rows.iter().map(|row| Replica {
        server_id: row.number(&["Server_Id"]).unwrap_or(0),
        uuid: row.text(&["Replica_UUID", "Slave_UUID"]),
        host: row.text(&["Host"]),
    });
    Ok(replicas.collect())
}

fn group(conn: &mut Conn, role: Role, version: ServerVersion) -> Fact<Vec<GroupMember>> {
    if !version.is_mysql_at_least(5, 7, 17) {
        return Ok(Vec::new());
    }
    // A server in no group has one line, without a member.
    let statement = "SELECT MEMBER_HOST, MEMBER_STATE FROM performance_schema.replication_group_members \
                     WHERE MEMBER_ID <> ''";
    let rows = ask(conn, role, "its replication group", statement)?;
    let members = rows.iter().map(|row| GroupMember {
        host: row.text(&["MEMBER_HOST"]),
        state: row.text(&["MEMBER_STATE"]),
    });
    Ok(members.collect())
}

#[cfg(test)]
impl Activity {
    pub(crate) fn sample(_role: Role) -> Self {
        Self {
            sessions: Ok(1),
            own_sessions: Ok(1),
            transactions: Ok(Vec::new()),
            prepared: Ok(0),
            channels: Ok(Vec::new()),
            replicas: Ok(Vec::new()),
            group: Ok(Vec::new()),
        }
    }
}

#[cfg(test)]
impl Channel {
    /// One that runs.
    pub(crate) fn sample() -> Self {
        Self {
            source: "other.example:3306".to_owned(),
            source_uuid: "33333333-3333-3333-3333-333333333333".to_owned(),
            receives: true,
            applies: true,
            ..Self::default()
        }
    }
}
