//! All records of a small ledger, and what becomes of the next row: accepted, refused, an error, already known.
//!
//! A decision tells the story with the row and without it, and compares every day of the period, one by one.

use super::figures::Picture;
use super::law::{self, FIRST, INCREASES_MOST, LAST, allocation, index, period};
use super::limits::{self, Limits, amount};
use super::rows::{Act, Amount, Ask, Event, Operation};
use super::story::{self, How, Story, Told, targets};
use chrono::NaiveDate;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use tppledger::quota::event::{ActKind, EventKind};

/// A record: an accepted or refused row.
#[derive(Clone, Debug)]
pub struct Record {
    pub operation: Operation,
    pub accepted: bool,
    /// The application of an event.
    pub application: Option<String>,
    /// What a blank `ship` was resolved to.
    pub resolved: Vec<(usize, u64)>,
    /// The record that a correction undoes.
    pub undoes: Option<u64>,
}

/// A limit that a row breaks. Amounts in thousandths.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lack {
    pub allocation: &'static str,
    pub requested: i64,
    pub headroom: i64,
    pub floor_on: NaiveDate,
    pub limit: i64,
    pub shortfall: i64,
    pub largest: i64,
    pub largest_quantity: Option<u32>,
}

/// What becomes of a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    Accepted { seq: u64 },
    Refused { seq: u64, lacks: Vec<Lack> },
    Known { seq: u64, refused: bool },
    Error(String),
}

/// What will be recorded of a row that is no error.
#[derive(Default)]
struct Ruling {
    lacks: Vec<Lack>,
    application: Option<String>,
    resolved: Vec<(usize, u64)>,
    undoes: Option<u64>,
}

type Judged<T> = Result<T, &'static str>;

/// The ledger.
#[derive(Clone, Debug)]
pub struct Model {
    pub records: Vec<Record>,
    /// How many rows had to fit in a limit, and how many of them came within one unit of it.
    pub judged: u64,
    pub close: u64,
    /// What the last judgment left on the tightest day.
    margin: Cell<Option<i64>>,
    pub holidays: BTreeSet<NaiveDate>,
}

impl Model {
    pub fn new(holidays: &BTreeSet<NaiveDate>) -> Model {
        Model { records: Vec::new(), judged: 0, close: 0, margin: Cell::new(None), holidays: holidays.clone() }
    }

    /// Number of the last record.
    pub fn head(&self) -> u64 {
        self.records.len() as u64
    }

    /// Decides on a row and records it.
    pub fn perform(&mut self, operation: &Operation) -> Verdict {
        self.margin.set(None);
        let known = self.known(operation);
        let judged = match (&known, operation) {
            (Some(Ok(seq)), _) => return Verdict::Known { seq: *seq, refused: !self.records[*seq as usize - 1].accepted },
            (Some(Err(why)), _) => Err(*why),
            (None, Operation::Ask(ask)) => self.ask(ask).map(|()| Ruling::default()),
            (None, Operation::Event(event)) => self.event(event),
            (None, Operation::Act(act)) => self.act(act).map(|lacks| Ruling { lacks, ..Ruling::default() }),
        };
        let seq = self.head() + 1;
        if let Some(margin) = self.margin.get() {
            self.judged += 1;
            self.close += u64::from(margin.abs() <= self.unit(operation));
        }
        match judged {
            Err(why) => Verdict::Error(why.into()),
            Ok(Ruling { lacks, application, resolved, undoes }) => {
                let accepted = lacks.is_empty();
                self.records.push(Record { operation: operation.clone(), accepted, application, resolved, undoes });
                if accepted { Verdict::Accepted { seq } } else { Verdict::Refused { seq, lacks } }
            }
        }
    }

    /// The smallest step of a row: one unit of its lightest line, one thousandth for an act.
    fn unit(&self, operation: &Operation) -> i64 {
        let Operation::Event(Event { application: Some(number), .. }) = operation else { return 1 };
        let lines = self.latest(number, self.head()).map_or(&[][..], |ask| &ask.lines);
        lines.iter().map(|line| law::units_tpp(line, 1)).min().unwrap_or(1)
    }

    /// Keeps what a row leaves on its tightest day.
    fn leaves(&self, margin: i64) {
        self.margin.set(Some(self.margin.get().map_or(margin, |old| old.min(margin))));
    }

