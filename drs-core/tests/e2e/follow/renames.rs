//! Changes of names, into the selection and out of it, and the tools that live by them.

use super::run::FollowTest;
use crate::servers::{gtid97, plain56, plain97, run};

const TABLES: &str =
    "CREATE TABLE a (id INT PRIMARY KEY AUTO_INCREMENT, t VARCHAR(50), u INT UNIQUE);
CREATE TABLE other (id INT PRIMARY KEY, t VARCHAR(50));
INSERT INTO a VALUES (1, 'one', 10), (2, 'two', 20), (3, 'three', 30);
INSERT INTO other VALUES (1, 'other');\n";

/// The statements that gh-ost runs, with the application's in between.
const GH_OST: &[&str] = &[
    "DROP /* gh-ost */ TABLE IF EXISTS `DB`.`_a_ghc`",
    "DROP /* gh-ost */ TABLE IF EXISTS `DB`.`_a_gho`",
    "CREATE /* gh-ost */ TABLE `DB`.`_a_ghc` (id BIGINT UNSIGNED AUTO_INCREMENT, hint VARCHAR(64) CHARSET ascii NOT NULL, \
     value VARCHAR(4096) CHARSET ascii NOT NULL, PRIMARY KEY (id), UNIQUE KEY hint_uidx (hint)) AUTO_INCREMENT = 256",
    "CREATE /* gh-ost */ TABLE `DB`.`_a_gho` LIKE `DB`.`a`",
    "ALTER /* gh-ost */ TABLE `DB`.`_a_gho` ADD COLUMN n INT NOT NULL DEFAULT 5 FIRST, MODIFY t VARCHAR(80)",
    "INSERT /* gh-ost */ INTO `DB`.`_a_ghc` (hint, value) VALUES ('state', 'GhostTableMigrated')",
    "INSERT INTO a VALUES (4, 'four', 40)",
    "INSERT /* gh-ost */ IGNORE INTO `DB`.`_a_gho` (id, t, u) (SELECT id, t, u FROM `DB`.`a` FORCE INDEX (PRIMARY) WHERE id > 0)",
    "UPDATE a SET t = 'zwei', u = 21 WHERE id = 2",
    "REPLACE /* gh-ost */ INTO `DB`.`_a_gho` (id, t, u) VALUES (2, 'zwei', 21)",
    "DELETE FROM a WHERE id = 3",
    "DELETE /* gh-ost */ FROM `DB`.`_a_gho` WHERE id = 3",
    "CREATE /* gh-ost */ TABLE `DB`.`_a_del` (id INT AUTO_INCREMENT PRIMARY KEY) ENGINE = InnoDB COMMENT = 'ghost-cut-over-sentry'",
    "DROP /* gh-ost */ TABLE IF EXISTS `DB`.`_a_del`",
    "RENAME /* gh-ost */ TABLE `DB`.`a` TO `DB`.`_a_del`, `DB`.`_a_gho` TO `DB`.`a`",
    "INSERT INTO a VALUES (9, 5, 'five', 50)",
    "DROP /* gh-ost */ TABLE IF EXISTS `DB`.`_a_ghc`",
    "DROP /* gh-ost */ TABLE IF EXISTS `DB`.`_a_del`",
    "UPDATE a SET n = n + 1",
];

/// With `--cut-over=two-step` and `--timestamp-old-table`.
const GH_OST_TWO_STEP: &[&str] = &[
    "CREATE /* gh-ost */ TABLE `DB`.`_a_gho` LIKE `DB`.`a`",
    "ALTER /* gh-ost */ TABLE `DB`.`_a_gho` DROP COLUMN t",
    "INSERT /* gh-ost */ IGNORE INTO `DB`.`_a_gho` (id, u) (SELECT id, u FROM `DB`.`a`)",
    "ALTER TABLE `DB`.`a` RENAME `_a_20240229120000_del`",
    "ALTER TABLE `DB`.`_a_gho` RENAME `a`",
    "INSERT INTO a VALUES (5, 50)",
    "DROP TABLE `DB`.`_a_20240229120000_del`",
];

