//! What a task has before it: how much, for how long, and whether it can catch up.

use std::time::Duration;

use crate::{
    Facts,
    facts::{Fact, TableKind, WriteRate},
};

/// How fast a task works. The default is what slow servers reach, so that a plan promises too
/// little rather than too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Of the copy, in bytes of rows and indexes at the source a second.
    pub copy_bytes_per_second: u64,
    /// Of following, in bytes of the source's log a second.
    pub follow_bytes_per_second: u64,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            copy_bytes_per_second: 10 << 20,
            follow_bytes_per_second: 5 << 20,
        }
    }
}

/// What a task has before it, by what the servers believe of their tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Selected tables.
    pub tables: u64,
    /// Their rows, by the server's estimate.
    pub rows: u64,
    /// Bytes of their rows.
    pub data_bytes: u64,
    /// Bytes of their secondary indexes.
    pub index_bytes: u64,
    /// How long the copy takes; `None` where there is none.
    pub copy: Option<Duration>,
    /// How the source's log grows; `None` where the task does not follow it.
    pub write_rate: Option<Fact<WriteRate>>,
    /// What following must make up for after the copy.
    pub catch_up: Option<CatchUp>,
    /// How long the source keeps its log; `None` where it purges nothing by age, or does not tell.
    pub retention: Option<Duration>,
}

/// How following comes to the present after a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatchUp {
    /// After so long.
    After(Duration),
    /// The log grows as fast as it is followed, or faster.
    Never,
}

impl Plan {
    /// Plans a task at these rates; `Err` when the selected tables are not known.
    pub fn of(facts: &Facts, rates: Rates) -> Fact<Self> {
        let tables = facts.source.tables.tables.as_ref().map_err(Clone::clone)?;
        let tables = || tables.iter().filter(|table| table.kind == TableKind::Base);
        let sum =
            |of: fn(&crate::facts::Table) -> u64| tables().map(of).fold(0, u64::saturating_add);
        let (data_bytes, index_bytes) = (
            sum(|table| table.data_bytes),
            sum(|table| table.index_bytes),
        );
        let mode = facts.task.mode();
        let copy_bytes = data_bytes.saturating_add(index_bytes);
        let copy = mode
            .copies()
            .then(|| Duration::from_secs(copy_bytes / rates.copy_bytes_per_second.max(1)));
        let write_rate = mode.follows().then(|| facts.write_rate.clone());
        let catch_up = match (&copy, &write_rate) {
            (Some(copy), Some(Ok(rate))) => Some(catch_up(*copy, *rate, rates)),
            _ => None,
        };
        let variables = facts.source.variables.as_ref().ok();
        Ok(Self {
            tables: tables().count() as u64,
            rows: sum(|table| table.rows_estimate),
            data_bytes,
            index_bytes,
            copy,
            write_rate,
            catch_up,
            retention: variables.and_then(|variables| variables.log_retention()),
        })
    }

    /// Whether the source's log is still there when the copy ends and following has caught up;
    /// `None` when that can't be told.
    pub fn log_lasts(&self) -> Option<bool> {
        let behind = match self.catch_up? {
            CatchUp::Never => return Some(false),
            CatchUp::After(duration) => duration,
        };
        // No age: nothing is purged.
        let Some(retention) = self.retention else {
            return Some(true);
        };
        Some(retention >= self.copy.unwrap_or_default().saturating_add(behind))
    }
}

fn catch_up(copy: Duration, rate: WriteRate, rates: Rates) -> CatchUp {
    let written = rate.bytes_per_second();
    let Some(gain) = rates
        .follow_bytes_per_second
        .checked_sub(written)
        .filter(|gain| *gain > 0)
    else {
        return CatchUp::Never;
    };
    let backlog = u128::from(written) * copy.as_millis() / 1000;
    let seconds = backlog / u128::from(gain);
    CatchUp::After(Duration::from_secs(
        u64::try_from(seconds).unwrap_or(u64::MAX),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_grows_faster_than_it_is_followed_is_never_caught_up_with() {
        let rates = Rates {
            copy_bytes_per_second: 1_000,
            follow_bytes_per_second: 5_000,
        };
        let rate = |bytes| WriteRate {
            bytes,
            period: Duration::from_secs(2),
        };
        let copy = Duration::from_secs(100);
        for (written, expected) in [
            (0, CatchUp::After(Duration::ZERO)),
            // 1,000 a second: 100,000 bytes behind, of which 4,000 a second are made up for.
            (2_000, CatchUp::After(Duration::from_secs(25))),
            (9_998, CatchUp::After(Duration::from_secs(499_900))),
            (10_000, CatchUp::Never),
            (u64::MAX, CatchUp::Never),
        ] {
            assert_eq!(catch_up(copy, rate(written), rates), expected, "{written}");
        }
    }

    #[test]
    fn a_plan_adds_up_the_selected_tables() {
        let mut facts = Facts::sample();
        facts
            .source
            .tables
            .add("shop", "customers", &[("id", "int")]);
        for table in facts.source.tables.tables.as_mut().unwrap() {
            (table.data_bytes, table.index_bytes, table.rows_estimate) = (30 << 20, 20 << 20, 500);
        }
        let plan = Plan::of(&facts, Rates::default()).unwrap();
        assert_eq!((plan.tables, plan.rows), (2, 1_000));
        assert_eq!((plan.data_bytes, plan.index_bytes), (60 << 20, 40 << 20));
        assert_eq!(plan.copy, Some(Duration::from_secs(10)));
        assert_eq!(plan.log_lasts(), Some(true));

        facts.write_rate = Ok(WriteRate {
            bytes: 50 << 20,
            period: Duration::from_secs(1),
        });
        let plan = Plan::of(&facts, Rates::default()).unwrap();
        assert_eq!(plan.catch_up, Some(CatchUp::Never));
        assert_eq!(plan.log_lasts(), Some(false));
    }
}
