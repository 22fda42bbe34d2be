//! `run`: the whole job of a cron line: import what is new in a folder, write the quarter's pack, print the headroom.

#![allow(clippy::disallowed_methods, reason = "the edge: the inbox is listed here")]

use super::Ending;
use super::args::RunArgs;
use super::context::{Context, status_line};
use super::import::{Speaker, ending, options, reading};
use crate::desk::import::{FileReport, ImportOptions, Source, import};
use crate::desk::pack::{PackOptions, headroom_rows, make_pack};
use crate::error::{Error, Result};
use crate::store::{Ask, Store};
use std::path::Path;

pub(super) fn run(context: &Context, args: &RunArgs) -> Result<Ending> {
    let quarter = context.quarter(&args.quarter)?;
    let sources = inbox(&args.inbox)?;
    if sources.is_empty() {
        context.say(format!("{}: there is no file to import in the inbox", args.inbox.display()));
    }
    let mut ledger = context.writable_or_new(args.regime.as_deref())?;
    let mut speaker = Speaker::new(context);
    let options = ImportOptions { reading: reading(&args.reading)?, ..options(context, false, args.accept_good_rows) };
    let reports = import(&mut ledger, &sources, options, &mut speaker)?;
    let ending = ending(&reports);
    let left_out: Vec<String> =
        reports.iter().filter(|report| incomplete(report)).map(|report| report.kept_name.clone()).collect();
    let missing = left_out.clone();
    let pack = PackOptions {
        quarter,
        through: None,
        out: args.out.clone(),
        all: args.all,
        excel: context.global.excel,
        today: context.today(),
        left_out,
    };
    make_pack(&ledger, &pack)?;
    let read = ledger.store.read()?;
    let regime = ledger.regime();
    let as_of = quarter.last_day();
    let rows = headroom_rows(&read, &regime, as_of, read.head()?.seq, args.all)?;
    if context.is_table() {
        let touched = super::headroom::with_something_to_tell(&rows);
        context.print_table(&super::headroom::for_people(&regime, &touched, true, None))?;
        let untouched = rows.len() - touched.len();
        context.say(format!("{untouched} more destinations have their whole limit; the pack lists every one"));
    } else if !context.errors_as_json() {
        context.print_table(&crate::desk::tables::headroom(&regime, &rows, true, None))?;
    }
    context.say(status_line(&regime, as_of));
    let provisional = if context.today() < as_of { " (provisional: the quarter is not over)" } else { "" };
    let incomplete = if missing.is_empty() { String::new() } else { format!(" (incomplete: without {})", missing.join(", ")) };
    context.say(format!("headroom as of {as_of}; the pack of {quarter} is in {}{provisional}{incomplete}", args.out.display()));
    drop(read);
    speaker.end(false, &reports)?;
    Ok(ending)
}

/// Files that would have belonged in the figures.
fn incomplete(report: &FileReport) -> bool {
    report.left_out || report.rejected > 0
}

/// Endings of the files that an inbox is looked through for.
const ENDINGS: [&str; 5] = ["csv", "xlsx", "json", "jsonl", "ndjson"];

/// The files of a folder that may hold documents, by name; rejects files, hidden files and those that a spreadsheet program keeps
/// beside an open workbook (`~$…`) are none of it.
fn inbox(folder: &Path) -> Result<Vec<Source>> {
    let failed = |error: std::io::Error| Error::file(folder.display().to_string(), &error);
    let mut sources = Vec::new();
    for entry in crate::files::list(folder).map_err(failed)? {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ending = entry.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
        let is_ours = ENDINGS.contains(&ending.as_str());
        if is_ours && !name.starts_with(['.', '~']) && !name.ends_with(".rejects.csv") && entry.is_file() {
            sources.push(Source::file(&entry));
        }
    }
    sources.sort_by(|a, b| a.kept_name.cmp(&b.kept_name));
    Ok(sources)
}