const PT_OSC: &[&str] = &[
    "CREATE TABLE `DB`.`_a_new` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  `t` varchar(50) DEFAULT NULL,\n  `u` int DEFAULT NULL,\n  \
     PRIMARY KEY (`id`),\n  UNIQUE KEY `u` (`u`)\n) ENGINE=InnoDB",
    "ALTER TABLE `DB`.`_a_new` ADD COLUMN c VARCHAR(10) DEFAULT 'é', DROP KEY u",
    "CREATE TRIGGER `pt_osc_DB_a_del` AFTER DELETE ON `DB`.`a` FOR EACH ROW DELETE IGNORE FROM `DB`.`_a_new` WHERE `DB`.`_a_new`.`id` <=> OLD.`id`",
    "CREATE TRIGGER `pt_osc_DB_a_upd` AFTER UPDATE ON `DB`.`a` FOR EACH ROW BEGIN DELETE IGNORE FROM `DB`.`_a_new` WHERE !(OLD.`id` <=> NEW.`id`) \
     AND `DB`.`_a_new`.`id` <=> OLD.`id`; REPLACE INTO `DB`.`_a_new` (`id`, `t`, `u`) VALUES (NEW.`id`, NEW.`t`, NEW.`u`); END",
    "CREATE TRIGGER `pt_osc_DB_a_ins` AFTER INSERT ON `DB`.`a` FOR EACH ROW REPLACE INTO `DB`.`_a_new` (`id`, `t`, `u`) VALUES (NEW.`id`, NEW.`t`, NEW.`u`)",
    "INSERT INTO a VALUES (4, 'four', 40)",
    "INSERT LOW_PRIORITY IGNORE INTO `DB`.`_a_new` (`id`, `t`, `u`) SELECT `id`, `t`, `u` FROM `DB`.`a` FORCE INDEX (`PRIMARY`) WHERE id >= 1 LOCK IN SHARE MODE",
    "UPDATE a SET id = 7, t = 'zwei' WHERE id = 2",
    "DELETE FROM a WHERE id = 3",
    "ANALYZE TABLE `DB`.`_a_new`",
    "RENAME TABLE `DB`.`a` TO `DB`.`_a_old`, `DB`.`_a_new` TO `DB`.`a`",
    "INSERT INTO a VALUES (5, 'five', 40, 'x')",
    "DROP TABLE IF EXISTS `DB`.`_a_old`",
    "UPDATE a SET c = 'ü'",
];

/// Names of selected tables only, and others beside them.
const RENAMES: &[&str] = &[
    "CREATE TABLE b (id INT PRIMARY KEY)",
    "INSERT INTO b VALUES (1)",
    "RENAME TABLE a TO between_names, b TO a, between_names TO b",
    "INSERT INTO b VALUES (4, 'four', 40)",
    "INSERT INTO a VALUES (2)",
    "RENAME TABLE other TO another, b TO b2",
    "INSERT INTO b2 VALUES (5, 'five', 50)",
    "CREATE TABLE another_b LIKE b2",
    "DROP TABLE another_b, a",
    "RENAME TABLE another TO other, b2 TO a",
    "DELETE FROM a WHERE id = 1",
];

