//! Binary logs to decode, written by a throwaway server: work as it comes, a transaction at a time.

use std::{error::Error, fmt::Write, path::PathBuf, process::Command, thread};

use drs_testkit::{Installation, Server, Version};
use mysql::{Opts, prelude::Queryable};

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// What the log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    /// sysbench's `oltp_write_only`: an update of an indexed column, one of a column without an
    /// index, a delete and an insert of the same row.
    WriteOnly,
    /// The same with `binlog_transaction_compression = ON`.
    Compressed,
    /// Updates and inserts of rows of 60 columns of all kinds of types.
    Wide,
    /// Updates of rows that are a document of about 1 KiB each.
    Json,
}

/// Sessions that write at the same time, each to two of the tables.
const SESSIONS: usize = 2;
const TABLES_A_SESSION: usize = 2;
/// Rows of each table.
const ROWS: u32 = 10_000;

impl Workload {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::WriteOnly, Self::Compressed, Self::Wide, Self::Json];

    /// A name for reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::WriteOnly => "oltp_write_only",
            Self::Compressed => "compressed",
            Self::Wide => "60 columns",
            Self::Json => "JSON",
        }
    }

    /// How many transactions give about this many bytes of log.
    pub(crate) fn transactions(self, bytes: u64) -> u64 {
        bytes
            / match self {
                Self::WriteOnly => 1_700,
                Self::Compressed => 800,
                Self::Wide => 2_900,
                Self::Json => 2_600,
            }
    }

    /// The statements that make table `table` and the procedure `work_{table}` that does
    /// `@transactions` transactions on it.
    fn schema(self, table: usize) -> Vec<String> {
        match self {
            Self::WriteOnly | Self::Compressed => sysbench(table),
            Self::Wide => wide(table),
            Self::Json => json(table),
        }
    }
}

/// A log and the server that wrote it, which is there as long as the log is needed.
pub(crate) struct Log {
    pub(crate) workload: Workload,
    pub(crate) transactions: u64,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) bytes: u64,
    server: Server,
}

impl Log {
    /// Writes a log of about so many bytes.
    pub(crate) fn write(workload: Workload, bytes: u64) -> Result<Self> {
        let log = Self::write_and_stay(workload, workload.transactions(bytes))?;
        // The files stay as long as the server's value does; its process would only disturb.
        log.stop()?;
        Ok(log)
    }

