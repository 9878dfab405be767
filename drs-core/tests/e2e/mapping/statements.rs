use super::run::{catch_up, make, rows, task, within};
use crate::servers::{gtid97, plain56, plain97, run, session};
use drs_core::ConflictPolicy;

/// A table of the source with its rows, and its name at the destination.
type Pair = (&'static str, &'static str);

/// Statements whose names are hard to find or to write.
#[test]
fn odd_statements_reach_the_mapped_tables() {
    let long = "`l.o``ng_数据_0123456789_0123456789_0123456`";
    let both: [(&str, &[Pair]); 9] = [
        (
            "CREATE TABLE part (id INT, n INT, PRIMARY KEY (id)) PARTITION BY RANGE (id)
               (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);
             INSERT INTO part VALUES (1, 1), (20, 2);
             CREATE TABLE other (id INT, n INT, PRIMARY KEY (id));
             INSERT INTO other VALUES (5, 5);
             ALTER TABLE part EXCHANGE PARTITION p0 WITH TABLE other;
             INSERT INTO other VALUES (6, 6)",
            &[("{s}.part", "{d}.part"), ("{s}.other", "{d}.other")],
        ),
        (
            "CREATE TABLE parent (id INT PRIMARY KEY);
             CREATE TABLE child (id INT PRIMARY KEY, p INT, KEY (p));
             ALTER TABLE child ADD CONSTRAINT by_p FOREIGN KEY (p) REFERENCES {s}.parent (id), ADD COLUMN c INT;
             ALTER TABLE child DROP FOREIGN KEY by_p, ADD FOREIGN KEY (p) REFERENCES one (id);
             INSERT INTO parent VALUES (1);
             INSERT INTO child VALUES (1, 1, 1)",
            &[("{s}.parent", "{d}.parent"), ("{s}.child", "{d}.child")],
        ),
        (
            "ALTER TABLE one ADD COLUMN extra VARCHAR(20) DEFAULT '{s}.one', COMMENT 'in {s}.one';
             INSERT INTO one VALUES (2, 'x')",
            &[("{s}.one", "{w}.uno")],
        ),
        (
            "SET NAMES latin1;
             CREATE TABLE latin (id INT PRIMARY KEY, e ENUM('a') COMMENT 'x') DEFAULT CHARSET latin1;
             INSERT INTO latin VALUES (1, 'a');
             SET NAMES utf8mb4",
            &[("{s}.latin", "{d}.latin")],
        ),
        (
            "CREATE TABLE `a.b` (`c.d` INT PRIMARY KEY, `e``f` INT);
             INSERT INTO `a.b` VALUES (1, 2);
             ALTER TABLE {s}.`a.b` ADD COLUMN `数` INT;
             INSERT INTO `a.b` VALUES (2, 3, 4)",
            &[("{s}.`a.b`", "{d}.`a.b`")],
        ),
        (
            "CREATE TABLE {l} (id INT PRIMARY KEY);
             INSERT INTO {l} VALUES (1);
             ALTER TABLE {l} ADD COLUMN a INT, ADD KEY (a);
             INSERT INTO {l} VALUES (2, 2)",
            &[("{s}.{l}", "{d}.{l}")],
        ),
        (
            "SET sql_mode = 'ANSI_QUOTES';
             CREATE TABLE \"quo`ted\" (\"id\" INT PRIMARY KEY, \"t.x\" VARCHAR(9) DEFAULT 'it''s');
             INSERT INTO \"quo`ted\" (id) VALUES (1);
             ALTER TABLE \"{s}\".\"quo`ted\" ADD \"y\" INT;
             SET sql_mode = DEFAULT",
            &[("{s}.`quo``ted`", "{d}.`quo``ted`")],
        ),
        (
            "CREATE TABLE like_one LIKE one;
             INSERT INTO like_one (id) VALUES (4);
             TRUNCATE TABLE like_one;
             INSERT INTO like_one (id) VALUES (5)",
            &[("{s}.like_one", "{d}.like_one")],
        ),
        (
            "CREATE TABLE gone_a (id INT PRIMARY KEY);
             CREATE TABLE gone_b (id INT PRIMARY KEY);
             INSERT INTO gone_a VALUES (1);
             RENAME TABLE gone_a TO gone_c, gone_b TO gone_a;
             INSERT INTO gone_a VALUES (9);
             DROP TABLE IF EXISTS nothing, gone_c",
            &[("{s}.gone_a", "{d}.gone_a")],
        ),
    ];
    let new: [(&str, &[Pair]); 2] = [
        (
            "CREATE TABLE made (PRIMARY KEY (id)) SELECT id, id + 1 AS n FROM one;
             INSERT INTO made VALUES (70, 71)",
            &[("{s}.made", "{d}.made")],
        ),
        (
            "CREATE TABLE gen (id INT PRIMARY KEY, g INT AS (gen.id + 1), h INT DEFAULT (id * 2),
               CHECK (gen.id > 0), UNIQUE KEY ((id + 5)));
             INSERT INTO gen (id) VALUES (1), (2);
             UPDATE gen SET id = 3 WHERE id = 2",
            &[("{s}.gen", "{d}.gen")],
        ),
    ];
    for (source, cases) in [
        (gtid97(), both.iter().chain(&new).collect::<Vec<_>>()),
        (plain56(), both.iter().collect()),
    ] {
        let destination = plain97();
        let id = source.server_id();
        let (s, d, w) = (
            format!("odd_s_{id}"),
            format!("odd_d_{id}"),
            format!("odd_w_{id}"),
        );
        let fill = |text: &str| {
            text.replace("{s}", &s)
                .replace("{d}", &d)
                .replace("{w}", &w)
                .replace("{l}", long)
        };
        make(source, destination, &[&s], &[&s, &d, &w]);
        run(
            &mut within(source, &s),
            "CREATE TABLE one (id INT PRIMARY KEY); INSERT INTO one VALUES (1)",
        );
        let task = task(source, destination, &format!("odd_{id}"))
            .select(&*s)
            .map(&*s, &*d)
            .map(format!("{s}.one"), format!("{w}.uno"));
        catch_up(&task).unwrap();
        for (script, pairs) in cases {
            run(&mut within(source, &s), &fill(script));
            if let Err(error) = catch_up(&task) {
                panic!("{script}: {error}");
            }
            for (here, there) in *pairs {
                assert_eq!(
                    rows(source, &format!("SELECT * FROM {}", fill(here))),
                    rows(destination, &format!("SELECT * FROM {}", fill(there))),
                    "{script}"
                );
            }
        }
        assert!(rows(destination, &format!("SHOW DATABASES LIKE '{s}'")).is_empty());
    }
}

