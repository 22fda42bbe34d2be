//! The clerk's work on an event: the application it is about, what it changes, whether that fits.

use super::clerk::{Answer, Clerk, Home, Outcome, Rejection, lost};
use crate::error::Result;
use crate::quota::application::{Terms, largest};
use crate::quota::decision::Shortfall;
use crate::quota::event::{Event, EventKind, Placed, in_order};
use crate::quota::finding::{Finding, FindingCode};
use crate::quota::posting::{Entry, EntryKind, Posting, Rise, difference, rises};
use crate::quota::timeline::{Options, Replay, replay};
use crate::quota::tpp::Tpp;
use crate::store::{Append, Fact, Record};
use chrono::NaiveDate;

/// What an event is about.
pub(super) struct Case {
    pub first: u64,
    pub number: String,
    pub submitted_on: NaiveDate,
    pub terms: Vec<Terms>,
    pub events: Vec<Placed<Event>>,
}

/// An event worked out: what it would post, and what does not fit.
struct Worked {
    event: Event,
    entries: Vec<Entry>,
    findings: Vec<Finding>,
    shortfalls: Vec<Shortfall>,
}

impl<W: Append> Clerk<'_, W> {
    /// Records an event: accepted, refused by a limit, known already, or rejected.
    ///
    /// # Errors
    /// When the store fails.
    pub fn event(&mut self, event: &Event) -> Answer {
        let target = if event.kind == EventKind::Correct {
            match self.corrected_record(event)? {
                Ok(target) => Some(target),
                Err(rejection) => return self.rejected_unless_known(event, None, rejection),
            }
        } else {
            None
        };
        if let Some(target) = target.as_ref().filter(|target| matches!(target.fact, Fact::Act(_))) {
            return self.correct_act(event, target);
        }
        if let Some(target) = target.as_ref().filter(|target| matches!(target.fact, Fact::Company(_))) {
            if let Some(number) = &event.application {
                let what = format!("{} is a company's, and the row names the application {number}", target.fact.id());
                let rejection = Rejection::new("application_number", what, "leave it blank to correct a fact of a company");
                return self.rejected_unless_known(event, None, rejection);
            }
            return self.correct_company(event, target);
        }
        let case = match self.case(event, target.as_ref())? {
            Ok(case) => case,
            Err(rejection) => return self.rejected_unless_known(event, event.application.clone(), rejection),
        };
        let number = Some(case.number.clone());
        match self.work(event, &case, target.as_ref())? {
            Ok(worked) => self.record_event(worked, &case),
            Err(rejection) => self.rejected_unless_known(event, number, rejection),
        }
    }

    /// A row that is wrong now may be a row recorded before: the same id is looked up before it is called an error.
    pub(super) fn rejected_unless_known(&mut self, event: &Event, number: Option<String>, rejection: Rejection) -> Answer {
        Ok(match self.tx.find(&event.id)? {
            None => Err(rejection),
            Some(record) => {
                let number = match (&number, &record.fact) {
                    // The application may be named by its license, or not at all for a correction.
                    (None, Fact::Event(_, known)) => known.clone(),
                    _ => number,
                };
                self.known(&record, &Fact::Event(event.clone(), number))
            }
        })
    }

    /// The record that a correction undoes.
    fn corrected_record(&self, event: &Event) -> Result<std::result::Result<Record, Rejection>> {
        let id = event.corrects.as_deref().unwrap_or_default();
        let reject = |what: String, hint: &str| Ok(Err(Rejection::new("corrects", what, hint)));
        let Some(target) = self.tx.find(id)? else {
            return reject(format!("{id} is not in the ledger"), "name the event_id of a recorded event or act");
        };
        if target.is_refused() {
            return reject(format!("{id} was refused and posted nothing"), "a refusal cannot be corrected");
        }
        if let Fact::Event(Event { kind: EventKind::Correct, .. }, _) = &target.fact {
            return reject(format!("{id} is itself a correction"), "record the event again under a new id instead");
        }
        if event.effective_on < target.fact.effective_on() {
            return Ok(Err(Rejection::new(
                "effective_on",
                format!("the correction is dated {}, before {id} of {}", event.effective_on, target.fact.effective_on()),
                "a correction is dated on the day it is made",
            )));
        }
        Ok(Ok(target))
    }

    /// The application an event is about, by number, by license, or by what it corrects.
    fn case(&self, event: &Event, target: Option<&Record>) -> Result<std::result::Result<Case, Rejection>> {
        let by_license = match event.license_number.as_deref().filter(|_| event.kind != EventKind::Issue) {
            None => None,
            Some(license) => match self.tx.license(license)?.into_iter().next() {
                Some(number) => Some(number),
                None => {
                    let what = format!("no license {license} is in force in the ledger");
                    return Ok(Err(Rejection::new("license_number", what, "check the number, or name the application")));
                }
            },
        };
        let by_target = match target.map(|target| &target.fact) {
            Some(Fact::Event(_, number)) => number.clone(),
            _ => None,
        };
        let named = event.application.clone();
        let mut numbers = [named.as_ref(), by_license.as_ref(), by_target.as_ref()].into_iter().flatten();
        let Some(number) = numbers.next() else {
            let what = format!("{} names no application", event.kind);
            return Ok(Err(Rejection::new("application_number", what, "give the application or its license")));
        };
        if let Some(other) = numbers.find(|other| *other != number) {
            let column = if named.is_some() { "application_number" } else { "license_number" };
            let what = format!(
                "the row names {number}, and {} belongs to {other}",
                event.license_number.as_deref().or(event.corrects.as_deref()).unwrap_or_default()
            );
            return Ok(Err(Rejection::new(column, what, "the application and the license of a row must agree")));
        }
        if let Some(recent) = self.recent.applications.get(number) {
            let (first, submitted_on, terms) = (recent.seq, recent.submitted_on, vec![recent.terms]);
            return Ok(Ok(Case { first, number: number.clone(), submitted_on, terms, events: Vec::new() }));
        }
        let Some(dossier) = self.tx.dossier(number)? else {
            return Ok(Err(Rejection::unknown_application(number)));
        };
        let latest = dossier.latest();
        let (submitted_on, terms) = (latest.submitted_on, latest.terms());
        Ok(Ok(Case { first: dossier.first, number: number.clone(), submitted_on, terms, events: dossier.events }))
    }

    fn work(&mut self, event: &Event, case: &Case, target: Option<&Record>) -> Result<std::result::Result<Worked, Rejection>> {
        if let Some(rejection) = self.misfit(event, case)? {
            return Ok(Err(rejection));
        }
        let event = match self.settle(event, case)? {
            Ok(event) => event,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let new_seq = self.next_seq();
        let old = self.replay(&case.terms, case.submitted_on, &case.events, Options::default())?;
        let corrected = target.map(|target| target.seq);
        let mut events: Vec<Placed<&Event>> = case.events.iter().map(Placed::as_ref).collect();
        match corrected {
            Some(seq) => match events.iter_mut().find(|placed| placed.seq == seq) {
                Some(placed) if placed.is_corrected() => {
                    let what = format!("{} was corrected already", placed.fact.id);
                    return Ok(Err(Rejection::new("corrects", what, "a correction is made once")));
                }
                Some(placed) => placed.corrected_by = Some(new_seq),
                None => return Err(lost("event", event.corrects.as_deref().unwrap_or_default())),
            },
            None => {
                events.push(Placed::new(new_seq, &event));
                in_order(&mut events, |event| event.effective_on);
            }
        }
        if corrected.is_some() && event.effective_on < case.submitted_on {
            let what = format!("the correction is dated {}, before the submission of {}", event.effective_on, case.submitted_on);
            return Ok(Err(Rejection::new("effective_on", what, "check both dates")));
        }
        let options = Options { new: Some(new_seq), ..Options::default() };
        let new = match replay(case.submitted_on, &case.terms, &events, self.regime, options) {
            Ok(new) => new,
            Err(broken) => return Ok(Err(Rejection::broken(&broken, new_seq))),
        };
        let entries = difference(&old.postings, &new.postings, corrected);
        if let Some(rejection) = self.check_range(&entries)? {
            return Ok(Err(rejection));
        }
        let rises = self.rise_of(&event, case, &events, &old, &new)?;
        let mut shortfalls = self.shortfalls(&rises)?;
        if !shortfalls.is_empty() {
            self.largest_quantity(&event, case, &mut shortfalls)?;
        }
        let mut findings = new_findings(&old, &new);
        findings.extend(self.dated(event.effective_on));
        if event.kind == EventKind::Ship {
            findings.extend(self.give_back_taken(&entries)?);
        }
        Ok(Ok(Worked { event, entries, findings, shortfalls }))
    }

    /// What does not need a replay: lines named, a license number in use.
    fn misfit(&self, event: &Event, case: &Case) -> Result<Option<Rejection>> {
        let quantity_for_all = event.lines.iter().any(|line| line.line.is_none() && line.quantity.is_some());
        if quantity_for_all && case.terms.len() > 1 {
            let what = format!("a quantity without a line, and {} has {} lines", case.number, case.terms.len());
            return Ok(Some(Rejection::new("line", what, "name the line the quantity is of")));
        }
        if let Some(line) =
            event.lines.iter().filter_map(|line| line.line).find(|line| !case.terms.iter().any(|terms| terms.line == *line))
        {
            let known = case.terms.iter().map(|terms| terms.line.to_string()).collect::<Vec<_>>().join(", ");
            let what = format!("{} has no line {line}", case.number);
            let hint = if case.terms.len() == 1 { format!("its only line is {known}") } else { format!("its lines are {known}") };
            return Ok(Some(Rejection { line: Some(line), ..Rejection::new("line", what, hint) }));
        }
        if event.kind == EventKind::Issue
            && let Some(license) = &event.license_number
            && let Some(other) = self.tx.license(license)?.first()
        {
            // The same row again is not a second use; it is looked up as a known id.
            let what = format!("license {license} is in use: {other} has it");
            return Ok(Some(Rejection::new("license_number", what, "a license number is given once")));
        }
        Ok(None)
    }

    /// Settles what is fixed when the row is recorded: the last valid day of an issue, the units of a blank ship.
    fn settle(&self, event: &Event, case: &Case) -> Result<std::result::Result<Event, Rejection>> {
        let mut settled = event.clone();
        if event.kind == EventKind::Issue {
            let computed = || self.regime.validity.last_valid_day(event.effective_on);
            settled.last_valid_day = Some(event.expires_on.unwrap_or_else(computed));
        }
        let blank = event.kind == EventKind::Ship && event.lines.iter().any(|line| line.quantity.is_none());
        if blank {
            let options = Options { until: Some(event.effective_on), ..Options::default() };
            let there = self.replay(&case.terms, case.submitted_on, &case.events, options)?;
            for line in &there.lines {
                let given = event.lines.iter().find(|given| given.line.is_none_or(|number| number == line.terms.line));
                let Some(given) = given else { continue };
                let units = given.quantity.map_or(line.unshipped, u64::from);
                if units > 0 {
                    settled.resolved.push((line.terms.line, u32::try_from(units).unwrap_or(u32::MAX)));
                }
            }
            let licensed = there.license.is_some();
            if settled.resolved.is_empty() && licensed {
                let what = format!("nothing of {} is unshipped on {}", case.number, event.effective_on);
                return Ok(Err(Rejection::new("quantity", what, "give the quantity that left")));
            }
        }
        Ok(Ok(settled))
    }

    /// The rise that must fit. It is what the replay changes, with the give-back at the license's own expiry ignored,
    /// because what is licensed may all ship.
    fn rise_of(&self, event: &Event, case: &Case, events: &[Placed<&Event>], old: &Replay, new: &Replay) -> Result<Vec<Rise>> {
        let keep = Options { without_own_expiry: true, ..Options::default() };
        let kept_old = || self.replay(&case.terms, case.submitted_on, &case.events, keep);
        let kept_new = || self.replay(&case.terms, case.submitted_on, events, keep);
        Ok(match event.kind {
            // Nothing can follow an issue in its timeline, so that leaving out the expiry is all there is to it.
            EventKind::Issue => {
                let postings: Vec<Posting> =
                    new.postings.iter().filter(|posting| posting.kind != EntryKind::Expired).copied().collect();
                rises(&old.postings, &postings)
            }
            EventKind::Amend | EventKind::Correct => rises(&kept_old()?.postings, &kept_new()?.postings),
            EventKind::Extend => {
                let give_back = |replay: &Replay| replay.license.map(|license| license.give_back_on);
                if give_back(new) > give_back(old) { rises(&old.postings, &kept_new()?.postings) } else { Vec::new() }
            }
            _ => Vec::new(),
        })
    }

    /// The largest quantity that would fit, for an issue or an amend of a single line.
    fn largest_quantity(&mut self, event: &Event, case: &Case, shortfalls: &mut [Shortfall]) -> Result<()> {
        let single = match event.lines.as_slice() {
            [only] if case.terms.len() == 1 || only.line.is_some() => only.line.unwrap_or(case.terms[0].line),
            _ => return Ok(()),
        };
        let Some(terms) = case.terms.iter().find(|terms| terms.line == single).copied() else { return Ok(()) };
        let [shortfall] = shortfalls else { return Ok(()) };
        let asked = event.lines[0].quantity.unwrap_or(terms.quantity);
        shortfall.largest_quantity = match event.kind {
            EventKind::Issue => Some(terms.tpp.units_within(shortfall.largest, asked)),
            EventKind::Amend => {
                let fits = |total: u32| -> bool {
                    let mut other = event.clone();
                    other.lines[0].quantity = Some(total);
                    self.fits(&other, case).unwrap_or(false)
                };
                // What is shipped is a floor below which an amend cannot go, so that 0 stands for "not even that".
                Some(largest_amend(asked, fits))
            }
            _ => None,
        };
        Ok(())
    }

    /// Whether an event would be accepted in its place and fit.
    fn fits(&self, event: &Event, case: &Case) -> Option<bool> {
        let mut events = case.events.clone();
        let seq = self.next_seq();
        events.push(Placed::new(seq, event.clone()));
        in_order(&mut events, |event| event.effective_on);
        let keep = Options { without_own_expiry: true, ..Options::default() };
        let old = replay(case.submitted_on, &case.terms, &case.events, self.regime, keep).ok()?;
        let new = replay(case.submitted_on, &case.terms, &events, self.regime, keep).ok()?;
        let rises = rises(&old.postings, &new.postings);
        Some(rises.iter().all(|rise| {
            self.loaded_series(rise.allocation).is_none_or(|series| crate::quota::decision::judge(rise, series).is_none())
        }))
    }

    /// A late shipment that takes away a give-back which was already licensed to others.
    fn give_back_taken(&mut self, entries: &[Entry]) -> Result<Option<Finding>> {
        for entry in entries {
            let given_back = matches!(entry.kind, EntryKind::Expired | EntryKind::Revoked | EntryKind::Surrendered);
            if !given_back || entry.measures.licensed <= Tpp::ZERO {
                continue;
            }
            let mut after = self.series(entry.allocation)?.clone();
            after.add_entries(entry.allocation, entries);
            if let Some((floor, on)) = after.floor_from(entry.effective_on).filter(|(floor, _)| *floor < Tpp::ZERO) {
                let detail =
                    format!("{} TPP given back on {}; headroom {floor} on {on}", entry.measures.licensed, entry.effective_on);
                return Ok(Some(Finding::new(FindingCode::GiveBackAlreadyLicensed, detail)));
            }
        }
        Ok(None)
    }

    fn record_event(&mut self, worked: Worked, case: &Case) -> Answer {
        let Worked { mut event, entries, mut findings, mut shortfalls } = worked;
        event.application = Some(case.number.clone());
        if event.overrun_authority.is_some() {
            findings.extend(shortfalls.drain(..).map(|shortfall| overrun(&shortfall)));
        }
        let fact = Fact::Event(event, Some(case.number.clone()));
        let answer = self.conclude(fact, Home::Application(case.first), findings, entries, shortfalls)?;
        if let Ok(Outcome::Recorded { .. }) = answer {
            self.recent.applications.forget(&case.number);
        }
        Ok(answer)
    }
}

/// The largest total an amend may set; 0 when not even what is there fits.
fn largest_amend(asked: u32, fits: impl Fn(u32) -> bool) -> u32 {
    largest(asked, fits)
}

pub(super) fn overrun(shortfall: &Shortfall) -> Finding {
    Finding::new(
        FindingCode::OverrunAuthorized,
        format!("{}: {} TPP over on {}", shortfall.allocation, shortfall.shortfall, shortfall.floor_on),
    )
}

/// What the new timeline says that the old one did not.
fn new_findings(old: &Replay, new: &Replay) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        new.findings.iter().filter(|said| !old.findings.contains(said)).map(|(_, finding)| finding.clone()).collect();
    findings.sort();
    findings.dedup();
    findings
}
