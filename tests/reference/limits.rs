//! What an administrator did to one destination: its acts in effective order, told one after the other.

use super::law::{BASE, DAYS, index};
use super::rows::{Act, Amount};
use chrono::NaiveDate;
use tppledger::quota::event::ActKind;

/// What moves on a day.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub on: NaiveDate,
    pub cause: u64,
    pub increase: i64,
    pub withheld: i64,
    pub carried_in: i64,
}

/// The steps, in order.
#[derive(Clone, Default, Debug)]
pub struct Limits {
    pub steps: Vec<Step>,
}

/// An amount in thousandths; `None` where it does not come out in whole ones.
pub fn amount(amount: Amount) -> Option<i64> {
    match amount {
        Amount::Blank => Some(0),
        Amount::Percent(percent) => (BASE * percent % 10_000_000 == 0).then(|| BASE * percent / 10_000_000),
        Amount::Tpp(tpp) => Some(tpp),
    }
}

/// Tells what was done; an act that does not stand is an error. A `new` one that ends all must find something to end;
/// a recorded one ends whatever is there.
pub fn tell(acts: &[(u64, &Act)], new: Option<u64>) -> Result<Limits, &'static str> {
    let mut acts = acts.to_vec();
    acts.sort_by_key(|(seq, act)| (act.on, *seq));
    let mut limits = Limits::default();
    let (mut committed, mut increase, mut withheld) = (false, 0, 0);
    for (seq, act) in acts {
        let mut step = Step { on: act.on, cause: seq, increase: 0, withheld: 0, carried_in: 0 };
        let given = amount(act.amount).ok_or("a percentage that is no whole thousandth")?;
        let or_all = |all: i64| if act.amount == Amount::Blank { all } else { given };
        match act.kind {
            ActKind::Commit => committed = true,
            ActKind::EndCommitment if !committed => return Err("no commitment to end"),
            ActKind::EndCommitment => committed = false,
            ActKind::Increase if !committed => return Err("an increase without a commitment"),
            ActKind::Increase => step.increase = given,
            ActKind::WithdrawIncrease => step.increase = -or_all(increase),
            ActKind::Withhold => step.withheld = given,
            ActKind::EndWithholding => step.withheld = -or_all(withheld),
            ActKind::Review => {}
            ActKind::CarryIn => step.carried_in = given,
        }
        let ends = matches!(act.kind, ActKind::WithdrawIncrease | ActKind::EndWithholding);
        if ends && new == Some(seq) && (step.increase, step.withheld) == (0, 0) {
            return Err("there is nothing to end");
        }
        increase += step.increase;
        withheld += step.withheld;
        if increase < 0 || withheld < 0 {
            return Err("more is ended than is in force");
        }
        limits.steps.push(step);
    }
    Ok(limits)
}

impl Limits {
    /// A sum over the steps on each day of the period.
    pub fn by_day(&self, pick: fn(&Step) -> i64) -> Vec<i64> {
        let mut days = vec![0; DAYS];
        for step in &self.steps {
            for day in &mut days[index(step.on)..] {
                *day += pick(step);
            }
        }
        days
    }

    /// The sum on a day.
    pub fn on(&self, day: NaiveDate, pick: fn(&Step) -> i64) -> i64 {
        self.steps.iter().filter(|step| step.on <= day).map(pick).sum()
    }
}
