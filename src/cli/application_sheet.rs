//! `application-sheet`: what an application states, from the ledger or from a file that is not recorded yet.
//!
//! A file goes through the very import that would record it, into a ledger that is thrown away, so that a draft is told
//! every error it would have.

use super::Ending;
use super::args::ApplicationSheetArgs;
use super::context::{Context, regime_text, status_line};
use super::import::{Spooled, ledger_aside, options};
use super::screen::rules_text;
use crate::desk::import::{self, FileReport, Witness};
use crate::desk::ledger::{Ledger, read_regime};
use crate::desk::pack::through_note;
use crate::desk::sheet::{Basis, Outcome, Sheet, SheetLine};
use crate::error::{Error, Result};
use crate::intake::{Document, Problem, did_you_mean, hint_with, printable, regimes};
use crate::quota::application::Application;
use crate::quota::decision::Shortfall;
use crate::quota::regime::Regime;
use crate::quota::tpp::Tpp;
use crate::report::{Format, Look, terminal, write_table};
use crate::store::sqlite::SqliteStore;
use crate::store::{Ask, Read, Store};
use std::fmt::Write;
use std::path::Path;

/// The note that says how the TPP of a circuit is found.
const TECHNICAL_NOTES: &str = "Technical Notes to 3A090.a and .b";
/// Columns for people.
const NAMES: &[&str] =
    &["line", "destination", "eccn", "device", "quantity", "ics", "ic_tpp", "performance_density", "aggregate_tpp", "basis"];
/// Applications of a file that an error names.
const NAMED: usize = 8;

pub(super) fn application_sheet(context: &Context, args: &ApplicationSheetArgs) -> Result<Ending> {
    match (&args.file, &args.number) {
        (Some(path), number) => {
            let (ledger, _aside) = draft(context, path, args.regime.as_deref())?;
            let application = of_file(&ledger, path, number.as_deref())?;
            tell(context, args, &application, &ledger.regime())
        }
        (None, Some(number)) => {
            let ledger = context.readable()?;
            if let Some(folder) = &args.regime {
                let (given, digest) = read_regime(&regime_text(folder)?).map_err(Error::Input)?;
                ledger.insist_on(&given, &digest)?;
            }
            let read = ledger.store.read()?;
            let through = through_note(&read, args.through)?.seq;
            let (regime, _) = ledger.regime_at(through)?;
            let dossier = read.dossier(number)?.and_then(|dossier| dossier.through(through)).ok_or_else(|| Error::NotFound {
                what: format!("application {} is not in the ledger", printable(number)),
                hint: "check the number; for one that is not recorded yet name its file with --file".into(),
            })?;
            tell(context, args, dossier.latest(), &regime)
        }
        (None, None) => Err(Error::usage("no application is named", "give its number, or a file with --file")),
    }
}

/// Collects what an import tells.
#[derive(Default)]
struct Listener(Vec<Problem>);

impl Witness for Listener {
    fn problem(&mut self, problem: &Problem) {
        self.0.push(problem.clone());
    }
    fn refusal(&mut self, _: &str, _: &str, _: u64, _: &[Shortfall]) {}
    fn progress(&mut self, _: &str, _: u64, _: u64) {}
    fn done(&mut self, _: &FileReport) {}
}

/// A file of applications in a ledger of its own, which goes away with what is returned.
fn draft(context: &Context, path: &Path, regime: Option<&Path>) -> Result<(Ledger<SqliteStore>, tempfile::TempDir)> {
    let (mut ledger, folder) = ledger_aside(context, regime)?;
    let spooled = Spooled::new(&[path.to_path_buf()])?;
    let mut listener = Listener::default();
    let reports = import::import(&mut ledger, &spooled.sources, options(context, false, false), &mut listener)?;
    for report in &reports {
        if let Some(document) = report.document.filter(|document| *document != Document::Applications) {
            let hint = "name a file of applications; a recorded one needs no file: `tppledger application-sheet NUMBER`";
            return Err(Error::usage(format!("{} holds {document}, not applications", report.name), hint));
        }
    }
    if listener.0.is_empty() { Ok((ledger, folder)) } else { Err(Error::Input(listener.0)) }
}

