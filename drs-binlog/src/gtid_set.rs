use std::{collections::BTreeMap, fmt, str::FromStr};

use crate::{
    Error, Reader, Result,
    gtid::{Gtid, Tag, Uuid, parse_number},
};

/// A set of GTIDs, kept as intervals: `uuid:1-5:7, uuid2:1-9:tag:1-3`.
///
/// `Display` is the server's canonical form on one line (sorted, intervals
/// merged, lower case, a comma between sources); `{:#}` breaks the line after
/// each comma, as the server itself prints `@@gtid_executed`.
///
/// ```
/// use drs_binlog::GtidSet;
/// let mut done: GtidSet = "ea352a82-e9a0-11ea-b650-fa163e1e82ed:1-5:7".parse()?;
/// done.add("ea352a82-e9a0-11ea-b650-fa163e1e82ed:6".parse()?);
/// assert_eq!(done.to_string(), "ea352a82-e9a0-11ea-b650-fa163e1e82ed:1-7");
/// # Ok::<(), drs_binlog::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct GtidSet {
    /// Sorted, disjoint, not adjacent, never empty.
    intervals: BTreeMap<(Uuid, Tag), Vec<Interval>>,
}

/// Consecutive transaction numbers, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interval {
    /// The first number.
    pub first: u64,
    /// The last number, not smaller than `first`.
    pub last: u64,
}

impl GtidSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// True when nothing is in the set.
    pub fn is_empty(&self) -> bool {
        self.intervals.is_empty()
    }

    /// True when the GTID is in the set.
    pub fn contains(&self, gtid: &Gtid) -> bool {
        let Some(intervals) = self.intervals.get(&(gtid.source, gtid.tag)) else {
            return false;
        };
        let at = intervals.partition_point(|i| i.last < gtid.number);
        intervals.get(at).is_some_and(|i| i.first <= gtid.number)
    }

    /// True when every GTID of this set is in the other one.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.iter().all(|(source, tag, own)| {
            let Some(intervals) = other.intervals.get(&(source, tag)) else {
                return false;
            };
            let at = intervals.partition_point(|i| i.last < own.first);
            intervals
                .get(at)
                .is_some_and(|i| i.first <= own.first && own.last <= i.last)
        })
    }

    /// True when every GTID of the other set is in this one.
    pub fn contains_set(&self, other: &Self) -> bool {
        other.is_subset(self)
    }

    /// Puts one GTID into the set.
    pub fn add(&mut self, gtid: Gtid) {
        self.add_interval(
            gtid.source,
            gtid.tag,
            Interval {
                first: gtid.number,
                last: gtid.number,
            },
        );
    }

    /// Puts consecutive GTIDs into the set; an interval that ends before it begins adds nothing.
    pub fn add_interval(&mut self, source: Uuid, tag: Tag, new: Interval) {
        if new.first > new.last {
            return;
        }
        let intervals = self.intervals.entry((source, tag)).or_default();
        // All that overlap or touch the new one become one with it.
        let from = intervals.partition_point(|i| i.last.saturating_add(1) < new.first);
        let to = intervals.partition_point(|i| i.first <= new.last.saturating_add(1));
        let mut merged = new;
        for old in intervals.get(from..to).unwrap_or_default() {
            merged.first = merged.first.min(old.first);
            merged.last = merged.last.max(old.last);
        }
        match intervals.get_mut(from) {
            Some(only) if to == from + 1 => *only = merged,
            _ => drop(intervals.splice(from..to.max(from), [merged])),
        }
    }

    /// Puts all of the other set into this one.
    pub fn union(&mut self, other: &Self) {
        for (source, tag, interval) in other.iter() {
            self.add_interval(source, tag, interval);
        }
    }

    /// Takes all of the other set out of this one.
    pub fn subtract(&mut self, other: &Self) {
        for (key, minus) in &other.intervals {
            let Some(own) = self.intervals.get_mut(key) else {
                continue;
            };
            *own = difference(own, minus);
            if own.is_empty() {
                self.intervals.remove(key);
            }
        }
    }

    /// The intervals, sorted by source, tag and number.
    pub fn iter(&self) -> impl Iterator<Item = (Uuid, Tag, Interval)> + '_ {
        self.intervals
            .iter()
            .flat_map(|((source, tag), intervals)| intervals.iter().map(|i| (*source, *tag, *i)))
    }

    /// How many GTIDs are in the set.
    pub fn count(&self) -> u128 {
        self.iter()
            .map(|(_, _, i)| u128::from(i.last - i.first) + 1)
            .sum()
    }

    /// True when a GTID of the set has a tag.
    pub fn has_tags(&self) -> bool {
        self.intervals.keys().any(|(_, tag)| !tag.is_empty())
    }

    /// The set's text with this between two sources.
    pub(crate) fn separated_by(&self, separator: &'static str) -> impl fmt::Display + '_ {
        struct Separated<'a>(&'a GtidSet, &'static str);
        impl fmt::Display for Separated<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut last = None;
                for ((source, tag), intervals) in &self.0.intervals {
                    match last {
                        Some(previous) if previous == source => {}
                        Some(_) => write!(f, "{}{source}", self.1)?,
                        None => write!(f, "{source}")?,
                    }
                    last = Some(source);
                    if !tag.is_empty() {
                        write!(f, ":{tag}")?;
                    }
                    for Interval { first, last } in intervals {
                        match first == last {
                            true => write!(f, ":{first}")?,
                            false => write!(f, ":{first}-{last}")?,
                        }
                    }
                }
                Ok(())
            }
        }
        Separated(self, separator)
    }
}

