use drs_testkit::Server;
use mysql::prelude::Queryable;

use super::run::{catch_up, make, rows, task, within};
use crate::servers::{gtid97, plain56, plain97, run, session};

/// Rows, DDL and foreign-key references of mapped databases and tables, by the copy and by the log.
#[test]
fn databases_and_tables_get_their_names_at_the_destination() {
    for (source, destination) in [(gtid97(), plain97()), (plain56(), plain97())] {
        let id = source.server_id();
        let (shop, crm, eu, dw) = (
            format!("map_shop_{id}"),
            format!("map_crm_{id}"),
            format!("map_eu_{id}"),
            format!("map_dw_{id}"),
        );
        make(
            source,
            destination,
            &[&shop, &crm],
            &[&shop, &crm, &eu, &dw],
        );
        run(
            &mut within(source, &shop),
            &format!(
                "CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(20));
                 CREATE TABLE orders (id INT PRIMARY KEY, customer INT, note TEXT,
                   CONSTRAINT orders_customer FOREIGN KEY (customer) REFERENCES customers (id));
                 CREATE TABLE {crm}.contacts (id INT PRIMARY KEY, word VARCHAR(30));
                 CREATE TABLE {crm}.calls (n INT, word VARCHAR(30));
                 INSERT INTO customers VALUES (1, 'a'), (2, 'b');
                 INSERT INTO orders VALUES (1, 1, 'x'), (2, 2, '{shop}.orders');
                 INSERT INTO {crm}.contacts VALUES (1, 'one');
                 INSERT INTO {crm}.calls VALUES (1, 'keyless'), (1, 'keyless')"
            ),
        );
        let task = task(source, destination, &format!("map_{id}"))
            .select(&*shop)
            .select(format!("{crm}.*"))
            .map(&*shop, &*eu)
            .map(format!("{crm}.contacts"), format!("{dw}.people"));
        catch_up(&task).unwrap();
        let changes = format!(
            "INSERT INTO orders VALUES (3, 1, 'y');
             UPDATE customers SET name = 'c' WHERE id = 2;
             UPDATE {crm}.contacts SET word = 'two';
             DELETE FROM {crm}.calls LIMIT 1;
             ALTER TABLE orders ADD COLUMN extra INT DEFAULT 7, COMMENT = 'of {shop}.orders';
             ALTER TABLE `{crm}` . `contacts` ADD COLUMN (b INT, c INT);
             CREATE TABLE items (id INT PRIMARY KEY, o INT, FOREIGN KEY (o) REFERENCES orders (id));
             CREATE TABLE {shop}.other LIKE {shop}.items;
             INSERT INTO items VALUES (1, 3);
             INSERT INTO other VALUES (5, 6);
             RENAME TABLE other TO {shop}.another;
             CREATE INDEX by_o ON another (o);
             INSERT INTO {crm}.contacts VALUES (9, 'nine', 1, 2);
             CREATE TABLE gone (id INT PRIMARY KEY);
             INSERT INTO gone VALUES (1);
             DROP TABLE gone"
        );
        run(&mut within(source, &shop), &changes);
        catch_up(&task).unwrap();
        for (here, there) in [
            (format!("{shop}.customers"), format!("{eu}.customers")),
            (format!("{shop}.orders"), format!("{eu}.orders")),
            (format!("{shop}.items"), format!("{eu}.items")),
            (format!("{shop}.another"), format!("{eu}.another")),
            (format!("{crm}.contacts"), format!("{dw}.people")),
            (format!("{crm}.calls"), format!("{crm}.calls")),
        ] {
            assert_eq!(
                rows(source, &format!("SELECT * FROM {here}")),
                rows(destination, &format!("SELECT * FROM {there}")),
                "{here}"
            );
        }
        assert_eq!(
            rows(destination, &format!("SHOW TABLES IN {eu}")),
            ["another", "customers", "items", "orders"]
        );
        assert!(rows(destination, &format!("SHOW DATABASES LIKE '{shop}'")).is_empty());
        let parents = rows(
            destination,
            &format!(
                "SELECT REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME FROM information_schema.KEY_COLUMN_USAGE \
                 WHERE TABLE_SCHEMA = '{eu}' AND REFERENCED_TABLE_NAME IS NOT NULL"
            ),
        );
        assert_eq!(parents, [format!("{eu}|customers"), format!("{eu}|orders")]);
        let indexes = rows(
            destination,
            &format!(
                "SELECT INDEX_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = '{eu}' AND TABLE_NAME = 'another'"
            ),
        );
        assert!(indexes.contains(&"by_o".to_owned()), "{indexes:?}");
    }
}