/// The application that is meant in a file: the one of that number, or the only one.
fn of_file<S: Store>(ledger: &Ledger<S>, path: &Path, number: Option<&str>) -> Result<Application> {
    let read = ledger.store.read()?;
    let (mut numbers, mut found) = (Vec::new(), None);
    read.dossiers(&mut |dossier| {
        let application = dossier.latest();
        if number.is_none_or(|number| number == application.number) {
            found = Some(application.clone());
        }
        numbers.push(application.number.clone());
        Ok(())
    })?;
    let file = printable(&path.to_string_lossy()).into_owned();
    match (found, number) {
        (Some(application), Some(_)) => Ok(application),
        (Some(application), None) if numbers.len() == 1 => Ok(application),
        (_, None) if numbers.is_empty() => {
            Err(Error::usage(format!("{file} holds no application"), "a row below the header is a line of one"))
        }
        (_, None) => {
            let hint = format!("name one: `tppledger application-sheet --file {file} {}`", numbers[0]);
            Err(Error::usage(format!("{file} holds {} applications: {}", numbers.len(), listed(&numbers)), hint))
        }
        (None, Some(number)) => {
            let meant = did_you_mean(number, numbers.iter().map(String::as_str));
            let what = format!("application {} is not in {file}", printable(number));
            Err(Error::NotFound { what, hint: hint_with(meant, format!("it holds {}", listed(&numbers))) })
        }
    }
}

fn listed(numbers: &[String]) -> String {
    let more = numbers.len().saturating_sub(NAMED);
    let shown = numbers[..numbers.len() - more].join(", ");
    match (numbers.len(), more) {
        (0, _) => "no application".to_string(),
        (_, 0) => shown,
        _ => format!("{shown} and {more} more"),
    }
}

fn tell(context: &Context, args: &ApplicationSheetArgs, application: &Application, regime: &Regime) -> Result<Ending> {
    let book = regimes::screening(&rules_text(args.regime.as_deref())?, regime).map_err(Error::Input)?;
    let sheet = Sheet::new(application, regime, &book);
    match context.format() {
        Format::Table => {
            context.print_bytes(page(&sheet, context.look()).as_bytes())?;
            context.say(status_line(regime, context.today()));
        }
        Format::Json => context.print_json(&as_json(&sheet, regime))?,
        Format::Csv | Format::JsonLines => {
            context.print_table(&sheet.table())?;
            context.say(format!("{}: sum {}", application.number, sum(&sheet)));
            for check in sheet.checks.iter().filter(|check| check.outcome == Outcome::Fails) {
                context.tell(format!("{}: {}: fails: {}", application.number, check.id, check.details.join("; ")));
            }
        }
    }
    Ok(Ending::default())
}

fn sum(sheet: &Sheet) -> String {
    sheet.sum.map_or("out of range".to_string(), |sum| format!("{} TPP", sum.grouped()))
}

fn page(sheet: &Sheet, look: Look) -> String {
    let application = sheet.application;
    let mut page = format!(
        "Application sheet of {}, revision {}, submitted {}\n  applicant  {}\n",
        application.number,
        application.revision,
        application.submitted_on,
        printable(&application.applicant)
    );
    let mut line = |text: String| writeln!(page, "{text}").expect("writing to a string");
    line(format!("\nLine items: the aggregate TPP is for block 22(j)  [{}]", sheet.aggregate_cite()));
    for row in terminal::render(&sheet.table().select(NAMES), look).lines() {
        line(format!("  {row}"));
    }
    line(format!("  sum of the sheet: {}", sum(sheet)));
    line("\nHow each line adds up".into());
    for each in &sheet.lines {
        line(format!("  line {}: {}", each.line.terms.line, added_up(each)));
        for finding in &each.findings {
            line(format!("    {}: {}  [{}]", finding.code, finding.detail, finding.code.cite()));
        }
    }
    circuits(sheet, &mut line);
    line("\nWhat goes with it".into());
    for check in &sheet.checks {
        line(format!("  {:9}  {}  [{}]", check.outcome.as_str().replace('_', " "), check.title, check.cite));
        for detail in &check.details {
            line(format!("             {}", printable(detail)));
        }
    }
    page
}

