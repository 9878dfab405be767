use std::fmt::Write as _;

use crate::object::TableName;

/// What a statement must report to have done what the source did.
#[derive(Clone, Debug)]
pub(crate) struct Expectation {
    /// The table, for the error; `None` for drs's own statements.
    pub(crate) table: Option<TableName>,
    /// Affected rows; `None` when any number is right (lenient statements).
    pub(crate) affected_rows: Option<u64>,
    /// A warning is as good as a failure.
    pub(crate) without_warnings: bool,
}

/// SQL text that travels in one round trip, and what its statements must report.
#[derive(Debug, Default)]
pub(crate) struct Packet {
    text: String,
    expectations: Vec<Expectation>,
    /// Where each statement ends in the text.
    ends: Vec<usize>,
}

/// A packet of more statements is looked at by the client before the COMMIT is sent: the server's own
/// proofs, one for each, would cost more than the round trip.
const PROVED_STATEMENTS_MAX: usize = 64;
/// All proofs of a packet, and its COMMIT.
const PROOFS_BYTES_MAX: usize = (PROVED_STATEMENTS_MAX + 1) * 128;

impl Expectation {
    /// A statement that changes rows of a table of the task's.
    pub(crate) fn data(table: TableName, affected_rows: Option<u64>) -> Self {
        Self {
            table: Some(table),
            affected_rows,
            without_warnings: true,
        }
    }

    /// A statement that changes rows of the checkpoint.
    pub(crate) fn own(affected_rows: Option<u64>) -> Self {
        Self {
            table: None,
            affected_rows,
            without_warnings: true,
        }
    }

    /// A statement that uses no table and succeeds or fails: BEGIN, COMMIT, a session's setting. Older
    /// servers show the warnings of the statement before as its own.
    pub(crate) fn success() -> Self {
        Self {
            table: None,
            affected_rows: None,
            without_warnings: false,
        }
    }

    /// A statement that fails unless the one before it did what is expected here; `None` if that was
    /// all by not failing.
    ///
    /// A sum out of range is an error in every mode, and an error ends the packet: what stands behind
    /// it does not run. The statement uses no table, so that the server still has the warnings of the
    /// one before it.
    fn proof(&self) -> Option<String> {
        if !self.without_warnings {
            return None;
        }
        let mut proof = "SET @drs_proof = 18446744073709551615 + (@@warning_count > 0".to_owned();
        if let Some(rows) = self.affected_rows {
            _ = write!(proof, " OR ROW_COUNT() <> {rows}");
        }
        proof.push(')');
        Some(proof)
    }
}

impl Packet {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn expectations(&self) -> &[Expectation] {
        &self.expectations
    }

    pub(crate) fn push(&mut self, statement: &str, expectation: Expectation) {
        if !self.text.is_empty() {
            self.text.push(';');
        }
        self.text.push_str(statement);
        self.ends.push(self.text.len());
        self.expectations.push(expectation);
    }

    /// Gives back the room that no statement will take.
    pub(crate) fn close(&mut self) {
        self.text.shrink_to_fit();
    }

    /// The same with a proof behind each statement, and a COMMIT at the end.
    fn proved_and_committed(self) -> Self {
        let mut proved = Self::default();
        let mut from = 0;
        for (end, expectation) in self.ends.iter().zip(self.expectations) {
            let statement = self.text.get(from..*end).unwrap_or_default();
            let proof = expectation.proof();
            proved.push(statement, expectation);
            if let Some(proof) = proof {
                proved.push(&proof, Expectation::success());
            }
            from = end + 1;
        }
        proved.push("COMMIT", Expectation::success());
        proved
    }
}

/// Adds the COMMIT to the packets of a transaction.
///
/// The last packet commits in the same round trip, if there is room and it has few statements; it
/// does so only if the server has found that all of them did what they should. Those of the packets
/// before it have been looked at by then.
pub(crate) fn ending_in_commit(mut packets: Vec<Packet>, packet_bytes_max: usize) -> Vec<Packet> {
    let has_room = |packet: &mut Packet| {
        packet.expectations.len() <= PROVED_STATEMENTS_MAX
            && packet.text.len() + PROOFS_BYTES_MAX <= packet_bytes_max
    };
    let last = packets.pop_if(has_room).unwrap_or_default();
    packets.push(last.proved_and_committed());
    packets
}

#[cfg(test)]
mod tests {
    use drs_testkit::{Installation, Server, Version};
    use mysql::{Conn, prelude::Queryable};

    use super::*;
    use crate::apply::send::{Failure, send_all};

    fn packet(checkpoint: &str, statements: &[(&str, Option<u64>)]) -> Packet {
        let mut packet = Packet::default();
        packet.push("BEGIN", Expectation::success());
        packet.push(checkpoint, Expectation::own(Some(1)));
        for (statement, rows) in statements {
            let table = TableName::new("d", "t").unwrap();
            packet.push(statement, Expectation::data(table, *rows));
        }
        packet
    }