    /// Records with their numbers, up to one.
    fn through(&self, seq: u64) -> impl Iterator<Item = (u64, &Record)> {
        (1..=seq).zip(&self.records)
    }

    /// The same row again, or the same id with other content.
    fn known(&self, operation: &Operation) -> Option<Judged<u64>> {
        for (seq, record) in self.through(self.head()) {
            let same = match (&record.operation, operation) {
                (Operation::Ask(old), Operation::Ask(new)) if (&old.number, old.revision) == (&new.number, new.revision) => {
                    plain(old) == plain(new)
                }
                (Operation::Event(old), Operation::Event(new)) if old.id == new.id => {
                    let named = |event: &Event| Event { application: None, license: None, ..event.clone() };
                    let license = old.kind != EventKind::Issue || old.license == new.license;
                    let application = old.application == new.application && old.license == new.license
                        || self.application_of(new).is_ok_and(|number| Some(&number) == record.application.as_ref());
                    named(old) == named(new) && license && application
                }
                (Operation::Act(old), Operation::Act(new)) if old.id == new.id => old == new,
                (Operation::Event(Event { id: old, .. }), Operation::Act(Act { id: new, .. }))
                | (Operation::Act(Act { id: old, .. }), Operation::Event(Event { id: new, .. }))
                    if old == new =>
                {
                    false
                }
                _ => continue,
            };
            return Some(if same { Ok(seq) } else { Err("the same id with other content") });
        }
        None
    }

    /// The latest revision of an application through a record.
    pub fn latest(&self, number: &str, through: u64) -> Option<&Ask> {
        let asks = self.through(through).filter_map(|(_, record)| match &record.operation {
            Operation::Ask(ask) if ask.number == number => Some(ask),
            _ => None,
        });
        asks.last()
    }

    /// Numbers of all applications through a record.
    pub fn numbers(&self, through: u64) -> BTreeSet<&str> {
        self.through(through)
            .filter_map(|(_, record)| if let Operation::Ask(ask) = &record.operation { Some(ask.number.as_str()) } else { None })
            .collect()
    }

    /// Accepted corrections through a record: number of the correction, number of what it undid.
    pub fn corrections(&self, through: u64) -> impl Iterator<Item = (u64, u64)> {
        let accepted = self.through(through).filter(|(_, record)| record.accepted);
        accepted.filter_map(|(seq, record)| record.undoes.map(|undone| (seq, undone)))
    }

    fn find(&self, id: &str) -> Option<(u64, &Record)> {
        self.through(self.head()).find(|(_, record)| match &record.operation {
            Operation::Event(event) => event.id == id,
            Operation::Act(act) => act.id == id,
            Operation::Ask(_) => false,
        })
    }

    fn undone(&self, through: u64) -> BTreeSet<u64> {
        self.corrections(through).map(|(_, undone)| undone).collect()
    }

