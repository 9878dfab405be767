//! What the demo shows while it goes: bars on a terminal, else timed lines or JSON.

use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use drs_testkit::workload::WriteCounts;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::run::Progress;
use crate::render::{Output, grouped};

/// Lines of progress come this far apart.
const PERIOD: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(100);
const SPINNER: &str = "          {spinner} {msg}";
const BAR: &str = "          [{bar:32}] {msg}";

/// Standard output with a clock, and bars where there is a terminal.
pub(super) struct Screen<'out> {
    out: &'out mut Output,
    begun: Instant,
    shown: Instant,
    bars: Option<Bars>,
}

struct Bars {
    all: MultiProgress,
    /// What is written at the source, above the other from the first writer on.
    source: Option<ProgressBar>,
    drs: ProgressBar,
    copies: bool,
}

impl<'out> Screen<'out> {
    pub(super) fn new(out: &'out mut Output) -> Self {
        let terminal = io::stdout().is_terminal() && io::stderr().is_terminal();
        let bars = (terminal && !out.is_json()).then(Bars::new);
        let now = Instant::now();
        Self {
            out,
            begun: now,
            shown: now,
            bars,
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Standard output, once the bars are gone.
    pub(super) fn out(&mut self) -> &mut Output {
        self.out
    }

    /// Something that has happened.
    pub(super) fn step(&mut self, text: &str, mut object: Value) -> io::Result<()> {
        let seconds = self.elapsed().as_secs_f64();
        self.shown = Instant::now();
        if let Some(fields) = object.as_object_mut() {
            fields.insert("event".into(), "step".into());
            fields.insert("seconds".into(), seconds.into());
            fields.insert("text".into(), text.into());
        }
        let line = format!("{seconds:6.1} s  {text}");
        match &self.bars {
            Some(bars) => bars.all.suspend(|| self.out.line(&line)),
            None => self.out.fact(&line, &object),
        }
    }

    /// Something that takes a moment and can't say how far it is.
    pub(super) fn busy(&mut self, text: &str) -> io::Result<()> {
        match &mut self.bars {
            Some(bars) => {
                bars.spin(text.to_owned());
                Ok(())
            }
            None if self.out.is_json() => Ok(()),
            None => self.step(text, json!({})),
        }
    }

    /// How far a run is, and what is written at the source meanwhile.
    pub(super) fn progress(
        &mut self,
        progress: &Progress,
        written: WriteCounts,
        rows: u64,
    ) -> io::Result<()> {
        let source = format!(
            "{} transactions, {} row changes at the source",
            grouped(written.transactions),
            grouped(written.row_changes)
        );
        if let Some(bars) = &mut self.bars {
            bars.progress(source, progress, rows);
            return Ok(());
        }
        if self.shown.elapsed() < PERIOD {
            return Ok(());
        }
        let text = if progress.follows() {
            format!("  following: {} ({source})", following(progress))
        } else {
            format!(
                "  copying: {} of {} tables, {} rows ({source})",
                progress.tables_done,
                progress.tables_total,
                grouped(progress.rows_copied)
            )
        };
        let object = json!({
            "rows_copied": progress.rows_copied,
            "transactions": progress.transactions,
            "row_changes": progress.row_changes,
            "lag_ms": progress.lag_ms,
            "transactions_written": written.transactions,
            "row_changes_written": written.row_changes,
        });
        self.step(&text, object)
    }

    /// Lines without a time.
    pub(super) fn lines(&mut self, lines: &[String], object: Value) -> io::Result<()> {
        self.clear();
        if self.out.is_json() {
            return self.out.object(&object);
        }
        self.out.line("")?;
        lines.iter().try_for_each(|line| self.out.line(line))
    }

    /// Takes the bars away.
    pub(super) fn clear(&mut self) {
        if let Some(bars) = self.bars.take() {
            for bar in bars.source.iter().chain([&bars.drs]) {
                bar.finish_and_clear();
            }
        }
    }
}

impl Bars {
    fn new() -> Self {
        let all = MultiProgress::new();
        let drs = spinner(all.add(ProgressBar::new_spinner()));
        Self {
            all,
            source: None,
            drs,
            copies: false,
        }
    }

    fn spin(&mut self, text: String) {
        if std::mem::take(&mut self.copies) {
            self.drs.set_style(style(SPINNER));
        }
        self.drs.set_message(text);
    }

    fn progress(&mut self, source: String, progress: &Progress, rows: u64) {
        let bar = self.source.get_or_insert_with(|| {
            spinner(
                self.all
                    .insert_before(&self.drs, ProgressBar::new_spinner()),
            )
        });
        bar.set_message(source);
        if progress.follows() {
            return self.spin(format!("drs follows: {}", following(progress)));
        }
        if !std::mem::replace(&mut self.copies, true) {
            self.drs.set_style(style(BAR));
            self.drs.set_length(rows);
        }
        self.drs.set_position(progress.rows_copied.min(rows));
        self.drs.set_message(format!(
            "drs copies: {} rows, {} of {} tables",
            grouped(progress.rows_copied),
            progress.tables_done,
            progress.tables_total
        ));
    }
}

fn following(progress: &Progress) -> String {
    format!(
        "{} transactions, {} row changes, {} ms behind",
        grouped(progress.transactions),
        grouped(progress.row_changes),
        grouped(progress.lag_ms)
    )
}

fn spinner(bar: ProgressBar) -> ProgressBar {
    bar.set_style(style(SPINNER));
    bar.enable_steady_tick(TICK);
    bar
}

/// A template of ours is always sound; a default one is better than none all the same.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
