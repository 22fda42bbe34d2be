//! The program beside the model: the same rows into both stores, the same questions to all.

use super::figures::{Movement, Picture, Row};
use super::law;
use super::model::{Lack, Model, Verdict};
use super::rows::Operation;
use chrono::NaiveDate;
use std::path::Path;
use tppledger::desk::clerk::{Clerk, Outcome};
use tppledger::desk::figures::{self, QuarterSums};
use tppledger::desk::ledger::{Ledger, to_keep};
use tppledger::desk::recent::Recent;
use tppledger::intake::AnyItem;
use tppledger::intake::regimes::RegimeText;
use tppledger::quota::calendar::Quarter;
use tppledger::quota::codes::Country;
use tppledger::quota::event::through as through_record;
use tppledger::quota::regime::Regime;
use tppledger::quota::timeline::{Options, replay};
use tppledger::quota::tpp::Tpp;
use tppledger::store::memory::MemoryStore;
use tppledger::store::sqlite::SqliteStore;
use tppledger::store::{Ask, Batch, Digest, End, RegimeKept, Store};

/// The rows of one small ledger, and the questions asked of it at the end.
#[derive(Clone, Debug)]
pub struct World {
    pub rows: Vec<Operation>,
    /// After how many rows the writer's transaction ends; repeated.
    pub chunks: Vec<usize>,
    pub days: Vec<NaiveDate>,
    /// Shares of the head, in thousandths, through which the questions are asked.
    pub throughs: Vec<u64>,
}

/// The regime of the worlds, `tests/regimes/small`.
pub fn regime() -> (RegimeKept, Regime) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/regimes/small");
    let text = RegimeText::from_folder(&folder).expect("a readable regime");
    to_keep(&text, 0).expect("a right regime")
}

/// What the model and a store say differently of a world, in words; `None` where they agree.
pub fn disagreement(world: &World, stores: &mut Stores) -> Option<String> {
    let mut model = Model::new(&stores.regime.validity.holidays);
    let verdicts: Vec<Verdict> = world.rows.iter().map(|row| model.perform(row)).collect();
    compare(world, &model, &verdicts, stores)
}

/// As [`disagreement`], with the model's answers at hand.
pub fn compare(world: &World, model: &Model, verdicts: &[Verdict], stores: &mut Stores) -> Option<String> {
    let items: Vec<AnyItem> = world.rows.iter().map(Operation::read).collect();
    let questions = Questions::of(world, model);
    let mut digests = Vec::new();
    let kept = &stores.kept;
    let memory = MemoryStore::new(kept.id.clone(), kept.digest, kept.text.clone());
    if let Err(told) = put(memory, world, &items, verdicts, &questions).map(|digest| digests.push(digest)) {
        return Some(format!("MemoryStore: {told}"));
    }
    let file = stores.new_file();
    if let Err(told) = put(file, world, &items, verdicts, &questions).map(|digest| digests.push(digest)) {
        return Some(format!("SqliteStore: {told}"));
    }
    (digests[0] != digests[1]).then(|| "the stores have different heads of the chain".to_string())
}

/// Where ledgers come from: an empty file that is copied for each world.
pub struct Stores {
    pub kept: RegimeKept,
    pub regime: Regime,
    folder: tempfile::TempDir,
    files: u64,
}

impl Stores {
    pub fn new() -> Stores {
        let (kept, regime) = regime();
        let folder = tempfile::tempdir().expect("a folder");
        drop(SqliteStore::create(&folder.path().join("empty.db"), &kept).expect("a new ledger"));
        Stores { kept, regime, folder, files: 0 }
    }

    pub fn new_file(&mut self) -> SqliteStore {
        let name = |number: u64| self.folder.path().join(format!("{number}.db"));
        for end in ["", "-wal", "-shm", ".lock"] {
            let old = format!("{}{end}", name(self.files).display());
            let _ = std::fs::remove_file(old);
        }
        self.files += 1;
        std::fs::copy(self.folder.path().join("empty.db"), name(self.files)).expect("a copy");
        SqliteStore::open(&name(self.files)).expect("the copy is a ledger")
    }
}

