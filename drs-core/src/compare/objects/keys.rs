use super::{
    columns::{WORDING, find, same_name},
    expression::{ColumnNames, canonical},
    facts::{Key, KeyKind, KeyPart, Over, Table},
    findings::Findings,
};
use crate::sql;

const LEFT_OUT: &str = "the task leaves secondary keys out (sync.indexes = false)";
const RULE_COLUMN: &str = "the key has a column in it that the task's rule adds";
const OWN_COLUMNS: &str = "a key over columns that only the destination has";

/// What a task makes of keys.
pub(super) struct KeyRules<'a> {
    /// Keys that are not unique are copied too.
    pub(super) indexes: bool,
    /// The columns that a rule adds.
    pub(super) added: &'a [String],
}

/// Compares the keys as they should be with those that are there; how many differ.
pub(super) fn compare(
    expected: &Table,
    there: &Table,
    rules: &KeyRules<'_>,
    findings: &mut Findings,
) -> u64 {
    let named = |keys: &[Key], name: &str| keys.iter().position(|key| same_name(&key.name, name));
    let mut different = 0;
    let mut compared = |findings: &mut Findings, compare: &mut dyn FnMut(&mut Findings)| {
        let before = findings.real();
        compare(findings);
        different += u64::from(findings.real() > before);
    };
    for key in &expected.keys {
        let other = named(&there.keys, &key.name).and_then(|at| there.keys.get(at));
        compared(findings, &mut |findings| match other {
            Some(other) => compare_key(key, other, rules, findings),
            None => {
                let reason = (!rules.indexes && !key.is_unique).then_some(LEFT_OUT);
                findings.differ(what(key), &shown(key), "none", reason);
            }
        });
    }
    for key in there
        .keys
        .iter()
        .filter(|key| named(&expected.keys, &key.name).is_none())
    {
        let is_own = |part: &KeyPart| match &part.over {
            Over::Column(column) => find(&expected.columns, column).is_none(),
            Over::Expression(_) => false,
        };
        let reason = key.parts.iter().all(is_own).then_some(OWN_COLUMNS);
        compared(findings, &mut |findings| {
            findings.differ(what(key), "none", &shown(key), reason);
        });
    }
    different
}

fn compare_key(here: &Key, there: &Key, rules: &KeyRules<'_>, findings: &mut Findings) {
    let part = |part: &'static str| move || format!("{}: {part}", what(here));
    let is_added = |part: &KeyPart| match &part.over {
        Over::Column(column) => rules.added.iter().any(|added| same_name(added, column)),
        Over::Expression(_) => false,
    };
    let own: Vec<KeyPart> = there
        .parts
        .iter()
        .filter(|part| !is_added(part))
        .cloned()
        .collect();
    let same = meaning(&here.parts) == meaning(&own);
    if here.parts != there.parts
        && (!same || own.len() < there.parts.len() || texts_differ(here, there))
    {
        let reason = match (same, own.len() < there.parts.len()) {
            (true, true) => Some(RULE_COLUMN),
            (true, false) => Some(WORDING),
            (false, _) => None,
        };
        findings.differ(
            part("parts")(),
            &parts(&here.parts),
            &parts(&there.parts),
            reason,
        );
    }
    let unique = |key: &Key| {
        if key.is_unique {
            "unique"
        } else {
            "not unique"
        }
    };
    findings.same(part("uniqueness"), unique(here), unique(there));
    findings.same(part("type"), &kind(here), &kind(there));
    let visible = |key: &Key| {
        if key.is_visible {
            "visible"
        } else {
            "invisible"
        }
    };
    findings.same(part("visibility"), visible(here), visible(there));
    findings.same(part("comment"), &here.comment, &there.comment);
}

/// False where only the case of names is another.
fn texts_differ(here: &Key, there: &Key) -> bool {
    parts(&here.parts).to_lowercase() != parts(&there.parts).to_lowercase()
}

/// The parts in a form that is the same for all versions.
fn meaning(parts: &[KeyPart]) -> Vec<String> {
    let part = |part: &KeyPart| {
        let over = match &part.over {
            Over::Column(name) => format!("column {}", name.to_lowercase()),
            Over::Expression(text) => canonical(text, &ColumnNames),
        };
        format!("{over} {:?} {}", part.prefix, part.is_descending)
    };
    parts.iter().map(part).collect()
}

fn shown(key: &Key) -> String {
    let unique = if key.is_unique && key.name != "PRIMARY" {
        "UNIQUE "
    } else {
        ""
    };
    let kind = match key.kind {
        KeyKind::Plain => "",
        KeyKind::FullText(_) => "FULLTEXT ",
        KeyKind::Spatial => "SPATIAL ",
    };
    format!("{unique}{kind}({})", parts(&key.parts))
}

fn parts(parts: &[KeyPart]) -> String {
    let part = |part: &KeyPart| {
        let mut text = match &part.over {
            Over::Column(name) => sql::identifier(name),
            Over::Expression(text) => format!("({text})"),
        };
        if let Some(prefix) = &part.prefix {
            text.push_str(&format!("({prefix})"));
        }
        if part.is_descending {
            text.push_str(" DESC");
        }
        text
    };
    parts.iter().map(part).collect::<Vec<_>>().join(", ")
}

fn kind(key: &Key) -> String {
    match &key.kind {
        KeyKind::Plain => "BTREE".to_owned(),
        KeyKind::FullText(None) => "FULLTEXT".to_owned(),
        KeyKind::FullText(Some(parser)) => format!("FULLTEXT WITH PARSER {parser}"),
        KeyKind::Spatial => "SPATIAL".to_owned(),
    }
}

fn what(key: &Key) -> String {
    match key.name.as_str() {
        "PRIMARY" => "primary key".to_owned(),
        name => format!("key {}", sql::identifier(name)),
    }
}