/// With a stop behind each statement, and in one run.
#[test]
fn a_change_of_names_among_followed_tables() {
    for (source, destination) in [(gtid97(), plain97()), (plain56(), gtid97())] {
        for (name, include, steps) in [
            ("gh_ost", &["a"][..], GH_OST),
            ("gh_ost_two_step", &["a"], GH_OST_TWO_STEP),
            ("pt_osc", &["a"], PT_OSC),
            ("renames", &["a", "b*"], RENAMES),
        ] {
            for stops in [false, true] {
                let name = format!("{name}{}", if stops { "_s" } else { "" });
                println!("{name}");
                let test = FollowTest::new(source, destination, &name, TABLES);
                let task = include.iter().fold(test.task_of_none(), |task, entry| {
                    task.select(format!("{}.{entry}", test.name))
                });
                let task = task.build().unwrap();
                let catch_up = |step: &str| {
                    let end = test.catch_up_watched(&task, &());
                    end.unwrap_or_else(|error| panic!("{name}: {error}\n{step}"));
                };
                catch_up("");
                for step in steps {
                    run(&mut test.at_source(), &step.replace("DB", &test.name));
                    if stops {
                        catch_up(step);
                    }
                }
                catch_up("");
                run(&mut test.at_source(), "DROP TABLE other");
                test.assert_equal();
            }
        }
    }
}

/// What can't be decided stops the task and says why, and goes on stopping it.
#[test]
fn a_change_of_names_that_can_not_be_decided_stops_the_task() {
    for (name, before, statement, reason) in [
        (
            "out",
            "",
            "RENAME TABLE a TO x",
            "to `DB`.`x`, which is not selected",
        ),
        (
            "out_alter",
            "",
            "ALTER TABLE a RENAME TO x, ADD c INT",
            "to `DB`.`x`, which is not selected",
        ),
        (
            "in",
            "",
            "RENAME TABLE a TO _a_del, other TO a",
            "whose rows are not at the destination",
        ),
        (
            "early",
            "CREATE TABLE _a_gho LIKE a",
            "RENAME TABLE a TO _a_del, _a_gho TO a",
            "it was made before the task began to follow",
        ),
        (
            "like",
            "",
            "DROP TABLE a;\nCREATE TABLE a LIKE other",
            "CREATE TABLE … LIKE names `DB`.`other`",
        ),
        (
            "exchange",
            "CREATE TABLE p (id INT PRIMARY KEY, t VARCHAR(50), u INT) PARTITION BY HASH (id) PARTITIONS 2",
            "ALTER TABLE a DROP INDEX u, MODIFY id INT;\nALTER TABLE p EXCHANGE PARTITION p0 WITH TABLE a WITHOUT VALIDATION",
            "together with `DB`.`p`, which is not selected",
        ),
    ] {
        let test = FollowTest::new(gtid97(), plain97(), &format!("rename_{name}"), TABLES);
        run(&mut test.at_source(), before);
        let task = test.task_of_none().select(format!("{}.a", test.name));
        let task = task.build().unwrap();
        test.catch_up_watched(&task, &()).unwrap();
        run(&mut test.at_source(), statement);
        for _ in 0..2 {
            let error = test.catch_up_watched(&task, &()).unwrap_err().to_string();
            let reason = reason.replace("DB", &test.name);
            assert!(error.contains(&reason), "{name}: {error}");
        }
    }
}

/// Tables of a statement that are not selected are left alone at the destination.
#[test]
fn a_drop_of_several_tables_of_which_one_is_filtered() {
    let test = FollowTest::new(
        plain97(),
        gtid97(),
        "drop_some",
        "CREATE TABLE `taken ``1` (id INT PRIMARY KEY);
CREATE TABLE `taken é` (id INT PRIMARY KEY);
CREATE TABLE other (id INT PRIMARY KEY);\n",
    );
    run(
        &mut crate::servers::session(test.destination),
        &format!(
            "CREATE DATABASE {0};\nCREATE TABLE {0}.other (id INT PRIMARY KEY)",
            test.name
        ),
    );
    let task = test.task_of_none().select(format!("{}.taken*", test.name));
    let task = task.build().unwrap();
    test.catch_up_watched(&task, &()).unwrap();
    run(
        &mut test.at_source(),
        "SET NAMES latin1;\nSET sql_mode = 'ANSI_QUOTES';\nDROP TABLE other, \"taken `1\"",
    );
    test.catch_up_watched(&task, &()).unwrap();
    run(
        &mut test.at_source(),
        "CREATE TABLE other (id INT PRIMARY KEY)",
    );
    test.assert_equal();
}
