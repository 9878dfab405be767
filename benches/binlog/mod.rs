//! What the decode benches share: binary logs of four kinds, and the decoders that read them.

#![allow(dead_code, reason = "each bench uses a part")]

use std::{error::Error, path::PathBuf};

pub(crate) mod mysql_common;
pub(crate) mod ours;
pub(crate) mod workload;

/// What a decoder found in a log: the same for every decoder, or one of them is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Images of rows, before and after a change.
    pub(crate) images: u64,
    /// Values of columns, NULL among them.
    pub(crate) values: u64,
    /// Scalars inside JSON documents.
    pub(crate) json_scalars: u64,
}

/// What all decoders find in the files; an error if they do not agree.
pub(crate) fn agree(files: &[PathBuf]) -> Result<Found, Box<dyn Error + Send + Sync>> {
    let (ours, theirs) = (ours::from_files(files)?, mysql_common::from_files(files)?);
    if ours == theirs && ours.values > 0 {
        Ok(ours)
    } else {
        Err(format!("{ours:?} differs from {theirs:?}").into())
    }
}
