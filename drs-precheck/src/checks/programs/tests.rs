use super::*;
use crate::{
    checks::tests::Case,
    facts::{Event, RoutineKind, sample::task_on},
};

fn add_view(facts: &mut Facts, name: &str, uses: &str) {
    let version = facts.source.version().unwrap();
    let name = TableName::new("shop", name).unwrap();
    let uses = Uses::of(&format!("select 1 from {uses}"), &name.database, version);
    let views = facts.source.programs.views.as_mut().unwrap();
    views.push(View {
        name,
        definer: AccountName::parse("root@localhost"),
        is_readable: true,
        uses,
    });
}

fn add_function(facts: &mut Facts, text: &str) {
    let version = facts.source.version().unwrap();
    let name = TableName::new("shop", "f").unwrap();
    let uses = Uses::of(text, &name.database, version);
    let routines = facts.source.programs.routines.as_mut().unwrap();
    routines.push(Routine {
        name,
        kind: RoutineKind::Function,
        definer: AccountName::parse("ada@%"),
        is_readable: !text.is_empty(),
        uses,
    });
}

pub(in crate::checks) const CASES: &[Case] = &[
    Case {
        check: "mapped-programs",
        verdict: Verdict::Pass,
        change: |facts| add_view(facts, "v", "orders"),
        says: "",
    },
    Case {
        check: "mapped-programs",
        verdict: Verdict::Fail,
        change: |facts| {
            facts.task = task_on("full", "include = [\"shop\"]\nmap = { shop = \"eu\" }", "");
            add_function(facts, "return 1");
        },
        says: "function `shop`.`f`",
    },
    Case {
        check: "dependencies",
        verdict: Verdict::Pass,
        change: |facts| add_view(facts, "v", "orders"),
        says: "",
    },
    Case {
        check: "dependencies",
        verdict: Verdict::Fail,
        change: |facts| add_view(facts, "v", "crm.customers"),
        says: "view `shop`.`v` -> `crm`.`customers`",
    },
    Case {
        check: "dependencies",
        verdict: Verdict::Fail,
        change: |facts| {
            let map = "include = [\"shop\"]\nmap = { \"shop.orders\" = \"dw.orders\" }";
            facts.task = task_on("full", map, "");
            add_view(facts, "v", "orders");
        },
        says: "`shop`.`orders`",
    },
    Case {
        check: "dependencies",
        verdict: Verdict::Confirm,
        change: |facts| add_function(facts, "begin call crm.log(1); end"),
        says: "function `shop`.`f` -> `crm`.`log`",
    },
    Case {
        check: "definers",
        verdict: Verdict::Pass,
        change: |facts| add_view(facts, "v", "orders"),
        says: "",
    },
    Case {
        check: "definers",
        verdict: Verdict::Confirm,
        change: |facts| add_function(facts, "return 1"),
        says: "CREATE USER `ada`@`%` ACCOUNT LOCK",
    },
    Case::healthy("readable-definitions"),
    Case {
        check: "readable-definitions",
        verdict: Verdict::Fail,
        change: |facts| add_function(facts, ""),
        says: "SHOW_ROUTINE",
    },
    Case {
        check: "readable-definitions",
        verdict: Verdict::Fail,
        change: |facts| {
            add_view(facts, "v", "orders");
            facts.source.programs.views.as_mut().unwrap()[0].is_readable = false;
        },
        says: "SHOW VIEW",
    },
    Case::healthy("triggers"),
    Case {
        check: "triggers",
        verdict: Verdict::Confirm,
        change: |facts| {
            facts.source.programs.triggers = Ok(vec![Trigger {
                name: TableName::new("shop", "r").unwrap(),
                table: TableName::new("shop", "orders").unwrap(),
                when: "AFTER UPDATE".to_owned(),
            }]);
        },
        says: "`shop`.`r` (AFTER UPDATE on `shop`.`orders`)",
    },
    Case::healthy("events"),
    Case {
        check: "events",
        verdict: Verdict::Confirm,
        change: |facts| {
            facts.source.programs.events = Ok(vec![Event {
                name: TableName::new("shop", "e").unwrap(),
                is_enabled: false,
            }]);
        },
        says: "`shop`.`e` (disabled)",
    },
];
