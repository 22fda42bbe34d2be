//! `record`: one event or act by hand, through the very same doors as a file. `--dry-run` asks "may I?".

use super::Ending;
use super::args::RecordArgs;
use super::context::Context;
use super::import::{refusal_text, shortfall_json};
use crate::desk::clerk::{Answer, Clerk, Outcome, Rejection};
use crate::desk::recent::Recent;
use crate::error::{Error, Result};
use crate::intake::{AnyItem, Document, Place, Problem, Reader, TableReader, did_you_mean, hint_with};
use crate::quota::event::{ActKind, EventKind};
use crate::store::{Ask, Batch, End, Store};
use std::collections::BTreeMap;
use std::sync::Arc;

type Cells = BTreeMap<&'static str, String>;

pub(super) fn record(context: &Context, args: &RecordArgs) -> Result<Ending> {
    let is_act = ActKind::parse(&args.what).is_some();
    if !is_act && EventKind::parse(&args.what).is_none() {
        let words = EventKind::ALL.iter().map(|kind| kind.as_str()).chain(ActKind::ALL.iter().map(|kind| kind.as_str()));
        let hint = hint_with(did_you_mean(&args.what, words), "`tppledger record --help` lists them");
        return Err(Error::usage(format!("{:?} is no event and no act", args.what), hint));
    }
    let mut ledger = context.writable()?;
    let regime = ledger.regime();
    let batch = Batch {
        recorded_at: context.clock.seconds,
        recorded_by: context.recorded_by(),
        source: "record".into(),
        source_sha256: None,
    };
    let dry_run = args.dry_run;
    let (id, answer) = ledger.store.write(batch, |tx| {
        let id = match &args.id {
            Some(id) => id.clone(),
            None => made_id(tx)?,
        };
        let item = if is_act { read_act(context, args, &id)? } else { read_event(context, args, &id, tx)? };
        let mut recent = Recent::default();
        let mut clerk = Clerk::new(tx, &regime, context.today(), &mut recent)?;
        let answer: Answer = match item {
            AnyItem::Event(item) => clerk.event(&item.value.map_err(Error::Input)?),
            AnyItem::Act(item) => clerk.act(&item.value.map_err(Error::Input)?),
            AnyItem::Company(item) => clerk.company(&item.value.map_err(Error::Input)?),
            AnyItem::Application(item) => clerk.application(&item.value.map_err(Error::Input)?),
        };
        let answer = answer?;
        let keep = !dry_run && answer.is_ok();
        Ok(((id, answer), if keep { End::Commit } else { End::Rollback }))
    })?;
    match answer {
        Err(rejection) => Err(Error::Input(vec![problem(&rejection)])),
        Ok(outcome) => tell(context, args, &id, &outcome),
    }
}

fn problem(rejection: &Rejection) -> Problem {
    let file: Arc<str> = Arc::from("record");
    Problem::new(Place::of_file(&file).at(rejection.column), rejection.what.clone(), rejection.hint.clone())
}

/// An id that is not taken: `rec-` and the number that the record will have.
fn made_id(read: &impl Ask) -> Result<String> {
    let next = read.head()?.seq + 1;
    let mut id = format!("rec-{next}");
    let mut again = 1;
    while read.find(&id)?.is_some() {
        again += 1;
        id = format!("rec-{next}-{again}");
    }
    Ok(id)
}

fn read_row(document: &str, rows: Vec<Cells>) -> Result<AnyItem> {
    let mut names: Vec<&'static str> = rows.iter().flat_map(|row| row.keys().copied()).collect();
    names.sort_unstable();
    names.dedup();
    let cells: Vec<Vec<&str>> =
        rows.iter().map(|row| names.iter().map(|name| row.get(name).map_or("", String::as_str)).collect()).collect();
    let table = TableReader::from_cells("record", &names, &cells);
    let mut reader = Reader::of_table(table, false).map_err(Error::Input)?;
    reader.next().ok_or_else(|| Error::usage(format!("nothing to record of {document}"), "give the event and its application"))
}

/// What only one of the two documents has.
fn misplaced(what: &str, given: &[(&str, bool)]) -> Result<()> {
    match given.iter().find(|(_, given)| *given) {
        Some((option, _)) => {
            Err(Error::usage(format!("{what} takes no {option}"), "`tppledger record --help` shows what each takes"))
        }
        None => Ok(()),
    }
}

