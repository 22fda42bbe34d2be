//! The replay of an application: what stands, what breaks, what it posts.
//!
//! The events of an application are judged in effective order (same day: as recorded), each in its place. States are
//! strict: an event whose state no longer allows it breaks the timeline. Quantities bend: one that no longer fits
//! does what it can, with a finding. Only the event that is new must be right in its place. Pure: no clock, no store.

use super::application::{Terms, standing_findings};
use super::calendar::days_after;
use super::event::{Basis, Event, EventKind, Placed, words};
use super::finding::{Finding, FindingCode};
use super::posting::{EntryKind, Measures, Posting};
use super::regime::{Regime, SwitchKey, Treatment};
use super::tpp::Tpp;
use chrono::NaiveDate;
use std::borrow::Borrow;

words! {
    /// State of an application on a day.
    State {
        /// Submitted, not decided.
        Pending = "pending",
        /// Held without action.
        Held = "held",
        /// Notice of intent to deny given.
        IntentToDeny = "intent_to_deny",
        /// A license is in force.
        Licensed = "licensed",
        /// A license is in force and shipping is stopped.
        Suspended = "suspended",
        /// After the last valid day.
        Expired = "expired",
        /// The license was revoked.
        Revoked = "revoked",
        /// Returned without action.
        Returned = "returned",
        /// Withdrawn by the applicant.
        Withdrawn = "withdrawn",
        /// Denied.
        Denied = "denied",
    }
}

impl State {
    /// What the state allows, in the order of the documentation. `note` is allowed in every state.
    pub fn allows(self) -> &'static [EventKind] {
        use EventKind as E;
        match self {
            State::Pending => &[E::Hold, E::IntendToDeny, E::Return, E::Withdraw, E::Deny, E::Issue],
            State::Held => &[E::Resume, E::Return, E::Withdraw],
            State::IntentToDeny => &[E::Resume, E::Return, E::Withdraw, E::Deny, E::Issue],
            State::Licensed => &[E::Ship, E::Amend, E::Extend, E::Suspend, E::Revoke, E::Surrender, E::Attrition],
            State::Suspended => &[E::Reinstate, E::Extend, E::Revoke, E::Surrender, E::Attrition, E::Ship],
            State::Expired => &[E::Surrender, E::Extend, E::Attrition, E::Ship],
            State::Revoked => &[E::Attrition, E::Ship],
            State::Returned | State::Withdrawn | State::Denied => &[],
        }
    }

    /// Whether the application still waits for a decision.
    pub fn is_undecided(self) -> bool {
        matches!(self, State::Pending | State::Held | State::IntentToDeny)
    }
}

/// Why an event does not stand in its place. The text is what the user reads; the column is where the fault is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// Record of the event that does not stand.
    pub seq: u64,
    /// Its id.
    pub event_id: String,
    /// What it is.
    pub kind: EventKind,
    /// Its day.
    pub effective_on: NaiveDate,
    /// Column at fault.
    pub column: &'static str,
    /// What is wrong, with the numbers.
    pub what: String,
    /// What to do.
    pub hint: String,
}

/// The license of an application, as it stands at the end of the timeline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct License {
    /// Record of the issue.
    pub issued_by: u64,
    /// Effective date.
    pub effective_on: NaiveDate,
    /// Last valid day.
    pub expires_on: NaiveDate,
    /// Day on which the unused is given back.
    pub give_back_on: NaiveDate,
    /// Day of revocation.
    pub revoked_on: Option<NaiveDate>,
}

/// What a line holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineState {
    /// Terms of the line.
    pub terms: Terms,
    /// What the regime makes of it, once licensed.
    pub treatment: Option<Treatment>,
    /// Whether the line would count if licensed, and so counts as pending.
    pub would_count: bool,
    /// Whether the license covers the line.
    pub granted: bool,
    /// Units shipped and in place.
    pub shipped: u64,
    /// Units licensed, not shipped.
    pub unshipped: u64,
    /// Units that a switch keeps counted though they are gone.
    kept: u64,
    ship_total: Option<(u64, NaiveDate)>,
    attrition_total: Option<(u64, NaiveDate)>,
}

