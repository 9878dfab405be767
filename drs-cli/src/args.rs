//! What can be written on the command line.

use std::{path::PathBuf, str::FromStr};

use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use drs_core::{COMPARE_EXAMPLES_MAX, FlowLimit, Lanes, Sessions, StartAt, conflicts::Since};

/// Copy MySQL databases to another MySQL server, and keep the copy current from the binary log
#[derive(Debug, Parser)]
#[command(name = "drs", version, disable_help_subcommand = true)]
pub(crate) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print JSON, one object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Log more on standard error; twice for everything (DRS_LOG sets it by module)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Log errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the main job on two throwaway servers: copy, follow, kill and resume, compare
    Demo(DemoArgs),
    /// Check both servers and the objects before a task starts; changes nothing
    Check(CheckArgs),
    /// Run a task: copy the objects, then follow the source's changes
    Run(RunArgs),
    /// Compare what the task should have brought with what is at the destination; writes to no server
    Compare(CompareArgs),
    /// Print what the destination's checkpoint says: phase of each table, position
    Status(TaskArgs),
    /// List and count the conflicts that the policy let pass, from the destination's ledger
    Conflicts(ConflictsArgs),
    /// Print the source's present start point, for a task in mode "incremental"
    StartPoint(TaskArgs),
    /// Print the objects selected, and what each maps to
    Objects(ObjectsArgs),
    /// Print binary log files
    Binlog(BinlogArgs),
}

/// A command on a task, with nothing more to say.
#[derive(Debug, clap::Args)]
pub(crate) struct TaskArgs {
    /// The task file
    #[arg(value_name = "TASK.toml")]
    pub(crate) task: PathBuf,
}

/// `drs check`.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// The task file
    #[arg(value_name = "TASK.toml")]
    pub(crate) task: PathBuf,
    /// Accept what this check wants confirmed; may be given several times
    #[arg(long, value_name = "ID")]
    pub(crate) confirm: Vec<String>,
    /// Look at this check alone; may be given several times
    #[arg(long, value_name = "ID")]
    pub(crate) only: Vec<String>,
    /// Print the statements that would repair what SQL can repair, by server, and nothing else
    #[arg(long)]
    pub(crate) fix_sql: bool,
}

/// `drs objects`.
#[derive(Debug, clap::Args)]
pub(crate) struct ObjectsArgs {
    /// The task file
    #[arg(value_name = "TASK.toml")]
    pub(crate) task: PathBuf,
    /// Write the tables to an object file (CSV: source,mapped), for objects.file of a task
    #[arg(long, value_name = "FILE")]
    pub(crate) export: Option<PathBuf>,
}

/// `drs conflicts`.
#[derive(Debug, clap::Args)]
pub(crate) struct ConflictsArgs {
    /// The task file
    #[arg(value_name = "TASK.toml")]
    pub(crate) task: PathBuf,
    /// Only those since a UTC time, for instance "2026-03-01 08:00", or a duration, for instance 2h
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Since>,
}

/// `drs demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Leave the servers running, and print how to play on
    #[arg(long)]
    pub(crate) keep: bool,
}

/// `drs run`.
#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// The task file
    #[arg(value_name = "TASK.toml")]
    pub(crate) task: PathBuf,
    /// Stop once the destination has everything that the source had at the start
    #[arg(long)]
    pub(crate) until_caught_up: bool,
    /// Skip the prechecks
    #[arg(long)]
    pub(crate) no_check: bool,
    /// Accept what this check wants confirmed; may be given several times
    #[arg(long, value_name = "ID", conflicts_with = "no_check")]
    pub(crate) confirm: Vec<String>,
    /// Connections that apply changes, 1 to 64; 1 keeps the source's commit order
    #[arg(long, value_name = "N")]
    pub(crate) lanes: Option<Lanes>,
    /// Serve progress for Prometheus at http://ADDR/metrics, for instance 127.0.0.1:9104
    #[arg(long, value_name = "ADDR")]
    pub(crate) metrics: Option<std::net::SocketAddr>,
}

/// `drs compare`.
#[derive(Debug, clap::Args)]
pub(crate) struct CompareArgs {
    /// The task file
    #[arg(value_name = "TASK.toml")]
    pub(crate) task: PathBuf,
    /// How deep; may be given several times [default: objects and values]
    #[arg(long, value_enum)]
    pub(crate) level: Vec<Level>,
    /// Only these of the task's tables: database or database.table of the source, * and ? match;
    /// may be given several times
    #[arg(long, value_name = "PATTERN")]
    pub(crate) tables: Vec<String>,
    /// Connections to each server, 1 to 64 [default: 4]
    #[arg(long, value_name = "N", value_parser = sessions)]
    pub(crate) sessions: Option<Sessions>,
    /// How fast rows are read at either side, for instance 20MiB/s
    #[arg(long, value_name = "LIMIT", value_parser = flow_limit)]
    pub(crate) flow_limit: Option<FlowLimit>,
    /// Differences of a table that are described, 0 to 1000; all are counted [default: 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=COMPARE_EXAMPLES_MAX))]
    pub(crate) examples: Option<u64>,
    /// How long the destination may take to reach a point of the source
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(..=86_400))]
    pub(crate) wait: u64,
    /// When to begin: a time such as 2026-03-01T02:00:00Z, a time of the UTC day such as 02:00, or
    /// now
    #[arg(long, value_name = "TIME")]
    pub(crate) start_at: Option<StartAt>,
    /// Write the result to FILE.html, a page, or FILE.json, data; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Vec<ReportFile>,
    /// Write the statements that would make differing rows of the destination the source's; nothing
    /// runs them
    #[arg(long, value_name = "FILE", conflicts_with = "journal")]
    pub(crate) repair_sql: Option<PathBuf>,
    /// Keep what is done in this file, so that the same command goes on there after it was cut off
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// List the tables that are equal, however many there are
    #[arg(long)]
    pub(crate) all: bool,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    /// Definitions of databases, tables, views, procedures and functions
    Objects,
    /// Exact numbers of rows
    Count,
    /// Every column of every row
    Values,
}

