//! Why a report could not be written: the path, what went wrong, and what to do about it.
//!
//! Nothing here is about what the report says; that is settled before a byte is written. Errors of the operating
//! system are translated in this file, so that "no space left" carries the name of the file and a hint.
//! Invariant: whoever gets a [`WriteError`] may rely on it that nothing half-written stands under the final name.

use std::io;
use std::path::{Path, PathBuf};

/// Why a file or folder could not be written. Printed in two lines: where and what, then the hint.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A file of that name is there.
    #[error("{}: the file exists\nhint: {}", path.display(), self.hint())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Something that the program would not replace is there: a folder, a device, a symbolic link.
    #[error("{}: is {what}\nhint: {}", path.display(), self.hint())]
    NotAFile {
        /// The place.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// The folder holds something that the program did not write.
    #[error("{}: the folder holds {found}, which is not of a report of tppledger\nhint: {}", path.display(), self.hint())]
    ForeignFolder {
        /// The folder.
        path: PathBuf,
        /// The first thing found, by name.
        found: String,
    },
    /// A file name that would lead out of the folder.
    #[error("{}: is no name for a file inside a folder\nhint: {}", path.display(), self.hint())]
    BadName {
        /// The name.
        path: PathBuf,
    },
    /// The operating system could not do it.
    #[error("{}: could not be {doing}: {}\nhint: {}", shown(path), reason(source), self.hint())]
    System {
        /// The file or folder; empty for an output that is no file.
        path: PathBuf,
        /// What was being done, as a participle: "written", "put in place".
        doing: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

fn shown(path: &Path) -> std::path::Display<'_> {
    if path.as_os_str().is_empty() { Path::new("output").display() } else { path.display() }
}

impl WriteError {
    /// An error of the operating system, with its place.
    pub fn system(path: &Path, doing: &'static str, source: io::Error) -> Self {
        WriteError::System { path: path.to_owned(), doing, source }
    }

    /// The file or folder; empty for an output that is no file.
    pub fn path(&self) -> &Path {
        match self {
            WriteError::Exists { path }
            | WriteError::NotAFile { path, .. }
            | WriteError::ForeignFolder { path, .. }
            | WriteError::BadName { path }
            | WriteError::System { path, .. } => path,
        }
    }

    /// Whether the reader of a pipe has gone: the program then ends quietly.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, WriteError::System { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            WriteError::Exists { .. } => "--force replaces it; or name another file",
            WriteError::NotAFile { .. } => "name a file that can be replaced; without --output, data goes to standard output",
            WriteError::ForeignFolder { .. } => "move it away, or name another folder; only what the program wrote is replaced",
            WriteError::BadName { .. } => "a plain name, without / or \\ and not beginning with a dot",
            WriteError::System { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => "create the folder first, or check its name",
                io::ErrorKind::PermissionDenied => "ask for the right to write in that folder, or name another",
                io::ErrorKind::ReadOnlyFilesystem => "name a folder on another disk",
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                    "make room and run the same command again; nothing half-written was left"
                }
                io::ErrorKind::CrossesDevices | io::ErrorKind::ResourceBusy => {
                    "the folder is a disk of its own; name a folder inside it"
                }
                _ => "nothing half-written was left; run the same command again",
            },
        }
    }
}

/// What the system says, in plain words and the same on every system. The library that makes temporary files adds
/// their names, which differ each time and mean nothing to the user; they are cut off.
fn reason(error: &io::Error) -> String {
    let words = match error.kind() {
        io::ErrorKind::NotFound => "there is no such folder",
        io::ErrorKind::PermissionDenied => "permission denied",
        io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only",
        io::ErrorKind::StorageFull => "no space is left on the disk",
        io::ErrorKind::QuotaExceeded => "the disk quota is used up",
        io::ErrorKind::FileTooLarge => "the file is too large for the disk",
        _ => return error.to_string().split(" at path ").next().unwrap_or_default().to_owned(),
    };
    words.to_owned()
}

/// An error of an output whose name is not known here; [`super::write_file`] gives it its place.
impl From<io::Error> for WriteError {
    fn from(source: io::Error) -> Self {
        WriteError::System { path: PathBuf::new(), doing: "written", source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_where_what_and_what_to_do() {
        let exists = WriteError::Exists { path: "out/headroom.csv".into() };
        assert_eq!(exists.to_string(), "out/headroom.csv: the file exists\nhint: --force replaces it; or name another file");
        let full = WriteError::system(Path::new("a.csv"), "written", io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(
            full.to_string(),
            "a.csv: could not be written: no space is left on the disk\nhint: make room and run the same command again; nothing half-written was left"
        );
    }

    #[test]
    fn a_closed_pipe_is_told_apart() {
        let closed = WriteError::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(closed.is_broken_pipe());
        assert!(closed.to_string().starts_with("output: could not be written"));
    }
}
