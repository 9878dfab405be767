//! The servers of a run: a source, and destinations that all begin with the same data.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use drs_testkit::{Installation, Server, Version, cpu_time};
use mysql::{Conn, prelude::Queryable};

use crate::Result;

/// A data folder that servers start on copies of.
pub(crate) struct Base {
    pub(crate) installation: Installation,
    /// Stopped in order; its folder is what is copied.
    server: Server,
}

impl Base {
    /// Lets `fill` write what source and destination have in common.
    pub(crate) fn prepare(fill: impl FnOnce(&Server) -> Result<()>) -> Result<Self> {
        let installation = Installation::find_or_fetch(Version::MySql97)?;
        let server = sized(Server::builder(&installation)).gtid(true).start()?;
        fill(&server)?;
        // Without the log that wrote it: source and destination begin with an empty one.
        server.conn()?.query_drop("RESET BINARY LOGS AND GTIDS")?;
        server.stop()?;
        Ok(Self {
            installation,
            server,
        })
    }

    /// A server that writes as fast as it can: what it lost in a power cut is no matter.
    pub(crate) fn source(&self) -> Result<Server> {
        Ok(self.server_on_copy(1).durable(false).start()?)
    }

    /// A server whose commits reach the disk, with its data in memory.
    pub(crate) fn destination(&self) -> Result<Server> {
        let server = self
            .server_on_copy(2)
            .durable(true)
            .local_infile(true)
            .start()?;
        warm(&mut server.conn()?)?;
        Ok(server)
    }

    fn server_on_copy(&self, id: u32) -> drs_testkit::ServerBuilder {
        sized(Server::builder(&self.installation))
            .gtid(true)
            .server_id(id)
            .data(self.data())
    }

    fn data(&self) -> PathBuf {
        self.server.data_dir()
    }
}

/// Room for all of the data, so that what is measured is work and not a small server's misery.
fn sized(builder: drs_testkit::ServerBuilder) -> drs_testkit::ServerBuilder {
    builder
        .buffer_pool_mib(1024)
        .option("--innodb-redo-log-capacity=2G")
        .option("--max-allowed-packet=128M")
}

/// Reads all tables and their secondary indexes once.
fn warm(conn: &mut Conn) -> Result<()> {
    let indexes: Vec<(String, String, String)> = conn.query(
        "SELECT DISTINCT table_schema, table_name, index_name FROM information_schema.statistics \
         WHERE table_schema NOT IN ('mysql', 'sys')",
    )?;
    for (database, table, index) in indexes {
        conn.query_drop(format!(
            "SELECT COUNT(*) FROM `{database}`.`{table}` FORCE INDEX (`{index}`)"
        ))?;
    }
    Ok(())
}

/// All tables of a server with their checksums.
pub(crate) fn checksums(server: &Server) -> Result<Vec<(String, Option<u64>)>> {
    let mut conn = server.conn()?;
    let tables: Vec<String> = conn.query(
        "SELECT CONCAT('`', table_schema, '`.`', table_name, '`') FROM information_schema.tables \
         WHERE table_type = 'BASE TABLE' \
         AND table_schema NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema', 'drs_meta') \
         ORDER BY 1",
    )?;
    Ok(conn.query(format!("CHECKSUM TABLE {}", tables.join(", ")))?)
}

/// Says which table differs, if one does.
pub(crate) fn same_data(source: &Server, destination: &Server) -> Result<()> {
    let (here, there) = (checksums(source)?, checksums(destination)?);
    match here.iter().zip(&there).find(|(here, there)| here != there) {
        None if here.len() == there.len() => Ok(()),
        differing => Err(format!("the servers are not equal: {differing:?}").into()),
    }
}

/// Processor time of servers while something goes on.
pub(crate) struct ServerTimes {
    begun: Instant,
    source: (u32, Duration),
    destination: (u32, Duration),
}

impl ServerTimes {
    pub(crate) fn start(source: &Server, destination: &Server) -> Result<Self> {
        let time = |server: &Server| -> Result<(u32, Duration)> {
            let pid = server.pid().ok_or("the server does not run")?;
            Ok((pid, cpu_time(pid)?))
        };
        Ok(Self {
            source: time(source)?,
            destination: time(destination)?,
            begun: Instant::now(),
        })
    }

    /// What has passed since the start, and the time of source and destination.
    pub(crate) fn stop(&self) -> Result<(Duration, Duration, Duration)> {
        let elapsed = self.begun.elapsed();
        let since = |(pid, before): (u32, Duration)| -> Result<Duration> {
            Ok(cpu_time(pid)?.saturating_sub(before))
        };
        Ok((elapsed, since(self.source)?, since(self.destination)?))
    }
}
