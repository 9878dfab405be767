//! What is selected.

use drs_core::Role;
use drs_precheck::Facts;

use crate::servers::{End, destination97, run, session, source56, source97, task};

/// Every fact about objects can be had from both versions.
#[test]
fn the_facts_of_objects() {
    for server in [source97(), source56()] {
        let mut conn = session(server);
        run(
            &mut conn,
            "CREATE DATABASE facts_o;\nCREATE TABLE facts_o.t (id INT PRIMARY KEY, n VARCHAR(10), KEY (n(4)));\n\
             CREATE TABLE facts_o.c (id INT PRIMARY KEY, t INT, FOREIGN KEY (t) REFERENCES facts_o.t (id) ON DELETE CASCADE);\n\
             CREATE VIEW facts_o.v AS SELECT t.id FROM facts_o.t JOIN facts_o.c ON c.t = t.id;\n\
             CREATE PROCEDURE facts_o.p() SELECT * FROM elsewhere.t;\n\
             CREATE TRIGGER facts_o.r BEFORE INSERT ON facts_o.t FOR EACH ROW SET NEW.n = '';\n\
             CREATE EVENT facts_o.e ON SCHEDULE EVERY 1 YEAR DO SELECT 1;\n",
        );
        let task = task(
            End::of(server),
            End::of(destination97()),
            "full",
            "include = [\"facts_o\"]",
            "",
        );
        let facts = Facts::gather(&task);
        let side = facts.side(Role::Source);
        let keys = side.tables.foreign_keys.as_ref().unwrap();
        assert!(
            keys[0].cascades() && keys[0].on_delete == "CASCADE",
            "{keys:?}"
        );
        let views = side.programs.views.as_ref().unwrap();
        let names: Vec<String> = views[0]
            .uses
            .tables
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(names, ["`facts_o`.`c`", "`facts_o`.`t`"]);
        assert!(views[0].is_readable);
        let routines = side.programs.routines.as_ref().unwrap();
        let names: Vec<String> = routines[0]
            .uses
            .tables
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(names, ["`elsewhere`.`t`"]);
        let triggers = side.programs.triggers.as_ref().unwrap();
        assert_eq!(triggers[0].when, "BEFORE INSERT");
        assert!(side.programs.events.as_ref().unwrap()[0].is_enabled);
        let accounts = side.programs.accounts.as_ref().unwrap();
        assert!(accounts.contains(&views[0].definer), "{accounts:?}");
        assert!(side.collations.as_ref().unwrap().has("utf8_general_ci"));
        assert_eq!(facts.rules, Ok(Vec::new()));
        run(&mut conn, "DROP DATABASE facts_o");
    }
}
