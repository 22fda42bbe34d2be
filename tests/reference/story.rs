//! What one application lived through: its events in effective order, told one after the other.
//!
//! A story is told anew from the accepted events each time. What moves is written down as [`Change`]s, each with its
//! day, its cause and its amounts; every figure is a sum over them.

use super::law::{counts, give_back_day, is_limited, last_valid_day, units_tpp, would_count};
use super::rows::{Ask, Event};
use chrono::NaiveDate;
use std::collections::BTreeSet;
use tppledger::quota::event::EventKind;

/// The states of SEMANTICS, `Expired` being a matter of the day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Pending,
    Held,
    IntentToDeny,
    Licensed,
    Suspended,
    Expired,
    Revoked,
    Returned,
    Withdrawn,
    Denied,
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Held => "held",
            State::IntentToDeny => "intent_to_deny",
            State::Licensed => "licensed",
            State::Suspended => "suspended",
            State::Expired => "expired",
            State::Revoked => "revoked",
            State::Returned => "returned",
            State::Withdrawn => "withdrawn",
            State::Denied => "denied",
        }
    }

    pub fn is_undecided(self) -> bool {
        matches!(self, State::Pending | State::Held | State::IntentToDeny)
    }
}

/// A column of movements.csv.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Column {
    None,
    CarriedIn,
    Issued,
    Expired,
    Revoked,
    Surrendered,
    Amended,
    Attrition,
    Corrected,
}

/// What moves on a day. `cause` is the number of a record, 0 for expiry and submission.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    pub on: NaiveDate,
    pub cause: u64,
    pub column: Column,
    pub allocation: &'static str,
    pub line: usize,
    pub pending: i64,
    pub licensed: i64,
    pub not_limited: i64,
    pub shipped: i64,
}

/// An accepted event in its place, with what a blank `ship` was resolved to.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    pub seq: u64,
    pub event: &'a Event,
    pub resolved: &'a [(usize, u64)],
}

/// How a story is to be told.
#[derive(Clone, Copy, Debug)]
pub struct How<'a> {
    pub holidays: &'a BTreeSet<NaiveDate>,
    /// The event that must be right in its place; the others bend.
    pub new: Option<u64>,
    /// Whether the unused comes back after the last valid day.
    pub own_expiry: bool,
    /// Events after this day are left out.
    pub until: NaiveDate,
}

/// The license, once issued.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct License {
    pub effective_on: NaiveDate,
    pub last_valid: NaiveDate,
}

/// Units of a line.
#[derive(Clone, Copy, Default, Debug)]
pub struct Units {
    pub granted: bool,
    pub unshipped: u64,
    pub shipped: u64,
    ship_total: u64,
    attrition_total: u64,
}

/// The whole story.
#[derive(Clone, Debug)]
pub struct Story<'a> {
    ask: &'a Ask,
    state: State,
    pub license: Option<License>,
    pub units: Vec<Units>,
    pub changes: Vec<Change>,
    /// What a new blank `ship` is resolved to.
    pub resolved: Vec<(usize, u64)>,
}

/// The event that does not stand, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Broken {
    pub seq: u64,
    pub why: &'static str,
}

/// Lines and quantities that the rows of an event mean; a blank row means every line.
pub fn targets(ask: &Ask, event: &Event) -> Result<Vec<(usize, Option<u32>)>, &'static str> {
    let mut targets: Vec<(usize, Option<u32>)> = Vec::new();
    for (line, quantity) in &event.rows {
        if *quantity == Some(0) {
            return Err("a quantity of 0");
        }
        match (line, quantity) {
            (None, None) => targets.extend((0..ask.lines.len()).map(|line| (line, None))),
            (None, Some(_)) if ask.lines.len() > 1 => return Err("a quantity without a line on several lines"),
            (None, quantity) => targets.push((0, *quantity)),
            (Some(line), quantity) => targets.push((*line as usize - 1, *quantity)),
        }
    }
    let distinct: BTreeSet<usize> = targets.iter().map(|(line, _)| *line).collect();
    if distinct.len() < targets.len() {
        return Err("a line twice");
    }
    if distinct.iter().any(|line| *line >= ask.lines.len()) {
        return Err("no such line");
    }
    Ok(targets)
}

/// Tells the story of an application.
pub fn tell<'a>(ask: &'a Ask, events: &[Told], how: How) -> Result<Story<'a>, Broken> {
    let units = vec![Units::default(); ask.lines.len()];
    let mut story = Story { ask, state: State::Pending, license: None, units, changes: Vec::new(), resolved: Vec::new() };
    story.pend(ask.submitted_on, 0, 1);
    let mut events: Vec<Told> = events.iter().copied().filter(|told| told.event.on <= how.until).collect();
    events.sort_by_key(|told| (told.event.on, told.seq));
    for told in events {
        story.give_back_unused(told.event.on, how);
        story.take(told, how).map_err(|why| Broken { seq: told.seq, why })?;
    }
    story.give_back_unused(NaiveDate::MAX, how);
    Ok(story)
}