/// The circuits of the lines, each once, with the rate and the sources.
fn circuits(sheet: &Sheet, line: &mut impl FnMut(String)) {
    let mut told: Vec<&str> = Vec::new();
    line(format!("\nIntegrated circuits  [{TECHNICAL_NOTES}]"));
    for unit in sheet.lines.iter().filter_map(|line| line.unit.as_ref()) {
        let (device, rate) = (unit.device, unit.rate);
        if !told.contains(&device.name.as_str()) {
            told.push(&device.name);
            line(format!(
                "  {}: {} {} TOPS x {} bit = {} TPP, the highest of its dense peak rates",
                device.name,
                rate.format,
                rate.tops,
                rate.bits,
                unit.tpp.grouped()
            ));
            line(match (unit.density, device.die_area_mm2) {
                (Some(density), Some(area)) => {
                    format!("    performance density {density}: {} TPP by {area} mm2 of die area", unit.tpp.grouped())
                }
                _ => "    performance density undetermined: the die area is not known".to_string(),
            });
            line(format!("    source, {} confidence: {}", device.confidence, device.source));
        }
        if let Some(system) = unit.system.filter(|system| !told.contains(&system.name.as_str())) {
            told.push(&system.name);
            line(format!("  {}: {} x {}", system.name, system.count, device.name));
            line(format!("    source: {}", system.source));
        }
    }
    if told.is_empty() {
        line("  no line names a device of the catalogue".into());
    }
}

/// The sum of a line, in words.
fn added_up(each: &SheetLine) -> String {
    let line = each.line;
    let (quantity, total) = (line.terms.quantity, each.tpp.grouped());
    let units = if quantity == 1 { "unit" } else { "units" };
    let declared = match each.basis {
        Basis::DeviceCatalogue => None,
        Basis::TppPerUnit => {
            let one = line.tpp_per_unit.map(Tpp::grouped).unwrap_or_default();
            Some(format!("{quantity} {units} x {one} TPP = {total} TPP, as declared in tpp_per_unit"))
        }
        Basis::TppAggregated => Some(format!("{total} TPP, as declared in tpp_aggregated for {quantity} {units}")),
    };
    let catalogue = each.unit.as_ref().zip(each.ics()).map(|(unit, ics)| {
        let name = unit.system.map_or(&unit.device.name, |system| &system.name);
        let sum = each.catalogue_tpp.map_or("out of range".to_string(), |sum| format!("{} TPP", sum.grouped()));
        format!("{quantity} x {name} = {ics} ICs; {ics} x {} TPP = {sum}, by the device catalogue", unit.tpp.grouped())
    });
    match (declared, catalogue) {
        (Some(declared), Some(catalogue)) => format!("{declared}; {catalogue}"),
        (Some(declared), None) => format!("{declared}; its ICs are not known"),
        (None, Some(catalogue)) if each.catalogue_tpp == Some(each.tpp) => catalogue,
        (None, Some(catalogue)) => format!("{total} TPP, by the device catalogue when it was recorded; {catalogue} today"),
        (None, None) => format!("{total} TPP, by a device that the catalogue no longer has"),
    }
}

fn as_json(sheet: &Sheet, regime: &Regime) -> serde_json::Value {
    let mut bytes = Vec::new();
    let written = write_table(Format::Json, &sheet.table(), &mut bytes, Look::default());
    let lines: serde_json::Value =
        written.ok().and_then(|_| serde_json::from_slice(&bytes).ok()).expect("a table is written as JSON");
    let checks: Vec<serde_json::Value> = sheet
        .checks
        .iter()
        .map(|check| {
            serde_json::json!({
                "id": check.id,
                "outcome": check.outcome.as_str(),
                "title": check.title,
                "cite": check.cite,
                "details": check.details,
            })
        })
        .collect();
    serde_json::json!({
        "application_number": sheet.application.number,
        "revision": sheet.application.revision,
        "submitted_on": sheet.application.submitted_on.to_string(),
        "applicant": sheet.application.applicant,
        "regime": regime.id,
        "lines": lines,
        "sum_tpp": sheet.sum.map(|sum| sum.to_string()),
        "checks": checks,
    })
}
