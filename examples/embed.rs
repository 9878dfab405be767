//! Embeds the engine: copies one database between two servers, follows until it has caught up,
//! and prints what happens.
//!
//! `cargo run --example embed -- SOURCE_PORT DESTINATION_PORT USER PASSWORD DATABASE` (both on 127.0.0.1)

use std::sync::atomic::AtomicBool;

use drs::{
    Endpoint, MySqlDestination, Observer, Pipeline, Task,
    core::{CopyProgress, FollowProgress},
};

struct Printer;

impl Observer for Printer {
    fn copying(&self, progress: &CopyProgress) {
        println!(
            "{} of about {} rows",
            progress.rows_copied, progress.rows_estimated
        );
    }

    fn following(&self, progress: &FollowProgress) {
        println!(
            "{} row changes, at {}",
            progress.row_changes, progress.position
        );
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [source, destination, user, password, database] = arguments.as_slice() else {
        return Err("give SOURCE_PORT DESTINATION_PORT USER PASSWORD DATABASE".into());
    };
    let endpoint = |port: &str| -> Result<Endpoint, std::num::ParseIntError> {
        Ok(Endpoint::tcp("127.0.0.1", port.parse()?, user.as_str()).password(password.as_str()))
    };
    let task = Task::builder(endpoint(source)?, endpoint(destination)?)
        .name("embedded")
        .select(format!("{database}.*"))
        .build()?;
    let stop = AtomicBool::new(false);
    let outcome = Pipeline::new(&task, MySqlDestination::new(&task))
        .observer(&Printer)
        .until_caught_up(true)
        .run(&stop)?;
    println!("{:?}", outcome.end);
    Ok(())
}