/// Figures by destination.
type ByDestination<T> = Vec<(&'static str, T)>;

/// Questions with the model's answers.
struct Questions {
    rows: Vec<(u64, NaiveDate, ByDestination<Row>)>,
    movements: Vec<(u64, Quarter, ByDestination<Movement>)>,
    states: Vec<(u64, NaiveDate, String, &'static str)>,
    expiries: Vec<(String, Option<NaiveDate>)>,
}

impl Questions {
    fn of(world: &World, model: &Model) -> Questions {
        let head = model.head();
        let mut asked = Questions { rows: Vec::new(), movements: Vec::new(), states: Vec::new(), expiries: Vec::new() };
        for share in &world.throughs {
            let through = (head * share).div_ceil(1000);
            let picture = Picture::of(model, through);
            for day in &world.days {
                asked.rows.push((through, *day, law::ALLOCATIONS.map(|place| (place, picture.row(place, *day))).to_vec()));
            }
            for day in world.days.iter().take(3).filter(|day| (law::FIRST..=law::LAST).contains(day)) {
                let quarter = Quarter::of(*day);
                let movement = |place| (place, picture.movement(place, quarter.first_day(), quarter.last_day()));
                asked.movements.push((through, quarter, law::ALLOCATIONS.map(movement).to_vec()));
            }
            for number in model.numbers(through) {
                for day in world.days.iter().take(4) {
                    if model.latest(number, through).is_some_and(|ask| ask.submitted_on <= *day) {
                        let state = model.story(number, through, *day).state_on(*day).word();
                        asked.states.push((through, *day, number.to_string(), state));
                    }
                }
            }
        }
        for number in model.numbers(head) {
            let license = model.story(number, head, NaiveDate::MAX).license;
            asked.expiries.push((number.to_string(), license.map(|license| license.last_valid)));
        }
        asked
    }
}

type Told<T> = Result<T, String>;

fn put<S: Store>(store: S, world: &World, items: &[AnyItem], verdicts: &[Verdict], asked: &Questions) -> Told<Digest> {
    let mut ledger = Ledger::new(store).map_err(|error| error.to_string())?;
    let mut chunks = world.chunks.iter().cycle();
    let mut first = 0;
    while first < items.len() {
        let size = chunks.next().map_or(1, |size| (*size).max(1)).min(items.len() - first);
        let answers = record(&mut ledger, &items[first..first + size])?;
        for (at, (answer, text)) in answers.into_iter().enumerate() {
            let (expected, row) = (&verdicts[first + at], &world.rows[first + at]);
            let agreed = matches!((&answer, expected), (Verdict::Error(_), Verdict::Error(_))) || answer == *expected;
            if !agreed {
                return Err(format!("row {}: {row}\n  model:   {expected:?}\n  program: {answer:?} {text}", first + at + 1));
            }
        }
        first += size;
    }
    answer(&ledger, asked)?;
    Ok(ledger.store.read().and_then(|read| read.head()).map_err(|error| error.to_string())?.digest)
}

/// Records rows in one transaction, and says what became of each.
fn record<S: Store>(ledger: &mut Ledger<S>, items: &[AnyItem]) -> Told<Vec<(Verdict, String)>> {
    let regime = ledger.regime();
    let today = law::day(2030, 1, 1);
    let batch = Batch { recorded_at: 1_893_456_000, recorded_by: "examiner".into(), source: "model".into(), source_sha256: None };
    let written = ledger.store.write(batch, |tx| {
        let mut recent = Recent::default();
        let mut clerk = Clerk::new(tx, &regime, today, &mut recent)?;
        let mut answers = Vec::new();
        for item in items {
            let answer = match item {
                AnyItem::Application(item) => item.value.as_ref().map(|value| clerk.application(value)),
                AnyItem::Event(item) => item.value.as_ref().map(|value| clerk.event(value)),
                AnyItem::Act(item) => item.value.as_ref().map(|value| clerk.act(value)),
                AnyItem::Company(item) => item.value.as_ref().map(|value| clerk.company(value)),
            };
            answers.push(match answer {
                Err(problems) => (Verdict::Error(String::new()), problems[0].to_string()),
                Ok(answer) => match answer? {
                    Ok(outcome) => (verdict(&outcome), String::new()),
                    Err(rejection) => (Verdict::Error(String::new()), format!("{rejection:?}")),
                },
            });
        }
        Ok((answers, End::Commit))
    });
    written.map_err(|error| error.to_string())
}

fn verdict(outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Recorded { seq, .. } => Verdict::Accepted { seq: *seq },
        Outcome::Known { seq, refused } => Verdict::Known { seq: *seq, refused: *refused },
        Outcome::Refused { seq, shortfalls } => {
            let mut lacks: Vec<Lack> = Vec::new();
            for shortfall in shortfalls {
                let place = shortfall.allocation.clone();
                lacks.push(Lack {
                    allocation: law::ALLOCATIONS.into_iter().find(|known| place.to_string() == *known).unwrap_or("??"),
                    requested: shortfall.requested.thousandths(),
                    headroom: shortfall.headroom_floor.thousandths(),
                    floor_on: shortfall.floor_on,
                    limit: shortfall.limit.thousandths(),
                    shortfall: shortfall.shortfall.thousandths(),
                    largest: shortfall.largest.thousandths(),
                    largest_quantity: shortfall.largest_quantity,
                });
            }
            lacks.sort_by_key(|lack| lack.allocation);
            Verdict::Refused { seq: *seq, lacks }
        }
    }
}

/// Asks the program what the model was asked.
fn answer<S: Store>(ledger: &Ledger<S>, asked: &Questions) -> Told<()> {
    let read = ledger.store.read().map_err(|error| error.to_string())?;
    let regime = ledger.regime();
    let same = |what: String, expected: &dyn std::fmt::Debug, seen: &dyn std::fmt::Debug| -> Told<()> {
        let (expected, seen) = (format!("{expected:?}"), format!("{seen:?}"));
        if expected == seen { Ok(()) } else { Err(format!("=> {what}\n  model:   {expected}\n  program: {seen}")) }
    };
    for (through, day, rows) in &asked.rows {
        let seen = figures::headroom(&read, &regime, *day, *through, true).map_err(|error| error.to_string())?;
        for (place, expected) in rows {
            let country = Country::new(place).expect("a country");
            let row = seen.iter().find(|row| row.destination == country).ok_or("no row")?;
            let series = figures::one_series(&read, &regime, country, *through).map_err(|error| error.to_string())?;
            let some = |tpp: Option<Tpp>| tpp.map(Tpp::thousandths);
            let row = Row {
                base: some(row.base),
                increase: some(row.increase),
                limit: some(row.limit),
                withheld: some(row.withheld),
                licensed: row.licensed.thousandths(),
                not_limited: row.licensed_not_limited.thousandths(),
                shipped: row.shipped.thousandths(),
                unshipped: row.unshipped.thousandths(),
                pending: row.pending.thousandths(),
                headroom: some(row.headroom),
                after_pending: some(row.headroom_after_pending),
                floor: series.floor_from(*day).map(|(tpp, on)| (tpp.thousandths(), on)),
                status: row.status.as_str(),
            };
            if row != *expected {
                same(format!("{place} {day} through {through}"), expected, &row)?;
            }
        }
    }
    for (through, quarter, rows) in &asked.movements {
        let sums = QuarterSums::gather(&read, quarter.first_day(), quarter.last_day(), *through);
        let sums = sums.map_err(|error| error.to_string())?;
        for (place, expected) in rows {
            let seen = movement(&sums.movement(&regime, *quarter, Country::new(place).expect("a country")));
            if seen != *expected {
                same(format!("movements {place} {quarter} through {through}"), expected, &seen)?;
            }
        }
    }
    for (through, day, number, expected) in &asked.states {
        let dossier = read.dossier(number).map_err(|error| error.to_string())?.ok_or("no such application")?;
        let dossier = dossier.through(*through).ok_or("no such application yet")?;
        let latest = dossier.latest().clone();
        let events = through_record(dossier.events, *through);
        let options = Options { until: Some(*day), ..Options::default() };
        let told = replay(latest.submitted_on, &latest.terms(), &events, &regime, options).map_err(|broken| broken.what)?;
        same(format!("state {number} {day} through {through}"), &expected, &told.state_on(*day).as_str())?;
    }
    for (number, expected) in &asked.expiries {
        let dossier = read.dossier(number).map_err(|error| error.to_string())?.ok_or("no such application")?;
        let latest = dossier.latest();
        let told = replay(latest.submitted_on, &latest.terms(), &dossier.events, &regime, Options::default());
        let license = told.map_err(|broken| broken.what)?.license;
        same(format!("expires {number}"), &expected, &license.map(|license| license.expires_on))?;
    }
    Ok(())
}

fn movement(row: &figures::Movement) -> Movement {
    Movement {
        opening: row.opening_licensed.thousandths(),
        carried_in: row.carried_in.thousandths(),
        issued: row.issued.thousandths(),
        expired: row.expired.thousandths(),
        revoked: row.revoked.thousandths(),
        surrendered: row.surrendered.thousandths(),
        amended: row.amended.thousandths(),
        attrition: row.attrition.thousandths(),
        corrected: row.corrected.thousandths(),
        closing: row.closing_licensed.thousandths(),
        limit: row.limit.as_ref().map(|limit| {
            [
                limit.opening_limit,
                limit.base_change,
                limit.increase,
                limit.closing_limit,
                limit.opening_withheld,
                limit.closing_withheld,
                limit.closing_headroom,
            ]
            .map(Tpp::thousandths)
        }),
    }
}

/// The fewest rows that still disagree: rows are taken away, many at a time and then singly, as long as they do.
pub fn shrink(world: &World, stores: &mut Stores) -> World {
    let mut smallest = world.clone();
    let mut size = world.rows.len().div_ceil(2);
    loop {
        let mut from = 0;
        let before = smallest.rows.len();
        while from < smallest.rows.len() {
            let mut fewer = smallest.clone();
            fewer.rows.drain(from..(from + size).min(smallest.rows.len()));
            if disagreement(&fewer, stores).is_some() { smallest = fewer } else { from += size }
        }
        if size > 1 {
            size = size.div_ceil(2);
        } else if smallest.rows.len() == before {
            return smallest;
        }
    }
}
