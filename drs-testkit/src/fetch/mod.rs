//! Getting programs onto a machine where nothing may be installed.

mod debian;
mod npm;

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::{Error, Result, Version};

/// Fills `folder` with the programs of a version; what it does goes line by line to `progress`.
pub(crate) fn fetch(version: Version, folder: &Path, progress: &mut dyn FnMut(&str)) -> Result<()> {
    match version {
        Version::MySql97 => debian::unpack(&debian::MYSQL, folder, progress),
        Version::MariaDb1011 => debian::unpack(&debian::MARIADB, folder, progress),
        Version::MySql56 => npm::unpack(folder, progress),
    }
}

/// Fills `folder` with the tools to be measured beside.
pub(crate) fn tools(folder: &Path, progress: &mut dyn FnMut(&str)) -> Result<()> {
    debian::unpack(&debian::TOOLS, folder, progress)
}

/// Runs a program to its end and returns what it printed.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(Error::io(format!("run {program}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Error::program(program, output.status, &output.stderr))
}

/// Tries something that the network may spoil up to three times.
fn with_retries<T>(
    progress: &mut dyn FnMut(&str),
    mut attempt: impl FnMut(&mut dyn FnMut(&str)) -> Result<T>,
) -> Result<T> {
    for seconds in [2, 5] {
        match attempt(progress) {
            // A program that is not there will not be there in a moment either.
            Err(error @ Error::Program { .. }) => {
                progress(&format!("{error}; trying again in {seconds} s"));
                std::thread::sleep(std::time::Duration::from_secs(seconds));
            }
            other => return other,
        }
    }
    attempt(progress)
}
