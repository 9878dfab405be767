//! Invented tables.

use drs_testkit::workload::Random;

use super::{column::Kind, value::pick};

/// A table as the writers know it.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// Keys, and the expressions that they hold.
    keys: Vec<String>,
    options: String,
}

/// A column.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// What follows the type.
    pub(super) attributes: String,
    /// It is in a key, or others are computed from it.
    pub(super) is_needed: bool,
    /// The server computes it.
    pub(super) is_generated: bool,
}

impl Column {
    pub(super) fn random(name: String, random: &mut Random, old: bool) -> Self {
        let kind = Kind::random(random, old);
        Self::of(name, kind, random, old)
    }

    fn of(name: String, kind: Kind, random: &mut Random, old: bool) -> Self {
        let mut attributes = match random.below(4) {
            // Old servers give the first TIMESTAMP a life of its own. A lax session stores an empty
            // vector for NULL, which no session can write as a value: that stops a task.
            0 if !matches!(kind, Kind::Timestamp(_) | Kind::Vector | Kind::Geometry(_)) => {
                "NOT NULL"
            }
            _ => "NULL",
        }
        .to_owned();
        if let Kind::Int { unsigned: true, .. } = kind
            && random.below(8) == 0
        {
            attributes.insert_str(0, "ZEROFILL ");
        }
        if !old {
            if matches!(kind, Kind::Text { long: false, .. }) && random.below(6) == 0 {
                attributes.push_str(" DEFAULT (LEFT(UUID(), 1))");
            }
            if random.below(8) == 0 {
                attributes.push_str(" INVISIBLE");
            }
        }
        Self {
            name,
            kind,
            attributes,
            is_needed: false,
            is_generated: false,
        }
    }

    pub(super) fn definition(&self) -> String {
        // SRID and GENERATED are part of the type's place.
        format!("{} {} {}", self.name, self.kind.sql(), self.attributes)
    }
}

impl Table {
    pub(super) fn random(name: &str, random: &mut Random, old: bool) -> Self {
        let mut table = Self {
            name: name.to_owned(),
            columns: Vec::new(),
            keys: Vec::new(),
            options: String::new(),
        };
        for number in 0..random.between(1, 9) {
            table
                .columns
                .push(Column::random(format!("c{number}"), random, old));
        }
        let key = table.add_row_key(random, old);
        if !old {
            table.add_generated(random);
        }
        table.add_further_keys(random, old);
        if let Some(key) = key
            && random.below(4) == 0
            && table
                .keys
                .iter()
                .filter(|key| key.contains("UNIQUE"))
                .count()
                == 0
        {
            let parts = random.between(2, 5);
            table.options = format!("PARTITION BY KEY ({key}) PARTITIONS {parts}");
        }
        table
    }

    /// What tells rows apart, if anything does. Returns the column of a key of one.
    fn add_row_key(&mut self, random: &mut Random, old: bool) -> Option<String> {
        let shape = random.below(8);
        let columns = match shape {
            0 => return None,
            1..=3 => 1,
            _ => random.between(1, 3),
        };
        let mut names = Vec::new();
        for number in 0..columns {
            let kind = match shape {
                1 => Kind::Int {
                    bytes: 4,
                    unsigned: false,
                },
                _ => Kind::for_key(random, old),
            };
            let mut column = Column::of(format!("k{number}"), kind, random, old);
            column.is_needed = true;
            // Shape 7 has a key that may be NULL, and so tells nothing apart.
            column.attributes = match shape {
                7 => "NULL".into(),
                1 if random.below(2) == 0 => "NOT NULL AUTO_INCREMENT".into(),
                // Without a default that is no date in strict mode.
                _ => "NOT NULL".into(),
            };
            if matches!(column.kind, Kind::Timestamp(_)) && shape != 7 {
                column.attributes = "NOT NULL DEFAULT '2000-01-01 00:00:00'".into();
            }
            names.push(column.name.clone());
            let at = random.below(self.columns.len() as u64 + 1) as usize;
            self.columns.insert(at, column);
        }
        let kind = if shape < 6 {
            "PRIMARY KEY"
        } else {
            "UNIQUE KEY k"
        };
        self.keys.push(format!("{kind} ({})", names.join(", ")));
        (names.len() == 1 && shape < 6).then(|| names.remove(0))
    }

    fn add_generated(&mut self, random: &mut Random) {
        for number in 0..random.below(3) {
            let plain: Vec<usize> = (0..self.columns.len())
                .filter(|at| {
                    let column = &self.columns[*at];
                    column.kind.is_plain()
                        && !column.is_generated
                        && !column.attributes.contains("AUTO")
                })
                .collect();
            if plain.is_empty() {
                return;
            }
            let from = &mut self.columns[pick(random, &plain)];
            from.is_needed = true;
            let (kind, expression) = match random.below(2) {
                0 => (
                    Kind::Int {
                        bytes: 8,
                        unsigned: false,
                    },
                    format!("LENGTH({})", from.name),
                ),
                _ => (
                    Kind::Text {
                        name: "VARCHAR(56)".into(),
                        charset: "latin1",
                        collation: None,
                        long: false,
                    },
                    format!("SHA2({}, 224)", from.name),
                ),
            };
            let column = Column {
                name: format!("g{number}"),
                kind,
                attributes: format!("AS ({expression}) {}", pick(random, &["VIRTUAL", "STORED"])),
                is_needed: false,
                is_generated: true,
            };
            let at = random.below(self.columns.len() as u64 + 1) as usize;
            self.columns.insert(at, column);
        }
    }

    fn add_further_keys(&mut self, random: &mut Random, old: bool) {
        for number in 0..random.below(4) {
            let at = random.below(self.columns.len() as u64) as usize;
            let column = &mut self.columns[at];
            let unique = if random.below(2) == 0 {
                "UNIQUE KEY"
            } else {
                "KEY"
            };
            let part = match (random.below(3), column.kind.is_long()) {
                (0, _) if column.kind.has_prefixes() => {
                    format!("{}({})", column.name, random.between(1, 1))
                }
                (1, false) if !old && column.kind.is_plain() && !column.is_generated => {
                    format!("(SHA2({}, 224))", column.name)
                }
                (_, false) => column.name.clone(),
                (_, true) => continue,
            };
            column.is_needed = true;
            self.keys.push(format!("{unique} f{number} ({part})"));
        }
    }

    pub(super) fn definition(&self) -> String {
        let mut items: Vec<String> = self.columns.iter().map(Column::definition).collect();
        items.extend(self.keys.iter().cloned());
        format!(
            "CREATE TABLE {} ({}) {}",
            self.name,
            items.join(", "),
            self.options
        )
    }

    /// The columns that can be given a value.
    pub(super) fn writable(&self) -> Vec<&Column> {
        self.columns
            .iter()
            .filter(|column| !column.is_generated)
            .collect()
    }

    pub(super) fn has_key(&self) -> bool {
        self.keys
            .iter()
            .any(|key| key.starts_with("PRIMARY") || key.starts_with("UNIQUE"))
    }
}
