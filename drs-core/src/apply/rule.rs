use std::{collections::BTreeSet, sync::Arc};

use drs_binlog::Value;

use super::{Image, net_change::Change};
use crate::{
    rule::{Asker, DmlKind, Filter, FilterError, Truth},
    schema::Column,
    sql,
};

/// What a rule makes of the changes of one table map.
#[derive(Debug)]
pub(crate) struct PlanRule {
    pub(crate) filter: Option<Filter>,
    /// What the filter was bound to, in the log's order.
    pub(crate) columns: Vec<Column>,
    /// The columns that are written, when there are others.
    pub(crate) written: Option<Vec<usize>>,
    /// Kinds of change that are left out.
    pub(crate) without: BTreeSet<DmlKind>,
    pub(crate) asker: Arc<Asker>,
}

/// What is left of a change.
#[expect(
    clippy::large_enum_variant,
    reason = "it is most often the large one, and never stored"
)]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ruled<'a> {
    Applied(Change<'a>),
    /// The row was outside of the filter, and still is.
    Filtered,
    /// Its kind is left out.
    LeftOut,
}

/// Why it can't be told what a rule makes of a change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// The condition could not be evaluated.
    #[error("the rule's condition: {0}")]
    Filter(#[from] FilterError),
    /// A row image lacks a column that the rule needs.
    #[error(
        "the rule needs column {column}, which the row image does not carry: set binlog_row_image=FULL at the \
         source, for sessions that are connected too, and begin a new task"
    )]
    Missing {
        /// The column, quoted.
        column: String,
    },
    /// A row moves into the filter, and its image lacks columns.
    #[error(
        "an update moves a row into the rule's filter, and its image does not carry the whole row: set \
         binlog_row_image=FULL at the source, for sessions that are connected too, and begin a new task"
    )]
    Incomplete,
}

/// True when two values are stored alike: 0.0 and -0.0 are not.
fn is_same(was: &Value<'_>, now: &Value<'_>) -> bool {
    match (was, now) {
        (Value::Float(was), Value::Float(now)) => was.to_bits() == now.to_bits(),
        (Value::Double(was), Value::Double(now)) => was.to_bits() == now.to_bits(),
        (was, now) => was == now,
    }
}

impl PlanRule {
    /// A row that moves into the filter is inserted, one that moves out of it deleted.
    pub(crate) fn of<'a>(&self, change: Change<'a>) -> Result<Ruled<'a>, RuleError> {
        let change = match &self.filter {
            None => Some(change),
            Some(filter) => self.filtered(filter, change)?,
        };
        let Some(change) = change else {
            return Ok(Ruled::Filtered);
        };
        if let Change::Update(before, after) = &change
            && !self.changes_something(before, after)?
        {
            return Ok(Ruled::Filtered);
        }
        let kind = match &change {
            Change::Insert(_) => DmlKind::Insert,
            Change::Update(..) => DmlKind::Update,
            Change::Delete(_) => DmlKind::Delete,
        };
        Ok(match self.without.contains(&kind) {
            true => Ruled::LeftOut,
            false => Ruled::Applied(change),
        })
    }

    fn filtered<'a>(
        &self,
        filter: &Filter,
        change: Change<'a>,
    ) -> Result<Option<Change<'a>>, RuleError> {
        let (before, after) = match change {
            Change::Insert(after) => {
                return Ok(self.takes(filter, &after, None)?.then_some(change));
            }
            Change::Delete(before) => {
                return Ok(self.takes(filter, &before, None)?.then_some(change));
            }
            Change::Update(before, after) => (before, after),
        };
        // What an image after an update does not carry is as it was.
        let was = self.takes(filter, &before, None)?;
        let is = self.takes(filter, &after, Some(&before))?;
        Ok(match (was, is) {
            (true, true) => Some(change),
            (true, false) => Some(Change::Delete(before)),
            (false, true) if !after.is_complete() => return Err(RuleError::Incomplete),
            (false, true) => Some(Change::Insert(after)),
            (false, false) => None,
        })
    }

    /// An update of columns that are left out alone is nothing at the destination.
    fn changes_something(&self, before: &Image<'_>, after: &Image<'_>) -> Result<bool, RuleError> {
        let Some(written) = &self.written else {
            return Ok(true);
        };
        for ordinal in written {
            let now = after.value(*ordinal).map_err(FilterError::from)?;
            let was = before.value(*ordinal).map_err(FilterError::from)?;
            match (was, now) {
                // What an image after an update does not carry is as it was.
                (_, None) => {}
                (Some(was), Some(now)) if is_same(&was, &now) => {}
                (Some(_), Some(_)) => return Ok(true),
                (None, Some(_)) => return Err(self.missing(*ordinal)),
            }
        }
        Ok(false)
    }

    fn missing(&self, ordinal: usize) -> RuleError {
        let name = self.columns.get(ordinal).map(|column| column.name.as_str());
        RuleError::Missing {
            column: sql::identifier(name.unwrap_or_default()),
        }
    }

    fn takes(
        &self,
        filter: &Filter,
        image: &Image<'_>,
        unchanged: Option<&Image<'_>>,
    ) -> Result<bool, RuleError> {
        let value = |ordinal| match (image.value(ordinal)?, unchanged) {
            (None, Some(before)) => before.value(ordinal),
            (value, _) => Ok(value),
        };
        match filter.of(&self.columns, &self.asker, &value)? {
            Truth::True => Ok(true),
            Truth::False | Truth::Unknown => Ok(false),
            Truth::Missing(ordinal) => Err(self.missing(ordinal)),
        }
    }
}
