//! What everything ran on, and which versions it was.

use std::{fs, process::Command, thread};

use drs_testkit::{Installation, Tool, Tools, Version};
use serde::Serialize;

use crate::Result;

/// One run's surroundings, for the head of its tables.
#[derive(Serialize)]
pub(crate) struct Machine {
    date: String,
    processor: String,
    cores: usize,
    memory_mib: u64,
    system: String,
    versions: Vec<String>,
}

impl Machine {
    pub(crate) fn look() -> Result<Self> {
        let tools = Tools::find_or_fetch()?;
        let mysql = Installation::find_or_fetch(Version::MySql97)?;
        let mut versions = vec![mysql.release().to_string()];
        for tool in [Tool::Sysbench, Tool::MyDumper] {
            versions.push(first_line(tools.command(tool).arg("--version"))?);
        }
        Ok(Self {
            date: chrono::Utc::now().format("%Y-%m-%d").to_string(),
            processor: field("/proc/cpuinfo", "model name").unwrap_or_default(),
            cores: thread::available_parallelism()?.get(),
            memory_mib: field("/proc/meminfo", "MemTotal")
                .and_then(|text| text.split(' ').next()?.parse::<u64>().ok())
                .unwrap_or_default()
                / 1024,
            system: first_line(Command::new("uname").arg("-sr"))?,
            versions,
        })
    }

    pub(crate) fn markdown(&self) -> String {
        format!(
            "{}: {} x {}, {} MiB, {}; {}; drs {} (release build)\n",
            self.date,
            self.cores,
            self.processor,
            self.memory_mib,
            self.system,
            self.versions.join(", "),
            env!("CARGO_PKG_VERSION")
        )
    }
}

fn first_line(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", output.status).into());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// What stands behind a name and a colon in one of the kernel's tables.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