impl LineState {
    fn new(terms: Terms, would_count: bool) -> Self {
        LineState {
            terms,
            treatment: None,
            would_count,
            granted: false,
            shipped: 0,
            unshipped: 0,
            kept: 0,
            ship_total: None,
            attrition_total: None,
        }
    }

    /// Units licensed: shipped and in place, and unshipped.
    pub fn licensed(&self) -> u64 {
        self.shipped + self.unshipped
    }

    /// TPP licensed and shipped, whether it counts or not.
    pub fn tpp(&self) -> (Tpp, Tpp) {
        (self.terms.tpp.of(self.licensed()), self.terms.tpp.of(self.shipped))
    }

    fn measures(&self, counted_at_issue: bool) -> Measures {
        let Some(treatment) = self.treatment.filter(|treatment| treatment.counts) else { return Measures::ZERO };
        let shipped = self.terms.tpp.of(self.shipped + self.kept);
        let licensed = if counted_at_issue { self.terms.tpp.of(self.licensed() + self.kept) } else { shipped };
        let not_limited = if treatment.limited { Tpp::ZERO } else { licensed };
        Measures { licensed, not_limited, shipped, ..Measures::ZERO }
    }
}

/// How to replay.
#[derive(Clone, Copy, Default, Debug)]
pub struct Options {
    /// The event that is new: it must be right in its place.
    pub new: Option<u64>,
    /// Leave out the give-back at the license's own expiry: what a rise is judged by, because it may all ship.
    pub without_own_expiry: bool,
    /// Only events effective up to this day.
    pub until: Option<NaiveDate>,
}

/// A replayed timeline.
#[derive(Clone, Debug)]
pub struct Replay {
    /// What it posts.
    pub postings: Vec<Posting>,
    /// What its events have to say, by record.
    pub findings: Vec<(u64, Finding)>,
    /// The lines at its end.
    pub lines: Vec<LineState>,
    /// The license, if issued.
    pub license: Option<License>,
    /// State at its end, expiry aside.
    state: State,
    suspended: bool,
}

impl Replay {
    /// State on a day: the state at the end of the timeline, or expired after the last valid day.
    pub fn state_on(&self, day: NaiveDate) -> State {
        match self.license {
            Some(license) if self.state == State::Licensed && day > license.expires_on => State::Expired,
            Some(_) if self.state == State::Licensed && self.suspended => State::Suspended,
            _ => self.state,
        }
    }

    /// Whether an issue stands.
    pub fn is_undecided(&self) -> bool {
        self.state.is_undecided()
    }
}

/// Replays an application's events, which must be in order (see [`super::event::in_order`]).
///
/// # Errors
/// [`Broken`] names the first event that does not stand in its place.
pub fn replay<E: Borrow<Event>>(
    submitted_on: NaiveDate,
    terms: &[Terms],
    events: &[Placed<E>],
    regime: &Regime,
    options: Options,
) -> Result<Replay, Broken> {
    let mut replayer = Replayer::new(submitted_on, terms, regime, options);
    replayer.license_from = events
        .iter()
        .find(|placed| !placed.is_corrected() && placed.fact.borrow().kind == EventKind::Issue)
        .map(|placed| placed.fact.borrow().effective_on);
    // A line's basis stays after a correction, also for a row that takes effect before the corrected one.
    for placed in events.iter().filter(|placed| placed.is_corrected()) {
        replayer.remember_basis(placed.fact.borrow());
    }
    for placed in events {
        let event: &Event = placed.fact.borrow();
        if placed.is_corrected() || event.kind == EventKind::Correct {
            continue;
        }
        if options.until.is_some_and(|until| event.effective_on > until) {
            continue;
        }
        replayer.step(placed.seq, event)?;
    }
    if let Some(until) = options.until {
        replayer.expire_until(until);
    } else {
        replayer.expire_until(NaiveDate::MAX);
    }
    Ok(replayer.out)
}

