//! `import`, and how an import speaks.

#![allow(clippy::disallowed_methods, reason = "the edge: standard input is kept in a temporary file here")]

use super::Ending;
use super::args::{ImportArgs, ReadingArgs};
use super::context::Context;
use crate::desk::import::{self, FileReport, ImportOptions, Source, Witness};
use crate::desk::ledger::Ledger;
use crate::error::{Error, Result};
use crate::intake::{ColumnMap, Problem, Reading};
use crate::quota::decision::{Allocation, RefusalCode, Shortfall};
use crate::store::sqlite::SqliteStore;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) fn import(context: &Context, args: &ImportArgs) -> Result<Ending> {
    let (mut ledger, _aside) = ledger(context, args)?;
    let spooled = Spooled::new(&args.files)?;
    let options = ImportOptions { reading: reading(&args.reading)?, ..options(context, args.dry_run, args.accept_good_rows) };
    let mut speaker = Speaker::new(context);
    let reports = import::import(&mut ledger, &spooled.sources, options, &mut speaker)?;
    let ending = ending(&reports);
    speaker.end(args.dry_run, &reports)?;
    Ok(ending)
}

/// The ledger; for a dry run where there is none, a new one aside that goes away with the returned folder.
fn ledger(context: &Context, args: &ImportArgs) -> Result<(Ledger<SqliteStore>, Option<tempfile::TempDir>)> {
    if !args.dry_run || context.ledger_exists() {
        return Ok((context.writable_or_new(args.regime.as_deref())?, None));
    }
    let (ledger, folder) = ledger_aside(context, args.regime.as_deref())?;
    Ok((ledger, Some(folder)))
}

/// A new ledger that goes away with the returned folder.
pub(super) fn ledger_aside(context: &Context, regime: Option<&Path>) -> Result<(Ledger<SqliteStore>, tempfile::TempDir)> {
    let folder = tempfile::tempdir().map_err(|error| crate::error::Error::file("temporary folder", &error))?;
    let mut elsewhere = Context { global: context.global.clone(), clock: context.clock };
    elsewhere.global.ledger = folder.path().join("dry-run.db");
    Ok((elsewhere.make_ledger(regime)?, folder))
}

pub(super) fn options(context: &Context, dry_run: bool, accept_good_rows: bool) -> ImportOptions {
    ImportOptions {
        reading: Reading::default(),
        dry_run,
        accept_good_rows,
        rejects_folder: None,
        recorded_by: context.recorded_by(),
        recorded_at: context.clock.seconds,
        today: context.today(),
        write_behind: None,
    }
}

/// How files are read, by the options and by the map of columns that they name.
pub(super) fn reading(args: &ReadingArgs) -> Result<Reading> {
    let columns = args.columns.as_deref().map(|path| {
        let failed = |error: std::io::Error| Error::file(path.display().to_string(), &error);
        let mut text = String::new();
        crate::files::open(path).and_then(|mut file| file.read_to_string(&mut text)).map_err(failed)?;
        ColumnMap::parse(&path.display().to_string(), &text).map(Arc::new).map_err(Error::Input)
    });
    Ok(Reading {
        dates: args.dates.map(Into::into).unwrap_or_default(),
        encoding: args.encoding.map(Into::into).unwrap_or_default(),
        delimiter: args.delimiter.map(Into::into),
        sheet: args.sheet.clone(),
        columns: columns.transpose()?,
    }
    .settled())
}

pub(super) fn ending(reports: &[FileReport]) -> Ending {
    Ending {
        refused: reports.iter().any(|report| report.refused > 0),
        input_errors: reports.iter().any(|report| report.problems > 0 || report.rejected > 0),
        unverified: false,
    }
}

/// The files, with standard input kept in a temporary file: it is read twice, once for its digest.
pub(super) struct Spooled {
    pub(super) sources: Vec<Source>,
    _kept: Vec<tempfile::NamedTempFile>,
}

impl Spooled {
    pub(super) fn new(files: &[PathBuf]) -> Result<Self> {
        let (mut sources, mut kept) = (Vec::new(), Vec::new());
        for path in files {
            if path.as_os_str() == "-" {
                let failed = |error: std::io::Error| crate::error::Error::file("standard input", &error);
                let mut file = tempfile::NamedTempFile::new().map_err(failed)?;
                std::io::copy(&mut std::io::stdin().lock(), &mut file).map_err(failed)?;
                sources.push(Source { path: file.path().to_path_buf(), name: "-".into(), kept_name: "-".into() });
                kept.push(file);
            } else {
                sources.push(Source::file(path));
            }
        }
        Ok(Spooled { sources, _kept: kept })
    }
}

/// Speaks on standard error: problems as they are found, refusals, a bar on a terminal, a line a file.
pub(super) struct Speaker<'c> {
    context: &'c Context,
    bar: Option<ProgressBar>,
    problems: Vec<serde_json::Value>,
    refusals: Vec<serde_json::Value>,
    refusals_told: u64,
}

/// Refusals told one by one; the register has them all.
const REFUSALS_TOLD: u64 = 20;

impl<'c> Speaker<'c> {
    pub(super) fn new(context: &'c Context) -> Self {
        Speaker { context, bar: None, problems: Vec::new(), refusals: Vec::new(), refusals_told: 0 }
    }