    #[test]
    fn the_last_packet_commits_with_few_statements_or_alone() {
        let sizes = |statements: usize, bytes_max: usize| {
            let statements = vec![("DELETE FROM t", Some(1)); statements];
            let packets = ending_in_commit(vec![packet("UPDATE l", &statements)], bytes_max);
            assert!(
                packets
                    .iter()
                    .all(|it| it.ends.len() == it.expectations.len())
            );
            let texts = packets.into_iter().map(|it| it.text);
            texts.map(|it| it.split(';').count()).collect::<Vec<_>>()
        };
        let (begin, checkpoint, commit) = (1, 1, 1);
        let proved = |statements| begin + (checkpoint + statements) * 2 + commit;
        assert_eq!(sizes(1, 1 << 20), [proved(1)]);
        assert_eq!(sizes(62, 1 << 20), [proved(62)]);
        assert_eq!(sizes(63, 1 << 20), [begin + checkpoint + 63, commit]);
        assert_eq!(sizes(1, 1 << 10), [begin + checkpoint + 1, commit]);
    }

    #[test]
    fn servers_commit_only_what_did_as_expected() {
        for version in [Version::MySql97, Version::MySql56] {
            let installation = Installation::find_or_fetch(version).unwrap();
            let server = Server::builder(&installation)
                .in_memory(true)
                .start()
                .unwrap();
            let opts = mysql::OptsBuilder::from_opts(server.opts())
                .additional_capabilities(mysql::consts::CapabilityFlags::CLIENT_FOUND_ROWS);
            let mut conn = Conn::new(opts).unwrap();
            for statement in [
                "CREATE DATABASE d",
                "USE d",
                "CREATE TABLE t (id INT PRIMARY KEY, n INT)",
                "CREATE TABLE l (batch INT)",
                "INSERT INTO l VALUES (0)",
                "SET sql_mode = ''",
            ] {
                conn.query_drop(statement).unwrap();
            }
            let mut committed = 0;
            let mut send = |statements: &[(&str, Option<u64>)], checkpoint: &str| {
                let packets = ending_in_commit(vec![packet(checkpoint, statements)], 1 << 20);
                for packet in packets {
                    // Nobody looks at the results here: it is the server that must stop.
                    conn.query_drop(&packet.text).unwrap();
                }
                conn.query_drop("ROLLBACK").unwrap();
                let now: u32 = conn.query_first("SELECT batch FROM l").unwrap().unwrap();
                std::mem::replace(&mut committed, now) != now
            };
            let insert = "INSERT INTO t VALUES (1, 1), (2, 1)";
            let checkpoint = "UPDATE l SET batch = batch + 1";
            let fenced = "UPDATE l SET batch = batch + 1 WHERE batch < 0";
            // What was there and is changed counts twice, what stays as it is once.
            let upsert =
                "INSERT INTO t VALUES (1, 2), (2, 1), (3, 1) ON DUPLICATE KEY UPDATE n = VALUES(n)";
            let warns = "UPDATE t SET n = 'x' WHERE id = 1";
            for (statements, checkpoint, commits) in [
                (&[(insert, Some(1))][..], checkpoint, false),
                (&[(insert, Some(2))], fenced, false),
                (
                    &[(insert, Some(2)), ("DELETE FROM t", Some(1))],
                    checkpoint,
                    false,
                ),
                (
                    &[("DELETE FROM t", Some(1)), (insert, Some(2))],
                    checkpoint,
                    false,
                ),
                (&[("INSERT INTO t VALUES (1)", None)], checkpoint, false),
                (&[(insert, Some(2))], checkpoint, true),
                (&[("UPDATE t SET n = 1", Some(2))], checkpoint, true),
                (&[("UPDATE t SET n = 1", Some(0))], checkpoint, false),
                (&[("UPDATE t SET n = 3", None)], checkpoint, true),
                (&[(warns, Some(1))], checkpoint, false),
                (&[(warns, None)], checkpoint, false),
                (
                    &[("DELETE FROM t", Some(2)), (insert, Some(2))],
                    checkpoint,
                    true,
                ),
                (
                    &[(upsert, Some(2 + 1 + 1))],
                    checkpoint,
                    version == Version::MySql56,
                ),
                (
                    &[("REPLACE INTO t VALUES (1, 5)", Some(2))],
                    checkpoint,
                    true,
                ),
            ] {
                assert_eq!(
                    send(statements, checkpoint),
                    commits,
                    "{version:?}: {statements:?}"
                );
            }
            let mut outcome = |statements: &[(&str, Option<u64>)], checkpoint| {
                let packets = ending_in_commit(vec![packet(checkpoint, statements)], 1 << 20);
                let outcome = send_all(&mut conn, &packets);
                conn.query_drop("ROLLBACK").unwrap();
                outcome
            };
            let fenced = outcome(&[("DELETE FROM t", None)], fenced);
            assert!(matches!(fenced, Err(Failure::Fenced)), "{version:?}");
            let surprise = outcome(&[("DELETE FROM t", Some(77))], checkpoint);
            assert!(matches!(surprise, Err(Failure::Surprise)), "{version:?}");
            assert!(outcome(&[("DELETE FROM t", None)], checkpoint).is_ok());
        }
    }
}
