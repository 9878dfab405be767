//! `drs run`.

use crate::{
    args::RunArgs,
    exit::{CommandError, Exit},
    render::Output,
};

/// Carries the command out.
pub(crate) fn execute(_args: RunArgs, _out: &mut Output) -> Result<Exit, CommandError> {
    Err(CommandError::Failed("drs run is not built yet".to_owned()))
}
