use std::fmt::Write as _;

use crate::object::TableName;

/// What a statement must report to have done what the source did.
#[derive(Clone, Debug)]
pub(crate) struct Expectation {
    /// The table, for the error; `None` for drs's own statements.
    pub(crate) table: Option<TableName>,
    /// Affected rows; `None` when any number is right (lenient statements).
    pub(crate) affected_rows: Option<u64>,
}

/// SQL text that travels in one round trip, and what its statements must report.
#[derive(Debug, Default)]
pub(crate) struct Packet {
    pub(crate) text: String,
    pub(crate) expectations: Vec<Expectation>,
    /// Where each statement ends in the text.
    ends: Vec<usize>,
}

/// Statements that the server proves by itself at the end of a batch: each costs it a further one.
const PROVED_STATEMENTS_MAX: usize = 64;

impl Expectation {
    /// A statement of drs's own: BEGIN, a session's setting.
    pub(crate) fn own(affected_rows: Option<u64>) -> Self {
        Self {
            table: None,
            affected_rows,
        }
    }

    /// A statement that fails unless the one before it did what is expected here; `None` for one that
    /// can't do anything else.
    ///
    /// A sum out of range is an error in every mode, and an error ends the packet: what stands behind
    /// it does not run. The statement uses no table, so that the server still has the warnings of the
    /// one before it.
    fn proof(&self) -> Option<String> {
        let mut proof = "SET @drs_proof = 18446744073709551615 + (@@warning_count > 0".to_owned();
        match (self.affected_rows, &self.table) {
            (Some(rows), _) => _ = write!(proof, " OR ROW_COUNT() <> {rows}"),
            (None, Some(_)) => {}
            (None, None) => return None,
        }
        proof.push(')');
        Some(proof)
    }
}

impl Packet {
    pub(crate) fn push(&mut self, statement: &str, expectation: Expectation) {
        if !self.text.is_empty() {
            self.text.push(';');
        }
        self.text.push_str(statement);
        self.ends.push(self.text.len());
        self.expectations.push(expectation);
    }

    /// The same with a proof behind each statement.
    fn proved(self) -> Self {
        let mut proved = Self::default();
        let mut from = 0;
        for (end, expectation) in self.ends.into_iter().zip(self.expectations) {
            let statement = self.text.get(from..end).unwrap_or_default();
            proved.push_proved(statement, expectation);
            from = end + 1;
        }
        proved
    }

    fn push_proved(&mut self, statement: &str, expectation: Expectation) {
        let proof = expectation.proof();
        self.push(statement, expectation);
        if let Some(proof) = proof {
            self.push(&proof, Expectation::own(None));
        }
    }
}

/// Adds the checkpoint and the COMMIT to the packets of a transaction.
///
/// The last packet commits, in the same round trip, only if the server has found that all of its
/// statements did what they should; those of the packets before it have been looked at by then. The
/// last data go with it if there is room and they are few statements.
pub(crate) fn ending_in_commit(
    mut packets: Vec<Packet>,
    checkpoint: &str,
    packet_bytes_max: usize,
) -> Vec<Packet> {
    let has_room = |packet: &mut Packet| {
        packet.expectations.len() <= PROVED_STATEMENTS_MAX
            && packet.text.len() + checkpoint.len() + PROOFS_BYTES_MAX <= packet_bytes_max
    };
    let mut last = packets.pop_if(has_room).unwrap_or_default().proved();
    last.push_proved(checkpoint, Expectation::own(Some(1)));
    last.push("COMMIT", Expectation::own(None));
    packets.push(last);
    packets
}

/// All proofs of a packet, and its COMMIT.
const PROOFS_BYTES_MAX: usize = (PROVED_STATEMENTS_MAX + 1) * 128;

#[cfg(test)]
mod tests {
    use drs_testkit::{Installation, Server, Version};
    use mysql::{Conn, prelude::Queryable};

    use super::*;

    fn data(affected_rows: Option<u64>) -> Expectation {
        Expectation {
            table: Some(TableName::new("d", "t").unwrap()),
            affected_rows,
        }
    }

    fn packet(statements: &[(&str, Option<u64>)]) -> Packet {
        let mut packet = Packet::default();
        packet.push("BEGIN", Expectation::own(None));
        for (statement, rows) in statements {
            packet.push(statement, data(*rows));
        }
        packet
    }

