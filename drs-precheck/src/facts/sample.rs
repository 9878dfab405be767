//! Made-up facts of a healthy pair: MySQL 9.7 to MySQL 9.7, a full and incremental task on the
//! database `shop` with one table, `shop.orders`.

use std::{collections::BTreeMap, time::Duration};

use drs_core::{DatabaseName, Flavor, Role, ServerVersion, TableName, Task};

use super::{
    Account, Activity, Binlog, Collations, Column, Connection, Database, Disk, Facts, Index,
    IndexPart, Over, Previous, Programs, Refusal, RefusalKind, Side, Table, TableKind, Tables,
    Time, Unread, Variables, WriteRate,
};

impl Facts {
    pub(crate) fn sample() -> Self {
        Self {
            task: task("full+incremental", ""),
            source: Side::sample(Role::Source),
            destination: Side::sample(Role::Destination),
            rules: Ok(Vec::new()),
            write_rate: Ok(WriteRate {
                bytes: 1 << 20,
                period: Duration::from_secs(2),
            }),
        }
    }

    pub(crate) fn unreached_sample() -> Self {
        let unreached = |role| {
            Side::unreached(
                role,
                Refusal {
                    kind: RefusalKind::Unreachable,
                    reason: "nobody is there".to_owned(),
                },
            )
        };
        Self {
            task: task("full+incremental", ""),
            source: unreached(Role::Source),
            destination: unreached(Role::Destination),
            rules: Err(Unread::new("there is no connection to the source")),
            write_rate: Err(Unread::new("there is no connection to the source")),
        }
    }

    pub(crate) fn side_mut(&mut self, role: Role) -> &mut Side {
        match role {
            Role::Source => &mut self.source,
            Role::Destination => &mut self.destination,
        }
    }
}

impl Side {
    fn sample(role: Role) -> Self {
        let is_source = role == Role::Source;
        Self {
            role,
            connection: Ok(Connection {
                tls_cipher: Some("TLS_AES_256_GCM_SHA384".to_owned()),
                tls_version: Some("TLSv1.3".to_owned()),
                certificate_days: Some(365),
            }),
            version: Ok(ServerVersion {
                flavor: Flavor::MySql,
                number: (9, 7, 4),
            }),
            variables: Ok(Variables::new(VARIABLES.iter().copied().chain(
                match role {
                    Role::Source => [
                        ("server_id", "1"),
                        ("server_uuid", "11111111-1111-1111-1111-111111111111"),
                    ],
                    Role::Destination => [
                        ("server_id", "2"),
                        ("server_uuid", "22222222-2222-2222-2222-222222222222"),
                    ],
                },
            ))),
            account: Account::sample(role),
            binlog: Binlog::sample(role),
            activity: Activity::sample(role),
            collations: Ok(Collations::new(COLLATIONS.iter().copied())),
            tables: match is_source {
                true => Tables::sample(),
                false => Tables {
                    tables: Ok(Vec::new()),
                    columns: Ok(BTreeMap::new()),
                    indexes: Ok(BTreeMap::new()),
                    databases: Ok(Vec::new()),
                    foreign_keys: Ok(Vec::new()),
                },
            },
            programs: Programs::sample(),
            time: Time::sample(),
            previous: Previous::sample(),
            disk: Ok(Disk::sample()),
            sets_restricted: Ok(true),
        }
    }

    /// Sets one of its variables.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.as_mut().unwrap().set(name, value);
    }

    /// Takes one of its variables away.
    pub(crate) fn remove(&mut self, name: &str) {
        self.variables.as_mut().unwrap().remove(name);
    }

    /// Makes it a server of another version.
    pub(crate) fn set_version(&mut self, text: &str) {
        self.version = Ok(ServerVersion::parse(text).unwrap());
    }
}

impl Tables {
    fn sample() -> Self {
        let name = TableName::new("shop", "orders").unwrap();
        Self {
            databases: Ok(vec![Database {
                name: DatabaseName::new("shop").unwrap(),
                charset: "utf8mb4".to_owned(),
                collation: "utf8mb4_0900_ai_ci".to_owned(),
            }]),
            tables: Ok(vec![Table::sample("shop", "orders")]),
            columns: Ok(BTreeMap::from([(
                name.clone(),
                vec![
                    Column::sample("id", "int"),
                    Column::sample("note", "varchar(100)"),
                ],
            )])),
            indexes: Ok(BTreeMap::from([(
                name,
                vec![Index::sample("PRIMARY", &["id"])],
            )])),
            foreign_keys: Ok(Vec::new()),
        }
    }

    /// Adds a database.
    pub(crate) fn add_database(&mut self, name: &str) {
        self.databases.as_mut().unwrap().push(Database {
            name: DatabaseName::new(name).unwrap(),
            charset: "utf8mb4".to_owned(),
            collation: "utf8mb4_0900_ai_ci".to_owned(),
        });
    }

    /// Adds a table with these columns (name and type), of which the first is the primary key.
    pub(crate) fn add(&mut self, database: &str, table: &str, columns: &[(&str, &str)]) {
        let name = TableName::new(database, table).unwrap();
        self.tables
            .as_mut()
            .unwrap()
            .push(Table::sample(database, table));
        let made = columns
            .iter()
            .map(|(name, kind)| Column::sample(name, kind));
        self.columns
            .as_mut()
            .unwrap()
            .insert(name.clone(), made.collect());
        let key = Index::sample("PRIMARY", &[columns[0].0]);
        self.indexes.as_mut().unwrap().insert(name, vec![key]);
    }
}

