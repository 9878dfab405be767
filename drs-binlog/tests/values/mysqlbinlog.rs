//! Row by row and column by column against `mysqlbinlog -v`, the server's own reader of its log.
use drs_binlog::{ColumnType, Value};
use drs_testkit::{Installation, Server, Version};

use crate::{
    log::{Scene, values},
    mariadb, mysql_56, mysql_97,
};

/// No geometry: at that type the program gives up on the rest of the row.
const TABLE: &str = "CREATE TABLE t (id INT PRIMARY KEY, a TINYINT UNSIGNED, b SMALLINT, c MEDIUMINT, d BIGINT,
    e DECIMAL(10,3), f DECIMAL(65,30), g FLOAT, h DOUBLE, i BIT(1), j BIT(10), k BIT(64), l YEAR, m DATE,
    n TIME, o TIME(2), p TIME(3), q TIME(6), r DATETIME, s DATETIME(1), u DATETIME(6), v TIMESTAMP NULL, w TIMESTAMP(3) NULL,
    x TIMESTAMP(6) NULL, y CHAR(9), z CHAR(200), aa VARCHAR(20), ab VARCHAR(500), ac VARBINARY(20), ad TINYTEXT, ae TEXT,
    af MEDIUMBLOB, ag LONGTEXT, ah ENUM('a','b'), ai SET('a','b','c','d','e','f','g','h','i'), aj BINARY(4))";

const STATEMENTS: &[&str] = &[
    r"INSERT INTO t VALUES (-1, 255, -5, -8388608, -9223372036854775808, -12.340, -99999999999999999999999999999999999.999999999999999999999999999999,
      0.1, -1e300, b'1', b'1000000101', 18446744073709551615, 0, '2024-02-29',
      '-838:59:59', '-00:00:00.01', '-12:34:56.789', '-00:00:00.000001', '2024-02-29 01:02:03', '9999-12-31 23:59:59.9', '2024-02-29 01:02:03.456789',
      '0000-00-00', '2024-02-29 01:02:03.456', '1970-01-01 00:00:01.000001', 'a''b', REPEAT('x', 200), '', 'd\\e', x'0027', 'text', 'té', x'', 'l', 'b', 'a,i', x'6100')",
    "INSERT INTO t (id) VALUES (1)",
    "INSERT INTO t (id, a, d, g, h, l, m, n, r, v, ah) VALUES (2, 1, 9223372036854775807, 3.4e38, 2.2250738585072014e-308, 2155, '0000-00-00', '00:00:00', '0000-00-00 00:00:00', '2038-01-19 03:14:07', 'invalid')",
    "UPDATE t SET a = 2, ag = REPEAT('long ', 2000) ORDER BY id",
    "SET SESSION binlog_row_image = 'MINIMAL'",
    "UPDATE t SET b = NULL, ai = '' ORDER BY id",
    "DELETE FROM t ORDER BY id",
];

fn check(server: &'static Server, program_of: Version) {
    let mut scene = Scene::new(server, "mysqlbinlog");
    scene.run("SET SESSION sql_mode = ''");
    scene.run(TABLE);
    STATEMENTS.iter().for_each(|sql| scene.run(sql));
    scene.run("FLUSH LOGS");

    let is_mariadb = server.release().mariadb;
    let mut decoded = Vec::new();
    scene.changes("t", |columns, logged| {
        for image in [logged.before, logged.after].into_iter().flatten() {
            for (ordinal, value) in values(&image) {
                let column_type = columns.columns()[ordinal].column_type;
                decoded.push((
                    ordinal + 1,
                    column_type,
                    print(column_type, &value, is_mariadb),
                ));
            }
        }
    });
    let printed = printed(&scene, program_of);
    assert!(printed.len() > 200);
    assert_eq!(printed.len(), decoded.len());
    for ((at, theirs), (ordinal, column_type, ours)) in printed.iter().zip(&decoded) {
        assert_eq!(at, ordinal);
        let same = match column_type {
            // The program prints more digits than a number has.
            ColumnType::Float => {
                theirs == "NULL" && ours == "NULL"
                    || theirs.parse::<f32>().ok() == ours.parse().ok()
            }
            ColumnType::Double => {
                theirs == "NULL" && ours == "NULL"
                    || theirs.parse::<f64>().ok() == ours.parse().ok()
            }
            _ => theirs == ours,
        };
        assert!(same, "@{at} {column_type:?}: {theirs} and {ours}");
    }
}

