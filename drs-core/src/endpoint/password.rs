use std::{fmt, io::Read, path::PathBuf};

/// A password: it prints as nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// The longest password file that makes sense, in bytes.
const PASSWORD_FILE_BYTES_MAX: u64 = 4096;

impl Password {
    /// The password itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// True for the empty password, which is no secret.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Password {
    fn from(password: String) -> Self {
        Self(password)
    }
}

impl From<&str> for Password {
    fn from(password: &str) -> Self {
        Self(password.to_owned())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// Where a connection takes its password from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordSource {
    /// Nothing was said: the empty password, unless the user is asked.
    Absent,
    /// The password itself.
    Plain(Password),
    /// An environment variable of this name.
    Env(String),
    /// A file of one line; read anew for each connection, so that it can be changed under way.
    File(PathBuf),
}

impl PasswordSource {
    /// The password, or what keeps it from being read.
    pub(super) fn resolve(&self) -> Result<Password, String> {
        match self {
            Self::Absent => Ok(Password(String::new())),
            Self::Plain(password) => Ok(password.clone()),
            Self::Env(name) => match std::env::var(name) {
                Ok(password) => Ok(Password(password)),
                Err(std::env::VarError::NotPresent) => {
                    Err(format!("the environment variable {name} is not set"))
                }
                Err(std::env::VarError::NotUnicode(_)) => {
                    Err(format!("the environment variable {name} is not UTF-8"))
                }
            },
            Self::File(path) => {
                let failed = |error: std::io::Error| {
                    format!("cannot read the file {}: {error}", path.display())
                };
                let file = std::fs::File::open(path).map_err(failed)?;
                let mut text = String::new();
                let bytes = file
                    .take(PASSWORD_FILE_BYTES_MAX + 1)
                    .read_to_string(&mut text)
                    .map_err(failed)?;
                if bytes as u64 > PASSWORD_FILE_BYTES_MAX {
                    return Err(format!(
                        "the file {} is too long to be a password",
                        path.display()
                    ));
                }
                let line = text.strip_suffix('\n').unwrap_or(&text);
                let line = line.strip_suffix('\r').unwrap_or(line);
                if line.contains('\n') {
                    return Err(format!(
                        "the file {} has more than one line",
                        path.display()
                    ));
                }
                Ok(Password(line.to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_nothing() {
        let source = PasswordSource::Plain("hunter2".into());
        assert_eq!(format!("{source:?}"), "Plain(Password)");
    }

    #[test]
    fn reads_one_line_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let long = "x".repeat(5000);
        for (content, expected) in [
            ("s3cret", Ok("s3cret")),
            ("s3cret\n", Ok("s3cret")),
            (" s3cret \r\n", Ok(" s3cret ")),
            ("", Ok("")),
            ("a\nb\n", Err("has more than one line")),
            (long.as_str(), Err("is too long to be a password")),
        ] {
            std::fs::write(&path, content).unwrap();
            let result = PasswordSource::File(path.clone()).resolve();
            match expected {
                Ok(password) => assert_eq!(result.unwrap().reveal(), password),
                Err(message) => {
                    let error = result.unwrap_err();
                    assert!(error.ends_with(message), "{error}");
                }
            }
        }
        assert!(
            PasswordSource::File(folder.path().join("none"))
                .resolve()
                .unwrap_err()
                .contains("cannot read")
        );
    }

    #[test]
    fn names_a_variable_that_is_not_set() {
        let error = PasswordSource::Env("DRS_TEST_NO_SUCH_VARIABLE".to_owned())
            .resolve()
            .unwrap_err();
        assert_eq!(
            error,
            "the environment variable DRS_TEST_NO_SUCH_VARIABLE is not set"
        );
        // `cargo` sets this one for every test.
        let present = PasswordSource::Env("CARGO_PKG_NAME".to_owned())
            .resolve()
            .unwrap();
        assert_eq!(present.reveal(), "drs-core");
    }
}