/// A column that another task has added is taken for the statement's own only if rows that were
/// there before get the same value by both.
#[test]
fn a_shared_column_that_is_another_stops_the_task() {
    for (number, (first_adds, second_adds, fits)) in [
        ("c INT DEFAULT 5", "c INT DEFAULT 5 AFTER id", true),
        (
            "c VARCHAR(9) DEFAULT 'a(`b`'",
            "c VARCHAR(9) DEFAULT 'a(`c`' FIRST",
            false,
        ),
        (
            "c VARCHAR(9) DEFAULT 'a(`b`'",
            "c varchar(9) default 'a(`b`'",
            true,
        ),
        ("c JSON DEFAULT ('{}')", "c JSON DEFAULT ('{}')", true),
        ("c INT DEFAULT 5", "c INT DEFAULT 7", false),
        ("c INT NULL", "c INT NOT NULL", false),
        ("c INT AS (a + 1)", "c INT AS (a + 2)", false),
        (
            "c DATETIME DEFAULT CURRENT_TIMESTAMP",
            "c DATETIME DEFAULT CURRENT_TIMESTAMP",
            false,
        ),
        ("c INT DEFAULT (a + 1)", "c INT DEFAULT (a + 1)", false),
    ]
    .into_iter()
    .enumerate()
    {
        let (source, destination) = (gtid97(), plain97());
        let (one, two, to) = ("other_one", "other_two", "other_to");
        make(source, destination, &[one, two], &[one, two, to]);
        let of = |database: &str| {
            run(
                &mut within(source, database),
                "CREATE TABLE t (id INT PRIMARY KEY, a INT)",
            );
            task(source, destination, &format!("{database}_{number}"))
                .select(database)
                .map(database, to)
                .conflict(ConflictPolicy::ReportError)
        };
        let (first, second) = (of(one), of(two));
        run(&mut within(source, two), "INSERT INTO t VALUES (2, 2)");
        catch_up(&first).unwrap();
        catch_up(&second).unwrap();
        for (database, adds) in [(one, first_adds), (two, second_adds)] {
            let statement = format!("ALTER TABLE t ADD COLUMN {adds}");
            run(&mut within(source, database), &statement);
        }
        catch_up(&first).unwrap();
        match catch_up(&second) {
            Ok(()) if fits => assert_eq!(
                rows(destination, "SELECT c FROM other_to.t WHERE id = 2"),
                rows(source, "SELECT c FROM other_two.t WHERE id = 2"),
            ),
            Err(error) if !fits => {
                let error = error.to_string();
                assert!(
                    error.contains("to `other_to`.`t`, where another"),
                    "{error}"
                );
            }
            result => panic!("{second_adds}: {result:?}"),
        }
        run(
            &mut session(destination),
            "DELETE FROM drs_meta.writer WHERE db = 'other_to'",
        );
    }
}
/// Rows that were written before the source's columns changed their places.
#[test]
fn rows_of_an_earlier_definition_are_not_put_into_other_columns() {
    let (source, destination) = (gtid97(), plain97());
    make(source, destination, &["places"], &["places"]);
    let mut here = within(source, "places");
    run(
        &mut here,
        "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT)",
    );
    let task = task(source, destination, "places").select("places.t");
    catch_up(&task).unwrap();
    run(
        &mut within(destination, "places"),
        "ALTER TABLE t ADD COLUMN own INT",
    );
    run(
        &mut here,
        "INSERT INTO t VALUES (1, 10, 20);
         ALTER TABLE t MODIFY COLUMN b INT AFTER id",
    );
    let result = catch_up(&task);
    let there = rows(destination, "SELECT id, a, b FROM places.t");
    assert!(
        there.is_empty() || there == ["1|10|20"],
        "{there:?} {result:?}"
    );
}
