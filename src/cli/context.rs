//! What every command needs: the ledger, the clock, the answer's form, and how to speak.

#![allow(clippy::disallowed_methods, reason = "the edge: the environment is read here")]

use super::args::{ColorArg, DEFAULT_LEDGER, FormatArg, Global};
use crate::desk::ledger::{Ledger, read_regime, to_keep};
use crate::error::{Error, Result};
use crate::intake::Countries;
use crate::intake::regimes::RegimeText;
use crate::quota::calendar::{Quarter, parse_day};
use crate::quota::codes::Country;
use crate::quota::regime::Regime;
use crate::report::{FileSink, Format, Look, Table, write_file, write_table};
use crate::store::sqlite::SqliteStore;
use chrono::{DateTime, NaiveDate};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

/// The clock, read once, at the edge.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Seconds since 1970-01-01 UTC.
    pub seconds: i64,
}

impl Clock {
    /// The day, in UTC.
    pub fn today(self) -> NaiveDate {
        DateTime::from_timestamp(self.seconds, 0).map_or(NaiveDate::MIN, |moment| moment.date_naive())
    }
}

/// What every command needs.
#[derive(Debug)]
pub struct Context {
    /// Options of every command.
    pub global: Global,
    /// The clock.
    pub clock: Clock,
}

impl Context {
    pub(super) fn new(global: &Global, clock: Clock) -> Self {
        Context { global: global.clone(), clock }
    }

    pub(super) fn today(&self) -> NaiveDate {
        self.clock.today()
    }

