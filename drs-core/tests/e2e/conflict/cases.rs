//! What is done to the destination's table, what the source does then, and what each policy makes
//! of it. `{t}` is the table.

/// One conflict, or a few that belong together.
pub(super) struct Case {
    /// The table's name.
    pub(super) name: &'static str,
    /// The table and its first rows, on both sides.
    pub(super) table: &'static str,
    /// Changes at the destination.
    pub(super) there: &'static [&'static str],
    /// Changes at the source, each a transaction.
    pub(super) here: &'static [&'static str],
    /// The destination's rows under `ignore`.
    pub(super) ignored: &'static [&'static str],
    /// The ledger under `ignore`: `kind key source_key destination_key`.
    pub(super) ignored_ledger: &'static [&'static str],
    /// The ledger under `overwrite`, whose rows are the source's. `None`: as under `ignore`.
    pub(super) overwritten_ledger: Option<&'static [&'static str]>,
    /// Which rows under `overwrite` are the destination's alone, and in nobody's way.
    pub(super) strangers: &'static str,
    /// Needs what came after 5.6.
    pub(super) new: bool,
}

const KEYED: &str =
    "CREATE TABLE {t} (id INT PRIMARY KEY, note VARCHAR(20), word VARCHAR(20) UNIQUE);
    INSERT INTO {t} VALUES (1, 'old', 'one'), (2, 'old', 'two')";
const KEYLESS: &str =
    "CREATE TABLE {t} (id INT, note VARCHAR(20), word VARCHAR(20), UNIQUE (word));
    INSERT INTO {t} VALUES (1, 'old', 'one'), (2, 'old', NULL), (2, 'old', NULL)";

