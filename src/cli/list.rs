//! `list`: the registers, with filters.

use super::Ending;
use super::args::{ListArg, ListArgs};
use super::context::{Context, country};
use crate::desk::company_reports::Companies;
use crate::desk::pack::{moment, registered, through_note};
use crate::desk::registers::Filter;
use crate::desk::tables;
use crate::error::{Error, Result};
use crate::intake::{did_you_mean, hint_with};
use crate::quota::calendar::Quarter;
use crate::quota::codes::Country;
use crate::quota::company::fact::{HoldingKind, PartyStatementKind};
use crate::quota::event::{ActKind, EventKind, EventLine};
use crate::quota::filing::FilingKind;
use crate::quota::finding::{FindingCode, codes_of};
use crate::quota::regime::Regime;
use crate::quota::timeline::State;
use crate::report::{Cell, Format, RowWriter, Schema, columns, writer};
use crate::store::{Fact, Read, Record, Store};

pub(super) fn list(context: &Context, args: &ListArgs) -> Result<Ending> {
    let as_of = context.as_of(args.as_of.as_deref())?;
    let filter = filter(context, args)?;
    let ledger = context.readable()?;
    let read = ledger.store.read()?;
    let through = through_note(&read, args.through)?.seq;
    let (regime, _) = ledger.regime_at(through)?;
    match args.what {
        ListArg::Applications => stream(context, columns::applications(), APPLICATION_NAMES, |row| {
            registered(&read, &regime, as_of, through, |one| {
                let kept = filter.keeps(&regime, one, one.application().submitted_on);
                if kept { one.application_rows(&regime).iter().try_for_each(&mut *row) } else { Ok(()) }
            })
        }),
        ListArg::Licenses => stream(context, columns::licenses(), LICENSE_NAMES, |row| {
            registered(&read, &regime, as_of, through, |one| {
                let Some(license) = one.replay.license else { return Ok(()) };
                let kept = filter.keeps(&regime, one, license.effective_on);
                if kept { one.license_rows(&regime).iter().try_for_each(&mut *row) } else { Ok(()) }
            })
        }),
        ListArg::Events => stream(context, columns::events(), EVENT_NAMES, |row| {
            read.records(0, through, &mut |record| {
                event_rows(&read, &regime, &filter, args, &record)?.iter().try_for_each(&mut *row)
            })
        }),
        ListArg::Refusals => stream(context, columns::refusals(), REFUSAL_NAMES, |row| {
            read.refusals(through, &mut |record| {
                let kept = filter.keeps_day(record.fact.effective_on())
                    && record.shortfalls.iter().any(|shortfall| match shortfall.allocation.country() {
                        Some(country) => filter.keeps_destination(&regime, country),
                        None => filter.destinations.is_empty(),
                    })
                    && is_of(&record, filter.application.as_deref());
                if kept { tables::refusal(&regime, &record).iter().try_for_each(&mut *row) } else { Ok(()) }
            })
        }),
        what @ (ListArg::Lpp | ListArg::Nveu | ListArg::Uveu | ListArg::Notices) => {
            let Some(rules) = &regime.companies else {
                return Err(Error::NotFound {
                    what: format!("the regime {} has no company allocations", regime.id),
                    hint: "`tppledger regime show` shows what it has".into(),
                });
            };
            let companies = Companies::gather(&read, through)?;
            let table = match what {
                ListArg::Lpp => companies.yearly(rules, as_of),
                ListArg::Nveu => companies.by_country(rules, as_of),
                ListArg::Uveu => companies.shares(&regime, rules, as_of),
                _ => companies.notices(&read, rules, Quarter::of(as_of))?,
            };
            let shown: Vec<&str> = table.schema.columns.iter().map(|column| column.name).filter(|name| *name != "cite").collect();
            stream(context, table.schema.clone(), &shown, |row| table.rows.iter().try_for_each(row))
        }
    }?;
    Ok(Ending::default())
}

const APPLICATION_NAMES: &[&str] = &[
    "application_number",
    "submitted_on",
    "applicant",
    "ultimate_consignee",
    "destination",
    "line",
    "eccn",
    "quantity",
    "state",
    "requested_tpp",
    "licensed_tpp",
];
const LICENSE_NAMES: &[&str] = &[
    "license_number",
    "application_number",
    "line",
    "destination",
    "effective_on",
    "expires_on",
    "state",
    "licensed_tpp",
    "shipped_tpp",
    "unshipped_tpp",
];
const EVENT_NAMES: &[&str] = &["seq", "event_id", "effective_on", "event", "application_number", "line", "quantity", "findings"];
const REFUSAL_NAMES: &[&str] = &[
    "event_id",
    "effective_on",
    "event",
    "application_number",
    "destination",
    "allocation",
    "code",
    "requested_tpp",
    "headroom_floor_tpp",
    "floor_on",
    "shortfall_tpp",
    "largest_tpp",
    "largest_quantity",
];

/// Writes rows as they come; for people only the columns that fit a terminal.
fn stream(
    context: &Context,
    schema: Schema,
    names: &[&str],
    fill: impl FnOnce(&mut dyn FnMut(&Vec<Cell>) -> Result<()>) -> Result<()>,
) -> Result<()> {
    let format = context.format();
    let picked: Option<Vec<usize>> =
        (format == Format::Table).then(|| names.iter().filter_map(|name| schema.index_of(name)).collect());
    let shown = match &picked {
        Some(picked) => Schema { columns: picked.iter().map(|index| schema.columns[*index]).collect(), ..schema },
        None => schema,
    };
    let look = context.look();
    context.answer(|out| {
        let mut out: Box<dyn RowWriter> = writer(format, &shown, out, look)?;
        fill(&mut |row| {
            match &picked {
                Some(picked) => out.row(&picked.iter().map(|index| row[*index].clone()).collect::<Vec<_>>())?,
                None => out.row(row)?,
            }
            Ok(())
        })?;
        out.finish()?;
        Ok(())
    })
}

