use std::borrow::Cow;

use hashbrown::HashSet;

use crate::{
    checkpoint::{TableChange, TableRecord},
    object::{Selection, TableName},
};

/// The tables whose changes the task applies: the selected ones, and their companions.
///
/// Online schema change tools build a table anew beside it and then give it the old one's
/// name. Such a companion of a selected table is followed from the statement that creates it
/// on, so that the change of names is one among followed tables. One that was there before
/// the stream began is not at the destination, and not followed.
pub(crate) struct Followed {
    selection: Selection,
    companions: HashSet<TableName>,
}

impl Followed {
    pub(crate) fn new(selection: Selection, records: &[TableRecord]) -> Self {
        let case = selection.case();
        let companions = records
            .iter()
            .filter(|record| !selection.matches(&record.table))
            .map(|record| record.table.folded(case))
            .collect();
        Self {
            selection,
            companions,
        }
    }

    pub(crate) fn selection(&self) -> &Selection {
        &self.selection
    }

    /// True when changes of the table are applied.
    pub(crate) fn contains(&self, table: &TableName) -> bool {
        self.selection.matches(table)
            || (!self.companions.is_empty()
                && self
                    .companions
                    .contains(&table.folded(self.selection.case())))
    }

    /// True when a table that is given this name is followed from then on.
    pub(crate) fn takes(&self, table: &TableName) -> bool {
        self.selection.matches(table) || is_companion(table, &self.selection)
    }

    /// Takes over what a statement has done to followed tables.
    pub(crate) fn take(&mut self, changes: &[TableChange]) {
        let case = self.selection.case();
        for change in changes {
            let (gone, new) = match change {
                TableChange::Created(table) => (None, Some(table)),
                TableChange::Dropped(table) => (Some(table), None),
                TableChange::Renamed { from, to, .. } => (Some(from), Some(to)),
            };
            if let Some(table) = gone {
                self.companions.remove(&table.folded(case));
            }
            if let Some(table) = new.filter(|table| !self.selection.matches(table)) {
                self.companions.insert(table.folded(case));
            }
        }
    }
}

/// True when the name is one that gh-ost or pt-online-schema-change gives to the new or the old
/// form of a selected table: `_t_gho`, `_t_del`, `_t_20240229120000_del`, `_t_new`, `_t_old`;
/// pt-online-schema-change takes up to ten underscores in front if a name is taken.
pub(crate) fn is_companion(table: &TableName, selection: &Selection) -> bool {
    const SUFFIXES: [&str; 4] = ["_gho", "_del", "_new", "_old"];
    const UNDERSCORES_MAX: usize = 10;
    let lower: Cow<'_, str> = match selection.case() {
        crate::object::NameCase::Sensitive => Cow::Borrowed(&table.table),
        crate::object::NameCase::Insensitive => Cow::Owned(table.table.to_lowercase()),
    };
    let Some(body) = SUFFIXES
        .iter()
        .find_map(|suffix| lower.strip_suffix(suffix))
    else {
        return false;
    };
    let without_time = lower
        .ends_with("_del")
        .then(|| body.rsplit_once('_'))
        .flatten()
        .filter(|(_, time)| time.len() == 14 && time.bytes().all(|b| b.is_ascii_digit()))
        .map(|(name, _)| name);
    let is_selected = |name: &str| {
        table
            .database
            .table(name)
            .is_ok_and(|table| selection.matches(&table))
    };
    [Some(body), without_time]
        .into_iter()
        .flatten()
        .any(|body| {
            let mut rest = body;
            for _ in 0..UNDERSCORES_MAX {
                match rest.strip_prefix('_') {
                    Some(name) => rest = name,
                    None => return false,
                }
                if is_selected(rest) {
                    return true;
                }
            }
            false
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::NameCase;

    fn table(name: &str) -> TableName {
        TableName::new("shop", name).unwrap()
    }

    #[test]
    fn names_that_the_tools_give() {
        let selection = Selection::new(&["shop.orders", "shop._x", "crm.items"], &[]).unwrap();
        for (name, expected) in [
            ("_orders_gho", true),
            ("_orders_del", true),
            ("_orders_20240229120000_del", true),
            ("_orders_new", true),
            ("__________orders_new", true),
            ("___________orders_new", false),
            ("__orders_old", true),
            ("__x_gho", true),
            ("_x_gho", false),
            ("_orders_ghc", false),
            ("orders_gho", false),
            ("_orders_2024022912000_del", false),
            ("_orders_20240229120000_gho", false),
            ("_items_gho", false),
            ("_Orders_gho", false),
            ("_gho", false),
            ("__gho", false),
        ] {
            assert_eq!(is_companion(&table(name), &selection), expected, "{name}");
        }
        let selection = selection.with_case(NameCase::Insensitive);
        assert!(is_companion(&table("_Orders_GHO"), &selection));
    }

    #[test]
    fn a_companion_is_followed_from_its_creation_on() {
        let selection = Selection::new(&["shop.orders"], &[]).unwrap();
        let mut followed = Followed::new(selection.clone(), &[]);
        let (orders, ghost, trash) = (table("orders"), table("_orders_gho"), table("_orders_del"));
        assert!(followed.contains(&orders) && followed.takes(&ghost));
        assert!(!followed.contains(&ghost));
        followed.take(&[TableChange::Created(ghost.clone())]);
        assert!(followed.contains(&ghost));
        let rename = |from: &TableName, to: &TableName| TableChange::Renamed {
            from: from.clone(),
            to: to.clone(),
            is_companion: !selection.matches(to),
        };
        followed.take(&[rename(&orders, &trash), rename(&ghost, &orders)]);
        assert!(followed.contains(&trash) && !followed.contains(&ghost));
        let record = TableRecord::pending(trash.clone());
        assert!(Followed::new(selection, &[record]).contains(&trash));
        followed.take(&[TableChange::Dropped(trash.clone())]);
        assert!(!followed.contains(&trash));
    }
}
