//! The clerk's work on an act, and on the correction of one: limits, commitments, withholding.

use super::clerk::{Answer, Clerk, Home, Rejection, lost};
use super::events::overrun;
use crate::error::Result;
use crate::quota::codes::Country;
use crate::quota::decision::{Shortfall, judge_increase, judge_withholding};
use crate::quota::event::{Act, ActAmount, Event, Placed, in_order};
use crate::quota::limits::{BrokenAct, Limits, limit_rise, replay_acts};
use crate::quota::posting::difference;
use crate::quota::regime::Standing;
use crate::store::{Append, Fact, Record};

impl<W: Append> Clerk<'_, W> {
    /// Records an act: accepted, refused by a limit, known already, or rejected.
    ///
    /// # Errors
    /// When the store fails.
    pub fn act(&mut self, act: &Act) -> Answer {
        let allocation = self.regime.counted_in(act.destination);
        let settled = match self.settle_act(act, allocation) {
            Ok(settled) => settled,
            Err(rejection) => return self.act_rejected_unless_known(act, rejection),
        };
        let known = self.tx.acts(allocation)?;
        let mut acts = known.clone();
        acts.push(Placed::new(self.next_seq(), settled.clone()));
        in_order(&mut acts, |act| act.effective_on);
        let (old, new) = match self.replay_both(allocation, &known, &acts, Some(self.next_seq()))? {
            Ok(both) => both,
            Err(broken) => {
                let rejection = self.broken_act(&broken);
                return self.act_rejected_unless_known(act, rejection);
            }
        };
        let entries = difference(&old.postings, &new.postings, None);
        if let Some(rejection) = self.check_range(&entries)? {
            return Ok(Err(rejection));
        }
        let shortfalls = self.limit_shortfalls(allocation, &old, &new)?;
        let findings = self.dated(act.effective_on);
        let fact = Fact::Act(settled);
        self.conclude(fact, Home::Allocation(allocation), findings, entries, shortfalls)
    }

    fn act_rejected_unless_known(&mut self, act: &Act, rejection: Rejection) -> Answer {
        Ok(match self.tx.find(&act.id)? {
            None => Err(rejection),
            Some(record) => self.known(&record, &Fact::Act(act.clone())),
        })
    }

    /// Settles the amount: percent is of the base on the act's effective date, and comes out in whole thousandths.
    fn settle_act(&self, act: &Act, allocation: Country) -> std::result::Result<Act, Rejection> {
        let on = act.effective_on;
        let period = self.regime.period;
        if !period.contains(on) {
            let what = format!("{on} is outside the period {period}");
            return Err(Rejection::new("effective_on", what, "an act changes the limit of a period, from a day inside it"));
        }
        let Some(base) = self.regime.base(allocation, on) else {
            let why = match self.regime.standing(allocation, on) {
                Standing::Home => "it is the exporting country",
                Standing::Unlimited => "it is uncapped",
                Standing::PresumptionOfDenial => "denial is presumed there",
                Standing::Capped => "no base is in force",
            };
            let what = format!("{} has no country limit on {on}: {why}", act.destination);
            return Err(Rejection::new("destination", what, "acts are for capped destinations"));
        };
        let tpp = match act.amount {
            ActAmount::All => None,
            ActAmount::Tpp(tpp) => Some(tpp),
            ActAmount::Percent(percent) => Some(base.percent(percent).ok_or_else(|| {
                let what = format!("{percent} % of the base {} does not come out in whole thousandths", base.grouped());
                Rejection::new("percent", what, "give the amount in column tpp instead")
            })?),
        };
        Ok(Act { tpp, ..act.clone() })
    }

    /// The replays without and with a change.
    fn replay_both(
        &self,
        allocation: Country,
        known: &[Placed<Act>],
        changed: &[Placed<Act>],
        new: Option<u64>,
    ) -> Result<std::result::Result<(Limits, Limits), BrokenAct>> {
        let old = replay_acts(allocation, known, None).map_err(|broken| lost("act", &broken.event_id))?;
        Ok(replay_acts(allocation, changed, new).map(|new| (old, new)))
    }

    fn broken_act(&self, broken: &BrokenAct) -> Rejection {
        if broken.seq == self.next_seq() {
            return Rejection::new(broken.column, broken.what.clone(), broken.hint.clone());
        }
        Rejection::new(
            "act",
            format!("with it, the recorded act {} would not stand: {}", broken.event_id, broken.what),
            format!("correct {} first, or check date and amount", broken.event_id),
        )
    }

    fn limit_shortfalls(&mut self, allocation: Country, old: &Limits, new: &Limits) -> Result<Vec<Shortfall>> {
        let increase = limit_rise(&old.postings, &new.postings, |measures| measures.increase);
        let withheld = limit_rise(&old.postings, &new.postings, |measures| measures.withheld);
        let regime = self.regime;
        let series = self.series(allocation)?;
        let above = judge_increase(regime, allocation, &increase, series);
        let held = judge_withholding(allocation, &withheld, series);
        Ok(above.into_iter().chain(held).collect())
    }

    /// Undoes an act: the acts of its destination are replayed as if it had never been.
    pub(super) fn correct_act(&mut self, event: &Event, target: &Record) -> Answer {
        let Fact::Act(act) = &target.fact else { unreachable!("the caller looked at the kind of the record") };
        if let Some(number) = &event.application {
            let what = format!("{} is an act, and the row names the application {number}", act.id);
            let rejection = Rejection::new("application_number", what, "leave it blank to correct an act");
            return self.rejected_unless_known(event, None, rejection);
        }
        let allocation = self.regime.counted_in(act.destination);
        let known = self.tx.acts(allocation)?;
        let mut acts = known.clone();
        let new_seq = self.next_seq();
        match acts.iter_mut().find(|placed| placed.seq == target.seq) {
            Some(placed) if placed.is_corrected() => {
                let what = format!("{} was corrected already", act.id);
                return self.rejected_unless_known(event, None, Rejection::new("corrects", what, "a correction is made once"));
            }
            Some(placed) => placed.corrected_by = Some(new_seq),
            None => return Err(lost("act", &act.id)),
        }
        let (old, new) = match self.replay_both(allocation, &known, &acts, None)? {
            Ok(both) => both,
            Err(broken) => {
                let what = format!("{} needs it: {}", broken.event_id, broken.what);
                let rejection = Rejection::new("corrects", what, format!("correct {} first", broken.event_id));
                return self.rejected_unless_known(event, None, rejection);
            }
        };
        let entries = difference(&old.postings, &new.postings, Some(target.seq));
        let mut shortfalls = self.limit_shortfalls(allocation, &old, &new)?;
        // No authority raises the maximum of the law; one may order what does not fit in the headroom.
        let maximum_broken =
            shortfalls.iter().any(|shortfall| shortfall.code == crate::quota::decision::RefusalCode::IncreaseAboveMaximum);
        let mut findings = self.dated(event.effective_on);
        if event.overrun_authority.is_some() && !maximum_broken {
            findings.extend(shortfalls.drain(..).map(|shortfall| overrun(&shortfall)));
        }
        self.conclude(Fact::Event(event.clone(), None), Home::Allocation(allocation), findings, entries, shortfalls)
    }
}