/// Statements on the databases themselves, also where the name is only meant.
#[test]
fn statements_on_a_mapped_database_reach_it() {
    let (source, destination) = (gtid97(), plain97());
    make(source, destination, &["mapdb_a"], &["mapdb_a", "mapdb_b"]);
    run(
        &mut within(source, "mapdb_a"),
        "CREATE TABLE t (id INT PRIMARY KEY)",
    );
    let task = task(source, destination, "mapdb")
        .select("mapdb_a")
        .map("mapdb_a", "mapdb_b")
        .filter_drop_database(false);
    catch_up(&task).unwrap();
    run(
        &mut within(source, "mapdb_a"),
        "ALTER DATABASE CHARACTER SET latin1;
         CREATE TABLE u (c CHAR(3))",
    );
    catch_up(&task).unwrap();
    let charset = |database: &str, server: &Server| {
        rows(
            server,
            &format!(
                "SELECT DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '{database}'"
            ),
        )
    };
    assert_eq!(charset("mapdb_b", destination), ["latin1"]);
    run(&mut session(source), "DROP DATABASE mapdb_a");
    catch_up(&task).unwrap();
    assert!(charset("mapdb_b", destination).is_empty());
}

/// What a mapping can't carry is refused before or when it is met.
#[test]
fn what_a_mapping_can_not_carry_stops_the_task() {
    let (source, destination) = (gtid97(), plain97());
    make(source, destination, &["mapno_a", "mapno_b"], &["mapno_c"]);
    run(
        &mut within(source, "mapno_a"),
        "CREATE TABLE t (id INT PRIMARY KEY);
         CREATE TABLE mapno_b.t (id INT PRIMARY KEY);
         CREATE VIEW v AS SELECT id FROM t",
    );
    let mapped = task(source, destination, "mapno_view")
        .select("mapno_a")
        .map("mapno_a", "mapno_c");
    let error = catch_up(&mapped).unwrap_err().to_string();
    assert!(error.contains("1 views"), "{error}");
    run(&mut within(source, "mapno_a"), "DROP VIEW v");

    let merged = task(source, destination, "mapno_merged")
        .select("mapno_a")
        .select("mapno_b")
        .map("mapno_a", "mapno_b");
    let error = catch_up(&merged).unwrap_err().to_string();
    assert!(error.contains("would both be `mapno_b`.`t`"), "{error}");

    let renamed = task(source, destination, "mapno_rename")
        .select("mapno_a")
        .map("mapno_a.t", "mapno_c.u");
    catch_up(&renamed).unwrap();
    run(&mut within(source, "mapno_a"), "RENAME TABLE t TO t2");
    let error = catch_up(&renamed).unwrap_err().to_string();
    assert!(error.contains("mapped by an entry of its own"), "{error}");
}

/// Two tables that differ in letter case only, to a destination that takes them for one.
#[test]
fn a_destination_that_does_not_tell_cases_apart_takes_only_one_of_two() {
    let (source, destination) = (gtid97(), lower_case());
    make(source, &destination, &["map_case"], &["map_case"]);
    run(
        &mut within(source, "map_case"),
        "CREATE TABLE t (id INT PRIMARY KEY);
         CREATE TABLE T (id INT PRIMARY KEY);
         INSERT INTO t VALUES (1)",
    );
    let both = task(source, &destination, "map_case").select("map_case");
    let error = catch_up(&both).unwrap_err().to_string();
    assert!(error.contains("would both be"), "{error}");
    let one = task(source, &destination, "map_case_one").select("map_case.t");
    catch_up(&one).unwrap();
    // The second table comes while the log is followed.
    let late = task(source, &destination, "map_case_late")
        .select("map_case")
        .exclude("map_case.T");
    catch_up(&late).unwrap();
    let mut conn = within(source, "map_case");
    run(&mut conn, "INSERT INTO t VALUES (2)");
    catch_up(&late).unwrap();
    assert_eq!(rows(&destination, "SELECT id FROM map_case.t"), ["1", "2"]);
    conn.query_drop("DROP TABLE T").unwrap();
}

fn lower_case() -> Server {
    let installation =
        drs_testkit::Installation::find_or_fetch(drs_testkit::Version::MySql97).unwrap();
    Server::builder(&installation)
        .in_memory(true)
        .server_id(974)
        .initial_option("--lower-case-table-names=1")
        .start()
        .unwrap()
}
