//! The task file, and the passwords that it leaves to the user.

use std::{
    io::{self, IsTerminal},
    path::Path,
};

use drs_core::{Address, Endpoint, PasswordSource, Role, Task};

use crate::exit::CommandError;

/// Reads a task file, and asks at the terminal for the passwords of `roles` that it does not give.
///
/// Servers reached by a Unix socket are not asked for: accounts there mostly have none.
pub(crate) fn load(path: &Path, roles: &[Role]) -> Result<Task, CommandError> {
    let mut task = Task::load(path).map_err(|source| CommandError::TaskFile {
        path: path.to_owned(),
        source,
    })?;
    for &role in roles {
        if !needs_password(task.endpoint(role)) {
            continue;
        }
        if !io::stdin().is_terminal() {
            return Err(CommandError::NoPassword {
                path: path.to_owned(),
                role,
            });
        }
        let endpoint = task.endpoint(role);
        let prompt = format!(
            "Password of {} at the {role} {}: ",
            endpoint.user(),
            endpoint.address()
        );
        let password = rpassword::prompt_password(prompt)
            .map_err(|source| CommandError::Prompt { role, source })?;
        task = task.with_password(role, password.into());
    }
    Ok(task)
}

fn needs_password(endpoint: &Endpoint) -> bool {
    matches!(endpoint.address(), Address::Tcp { .. })
        && matches!(endpoint.password_origin(), PasswordSource::Absent)
}
