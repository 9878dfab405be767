use std::collections::BTreeMap;

use super::*;
use crate::{
    compare::objects::facts::{Column, ColumnDefault, Key, KeyKind, KeyPart, Over},
    object::TableName,
};

fn column(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        column_type: "int".to_owned(),
        data_type: "int".to_owned(),
        collation: None,
        is_nullable: false,
        default: ColumnDefault::None,
        on_update: None,
        is_auto_increment: false,
        is_invisible: false,
        generated: None,
        comment: String::new(),
        srid: None,
    }
}

fn key(name: &str, columns: &[&str]) -> Key {
    let part = |name: &&str| KeyPart {
        over: Over::Column((*name).to_owned()),
        is_descending: false,
        prefix: None,
    };
    Key {
        name: name.to_owned(),
        is_unique: name == "PRIMARY",
        kind: KeyKind::Plain,
        is_visible: true,
        comment: String::new(),
        parts: columns.iter().map(part).collect(),
    }
}

fn table() -> Table {
    Table {
        engine: "InnoDB".to_owned(),
        row_format: "Dynamic".to_owned(),
        collation: "utf8mb3_bin".to_owned(),
        options: BTreeMap::new(),
        comment: String::new(),
        columns: vec![column("id"), column("n")],
        keys: vec![key("PRIMARY", &["id"]), key("by_n", &["n"])],
        foreign_keys: vec![ForeignKey {
            name: "f".to_owned(),
            columns: vec!["n".to_owned()],
            parent: TableName::new("d", "p").unwrap(),
            parent_columns: vec!["id".to_owned()],
            on_delete: "RESTRICT".to_owned(),
            on_update: "NO ACTION".to_owned(),
        }],
        checks: Vec::new(),
        partitions: Vec::new(),
        has_old_key_hash: false,
    }
}

type Case = (
    fn(&mut Table),
    &'static [&'static str],
    &'static [&'static str],
);

/// Changes at the destination, of a task that copies no secondary keys and adds a column `o`:
/// what is real, and what is explained.
const CASES: &[Case] = &[
    (|_| {}, &[], &[]),
    (
        |there| there.collation = "utf8_bin".to_owned(),
        &[],
        &["default collation"],
    ),
    (
        |there| there.row_format = "Compact".to_owned(),
        &[],
        &["row format"],
    ),
    (
        |there| {
            there
                .options
                .insert("row_format".to_owned(), "dynamic".to_owned());
        },
        &[],
        &["row format"],
    ),
    (
        |there| {
            there.row_format = "Compact".to_owned();
            there
                .options
                .insert("row_format".to_owned(), "compact".to_owned());
        },
        &["row format"],
        &[],
    ),
    (
        |there| there.columns[1].column_type = "int(11)".to_owned(),
        &[],
        &["column `n`: type"],
    ),
    (
        |there| {
            there.columns.push(Column {
                is_nullable: true,
                ..column("more")
            })
        },
        &[],
        &["column `more`"],
    ),
    (
        |there| there.columns.push(column("more")),
        &["column `more`"],
        &[],
    ),
    (|there| there.keys.truncate(1), &[], &["key `by_n`"]),
    (
        |there| there.keys.truncate(0),
        &["primary key"],
        &["key `by_n`"],
    ),
    (
        |there| there.keys[0] = key("PRIMARY", &["id", "o"]),
        &[],
        &["primary key: parts"],
    ),
    (|there| there.keys[0] = key("PRIMARY", &["ID"]), &[], &[]),
    (
        |there| there.keys[0] = key("PRIMARY", &["id", "n"]),
        &["primary key: parts"],
        &[],
    ),
    (
        |there| there.keys.push(key("by_o", &["o"])),
        &[],
        &["key `by_o`"],
    ),
    (
        |there| there.keys.push(key("more", &["id", "o"])),
        &["key `more`"],
        &[],
    ),
    (
        |there| there.foreign_keys[0].on_delete = "NO ACTION".to_owned(),
        &[],
        &["foreign key `f`: ON DELETE"],
    ),
    (
        |there| there.foreign_keys[0].on_update = "CASCADE".to_owned(),
        &["foreign key `f`: ON UPDATE"],
        &[],
    ),
    (
        |there| there.foreign_keys[0].parent = TableName::new("e", "p").unwrap(),
        &["foreign key `f`"],
        &[],
    ),
];

#[test]
fn what_counts_and_what_does_not() {
    let added = ["o".to_owned()];
    let rules = KeyRules {
        indexes: false,
        added: &added,
    };
    for (index, (change, real, explained)) in CASES.iter().enumerate() {
        let mut there = table();
        there.columns.push(Column {
            is_nullable: true,
            ..column("o")
        });
        change(&mut there);
        let mut findings = Findings::default();
        compare(&table(), &there, &rules, NameCase::Sensitive, &mut findings);
        let counted = findings.real();
        let all = findings.into_differences();
        let names: Vec<&str> = all.iter().map(|found| found.what.as_str()).collect();
        assert_eq!(names, [*real, *explained].concat(), "case {index}");
        assert_eq!(counted, real.len(), "case {index}");
    }
}
