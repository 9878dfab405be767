//! What the decode benches share: binary logs of four kinds, and the decoders that read them.

#![allow(dead_code, reason = "each bench uses a part")]

pub mod mysql_common;
pub mod ours;
pub mod workload;

/// What a decoder found in a log: the same for every decoder, or one of them is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Images of rows, before and after a change.
    pub images: u64,
    /// Values of columns, NULL among them.
    pub values: u64,
    /// Scalars inside JSON documents.
    pub json_scalars: u64,
}
