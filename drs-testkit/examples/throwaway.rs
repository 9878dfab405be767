//! A throwaway server to play with: starts one, says how to reach it, and waits for the end of
//! standard input. The server goes when this process does, also after a `kill -9`.
//!
//! `cargo run -p drs-testkit --example throwaway [mysql97|mysql56|mariadb]`

use std::io::{Read, Write};

use drs_testkit::{Installation, Server, Version};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let version = match std::env::args().nth(1).as_deref() {
        None | Some("mysql97") => Version::MySql97,
        Some("mysql56") => Version::MySql56,
        Some("mariadb") => Version::MariaDb1011,
        Some(other) => return Err(format!("no such version: {other}").into()),
    };
    let installation = Installation::find_or_fetch(version)?;
    let server = Server::builder(&installation)
        .gtid(true)
        .local_infile(true)
        .start()?;
    println!("release   {}", server.release());
    println!("port      {}", server.port());
    println!("user      {}", Server::USER);
    println!("password  {}", Server::PASSWORD);
    println!("socket    {}", server.socket().display());
    println!("data      {}", server.data_dir().display());
    println!("pid       {}", server.pid().unwrap_or_default());
    std::io::stdout().flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
