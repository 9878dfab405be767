//! Looking after a run and the writers, while the user may ask for the end.

use std::time::Duration;

use drs_testkit::{deadline, workload::Writers};

use super::{
    Demo, Ending,
    run::{Progress, Run},
};

/// How long any one stage may take before something must be wrong.
const STAGE_LIMIT: Duration = Duration::from_secs(120);

impl Demo<'_, '_> {
    /// Shows a run until its progress is as wanted.
    pub(super) fn watch(
        &mut self,
        run: &mut Run,
        wanted: &str,
        mut is_reached: impl FnMut(&Progress) -> bool,
    ) -> Result<(), Ending> {
        let reached = deadline::poll(STAGE_LIMIT, || self.look(run, &mut is_reached).transpose());
        match reached {
            Some(reached) => reached,
            None => Err(run.trouble(&format!(
                "did not {wanted} within {} s",
                STAGE_LIMIT.as_secs()
            ))),
        }
    }

    fn look(
        &mut self,
        run: &mut Run,
        is_reached: &mut impl FnMut(&Progress) -> bool,
    ) -> Result<Option<()>, Ending> {
        self.interrupt.check()?;
        self.check_writers()?;
        let ended = run.ended()?;
        let progress = run.progress();
        self.show(&progress)?;
        if is_reached(&progress) {
            return Ok(Some(()));
        }
        if ended.is_some() {
            return Err(run.trouble("ended"));
        }
        Ok(None)
    }

    /// Waits until a run ends by itself, and returns its exit code.
    pub(super) fn wait(&mut self, run: &mut Run) -> Result<Option<i32>, Ending> {
        let code = deadline::poll(STAGE_LIMIT, || {
            let mut look = || -> Result<Option<Option<i32>>, Ending> {
                self.interrupt.check()?;
                self.show(&run.progress())?;
                Ok(run.ended()?.map(|status| status.code()))
            };
            look().transpose()
        });
        match code {
            Some(code) => code,
            None => Err(run.trouble(&format!("did not end within {} s", STAGE_LIMIT.as_secs()))),
        }
    }

    fn show(&mut self, progress: &Progress) -> Result<(), Ending> {
        let written = self.writers.as_ref().map_or(self.written, Writers::counts);
        let rows = self.report.rows_loaded;
        let mut progress = progress.clone();
        progress.rows_copied = (progress.rows_copied + self.rows_before).min(rows);
        Ok(self.screen.progress(&progress, written, rows)?)
    }

    /// A writer that met an error has ended, and the demo with it.
    pub(super) fn check_writers(&mut self) -> Result<(), Ending> {
        if self
            .writers
            .as_ref()
            .is_some_and(|writers| !writers.are_writing())
        {
            self.stop_writers()?;
        }
        Ok(())
    }
}
