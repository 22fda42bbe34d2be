//! The program beside the model: facts of companies and rows of countries in one ledger, in both stores.
//!
//! What becomes of the facts of companies is the model's; what becomes of the rows of countries, and the headroom, is what a
//! ledger of the countries alone says.

use super::dice::Hand;
use super::law;
use super::model::{Lack, Model, Verdict};
use super::rows::Fact;
use super::story::balances;
use crate::reference::rows::Operation;
use crate::reference::trial::Stores;
use chrono::NaiveDate;
use std::collections::BTreeMap;
use tppledger::desk::clerk::{Clerk, Outcome};
use tppledger::desk::figures;
use tppledger::desk::ledger::Ledger;
use tppledger::desk::recent::Recent;
use tppledger::intake::AnyItem;
use tppledger::quota::decision::{RefusalCode, Shortfall};
use tppledger::quota::finding::FindingCode;
use tppledger::store::memory::MemoryStore;
use tppledger::store::{Ask, Batch, Digest, End, Read, Store};

/// A row of either side.
#[derive(Clone, Debug)]
pub enum Row {
    Company(Fact),
    Country(Operation),
}

/// The rows of one ledger.
#[derive(Clone, Debug)]
pub struct World {
    pub rows: Vec<Row>,
    /// After how many rows the writer's transaction ends; repeated.
    pub chunks: Vec<usize>,
    pub days: Vec<NaiveDate>,
    /// Shares of the head, in thousandths, through which the balances are asked.
    pub throughs: Vec<u64>,
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Row::Company(fact) => fact.fmt(f),
            Row::Country(row) => row.fmt(f),
        }
    }
}

/// What the program made of a row, or what is expected of it; a row that is wrong says why.
type Told<T> = Result<T, String>;

/// A world of a seed: facts made with an eye on the model, and among them the rows of a world of countries.
pub fn world(seed: u64, stores: &Stores) -> World {
    let (countries, ..) = crate::reference::dice::world(seed, &stores.regime.validity.holidays);
    let mut countries = countries.rows.into_iter();
    let mut hand = Hand::new(seed);
    let length = usize::try_from(hand.dice.between(25, 70)).expect("not negative");
    let mut rows = Vec::new();
    while hand.rows.len() < length {
        // The number of a record decides the order on a day alone, so that any rising number does here.
        let seq = rows.len() as u64 + 1;
        rows.push(Row::Company(hand.row(seq).0));
        if hand.dice.chance(25) {
            rows.extend(countries.next().map(Row::Country));
        }
    }
    let mut chunks = Vec::new();
    for _ in 0..5 {
        chunks.push(usize::try_from(hand.dice.between(1, 20)).expect("not negative"));
    }
    let mut days = vec![law::day(2025, 1, 1), law::day(2027, 12, 31)];
    for _ in 0..8 {
        days.push(hand.dice.pick(&hand.rows).map_or(days[0], |fact| fact.on));
    }
    let throughs = vec![1000, hand.dice.between(1, 999).unsigned_abs(), hand.dice.between(1, 999).unsigned_abs()];
    World { rows, chunks, days, throughs }
}

/// What the model, the ledger of countries alone, or a store say differently; `None` where they agree.
pub fn disagreement(world: &World, stores: &mut Stores) -> Result<Model, String> {
    let memory = |stores: &Stores| MemoryStore::new(stores.kept.id.clone(), stores.kept.digest, stores.kept.text.clone());
    let countries: Vec<&Row> = world.rows.iter().filter(|row| matches!(row, Row::Country(_))).collect();
    let mut alone = Ledger::new(memory(stores)).map_err(|error| error.to_string())?;
    let answers_alone = put(&mut alone, &countries, &[usize::MAX])?;
    let (model, of_memory) =
        beside(memory(stores), world, &answers_alone, &alone).map_err(|told| format!("MemoryStore: {told}"))?;
    let file = stores.new_file();
    let (_, of_file) = beside(file, world, &answers_alone, &alone).map_err(|told| format!("SqliteStore: {told}"))?;
    if of_memory == of_file { Ok(model) } else { Err("the stores have different heads of the chain".into()) }
}