impl Table {
    pub(crate) fn sample(database: &str, table: &str) -> Self {
        Self {
            name: TableName::new(database, table).unwrap(),
            kind: TableKind::Base,
            engine: Some("InnoDB".to_owned()),
            rows_estimate: 1_000,
            data_bytes: 1 << 20,
            index_bytes: 0,
            collation: Some("utf8mb4_0900_ai_ci".to_owned()),
            row_format: Some("Dynamic".to_owned()),
            options: String::new(),
            is_partitioned: false,
        }
    }
}

impl Column {
    /// A column that takes no NULL; text is in `utf8mb4`.
    pub(crate) fn sample(name: &str, kind: &str) -> Self {
        let data_type = kind.split(['(', ' ']).next().unwrap_or_default();
        let is_text = matches!(data_type, "char" | "varchar" | "text" | "enum" | "set");
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            data_type: data_type.to_owned(),
            charset: is_text.then(|| "utf8mb4".to_owned()),
            collation: is_text.then(|| "utf8mb4_0900_ai_ci".to_owned()),
            is_nullable: false,
            default: None,
            is_auto_increment: false,
            is_invisible: false,
            generated: None,
        }
    }
}

impl Index {
    /// A unique index over whole columns.
    pub(crate) fn sample(name: &str, columns: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            is_unique: true,
            kind: "BTREE".to_owned(),
            parts: columns
                .iter()
                .map(|column| IndexPart {
                    over: Over::Column((*column).to_owned()),
                    prefix: None,
                })
                .collect(),
        }
    }
}

/// A task on `shop.*` in this mode, with more lines of a task file.
pub(crate) fn task(mode: &str, more: &str) -> Task {
    task_on(mode, "include = [\"shop.*\"]", more)
}

/// A task in this mode on these objects, with more lines of a task file.
pub(crate) fn task_on(mode: &str, objects: &str, more: &str) -> Task {
    let start = match mode {
        "incremental" => "start_point = \"binlog.000001:4\"",
        _ => "",
    };
    task_of(&format!("mode = \"{mode}\"\n{start}"), objects, more)
}

/// An incremental task on `shop.*` from this point.
pub(crate) fn task_at(point: &str) -> Task {
    let lines = format!("mode = \"incremental\"\nstart_point = \"{point}\"");
    task_of(&lines, "include = [\"shop.*\"]", "")
}

fn task_of(lines: &str, objects: &str, more: &str) -> Task {
    let text = format!(
        "[task]\nname = \"check-me\"\n{lines}\n\
         [source]\nhost = \"source.example\"\nuser = \"drs\"\npassword = {{ env = \"A\" }}\n\
         [destination]\nhost = \"destination.example\"\nuser = \"drs\"\npassword = {{ env = \"B\" }}\n\
         [objects]\n{objects}\n{more}\n"
    );
    Task::from_toml(&text, ".".as_ref()).unwrap()
}

/// What a fresh MySQL 9.7 has, of the variables that checks look at, with GTIDs on.
const VARIABLES: &[(&str, &str)] = &[
    ("binlog_checksum", "CRC32"),
    ("binlog_expire_logs_auto_purge", "ON"),
    ("binlog_expire_logs_seconds", "2592000"),
    ("binlog_format", "ROW"),
    ("binlog_row_image", "FULL"),
    ("binlog_row_metadata", "FULL"),
    ("binlog_row_value_options", ""),
    ("binlog_transaction_compression", "OFF"),
    ("block_encryption_mode", "aes-128-ecb"),
    ("character_set_server", "utf8mb4"),
    ("collation_server", "utf8mb4_0900_ai_ci"),
    ("default_storage_engine", "InnoDB"),
    ("default_table_encryption", "OFF"),
    ("disabled_storage_engines", ""),
    ("enforce_gtid_consistency", "ON"),
    ("event_scheduler", "ON"),
    ("explicit_defaults_for_timestamp", "ON"),
    ("group_concat_max_len", "1024"),
    ("gtid_executed", ""),
    ("gtid_mode", "ON"),
    ("gtid_purged", ""),
    ("innodb_default_row_format", "dynamic"),
    ("innodb_native_foreign_keys", "OFF"),
    ("innodb_page_size", "16384"),
    ("innodb_strict_mode", "ON"),
    ("local_infile", "ON"),
    ("log_bin", "ON"),
    ("log_bin_trust_function_creators", "OFF"),
    ("log_replica_updates", "ON"),
    ("lower_case_table_names", "0"),
    ("max_allowed_packet", "1073741824"),
    ("max_connections", "151"),
    ("max_user_connections", "0"),
    ("offline_mode", "OFF"),
    ("read_only", "OFF"),
    ("restrict_fk_on_non_standard_key", "ON"),
    ("sql_generate_invisible_primary_key", "OFF"),
    (
        "sql_mode",
        "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
    ),
    ("sql_require_primary_key", "OFF"),
    ("super_read_only", "OFF"),
    ("system_time_zone", "UTC"),
    ("time_zone", "SYSTEM"),
    ("tls_version", "TLSv1.2,TLSv1.3"),
    ("transaction_isolation", "REPEATABLE-READ"),
    ("version", "9.7.4"),
];

/// Some of its collations.
const COLLATIONS: &[(&str, &str)] = &[
    ("binary", "binary"),
    ("latin1_swedish_ci", "latin1"),
    ("utf8mb3_general_ci", "utf8mb3"),
    ("utf8mb4_0900_ai_ci", "utf8mb4"),
    ("utf8mb4_general_ci", "utf8mb4"),
];
