//! The one public error: what failed, for whom, with which exit code.
//!
//! Four kinds of "no" are kept apart. That the rules say no is a value (a refusal), not an error. That the input is
//! wrong is a list of problems. That the world failed is here. That we are wrong is an assertion with the
//! invariant's name. Foreign errors are converted here and nowhere else.

use std::path::PathBuf;

/// Why a command could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger file does not exist.
    #[error("{}: there is no ledger here\nhint: `tppledger init` makes a new one, or name another with --ledger", path.display())]
    NoLedger {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is a ledger already.
    #[error("{}: there is a ledger here already\nhint: a ledger is never replaced; choose another file with --ledger", path.display())]
    LedgerExists {
        /// Where.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{}: {what}\nhint: {hint}", path.display())]
    NotALedger {
        /// Which file.
        path: PathBuf,
        /// What it is.
        what: String,
        /// What to do.
        hint: String,
    },
    /// Another process keeps the ledger for writing.
    #[error("{}: the ledger is busy: another process has been writing to it for {waited_seconds} s\nhint: try again; a long import finishes by itself", path.display())]
    Busy {
        /// Which ledger.
        path: PathBuf,
        /// How long was waited.
        waited_seconds: u64,
    },
    /// The ledger was written by a newer program.
    #[error("{}: the ledger has schema version {found}, and this program knows versions up to {known}\nhint: use the newer program; nothing was changed", path.display())]
    Newer {
        /// Which ledger.
        path: PathBuf,
        /// Version of the file.
        found: i64,
        /// Version of the program.
        known: i64,
    },
    /// The ledger is bound to another regime.
    #[error(
        "the ledger is kept under the regime {kept} ({kept_digest}), and {given} ({given_digest}) was given\nhint: `tppledger regime adopt DIR` records a change of regime"
    )]
    OtherRegime {
        /// Regime of the ledger.
        kept: String,
        /// Its digest.
        kept_digest: String,
        /// Regime given.
        given: String,
        /// Its digest.
        given_digest: String,
    },
    /// The database engine failed.
    #[error("{what}: {reason}\nhint: {hint}")]
    Storage {
        /// What was being done.
        what: String,
        /// What the engine said.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// A file or folder could not be read or written.
    #[error("{path}: {reason}\nhint: {hint}")]
    File {
        /// Which.
        path: String,
        /// Why.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// The question is not right as asked.
    #[error("{what}\nhint: {hint}")]
    Usage {
        /// What is wrong.
        what: String,
        /// What to do.
        hint: String,
    },
    /// What was asked for is not in the ledger.
    #[error("{what}\nhint: {hint}")]
    NotFound {
        /// What.
        what: String,
        /// What to do.
        hint: String,
    },
    /// The input is wrong; every problem of it, each in its place.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Input(Vec<crate::intake::Problem>),
    /// The reader of the output went away; the program ends quietly.
    #[error("the output was closed")]
    ClosedPipe,
}

/// Result with the public error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The exit code of PRODUCT: 1 failure, 2 usage, 4 input, 6 busy, 7 newer.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Usage { .. } => 2,
            Error::Input(_) => 4,
            Error::Busy { .. } => 6,
            Error::Newer { .. } => 7,
            Error::ClosedPipe => 0,
            _ => 1,
        }
    }

    /// A usage error.
    pub fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Error::Usage { what: what.into(), hint: hint.into() }
    }

    /// A file error.
    pub fn file(path: impl Into<String>, error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Error::ClosedPipe;
        }
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => "check the name",
            std::io::ErrorKind::PermissionDenied => "ask for the right to read or write it",
            std::io::ErrorKind::StorageFull => "free some space and run the same command again; nothing half-written remains",
            _ => "check the file and run the same command again",
        };
        let reason = match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file or folder".to_string(),
            std::io::ErrorKind::PermissionDenied => "permission denied".to_string(),
            // The library that makes temporary files adds their names, which mean nothing to the user.
            _ => error.to_string().split(" at path ").next().unwrap_or_default().to_string(),
        };
        Error::File { path: path.into(), reason, hint: hint.into() }
    }
}
