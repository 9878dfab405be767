//! The room that a destination has on its disk, where it can be known.

use std::path::Path;

use super::{Fact, Unread, Variables};

/// The file system that a destination keeps its data on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// `@@datadir`.
    pub data_dir: String,
    /// Bytes there that the server may still take.
    pub free_bytes: u64,
}

impl Disk {
    /// No server tells how much room it has. It can be seen when the server keeps its data on this
    /// machine, where its folder can be read: its `server_uuid` is in a file there.
    pub(super) fn gather(variables: &Fact<Variables>) -> Fact<Self> {
        let variables = variables.as_ref().map_err(Clone::clone)?;
        let text = |name: &str| variables.text(name).unwrap_or_default();
        let (data_dir, server_uuid) = (text("datadir"), text("server_uuid"));
        let folder = Path::new(data_dir);
        let elsewhere = || {
            Unread::new("no server tells its free space, and the destination's data is not here")
        };
        let identity = std::fs::read_to_string(folder.join("auto.cnf")).map_err(|_| elsewhere())?;
        if server_uuid.is_empty() || !identity.contains(server_uuid) {
            return Err(elsewhere());
        }
        let room = rustix::fs::statvfs(folder).map_err(|error| {
            Unread::new(format!(
                "the free space of {data_dir} can't be read: {error}"
            ))
        })?;
        Ok(Self {
            data_dir: data_dir.to_owned(),
            free_bytes: room.f_bavail.saturating_mul(room.f_frsize),
        })
    }
}

#[cfg(test)]
impl Disk {
    pub(crate) fn sample() -> Self {
        Self {
            data_dir: "/var/lib/mysql/".to_owned(),
            free_bytes: 1 << 40,
        }
    }
}
