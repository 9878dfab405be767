//! `drs status`.

use crate::{
    args::TaskArgs,
    exit::{CommandError, Exit},
    render::Output,
};

/// Carries the command out.
pub(crate) fn execute(_args: TaskArgs, _out: &mut Output) -> Result<Exit, CommandError> {
    Err(CommandError::Failed(
        "drs status is not built yet".to_owned(),
    ))
}