    /// Who records: --by, else the login name.
    pub(super) fn recorded_by(&self) -> String {
        let login =
            || ["LOGNAME", "USER", "USERNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()));
        self.global.by.clone().or_else(login).unwrap_or_else(|| "unknown".into())
    }

    /// Whether there is something under the ledger's name.
    pub(super) fn ledger_exists(&self) -> bool {
        self.global.ledger.exists()
    }

    /// Whether the ledger was named, by option or environment, and is not just the one that is looked for.
    pub(super) fn names_a_ledger(&self) -> bool {
        self.global.ledger != Path::new(DEFAULT_LEDGER)
    }

    /// The ledger's name as given.
    pub(super) fn ledger_name(&self) -> String {
        shown(&self.global.ledger)
    }

    /// Opens the ledger for writing.
    pub(super) fn writable(&self) -> Result<Ledger<SqliteStore>> {
        Ledger::new(self.patient(SqliteStore::open(&self.global.ledger)?))
    }

    fn patient(&self, store: SqliteStore) -> SqliteStore {
        store.with_patience(std::time::Duration::from_secs(self.global.wait))
    }

    /// Opens the ledger for reading only.
    pub(super) fn readable(&self) -> Result<Ledger<SqliteStore>> {
        Ledger::new(SqliteStore::open_read_only(&self.global.ledger)?)
    }

    /// Opens the ledger for writing, and makes it first where there is none. A regime that is given must be its own.
    pub(super) fn writable_or_new(&self, regime: Option<&Path>) -> Result<Ledger<SqliteStore>> {
        if !self.ledger_exists() {
            match self.make_ledger(regime) {
                // Somebody else made it in this moment: theirs is as good.
                Err(Error::LedgerExists { .. }) => {}
                made => {
                    let ledger = made?;
                    // A name that was mistyped would begin a second ledger, with the whole limit free.
                    self.say(format!("{}: there was no ledger here; a new one was made", shown(&self.global.ledger)));
                    return Ok(ledger);
                }
            }
        }
        let ledger = self.writable()?;
        if let Some(folder) = regime {
            let (given, digest) = read_regime(&regime_text(folder)?).map_err(Error::Input)?;
            ledger.insist_on(&given, &digest)?;
        }
        Ok(ledger)
    }

    /// Makes a new ledger.
    pub(super) fn make_ledger(&self, regime: Option<&Path>) -> Result<Ledger<SqliteStore>> {
        let text = regime.map_or_else(|| Ok(RegimeText::builtin()), regime_text)?;
        let (kept, _) = to_keep(&text, 0).map_err(Error::Input)?;
        Ledger::new(self.patient(SqliteStore::create(&self.global.ledger, &kept)?))
    }

    pub(super) fn format(&self) -> Format {
        match self.global.format {
            None | Some(FormatArg::Table) => Format::Table,
            Some(FormatArg::Csv) => Format::Csv,
            Some(FormatArg::Json) => Format::Json,
            Some(FormatArg::Jsonl) => Format::JsonLines,
        }
    }

    pub(super) fn is_table(&self) -> bool {
        self.format() == Format::Table
    }

    fn wants_color(&self, terminal: bool) -> bool {
        match self.global.color {
            ColorArg::Always => true,
            ColorArg::Never => false,
            ColorArg::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    pub(super) fn look(&self) -> Look {
        let terminal = self.global.output.is_none() && std::io::stdout().is_terminal();
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        Look { excel: self.global.excel, width: columns.filter(|_| terminal), color: self.wants_color(terminal) }
    }

    /// Writes the answer to standard output, or to the file of --output.
    pub(super) fn answer(&self, fill: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
        match &self.global.output {
            Some(path) => write_file(path, self.global.force, |sink: &mut FileSink| fill(sink)),
            None => {
                let mut out = std::io::BufWriter::new(std::io::stdout().lock());
                fill(&mut out)?;
                out.flush().map_err(|error| Error::file("standard output", &error))
            }
        }
    }

    /// Prints a table in the form asked for.
    pub(super) fn print_table(&self, table: &Table) -> Result<()> {
        let (format, look) = (self.format(), self.look());
        self.answer(|out| {
            write_table(format, table, out, look)?;
            Ok(())
        })
    }

    /// Prints bytes as they are.
    pub(super) fn print_bytes(&self, bytes: &[u8]) -> Result<()> {
        self.answer(|out| out.write_all(bytes).map_err(|error| Error::file("standard output", &error)))
    }

    /// Prints JSON.
    pub(super) fn print_json(&self, value: &serde_json::Value) -> Result<()> {
        let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
        text.push('\n');
        self.print_bytes(text.as_bytes())
    }

    /// Says something on standard error, unless --quiet.
    pub(super) fn say(&self, text: impl AsRef<str>) {
        if !self.global.quiet {
            self.tell(text);
        }
    }

    /// Says what is wrong on standard error. A standard error that is closed is nobody's loss.
    pub(super) fn tell(&self, text: impl AsRef<str>) {
        let _ = writeln!(anstream::stderr(), "{}", text.as_ref());
    }

    /// Whether errors are told as JSON.
    pub(super) fn errors_as_json(&self) -> bool {
        matches!(self.global.format, Some(FormatArg::Json | FormatArg::Jsonl))
    }

    pub(super) fn tell_error(&self, error: &Error) {
        if matches!(error, Error::ClosedPipe) {
            return;
        }
        if self.errors_as_json() {
            let problems: Vec<serde_json::Value> = match error {
                Error::Input(problems) => problems.iter().map(crate::intake::Problem::to_json).collect(),
                _ => Vec::new(),
            };
            let text = error.to_string();
            let (what, hint) = text.split_once("\nhint: ").unwrap_or((&text, ""));
            let value = serde_json::json!({
                "error": { "exit_code": error.exit_code(), "what": what, "hint": hint, "problems": problems }
            });
            self.tell(value.to_string());
        } else {
            self.tell(format!("error: {error}"));
        }
    }

    /// A day as written on the command line.
    pub(super) fn day(&self, option: &str, text: Option<&str>) -> Result<Option<NaiveDate>> {
        let Some(text) = text else { return Ok(None) };
        if text == "today" {
            return Ok(Some(self.today()));
        }
        parse_day(text)
            .map(Some)
            .ok_or_else(|| Error::usage(format!("{option}: {text:?} is not a day"), "write it as YYYY-MM-DD, e.g. 2026-06-30"))
    }

    /// The as-of day; today if left out.
    pub(super) fn as_of(&self, text: Option<&str>) -> Result<NaiveDate> {
        Ok(self.day("--as-of", text)?.unwrap_or_else(|| self.today()))
    }

    /// A quarter as written on the command line: 2026-Q2, current or last.
    pub(super) fn quarter(&self, text: &str) -> Result<Quarter> {
        let current = Quarter::of(self.today());
        match text {
            "current" => Ok(current),
            "last" => Ok(current.previous()),
            _ => Quarter::parse(text)
                .ok_or_else(|| Error::usage(format!("{text:?} is not a quarter"), "write it as 2026-Q2, or `current` or `last`")),
        }
    }
}

/// A country as written on the command line.
pub(super) fn country(text: &str) -> Result<Country> {
    Countries::builtin().find(text).map_err(|hint| Error::usage(format!("{text:?} is no country"), hint))
}

/// A regime folder, `builtin`, or `summary`.
pub(super) fn regime_text(folder: &Path) -> Result<RegimeText> {
    match folder.to_str() {
        Some("builtin") => Ok(RegimeText::builtin()),
        Some("summary") => Ok(RegimeText::builtin_summary_edition()),
        _ => RegimeText::from_folder(folder).map_err(Error::Input),
    }
}

/// One line on the regime and its legal status, which stands with every figure.
pub(super) fn status_line(regime: &Regime, as_of: NaiveDate) -> String {
    match regime.legal_status_on(as_of) {
        Some(status) => {
            format!("{}: {} ({}, since {}; {})", regime.id, status.text, status.code, status.from, status.citation.cite)
        }
        None => regime.id.clone(),
    }
}

/// Where a path is, for messages.
pub(super) fn shown(path: &Path) -> String {
    PathBuf::from(path).display().to_string()
}