fn filter(context: &Context, args: &ListArgs) -> Result<Filter> {
    let states = args
        .state
        .iter()
        .map(|word| State::parse(word).ok_or_else(|| unknown("state", word, State::ALL.iter().map(|state| state.as_str()))))
        .collect::<Result<_>>()?;
    let findings = args
        .finding
        .iter()
        .map(|word| {
            let found = FindingCode::ALL.iter().copied().find(|code| code.as_str() == word);
            found.ok_or_else(|| unknown("finding", word, FindingCode::ALL.iter().map(|code| code.as_str())))
        })
        .collect::<Result<_>>()?;
    let words = event_words();
    if let Some(word) = args.event.iter().find(|word| !words.contains(&word.as_str())) {
        return Err(unknown("event", word, words.into_iter()));
    }
    let day = |option, text: &Option<String>| context.day(option, text.as_deref());
    Ok(Filter {
        destinations: args.destination.iter().map(|text| country(text)).collect::<Result<Vec<Country>>>()?,
        applicant: args.applicant.clone(),
        consignee: args.consignee.clone(),
        states,
        from: day("--from", &args.from)?,
        to: day("--to", &args.to)?,
        findings,
        application: args.application.clone(),
    })
}

fn unknown<'a>(what: &str, word: &str, words: impl Iterator<Item = &'a str>) -> Error {
    let words: Vec<&str> = words.collect();
    let hint = hint_with(did_you_mean(word, words.iter().copied()), format!("one of: {}", words.join(", ")));
    Error::usage(format!("{word:?} is no {what}"), hint)
}

fn is_of(record: &Record, number: Option<&str>) -> bool {
    let own = match &record.fact {
        Fact::Event(_, application) => application.as_deref(),
        _ => None,
    };
    number.is_none_or(|number| own == Some(number))
}

/// What may happen: events, acts, facts of companies, filings.
fn event_words() -> Vec<&'static str> {
    let mut words: Vec<&'static str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    words.extend(ActKind::ALL.iter().map(|kind| kind.as_str()));
    words.extend(HoldingKind::ALL.iter().map(|kind| kind.as_str()).filter(|word| *word != EventKind::Attrition.as_str()));
    words.extend(PartyStatementKind::ALL.iter().map(|kind| kind.as_str()));
    words.extend(FilingKind::ALL.iter().map(|kind| kind.as_str()));
    words
}

fn event_rows(read: &impl Read, regime: &Regime, filter: &Filter, args: &ListArgs, record: &Record) -> Result<Vec<Vec<Cell>>> {
    let all = [EventLine { line: None, quantity: None }];
    let (word, application, lines, reference) = match &record.fact {
        Fact::Event(event, application) => {
            (event.kind.as_str(), application.clone(), event.lines.as_slice(), event.reference.clone())
        }
        Fact::Act(act) => (act.kind.as_str(), None, all.as_slice(), Some(act.reference.clone())),
        Fact::Company(fact) => (fact.what(), None, all.as_slice(), fact.reference().map(String::from)),
        Fact::Filing(filing) => (filing.kind.as_str(), None, all.as_slice(), filing.reference.clone()),
        Fact::Application(_) | Fact::Regime { .. } => return Ok(Vec::new()),
    };
    let codes = codes_of(&record.findings);
    let kept = filter.keeps_day(record.fact.effective_on())
        && (args.event.is_empty() || args.event.iter().any(|wanted| wanted == word))
        && filter.findings.iter().all(|code| codes.contains(&code.as_str()))
        && is_of(record, filter.application.as_deref())
        && (filter.destinations.is_empty() || goes_to(read, regime, filter, record, application.as_deref())?);
    if !kept {
        return Ok(Vec::new());
    }
    let refused = if record.is_refused() { Some("refused") } else { None };
    Ok(lines
        .iter()
        .map(|line| {
            vec![
                Cell::Whole(record.seq as i64),
                Cell::text(record.fact.id()),
                Cell::Day(record.fact.effective_on()),
                Cell::code(word),
                Cell::text(application.clone().unwrap_or_default()),
                line.line.map_or(Cell::Empty, |line| Cell::Whole(i64::from(line))),
                line.quantity.map_or(Cell::Empty, |quantity| Cell::Whole(i64::from(quantity))),
                Cell::text(reference.clone().unwrap_or_default()),
                Cell::codes(refused.into_iter().chain(codes.iter().copied())),
                Cell::Code(moment(record.batch.recorded_at).into()),
                Cell::text(record.batch.recorded_by.clone()),
            ]
        })
        .collect())
}

fn goes_to(read: &impl Read, regime: &Regime, filter: &Filter, record: &Record, application: Option<&str>) -> Result<bool> {
    if let Some(allocation) = record.allocation {
        return Ok(filter.keeps_destination(regime, allocation));
    }
    let Some(number) = application else { return Ok(false) };
    let dossier = read.dossier(number)?;
    Ok(dossier.is_some_and(|dossier| {
        dossier.latest().lines.iter().any(|line| filter.keeps_destination(regime, line.terms.destination))
    }))
}