/// A file that the result is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReportFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What is in it.
    pub(crate) format: ReportFormat,
}

/// How a result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReportFormat {
    /// A page for people.
    Html,
    /// One object.
    Json,
}

impl FromStr for ReportFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = PathBuf::from(text);
        let extension = path.extension().and_then(|extension| extension.to_str());
        let format = match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("html" | "htm") => ReportFormat::Html,
            Some("json") => ReportFormat::Json,
            _ => return Err("its name tells its form, and ends in .html or .json".to_owned()),
        };
        Ok(Self { path, format })
    }
}

fn sessions(text: &str) -> Result<Sessions, String> {
    let number: u64 = text
        .parse()
        .map_err(|_| format!("{text:?} is no number from 1 to 64"))?;
    Sessions::new(number).map_err(|error| error.to_string())
}

fn flow_limit(text: &str) -> Result<FlowLimit, String> {
    FlowLimit::parse(None, text).map_err(|error| error.to_string())
}

/// `drs binlog`.
#[derive(Debug, clap::Args)]
pub(crate) struct BinlogArgs {
    /// Binary log files, in order
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// How to print them; --json is --format json
    #[arg(long, value_enum, default_value_t = BinlogFormat::Text)]
    pub(crate) format: BinlogFormat,
    /// Only changes of this database
    #[arg(long, value_name = "D")]
    pub(crate) database: Option<String>,
    /// Only changes of tables of this name
    #[arg(long, value_name = "T")]
    pub(crate) table: Option<String>,
}

/// How `drs binlog` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BinlogFormat {
    /// For people
    Text,
    /// One object an event
    Json,
    /// Counts and sizes by event type and table
    Stats,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn takes_what_the_contract_says() {
        for (line, valid) in [
            ("demo", true),
            ("demo --keep --json", true),
            ("run t.toml", true),
            (
                "run t.toml --until-caught-up --no-check --lanes 8 --json -vv",
                true,
            ),
            ("--json status t.toml", true),
            ("run t.toml --metrics 127.0.0.1:9104", true),
            ("run t.toml --metrics nowhere", false),
            ("conflicts t.toml --json", true),
            ("conflicts t.toml --since 2h", true),
            ("conflicts t.toml --since 2026-03-01T08:00:00Z", true),
            ("conflicts t.toml --since yesterday", false),
            ("start-point t.toml -q", true),
            ("objects t.toml", true),
            ("objects t.toml --export tables.csv --json", true),
            (
                "binlog a.000001 a.000002 --format stats --database d --table t",
                true,
            ),
            ("binlog a --format text --json", true),
            ("", false),
            ("run", false),
            ("run a.toml b.toml", false),
            ("run t.toml --lanes 0", false),
            ("run t.toml --lanes 65", false),
            ("run t.toml -v -q", false),
            ("binlog", false),
            ("binlog a --format xml", false),
            ("check t.toml --json", true),
            ("check t.toml --fix-sql --confirm a --confirm b", true),
            ("check t.toml --only a --only b", true),
            ("run t.toml --confirm keyless-tables", true),
            ("run t.toml --confirm a --no-check", false),
            ("compare t.toml", true),
            (
                "compare t.toml --level objects --level count --tables a.* --tables b --sessions 8 --all",
                true,
            ),
            (
                "compare t.toml --flow-limit 20MiB/s --examples 0 --wait 5 --start-at 02:00 --json",
                true,
            ),
            (
                "compare t.toml --report a.html --report b.JSON --start-at 2026-03-01T02:00:00Z",
                true,
            ),
            ("compare t.toml --repair-sql r.sql", true),
            ("compare t.toml --journal j", true),
            ("compare t.toml --journal j --repair-sql r.sql", false),
            ("compare", false),
            ("compare t.toml --level rows", false),
            ("compare t.toml --sessions 0", false),
            ("compare t.toml --flow-limit 20MiB", false),
            ("compare t.toml --examples 1001", false),
            ("compare t.toml --wait -1", false),
            ("compare t.toml --start-at tomorrow", false),
            ("compare t.toml --report a.pdf", false),
            ("start", false),
        ] {
            let words = std::iter::once("drs").chain(line.split_whitespace());
            assert_eq!(Args::try_parse_from(words).is_ok(), valid, "{line}");
        }
    }
}