struct Replayer<'r> {
    regime: &'r Regime,
    submitted_on: NaiveDate,
    options: Options,
    counted_at_issue: bool,
    out: Replay,
    ship_bases: Vec<(u32, Basis)>,
    attrition_bases: Vec<(u32, Basis)>,
    given_back: bool,
    license_from: Option<NaiveDate>,
}

impl<'r> Replayer<'r> {
    fn new(submitted_on: NaiveDate, terms: &[Terms], regime: &'r Regime, options: Options) -> Self {
        let lines: Vec<LineState> =
            terms.iter().map(|terms| LineState::new(*terms, regime.would_count(terms, submitted_on))).collect();
        let postings = lines
            .iter()
            .filter(|line| line.would_count)
            .map(|LineState { terms, .. }| Posting {
                cause: None,
                effective_on: submitted_on,
                line: terms.line,
                allocation: regime.counted_in(terms.destination),
                kind: EntryKind::Pending,
                measures: Measures { pending: terms.requested_tpp(), ..Measures::ZERO },
            })
            .collect();
        let out = Replay { postings, findings: Vec::new(), lines, license: None, state: State::Pending, suspended: false };
        let counted_at_issue = regime.is_on(SwitchKey::CountedAtIssue);
        Replayer {
            regime,
            submitted_on,
            options,
            counted_at_issue,
            out,
            ship_bases: Vec::new(),
            attrition_bases: Vec::new(),
            given_back: false,
            license_from: None,
        }
    }

    fn step(&mut self, seq: u64, event: &Event) -> Result<(), Broken> {
        let place = Place { seq, event, strict: self.options.new == Some(seq) };
        if event.effective_on < self.submitted_on {
            let (day, submitted) = (event.effective_on, self.submitted_on);
            return Err(place.broken(
                "effective_on",
                format!("{} is effective on {day}, before the application was submitted on {submitted}", event.kind),
                "check both dates; nothing can happen to an application before it is submitted",
            ));
        }
        self.expire_until(event.effective_on);
        self.check_state(&place)?;
        self.check_basis(&place)?;
        match event.kind {
            EventKind::Hold => self.out.state = State::Held,
            EventKind::Resume => self.out.state = State::Pending,
            EventKind::IntendToDeny => self.out.state = State::IntentToDeny,
            EventKind::Return => self.decide(&place, State::Returned),
            EventKind::Withdraw => self.decide(&place, State::Withdrawn),
            EventKind::Deny => self.decide(&place, State::Denied),
            EventKind::Issue => self.issue(&place)?,
            EventKind::Ship => self.ship(&place)?,
            EventKind::Amend => self.amend(&place)?,
            EventKind::Extend => self.extend(&place)?,
            EventKind::Suspend => self.out.suspended = true,
            EventKind::Reinstate => self.out.suspended = false,
            EventKind::Revoke => self.revoke(&place),
            EventKind::Surrender => self.surrender(&place)?,
            EventKind::Attrition => self.attrition(&place)?,
            EventKind::Correct | EventKind::Note => {}
        }
        Ok(())
    }

    /// Gives back the unused on its day, which stands before the events of that day.
    fn expire_until(&mut self, day: NaiveDate) {
        let Some(license) = self.out.license else { return };
        if self.given_back || self.options.without_own_expiry || self.out.state != State::Licensed || license.give_back_on > day {
            return;
        }
        self.given_back = true;
        if self.regime.is_on(SwitchKey::ExpiredGivenBack) {
            let before = self.snapshot();
            self.out.lines.iter_mut().for_each(|line| line.unshipped = 0);
            self.post(&before, None, license.give_back_on, EntryKind::Expired);
        }
    }

