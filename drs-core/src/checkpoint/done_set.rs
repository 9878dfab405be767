use std::collections::BTreeSet;

use drs_binlog::{GtidSet, Position};

use super::{StreamPoint, TransactionId};

/// The transactions that one lane has committed above the watermark.
///
/// As text: a GTID set, then `|`, then positions as `file:end,end;file:end`.
/// Transactions without a GTID are held by position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DoneSet {
    gtids: GtidSet,
    positions: BTreeSet<Position>,
}

/// Why the text of a [`DoneSet`] could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the checkpoint's list of committed transactions is not readable: {reason}")]
pub struct DoneSetError {
    reason: String,
}

impl DoneSet {
    /// Adds a committed transaction.
    pub fn insert(&mut self, id: &TransactionId) {
        match &id.gtid {
            Some(gtid) => self.gtids.add(*gtid),
            None => _ = self.positions.insert(id.end.clone()),
        }
    }

    /// True when the transaction is in the set.
    pub fn contains(&self, id: &TransactionId) -> bool {
        match &id.gtid {
            Some(gtid) => self.gtids.contains(gtid),
            None => self.positions.contains(&id.end),
        }
    }

    /// True when nothing is in the set.
    pub fn is_empty(&self) -> bool {
        self.gtids.is_empty() && self.positions.is_empty()
    }

    /// Takes in everything of another set.
    pub fn merge(&mut self, other: &Self) {
        self.gtids.union(&other.gtids);
        self.positions.extend(other.positions.iter().cloned());
    }

    /// Drops what is at or before a point.
    pub fn retain_above(&mut self, point: &StreamPoint) {
        if let Some(set) = &point.gtid_set {
            self.gtids.subtract(set);
        }
        self.positions.retain(|position| *position > point.position);
    }

    /// Reads the text that `Display` writes.
    pub fn parse(text: &str) -> Result<Self, DoneSetError> {
        let failed = |reason: &dyn std::fmt::Display| DoneSetError {
            reason: reason.to_string(),
        };
        let Some((gtids, positions)) = text.split_once('|') else {
            return Err(failed(&"it has no '|'"));
        };
        let gtids = gtids.parse().map_err(|e: drs_binlog::Error| failed(&e))?;
        let mut set = Self {
            gtids,
            positions: BTreeSet::new(),
        };
        for group in positions.split(';').filter(|group| !group.is_empty()) {
            let Some((file, offsets)) = group.rsplit_once(':') else {
                return Err(failed(&"a position has no ':'"));
            };
            for offset in offsets.split(',') {
                set.positions.insert(
                    format!("{file}:{offset}")
                        .parse()
                        .map_err(|e: drs_binlog::Error| failed(&e))?,
                );
            }
        }
        Ok(set)
    }
}

impl std::fmt::Display for DoneSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}|", self.gtids)?;
        let mut file = None;
        for position in &self.positions {
            if file == Some(position.file.as_str()) {
                write!(f, ",{}", position.offset)?;
            } else {
                let separator = if file.is_some() { ";" } else { "" };
                write!(f, "{separator}{}:{}", position.file, position.offset)?;
                file = Some(position.file.as_str());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(end: &str, gtid: Option<&str>) -> TransactionId {
        TransactionId {
            end: end.parse().unwrap(),
            gtid: gtid.map(|gtid| gtid.parse().unwrap()),
        }
    }

    #[test]
    fn what_was_put_in_is_read_back() {
        let uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
        let ids = [
            id("bin.000001:120", None),
            id("bin.000001:240", None),
            id("bin.000002:120", None),
            id("bin.000002:500", Some(&format!("{uuid}:7"))),
            id("bin.000002:600", Some(&format!("{uuid}:9"))),
        ];
        let mut set = DoneSet::default();
        for id in &ids {
            set.insert(id);
        }
        let text = set.to_string();
        assert_eq!(
            text,
            format!("{uuid}:7:9|bin.000001:120,240;bin.000002:120")
        );
        let read = DoneSet::parse(&text).unwrap();
        assert_eq!(read, set);
        for id in &ids {
            assert!(read.contains(id), "{id}");
        }
        assert!(!read.contains(&id("bin.000002:240", None)));
        assert!(
            DoneSet::parse(&DoneSet::default().to_string())
                .unwrap()
                .is_empty()
        );
        assert!(DoneSet::parse("nonsense").is_err());
    }
}
