//! `drs binlog`.

use crate::{
    args::BinlogArgs,
    exit::{CommandError, Exit},
    render::Output,
};

/// Carries the command out.
pub(crate) fn execute(_args: BinlogArgs, _out: &mut Output) -> Result<Exit, CommandError> {
    Err(CommandError::Failed(
        "drs binlog is not built yet".to_owned(),
    ))
}
