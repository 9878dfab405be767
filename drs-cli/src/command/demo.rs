//! `drs demo`.

use crate::{
    args::DemoArgs,
    exit::{CommandError, Exit},
    render::Output,
};

/// Carries the command out.
pub(crate) fn execute(_args: DemoArgs, _out: &mut Output) -> Result<Exit, CommandError> {
    Err(CommandError::Failed("drs demo is not built yet".to_owned()))
}