fn read_act(context: &Context, args: &RecordArgs, id: &str) -> Result<AnyItem> {
    misplaced(
        &args.what,
        &[
            ("--line", !args.line.is_empty()),
            ("--quantity", args.quantity.is_some()),
            ("--basis", args.basis.is_some()),
            ("--license", args.license.is_some()),
            ("--expires", args.expires.is_some()),
            ("--authority", args.authority.is_some()),
        ],
    )?;
    let cells = Cells::from([
        ("event_id", id.to_string()),
        ("effective_on", args.on.clone().unwrap_or_else(|| context.today().to_string())),
        ("act", args.what.clone()),
        ("destination", args.subject.clone()),
        ("percent", args.percent.clone().unwrap_or_default()),
        ("tpp", args.tpp.clone().unwrap_or_default()),
        ("reference", args.reference.clone().unwrap_or_default()),
    ]);
    read_row(Document::Acts.as_str(), vec![cells])
}

fn read_event(context: &Context, args: &RecordArgs, id: &str, read: &impl Ask) -> Result<AnyItem> {
    misplaced(&args.what, &[("--percent", args.percent.is_some()), ("--tpp", args.tpp.is_some())])?;
    let mut cells = Cells::from([
        ("event_id", id.to_string()),
        ("effective_on", args.on.clone().unwrap_or_else(|| context.today().to_string())),
        ("event", args.what.clone()),
        ("application_number", String::new()),
    ]);
    let is_issue = args.what == EventKind::Issue.as_str();
    if args.what == EventKind::Correct.as_str() {
        cells.insert("corrects", args.subject.clone());
    } else if is_issue || read.dossier(&args.subject)?.is_some() || read.license(&args.subject)?.is_empty() {
        cells.insert("application_number", args.subject.clone());
    } else {
        cells.insert("license_number", args.subject.clone());
    }
    let mut optional = |name: &'static str, value: &Option<String>| {
        if let Some(value) = value {
            cells.insert(name, value.clone());
        }
    };
    optional("license_number", &args.license);
    optional("basis", &args.basis);
    optional("expires_on", &args.expires);
    optional("reference", &args.reference);
    optional("overrun_authority", &args.authority);
    let lines = if args.line.is_empty() { vec![String::new()] } else { args.line.clone() };
    let rows = lines
        .iter()
        .map(|given| {
            let (line, quantity) =
                given.split_once('=').map_or((given.as_str(), None), |(line, quantity)| (line, Some(quantity)));
            let mut row = cells.clone();
            row.insert("line", line.to_string());
            row.insert("quantity", quantity.map(String::from).or_else(|| args.quantity.clone()).unwrap_or_default());
            row
        })
        .collect();
    read_row(Document::Events.as_str(), rows)
}

fn tell(context: &Context, args: &RecordArgs, id: &str, outcome: &Outcome) -> Result<Ending> {
    let refused = matches!(outcome, Outcome::Refused { .. } | Outcome::Known { refused: true, .. });
    // A refusal that was known before is nothing new: exit 0, as for a file.
    let ending = Ending { refused: matches!(outcome, Outcome::Refused { .. }), ..Ending::default() };
    if context.errors_as_json() {
        let (state, seq, findings, shortfalls) = match outcome {
            Outcome::Recorded { seq, findings, .. } => {
                ("accepted", seq, findings.iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::new())
            }
            Outcome::Refused { seq, shortfalls } => ("refused", seq, Vec::new(), shortfalls.iter().map(shortfall_json).collect()),
            Outcome::Known { seq, .. } => ("known", seq, Vec::new(), Vec::new()),
        };
        context.print_json(&serde_json::json!({
            "event_id": id, "decision": state, "recorded": !args.dry_run && state != "known", "seq": seq, "refused": refused,
            "findings": findings, "shortfalls": shortfalls,
        }))?;
        return Ok(ending);
    }
    let would = |done: &str, would: &str| if args.dry_run { would.to_string() } else { done.to_string() };
    match outcome {
        Outcome::Recorded { seq, findings, .. } => {
            let what = format!("{} {}", args.what, args.subject);
            let place = if args.dry_run { "nothing was recorded".to_string() } else { format!("event {id}, record {seq}") };
            context.print_bytes(format!("{what}: {} ({place})\n", would("accepted", "would be accepted")).as_bytes())?;
            findings.iter().for_each(|finding| context.say(format!("finding: {finding}; {}", finding.code.cite())));
        }
        Outcome::Refused { seq, shortfalls } => {
            let place = if args.dry_run { "nothing was recorded".to_string() } else { format!("event {id}, record {seq}") };
            let mut text = format!("{} {}: {} ({place})\n", args.what, args.subject, would("refused", "would be refused"));
            for shortfall in shortfalls {
                text.push_str(&format!("  {}\n", refusal_text(shortfall)));
            }
            context.print_bytes(text.as_bytes())?;
        }
        Outcome::Known { seq, refused } => {
            let refused = if *refused { "; it was refused, and stays refused for ever" } else { "" };
            context.print_bytes(format!("{id}: already known (record {seq}){refused}\n").as_bytes())?;
        }
    }
    Ok(ending)
}
