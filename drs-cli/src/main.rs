//! The command line of drs.

mod args;
mod command;
mod config;
mod demo;
mod exit;
mod log;
mod metrics;
mod render;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    args::{Args, Command},
    exit::{CommandError, Exit},
    render::Output,
};

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            // Nothing is left to tell it to when the terminal is gone.
            let _ = error.print();
            return exit.into();
        }
    };
    let json = args.json;
    match execute(args) {
        Ok(exit) => exit.into(),
        Err(error) => {
            render::error(&error, json);
            error.exit().into()
        }
    }
}

fn execute(args: Args) -> Result<Exit, CommandError> {
    log::start(args.verbose, args.quiet, args.json)?;
    let out = &mut Output::stdout(args.json);
    match args.command {
        Command::Demo(args) => command::demo::execute(args, out),
        Command::Check(args) => command::check::execute(args, out),
        Command::Run(args) => command::run::execute(args, out),
        Command::Compare(args) => command::compare::execute(args, out),
        Command::Status(args) => command::status::execute(args, out),
        Command::Conflicts(args) => command::conflicts::execute(args, out),
        Command::StartPoint(args) => command::start_point::execute(args, out),
        Command::Objects(args) => command::objects::execute(args, out),
        Command::Binlog(args) => command::binlog::execute(args, out),
    }
}