    /// Writes a log of about so many transactions; the server runs on.
    pub(crate) fn write_and_stay(workload: Workload, transactions: u64) -> Result<Self> {
        let installation = Installation::find_or_fetch(Version::MySql97)?;
        let server = Server::builder(&installation)
            .gtid(true)
            .in_memory(true)
            .buffer_pool_mib(256)
            .option("--innodb-flush-log-at-trx-commit=0")
            .option("--max-binlog-size=1G")
            .start()?;
        let calls_each = transactions / (SESSIONS * TABLES_A_SESSION) as u64;
        let mut conn = server.conn()?;
        conn.query_drop("SET sql_log_bin = 0")?;
        conn.query_drop("CREATE DATABASE bench")?;
        conn.query_drop("USE bench")?;
        conn.query_drop("SET cte_max_recursion_depth = 1000000")?;
        for table in 1..=SESSIONS * TABLES_A_SESSION {
            for statement in workload.schema(table) {
                conn.query_drop(statement)?;
            }
        }
        let work = |session: usize| -> Result<()> {
            let mut conn = server.conn()?;
            let compression = u8::from(workload == Workload::Compressed);
            conn.query_drop("USE bench")?;
            conn.query_drop(format!(
                "SET binlog_transaction_compression = {compression}, rand_seed1 = {session}"
            ))?;
            for table in 1..=TABLES_A_SESSION {
                let table = session * TABLES_A_SESSION + table;
                conn.query_drop(format!("CALL work_{table}({calls_each})"))?;
            }
            Ok(())
        };
        thread::scope(|scope| {
            let sessions: Vec<_> = (0..SESSIONS)
                .map(|session| scope.spawn(move || work(session)))
                .collect();
            sessions.into_iter().try_for_each(|session| {
                session
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        })?;
        conn.query_drop("FLUSH BINARY LOGS")?;
        let files = server.binlog_files()?;
        let bytes = files
            .iter()
            .map(|file| Ok(file.metadata()?.len()))
            .sum::<std::io::Result<u64>>()?;
        Ok(Self {
            workload,
            transactions: calls_each * (SESSIONS * TABLES_A_SESSION) as u64,
            files,
            bytes,
            server,
        })
    }

    /// Options to connect to the server while it runs.
    pub(crate) fn server(&self) -> Opts {
        self.server.opts()
    }

    /// Stops the server. The files stay.
    pub(crate) fn stop(&self) -> Result<()> {
        Ok(self.server.stop()?)
    }

    /// `mysqlbinlog` of the server's installation, with these files as arguments.
    pub(crate) fn mysqlbinlog(&self, options: &[&str]) -> Result<Command> {
        let mut command = self.server.installation().command("mysqlbinlog")?;
        command.args(options).args(&self.files);
        Ok(command)
    }
}

/// An INSERT of rows 1 to [`ROWS`], with these expressions of `n`.
fn fill(table: &str, values: &str) -> String {
    format!(
        "INSERT INTO {table} WITH RECURSIVE numbers (n) AS \
         (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS}) SELECT {values} FROM numbers"
    )
}

/// A procedure that does so many transactions, each on a row of its own choice.
fn procedure(table: usize, body: &str) -> String {
    format!(
        "CREATE PROCEDURE work_{table} (transactions INT) BEGIN \
         DECLARE done, chosen INT DEFAULT 0; \
         WHILE done < transactions DO \
         SET chosen = 1 + FLOOR(RAND() * {ROWS}), done = done + 1; \
         START TRANSACTION; {body} COMMIT; \
         END WHILE; END"
    )
}

/// Groups of eleven digits, as sysbench fills `c` and `pad`.
fn digit_groups(groups: usize) -> String {
    let group = "LPAD(FLOOR(RAND() * 100000000000), 11, '0')";
    format!("CONCAT_WS('-', {})", vec![group; groups].join(", "))
}

fn sysbench(table: usize) -> Vec<String> {
    let (c, pad) = (digit_groups(10), digit_groups(5));
    let name = format!("sbtest{table}");
    vec![
        format!(
            "CREATE TABLE {name} (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL DEFAULT 0, \
             c CHAR(120) NOT NULL DEFAULT '', pad CHAR(60) NOT NULL DEFAULT '', KEY k_{table} (k))"
        ),
        fill(&name, &format!("n, n, {c}, {pad}")),
        procedure(
            table,
            &format!(
                "UPDATE {name} SET k = k + 1 WHERE id = chosen; \
                 SET chosen = 1 + FLOOR(RAND() * {ROWS}); \
                 UPDATE {name} SET c = {c} WHERE id = chosen; \
                 SET chosen = 1 + FLOOR(RAND() * {ROWS}); \
                 DELETE FROM {name} WHERE id = chosen; \
                 INSERT INTO {name} VALUES (chosen, 1 + FLOOR(RAND() * {ROWS}), {c}, {pad});"
            ),
        ),
    ]
}

/// Types and, for each, the value of row `n`.
const TYPES: [(&str, &str); 20] = [
    ("TINYINT", "n % 128"),
    ("SMALLINT", "n"),
    ("MEDIUMINT UNSIGNED", "n * 800"),
    ("INT", "-n"),
    ("BIGINT UNSIGNED", "n * 1000000007"),
    ("FLOAT", "n / 3"),
    ("DOUBLE", "n / 7"),
    ("DECIMAL(12,2)", "n * 1.01"),
    ("DECIMAL(30,10)", "n * -12345678901.0123456789"),
    ("BIT(9)", "n % 512"),
    ("YEAR", "1970 + n % 100"),
    ("DATE", "DATE('2000-01-01') + INTERVAL n DAY"),
    ("TIME(3)", "SEC_TO_TIME(n * 1.001)"),
    (
        "DATETIME(6)",
        "TIMESTAMP('2001-02-03 04:05:06.789012') + INTERVAL n HOUR",
    ),
    (
        "TIMESTAMP",
        "TIMESTAMP('2010-02-03 04:05:06') + INTERVAL n MINUTE",
    ),
    ("CHAR(20)", "LEFT(SHA2(n, 256), 7 + n % 13)"),
    ("VARCHAR(300)", "CONCAT('row ', n, ' ', SHA2(n, 256))"),
    ("VARBINARY(40)", "UNHEX(SHA2(n, 256))"),
    ("ENUM('small','medium','large')", "1 + n % 3"),
    ("TEXT", "IF(n % 2, NULL, REPEAT('text ', n % 9))"),
];
const COLUMNS: usize = 60;

fn wide(table: usize) -> Vec<String> {
    let (mut columns, mut values) = (String::new(), String::new());
    for at in 1..COLUMNS {
        let (column_type, value) = TYPES[at % TYPES.len()];
        let _ = write!(columns, ", c{at} {column_type}");
        let _ = write!(values, ", {value}");
    }
    let name = format!("wide{table}");
    vec![
        format!("CREATE TABLE {name} (id INT NOT NULL PRIMARY KEY{columns})"),
        format!("CREATE TABLE spare{table} LIKE {name}"),
        fill(&name, &format!("n{values}")),
        format!("INSERT INTO spare{table} SELECT * FROM {name}"),
        procedure(
            table,
            &format!(
                "UPDATE {name} SET c4 = c4 + 1, c8 = c8 + 0.01, c13 = c13 + INTERVAL 1 SECOND WHERE id = chosen; \
                 SET chosen = 1 + FLOOR(RAND() * {ROWS}); \
                 DELETE FROM {name} WHERE id = chosen; \
                 INSERT INTO {name} SELECT * FROM spare{table} WHERE id = chosen;"
            ),
        ),
    ]
}

fn json(table: usize) -> Vec<String> {
    let name = format!("json{table}");
    let line = "JSON_OBJECT('sku', SHA2(n, 256), 'price', CAST(n / 7 AS DECIMAL(12,2)), 'count', n % 9, \
                'tags', JSON_ARRAY('new', 'red', n, n / 3, TRUE, NULL))";
    let document = format!(
        "JSON_OBJECT('order', n, 'customer', JSON_OBJECT('name', CONCAT('customer ', n), \
         'mail', CONCAT(SHA2(n, 256), '@example.org'), 'since', DATE('2000-01-01') + INTERVAL n DAY), \
         'lines', JSON_ARRAY({}), 'note', REPEAT('note ', n % 20), 'total', n / 7, 'paid', FALSE)",
        [line; 5].join(", ")
    );
    vec![
        format!("CREATE TABLE {name} (id INT NOT NULL PRIMARY KEY, doc JSON NOT NULL)"),
        fill(&name, &format!("n, {document}")),
        procedure(
            table,
            &format!(
                "UPDATE {name} SET doc = JSON_SET(doc, '$.paid', TRUE, '$.order', done) WHERE id = chosen;"
            ),
        ),
    ]
}