const CASE: Case = Case {
    name: "",
    table: KEYED,
    there: &[],
    here: &[],
    ignored: &[],
    ignored_ledger: &[],
    overwritten_ledger: None,
    strangers: "",
    new: false,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "insert_primary",
        there: &["INSERT INTO {t} VALUES (9, 'theirs', 'nine')"],
        here: &["INSERT INTO {t} VALUES (9, 'ours', 'new')"],
        ignored: &["1,old,one", "2,old,two", "9,theirs,nine"],
        ignored_ledger: &[r#"duplicate_on_insert PRIMARY {"id": 9} {"id": 9}"#],
        ..CASE
    },
    Case {
        name: "insert_unique",
        there: &["INSERT INTO {t} VALUES (8, 'theirs', 'nine')"],
        here: &["INSERT INTO {t} VALUES (9, 'ours', 'nine')"],
        ignored: &["1,old,one", "2,old,two", "8,theirs,nine"],
        ignored_ledger: &[r#"duplicate_on_insert word {"id": 9} {"id": 8}"#],
        ..CASE
    },
    Case {
        name: "insert_of_many",
        there: &["INSERT INTO {t} VALUES (11, 'theirs', 'eleven'), (19, 'theirs', 'twelve')"],
        here: &[
            "INSERT INTO {t} VALUES (10, 'ours', 'ten'), (11, 'ours', 'elf'), (12, 'ours', 'twelve'), (13, 'ours', NULL)",
        ],
        ignored: &[
            "1,old,one",
            "2,old,two",
            "10,ours,ten",
            "11,theirs,eleven",
            "13,ours,NULL",
            "19,theirs,twelve",
        ],
        ignored_ledger: &[
            r#"duplicate_on_insert PRIMARY {"id": 11} {"id": 11}"#,
            r#"duplicate_on_insert word {"id": 12} {"id": 19}"#,
        ],
        ..CASE
    },
    Case {
        name: "insert_against_several_rows",
        table: "CREATE TABLE {t} (id INT PRIMARY KEY, note VARCHAR(20), word VARCHAR(20), code INT, UNIQUE (word), UNIQUE (code));
            INSERT INTO {t} VALUES (1, 'old', 'one', 1)",
        there: &["INSERT INTO {t} VALUES (9, 'theirs', 'x', 20), (8, 'theirs', 'nine', 21), (7, 'theirs', 'z', 22)"],
        here: &["INSERT INTO {t} VALUES (9, 'ours', 'nine', 22)"],
        ignored: &[
            "1,old,one,1",
            "7,theirs,z,22",
            "8,theirs,nine,21",
            "9,theirs,x,20",
        ],
        ignored_ledger: &[r#"duplicate_on_insert PRIMARY {"id": 9} {"id": 9}"#],
        overwritten_ledger: Some(&[
            r#"duplicate_on_insert PRIMARY {"id": 9} {"id": 9}"#,
            r#"duplicate_on_insert code {"id": 9} {"id": 7}"#,
            r#"duplicate_on_insert word {"id": 9} {"id": 8}"#,
        ]),
        ..CASE
    },
    Case {
        name: "update_unique",
        there: &["INSERT INTO {t} VALUES (8, 'theirs', 'nine')"],
        here: &["UPDATE {t} SET word = 'nine' WHERE id = 1"],
        ignored: &["1,old,one", "2,old,two", "8,theirs,nine"],
        ignored_ledger: &[r#"duplicate_on_update word {"id": 1} {"id": 8}"#],
        ..CASE
    },
    Case {
        name: "update_primary",
        there: &["INSERT INTO {t} VALUES (9, 'theirs', 'nine')"],
        here: &["UPDATE {t} SET id = 9 WHERE id = 1"],
        ignored: &["1,old,one", "2,old,two", "9,theirs,nine"],
        ignored_ledger: &[r#"duplicate_on_update PRIMARY {"id": 9} {"id": 9}"#],
        ..CASE
    },
    Case {
        name: "update_primary_and_unique",
        there: &["INSERT INTO {t} VALUES (9, 'theirs', 'x'), (8, 'theirs', 'nine')"],
        here: &["UPDATE {t} SET id = 9, word = 'nine' WHERE id = 1"],
        ignored: &["1,old,one", "2,old,two", "8,theirs,nine", "9,theirs,x"],
        ignored_ledger: &[r#"duplicate_on_update PRIMARY {"id": 9} {"id": 9}"#],
        overwritten_ledger: Some(&[
            r#"duplicate_on_update PRIMARY {"id": 9} {"id": 9}"#,
            r#"duplicate_on_update word {"id": 9} {"id": 8}"#,
        ]),
        ..CASE
    },
    Case {
        name: "update_missing",
        there: &["DELETE FROM {t} WHERE id = 1"],
        here: &["UPDATE {t} SET note = 'ours' WHERE id = 1"],
        ignored: &["2,old,two"],
        ignored_ledger: &[r#"missing_on_update - {"id": 1} -"#],
        ..CASE
    },
    Case {
        name: "update_missing_and_unique",
        there: &[
            "DELETE FROM {t} WHERE id = 1",
            "INSERT INTO {t} VALUES (8, 'theirs', 'nine')",
        ],
        here: &["UPDATE {t} SET word = 'nine' WHERE id = 1"],
        ignored: &["2,old,two", "8,theirs,nine"],
        ignored_ledger: &[r#"missing_on_update - {"id": 1} -"#],
        overwritten_ledger: Some(&[
            r#"missing_on_update - {"id": 1} -"#,
            r#"duplicate_on_update word {"id": 1} {"id": 8}"#,
        ]),
        ..CASE
    },
    Case {
        name: "update_missing_to_taken_key",
        there: &[
            "DELETE FROM {t} WHERE id = 1",
            "INSERT INTO {t} VALUES (9, 'theirs', 'nine')",
        ],
        here: &["UPDATE {t} SET id = 9 WHERE id = 1"],
        ignored: &["2,old,two", "9,theirs,nine"],
        ignored_ledger: &[r#"missing_on_update - {"id": 1} -"#],
        overwritten_ledger: Some(&[
            r#"missing_on_update - {"id": 1} -"#,
            r#"duplicate_on_update PRIMARY {"id": 9} {"id": 9}"#,
        ]),
        ..CASE
    },
    Case {
        name: "delete_missing",
        there: &["DELETE FROM {t} WHERE id = 1"],
        here: &["DELETE FROM {t} WHERE id = 1"],
        ignored: &["2,old,two"],
        ignored_ledger: &[r#"missing_on_delete - {"id": 1} -"#],
        ..CASE
    },
    Case {
        name: "came_and_went",
        there: &["INSERT INTO {t} VALUES (9, 'theirs', 'nine'), (8, 'theirs', 'eight')"],
        here: &[
            "INSERT INTO {t} VALUES (9, 'ours', NULL)",
            "DELETE FROM {t} WHERE id = 9",
            "INSERT INTO {t} VALUES (7, 'ours', 'eight')",
            "DELETE FROM {t} WHERE id = 7",
        ],
        ignored: &["1,old,one", "2,old,two", "8,theirs,eight"],
        ignored_ledger: &[
            r#"duplicate_on_insert PRIMARY {"id": 9} {"id": 9}"#,
            r#"duplicate_on_insert word {"id": 7} {"id": 8}"#,
            r#"missing_on_delete - {"id": 7} -"#,
        ],
        overwritten_ledger: Some(&[
            r#"duplicate_on_insert PRIMARY {"id": 9} {"id": 9}"#,
            r#"duplicate_on_insert word {"id": 7} {"id": 8}"#,
        ]),
        ..CASE
    },
    Case {
        name: "there_and_back",
        there: &["DELETE FROM {t} WHERE id = 1", "UPDATE {t} SET note = 'theirs' WHERE id = 2"],
        here: &[
            "UPDATE {t} SET note = 'ours'",
            "UPDATE {t} SET note = 'old'",
        ],
        ignored: &["2,old,two"],
        ignored_ledger: &[
            r#"missing_on_update - {"id": 1} -"#,
            r#"missing_on_update - {"id": 1} -"#,
        ],
        overwritten_ledger: Some(&[r#"missing_on_update - {"id": 1} -"#]),
        ..CASE
    },
    Case {
        name: "prefix",
        table: "CREATE TABLE {t} (id INT PRIMARY KEY, note TEXT, data BLOB, UNIQUE (note(3)), UNIQUE (data(2)));
            INSERT INTO {t} VALUES (1, 'one', 'one')",
        there: &["INSERT INTO {t} VALUES (8, 'äöüß', 'eight'), (7, 'seven', x'00ff01')"],
        here: &[
            "INSERT INTO {t} VALUES (9, 'äöü', 'nine')",
            "UPDATE {t} SET data = x'00ff02' WHERE id = 1",
        ],
        ignored: &["1,one,one", "7,seven,\u{0}\u{fffd}\u{1}", "8,äöüß,eight"],
        ignored_ledger: &[
            r#"duplicate_on_insert note {"id": 9} {"id": 8}"#,
            r#"duplicate_on_update data {"id": 1} {"id": 7}"#,
        ],
        ..CASE
    },
    Case {
        name: "nulls_are_no_duplicates",
        table: "CREATE TABLE {t} (id INT PRIMARY KEY, a INT, b INT, UNIQUE (a, b));
            INSERT INTO {t} VALUES (1, 1, 1)",
        there: &["INSERT INTO {t} VALUES (6, 5, 5), (7, 1, NULL), (8, 1, 2)"],
        here: &["INSERT INTO {t} VALUES (9, 1, NULL), (8, 1, NULL), (10, 1, 2)"],
        ignored: &["1,1,1", "6,5,5", "7,1,NULL", "8,1,2", "9,1,NULL"],
        ignored_ledger: &[
            r#"duplicate_on_insert PRIMARY {"id": 8} {"id": 8}"#,
            r#"duplicate_on_insert a {"id": 10} {"id": 8}"#,
        ],
        overwritten_ledger: Some(&[r#"duplicate_on_insert PRIMARY {"id": 8} {"id": 8}"#]),
        strangers: "id IN (6, 7)",
        ..CASE
    },
    Case {
        name: "collation",
        table: "CREATE TABLE {t} (word VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_german2_ci PRIMARY KEY, note VARCHAR(20));
            INSERT INTO {t} VALUES ('one', 'old')",
        there: &["INSERT INTO {t} VALUES ('STRASSE', 'theirs')"],
        here: &["INSERT INTO {t} VALUES ('straße', 'ours')"],
        ignored: &["one,old", "STRASSE,theirs"],
        ignored_ledger: &[
            r#"duplicate_on_insert PRIMARY {"word": "straße"} {"word": "STRASSE"}"#,
        ],
        ..CASE
    },
    Case {
        name: "key_of_two_columns",
        table: "CREATE TABLE {t} (b VARBINARY(10), a DATETIME(3), note VARCHAR(20), PRIMARY KEY (a, b));
            INSERT INTO {t} VALUES (x'01', '2020-01-01 00:00:00.001', 'old')",
        there: &["INSERT INTO {t} VALUES (x'02ff', '2020-01-01 00:00:00.002', 'theirs')"],
        here: &["INSERT INTO {t} VALUES (x'02ff', '2020-01-01 00:00:00.002', 'ours')"],
        ignored: &[
            "\u{1},2020-01-01 00:00:00.001,old",
            "\u{2}\u{fffd},2020-01-01 00:00:00.002,theirs",
        ],
        ignored_ledger: &[
            r#"duplicate_on_insert PRIMARY {"b": "0x02ff", "a": "2020-01-01 00:00:00.002"} {"b": "0x02ff", "a": "2020-01-01 00:00:00.002"}"#,
        ],
        ..CASE
    },
    Case {
        name: "keyless_insert",
        table: KEYLESS,
        there: &["INSERT INTO {t} VALUES (8, 'theirs', 'nine')"],
        here: &["INSERT INTO {t} VALUES (9, 'ours', 'nine'), (9, 'ours', NULL)"],
        ignored: &[
            "1,old,one",
            "2,old,NULL",
            "2,old,NULL",
            "8,theirs,nine",
            "9,ours,NULL",
        ],
        ignored_ledger: &[
            r#"duplicate_on_insert word {"id": 9, "note": "ours", "word": "nine"} {"id": 8, "note": "theirs", "word": "nine"}"#,
        ],
        ..CASE
    },
    Case {
        name: "keyless_update",
        table: KEYLESS,
        there: &["INSERT INTO {t} VALUES (8, 'theirs', 'nine')"],
        here: &["UPDATE {t} SET word = 'nine' WHERE id = 1"],
        ignored: &["1,old,one", "2,old,NULL", "2,old,NULL", "8,theirs,nine"],
        ignored_ledger: &[
            r#"duplicate_on_update word {"id": 1, "note": "old", "word": "nine"} {"id": 8, "note": "theirs", "word": "nine"}"#,
        ],
        ..CASE
    },
    Case {
        name: "keyless_missing",
        table: KEYLESS,
        there: &["DELETE FROM {t}"],
        here: &[
            "UPDATE {t} SET note = 'ours' WHERE id = 1",
            "DELETE FROM {t} WHERE id = 2",
        ],
        ignored: &[],
        ignored_ledger: &[
            r#"missing_on_update - {"id": 1, "note": "old", "word": "one"} -"#,
            r#"missing_on_delete - {"id": 2, "note": "old", "word": null} -"#,
            r#"missing_on_delete - {"id": 2, "note": "old", "word": null} -"#,
        ],
        ..CASE
    },
    Case {
        name: "generated_key",
        table: "CREATE TABLE {t} (id INT PRIMARY KEY, a INT, g INT AS (a * 2) VIRTUAL, s INT AS (a + 1) STORED, UNIQUE (g), UNIQUE (s));
            INSERT INTO {t} (id, a) VALUES (1, 1), (2, 2)",
        there: &["INSERT INTO {t} (id, a) VALUES (8, 9)"],
        here: &["INSERT INTO {t} (id, a) VALUES (9, 9)"],
        ignored: &["1,1,2,2", "2,2,4,3", "8,9,18,10"],
        // Both keys are met; the server looks at those over virtual columns last.
        ignored_ledger: &[r#"duplicate_on_insert s {"id": 9} {"id": 8}"#],
        new: true,
        ..CASE
    },
    Case {
        name: "key_over_an_expression",
        table: "CREATE TABLE {t} (id INT PRIMARY KEY, note VARCHAR(20), UNIQUE by_lower ((LOWER(note))));
            INSERT INTO {t} VALUES (1, 'one')",
        there: &["INSERT INTO {t} VALUES (8, 'NINE')"],
        here: &[
            "INSERT INTO {t} VALUES (9, 'nine')",
            "UPDATE {t} SET note = 'Nine' WHERE id = 9",
        ],
        ignored: &["1,one", "8,NINE"],
        ignored_ledger: &[
            r#"duplicate_on_insert by_lower {"id": 9} -"#,
            r#"missing_on_update - {"id": 9} -"#,
        ],
        overwritten_ledger: Some(&[r#"duplicate_on_insert by_lower {"id": 9} -"#]),
        new: true,
        ..CASE
    },
];
