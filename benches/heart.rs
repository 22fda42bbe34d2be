//! What a decision costs inside the heart, without a store: `cargo bench --bench heart`.
//!
//! Figures of one machine mean little by themselves; the comparison with what a user could pick instead is
//! `benches/peers`, which takes ratios inside one run.

#![allow(missing_docs, reason = "criterion's macros make the functions")]

use chrono::NaiveDate;
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use tppledger::desk::ledger::read_regime;
use tppledger::intake::regimes::RegimeText;
use tppledger::quota::application::{Activity, LineTpp, Terms};
use tppledger::quota::codes::{Country, Eccn};
use tppledger::quota::event::{Event, EventKind, Placed};
use tppledger::quota::position::DaySeries;
use tppledger::quota::posting::{Measures, difference};
use tppledger::quota::timeline::{Options, replay};
use tppledger::quota::tpp::Tpp;

fn day(month: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, month, 3).expect("a day")
}

fn terms() -> Terms {
    let poland = Country::new("PL").expect("a country");
    Terms {
        line: 1,
        destination: poland,
        consignee_headquarters: poland,
        parent_headquarters: poland,
        activity: Activity::Export,
        eccn: Eccn::new("3A090.a").expect("a classification"),
        tpp: LineTpp::PerUnit(Tpp::from_thousandths(15_832_000)),
        quantity: 100,
        assumed: false,
    }
}

fn heart(criterion: &mut Criterion) {
    criterion.bench_function("read the regime", |bench| {
        bench.iter(|| read_regime(black_box(&RegimeText::builtin())).expect("a right regime"));
    });
    let (regime, _) = read_regime(&RegimeText::builtin()).expect("a right regime");
    let terms = [terms()];
    let kinds = [EventKind::Issue, EventKind::Suspend, EventKind::Reinstate, EventKind::Surrender];
    let events: Vec<Placed<Event>> = kinds
        .iter()
        .enumerate()
        .map(|(index, kind)| Placed::new(index as u64 + 2, Event::new(format!("E{index}"), *kind, "Z1", day(index as u32 + 2))))
        .collect();
    criterion.bench_function("replay four events and take the difference", |bench| {
        bench.iter(|| {
            let old = replay(day(1), &terms, &events[..3], &regime, Options::default()).expect("it stands");
            let new = replay(day(1), &terms, black_box(&events), &regime, Options::default()).expect("it stands");
            difference(&old.postings, &new.postings, None)
        });
    });
    let mut series = DaySeries::new(&regime, terms[0].destination);
    series.add(day(2), &Measures { licensed: Tpp::from_thousandths(1_000), ..Measures::ZERO });
    criterion.bench_function("does a rise fit on every day of three years", |bench| {
        bench.iter(|| series.fits_between(black_box(day(1)), regime.period.to, Tpp::from_thousandths(1_583_200_000)));
    });
}

criterion_group!(benches, heart);
criterion_main!(benches);
