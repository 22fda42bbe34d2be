//! Random worlds, loaded towards the edges: amounts within one unit of the headroom floor, days around expiry,
//! give-back, quarters, the period and the day on which Cambodia gets its limit.

use super::figures::Picture;
use super::law::{CAMBODIA, FIRST, LAST, allocation, day, give_back_day, plus, units_tpp};
use super::model::{Model, Verdict};
use super::rows::{Act, Amount, Ask, Event, Line, Operation};
use super::story::State;
use super::trial::World;
use chrono::NaiveDate;
use std::collections::BTreeSet;
use tppledger::quota::event::{ActKind, EventKind};

/// A xorshift generator: the same seed gives the same world for ever.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        // Neighboring seeds are spread by a splitmix step, so that their worlds have nothing in common.
        let mut mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Dice((mixed ^ (mixed >> 31)) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.next() % (high - low + 1).unsigned_abs()).expect("a small span")
    }

    /// True so many times of a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() { None } else { of.get(self.next() as usize % of.len()) }
    }

    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        *self.pick(of).expect("something to pick from")
    }
}

/// Days on which something turns.
const EDGES: [NaiveDate; 14] = [
    day(2024, 12, 31),
    FIRST,
    day(2025, 3, 31),
    day(2025, 4, 1),
    day(2025, 6, 30),
    day(2025, 12, 31),
    day(2026, 1, 1),
    day(2026, 2, 2),
    CAMBODIA,
    day(2026, 6, 30),
    day(2027, 1, 1),
    day(2027, 12, 30),
    LAST,
    day(2028, 1, 1),
];

/// Makes rows one after the other, with an eye on what the model knows.
struct Hand<'m> {
    dice: Dice,
    model: &'m mut Model,
    rows: Vec<Operation>,
    verdicts: Vec<Verdict>,
    ids: u64,
    applications: i64,
}

/// A world of a seed, with the model that lived through it and what it said.
pub fn world(seed: u64, holidays: &BTreeSet<NaiveDate>) -> (World, Model, Vec<Verdict>) {
    let mut model = Model::new(holidays);
    let mut dice = Dice::new(seed);
    let length = usize::try_from(dice.between(40, 120)).expect("not negative");
    let chunks = (0..5).map(|_| usize::try_from(dice.between(1, 30)).expect("not negative")).collect();
    let applications = dice.between(5, 16);
    let mut hand = Hand { dice, model: &mut model, rows: Vec::new(), verdicts: Vec::new(), ids: 0, applications };
    while hand.rows.len() < length {
        let row = hand.row();
        hand.verdicts.push(hand.model.perform(&row));
        hand.rows.push(row);
    }
    let days = (0..12).map(|_| hand.any_day()).collect();
    let throughs = vec![1000, hand.dice.between(1, 999).unsigned_abs(), hand.dice.between(1, 999).unsigned_abs()];
    let Hand { rows, verdicts, .. } = hand;
    (World { rows, chunks, days, throughs }, model, verdicts)
}