    /// The accepted events of an application that stand, through a record.
    pub fn events(&self, number: &str, through: u64) -> Vec<Told<'_>> {
        let undone = self.undone(through);
        let mut events = Vec::new();
        for (seq, record) in self.through(through) {
            if let Operation::Event(event) = &record.operation
                && record.accepted
                && event.kind != EventKind::Correct
                && record.application.as_deref() == Some(number)
                && !undone.contains(&seq)
            {
                events.push(Told { seq, event, resolved: &record.resolved });
            }
        }
        events
    }

    /// The accepted acts on a destination that stand, through a record.
    pub fn acts(&self, destination: &str, through: u64) -> Vec<(u64, &Act)> {
        let undone = self.undone(through);
        let mut acts = Vec::new();
        for (seq, record) in self.through(through) {
            if let Operation::Act(act) = &record.operation
                && record.accepted
                && act.destination == destination
                && !undone.contains(&seq)
            {
                acts.push((seq, act));
            }
        }
        acts
    }

    fn how(&self) -> How<'_> {
        How { holidays: &self.holidays, new: None, own_expiry: true, until: NaiveDate::MAX }
    }

    /// The story of an application through a record, up to a day.
    pub fn story(&self, number: &str, through: u64, until: NaiveDate) -> Story<'_> {
        let ask = self.latest(number, through).expect("a known application");
        story::tell(ask, &self.events(number, through), How { until, ..self.how() }).expect("what is recorded stands")
    }

    fn ask(&self, ask: &Ask) -> Judged<()> {
        if ask.lines.iter().any(|line| line.destination == "US") {
            return Err("the United States is no destination");
        }
        let Some(latest) = self.latest(&ask.number, self.head()) else { return Ok(()) };
        if ask.revision < latest.revision {
            return Err("a lower revision");
        }
        if ask.submitted_on != latest.submitted_on {
            return Err("another day of submission");
        }
        let state = self.story(&ask.number, self.head(), NaiveDate::MAX).state_on(FIRST);
        if !state.is_undecided() && fixed(ask) != fixed(latest) {
            return Err("only parties may be revised after the decision");
        }
        Ok(())
    }

    /// Which application holds a license number.
    fn holder(&self, license: &str) -> Option<String> {
        let undone = self.undone(self.head());
        let issue = self.through(self.head()).find(|(seq, record)| {
            let gives = |event: &Event| event.kind == EventKind::Issue && event.license.as_deref() == Some(license);
            record.accepted && !undone.contains(seq) && matches!(&record.operation, Operation::Event(event) if gives(event))
        });
        issue.and_then(|(_, record)| record.application.clone())
    }

    /// The application that an event names.
    fn application_of(&self, event: &Event) -> Judged<String> {
        let held = match &event.license {
            Some(license) if event.kind != EventKind::Issue => Some(self.holder(license).ok_or("an unknown license")?),
            _ => None,
        };
        match (&event.application, held) {
            (Some(number), Some(holder)) if *number != holder => Err("the license of another application"),
            (Some(number), _) if self.latest(number, self.head()).is_none() => Err("an unknown application"),
            (Some(number), _) => Ok(number.clone()),
            (None, Some(holder)) => Ok(holder),
            (None, None) => Err("no application named"),
        }
    }

    fn event(&self, event: &Event) -> Judged<Ruling> {
        use EventKind::{Amend, Attrition, Correct, Extend, Issue, Ship, Surrender};
        if event.authority && !matches!(event.kind, Issue | Amend | Extend | Correct) {
            return Err("overrun_authority has no place here");
        }
        let takes_lines = matches!(event.kind, Issue | Amend | Ship | Surrender | Attrition);
        if !takes_lines && event.rows != [(None, None)] {
            return Err("line or quantity has no place here");
        }
        if event.kind == Correct {
            return self.correct(event);
        }
        let number = self.application_of(event)?;
        let ask = self.latest(&number, self.head()).expect("a known application");
        let taken = event.license.as_ref().is_some_and(|license| event.kind == Issue && self.holder(license).is_some());
        if taken {
            return Err("a license number in use");
        }
        let old = self.events(&number, self.head());
        let mut new = old.clone();
        let seq = self.head() + 1;
        new.push(Told { seq, event, resolved: &[] });
        let told = story::tell(ask, &new, How { new: Some(seq), ..self.how() }).map_err(|broken| broken.why)?;
        if matches!(event.kind, Ship | Attrition) {
            self.check_basis(ask, &number, event, &told.resolved)?;
        }
        let mut lacks = Vec::new();
        if matches!(event.kind, Issue | Amend | Extend) && !event.authority {
            lacks = self.lacks(ask, &old, &new, event.kind);
            if let [lack] = lacks.as_mut_slice() {
                let margin = self.margin.get();
                lack.largest_quantity = self.largest_quantity(ask, &old, event);
                self.margin.set(margin);
            }
        }
        let resolved = told.resolved.clone();
        Ok(Ruling { lacks, application: Some(number), resolved, undoes: None })
    }

    /// One basis for a line for ever, and a total needs a line.
    fn check_basis(&self, ask: &Ask, number: &str, event: &Event, resolved: &[(usize, u64)]) -> Judged<()> {
        if event.cumulative && event.rows.iter().any(|(line, quantity)| line.is_none() || quantity.is_none()) {
            return Err("a total needs a line");
        }
        let lines = reported(ask, event, resolved)?;
        for record in self.records.iter().filter(|record| record.accepted && record.application.as_deref() == Some(number)) {
            let Operation::Event(old) = &record.operation else { continue };
            if old.kind == event.kind && old.cumulative != event.cumulative {
                let old = reported(ask, old, &record.resolved)?;
                if lines.iter().any(|line| old.contains(line)) {
                    return Err("another basis");
                }
            }
        }
        Ok(())
    }

    /// The limits broken on any day by new events instead of old ones.
    fn lacks(&self, ask: &Ask, old: &[Told], new: &[Told], kind: EventKind) -> Vec<Lack> {
        let tell = |events: &[Told], own_expiry: bool| story::tell(ask, events, How { own_expiry, ..self.how() });
        // An extension keeps what would have come back; anything else is judged without the license's own expiry.
        let is_extension = kind == EventKind::Extend;
        let (Ok(old), Ok(new)) = (tell(old, is_extension), tell(new, false)) else { unreachable!("both were told before") };
        let last_valid = |story: &Story| story.license.map(|license| license.last_valid);
        if is_extension && last_valid(&old) == last_valid(&new) {
            return Vec::new();
        }
        let rises: Vec<Vec<i64>> = (0..ask.lines.len())
            .map(|line| {
                let mut days = vec![0; law::DAYS];
                for (story, sign) in [(&new, 1), (&old, -1)] {
                    for change in story.changes.iter().filter(|change| change.line == line) {
                        days[index(change.on)..].iter_mut().for_each(|day| *day += sign * change.licensed);
                    }
                }
                days
            })
            .collect();
        let licensed_on = new.license.or(old.license).map(|license| license.effective_on);
        let mut by_allocation: BTreeMap<&'static str, Vec<usize>> = BTreeMap::new();
        for (index, line) in ask.lines.iter().enumerate() {
            by_allocation.entry(allocation(line.destination)).or_default().push(index);
        }
        let is_limited = |line: usize| licensed_on.is_some_and(|on| law::is_limited(&ask.lines[line], on));
        let judge = |(allocation, lines): (&'static str, Vec<usize>)| {
            self.lack(allocation, |day| {
                let limited = lines.iter().any(|line| is_limited(*line) && rises[*line][day] > 0);
                if limited { lines.iter().map(|line| rises[*line][day]).sum() } else { 0 }
            })
        };
        by_allocation.into_iter().filter_map(judge).collect()
    }

    /// The day on which a rise falls short most, if it does on any.
    fn lack(&self, allocation: &'static str, rise: impl Fn(usize) -> i64) -> Option<Lack> {
        if (0..law::DAYS).all(|day| rise(day) <= 0) {
            return None;
        }
        let picture = Picture::of(self, self.head());
        let headroom = picture.headroom_by_day(allocation);
        let mut worst: Option<Lack> = None;
        for (at, on) in period().enumerate() {
            let (Some(headroom), requested) = (headroom[at], rise(at)) else { continue };
            let shortfall = requested - headroom;
            if requested > 0 {
                self.leaves(-shortfall);
            }
            if requested > 0 && shortfall > 0 && worst.as_ref().is_none_or(|worst| shortfall > worst.shortfall) {
                let limit = picture.limit(allocation, on).expect("there is headroom");
                let largest = headroom.max(0);
                worst = Some(Lack {
                    allocation,
                    requested,
                    headroom,
                    floor_on: on,
                    limit,
                    shortfall,
                    largest,
                    largest_quantity: None,
                });
            }
        }
        worst
    }

    /// For an issue or amendment of a single line, the largest quantity that would fit, found by trying each.
    fn largest_quantity(&self, ask: &Ask, old: &[Told], event: &Event) -> Option<u32> {
        if event.kind == EventKind::Extend {
            return None;
        }
        let lines = targets(ask, event).expect("the event was told");
        let [(line, quantity)] = lines.as_slice() else { return None };
        let asked = quantity.unwrap_or(ask.lines[*line].quantity);
        let row = Some(*line as u32 + 1);
        let fits = |quantity: u32| {
            let event = Event { rows: vec![(row, Some(quantity))], ..event.clone() };
            let mut new = old.to_vec();
            new.push(Told { seq: self.head() + 1, event: &event, resolved: &[] });
            self.lacks(ask, old, &new, event.kind).is_empty()
        };
        Some((1..asked).rev().find(|quantity| fits(*quantity)).unwrap_or(0))
    }

    fn correct(&self, event: &Event) -> Judged<Ruling> {
        let id = event.corrects.as_ref().ok_or("nothing to correct")?;
        let (seq, record) = self.find(id).ok_or("an unknown id to correct")?;
        if !record.accepted || self.undone(self.head()).contains(&seq) {
            return Err("refused or corrected already");
        }
        let (on, lacks) = match &record.operation {
            Operation::Event(target) if target.kind == EventKind::Correct => return Err("a correction is not corrected"),
            Operation::Event(target) => {
                let number = record.application.as_ref().expect("an event has an application");
                let ask = self.latest(number, self.head()).expect("a known application");
                let old = self.events(number, self.head());
                let new: Vec<Told> = old.iter().copied().filter(|told| told.seq != seq).collect();
                story::tell(ask, &new, self.how()).map_err(|broken| broken.why)?;
                (target.on, self.lacks(ask, &old, &new, EventKind::Correct))
            }
            Operation::Act(target) => {
                let old = self.acts(target.destination, self.head());
                let new: Vec<(u64, &Act)> = old.iter().copied().filter(|(other, _)| *other != seq).collect();
                (target.on, self.act_lacks(target.destination, &limits::tell(&old, None)?, &limits::tell(&new, None)?))
            }
            Operation::Ask(_) => unreachable!("an application has no event id"),
        };
        if event.on < on {
            return Err("before what it corrects");
        }
        // An authority may order what does not fit; it does not raise the maximum of the increases.
        let raises = matches!(&record.operation, Operation::Act(target) if target.kind == ActKind::WithdrawIncrease);
        let lacks = if event.authority && !raises { Vec::new() } else { lacks };
        Ok(Ruling { lacks, undoes: Some(seq), ..Ruling::default() })
    }

    fn act(&self, act: &Act) -> Judged<Vec<Lack>> {
        if !(FIRST..=LAST).contains(&act.on) || law::base(allocation(act.destination), act.on).is_none() {
            return Err("no country limit on that day");
        }
        let needs_amount = matches!(act.kind, ActKind::Increase | ActKind::Withhold | ActKind::CarryIn);
        if needs_amount && act.amount == Amount::Blank {
            return Err("an amount is needed");
        }
        amount(act.amount).ok_or("a percentage that is no whole thousandth")?;
        let old = self.acts(act.destination, self.head());
        let mut new = old.clone();
        let seq = self.head() + 1;
        new.push((seq, act));
        Ok(self.act_lacks(act.destination, &limits::tell(&old, None)?, &limits::tell(&new, Some(seq))?))
    }

    /// Increases above the maximum, or withholding above the headroom, on any day.
    fn act_lacks(&self, allocation: &'static str, old: &Limits, new: &Limits) -> Vec<Lack> {
        let (before, after) = (old.by_day(|step| step.increase), new.by_day(|step| step.increase));
        let mut worst: Option<Lack> = None;
        for (at, floor_on) in period().enumerate() {
            let (requested, shortfall) = (after[at] - before[at], after[at] - INCREASES_MOST);
            if requested > 0 {
                self.leaves(-shortfall);
            }
            if requested > 0 && shortfall > 0 && worst.as_ref().is_none_or(|worst| shortfall > worst.shortfall) {
                let headroom = INCREASES_MOST - before[at];
                let (limit, largest) = (law::BASE + before[at], headroom.max(0));
                worst =
                    Some(Lack { allocation, requested, headroom, floor_on, limit, shortfall, largest, largest_quantity: None });
            }
        }
        let (before, after) = (old.by_day(|step| step.withheld), new.by_day(|step| step.withheld));
        worst.into_iter().chain(self.lack(allocation, |day| after[day] - before[day])).collect()
    }
}

/// The lines of which a feed says something; a blank `ship` says nothing of a line of which it shipped nothing.
fn reported(ask: &Ask, event: &Event, resolved: &[(usize, u64)]) -> Judged<Vec<usize>> {
    let lines = targets(ask, event)?.into_iter().map(|(line, _)| line);
    Ok(lines.filter(|line| resolved.iter().all(|(other, units)| other != line || *units > 0)).collect())
}

/// An application after defaults, so that two ways of writing the same are the same.
fn plain(ask: &Ask) -> Ask {
    let mut ask = ask.clone();
    for line in &mut ask.lines {
        let headquarters = line.headquarters.unwrap_or(line.destination);
        (line.headquarters, line.parent) = (Some(headquarters), Some(line.parent.unwrap_or(headquarters)));
    }
    ask
}

/// What a revision may not change after the decision.
fn fixed(ask: &Ask) -> Ask {
    let mut ask = Ask { revision: 0, ..ask.clone() };
    for line in &mut ask.lines {
        (line.headquarters, line.parent, line.consignee) = (None, None, "");
    }
    ask
}
