//! The files that reports are written to.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::{data, html, report::Report};
use crate::{
    args::{ReportFile, ReportFormat},
    exit::CommandError,
};

/// Reports that are to be written: their folders can be written to, and what is there already stays
/// until the whole of the new one is.
pub(super) struct Files(Vec<Pending>);

struct Pending {
    path: PathBuf,
    format: ReportFormat,
    /// Nobody but its owner may read it: it will hold values of rows.
    file: NamedTempFile,
}

impl Files {
    /// Makes sure that the files can be written.
    pub(super) fn create(wanted: &[ReportFile]) -> Result<Self, CommandError> {
        let pending = wanted.iter().map(|report| {
            Ok(Pending {
                path: report.path.clone(),
                format: report.format,
                file: beside(&report.path)?,
            })
        });
        pending.collect::<Result<_, _>>().map(Self)
    }

    /// Writes them all.
    pub(super) fn write(self, report: &Report) -> Result<(), CommandError> {
        for Pending {
            path,
            format,
            mut file,
        } in self.0
        {
            let text = match format {
                ReportFormat::Html => html::page(report),
                ReportFormat::Json => format!("{:#}\n", data::report(report)),
            };
            file.write_all(text.as_bytes())
                .and_then(|()| put(file, &path))
                .map_err(|error| {
                    CommandError::Failed(format!("cannot write {}: {error}", path.display()))
                })?;
        }
        Ok(())
    }
}

/// A file in the folder of another one, whose place it will take. Nobody but its owner may read it.
pub(super) fn beside(path: &Path) -> Result<NamedTempFile, CommandError> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    tempfile::Builder::new()
        .prefix(".drs-")
        .tempfile_in(folder)
        .map_err(|error| {
            CommandError::Usage(format!("{} can't be written: {error}", path.display()))
        })
}

/// Puts a whole file in its place.
pub(super) fn put(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{super::report::tests::hostile, *};

    #[test]
    fn a_report_takes_the_place_of_an_older_one_at_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.json");
        fs::write(&path, "old").unwrap();
        let wanted = [ReportFile {
            path: path.clone(),
            format: ReportFormat::Json,
        }];
        drop(Files::create(&wanted).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

        Files::create(&wanted).unwrap().write(&hostile()).unwrap();
        let written: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(written["verdict"], "different");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_at_once() {
        let wanted = [ReportFile {
            path: "/nonexistent/r.html".into(),
            format: ReportFormat::Html,
        }];
        let error = Files::create(&wanted).err().unwrap().to_string();
        assert!(
            error.starts_with("/nonexistent/r.html can't be written: "),
            "{error}"
        );
    }
}