    fn speak(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.context.tell(text)),
            None => self.context.tell(text),
        }
    }

    /// What happened, as JSON on standard output where JSON was asked for; problems as JSON on standard error.
    pub(super) fn end(self, dry_run: bool, reports: &[FileReport]) -> Result<()> {
        if dry_run {
            self.context.say("dry run: nothing was recorded");
        }
        if !self.context.errors_as_json() {
            return Ok(());
        }
        if !self.problems.is_empty() {
            let what =
                serde_json::json!({ "error": { "exit_code": 4, "what": "the input has errors", "problems": self.problems } });
            self.context.tell(what.to_string());
        }
        let files: Vec<serde_json::Value> = reports.iter().map(report_json).collect();
        self.context.print_json(&serde_json::json!({ "dry_run": dry_run, "files": files, "refusals": self.refusals }))
    }
}

fn report_json(report: &FileReport) -> serde_json::Value {
    let findings: serde_json::Map<String, serde_json::Value> =
        report.findings.iter().map(|(code, count)| (code.to_string(), (*count).into())).collect();
    serde_json::json!({
        "file": report.kept_name,
        "document": report.document.map(|document| document.as_str()),
        "recorded": report.recorded,
        "known": report.known,
        "refused": report.refused,
        "rejected": report.rejected,
        "left_out": report.left_out,
        "findings": findings,
        "rejects": report.rejects.as_ref().map(|path| path.display().to_string()),
    })
}

/// A refusal in one sentence with its numbers.
pub(super) fn refusal_text(shortfall: &Shortfall) -> String {
    let units = shortfall.largest_quantity.map(|units| format!(" ({units} units)")).unwrap_or_default();
    let room = match shortfall.code {
        RefusalCode::IncreaseAboveMaximum => "left of the maximum",
        RefusalCode::AllocationExceeded | RefusalCode::WithholdingAboveHeadroom | RefusalCode::CompanyLimitExceeded => "headroom",
        RefusalCode::ShareExceeded => "left of the share",
    };
    format!(
        "{}: {}: requested {} TPP, {room} {} on {}, shortfall {}; largest that would fit {}{units}",
        shortfall.code,
        shortfall.allocation,
        shortfall.requested.grouped(),
        shortfall.headroom_floor.grouped(),
        shortfall.floor_on,
        shortfall.shortfall.grouped(),
        shortfall.largest.grouped(),
    )
}

/// The numbers of a refusal as JSON, amounts as text.
pub(super) fn shortfall_json(shortfall: &Shortfall) -> serde_json::Value {
    serde_json::json!({
        "code": shortfall.code.as_str(),
        "destination": shortfall.allocation.country().map(|country| country.as_str()),
        "account": if let Allocation::Company(account) = &shortfall.allocation { Some(account.to_string()) } else { None },
        "requested_tpp": shortfall.requested.to_string(),
        "limit_tpp": shortfall.limit.to_string(),
        "headroom_floor_tpp": shortfall.headroom_floor.to_string(),
        "floor_on": shortfall.floor_on.to_string(),
        "shortfall_tpp": shortfall.shortfall.to_string(),
        "largest_tpp": shortfall.largest.to_string(),
        "largest_quantity": shortfall.largest_quantity,
    })
}

impl Witness for Speaker<'_> {
    fn problem(&mut self, problem: &Problem) {
        if self.context.errors_as_json() {
            self.problems.push(problem.to_json());
        } else {
            self.speak(&problem.to_string());
        }
    }

    fn refusal(&mut self, source: &str, id: &str, seq: u64, shortfalls: &[Shortfall]) {
        self.refusals_told += 1;
        if self.refusals_told > REFUSALS_TOLD {
            return;
        }
        if self.context.errors_as_json() {
            let numbers: Vec<serde_json::Value> = shortfalls.iter().map(shortfall_json).collect();
            self.refusals.push(serde_json::json!({ "event_id": id, "seq": seq, "shortfalls": numbers }));
            return;
        }
        for shortfall in shortfalls {
            self.speak(&format!("{source}: {id} refused (record {seq}): {}", refusal_text(shortfall)));
        }
        if self.refusals_told == REFUSALS_TOLD {
            self.speak("further refusals are not told one by one; `tppledger list refusals` has them all");
        }
    }

    fn progress(&mut self, name: &str, bytes: u64, of: u64) {
        const SMALL: u64 = 4 << 20;
        if self.context.global.quiet || of < SMALL || !std::io::stderr().is_terminal() {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{msg} {wide_bar} {percent}% {eta}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(of).with_style(style).with_message(name.to_string())
        });
        bar.set_position(bytes);
    }

    fn done(&mut self, report: &FileReport) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if self.context.errors_as_json() {
            return;
        }
        if report.left_out {
            let plural = if report.problems == 1 { "error" } else { "errors" };
            self.speak(&format!("{}: left out: {} {plural}, nothing of it is recorded", report.name, report.problems));
            return;
        }
        let mut parts = vec![format!("{} recorded", report.recorded)];
        let mut part = |count: u64, words: &str| {
            if count > 0 {
                parts.push(format!("{count} {words}"));
            }
        };
        part(report.known, "already known");
        part(report.refused, "refused");
        part(report.rejected, "rejected");
        let document = report.document.map_or("", |document| document.as_str());
        self.context.say(format!("{}: {document}: {}", report.name, parts.join(", ")));
        if !report.findings.is_empty() {
            let findings: Vec<String> = report.findings.iter().map(|(code, count)| format!("{code} {count}")).collect();
            self.context.say(format!("{}: findings: {}", report.name, findings.join(", ")));
        }
        if let Some(path) = &report.rejects {
            self.context.say(format!("{}: the rejected rows are in {}", report.name, path.display()));
        }
    }
}