/// Ordinal (from 1 on) and value of every printed column of this scene's table.
fn printed(scene: &Scene, program_of: Version) -> Vec<(usize, String)> {
    let installation = Installation::find_or_fetch(program_of).unwrap();
    // The last file is the one that other tests write to meanwhile.
    let mut files = scene.server.binlog_files().unwrap();
    files.pop();
    let mut command = installation.command("mysqlbinlog").unwrap();
    command
        .args(["-v", "--base64-output=decode-rows"])
        .args(files);
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let table = format!("`{}`.`t`", scene.database);
    let mut here = false;
    let mut columns = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Some(line) = line.strip_prefix("### ") else {
            continue;
        };
        if let Some(column) = line.strip_prefix("  @") {
            let (ordinal, value) = column.split_once('=').unwrap();
            if here {
                columns.push((ordinal.parse().unwrap(), value.trim_end().to_owned()));
            }
        } else if line.starts_with("INSERT")
            || line.starts_with("UPDATE")
            || line.starts_with("DELETE")
        {
            here = line.ends_with(&table);
        }
    }
    columns
}

/// The value as the program prints it.
fn print(column_type: ColumnType, value: &Value<'_>, is_mariadb: bool) -> String {
    match value {
        Value::Int { bytes, .. } => {
            let (signed, unsigned) = (value.as_signed().unwrap(), value.as_unsigned().unwrap());
            assert_eq!(
                unsigned,
                signed as u64 & (u64::MAX >> (64 - u32::from(*bytes) * 8))
            );
            if signed < 0 {
                format!("{signed} ({unsigned})")
            } else {
                signed.to_string()
            }
        }
        Value::Bit(_) => {
            let ColumnType::Bit { bits } = column_type else {
                panic!("{column_type:?}")
            };
            format!(
                "b'{:0width$b}'",
                value.as_bits().unwrap(),
                width = usize::from(bits)
            )
        }
        Value::Set(set) => {
            let ColumnType::Set { bytes } = column_type else {
                panic!("{column_type:?}")
            };
            format!("b'{set:0width$b}'", width = usize::from(bytes) * 8)
        }
        // The program's own error: the server has 0000 here, as the test of all types shows.
        Value::Year(0) => "1900".to_owned(),
        Value::Year(year) => year.to_string(),
        Value::Date(date) => format!("'{}'", date.to_string().replace('-', ":")),
        Value::Time(_) | Value::DateTime(_) => format!("'{value}'"),
        Value::Timestamp(at) if at.fsp == 0 => at.seconds.to_string(),
        Value::Timestamp(at) => {
            let fraction = format!("{:06}", at.micros);
            format!("{}.{}", at.seconds, &fraction[..usize::from(at.fsp)])
        }
        Value::Bytes(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            // MariaDB's program leaves quotes and backslashes as they are.
            let text = if is_mariadb {
                text.into_owned()
            } else {
                text.replace('\\', "\\\\").replace('\'', "\\'")
            };
            let text = text.replace('\0', "\\x00");
            format!("'{text}'")
        }
        value => value.to_string(),
    }
}

#[test]
fn mysql_97_rows() {
    check(mysql_97(), Version::MySql97);
}

/// The fetched MySQL 5.6 has no programs; that of 9.7 reads its files.
#[test]
fn mysql_56_rows() {
    check(mysql_56(), Version::MySql97);
}

#[test]
fn mariadb_rows() {
    check(mariadb(), Version::MariaDb1011);
}
