//! What the servers' errors mean for the engine, and how they may be shown.

use mysql_common::proto::codec::error::PacketCodecError;

/// A transaction was rolled back, or a statement gave up waiting: the same again may succeed.
pub(crate) fn is_lock_conflict(error: &mysql::Error) -> bool {
    // ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK, ER_XA_RBDEADLOCK, ER_LOCK_NOWAIT.
    matches!(server_code(error), Some(1205 | 1213 | 1614 | 3572))
}

/// The connection is gone; whether the last statement took effect is not known.
pub(crate) fn is_connection_lost(error: &mysql::Error) -> bool {
    match error {
        // A statement that is too long for the server stays so.
        mysql::Error::CodecError(PacketCodecError::PacketTooLarge) => false,
        mysql::Error::IoError(_) | mysql::Error::CodecError(_) => true,
        mysql::Error::DriverError(driver) => matches!(
            driver,
            mysql::DriverError::CouldNotConnect(_)
                | mysql::DriverError::ConnectTimeout
                | mysql::DriverError::Timeout
                | mysql::DriverError::UnexpectedPacket
                | mysql::DriverError::PacketOutOfSync
        ),
        // ER_SERVER_SHUTDOWN, ER_NORMAL_SHUTDOWN, ER_QUERY_INTERRUPTED, ER_SESSION_WAS_KILLED,
        // ER_CLIENT_INTERACTION_TIMEOUT, ER_CON_COUNT_ERROR, ER_CONNECTION_KILLED.
        mysql::Error::MySqlError(_) => matches!(
            server_code(error),
            Some(1053 | 1077 | 1317 | 1927 | 3169 | 4031 | 1040)
        ),
        _ => false,
    }
}

/// The statement is larger than the server, or this program's idea of it, allows.
pub(crate) fn is_too_large(error: &mysql::Error) -> bool {
    // ER_NET_PACKET_TOO_LARGE.
    server_code(error) == Some(1153)
        || matches!(
            error,
            mysql::Error::CodecError(PacketCodecError::PacketTooLarge)
        )
}

/// True when trying again, on a new connection if need be, may help.
pub(crate) fn is_transient(error: &mysql::Error) -> bool {
    is_lock_conflict(error) || is_connection_lost(error)
}

/// MySQL's error number, when the server answered with one.
pub(crate) fn server_code(error: &mysql::Error) -> Option<u16> {
    match error {
        mysql::Error::MySqlError(error) => Some(error.code),
        _ => None,
    }
}

/// The error's text without row values: what servers quote in such messages is cut out,
/// names of keys and columns excepted.
pub(crate) fn redacted(error: &mysql::Error) -> String {
    match error {
        mysql::Error::MySqlError(error) => {
            format!(
                "error {} ({}): {}",
                error.code,
                error.state,
                without_values(&error.message)
            )
        }
        other => other.to_string(),
    }
}

/// Replaces each quoted part of a server message, unless the words before it say that it is a name.
pub(crate) fn without_values(message: &str) -> String {
    const BEFORE_NAMES: [&str; 16] = [
        "key",
        "column",
        "Column",
        "Table",
        "table",
        "database",
        "field",
        "Field",
        "constraint",
        "Unknown",
        "user",
        "variable",
        "CONSTRAINT",
        "option",
        "function",
        "index",
    ];
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(open) = rest.find('\'') {
        let (before, quoted) = rest.split_at(open);
        out.push_str(before);
        let word = before
            .trim_end()
            .rsplit(|c: char| !c.is_alphanumeric())
            .next()
            .unwrap_or_default();
        let name = BEFORE_NAMES.contains(&word);
        // A value may hold quotes itself: everything up to the last quote that ends a word is cut.
        let end = if name {
            quoted
                .get(1..)
                .and_then(|tail| tail.find('\''))
                .map(|at| at + 2)
        } else {
            [
                "' for key ",
                "' for column ",
                "' for function ",
                "' at row",
                "' to ",
                "' near ",
            ]
            .iter()
            .find_map(|end| {
                quoted
                    .get(1..)
                    .and_then(|tail| tail.rfind(end))
                    .map(|at| at + 2)
            })
        };
        let end = end.unwrap_or(quoted.len());
        out.push_str(if name {
            quoted.get(..end).unwrap_or(quoted)
        } else {
            "'…'"
        });
        rest = quoted.get(end..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_cut_out_and_names_stay() {
        let cases = [
            (
                "Duplicate entry 'secret-1' for key 'orders.PRIMARY'",
                "Duplicate entry '…' for key 'orders.PRIMARY'",
            ),
            (
                "Duplicate entry 'it's 'quoted'' for key 'u'",
                "Duplicate entry '…' for key 'u'",
            ),
            (
                "Incorrect string value: '\\xF0\\x9F' for column 'name' at row 1",
                "Incorrect string value: '…' for column 'name' at row 1",
            ),
            (
                "Data too long for column 'c' at row 3",
                "Data too long for column 'c' at row 3",
            ),
            ("Table 'shop.t' doesn't exist", "Table 'shop.t' doesn'…'"),
            (
                "Incorrect integer value: 'abc",
                "Incorrect integer value: '…'",
            ),
        ];
        for (message, shown) in cases {
            assert_eq!(without_values(message), shown);
        }
    }
}
