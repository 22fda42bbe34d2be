//! A reference model, independent of the heart's algorithms, held against both stores with random rows.
//!
//! The model (`tests/reference/`) is written from the contract alone and is as dumb as it can be. `cargo test` runs a fast
//! share; the whole is `TPPLEDGER_MODEL_OPERATIONS=1000000 cargo test --release --test reference_model -- --nocapture`, and
//! `TPPLEDGER_MODEL_SEED` begins with another world.

#![allow(clippy::disallowed_methods, reason = "a test looks at files and runs programs")]
#![allow(missing_docs, reason = "the names of tests are their documents")]

mod reference;

use reference::dice;
use reference::model::{Model, Verdict};
use reference::trial::{Stores, compare, disagreement, shrink};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// Rows of the fast share.
const FEW: u64 = 30_000;

#[derive(Default)]
struct Tally {
    worlds: u64,
    rows: u64,
    accepted: u64,
    refused: u64,
    errors: u64,
    known: u64,
    judged: u64,
    close: u64,
    told: Vec<String>,
}

impl Tally {
    fn add(&mut self, model: &Model, verdicts: &[Verdict]) {
        self.worlds += 1;
        self.judged += model.judged;
        self.close += model.close;
        self.rows += verdicts.len() as u64;
        for verdict in verdicts {
            match verdict {
                Verdict::Accepted { .. } => self.accepted += 1,
                Verdict::Refused { .. } => self.refused += 1,
                Verdict::Error(_) => self.errors += 1,
                Verdict::Known { .. } => self.known += 1,
            }
        }
    }

    fn join(mut self, other: Tally) -> Tally {
        self.worlds += other.worlds;
        self.rows += other.rows;
        self.accepted += other.accepted;
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
        let (world, model, verdicts) = dice::world(seed, &stores.regime.validity.holidays);
        rows.fetch_add(verdicts.len() as u64, Ordering::Relaxed);
        tally.add(&model, &verdicts);
        if compare(&world, &model, &verdicts, &mut stores).is_some() {
            let smallest = shrink(&world, &mut stores);
            let told = disagreement(&smallest, &mut stores).unwrap_or("it agrees when alone".into());
            let mut page = format!("seed {seed}:\n");
            for row in &smallest.rows {
                writeln!(page, "{row}").expect("writing to a string");
            }
            tally.told.push(page + &told);
            stop.store(tally.told.len() >= 3, Ordering::Relaxed);
        }
    }
    tally
}

#[test]
fn the_program_and_the_model_agree() {
    let enough = number("TPPLEDGER_MODEL_OPERATIONS", FEW);
    let first = number("TPPLEDGER_MODEL_SEED", 1);
    let (next, rows, stop) = (AtomicU64::new(first), AtomicU64::new(0), AtomicBool::new(false));
    let started = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let tally = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(&next, &rows, enough, &stop))).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker ends")).fold(Tally::default(), Tally::join)
    });
    let Tally { worlds, rows, accepted, refused, errors, known, judged, close, told } = tally;
    println!("{rows} operations in {worlds} ledgers, seeds {first} to {}, {:.1?}", first + worlds - 1, started.elapsed());
    println!("{accepted} accepted, {refused} refused, {errors} errors, {known} already known; {} disagreements", told.len());
    println!("{judged} had to fit in a limit, {close} of them within one unit of it");
    assert!(told.is_empty(), "\n{}\n", told.join("\n\n"));
    for (what, count) in [("accepted", accepted), ("refused", refused), ("errors", errors), ("known", known)] {
        assert!(count * 50 > rows, "only {count} of {rows} rows were {what}: the dice are not worth their name");
    }
    assert!(close * 4 > judged, "only {close} of {judged} came near to a limit");
}
