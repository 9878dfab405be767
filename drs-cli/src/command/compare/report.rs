//! What a comparison has come to: all that is printed and written.

use chrono::{DateTime, Utc};
use drs_core::{
    Task,
    compare::{CompareOutcome, RowCounts, TableResult, TableVerdict},
};

use super::{look::ServerFacts, objects::Objects, plan::Plan};

/// The whole of a comparison.
pub(super) struct Report {
    pub(super) task: String,
    pub(super) begun: DateTime<Utc>,
    pub(super) ended: DateTime<Utc>,
    /// What was asked for: `objects`, `count`, `values`.
    pub(super) levels: Vec<&'static str>,
    /// The choice of tables, as it was written; none for all.
    pub(super) tables: Vec<String>,
    /// The source and the destination.
    pub(super) servers: [ServerFacts; 2],
    pub(super) objects: Option<Objects>,
    pub(super) rows: Option<Rows>,
    /// How many statements would repair what differs, if they were asked for.
    pub(super) repairs: Option<u64>,
    /// What was told meanwhile.
    pub(super) notices: Vec<String>,
}

/// The rows' part.
pub(super) struct Rows {
    /// By name.
    pub(super) tables: Vec<TableResult>,
    pub(super) is_live: bool,
    /// The source's position before the first row was read.
    pub(super) from: Option<String>,
    /// The same after the last one.
    pub(super) until: Option<String>,
}

/// All in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Equal,
    Different,
    /// No difference was found, and not all could be compared.
    Incomplete,
}

/// The tables' results, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) tables: u64,
    pub(super) equal: u64,
    pub(super) different: u64,
    pub(super) unsettled: u64,
    pub(super) not_compared: u64,
    /// Of all tables.
    pub(super) rows: RowCounts,
}

impl Verdict {
    pub(super) fn is_equal(self) -> bool {
        self == Self::Equal
    }

    /// The word for programs.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Different => "different",
            Self::Incomplete => "incomplete",
        }
    }

    /// The same for people.
    pub(super) fn shown(self) -> &'static str {
        match self {
            Self::Equal => "EQUAL",
            Self::Different => "DIFFERENT",
            Self::Incomplete => "NOT ALL COMPARED",
        }
    }
}

impl Report {
    pub(super) fn new(
        task: &Task,
        plan: &Plan,
        servers: [ServerFacts; 2],
        begun: DateTime<Utc>,
    ) -> Self {
        let entries = plan.tables.iter().flat_map(|tables| tables.include());
        Self {
            task: task.name().to_string(),
            begun,
            ended: begun,
            levels: plan.levels(),
            tables: entries.map(|entry| entry.as_str().to_owned()).collect(),
            servers,
            objects: None,
            rows: None,
            repairs: None,
            notices: Vec::new(),
        }
    }

    pub(super) fn seconds(&self) -> f64 {
        let milliseconds = (self.ended - self.begun).num_milliseconds();
        milliseconds as f64 / 1000.0
    }

    /// Only what is proved to be equal is.
    pub(super) fn verdict(&self) -> Verdict {
        let totals = self.rows.as_ref().map(Rows::totals).unwrap_or_default();
        let (different, left_open) = match &self.objects {
            None => (0, 0),
            Some(objects) => (objects.different(), objects.left_open()),
        };
        if totals.different > 0 || different > 0 {
            Verdict::Different
        } else if totals.equal < totals.tables || left_open > 0 {
            Verdict::Incomplete
        } else {
            Verdict::Equal
        }
    }
}

impl Rows {
    pub(super) fn new(outcome: CompareOutcome) -> Self {
        let shown = |position: Option<drs_binlog::Position>| position.map(|it| it.to_string());
        Self {
            is_live: outcome.is_live,
            from: shown(outcome.from),
            until: shown(outcome.until),
            tables: outcome.tables,
        }
    }