/// What of `own` is not in `minus`; both are sorted and disjoint.
fn difference(own: &[Interval], minus: &[Interval]) -> Vec<Interval> {
    let mut left = Vec::with_capacity(own.len());
    let mut minus = minus.iter().peekable();
    for interval in own {
        let mut first = interval.first;
        while minus.next_if(|m| m.last < first).is_some() {}
        let mut ahead = minus.clone();
        while let Some(m) = ahead.next_if(|m| m.first <= interval.last) {
            if first < m.first {
                left.push(Interval {
                    first,
                    last: m.first - 1,
                });
            }
            first = m.last.saturating_add(1).max(first);
        }
        if first <= interval.last {
            left.push(Interval {
                first,
                last: interval.last,
            });
        }
    }
    left
}

impl FromStr for GtidSet {
    type Err = Error;

    /// Accepts the server's grammar: sources separated by commas (empty ones
    /// are skipped), each with tags and intervals after colons, in any order
    /// and spacing; an interval that ends before it begins is empty.
    fn from_str(text: &str) -> Result<Self> {
        let fail = |reason| Error::parse("GTID set", text, reason);
        let mut set = Self::new();
        for item in text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
        {
            let mut parts = item.split(':').map(str::trim);
            let source: Uuid = parts.next().unwrap_or_default().parse()?;
            let mut tag = Tag::NONE;
            let mut complete = false;
            for part in parts {
                if part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                    if !tag.is_empty() && !complete {
                        return Err(fail("a tag has no interval after it"));
                    }
                    tag = part.parse()?;
                    complete = false;
                    continue;
                }
                let (first, last) = part.split_once('-').unwrap_or((part, part));
                let (Some(first), Some(last)) =
                    (parse_number(first.trim()), parse_end(last.trim()))
                else {
                    return Err(fail(
                        "an interval is a number from 1 to 2^63-2, or two with a - between",
                    ));
                };
                set.add_interval(source, tag, Interval { first, last });
                complete = true;
            }
            if !complete {
                return Err(fail("a UUID or a tag has no interval after it"));
            }
        }
        Ok(set)
    }
}

/// The end of an interval may be 0, which makes the interval empty.
fn parse_end(text: &str) -> Option<u64> {
    if !text.is_empty() && text.bytes().all(|b| b == b'0') {
        Some(0)
    } else {
        parse_number(text)
    }
}

impl fmt::Display for GtidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if f.alternate() { ",\n" } else { "," };
        fmt::Display::fmt(&self.separated_by(separator), f)
    }
}

