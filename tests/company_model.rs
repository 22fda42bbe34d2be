//! A reference model of company allocations, independent of the heart's algorithms, held against both stores with random
//! facts, and beside them random rows of countries that must not notice.
//!
//! The model (`tests/reference_company/`) is written from `docs/companies.md` alone and is as dumb as it can be. `cargo
//! test` runs a fast share; more is `TPPLEDGER_MODEL_OPERATIONS=1000000 cargo test --release --test company_model --
//! --nocapture`, and `TPPLEDGER_MODEL_SEED` begins with another world.

#![allow(clippy::disallowed_methods, reason = "a test looks at files and runs programs")]
#![allow(missing_docs, reason = "the names of tests are their documents")]

#[allow(dead_code, reason = "of the countries' model only the rows, the dice and the stores are used here")]
mod reference;
mod reference_company;

use reference::trial::Stores;
use reference_company::model::{Model, Verdict};
use reference_company::trial::{Row, World, disagreement, shrink, world};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Rows of the fast share.
const FEW: u64 = 10_000;

#[derive(Default)]
struct Tally {
    worlds: u64,
    rows: u64,
    recorded: u64,
    refused: u64,
    errors: u64,
    known: u64,
    judged: u64,
    close: u64,
    told: Vec<String>,
}

impl Tally {
    fn add(&mut self, world: &World, model: &Model) {
        self.worlds += 1;
        self.rows += world.rows.len() as u64;
        self.judged += model.judged;
        self.close += model.close;
        let mut again = Model::default();
        for (at, row) in world.rows.iter().enumerate() {
            let Row::Company(fact) = row else { continue };
            match again.perform(fact, at as u64 + 1) {
                Verdict::Recorded { .. } => self.recorded += 1,
                Verdict::Refused { .. } => self.refused += 1,
                Verdict::Error(_) | Verdict::Open(_) => self.errors += 1,
                Verdict::Known { .. } => self.known += 1,
            }
        }
    }

    fn join(mut self, other: Tally) -> Tally {
        self.worlds += other.worlds;
        self.rows += other.rows;
        self.recorded += other.recorded;
        self.refused += other.refused;
        self.errors += other.errors;
        self.known += other.known;
        self.judged += other.judged;
        self.close += other.close;
        self.told.extend(other.told);
        self
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.trim().parse().expect("a whole number"))
}

/// Takes one seed after the other until enough rows were put in, or a few worlds disagree.
fn work(next: &AtomicU64, rows: &AtomicU64, enough: u64, stop: &AtomicBool) -> Tally {
    let mut stores = Stores::new();
    let mut tally = Tally::default();
    while rows.load(Ordering::Relaxed) < enough && !stop.load(Ordering::Relaxed) {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        let made = world(seed, &stores);
        rows.fetch_add(made.rows.len() as u64, Ordering::Relaxed);
        match disagreement(&made, &mut stores) {
            Ok(model) => tally.add(&made, &model),
            Err(first) => {
                let smallest = shrink(&made, &mut stores);
                let told = disagreement(&smallest, &mut stores).err().unwrap_or(first);
                let mut page = format!("seed {seed}:\n");
                for row in &smallest.rows {
                    writeln!(page, "{row}").expect("writing to a string");
                }
                tally.told.push(page + &told);
                stop.store(tally.told.len() >= 3, Ordering::Relaxed);
            }
        }
    }
    tally
}

#[test]
fn the_program_and_the_model_of_companies_agree() {
    let enough = number("TPPLEDGER_MODEL_OPERATIONS", FEW);
    let first = number("TPPLEDGER_MODEL_SEED", 1);
    let (next, rows, stop) = (AtomicU64::new(first), AtomicU64::new(0), AtomicBool::new(false));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let tally = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(&next, &rows, enough, &stop))).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker ends")).fold(Tally::default(), Tally::join)
    });
    let Tally { worlds, rows, recorded, refused, errors, known, judged, close, told } = tally;
    println!("{rows} operations in {worlds} ledgers, {} disagreements", told.len());
    println!("of companies {recorded} recorded, {refused} refused, {errors} errors, {known} already known");
    println!("{judged} had to fit in a limit or share, {close} of them within a thousandth of one");
    assert!(told.is_empty(), "\n{}\n", told.join("\n\n"));
    for (what, count) in [("recorded", recorded), ("refused", refused), ("errors", errors), ("known", known)] {
        assert!(count * 60 > rows, "only {count} of {rows} rows were {what}: the dice are not worth their name");
    }
    assert!(close * 8 > judged, "only {close} of {judged} came near to a limit");
}