    pub(super) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for table in &self.tables {
            totals.tables += 1;
            *match table.verdict {
                TableVerdict::Equal => &mut totals.equal,
                TableVerdict::Different => &mut totals.different,
                TableVerdict::Unsettled => &mut totals.unsettled,
                TableVerdict::NotCompared(_) => &mut totals.not_compared,
            } += 1;
            let (sum, counts) = (&mut totals.rows, &table.counts);
            sum.source += counts.source;
            sum.destination += counts.destination;
            sum.missing += counts.missing;
            sum.extra += counts.extra;
            sum.different += counts.different;
            sum.unsettled += counts.unsettled;
            sum.by_rule += counts.by_rule;
        }
        totals
    }

    /// The tables, those that are not equal first.
    pub(super) fn worst_first(&self) -> Vec<&TableResult> {
        let mut tables: Vec<&TableResult> = self.tables.iter().collect();
        tables.sort_by_key(|table| match table.verdict {
            TableVerdict::Different => 0,
            TableVerdict::NotCompared(_) => 1,
            TableVerdict::Unsettled => 2,
            TableVerdict::Equal => 3,
        });
        tables
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use drs_core::{
        TableName,
        compare::{
            ColumnDifference, DifferenceKind, ObjectDifference, ObjectKind, ObjectName,
            ObjectResult, ObjectVerdict, RowDifference, RowDifferenceKind, Shown,
        },
    };

    use super::*;

    fn name(table: &str) -> TableName {
        TableName::new("shop", table).unwrap()
    }

    pub(in super::super) fn table(table: &str, verdict: TableVerdict) -> TableResult {
        TableResult {
            source: name(table),
            destination: name(table),
            verdict,
            counts: RowCounts::default(),
            structure: Vec::new(),
            notes: Vec::new(),
            examples: Vec::new(),
            duration: Duration::from_millis(1500),
        }
    }

    fn object(kind: ObjectKind, table: &str, verdict: ObjectVerdict) -> ObjectResult {
        ObjectResult {
            kind,
            source: Some(ObjectName::In(name(table))),
            destination: Some(ObjectName::In(name(table))),
            verdict,
            differences: Vec::new(),
        }
    }

    pub(in super::super) fn report(tables: Vec<TableResult>, objects: Vec<ObjectResult>) -> Report {
        let server = |port: u16, version: &str| ServerFacts {
            address: format!("db:{port}"),
            version: version.to_owned(),
            server_uuid: format!("uuid-{port}"),
        };
        let begun = DateTime::from_timestamp(1_772_330_400, 0).unwrap();
        Report {
            task: "orders-eu".to_owned(),
            begun,
            ended: begun + Duration::from_millis(2500),
            levels: vec!["objects", "values"],
            tables: Vec::new(),
            servers: [server(1, "5.6.51-log"), server(2, "9.7.0")],
            objects: Some(Objects {
                results: objects,
                counts: Default::default(),
            }),
            rows: Some(Rows {
                tables,
                is_live: true,
                from: Some("binlog.000003:4".to_owned()),
                until: None,
            }),
            repairs: Some(4),
            notices: vec!["<b>a notice".to_owned()],
        }
    }

    /// Every kind of result, with texts that mean something to a browser or to a terminal.
    pub(in super::super) fn hostile() -> Report {
        let mut orders = table("orders", TableVerdict::Different);
        orders.destination = name("orders_eu");
        orders.counts = RowCounts {
            source: 1_234,
            destination: 1_235,
            missing: 1,
            extra: 2,
            different: 1,
            ..RowCounts::default()
        };
        orders.structure = vec!["column `a<b>` is not at the destination".to_owned()];
        orders.notes = vec!["column `c` is left out by the task's rule".to_owned()];
        orders.examples = vec![
            RowDifference {
                kind: RowDifferenceKind::Different,
                key: vec![("id".to_owned(), Shown::Text("7".to_owned()))],
                columns: vec![ColumnDifference {
                    column: "note\"'".to_owned(),
                    source: Shown::Text("<script>alert(1)</script>&amp;\u{1b}[31m".to_owned()),
                    destination: Shown::Null,
                }],
                times: 1,
            },
            RowDifference {
                kind: RowDifferenceKind::Missing,
                key: vec![("id".to_owned(), Shown::Hex("00ff".to_owned()))],
                columns: Vec::new(),
                times: 3,
            },
        ];
        let view = ObjectResult {
            differences: vec![ObjectDifference {
                what: "text".to_owned(),
                source: "select '<i>'".to_owned(),
                destination: "select 1".to_owned(),
                kind: DifferenceKind::Real,
            }],
            ..object(ObjectKind::View, "v", ObjectVerdict::Different)
        };
        report(
            vec![
                table("a", TableVerdict::Equal),
                orders,
                table("b", TableVerdict::NotCompared("it is <gone>".to_owned())),
                table("c", TableVerdict::Unsettled),
            ],
            vec![object(ObjectKind::Table, "a", ObjectVerdict::Equal), view],
        )
    }

    #[test]
    fn equal_is_only_what_is_proved_to_be() {
        let not_compared = || ObjectVerdict::NotCompared("a reason".to_owned());
        let of_table = |verdict| (vec![table("t", verdict)], Vec::new());
        let of_object = |kind, verdict| {
            let tables = vec![table("t", TableVerdict::Equal)];
            (tables, vec![object(kind, "o", verdict)])
        };
        for ((tables, objects), expected) in [
            (of_table(TableVerdict::Equal), Verdict::Equal),
            (of_table(TableVerdict::Different), Verdict::Different),
            (of_table(TableVerdict::Unsettled), Verdict::Incomplete),
            (
                of_table(TableVerdict::NotCompared("a reason".to_owned())),
                Verdict::Incomplete,
            ),
            (
                of_object(ObjectKind::View, ObjectVerdict::Equal),
                Verdict::Equal,
            ),
            (
                of_object(ObjectKind::View, ObjectVerdict::Different),
                Verdict::Different,
            ),
            (
                of_object(ObjectKind::Table, ObjectVerdict::OnlyAtSource),
                Verdict::Different,
            ),
            (
                of_object(ObjectKind::Table, ObjectVerdict::OnlyAtDestination),
                Verdict::Different,
            ),
            (
                of_object(ObjectKind::Function, not_compared()),
                Verdict::Incomplete,
            ),
            // drs does not bring them.
            (
                of_object(ObjectKind::Trigger, not_compared()),
                Verdict::Equal,
            ),
            (of_object(ObjectKind::Event, not_compared()), Verdict::Equal),
        ] {
            let shown = format!("{tables:?} {objects:?}");
            assert_eq!(report(tables, objects).verdict(), expected, "{shown}");
        }
    }

    #[test]
    fn counts_and_puts_the_worst_first() {
        let report = hostile();
        assert_eq!(report.verdict(), Verdict::Different);
        assert!((report.seconds() - 2.5).abs() < f64::EPSILON);
        let rows = report.rows.unwrap();
        let totals = rows.totals();
        let counted = [
            totals.tables,
            totals.equal,
            totals.different,
            totals.unsettled,
            totals.not_compared,
            totals.rows.source,
            totals.rows.differences(),
        ];
        assert_eq!(counted, [4, 1, 1, 1, 1, 1_234, 4]);
        let tables = rows.worst_first().into_iter();
        let order: Vec<&str> = tables.map(|table| table.source.table.as_str()).collect();
        assert_eq!(order, ["orders", "b", "c", "a"]);
    }
}
