//! `drs check`: findings on a task before it runs. Only its rules are looked at so far.

use drs_core::Role;
use drs_precheck::{Finding, Verdict};
use serde_json::json;

use crate::{
    args::TaskArgs,
    config,
    exit::{CommandError, Exit},
    render::Output,
};

/// Carries the command out. It changes nothing on either server.
pub(crate) fn execute(args: TaskArgs, out: &mut Output) -> Result<Exit, CommandError> {
    let task = config::load(&args.task, &[Role::Source])?;
    let findings =
        drs_precheck::rules(&task).map_err(|error| CommandError::Failed(error.to_string()))?;
    for finding in &findings {
        let (check, verdict, detail) = ("rule", finding.verdict, &finding.detail);
        out.fact(
            &format!("{verdict:<8} {check}  {detail}"),
            &json!({ "check": check, "verdict": verdict.to_string(), "detail": detail }),
        )?;
    }
    if findings.is_empty() && !out.is_json() {
        out.line(
            "nothing to check: the task has no rules, and this version checks nothing else yet",
        )?;
    }
    let stands = |finding: &Finding| matches!(finding.verdict, Verdict::Fail | Verdict::Unknown);
    Ok(match findings.iter().any(stands) {
        true => Exit::Differs,
        false => Exit::Done,
    })
}
