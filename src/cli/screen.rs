//! `screen`: one transaction from options, or a file of them, row by row.

use super::Ending;
use super::args::ScreenArgs;
use super::context::{Context, regime_text};
use super::import::reading;
use crate::desk::ledger::Ledger;
use crate::desk::screen::page::page;
use crate::desk::screen::{Room, Screened, schema};
use crate::error::{Error, Result};
use crate::intake::countries::Countries;
use crate::intake::regimes::{self, RegimeText};
use crate::intake::{Place, Problem, TableReader, TransactionReader, WrittenTransaction};
use crate::quota::device::Thresholds;
use crate::quota::regime::Regime;
use crate::report::{self, Format};
use crate::screen::transaction::TransactionColumn;
use crate::screen::{Rulebook, screen};
use crate::store::Store;
use crate::store::sqlite::SqliteStore;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// The law that is screened by.
struct Law {
    regime: Regime,
    thresholds: Thresholds,
    book: Rulebook,
}

/// Where transactions are screened: the law, and what the ledger has left where there is one.
struct Desk<'d> {
    context: &'d Context,
    law: &'d Law,
    room: Option<Room<'d>>,
}

impl Law {
    fn read(context: &Context, folder: Option<&Path>) -> Result<Law> {
        let text = folder.map_or_else(|| Ok(RegimeText::builtin()), regime_text)?;
        let rules = rules_text(folder)?;
        let regime = regimes::parse(&text, Countries::builtin()).map_err(Error::Input)?;
        let thresholds = regimes::thresholds(&text).map_err(Error::Input)?;
        let mut book = regimes::screening(&rules, &regime).map_err(Error::Input)?;
        if folder.is_some_and(|folder| folder.to_str() == Some("summary")) {
            book = regimes::screening_edition(&book, &regimes::builtin_screening_summary(), &regime).map_err(Error::Input)?;
            // Such an answer must not be taken for the regulation's.
            context.say("screened by the law firm's summary of January 2025, which differs from the regulation: see `tppledger regime diff builtin summary`");
        }
        Ok(Law { regime, thresholds, book })
    }
}

impl<'d> Desk<'d> {
    /// The answer to a transaction; a destination that is home is a problem of the row.
    fn screened(&self, written: WrittenTransaction, place: Place) -> Result<Screened<'d>> {
        let regime = &self.law.regime;
        let mut transaction = written.settle(self.context.today(), &self.law.thresholds);
        if regime.counted_in(transaction.destination) == regime.groups.home {
            let what =
                format!("\"{}\" is home, the exporting country; what is screened goes to another", transaction.destination);
            let place = place.at(TransactionColumn::Destination.as_str());
            return Err(Error::Input(vec![Problem::new(place, what, "name the country of ultimate destination")]));
        }
        let room = self.room.as_ref();
        let stated = room.map(|room| room.fill(&mut transaction)).transpose()?.flatten();
        let answer = screen(&transaction, &self.law.book);
        Screened::new(transaction, answer, regime, room, stated)
    }
}

/// The ledger that says what is left; nothing where none is named and none is there, since screening needs none. A ledger of another regime
/// has other limits, and says nothing here.
fn ledger(context: &Context, regime: &Regime) -> Result<Option<Ledger<SqliteStore>>> {
    if !context.ledger_exists() && !context.names_a_ledger() {
        return Ok(None);
    }
    let ledger = context.readable()?;
    if regimes::digest(&ledger.regime()) != regimes::digest(regime) {
        let named = context.ledger_name();
        context
            .say(format!("{named} is kept under another regime; what it has left is not shown (name that regime with --regime)"));
        return Ok(None);
    }
    Ok(Some(ledger))
}

/// The rules of screening of a regime's folder, or those that the program carries.
pub(super) fn rules_text(folder: Option<&Path>) -> Result<String> {
    let of_folder = folder.filter(|folder| !matches!(folder.to_str(), Some("builtin" | "summary")));
    of_folder.map_or_else(|| Ok(regimes::builtin_screening()), regimes::screening_in).map_err(Error::Input)
}

