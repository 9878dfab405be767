//! What can be written on the command line.

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use drs_core::{Lanes, conflicts::Since};

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
            ("start", false),
        ] {
            let words = std::iter::once("drs").chain(line.split_whitespace());
            assert_eq!(Args::try_parse_from(words).is_ok(), valid, "{line}");
        }
    }
}
