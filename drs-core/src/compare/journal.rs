//! What a comparison has done, so that it goes on there after it was cut off.
//!
//! A file of lines, each a JSON object: which comparison it is, then each table that is done, and
//! now and then how far one is. A line that was cut off is left out.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{
    CompareError, CompareLevel, RowCounts, RowDifference, RowDifferenceKind, TableResult,
    TableVerdict, board::Part, keyed::Suspect, pair::TablePair,
};
use crate::{copy::Bound, object::TableName};

/// How far a table is, is written so often at most.
const PART_PERIOD: Duration = Duration::from_secs(2);

/// Which comparison a journal is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) task: String,
    pub(super) level: CompareLevel,
    /// What decides on the tables, and on what is compared of them, a setting a line.
    pub(super) settings: String,
    /// `@@server_uuid` of both servers.
    pub(super) servers: [String; 2],
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Comparison(Head),
    Table(TableLine),
    Part(PartLine),
}

#[derive(Debug, Serialize, Deserialize)]
struct TableLine {
    source: (String, String),
    destination: (String, String),
    verdict: TableVerdict,
    counts: RowCounts,
    structure: Vec<String>,
    notes: Vec<String>,
    examples: Vec<RowDifference>,
    duration_ms: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct PartLine {
    source: (String, String),
    /// Of [`TablePair::fingerprint`].
    definition: u64,
    lower: String,
    counts: RowCounts,
    examples: Vec<RowDifference>,
    suspects: Vec<(RowDifferenceKind, String)>,
}

/// The journal of a comparison that goes on.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    parts: BTreeMap<TableName, PartLine>,
    written: BTreeMap<TableName, Instant>,
}

impl Journal {
    /// Opens a journal, or begins one; the tables that are done by the comparison that it is of.
    pub(super) fn open(path: &Path, head: &Head) -> Result<(Self, Vec<TableResult>), CompareError> {
        let failed = |source| CompareError::Journal {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        // Held until the file is closed, so also when this process is killed.
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(CompareError::JournalInUse {
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(failed)?;
        let mut lines = text
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice::<Line>(line).ok());
        let (mut done, mut parts) = (Vec::new(), BTreeMap::new());
        let is_same = match lines.next() {
            Some(Line::Comparison(other)) if other == *head => true,
            None if text.is_empty() => false,
            // What others keep in a file is not written over.
            _ => {
                return Err(CompareError::OtherJournal {
                    path: path.to_owned(),
                });
            }
        };
        if is_same {
            for line in lines {
                match line {
                    Line::Comparison(_) => {}
                    Line::Table(line) => done.extend(line.result()),
                    Line::Part(line) => {
                        if let Ok(name) = TableName::new(&line.source.0, &line.source.1) {
                            parts.insert(name, line);
                        }
                    }
                }
            }
        }
        let journal = Self {
            path: path.to_owned(),
            state: Mutex::new(State {
                file,
                parts,
                written: BTreeMap::new(),
            }),
        };
        match is_same {
            // A line may have been cut off.
            true => journal.write(&mut journal.state(), b"\n")?,
            false => journal.line(&mut journal.state(), &Line::Comparison(head.clone()))?,
        }
        Ok((journal, done))
    }

    /// How far a former run came with a table.
    pub(super) fn part(&self, pair: &TablePair) -> Option<Part> {
        let line = self.state().parts.remove(&pair.source.name)?;
        if line.definition != pair.fingerprint() {
            return None;
        }
        let (key, key_there) = (pair.source.key.as_ref()?, pair.destination.key.as_ref()?);
        let suspects: Option<Vec<Suspect>> = line
            .suspects
            .into_iter()
            .map(|(kind, text)| {
                let key = match kind {
                    RowDifferenceKind::Extra => key_there,
                    _ => key,
                };
                Some(Suspect {
                    kind,
                    key: Bound::parse(&text, key)?,
                })
            })
            .collect();
        Some(Part {
            lower: Bound::parse(&line.lower, key)?,
            counts: line.counts,
            examples: line.examples,
            suspects: suspects?,
        })
    }

    /// Writes how far a table is, now and then.
    pub(super) fn keep_part(&self, pair: &TablePair, part: &Part) -> Result<(), CompareError> {
        let table = &pair.source.name;
        let mut state = self.state();
        let is_new = state
            .written
            .get(table)
            .is_some_and(|written| written.elapsed() < PART_PERIOD);
        if is_new {
            return Ok(());
        }
        state.written.insert(table.clone(), Instant::now());
        let line = Line::Part(PartLine {
            source: names(table),
            definition: pair.fingerprint(),
            lower: part.lower.text(),
            counts: part.counts,
            examples: part.examples.clone(),
            suspects: part
                .suspects
                .iter()
                .map(|suspect| (suspect.kind, suspect.key.text()))
                .collect(),
        });
        self.line(&mut state, &line)
    }

    /// Writes a table's result.
    pub(super) fn keep_table(&self, result: &TableResult) -> Result<(), CompareError> {
        let mut state = self.state();
        state.written.remove(&result.source);
        let line = Line::Table(TableLine {
            source: names(&result.source),
            destination: names(&result.destination),
            verdict: result.verdict.clone(),
            counts: result.counts,
            structure: result.structure.clone(),
            notes: result.notes.clone(),
            examples: result.examples.clone(),
            duration_ms: u64::try_from(result.duration.as_millis()).unwrap_or(u64::MAX),
        });
        self.line(&mut state, &line)
    }

    /// The comparison is done, and nothing is to go on from.
    pub(super) fn remove(self) -> Result<(), CompareError> {
        std::fs::remove_file(&self.path).map_err(|source| CompareError::Journal {
            path: self.path,
            source,
        })
    }

    fn line(&self, state: &mut State, line: &Line) -> Result<(), CompareError> {
        let mut bytes = serde_json::to_vec(line).map_err(|error| CompareError::Journal {
            path: self.path.clone(),
            source: error.into(),
        })?;
        bytes.push(b'\n');
        self.write(state, &bytes)
    }

    fn write(&self, state: &mut State, bytes: &[u8]) -> Result<(), CompareError> {
        state
            .file
            .write_all(bytes)
            .map_err(|source| CompareError::Journal {
                path: self.path.clone(),
                source,
            })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TableLine {
    fn result(self) -> Option<TableResult> {
        Some(TableResult {
            source: TableName::new(&self.source.0, &self.source.1).ok()?,
            destination: TableName::new(&self.destination.0, &self.destination.1).ok()?,
            verdict: self.verdict,
            counts: self.counts,
            structure: self.structure,
            notes: self.notes,
            examples: self.examples,
            duration: Duration::from_millis(self.duration_ms),
        })
    }
}

fn names(table: &TableName) -> (String, String) {
    (table.database.as_str().to_owned(), table.table.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_is_of_one_comparison_and_one_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let head = |settings: &str| Head {
            task: "task".to_owned(),
            level: CompareLevel::Values,
            settings: settings.to_owned(),
            servers: ["a".to_owned(), "b".to_owned()],
        };
        let (journal, done) = Journal::open(&path, &head("x")).unwrap();
        assert!(done.is_empty());
        let again = Journal::open(&path, &head("x"));
        assert!(matches!(again, Err(CompareError::JournalInUse { .. })));
        drop(journal);
        let other = Journal::open(&path, &head("y"));
        assert!(matches!(other, Err(CompareError::OtherJournal { .. })));
        assert!(Journal::open(&path, &head("x")).is_ok());
    }
}
