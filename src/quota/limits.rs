//! The replay of a destination's acts: commitments, increases, withholding, carry-in.
//!
//! Like a timeline of an application: acts in effective order (same day: as recorded), each in its place; what a
//! record posts is the difference of two replays. An increase needs a commitment in force in its place
//! (742.6(b)(10)(iii)(C)); what is withdrawn or ended must be there on that and every later day.

use super::codes::Country;
use super::event::{Act, ActAmount, ActKind, Placed};
use super::posting::{EntryKind, Measures, Posting};
use super::tpp::Tpp;
use chrono::NaiveDate;
use std::borrow::Borrow;

/// Why an act does not stand in its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BrokenAct {
    /// Record of the act that does not stand.
    pub seq: u64,
    /// Its id.
    pub event_id: String,
    /// What it is.
    pub kind: ActKind,
    /// Its day.
    pub effective_on: NaiveDate,
    /// Column at fault.
    pub column: &'static str,
    /// What is wrong, with the numbers.
    pub what: String,
    /// What to do.
    pub hint: String,
}

/// A destination's acts, replayed.
#[derive(Clone, Default, Debug)]
pub struct Limits {
    /// What they post.
    pub postings: Vec<Posting>,
    /// Whether a commitment is in force at the end.
    pub committed: bool,
}

/// Replays a destination's acts, which must be in order (see [`super::event::in_order`]). `new` is the act that must be
/// right in its place, where one is new.
///
/// # Errors
/// [`BrokenAct`] names the first act that does not stand in its place.
pub fn replay_acts<A: Borrow<Act>>(allocation: Country, acts: &[Placed<A>], new: Option<u64>) -> Result<Limits, BrokenAct> {
    let mut limits = Limits::default();
    let mut in_force = InForce::default();
    for placed in acts.iter().filter(|placed| !placed.is_corrected()) {
        let act: &Act = placed.fact.borrow();
        let moved = in_force.step(allocation, act, new == Some(placed.seq)).map_err(|fault| BrokenAct {
            seq: placed.seq,
            event_id: act.id.clone(),
            kind: act.kind,
            effective_on: act.effective_on,
            column: fault.column,
            what: fault.what,
            hint: fault.hint.to_string(),
        })?;
        if let Some((kind, measures)) = moved.filter(|(_, measures)| !measures.is_zero()) {
            let posting =
                Posting { cause: Some(placed.seq), effective_on: act.effective_on, line: 0, allocation, kind, measures };
            limits.postings.push(posting);
        }
    }
    limits.committed = in_force.committed;
    Ok(limits)
}

/// What is wrong with an act in its place.
struct Fault {
    column: &'static str,
    what: String,
    hint: &'static str,
}

/// What is in force after an act.
#[derive(Default)]
struct InForce {
    committed: bool,
    increase: Tpp,
    withheld: Tpp,
}

impl InForce {
    /// Takes an act, and says what it moves.
    fn step(&mut self, allocation: Country, act: &Act, strict: bool) -> Result<Option<(EntryKind, Measures)>, Fault> {
        let amount = act.tpp.unwrap_or(Tpp::ZERO);
        let increase = |tpp| Ok(Some((EntryKind::Increase, Measures { increase: tpp, ..Measures::ZERO })));
        let withheld = |tpp| Ok(Some((EntryKind::Withheld, Measures { withheld: tpp, ..Measures::ZERO })));
        match act.kind {
            ActKind::Review => Ok(None),
            ActKind::Commit => {
                self.committed = true;
                Ok(None)
            }
            ActKind::EndCommitment if self.committed => {
                self.committed = false;
                Ok(None)
            }
            ActKind::EndCommitment => Err(Fault {
                column: "act",
                what: format!("no commitment of {allocation} is in force on {} to be ended", act.effective_on),
                hint: "record the commitment first, or leave the act out",
            }),
            ActKind::Increase if !self.committed => Err(Fault {
                column: "act",
                what: format!("no commitment of {allocation} is in force on {}; an increase needs one", act.effective_on),
                hint: "record `commit` with the government's assurances first, 742.6(b)(10)(iii)(C)",
            }),
            ActKind::Increase => {
                self.increase += amount;
                increase(amount)
            }
            ActKind::WithdrawIncrease => {
                let taken = taken(act, self.increase, strict).map_err(|()| too_much_withdrawn(act, self.increase))?;
                self.increase -= taken;
                increase(-taken)
            }
            ActKind::Withhold => {
                self.withheld += amount;
                withheld(amount)
            }
            ActKind::EndWithholding => {
                let taken = taken(act, self.withheld, strict).map_err(|()| too_much_ended(act, self.withheld))?;
                self.withheld -= taken;
                withheld(-taken)
            }
            // Licensed before this ledger was kept: it counts and is not limited.
            ActKind::CarryIn => {
                let all = Measures { licensed: amount, not_limited: amount, shipped: amount, ..Measures::ZERO };
                Ok(Some((EntryKind::CarriedIn, all)))
            }
        }
    }
}

fn too_much_withdrawn(act: &Act, there: Tpp) -> Fault {
    let amount = act.tpp.unwrap_or(Tpp::ZERO);
    let what = format!(
        "withdraws {} TPP of increase, and {} TPP is in force on {}: {} more",
        amount.grouped(),
        there.grouped(),
        act.effective_on,
        (amount - there).grouped()
    );
    Fault { column: amount_column(act), what, hint: "leave percent and tpp blank to withdraw all that is in force" }
}

fn too_much_ended(act: &Act, there: Tpp) -> Fault {
    let amount = act.tpp.unwrap_or(Tpp::ZERO);
    let what = format!(
        "ends {} TPP of withholding, and {} TPP is withheld on {}: {} more",
        amount.grouped(),
        there.grouped(),
        act.effective_on,
        (amount - there).grouped()
    );
    Fault { column: amount_column(act), what, hint: "leave percent and tpp blank to end all that is withheld" }
}

/// What an act that takes away takes: its number, or all that is there. `Err` when there is less, or, for a new act
/// that means all, nothing.
fn taken(act: &Act, there: Tpp, strict: bool) -> Result<Tpp, ()> {
    match act.amount {
        ActAmount::All if strict && there == Tpp::ZERO => Err(()),
        ActAmount::All => Ok(there),
        _ => act.tpp.filter(|tpp| *tpp <= there).ok_or(()),
    }
}

/// The column in which the amount of an act stands.
pub fn amount_column(act: &Act) -> &'static str {
    match act.amount {
        ActAmount::Percent(_) => "percent",
        ActAmount::Tpp(_) => "tpp",
        ActAmount::All => "act",
    }
}

/// How a limit measure changes from one replay to another: from each day on, the change.
pub fn limit_rise(old: &[Posting], new: &[Posting], measure: impl Fn(&Measures) -> Tpp) -> Vec<(NaiveDate, Tpp)> {
    let mut days: std::collections::BTreeMap<NaiveDate, Tpp> = std::collections::BTreeMap::new();
    for posting in old {
        *days.entry(posting.effective_on).or_default() -= measure(&posting.measures);
    }
    for posting in new {
        *days.entry(posting.effective_on).or_default() += measure(&posting.measures);
    }
    let mut level = Tpp::ZERO;
    days.into_iter()
        .map(|(day, change)| {
            level += change;
            (day, level)
        })
        .collect()
}
