//! Free TCP ports.

use std::{
    collections::HashSet,
    net::{Ipv4Addr, TcpListener},
    process,
    sync::{LazyLock, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{Error, Result};

/// Below the range from which Linux gives ports to clients (32768 up): a server that is down for a
/// moment must find its own port free when it comes back.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port that nobody listens on, and that this process has not had from here before.
pub(super) fn free() -> Result<u16> {
    static GIVEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Processes that start at the same time begin at different places.
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.subsec_nanos());
    let start = nanos.wrapping_add(process::id().wrapping_mul(7919)) % u32::from(COUNT);
    for step in 0..u32::from(COUNT) {
        let offset = (start + step) % u32::from(COUNT);
        let Ok(offset) = u16::try_from(offset) else {
            continue;
        };
        let port = FIRST + offset;
        if !given.contains(&port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            given.insert(port);
            return Ok(port);
        }
    }
    Err(Error::io("find a free TCP port")(
        std::io::ErrorKind::AddrInUse.into(),
    ))
}