impl Hand<'_> {
    fn row(&mut self) -> Operation {
        let known = self.model.numbers(self.model.head()).len() as i64;
        match self.dice.between(1, 100) {
            _ if known == 0 => Operation::Ask(self.new_ask(1)),
            1..=19 if known < self.applications => Operation::Ask(self.new_ask(known + 1)),
            1..=4 | 20..=22 => self.revision(),
            23..=33 => Operation::Act(self.act()),
            34..=41 => Operation::Event(self.correction()),
            42..=47 => self.again(),
            _ => Operation::Event(self.event()),
        }
    }

    fn id(&mut self, letter: char) -> String {
        self.ids += 1;
        format!("{letter}{}", self.ids)
    }

    /// A day: an edge, a neighbor of a day on which something happens, or any.
    fn any_day(&mut self) -> NaiveDate {
        match self.dice.between(1, 10) {
            1..=3 => self.dice.one(&EDGES),
            4..=6 => {
                let days: Vec<NaiveDate> = self.rows.iter().map(effective_on).collect();
                match self.dice.pick(&days).copied() {
                    Some(on) => plus(on, self.dice.between(-1, 1)),
                    None => FIRST,
                }
            }
            7 => {
                let licenses: Vec<NaiveDate> = self.licenses().into_iter().map(|(_, last_valid)| last_valid).collect();
                let last_valid = self.dice.pick(&licenses).copied().unwrap_or(LAST);
                plus(if self.dice.chance(50) { last_valid } else { give_back_day(last_valid) }, self.dice.between(-1, 1))
            }
            _ => plus(FIRST, self.dice.between(-20, 1_120)),
        }
    }

    fn licenses(&self) -> Vec<(String, NaiveDate)> {
        let head = self.model.head();
        let last = |number: &&str| self.model.story(number, head, NaiveDate::MAX).license.map(|license| license.last_valid);
        self.model.numbers(head).iter().filter_map(|number| last(number).map(|day| (number.to_string(), day))).collect()
    }

    fn destination(&mut self) -> &'static str {
        self.dice.one(&["PL", "PL", "PL", "PL", "PL", "PL", "PL", "PL", "PL", "IN", "IN", "KH", "KH", "KH", "DE", "CN", "HK"])
    }

    /// The floor of a destination from a day on; the whole base where it has none.
    fn floor(&self, destination: &'static str, from: NaiveDate) -> i64 {
        let picture = Picture::of(self.model, self.model.head());
        picture.floor(allocation(destination), from).map_or(1_000_000, |(floor, _)| floor)
    }

    fn new_ask(&mut self, number: i64) -> Ask {
        let submitted_on = match self.dice.between(1, 10) {
            1 => day(2024, 12, 2),
            2..=6 => plus(FIRST, self.dice.between(0, 60)),
            _ => self.any_day(),
        };
        let revision = if self.dice.chance(3) { 2 } else { 1 };
        Ask { number: format!("Z{number}"), revision, submitted_on, lines: self.lines(submitted_on) }
    }

    fn lines(&mut self, from: NaiveDate) -> Vec<Line> {
        let count = self.dice.one(&[1, 1, 1, 1, 2, 2, 3]);
        let destination = self.destination();
        let mut lines = Vec::new();
        for _ in 0..count {
            let destination = if self.dice.chance(70) { destination } else { self.destination() };
            lines.push(self.line(destination, from));
        }
        lines
    }

    fn line(&mut self, destination: &'static str, from: NaiveDate) -> Line {
        let floor = self.floor(destination, from).max(1);
        let total = match self.dice.between(1, 100) {
            1..=40 => (floor + self.dice.between(-1, 1)).max(1),
            41..=52 => self.dice.between(1, 60),
            53..=63 => self.dice.between(900_000, 1_100_000),
            _ => self.dice.between(1_000, 700_000),
        };
        let quantity = if self.dice.chance(20) { 1 } else { self.dice.between(2, 40) };
        let unit = (total / quantity).max(1);
        let (per_unit, aggregate) = match self.dice.between(1, 10) {
            1..=5 => (Some(unit), None),
            6..=8 => (None, Some(total)),
            _ => (Some(unit), Some(total)),
        };
        let blank_or = |country| if destination == "US" { None } else { Some(country) };
        let headquarters = match self.dice.between(1, 10) {
            1..=6 => None,
            7 => Some(destination),
            8 => blank_or("DE"),
            9 => blank_or("CN"),
            _ => blank_or("KH"),
        };
        let parent = if self.dice.chance(80) { None } else { Some(self.dice.one(&["DE", "CN", "PL", "US"])) };
        Line {
            quantity: u32::try_from(quantity).expect("a small quantity"),
            per_unit,
            aggregate,
            destination: if self.dice.chance(1) { "US" } else { destination },
            headquarters,
            parent,
            transfer: self.dice.chance(5),
            eccn: self.dice.one(&["3A090.a", "3A090.a", "3A090.a", "3A090.a", "3A090.a.1", "3A090.a.2", "3A090.b"]),
            consignee: "Consignee",
        }
    }

    fn some_number(&mut self) -> String {
        let head = self.model.head();
        let is_over = |number: &str| {
            let state = self.model.story(number, head, NaiveDate::MAX).state_on(FIRST);
            matches!(state, State::Returned | State::Withdrawn | State::Denied | State::Revoked)
        };
        let all = self.model.numbers(head);
        let mut numbers: Vec<String> = all.iter().filter(|number| !is_over(number)).map(ToString::to_string).collect();
        if numbers.is_empty() || self.dice.chance(12) {
            numbers = all.iter().map(ToString::to_string).collect();
        }
        if self.dice.chance(1) { "Z99".into() } else { self.dice.pick(&numbers).cloned().unwrap_or("Z1".into()) }
    }

    fn revision(&mut self) -> Operation {
        let number = self.some_number();
        let Some(latest) = self.model.latest(&number, self.model.head()).cloned() else { return Operation::Ask(self.new_ask(1)) };
        let mut ask = Ask { revision: latest.revision + 1, ..latest };
        match self.dice.between(1, 20) {
            1 => ask.revision = latest.revision,
            2 => ask.revision = (latest.revision - 1).max(1),
            3 => ask.revision += 1,
            4 => ask.submitted_on = plus(ask.submitted_on, 1),
            _ => {}
        }
        let from = ask.submitted_on;
        let line = self.dice.between(0, ask.lines.len() as i64 - 1) as usize;
        match self.dice.between(1, 10) {
            1..=2 => ask.lines = self.lines(from),
            3 => ask.lines[line].quantity += 1,
            4..=8 => {
                ask.lines[line].headquarters = self.dice.one(&[None, Some("DE"), Some("CN"), Some("PL"), Some("KH")]);
                ask.lines[line].parent = self.dice.one(&[None, None, Some("DE"), Some("CN")]);
            }
            9 => ask.lines[line].consignee = self.dice.one(&["Consignee", "Second Hall", "Third Hall"]),
            _ => {}
        }
        Operation::Ask(ask)
    }

    /// A row that was put in before, as it was or a little otherwise.
    fn again(&mut self) -> Operation {
        let Some(mut row) = self.dice.pick(&self.rows).cloned() else { return Operation::Ask(self.new_ask(1)) };
        let other = self.dice.chance(35);
        match &mut row {
            Operation::Ask(ask) if other => ask.lines[0].quantity += 1,
            // The same, written out.
            Operation::Ask(ask) => {
                for line in &mut ask.lines {
                    line.headquarters = Some(line.headquarters.unwrap_or(line.destination));
                }
            }
            Operation::Event(event) if other => match self.dice.between(1, 3) {
                1 => event.on = plus(event.on, 1),
                2 => event.reference = Some("another document"),
                _ => event.rows[0].1 = Some(event.rows[0].1.map_or(1, |quantity| quantity + 1)),
            },
            Operation::Act(act) if other => act.on = plus(act.on, 1),
            Operation::Event(_) | Operation::Act(_) => {}
        }
        row
    }

    fn act(&mut self) -> Act {
        let id = self.id('A');
        // An act's id may be an event's already: one namespace.
        let id = if self.dice.chance(1) { "E1".into() } else { id };
        let limited = self.dice.one(&["PL", "PL", "PL", "PL", "IN", "KH", "KH"]);
        let destination = if self.dice.chance(96) { limited } else { self.dice.one(&["DE", "HK", "CN"]) };
        let on = match self.dice.between(1, 10) {
            1..=4 => self.any_day(),
            _ if destination == "KH" => plus(CAMBODIA, self.dice.between(0, 500)),
            _ => plus(FIRST, self.dice.between(0, 800)),
        };
        use ActKind::{CarryIn, Commit, EndCommitment, EndWithholding, Increase, Review, WithdrawIncrease, Withhold};
        let kinds = [Commit, Commit, Increase, Increase, Increase, EndCommitment, WithdrawIncrease, WithdrawIncrease];
        let more = [Withhold, Withhold, Withhold, Withhold, EndWithholding, EndWithholding, Review, CarryIn];
        let kind = if self.dice.chance(50) { self.dice.one(&kinds) } else { self.dice.one(&more) };
        let acts = self.model.acts(destination, self.model.head());
        let in_force = |pick| super::limits::tell(&acts, None).map_or(0, |limits| limits.on(on, pick));
        let done = |kind| acts.iter().any(|(_, act)| act.kind == kind && act.on <= on);
        let kind = match kind {
            _ if self.dice.chance(10) => kind,
            Increase | EndCommitment if !done(Commit) => Commit,
            WithdrawIncrease if !done(Increase) => Increase,
            EndWithholding if !done(Withhold) => Withhold,
            kind => kind,
        };
        let edge = match kind {
            Increase => 1_000_000 - in_force(|step| step.increase),
            WithdrawIncrease => in_force(|step| step.increase),
            EndWithholding => in_force(|step| step.withheld),
            _ => self.floor(destination, on),
        };
        let most = if matches!(kind, Withhold | CarryIn) { edge / 4 } else { edge };
        let close = (edge + self.dice.between(-1, 1)).max(1);
        let any = self.dice.between(1, most.max(1));
        let amount = match (kind, self.dice.between(1, 10)) {
            (Commit | EndCommitment | Review, _) => Amount::Blank,
            (WithdrawIncrease | EndWithholding, 1..=2) => Amount::Blank,
            (Withhold | CarryIn, 1..=2) | (_, 3..=5) => Amount::Tpp(close),
            (Withhold, 6) => Amount::Percent((any / 2).max(1)),
            (_, 6..=7) if kind != CarryIn => Amount::Percent(any * 10),
            (_, 1) => Amount::Blank,
            _ => Amount::Tpp(any),
        };
        Act { id, kind, destination, on, amount }
    }

    fn correction(&mut self) -> Event {
        let accepted: Vec<(String, NaiveDate)> = (self.model.records.iter())
            .filter(|record| record.accepted || record.operation.to_string().contains("issue"))
            .filter_map(|record| match &record.operation {
                Operation::Event(event) => Some((event.id.clone(), event.on)),
                Operation::Act(act) => Some((act.id.clone(), act.on)),
                Operation::Ask(_) => None,
            })
            .collect();
        let recent = accepted.len().saturating_sub(6);
        let pool = if self.dice.chance(60) { &accepted[recent..] } else { &accepted[..] };
        let (target, on) = self.dice.pick(pool).cloned().unwrap_or(("E99".into(), FIRST));
        let on = plus(on, if self.dice.chance(5) { -1 } else { self.dice.between(0, 90) });
        let mut event = self.bare(EventKind::Correct, None, on);
        event.authority = self.dice.chance(20);
        event.corrects = Some(target);
        event
    }

    fn bare(&mut self, kind: EventKind, application: Option<String>, on: NaiveDate) -> Event {
        Event {
            id: self.id('E'),
            kind,
            application,
            license: None,
            on,
            rows: vec![(None, None)],
            cumulative: false,
            expires: None,
            corrects: None,
            authority: false,
            reference: None,
        }
    }

    fn event(&mut self) -> Event {
        let number = self.some_number();
        let head = self.model.head();
        if self.model.latest(&number, head).is_none() {
            return self.bare(EventKind::Note, Some(number), FIRST);
        }
        let story = self.model.story(&number, head, NaiveDate::MAX);
        let (days, last) = self.days_of(&number);
        let license = story.license;
        let on = match (self.dice.between(1, 10), license) {
            (1..=5, _) => plus(last, self.dice.between(0, 70)),
            (6, _) => plus(self.dice.one(&days), self.dice.between(-1, 1)),
            (7, Some(license)) => plus(license.last_valid, self.dice.between(-1, 1)),
            (8, Some(license)) => plus(give_back_day(license.last_valid), self.dice.between(-1, 1)),
            (9, _) => plus(self.dice.one(&days), self.dice.between(0, 200)),
            _ => self.any_day(),
        };
        let until = self.model.story(&number, head, on);
        let state = until.state_on(on);
        let units: Vec<(u64, u64)> = until.units.iter().map(|units| (units.unshipped, units.shipped)).collect();
        let last_valid = until.license.map(|license| license.last_valid);
        let kind = if self.dice.chance(88) { self.likely(state) } else { self.dice.one(EventKind::ALL) };
        let kind = if kind == EventKind::Correct { EventKind::Note } else { kind };
        let ask = self.model.latest(&number, head).cloned().expect("a known application");
        self.written(kind, &ask, on, &units, last_valid)
    }

    /// Days on which an application had an event, its submission being the first.
    fn days_of(&self, number: &str) -> (Vec<NaiveDate>, NaiveDate) {
        let submitted_on = self.model.latest(number, self.model.head()).map_or(FIRST, |ask| ask.submitted_on);
        let mut days = vec![submitted_on];
        days.extend(self.model.events(number, self.model.head()).iter().map(|told| told.event.on));
        let last = days.iter().copied().max().expect("the submission");
        (days, last)
    }

    /// A kind that the state allows, most often.
    fn likely(&mut self, state: State) -> EventKind {
        use EventKind::*;
        match state {
            State::Pending if self.dice.chance(75) => Issue,
            State::Pending => self.dice.one(&[Hold, Hold, IntendToDeny, IntendToDeny, Deny, Return, Withdraw]),
            State::Held => self.dice.one(&[Resume, Resume, Resume, Return, Withdraw]),
            State::IntentToDeny => self.dice.one(&[Resume, Issue, Issue, Issue, Deny, Return, Withdraw]),
            State::Licensed => self.dice.one(&[
                Ship, Ship, Ship, Ship, Ship, Amend, Amend, Amend, Extend, Extend, Suspend, Revoke, Surrender, Surrender,
                Attrition, Attrition,
            ]),
            State::Suspended => self.dice.one(&[Reinstate, Reinstate, Extend, Revoke, Surrender, Attrition, Ship]),
            State::Expired => self.dice.one(&[Ship, Ship, Extend, Extend, Surrender, Attrition]),
            State::Revoked => self.dice.one(&[Ship, Ship, Attrition, Note]),
            State::Returned | State::Withdrawn | State::Denied => self.dice.one(&[Note, Issue, Hold]),
        }
    }

    /// The cells of an event of a kind: edges more often than not.
    fn written(
        &mut self,
        kind: EventKind,
        ask: &Ask,
        on: NaiveDate,
        units: &[(u64, u64)],
        last_valid: Option<NaiveDate>,
    ) -> Event {
        let mut event = self.bare(kind, Some(ask.number.clone()), on);
        let authority =
            self.dice.chance(if matches!(kind, EventKind::Issue | EventKind::Amend | EventKind::Extend) { 8 } else { 1 });
        event.authority = authority;
        match kind {
            EventKind::Issue => self.write_issue(&mut event, ask),
            EventKind::Extend => {
                let last_valid = last_valid.unwrap_or(on);
                event.expires = Some(plus(last_valid, self.dice.one(&[-30, 0, 1, 1, 29, 31, 60, 200, 400])));
            }
            EventKind::Note => event.reference = Some("a text"),
            EventKind::Ship | EventKind::Attrition | EventKind::Surrender | EventKind::Amend => {
                self.write_quantities(&mut event, ask, units)
            }
            EventKind::Revoke | EventKind::Suspend if self.dice.chance(3) => event.rows = vec![(None, Some(1))],
            _ => {}
        }
        let licensed = self.model.story(&ask.number, self.model.head(), NaiveDate::MAX).license.is_some();
        if licensed && kind != EventKind::Issue && self.dice.chance(8) {
            let number = self.license_of(&ask.number).unwrap_or("D99".into());
            event.license = Some(number);
            event.application = event.application.filter(|_| self.dice.chance(50));
        }
        event
    }

    fn license_of(&self, number: &str) -> Option<String> {
        let events = self.model.events(number, self.model.head());
        events.iter().find_map(|told| told.event.license.clone().filter(|_| told.event.kind == EventKind::Issue))
    }

    fn write_issue(&mut self, event: &mut Event, ask: &Ask) {
        if self.dice.chance(40) {
            let number =
                if self.dice.chance(85) { ask.number.replace('Z', "D") } else { format!("D{}", self.dice.between(1, 4)) };
            event.license = Some(number);
        }
        event.expires = match self.dice.between(1, 10) {
            1..=3 => Some(plus(event.on, self.dice.one(&[-1, 0, 1, 5, 29, 30, 60, 120, 200, 800]))),
            _ => None,
        };
        if self.dice.chance(55) {
            return;
        }
        event.rows.clear();
        for (index, line) in ask.lines.iter().enumerate() {
            if index > 0 && self.dice.chance(40) {
                continue;
            }
            let floor = self.floor(line.destination, event.on);
            let fits = (0..=line.quantity).rev().find(|units| units_tpp(line, u64::from(*units)) <= floor).unwrap_or(0);
            let quantity = match self.dice.between(1, 10) {
                1..=4 => i64::from(fits) + self.dice.between(0, 1),
                5 => i64::from(line.quantity) + 1,
                _ => self.dice.between(1, i64::from(line.quantity)),
            };
            let quantity = u32::try_from(quantity.max(1)).expect("a small quantity");
            let row = if ask.lines.len() == 1 && self.dice.chance(50) { None } else { Some(index as u32 + 1) };
            let blank = row.is_some() && self.dice.chance(15);
            event.rows.push((row, if blank { None } else { Some(quantity) }));
        }
    }

    /// Applications of an even number report totals, the others quantities, nearly always.
    fn reports_totals(&mut self, number: &str) -> bool {
        let even = number.ends_with(['2', '4', '6', '8']);
        if self.dice.chance(4) { !even } else { even }
    }

    fn write_quantities(&mut self, event: &mut Event, ask: &Ask, units: &[(u64, u64)]) {
        let count = ask.lines.len();
        let mut lines: Vec<usize> = vec![self.dice.between(0, count as i64 - 1) as usize];
        if count > 1 && self.dice.chance(30) {
            lines = (0..count).collect();
        }
        let feed = matches!(event.kind, EventKind::Ship | EventKind::Attrition);
        event.cumulative = feed && self.reports_totals(&ask.number);
        let blank = matches!(event.kind, EventKind::Ship | EventKind::Surrender) && !event.cumulative && self.dice.chance(25);
        if blank && self.dice.chance(60) {
            return;
        }
        event.rows.clear();
        for line in lines {
            let (unshipped, shipped) = (units[line].0 as i64, units[line].1 as i64);
            let edge = match event.kind {
                EventKind::Ship | EventKind::Surrender => unshipped,
                EventKind::Attrition => shipped,
                _ => self.amend_edge(event, ask, line, unshipped + shipped, shipped),
            };
            let base = if event.cumulative { self.total_before(event, &ask.number, line) } else { 0 };
            let quantity = match self.dice.between(1, 10) {
                1..=4 => edge + self.dice.between(-1, 1),
                5..=8 => self.dice.between(1, edge.max(2)),
                9 => edge / 2,
                _ => self.dice.between(1, 45),
            };
            let low = i64::from(base == 0 || self.dice.chance(95));
            let quantity = u32::try_from((base + quantity.max(low - 1)).max(1)).expect("a small quantity");
            let row = if count == 1 && !event.cumulative && self.dice.chance(50) { None } else { Some(line as u32 + 1) };
            let leave_blank = blank || (count > 1 && !event.cumulative && self.dice.chance(6));
            event.rows.push((row, if leave_blank { None } else { Some(quantity) }));
        }
    }

    /// The total of an amendment that comes near to the headroom floor, or near to what is shipped.
    fn amend_edge(&mut self, event: &Event, ask: &Ask, line: usize, licensed: i64, shipped: i64) -> i64 {
        if self.dice.chance(30) {
            return if self.dice.chance(50) { shipped } else { licensed };
        }
        let floor = self.floor(ask.lines[line].destination, event.on);
        let tpp = |units: i64| units_tpp(&ask.lines[line], units.unsigned_abs());
        (licensed..licensed + 60).take_while(|units| tpp(*units) - tpp(licensed) <= floor.max(0)).last().unwrap_or(licensed)
    }

    /// The last total reported on or before a day.
    fn total_before(&self, event: &Event, number: &str, line: usize) -> i64 {
        let mut before = (NaiveDate::MIN, 0);
        for told in self.model.events(number, self.model.head()) {
            if told.event.kind == event.kind && told.event.cumulative && told.event.on <= event.on && told.event.on >= before.0 {
                let row = told.event.rows.iter().find(|(row, _)| *row == Some(line as u32 + 1));
                before = row.and_then(|(_, total)| *total).map_or(before, |total| (told.event.on, i64::from(total)));
            }
        }
        before.1
    }
}

fn effective_on(row: &Operation) -> NaiveDate {
    match row {
        Operation::Ask(ask) => ask.submitted_on,
        Operation::Event(event) => event.on,
        Operation::Act(act) => act.on,
    }
}
