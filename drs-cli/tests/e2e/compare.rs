//! `drs compare`: what it prints, writes and ends with.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

use mysql::{Conn, prelude::Queryable};
use serde_json::Value;

use crate::{
    program::{Program, catch_up, is},
    servers::{self, Pair, in_new_database, run},
    task::{Task, endpoint_as},
};

const SCRIPT: &str = "<script>alert(\"x\")</script>";

/// Runs `drs compare` to its end.
fn compare(task: &Task, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_drs"))
        .arg("compare")
        .arg(task.path())
        .args(options)
        .env_remove("DRS_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The same with `--json`, and its code and objects.
fn compare_json(task: &Task, options: &[&str]) -> (Option<i32>, Vec<Value>) {
    let output = compare(task, &[&["--json"], options].concat());
    let lines = text(&output.stdout).lines();
    let objects = lines.map(|line| serde_json::from_str(line).unwrap());
    (output.status.code(), objects.collect())
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[track_caller]
fn object(objects: &[Value], fits: impl Fn(&Value) -> bool) -> &Value {
    let found = objects.iter().find(|object| fits(object));
    found.unwrap_or_else(|| panic!("not there: {objects:#?}"))
}

#[track_caller]
fn done(objects: &[Value]) -> &Value {
    object(objects, |object| is(object, "done"))
}

/// Three tables and a view that a task has brought to the destination. Other tests write to the
/// source, too, so a task that does not run is always behind.
fn brought(pair: Pair, database: &str) -> (Task, Conn, Conn) {
    let mut source = in_new_database(pair.source, database);
    run(
        &mut source,
        &[
            "CREATE TABLE notes (id INT PRIMARY KEY, note TEXT)",
            "CREATE TABLE keyless (n INT)",
            "CREATE TABLE gone (id INT PRIMARY KEY)",
            "CREATE VIEW all_notes AS SELECT id, note FROM notes",
            "INSERT INTO notes VALUES (1, 'one'), (2, 'two'), (3, 'three')",
            "INSERT INTO keyless VALUES (1), (1), (2)",
            "INSERT INTO gone VALUES (1)",
        ],
    );
    let task = Task::of(pair, database);
    catch_up(&task);
    let destination = in_database(pair, database);
    (task, source, destination)
}

fn plant(destination: &mut Conn) {
    run(
        destination,
        &[
            &format!("UPDATE notes SET note = '{SCRIPT}' WHERE id = 2"),
            "DELETE FROM notes WHERE id = 3",
            "INSERT INTO notes VALUES (9, NULL)",
            "INSERT INTO keyless VALUES (2)",
            "DROP TABLE gone",
        ],
    );
}

#[test]
fn both_sides_are_equal() {
    let (task, ..) = brought(servers::gtid(), "compare_equal");
    let output = compare(&task, &["--wait", "0"]);
    let printed = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{printed}{}",
        text(&output.stderr)
    );
    for part in [
        "`compare_equal`.`notes`",
        "tables       3 compared, 3 equal",
        "rows         7 at the source, 7 at the destination; 0 missing, 0 extra, 0 different",
        "view         1 at the source, 1 at the destination",
        "compared     objects and values, ",
        "result       EQUAL: ",
    ] {
        assert!(printed.contains(part), "{part} is not in:\n{printed}");
    }

    let (code, objects) = compare_json(&task, &["--wait", "0", "--level", "count"]);
    assert_eq!(code, Some(0), "{objects:?}");
    let notes = object(&objects, |object| {
        object["source"] == "`compare_equal`.`notes`"
    });
    assert_eq!(
        (&notes["event"], &notes["verdict"], &notes["rows_source"]),
        (&"table".into(), &"equal".into(), &3.into())
    );
    let done = done(&objects);
    assert_eq!(done["verdict"], "equal");
    assert_eq!(done["levels"], serde_json::json!(["count"]));
    assert_eq!(done["objects"], Value::Null);
    assert_eq!(done["rows"]["tables_equal"], 3);
}

#[test]
fn what_differs_is_named_and_reported() {
    let pair = servers::from_56();
    let (task, _, mut destination) = brought(pair, "compare_planted");
    plant(&mut destination);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (page, data) = (file("r.html"), file("r.json"));
    let output = compare(
        &task,
        &["--wait", "0", "--report", &page, "--report", &data],
    );
    let printed = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{printed}{}",
        text(&output.stderr)
    );
    for part in [
        "`compare_planted`.`notes`              3                 3        1      1          1  DIFFERENT",
        "missing    id='3'",
        "extra      id='9'",
        "different  id='2'  note: 'two' | '<script>alert(\"x\")</script>'",
        "extra      n='2'",
        "there is no table `compare_planted`.`gone` at the destination",
        "ONLY AT THE SOURCE",
        "tables       3 compared, 0 equal, 3 different",
        "result       DIFFERENT: ",
    ] {
        assert!(printed.contains(part), "{part} is not in:\n{printed}");
    }
    for value in ["two", "script"] {
        let said = text(&output.stderr);
        assert!(!said.contains(value), "a row's value in {said}");
    }

    let page = read_report(Path::new(&page));
    assert!(!page.contains("<script"), "{page}");
    for part in [
        "&#39;&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&#39;",
        "<p class=\"verdict different\">Different</p>",
        "<td>`compare_planted`.`notes`</td>",
        "MySQL 5.6.",
    ] {
        assert!(page.contains(part), "{part} is not in:\n{page}");
    }

    let data: Value = serde_json::from_str(&read_report(Path::new(&data))).unwrap();
    assert_eq!(data["verdict"], "different");
    assert_eq!(data["rows"]["tables_different"], 3);
    let tables = data["table_results"].as_array().unwrap();
    let notes = object(tables, |table| {
        table["source"] == "`compare_planted`.`notes`"
    });
    assert_eq!(
        (
            &notes["rows_missing"],
            &notes["rows_extra"],
            &notes["rows_different"]
        ),
        (&1.into(), &1.into(), &1.into())
    );
    let examples = notes["examples"].as_array().unwrap();
    let different = object(examples, |example| example["kind"] == "different");
    assert_eq!(
        different["columns"][0]["destination"]["text"], SCRIPT,
        "{different}"
    );
    let objects = data["object_results"].as_array().unwrap();
    let gone = object(objects, |object| {
        object["source"] == "`compare_planted`.`gone`"
    });
    assert_eq!(gone["verdict"], "only_at_source", "{gone}");
}

/// What the statements make equal is equal.
#[test]
fn what_differs_can_be_repaired() {
    for (pair, database) in [
        (servers::gtid(), "compare_repair"),
        (servers::from_56(), "compare_repair_56"),
    ] {
        let (task, _, mut destination) = brought(pair, database);
        plant(&mut destination);
        // What is not there is not repaired.
        run(
            &mut destination,
            &["CREATE TABLE gone (id INT PRIMARY KEY)"],
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("repair.sql");
        let options = ["--wait", "0", "--repair-sql", path.to_str().unwrap()];
        let (code, objects) = compare_json(&task, &options);
        assert_eq!(code, Some(1), "{objects:#?}");
        assert_eq!(done(&objects)["repair_statements"], 5, "{objects:#?}");
        let statements = read_report(&path);
        let mut results = destination.query_iter(&statements).unwrap();
        while let Some(result) = results.iter() {
            result.for_each(|row| drop(row.unwrap()));
        }
        drop(results);
        let options = ["--wait", "0", "--level", "values"];
        let (code, objects) = compare_json(&task, &options);
        assert_eq!(code, Some(0), "{statements} {objects:#?}");
    }
}

#[test]
fn a_journal_goes_when_it_is_not_needed_any_more() {
    let (task, ..) = brought(servers::gtid(), "compare_journal");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let options = ["--wait", "0", "--journal", path.to_str().unwrap()];
    let (code, objects) = compare_json(&task, &options);
    assert_eq!(code, Some(0), "{objects:#?}");
    assert!(!path.exists());
    // Another file is never taken for one.
    fs::write(&path, "my notes").unwrap();
    let (code, _) = compare_json(&task, &options);
    assert_eq!(code, Some(2));
    assert_eq!(fs::read_to_string(&path).unwrap(), "my notes");
}

/// What was done before a kill is not done again: a change of it goes unseen.
#[test]
fn a_comparison_that_was_killed_goes_on() {
    let pair = servers::by_position();
    let database = "compare_killed";
    let mut source = in_new_database(pair.source, database);
    run(
        &mut source,
        &[
            "SET SESSION cte_max_recursion_depth = 10000",
            "CREATE TABLE first (id INT PRIMARY KEY, pad CHAR(100))",
            "CREATE TABLE second (id INT PRIMARY KEY, pad CHAR(100))",
            "INSERT INTO first WITH RECURSIVE n AS (SELECT 1 AS id UNION ALL SELECT id + 1 FROM n WHERE id < 6000) \
             SELECT id, 'pad' FROM n",
            "INSERT INTO second SELECT * FROM first WHERE id <= 4000",
            "ANALYZE TABLE first, second",
        ],
    );
    let task = Task::of(pair, database);
    catch_up(&task);
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    let journal = journal.to_str().unwrap();
    let path = task.path();
    let mut program = Program::start(&[
        "compare",
        path.to_str().unwrap(),
        "--level",
        "values",
        "--wait",
        "0",
        "--sessions",
        "1",
        "--flow-limit",
        "200KiB/s",
        "--journal",
        journal,
    ]);
    let first = program.wait_for("a table is done", |event| {
        is(event, "table").then(|| event["source"].clone())
    });
    let killed = program.kill();
    assert_eq!(killed.code, None, "it had ended before: {killed:?}");
    let mut destination = in_database(pair, database);
    for table in ["first", "second"] {
        let statement = format!("UPDATE {table} SET pad = 'other' WHERE id = 4000");
        run(&mut destination, &[&statement]);
    }
    let options = ["--level", "values", "--wait", "0", "--journal", journal];
    let (code, objects) = compare_json(&task, &options);
    assert_eq!(code, Some(1), "{objects:#?}");
    let tables: Vec<&Value> = objects
        .iter()
        .filter(|object| is(object, "table"))
        .collect();
    assert_eq!(tables.len(), 2, "{objects:#?}");
    for table in tables {
        let verdict = match table["source"] == first {
            true => "equal",
            false => "different",
        };
        assert_eq!(table["verdict"], verdict, "{first}: {objects:#?}");
    }
    assert_eq!(done(&objects)["rows"]["rows_source"], 10_000);
    let notices = done(&objects)["notices"].to_string();
    assert!(notices.contains("goes on with the journal"), "{notices}");
}

/// Values of rows are in it, so it is its owner's alone.
fn read_report(path: &Path) -> String {
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    fs::read_to_string(path).unwrap()
}

#[test]
fn some_tables_alone() {
    let (task, _, mut destination) = brought(servers::gtid(), "compare_some");
    plant(&mut destination);
    let wait = ["--wait", "0"];
    for (options, code, tables) in [
        (&["--tables", "compare_some.notes"][..], 1, 1),
        (
            &["--tables", "compare_some.k*", "--tables", "*.notes"],
            1,
            2,
        ),
        (&["--tables", "compare_some.gone", "--level", "count"], 1, 1),
        // As many rows as there were.
        (
            &["--tables", "compare_some.notes", "--level", "objects"],
            0,
            0,
        ),
    ] {
        let (found, objects) = compare_json(&task, &[&wait, options].concat());
        assert_eq!(found, Some(code), "{options:?}: {objects:?}");
        let counted = objects.iter().filter(|object| is(object, "table")).count();
        assert_eq!(counted, tables, "{options:?}: {objects:?}");
    }
    // The file says the same, until the command line says something else.
    let task = task.compare("tables = [\"*.notes\"]\nexamples = 1");
    let (code, objects) = compare_json(&task, &wait);
    assert_eq!(code, Some(1));
    let tables: Vec<&Value> = objects
        .iter()
        .filter(|object| is(object, "table"))
        .collect();
    assert_eq!(tables.len(), 1, "{objects:?}");
    assert_eq!(tables[0]["examples"].as_array().unwrap().len(), 1);
    assert_eq!(done(&objects)["only_tables"][0], "*.notes");
}

/// The accounts that the page asks for are enough, and can write nothing but what they lock.
#[test]
fn accounts_that_may_only_read_are_enough() {
    let pair = servers::gtid();
    let (task, ..) = brought(pair, "compare_reads");
    let mut program = Program::run(&task, &[]);
    program.wait_until_it_follows();
    let as_reader = |task: Task| {
        let keys = [pair.source, pair.destination].map(|server| endpoint_as(server, "reader", "r"));
        let [source, destination] = keys;
        task.source(&source).destination(&destination)
    };
    for (server, privileges) in [
        (
            pair.source,
            "SELECT, REPLICATION CLIENT, LOCK TABLES, SHOW VIEW, SHOW_ROUTINE",
        ),
        (pair.destination, "SELECT, SHOW VIEW, SHOW_ROUTINE"),
    ] {
        run(
            &mut server.conn().unwrap(),
            &[
                "CREATE USER reader@'%' IDENTIFIED BY 'r'",
                &format!("GRANT {privileges} ON *.* TO reader@'%'"),
            ],
        );
    }
    let task = as_reader(task);
    let (code, objects) = compare_json(&task, &[]);
    assert_eq!(code, Some(0), "{objects:#?}");
    assert_eq!(done(&objects)["rows"]["live"], true);

    // Rows that differ are locked at the source while the task runs.
    plant(&mut in_database(pair, "compare_reads"));
    let (code, objects) = compare_json(&task, &["--level", "values"]);
    assert_eq!(code, Some(1), "{objects:#?}");
    let rows = &done(&objects)["rows"];
    let counted = [
        "rows_missing",
        "rows_extra",
        "rows_different",
        "rows_unsettled",
    ];
    assert_eq!(
        counted.map(|name| rows[name].as_u64()),
        [Some(1), Some(2), Some(1), Some(0)],
        "{objects:#?}"
    );
    drop(program);
}

fn in_database(pair: Pair, database: &str) -> Conn {
    let mut conn = pair.destination.conn().unwrap();
    run(&mut conn, &[&format!("USE {database}")]);
    conn
}

#[test]
fn by_other_names_and_without_a_task() {
    let pair = servers::by_position();
    let mut source = in_new_database(pair.source, "compare_here");
    let mut destination = in_new_database(pair.destination, "compare_there");
    for conn in [&mut source, &mut destination] {
        run(
            conn,
            &[
                "CREATE TABLE t (id INT PRIMARY KEY, v DOUBLE)",
                "INSERT INTO t VALUES (1, 0), (2, 0.5)",
            ],
        );
    }
    let task = Task::of(pair, "compare_here")
        .include("[\"compare_here\"]\nmap = { compare_here = \"compare_there\" }");
    let (code, objects) = compare_json(&task, &[]);
    assert_eq!(code, Some(0), "{objects:?}");
    assert_eq!(done(&objects)["rows"]["live"], false);
    run(&mut destination, &["UPDATE t SET v = -v WHERE id = 1"]);
    let output = compare(&task, &["--level", "values"]);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    for part in [
        "source              destination          source rows",
        "`compare_here`.`t`  `compare_there`.`t`            2",
        "different  id='1'  v: '0' | '-0'",
    ] {
        assert!(printed.contains(part), "{part} is not in:\n{printed}");
    }
}

#[test]
fn a_task_that_runs_is_waited_for_and_one_that_is_behind_is_told_of() {
    let (task, mut source, _) = brought(servers::gtid(), "compare_live");
    let mut program = Program::run(&task, &[]);
    program.wait_until_it_follows();
    run(&mut source, &["INSERT INTO notes VALUES (4, 'four')"]);
    let (code, objects) = compare_json(&task, &[]);
    assert_eq!(code, Some(0), "{objects:?}");
    let rows = &done(&objects)["rows"];
    assert_eq!(rows["live"], true, "{rows}");
    assert!(
        rows["from"].is_string() && rows["until"].is_string(),
        "{rows}"
    );
    assert_eq!(program.interrupt().code, Some(130));

    run(&mut source, &["INSERT INTO notes VALUES (5, 'five')"]);
    let output = compare(&task, &["--wait", "0"]);
    let (printed, said) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(
        said.contains("the task has not reached the source's"),
        "{said}"
    );
    for part in [
        "missing    id='5'",
        "live         no: what no task has applied yet counts as a difference",
    ] {
        assert!(printed.contains(part), "{part} is not in:\n{printed}");
    }
}

#[test]
fn waits_for_its_time_and_can_be_interrupted() {
    let (task, ..) = brought(servers::by_position(), "compare_waits");
    let task = task.compare("start_at = 2999-12-31T00:00:00Z");
    let path = task.path();
    let path = path.to_str().unwrap();
    let mut program = Program::start(&["compare", path]);
    let until = program.wait_for("it waits", |event| {
        is(event, "waiting").then(|| event["until"].clone())
    });
    assert_eq!(until, "2999-12-31T00:00:00.000Z");
    let ended = program.interrupt();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(ended.events.iter().any(|event| is(event, "interrupted")));

    let (code, objects) = compare_json(&task, &["--wait", "0", "--start-at", "now"]);
    assert_eq!(code, Some(0), "{objects:?}");
}

#[test]
fn what_can_not_be_compared_is_a_usage_error() {
    let (task, ..) = brought(servers::gtid(), "compare_usage");
    for (options, expected) in [
        (
            &[
                "--tables",
                "compare_usage.notes",
                "--tables",
                "compare_usage.note",
            ][..],
            "\"compare_usage.note\" is none of the task's tables at the source",
        ),
        (&["--tables", "mysql.user"], "selects the system database"),
        (
            &["--report", "/nonexistent/r.html"],
            "/nonexistent/r.html can't be written",
        ),
        (&["--report", "r.pdf"], "ends in .html or .json"),
        (
            &["--level", "rows"],
            "possible values: objects, count, values",
        ),
        (&["--sessions", "65"], "1 to 64 are"),
    ] {
        let output = compare(&task, options);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{options:?}: {said}");
        assert!(said.contains(expected), "{options:?}: {said}");
        assert!(output.stdout.is_empty());
    }
    let task = task.compare("examples = 1001");
    let output = compare(&task, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("compare.examples: 1001 are too many"));
}