/// What became of a row, without the number of its record: it is another one in another company.
#[derive(Clone, PartialEq, Debug)]
enum Answer {
    Outcome(Outcome),
    Wrong(String),
}

impl Answer {
    fn takes_a_number(&self) -> bool {
        matches!(self, Answer::Outcome(Outcome::Recorded { .. } | Outcome::Refused { .. }))
    }

    fn without_number(&self) -> Answer {
        let mut answer = self.clone();
        match &mut answer {
            Answer::Outcome(Outcome::Recorded { seq, .. } | Outcome::Known { seq, .. } | Outcome::Refused { seq, .. }) => {
                *seq = 0
            }
            // A message may name a record.
            Answer::Wrong(text) => text.clear(),
        }
        answer
    }
}

fn beside<S: Store>(store: S, world: &World, alone: &[Answer], countries: &Ledger<MemoryStore>) -> Told<(Model, Digest)> {
    let mut ledger = Ledger::new(store).map_err(|error| error.to_string())?;
    let rows: Vec<&Row> = world.rows.iter().collect();
    let answers = put(&mut ledger, &rows, &world.chunks)?;
    let (mut model, mut head, mut alone) = (Model::default(), 0, alone.iter());
    for (at, (row, answer)) in world.rows.iter().zip(&answers).enumerate() {
        let disagree = |expected: String| Err(format!("row {}: {row}\n  model:   {expected}\n  program: {answer:?}", at + 1));
        match row {
            Row::Country(_) => {
                let expected = alone.next().ok_or("an answer to each row")?;
                if answer.without_number() != expected.without_number() {
                    return disagree(format!("as without companies: {expected:?}"));
                }
            }
            Row::Company(fact) => {
                let expected = model.perform(fact, head + 1);
                match (&expected, verdict(answer)) {
                    (Verdict::Error(_), Verdict::Error(_)) | (Verdict::Open(_), _) => {}
                    (expected, seen) if *expected == seen => {}
                    _ => return disagree(format!("{expected:?}")),
                }
                if let (Verdict::Open(why), true) = (&expected, answer.takes_a_number()) {
                    return Err(format!("open: {why}"));
                }
            }
        }
        head += u64::from(answer.takes_a_number());
    }
    ask(&ledger, world, &model, head)?;
    headrooms(&ledger, countries, world)?;
    let digest = ledger.store.read().and_then(|read| read.head()).map_err(|error| error.to_string())?.digest;
    Ok((model, digest))
}

/// The balances of all accounts.
fn ask<S: Store>(ledger: &Ledger<S>, world: &World, model: &Model, head: u64) -> Told<()> {
    let read = ledger.store.read().map_err(|error| error.to_string())?;
    for share in &world.throughs {
        let through = (head * share).div_ceil(1000);
        let charges = model.charges(through);
        for day in &world.days {
            let expected = balances(&charges, *day);
            let seen = read.account_positions(*day, through).map_err(|error| error.to_string())?;
            let seen = seen.into_iter().map(|(account, tpp)| (account.to_string(), tpp.thousandths()));
            let seen: BTreeMap<String, i64> = seen.filter(|(_, tpp)| *tpp != 0).collect();
            if seen != expected {
                return Err(format!("=> {day} through {through}\n  model:   {expected:?}\n  program: {seen:?}"));
            }
        }
    }
    Ok(())
}

/// The headroom of every country, with companies in the ledger and without.
fn headrooms<S: Store>(ledger: &Ledger<S>, alone: &Ledger<MemoryStore>, world: &World) -> Told<()> {
    let rows = |day: NaiveDate| {
        let of = ledger.store.read().and_then(|read| figures::headroom(&read, &ledger.regime(), day, read.head()?.seq, true));
        let alone = alone.store.read().and_then(|read| figures::headroom(&read, &alone.regime(), day, read.head()?.seq, true));
        (of.map_err(|error| error.to_string()), alone.map_err(|error| error.to_string()))
    };
    for day in &world.days {
        let (with, without) = rows(*day);
        if format!("{with:?}") != format!("{without:?}") {
            return Err(format!("the headroom of {day} is another with companies in the ledger"));
        }
    }
    Ok(())
}