    fn check_state(&self, place: &Place) -> Result<(), Broken> {
        let kind = place.event.kind;
        if kind == EventKind::Note {
            return Ok(());
        }
        let state = self.out.state_on(place.event.effective_on);
        let unused_gone = self.given_back && matches!(kind, EventKind::Surrender | EventKind::Extend);
        if let Some(from) =
            self.license_from.filter(|from| state.is_undecided() && place.event.effective_on < *from && is_of_a_license(kind))
        {
            return Err(place.broken(
                "effective_on",
                format!("{kind} is effective on {}, before its license on {from}", place.event.effective_on),
                "check both dates",
            ));
        }
        if state.allows().contains(&kind) && !unused_gone {
            return Ok(());
        }
        let allowed: Vec<&str> = state
            .allows()
            .iter()
            .filter(|allowed| !(self.given_back && matches!(allowed, EventKind::Surrender | EventKind::Extend)))
            .map(|kind| kind.as_str())
            .collect();
        let allowed =
            if allowed.is_empty() { "nothing more: a new application is needed".to_string() } else { allowed.join(", ") };
        let gone = if unused_gone { ", and its unused quantity was given back" } else { "" };
        Err(place.broken(
            "event",
            format!("{kind} is not allowed on {}: the application is {state}{gone}", place.event.effective_on),
            format!("{state} allows {allowed}"),
        ))
    }

    fn remember_basis(&mut self, event: &Event) {
        if !matches!(event.kind, EventKind::Ship | EventKind::Attrition) {
            return;
        }
        for (number, _) in self.targets(event) {
            self.bases_of(event.kind).push((number, event.basis));
        }
    }

    fn check_basis(&mut self, place: &Place) -> Result<(), Broken> {
        let event = place.event;
        if !matches!(event.kind, EventKind::Ship | EventKind::Attrition) {
            return Ok(());
        }
        for (number, _) in self.targets(event) {
            let known = self.bases_of(event.kind).iter().find(|(line, _)| *line == number).copied();
            match known {
                Some((_, basis)) if basis != event.basis => {
                    return Err(place.broken(
                        "basis",
                        format!("line {number} is reported as {basis} for {}, and this row is {}", event.kind, event.basis),
                        "a line keeps one basis for ever; give the quantity on the basis already used",
                    ));
                }
                Some(_) => {}
                None => self.bases_of(event.kind).push((number, event.basis)),
            }
        }
        Ok(())
    }

    /// The bases on which lines were reported so far, by kind of feed.
    fn bases_of(&mut self, kind: EventKind) -> &mut Vec<(u32, Basis)> {
        if kind == EventKind::Ship { &mut self.ship_bases } else { &mut self.attrition_bases }
    }

    /// The lines an event speaks of, with the quantity given: by number, or every line.
    fn targets(&self, event: &Event) -> Vec<(u32, Option<u32>)> {
        if !event.resolved.is_empty() {
            return event.resolved.iter().map(|(line, units)| (*line, Some(*units))).collect();
        }
        let mut targets = Vec::with_capacity(event.lines.len());
        for given in &event.lines {
            match given.line {
                Some(line) => targets.push((line, given.quantity)),
                None => targets.extend(self.out.lines.iter().map(|line| (line.terms.line, given.quantity))),
            }
        }
        targets
    }

    fn line_mut(&mut self, number: u32) -> Option<&mut LineState> {
        self.out.lines.iter_mut().find(|line| line.terms.line == number)
    }

    /// The named line, or the error that there is none.
    fn target(&mut self, place: &Place, number: u32) -> Result<&mut LineState, Broken> {
        let known = self.out.lines.iter().map(|line| line.terms.line.to_string()).collect::<Vec<_>>().join(", ");
        self.line_mut(number).ok_or_else(|| {
            place.broken("line", format!("the application has no line {number}"), format!("its lines are {known}"))
        })
    }

    fn snapshot(&self) -> Vec<Measures> {
        self.out.lines.iter().map(|line| line.measures(self.counted_at_issue)).collect()
    }

    fn post(&mut self, before: &[Measures], cause: Option<u64>, effective_on: NaiveDate, kind: EntryKind) {
        for (line, before) in self.out.lines.iter().zip(before) {
            let moved = line.measures(self.counted_at_issue) - *before;
            if !moved.is_zero() {
                let allocation = self.regime.counted_in(line.terms.destination);
                let posting = Posting { cause, effective_on, line: line.terms.line, allocation, kind, measures: moved };
                self.out.postings.push(posting);
            }
        }
    }

    fn say(&mut self, place: &Place, code: FindingCode, detail: impl Into<String>) {
        self.out.findings.push((place.seq, Finding::new(code, detail)));
    }