    #[test]
    fn the_last_packet_commits_with_few_statements_or_alone() {
        let sizes = |statements: usize, bytes_max: usize| {
            let statements = vec![("DELETE FROM t", Some(1)); statements];
            let packets = ending_in_commit(vec![packet(&statements)], "UPDATE l", bytes_max);
            assert!(
                packets
                    .iter()
                    .all(|it| it.ends.len() == it.expectations.len())
            );
            let texts = packets.into_iter().map(|it| it.text);
            texts.map(|it| it.split(';').count()).collect::<Vec<_>>()
        };
        let proof_of_checkpoint = 2;
        assert_eq!(sizes(1, 1 << 20), [1 + 2 + proof_of_checkpoint + 1]);
        assert_eq!(sizes(63, 1 << 20), [1 + 63 * 2 + proof_of_checkpoint + 1]);
        assert_eq!(sizes(64, 1 << 20), [1 + 64, proof_of_checkpoint + 1]);
        assert_eq!(sizes(1, 1 << 10), [1 + 1, proof_of_checkpoint + 1]);
    }

    #[test]
    fn servers_commit_only_what_did_as_expected() {
        for version in [Version::MySql97, Version::MySql56] {
            let installation = Installation::find_or_fetch(version).unwrap();
            let server = Server::builder(&installation)
                .in_memory(true)
                .start()
                .unwrap();
            let opts = mysql::OptsBuilder::from_opts(server.opts())
                .additional_capabilities(mysql::consts::CapabilityFlags::CLIENT_FOUND_ROWS);
            let mut conn = Conn::new(opts).unwrap();
            for statement in [
                "CREATE DATABASE d",
                "USE d",
                "CREATE TABLE t (id INT PRIMARY KEY, n INT)",
                "CREATE TABLE l (batch INT)",
                "INSERT INTO l VALUES (0)",
                "SET sql_mode = ''",
            ] {
                conn.query_drop(statement).unwrap();
            }
            let mut committed = 0;
            let mut send = |statements: &[(&str, Option<u64>)], checkpoint: &str| {
                let packets = ending_in_commit(vec![packet(statements)], checkpoint, 1 << 20);
                for packet in packets {
                    // Nobody looks at the results here: it is the server that must stop.
                    conn.query_drop(&packet.text).unwrap();
                }
                conn.query_drop("ROLLBACK").unwrap();
                let now: u32 = conn.query_first("SELECT batch FROM l").unwrap().unwrap();
                std::mem::replace(&mut committed, now) != now
            };
            let insert = "INSERT INTO t VALUES (1, 1), (2, 1)";
            let checkpoint = "UPDATE l SET batch = batch + 1";
            let fenced = "UPDATE l SET batch = batch + 1 WHERE batch < 0";
            // What was there and is changed counts twice, what stays as it is once.
            let upsert =
                "INSERT INTO t VALUES (1, 2), (2, 1), (3, 1) ON DUPLICATE KEY UPDATE n = VALUES(n)";
            let warns = "UPDATE t SET n = 'x' WHERE id = 1";
            for (statements, checkpoint, commits) in [
                (&[(insert, Some(1))][..], checkpoint, false),
                (&[(insert, Some(2))], fenced, false),
                (
                    &[(insert, Some(2)), ("DELETE FROM t", Some(1))],
                    checkpoint,
                    false,
                ),
                (
                    &[("DELETE FROM t", Some(1)), (insert, Some(2))],
                    checkpoint,
                    false,
                ),
                (&[("INSERT INTO t VALUES (1)", None)], checkpoint, false),
                (&[(insert, Some(2))], checkpoint, true),
                (&[("UPDATE t SET n = 1", Some(2))], checkpoint, true),
                (&[("UPDATE t SET n = 1", Some(0))], checkpoint, false),
                (&[("UPDATE t SET n = 3", None)], checkpoint, true),
                (&[(warns, Some(1))], checkpoint, false),
                (&[(warns, None)], checkpoint, false),
                (
                    &[("DELETE FROM t", Some(2)), (insert, Some(2))],
                    checkpoint,
                    true,
                ),
                (
                    &[(upsert, Some(2 + 1 + 1))],
                    checkpoint,
                    version == Version::MySql56,
                ),
                (
                    &[("REPLACE INTO t VALUES (1, 5)", Some(2))],
                    checkpoint,
                    true,
                ),
            ] {
                assert_eq!(
                    send(statements, checkpoint),
                    commits,
                    "{version:?}: {statements:?}"
                );
            }
        }
    }
}