pub(super) fn screen_command(context: &Context, args: &ScreenArgs) -> Result<Ending> {
    let law = Law::read(context, args.regime.as_deref())?;
    let ledger = ledger(context, &law.regime)?;
    let read = ledger.as_ref().map(|ledger| ledger.store.read()).transpose()?;
    let room = read.as_ref().map(|read| Room::new(context.ledger_name(), read, &law.regime)).transpose()?;
    let desk = Desk { context, law: &law, room };
    match &args.file {
        Some(path) => many(&desk, args, path),
        None => one(&desk, args),
    }
}

fn one(desk: &Desk, args: &ScreenArgs) -> Result<Ending> {
    let given: Vec<(&str, &str)> = args.facts.given().collect();
    if given.is_empty() {
        let hint = "e.g. `tppledger screen --device \"NVIDIA H100-SXM5\" --quantity 500 --destination MY`, or name a CSV file";
        return Err(Error::usage("there is nothing to screen", hint));
    }
    if !given.iter().any(|(name, _)| *name == TransactionColumn::Destination.as_str()) {
        return Err(Error::usage("--destination is missing", "name the country of ultimate destination"));
    }
    let (header, row): (Vec<&str>, Vec<&str>) = given.into_iter().unzip();
    let table = TableReader::from_cells("screen", &header, &[row]);
    let mut reader = TransactionReader::new(table, false).map_err(Error::Input)?;
    let Some(item) = reader.next() else {
        return Err(Error::usage("there is nothing to screen", "give --destination and an item"));
    };
    let place = Place::of_file(&Arc::from("screen"));
    let (context, screened) = (desk.context, desk.screened(item.value.map_err(Error::Input)?, place)?);
    match context.format() {
        Format::Table => context.print_bytes(page(&screened, desk.room.as_ref(), args.explain).as_bytes())?,
        Format::Json | Format::JsonLines => context.print_json(&screened.to_json())?,
        Format::Csv => {
            let mut table = report::Table::new(schema());
            table.push(screened.row());
            context.print_table(&table)?;
        }
    }
    Ok(Ending::default())
}

/// A result for each row that can be read; what is wrong with the others is told.
fn many(desk: &Desk, args: &ScreenArgs, path: &Path) -> Result<Ending> {
    let context = desk.context;
    let table = TableReader::open(path, &reading(&args.reading)?).map_err(Error::Input)?;
    let origin = table.origin().clone();
    let reader = TransactionReader::new(table, false).map_err(Error::Input)?;
    let mut ending = Ending::default();
    let mut answers = reader.filter_map(|item| {
        let line = item.lines.first().copied().unwrap_or_default();
        let read = item.value.map_err(Error::Input);
        match read.and_then(|written| desk.screened(written, origin.row(line))) {
            Ok(mut screened) => {
                if screened.transaction.id.is_empty() {
                    screened.transaction.id = line.to_string();
                }
                Some(screened)
            }
            Err(error) => {
                ending.input_errors = true;
                context.tell_error(&error);
                None
            }
        }
    });
    context.answer(|out| match context.format() {
        format @ (Format::Table | Format::Csv) => {
            let mut writer = report::writer(format, &schema(), out, context.look())?;
            answers.try_for_each(|screened| writer.row(&screened.row()))?;
            writer.finish()?;
            Ok(())
        }
        format => in_full(out, &mut answers, format == Format::Json),
    })?;
    drop(answers);
    Ok(ending)
}

/// The answers as JSON with every rule and condition: a list, or one a line.
fn in_full<'l>(out: &mut dyn Write, answers: &mut dyn Iterator<Item = Screened<'l>>, is_list: bool) -> Result<()> {
    let failed = |error: std::io::Error| Error::file("standard output", &error);
    let (begin, between, end) = if is_list { ("[\n", ",\n", "\n]\n") } else { ("", "\n", "\n") };
    out.write_all(begin.as_bytes()).map_err(failed)?;
    for (position, screened) in answers.enumerate() {
        let before = if position == 0 { "" } else { between };
        write!(out, "{before}{}", screened.to_json()).map_err(failed)?;
    }
    out.write_all(end.as_bytes()).map_err(failed)
}
