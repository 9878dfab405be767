//! The views, routines, triggers and events of a database beside those at the destination.

use std::collections::BTreeSet;

use super::{
    Comparison, LABELS, ObjectsError,
    database::Kinds,
    findings::Findings,
    noted,
    result::{ObjectKind, ObjectName, ObjectVerdict},
    routines, views,
};
use crate::object::{DatabaseName, TableName};

const MAPPED: &str =
    "the task does not copy the views, procedures and functions of a database that is mapped";
const NOT_COPIED: &str = "drs copies no triggers and no events";

impl Comparison<'_> {
    pub(super) fn views(
        &mut self,
        selected: &[(TableName, ObjectKind)],
        there: &Kinds,
    ) -> Result<(), ObjectsError> {
        let case = self.destination.case;
        for (name, _) in selected
            .iter()
            .filter(|(_, kind)| *kind == ObjectKind::View)
        {
            let mapped = self.mapping.table(name);
            let mut findings = Findings::default();
            let found = there.get(&mapped.folded(case));
            let verdict = match found {
                None if mapped != *name => ObjectVerdict::NotCompared(MAPPED.to_owned()),
                None => ObjectVerdict::OnlyAtSource,
                Some((_, ObjectKind::View)) => {
                    let name_there = found.map_or(&mapped, |(name, _)| name);
                    let here = views::load(&mut self.source, name)?;
                    let there = views::load(&mut self.destination, name_there)?;
                    match (here, there) {
                        (Ok(here), Ok(there)) => {
                            views::compare(
                                (name, &here),
                                (name_there, &there),
                                &self.mapping,
                                &self.accounts,
                                &mut findings,
                            );
                            findings.verdict()
                        }
                        (Err(reason), _) | (_, Err(reason)) => ObjectVerdict::NotCompared(reason),
                    }
                }
                Some((_, kind)) => {
                    findings.differ("kind", "view", kind.as_str(), None);
                    ObjectVerdict::Different
                }
            };
            let there = found.map(|(name, _)| ObjectName::In(name.clone()));
            let here = Some(ObjectName::In(name.clone()));
            self.report(ObjectKind::View, here, there, verdict, findings);
        }
        Ok(())
    }

    pub(super) fn routines(
        &mut self,
        name: &DatabaseName,
        target: &DatabaseName,
        own: Option<&DatabaseName>,
        is_alone: bool,
    ) -> Result<(), ObjectsError> {
        let here = routines::load(&mut self.source, name)?;
        let mut there = match own {
            Some(own) => routines::load(&mut self.destination, own)?,
            None => routines::Routines::new(),
        };
        for (key, (routine_name, mut routine)) in here {
            let Ok(full) = name.table(&routine_name) else {
                continue;
            };
            let mut findings = Findings::default();
            let mut found = there.remove(&key);
            if let (Some((name_there, other)), Some(own)) = (&mut found, own)
                && (routine.may_hide() || other.may_hide())
                && let Ok(full_there) = own.table(name_there)
            {
                routine.show_body(&mut self.source, key.0, &full)?;
                other.show_body(&mut self.destination, key.0, &full_there)?;
            }
            let verdict = match &found {
                None if target != name => ObjectVerdict::NotCompared(MAPPED.to_owned()),
                None => ObjectVerdict::OnlyAtSource,
                Some((_, other)) if routine.body.is_none() || other.body.is_none() => {
                    let role = if routine.body.is_none() {
                        &self.source
                    } else {
                        &self.destination
                    };
                    ObjectVerdict::NotCompared(format!(
                        "the account may not see its body at the {} (it needs SELECT on mysql.proc before 8.0, \
                         SHOW_ROUTINE after)",
                        role.role
                    ))
                }
                Some((_, other)) => {
                    routines::compare(&routine, other, &self.accounts, &mut findings);
                    match findings.verdict() {
                        ObjectVerdict::Equal if routine.hides_labels() => {
                            ObjectVerdict::NotCompared(LABELS.to_owned())
                        }
                        verdict => verdict,
                    }
                }
            };
            let found = found.and_then(|(name, _)| own?.table(&name).ok());
            let found = found.map(ObjectName::In);
            self.report(key.0, Some(ObjectName::In(full)), found, verdict, findings);
        }
        for (key, (routine_name, _)) in there.into_iter().filter(|_| is_alone) {
            let Some(Ok(full)) = own.map(|own| own.table(&routine_name)) else {
                continue;
            };
            let verdict = ObjectVerdict::OnlyAtDestination;
            self.report(
                key.0,
                None,
                Some(ObjectName::In(full)),
                verdict,
                Findings::default(),
            );
        }
        Ok(())
    }

    pub(super) fn noted(
        &mut self,
        name: &DatabaseName,
        selected: &[(TableName, ObjectKind)],
        mapped: &BTreeSet<TableName>,
        in_use: &[DatabaseName],
        whole: bool,
    ) -> Result<(), ObjectsError> {
        let case = self.destination.case;
        let here = noted::load(&mut self.source, name)?;
        let mut there = Vec::new();
        for database in in_use {
            there.extend(noted::load(&mut self.destination, database)?);
        }
        let selected: BTreeSet<&TableName> = selected.iter().map(|(table, _)| table).collect();
        let target = self.mapping.database(name).folded(case);
        let mut results: Vec<(ObjectKind, Option<TableName>, Option<TableName>)> = Vec::new();
        for noted in here {
            let is_taken = noted
                .table
                .as_ref()
                .map_or(whole, |table| selected.contains(table));
            if is_taken {
                let name_there = target.table(&noted.name.table).ok();
                let at = there.iter().position(|other| {
                    let name = Some(other.name.folded(case));
                    other.kind == noted.kind
                        && name == name_there.as_ref().map(|name| name.folded(case))
                });
                let found = at.map(|at| there.remove(at).name);
                results.push((noted.kind, Some(noted.name), found));
            }
        }
        for other in there {
            let is_taken = match &other.table {
                Some(table) => mapped.contains(&table.folded(case)),
                None => whole && other.name.database.folded(case) == target,
            };
            if is_taken {
                results.push((other.kind, None, Some(other.name)));
            }
        }
        for (kind, here, there) in results {
            let verdict = ObjectVerdict::NotCompared(NOT_COPIED.to_owned());
            let (here, there) = (here.map(ObjectName::In), there.map(ObjectName::In));
            self.report(kind, here, there, verdict, Findings::default());
        }
        Ok(())
    }
}