impl fmt::Debug for GtidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.separated_by(","))
    }
}

impl FromIterator<Gtid> for GtidSet {
    fn from_iter<I: IntoIterator<Item = Gtid>>(gtids: I) -> Self {
        let mut set = Self::new();
        gtids.into_iter().for_each(|gtid| set.add(gtid));
        set
    }
}

/// Marks the tagged form in the first and last byte of the set's head.
const TAGGED: u64 = 1 << 56 | 1;

impl GtidSet {
    /// The bytes of the set as COM_BINLOG_DUMP_GTID and PREVIOUS_GTIDS have them.
    ///
    /// Sets with tags take the form that MySQL 8.3 brought; others the older
    /// one, which every server reads.
    pub fn encode(&self) -> Vec<u8> {
        let tagged = self.has_tags();
        let groups = self.intervals.len() as u64;
        let head = if tagged { groups << 8 | TAGGED } else { groups };
        let mut bytes = head.to_le_bytes().to_vec();
        for ((source, tag), intervals) in &self.intervals {
            bytes.extend(source.0);
            if tagged {
                // The length is a varlen integer; below 64 it is one byte, shifted left by one.
                bytes.push((tag.as_str().len() as u8) << 1);
                bytes.extend(tag.as_str().bytes());
            }
            bytes.extend((intervals.len() as u64).to_le_bytes());
            for interval in intervals {
                bytes.extend(interval.first.to_le_bytes());
                bytes.extend((interval.last + 1).to_le_bytes());
            }
        }
        bytes
    }

    /// Reads what [`encode`](Self::encode) writes, to the reader's end.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self> {
        let head = reader.u64()?;
        let (tagged, groups) = match (head >> 56, head & 0xff) {
            (1, 1) => (true, head >> 8 & 0xffff_ffff_ffff),
            (0, _) => (false, head),
            _ => return Err(reader.malformed("a GTID set of an unknown form")),
        };
        let mut set = Self::new();
        let mut previous = None;
        for _ in 0..groups {
            let source = Uuid(reader.take_array()?);
            let tag = if tagged {
                decode_tag(reader)?
            } else {
                Tag::NONE
            };
            let count = reader.u64()?;
            let mut end = 0;
            for _ in 0..count {
                let (first, after) = (reader.u64()?, reader.u64()?);
                if first <= end || after <= first || after > Gtid::NUMBER_MAX + 1 {
                    return Err(reader.malformed("the intervals of a GTID set are not in order"));
                }
                end = after;
                set.add_interval(
                    source,
                    tag,
                    Interval {
                        first,
                        last: after - 1,
                    },
                );
            }
            if previous.replace((source, tag)) == Some((source, tag)) {
                return Err(reader.malformed("a source is twice in a GTID set"));
            }
        }
        reader.finish()?;
        Ok(set)
    }
}

fn decode_tag(reader: &mut Reader<'_>) -> Result<Tag> {
    let len = reader.u8()?;
    if len & 1 != 0 || usize::from(len >> 1) > Tag::LEN_MAX {
        return Err(reader.malformed("a GTID tag is too long"));
    }
    let bytes = reader.take(usize::from(len >> 1))?;
    let text = std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| text.parse().ok());
    text.ok_or_else(|| reader.malformed("not a GTID tag"))
}

/// Reads `data` as an event has a set, and as a text; what is valid prints and parses to itself.
pub fn fuzz_gtid_set(data: &[u8]) {
    let decoded = GtidSet::decode(&mut Reader::new(data, 0, crate::EventType::PREVIOUS_GTIDS)).ok();
    let parsed = std::str::from_utf8(data)
        .ok()
        .and_then(|text| text.parse::<GtidSet>().ok());
    for set in decoded.into_iter().chain(parsed) {
        assert_eq!(set.to_string().parse().ok().as_ref(), Some(&set));
        let bytes = set.encode();
        let again = GtidSet::decode(&mut Reader::new(
            &bytes,
            0,
            crate::EventType::PREVIOUS_GTIDS,
        ));
        assert_eq!(again.ok().as_ref(), Some(&set));
    }
}
