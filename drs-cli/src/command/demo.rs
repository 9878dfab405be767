//! `drs demo`.

use crate::{
    args::DemoArgs,
    demo,
    exit::{CommandError, Exit},
    render::Output,
};

/// Carries the command out.
pub(crate) fn execute(args: DemoArgs, out: &mut Output) -> Result<Exit, CommandError> {
    demo::execute(&args, out)
}
