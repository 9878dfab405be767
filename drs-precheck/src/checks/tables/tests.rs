use super::*;
use crate::{
    checks::tests::Case,
    facts::{Generated, IndexPart, sample::task},
};

/// The last table, which a case has added.
fn last(facts: &mut Facts) -> &mut Table {
    facts
        .source
        .tables
        .tables
        .as_mut()
        .unwrap()
        .last_mut()
        .unwrap()
}

/// The columns of `shop.orders`.
fn orders(facts: &mut Facts) -> &mut Vec<Column> {
    let columns = facts.source.tables.columns.as_mut().unwrap();
    columns.values_mut().next().unwrap()
}

fn indexes(facts: &mut Facts) -> &mut Vec<Index> {
    let indexes = facts.source.tables.indexes.as_mut().unwrap();
    indexes.values_mut().next().unwrap()
}

fn generate(facts: &mut Facts, is_stored: bool) {
    let columns = orders(facts);
    columns.push(Column::sample("code", "char(10)"));
    let mut column = Column::sample("g", "varchar(10)");
    column.generated = Some(Generated {
        expression: "concat(`code`,_utf8mb4'x')".to_owned(),
        is_stored,
    });
    columns.push(column);
}

pub(in crate::checks) const CASES: &[Case] = &[
    Case::healthy("engines"),
    Case {
        check: "engines",
        verdict: Verdict::Fail,
        change: |facts| last(facts).engine = Some("MEMORY".to_owned()),
        says: "ALTER TABLE `shop`.`orders` ENGINE = InnoDB",
    },
    Case {
        check: "engines",
        verdict: Verdict::Fail,
        change: |facts| last(facts).engine = None,
        says: "can't open",
    },
    Case::healthy("myisam-tables"),
    Case {
        check: "myisam-tables",
        verdict: Verdict::Confirm,
        change: |facts| last(facts).engine = Some("MyISAM".to_owned()),
        says: "stops the task",
    },
    Case {
        check: "myisam-tables",
        verdict: Verdict::Confirm,
        change: |facts| {
            facts.task = task("full", "");
            last(facts).engine = Some("MyISAM".to_owned());
        },
        says: "while they are copied\"",
    },
    Case::healthy("tables-without-key"),
    Case {
        check: "tables-without-key",
        verdict: Verdict::Confirm,
        change: |facts| indexes(facts).clear(),
        says: "`shop`.`orders`",
    },
    Case {
        check: "tables-without-key",
        verdict: Verdict::Confirm,
        change: |facts| indexes(facts)[0].parts[0].prefix = Some(4),
        says: "3 s",
    },
    Case::healthy("column-types"),
    Case {
        check: "column-types",
        verdict: Verdict::Fail,
        change: |facts| orders(facts).push(Column::sample("u", "uuid")),
        says: "`shop`.`orders` (`u`): uuid",
    },
    Case {
        check: "column-types",
        verdict: Verdict::Fail,
        change: |facts| {
            facts.source.set_version("5.7.44");
            orders(facts).push(Column::sample("j", "json"));
        },
        says: "before 8.0.14",
    },
    Case::healthy("enum-labels"),
    Case {
        check: "enum-labels",
        verdict: Verdict::Fail,
        change: |facts| orders(facts).push(Column::sample("e", "enum('a?')")),
        says: "`e`",
    },
    Case::healthy("generated-columns"),
    Case {
        check: "generated-columns",
        verdict: Verdict::Pass,
        change: |facts| generate(facts, false),
        says: "1 generated",
    },
    Case {
        check: "generated-columns",
        verdict: Verdict::Confirm,
        change: |facts| generate(facts, true),
        says: "PAD_CHAR_TO_FULL_LENGTH",
    },
    Case {
        check: "expression-keys",
        verdict: Verdict::Pass,
        change: |facts| {
            generate(facts, false);
            indexes(facts).push(Index::sample("u", &["g"]));
        },
        says: "1 unique keys",
    },
    Case {
        check: "expression-keys",
        verdict: Verdict::Confirm,
        change: |facts| {
            facts.task = task("full+incremental", "[sync]\nconflict = \"ignore\"");
            let mut index = Index::sample("u", &[]);
            index.parts.push(IndexPart {
                over: Over::Expression("lower(`note`)".to_owned()),
                prefix: None,
            });
            indexes(facts).push(index);
        },
        says: "`shop`.`orders` (`u`)",
    },
    Case::healthy("partitions"),
    Case {
        check: "partitions",
        verdict: Verdict::Fail,
        change: |facts| {
            last(facts).engine = Some("MyISAM".to_owned());
            last(facts).is_partitioned = true;
        },
        says: "InnoDB tables only",
    },
];
