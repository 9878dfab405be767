//! How the source is reached while a task follows.

use std::sync::Arc;

use drs_binlog::{DumpRequest, DumpSource, DumpStart, EventSource};

use super::HEARTBEAT_MS;
use crate::{
    checkpoint::StreamPoint,
    endpoint::{Endpoint, Role},
    replicate::{ConnectToRead, OpenError, OpenSource},
    session,
    task::Task,
};

/// Opens the source's stream behind a point: by GTID where the point has a set.
///
/// The source may have been replaced behind its address since the last time, and positions
/// mean nothing in another server's log.
pub(super) fn open_source(endpoint: Endpoint, server_id: u32, server_uuid: String) -> OpenSource {
    Arc::new(move |point: &StreamPoint| {
        let mut conn = endpoint
            .connect_with(Role::Source, |opts| {
                opts.max_allowed_packet(Some(session::PACKET_BYTES_MAX))
            })
            .map_err(|error| OpenError::Session(error.into()))?;
        session::same_server(&mut conn, Role::Source, &server_uuid).map_err(OpenError::Session)?;
        let start = match &point.gtid_set {
            Some(set) => DumpStart::Gtid((**set).clone()),
            None => DumpStart::Position(point.position.clone()),
        };
        let request = DumpRequest {
            server_id,
            start,
            heartbeat_ms: HEARTBEAT_MS,
            non_blocking: false,
        };
        let source = DumpSource::open(conn, &request).map_err(OpenError::Stream)?;
        Ok(Box::new(source) as Box<dyn EventSource>)
    })
}

/// Opens sessions that read definitions at the source that the task was begun with.
pub(super) fn read_source(endpoint: Endpoint, server_uuid: String) -> ConnectToRead {
    Arc::new(move || {
        session::patiently(|| {
            let (mut conn, _) = session::open_source(&endpoint)?;
            session::same_server(&mut conn, Role::Source, &server_uuid)?;
            Ok(conn)
        })
    })
}

/// The server id that a task's connection has as a replica of the source, from the task and its
/// destination: the same for each start, so that the source ends a stale stream of ours, and in a
/// range that people do not use.
pub fn replica_server_id(task: &Task) -> u32 {
    let replica = format!("{} {}", task.name().as_str(), task.destination().address());
    let hash = replica.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    0x4000_0000 | (hash & 0x3fff_ffff)
}