impl Story<'_> {
    /// The state on a day on which or before which nothing more happened.
    pub fn state_on(&self, on: NaiveDate) -> State {
        match (self.state, self.license) {
            (State::Licensed | State::Suspended, Some(license)) if on > license.last_valid => State::Expired,
            (state, _) => state,
        }
    }

    /// TPP licensed of a line.
    pub fn licensed(&self, line: usize) -> i64 {
        units_tpp(&self.ask.lines[line], self.units[line].shipped + self.units[line].unshipped)
    }

    fn pend(&mut self, on: NaiveDate, cause: u64, sign: i64) {
        for (index, line) in self.ask.lines.iter().enumerate().filter(|(_, line)| would_count(line)) {
            self.changes.push(Change {
                on,
                cause,
                column: Column::None,
                allocation: super::law::allocation(line.destination),
                line: index,
                pending: sign * units_tpp(line, u64::from(line.quantity)),
                licensed: 0,
                not_limited: 0,
                shipped: 0,
            });
        }
    }

    /// Sets the units of a line and writes down what that changes.
    fn set(&mut self, on: NaiveDate, cause: u64, column: Column, index: usize, unshipped: u64, shipped: u64) {
        let line = &self.ask.lines[index];
        let licensed_on = self.license.expect("only a license has units").effective_on;
        let (old_licensed, old_shipped) = (self.licensed(index), units_tpp(line, self.units[index].shipped));
        self.units[index] = Units { unshipped, shipped, ..self.units[index] };
        if counts(line, licensed_on) {
            let licensed = self.licensed(index) - old_licensed;
            self.changes.push(Change {
                on,
                cause,
                column,
                allocation: super::law::allocation(line.destination),
                line: index,
                pending: 0,
                licensed,
                not_limited: if is_limited(line, licensed_on) { 0 } else { licensed },
                shipped: units_tpp(line, shipped) - old_shipped,
            });
        }
    }

    /// The unused comes back on its day, before the events of that day.
    fn give_back_unused(&mut self, before: NaiveDate, how: How) {
        let Some(license) = self.license else { return };
        let on = give_back_day(license.last_valid);
        if how.own_expiry && on <= before {
            for line in 0..self.units.len() {
                if self.units[line].unshipped > 0 {
                    self.set(on, 0, Column::Expired, line, 0, self.units[line].shipped);
                }
            }
        }
    }

    fn allows(&self, kind: EventKind, on: NaiveDate) -> bool {
        use EventKind::*;
        let state = self.state_on(on);
        match state {
            _ if kind == Note => true,
            State::Pending => matches!(kind, Hold | IntendToDeny | Return | Withdraw | Deny | Issue),
            State::Held => matches!(kind, Resume | Return | Withdraw),
            State::IntentToDeny => matches!(kind, Resume | Return | Withdraw | Deny | Issue),
            State::Licensed => matches!(kind, Ship | Amend | Extend | Suspend | Revoke | Surrender | Attrition),
            State::Suspended => matches!(kind, Reinstate | Extend | Revoke | Surrender | Attrition | Ship),
            State::Expired => {
                let license = self.license.expect("what expired was issued");
                matches!(kind, Attrition | Ship) || (matches!(kind, Surrender | Extend) && on < give_back_day(license.last_valid))
            }
            State::Revoked => matches!(kind, Attrition | Ship),
            State::Returned | State::Withdrawn | State::Denied => false,
        }
    }

    fn take(&mut self, told: Told, how: How) -> Result<(), &'static str> {
        let (event, on) = (told.event, told.event.on);
        if on < self.ask.submitted_on {
            return Err("before the application was submitted");
        }
        if !self.allows(event.kind, on) {
            return Err("the state does not allow it");
        }
        let is_new = how.new == Some(told.seq);
        match event.kind {
            EventKind::Hold => self.state = State::Held,
            EventKind::IntendToDeny => self.state = State::IntentToDeny,
            EventKind::Resume => self.state = State::Pending,
            EventKind::Suspend => self.state = State::Suspended,
            EventKind::Reinstate => self.state = State::Licensed,
            EventKind::Return => self.decide(told, State::Returned),
            EventKind::Withdraw => self.decide(told, State::Withdrawn),
            EventKind::Deny => self.decide(told, State::Denied),
            EventKind::Issue => self.issue(told, how)?,
            EventKind::Extend => self.extend(event, is_new)?,
            EventKind::Revoke => {
                self.state = State::Revoked;
                for line in 0..self.units.len() {
                    self.set(on, told.seq, Column::Revoked, line, 0, self.units[line].shipped);
                }
            }
            EventKind::Ship => self.ship(told, is_new)?,
            EventKind::Surrender | EventKind::Attrition | EventKind::Amend => {
                for (line, quantity) in targets(self.ask, event)? {
                    match event.kind {
                        EventKind::Surrender => self.surrender(told, line, quantity, is_new)?,
                        EventKind::Attrition => self.attrition(told, line, quantity, is_new)?,
                        _ => self.amend(told, line, quantity, is_new)?,
                    }
                }
            }
            EventKind::Correct | EventKind::Note => {}
        }
        Ok(())
    }

    fn decide(&mut self, told: Told, state: State) {
        self.state = state;
        self.pend(told.event.on, told.seq, -1);
    }

    fn issue(&mut self, told: Told, how: How) -> Result<(), &'static str> {
        let (event, on) = (told.event, told.event.on);
        let last_valid = event.expires.unwrap_or_else(|| last_valid_day(on, how.holidays));
        if last_valid < on {
            return Err("expires before it is effective");
        }
        self.decide(told, State::Licensed);
        self.license = Some(License { effective_on: on, last_valid });
        for (line, quantity) in targets(self.ask, event)? {
            let requested = self.ask.lines[line].quantity;
            let quantity = quantity.unwrap_or(requested);
            if quantity > requested {
                return Err("more than was requested");
            }
            self.units[line].granted = true;
            self.set(on, told.seq, Column::Issued, line, u64::from(quantity), 0);
        }
        Ok(())
    }

    fn extend(&mut self, event: &Event, is_new: bool) -> Result<(), &'static str> {
        let expires = event.expires.ok_or("extend without a day")?;
        if expires < event.on {
            return Err("expires before it is effective");
        }
        let license = self.license.as_mut().expect("only a license is extended");
        if is_new && expires <= license.last_valid {
            return Err("extended to an earlier or the same day");
        }
        license.last_valid = license.last_valid.max(expires);
        Ok(())
    }

    /// Takes from the unshipped; what is more than that is charged. Blank is all that is unshipped when it is recorded.
    fn ship(&mut self, told: Told, is_new: bool) -> Result<(), &'static str> {
        let mut units: Vec<(usize, u64)> = Vec::new();
        for (line, quantity) in targets(self.ask, told.event)? {
            let recorded = told.resolved.iter().find(|(other, _)| *other == line);
            match (quantity, recorded) {
                (Some(quantity), _) => {
                    let (stated, before) = (u64::from(quantity), self.units[line].ship_total);
                    units.push((line, step(told.event, stated, before)?));
                    self.units[line].ship_total = if told.event.cumulative { stated } else { before };
                }
                (None, Some((_, resolved))) => units.push((line, *resolved)),
                (None, None) => {
                    self.resolved.push((line, self.units[line].unshipped));
                    units.push((line, self.units[line].unshipped));
                }
            }
        }
        if is_new && !self.resolved.is_empty() && units.iter().all(|(_, units)| *units == 0) {
            return Err("nothing to ship");
        }
        for (line, units) in units {
            let Units { unshipped, shipped, .. } = self.units[line];
            self.set(told.event.on, told.seq, Column::Issued, line, unshipped.saturating_sub(units), shipped + units);
        }
        Ok(())
    }

    fn surrender(&mut self, told: Told, line: usize, quantity: Option<u32>, is_new: bool) -> Result<(), &'static str> {
        let Units { unshipped, shipped, .. } = self.units[line];
        let units = quantity.map_or(unshipped, u64::from);
        if is_new && units > unshipped {
            return Err("surrender above what is unshipped");
        }
        self.set(told.event.on, told.seq, Column::Surrendered, line, unshipped - units.min(unshipped), shipped);
        Ok(())
    }

    fn attrition(&mut self, told: Told, line: usize, quantity: Option<u32>, is_new: bool) -> Result<(), &'static str> {
        let stated = u64::from(quantity.ok_or("attrition without a quantity")?);
        let Units { unshipped, shipped, attrition_total, .. } = self.units[line];
        let units = step(told.event, stated, attrition_total)?;
        if is_new && units > shipped {
            return Err("attrition above what is shipped");
        }
        if told.event.cumulative {
            self.units[line].attrition_total = stated;
        }
        self.set(told.event.on, told.seq, Column::Attrition, line, unshipped, shipped - units.min(shipped));
        Ok(())
    }

    fn amend(&mut self, told: Told, line: usize, quantity: Option<u32>, is_new: bool) -> Result<(), &'static str> {
        let total = u64::from(quantity.ok_or("amend without a quantity")?);
        let Units { granted, shipped, .. } = self.units[line];
        if !granted {
            return Err("a line not granted");
        }
        if is_new && total < shipped {
            return Err("amend below what is shipped");
        }
        self.set(told.event.on, told.seq, Column::Amended, line, total.saturating_sub(shipped), shipped);
        Ok(())
    }
}

/// What a row adds: its quantity, or what its total is above the total before.
fn step(event: &Event, stated: u64, before: u64) -> Result<u64, &'static str> {
    if event.cumulative { stated.checked_sub(before).ok_or("a total that falls") } else { Ok(stated) }
}