    /// Ends what is pending.
    fn end_pending(&mut self, place: &Place, kind: EntryKind) {
        for line in &self.out.lines {
            if line.would_count {
                self.out.postings.push(Posting {
                    cause: Some(place.seq),
                    effective_on: place.event.effective_on,
                    line: line.terms.line,
                    allocation: self.regime.counted_in(line.terms.destination),
                    kind,
                    measures: Measures { pending: -line.terms.requested_tpp(), ..Measures::ZERO },
                });
            }
        }
    }

    fn decide(&mut self, place: &Place, state: State) {
        self.end_pending(place, EntryKind::Pending);
        self.out.state = state;
    }

    fn issue(&mut self, place: &Place) -> Result<(), Broken> {
        let event = place.event;
        let on = event.effective_on;
        for line in &mut self.out.lines {
            line.treatment = Some(self.regime.treatment(&line.terms, on));
        }
        let before = self.snapshot();
        let mut granted = 0;
        for (number, quantity) in self.targets(event) {
            let line = self.target(place, number)?;
            let units = quantity.unwrap_or(line.terms.quantity);
            if units > line.terms.quantity {
                let asked = line.terms.quantity;
                return Err(place.broken(
                    "quantity",
                    format!("issues {units} units of line {number}, which asks for {asked}: {} more", units - asked),
                    "a license grants what is asked, in whole or in part; revise the application to ask for more",
                ));
            }
            line.granted = true;
            line.unshipped = u64::from(units);
            granted += 1;
        }
        let ungranted: Vec<String> = self
            .out
            .lines
            .iter()
            .filter(|line| line.unshipped < u64::from(line.terms.quantity))
            .map(|line| format!("line {}: {} of {}", line.terms.line, line.unshipped, line.terms.quantity))
            .collect();
        debug_assert!(granted > 0, "an issue names at least one line");
        self.end_pending(place, EntryKind::Issued);
        self.post(&before, Some(place.seq), on, EntryKind::Issued);
        let expires_on = event.last_valid_day.or(event.expires_on).unwrap_or_else(|| self.regime.validity.last_valid_day(on));
        self.out.state = State::Licensed;
        self.out.license = Some(License {
            issued_by: place.seq,
            effective_on: on,
            expires_on,
            give_back_on: self.give_back_day(expires_on),
            revoked_on: None,
        });
        if !ungranted.is_empty() {
            self.say(place, FindingCode::PartNotGranted, ungranted.join(", "));
        }
        self.say_at_issue(place, expires_on);
        Ok(())
    }

    fn say_at_issue(&mut self, place: &Place, expires_on: NaiveDate) {
        let on = place.event.effective_on;
        let period = self.regime.period;
        if on < period.from {
            self.say(place, FindingCode::BeforePeriod, format!("effective {on}, the period begins {}", period.from));
        } else if on > period.to {
            self.say(place, FindingCode::AfterPeriod, format!("effective {on}, the period ended {}", period.to));
        }
        let usual = self.regime.validity.last_valid_day(on);
        if place.event.expires_on.is_some() && expires_on > usual {
            self.say(place, FindingCode::BeyondValidity, format!("expires {expires_on}, the validity ends {usual}"));
        }
        let granted: Vec<Terms> = self.out.lines.iter().filter(|line| line.granted).map(|line| line.terms).collect();
        let mut findings: Vec<Finding> = granted.iter().flat_map(|terms| standing_findings(terms, self.regime, on)).collect();
        findings.sort();
        findings.dedup();
        self.out.findings.extend(findings.into_iter().map(|finding| (place.seq, finding)));
    }

    fn give_back_day(&self, expires_on: NaiveDate) -> NaiveDate {
        days_after(expires_on, 1 + u64::from(self.regime.unused_after_days))
    }

