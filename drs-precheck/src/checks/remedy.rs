//! Statements that repair, in the words of the server's version.

use drs_core::ServerVersion;

/// Sets a global variable, for good where the server can do that.
pub(super) fn set_global(version: ServerVersion, name: &str, value: &str) -> String {
    match version.is_mysql_at_least(8, 0, 0) {
        true => format!("SET PERSIST {name} = {value}"),
        false => format!("SET GLOBAL {name} = {value}"),
    }
}

/// What to do besides, for a variable that a server only keeps until it restarts.
pub(super) fn keep_setting(version: ServerVersion, name: &str, value: &str) -> Option<String> {
    let is_kept = version.is_mysql_at_least(8, 0, 0);
    (!is_kept).then(|| format!("write {name} = {value} into the server's configuration file too"))
}

/// A text as a statement writes it.
pub(super) fn text(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}