/// Records rows, so many in a transaction, and says what became of each.
fn put<S: Store>(ledger: &mut Ledger<S>, rows: &[&Row], chunks: &[usize]) -> Told<Vec<Answer>> {
    let mut answers = Vec::new();
    let mut chunks = chunks.iter().cycle();
    while answers.len() < rows.len() {
        let size = chunks.next().map_or(1, |size| (*size).max(1)).min(rows.len() - answers.len());
        let chunk = &rows[answers.len()..answers.len() + size];
        answers.extend(record(ledger, chunk)?);
    }
    Ok(answers)
}

fn record<S: Store>(ledger: &mut Ledger<S>, rows: &[&Row]) -> Told<Vec<Answer>> {
    let regime = ledger.regime();
    let today = law::day(2030, 1, 1);
    let batch = Batch { recorded_at: 1_893_456_000, recorded_by: "examiner".into(), source: "model".into(), source_sha256: None };
    let written = ledger.store.write(batch, |tx| {
        let mut recent = Recent::default();
        let mut clerk = Clerk::new(tx, &regime, today, &mut recent)?;
        let mut answers = Vec::new();
        for row in rows {
            let item = match row {
                Row::Company(fact) => fact.read(),
                Row::Country(operation) => operation.read(),
            };
            let answer = match &item {
                AnyItem::Application(item) => item.value.as_ref().map(|value| clerk.application(value)),
                AnyItem::Event(item) => item.value.as_ref().map(|value| clerk.event(value)),
                AnyItem::Act(item) => item.value.as_ref().map(|value| clerk.act(value)),
                AnyItem::Company(item) => item.value.as_ref().map(|value| clerk.company(value)),
            };
            answers.push(match answer {
                Err(problems) => Answer::Wrong(problems[0].to_string()),
                Ok(answer) => match answer? {
                    Ok(outcome) => Answer::Outcome(outcome),
                    Err(rejection) => Answer::Wrong(format!("{rejection:?}")),
                },
            });
        }
        Ok((answers, End::Commit))
    });
    written.map_err(|error| error.to_string())
}

fn verdict(answer: &Answer) -> Verdict {
    match answer {
        Answer::Wrong(text) => Verdict::Error(text.clone()),
        Answer::Outcome(Outcome::Known { refused, .. }) => Verdict::Known { refused: *refused },
        Answer::Outcome(Outcome::Recorded { findings, .. }) => {
            Verdict::Recorded { passed: findings.iter().any(|finding| finding.code == FindingCode::CompanyLimitPassed) }
        }
        Answer::Outcome(Outcome::Refused { shortfalls, .. }) => {
            let mut lacks: Vec<Lack> = shortfalls.iter().map(lack).collect();
            lacks.sort();
            Verdict::Refused { lacks }
        }
    }
}

fn lack(shortfall: &Shortfall) -> Lack {
    let of_a_limit = shortfall.code == RefusalCode::CompanyLimitExceeded;
    let headroom = (shortfall.headroom_floor.thousandths(), shortfall.largest.thousandths());
    Lack {
        account: shortfall.allocation.to_string(),
        code: shortfall.code.as_str(),
        requested: shortfall.requested.thousandths(),
        limit: shortfall.limit.thousandths(),
        shortfall: shortfall.shortfall.thousandths(),
        on: shortfall.floor_on,
        headroom: of_a_limit.then_some(headroom),
    }
}

/// The fewest rows that still disagree: rows are taken away, many at a time and then singly, as long as they do.
pub fn shrink(world: &World, stores: &mut Stores) -> World {
    let mut smallest = world.clone();
    let mut size = world.rows.len().div_ceil(2);
    loop {
        let (before, mut from) = (smallest.rows.len(), 0);
        while from < smallest.rows.len() {
            let mut fewer = smallest.clone();
            fewer.rows.drain(from..(from + size).min(smallest.rows.len()));
            let told = disagreement(&fewer, stores);
            let still = told.is_err_and(|told| !told.contains("open: "));
            if still { smallest = fewer } else { from += size }
        }
        if size > 1 {
            size = size.div_ceil(2);
        } else if smallest.rows.len() == before {
            return smallest;
        }
    }
}