    fn ship(&mut self, place: &Place) -> Result<(), Broken> {
        let event = place.event;
        let state = self.out.state_on(event.effective_on);
        let targets = self.targets(event);
        let before = self.snapshot();
        let mut excess = Vec::new();
        for (number, quantity) in targets {
            let units = match (event.basis, quantity) {
                (Basis::Cumulative, Some(total)) => self.since_last_total(place, number, u64::from(total))?,
                (Basis::Delta, Some(units)) => u64::from(units),
                // A blank ship is resolved before it is recorded; see `blank_ship`.
                (_, None) => self.target(place, number)?.unshipped,
            };
            let line = self.target(place, number)?;
            let covered = units.min(line.unshipped);
            line.unshipped -= covered;
            line.shipped += units;
            if units > covered {
                excess.push((number, units - covered));
            }
        }
        let kind = if excess.is_empty() { EntryKind::Shipped } else { EntryKind::Issued };
        self.post(&before, Some(place.seq), event.effective_on, kind);
        for (number, units) in &excess {
            let tpp = self.line_mut(*number).map(|line| line.terms.tpp.of(*units)).unwrap_or_default();
            self.say(place, FindingCode::UnlicensedShipment, format!("line {number}: {units} units, {tpp} TPP"));
        }
        let broken_rule = match state {
            State::Expired => Some((FindingCode::ShipAfterExpiry, "after the last valid day")),
            State::Suspended => Some((FindingCode::ShipWhileSuspended, "while suspended")),
            _ => None,
        };
        if let Some((code, words)) = broken_rule {
            if excess.is_empty() {
                self.say(place, FindingCode::UnlicensedShipment, words);
            }
            self.say(place, code, String::new());
        }
        Ok(())
    }

    /// Units since the last cumulative total of the line; a total that falls is an error that names both.
    fn since_last_total(&mut self, place: &Place, number: u32, total: u64) -> Result<u64, Broken> {
        let (kind, on) = (place.event.kind, place.event.effective_on);
        let line = self.target(place, number)?;
        let slot = if kind == EventKind::Ship { &mut line.ship_total } else { &mut line.attrition_total };
        let (last, last_on) = slot.unwrap_or((0, on));
        if total < last {
            return Err(place.broken(
                "quantity",
                format!(
                    "the cumulative total of line {number} falls from {last} of {last_on} to {total} of {on}: {} less",
                    last - total
                ),
                "a cumulative feed states the total so far; correct the row that is wrong",
            ));
        }
        *slot = Some((total, on));
        Ok(total - last)
    }

    fn amend(&mut self, place: &Place) -> Result<(), Broken> {
        let before = self.snapshot();
        let mut bent = Vec::new();
        let mut above = Vec::new();
        for (number, quantity) in self.targets(place.event) {
            let line = self.target(place, number)?;
            if !line.granted {
                return Err(place.broken(
                    "line",
                    format!("line {number} was not granted and cannot be amended"),
                    "a line that was not granted needs a new application",
                ));
            }
            let wanted = u64::from(quantity.unwrap_or(line.terms.quantity));
            if place.strict && wanted < line.shipped {
                let shipped = line.shipped;
                return Err(place.broken(
                    "quantity",
                    format!("amends line {number} to {wanted} units, and {shipped} are shipped: {} less", shipped - wanted),
                    "amend to what is shipped, or record attrition",
                ));
            }
            let total = wanted.max(line.shipped);
            line.unshipped = total - line.shipped;
            if total > wanted {
                bent.push(format!("line {number}: amend to {wanted} stopped at {total}"));
            }
            if total > u64::from(line.terms.quantity) {
                above.push(format!("line {number}: {total} of {}", line.terms.quantity));
            }
        }
        self.post(&before, Some(place.seq), place.event.effective_on, EntryKind::Amended);
        bent.into_iter().for_each(|detail| self.say(place, FindingCode::QuantityBent, detail));
        above.into_iter().for_each(|detail| self.say(place, FindingCode::AboveRequested, detail));
        Ok(())
    }

    fn extend(&mut self, place: &Place) -> Result<(), Broken> {
        let event = place.event;
        let license = self.out.license.expect("a licensed state has a license");
        let to = event.expires_on.expect("an extend states its day; checked where it is read");
        if place.strict && to <= license.expires_on {
            return Err(place.broken(
                "expires_on",
                format!("extends to {to}, and the license is valid through {}", license.expires_on),
                "an extension states a later day; surrender or revoke ends a license earlier",
            ));
        }
        let expires_on = to.max(license.expires_on);
        let give_back_on = self.give_back_day(expires_on);
        self.out.license = Some(License { expires_on, give_back_on, ..license });
        let usual = self.regime.validity.last_valid_day(license.effective_on);
        if to > usual {
            self.say(place, FindingCode::BeyondValidity, format!("expires {to}, the validity ends {usual}"));
        }
        Ok(())
    }

