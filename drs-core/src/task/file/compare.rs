use super::{TaskError, TomlTable, flow_control};
use crate::{
    Selection,
    task::{COMPARE_EXAMPLES_MAX, CompareSettings, Sessions, StartAt},
};

/// Reads `[compare]`.
pub(super) fn read(table: &TomlTable<'_>) -> Result<CompareSettings, TaskError> {
    let mut settings = CompareSettings::default();
    if let Some(text) = table.string_or_time("start_at")? {
        let start_at = text.parse::<StartAt>();
        settings.start_at = start_at.map_err(|error| table.refuse("start_at", error))?;
    }
    if let Some(sessions) = table.integer("sessions")? {
        let sessions = Sessions::new(sessions);
        settings.sessions = sessions.map_err(|error| table.refuse("sessions", error))?;
    }
    settings.flow_control = flow_control(table)?;
    let tables = table.strings("tables")?;
    if !tables.is_empty() {
        let tables = Selection::new(&tables, &[]);
        settings.tables = Some(tables.map_err(|error| table.refuse("tables", error))?);
    }
    if let Some(examples) = table.integer("examples")? {
        if examples > COMPARE_EXAMPLES_MAX {
            let reason = format!("{examples} are too many; 0 to {COMPARE_EXAMPLES_MAX} are taken");
            return Err(table.refuse("examples", reason));
        }
        settings.examples = examples;
    }
    Ok(settings)
}