    fn revoke(&mut self, place: &Place) {
        let before = self.snapshot();
        if self.regime.is_on(SwitchKey::RevokedGivenBack) {
            self.out.lines.iter_mut().for_each(|line| line.unshipped = 0);
        }
        self.out.state = State::Revoked;
        if let Some(license) = &mut self.out.license {
            license.revoked_on = Some(place.event.effective_on);
        }
        self.post(&before, Some(place.seq), place.event.effective_on, EntryKind::Revoked);
    }

    fn surrender(&mut self, place: &Place) -> Result<(), Broken> {
        let given_back = self.regime.is_on(SwitchKey::SurrenderedGivenBack);
        let before = self.snapshot();
        let mut bent = Vec::new();
        for (number, quantity) in self.targets(place.event) {
            let line = self.target(place, number)?;
            let wanted = quantity.map_or(line.unshipped, u64::from);
            let unshipped = line.unshipped;
            if place.strict && wanted > unshipped {
                return Err(place.broken(
                    "quantity",
                    format!(
                        "surrenders {wanted} units of line {number}, and {unshipped} are unshipped: {} more",
                        wanted - unshipped
                    ),
                    "leave the quantity blank to surrender all that is unshipped",
                ));
            }
            let units = wanted.min(unshipped);
            if given_back {
                line.unshipped -= units;
            }
            if units < wanted {
                bent.push(format!("line {number}: surrender of {wanted} stopped at {units}"));
            }
        }
        self.post(&before, Some(place.seq), place.event.effective_on, EntryKind::Surrendered);
        bent.into_iter().for_each(|detail| self.say(place, FindingCode::QuantityBent, detail));
        Ok(())
    }

    fn attrition(&mut self, place: &Place) -> Result<(), Broken> {
        let given_back = self.regime.is_on(SwitchKey::AttritionGivenBack);
        let before = self.snapshot();
        let mut bent = Vec::new();
        for (number, quantity) in self.targets(place.event) {
            let total = u64::from(quantity.unwrap_or(0));
            let wanted = match place.event.basis {
                Basis::Cumulative => self.since_last_total(place, number, total)?,
                Basis::Delta => total,
            };
            let line = self.target(place, number)?;
            let shipped = line.shipped;
            if place.strict && wanted > shipped {
                return Err(place.broken(
                    "quantity",
                    format!("takes {wanted} units from line {number}, and {shipped} are in place: {} more", wanted - shipped),
                    "record the shipment first",
                ));
            }
            let units = wanted.min(shipped);
            line.shipped -= units;
            if !given_back {
                line.kept += units;
            }
            if units < wanted {
                bent.push(format!("line {number}: attrition of {wanted} stopped at {units}"));
            }
        }
        self.post(&before, Some(place.seq), place.event.effective_on, EntryKind::Attrition);
        bent.into_iter().for_each(|detail| self.say(place, FindingCode::QuantityBent, detail));
        Ok(())
    }
}

/// Whether the event needs a license.
fn is_of_a_license(kind: EventKind) -> bool {
    use EventKind as E;
    matches!(kind, E::Ship | E::Amend | E::Extend | E::Suspend | E::Reinstate | E::Revoke | E::Surrender | E::Attrition)
}

struct Place<'e> {
    seq: u64,
    event: &'e Event,
    strict: bool,
}

impl Place<'_> {
    fn broken(&self, column: &'static str, what: impl Into<String>, hint: impl Into<String>) -> Broken {
        Broken {
            seq: self.seq,
            event_id: self.event.id.clone(),
            kind: self.event.kind,
            effective_on: self.event.effective_on,
            column,
            what: what.into(),
            hint: hint.into(),
        }
    }
}
