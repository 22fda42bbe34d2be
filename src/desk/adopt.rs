//! Adopting another regime: a record of its own that posts what the change of rules moves.
//!
//! Every timeline is replayed under both regimes, and the difference of their postings is posted by one record. So figures
//! through an earlier record stay what they were, and figures from it on are those of the new regime. The same replay
//! answers what the other reading of an open question would give.

use super::clerk::lost;
use crate::error::{Error, Result};
use crate::quota::company::account::Charge;
use crate::quota::company::charges::{Charger, charge_difference};
use crate::quota::company::party::Parties;
use crate::quota::posting::{Entry, Posting, difference, merged};
use crate::quota::regime::Regime;
use crate::quota::timeline::{Options, replay};
use crate::store::{Ask, Dossier, Fact, NewRecord, RegimeKept, Write};
use chrono::NaiveDate;

/// The entries that a change of regime posts, over `each` application of the ledger.
///
/// # Errors
/// When the store cannot be read, or an event does not stand under the new regime.
pub fn entries_of_change(
    each: impl FnOnce(&mut dyn FnMut(Dossier) -> Result<()>) -> Result<()>,
    old: &Regime,
    new: &Regime,
) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    each(&mut |dossier| {
        entries.extend(change_of(&dossier, old, new)?);
        Ok(())
    })?;
    Ok(merged(entries))
}

/// The charges that a change of regime posts to companies.
///
/// # Errors
/// When the store cannot be read.
pub fn charges_of_change(ask: &impl Ask, old: &Regime, new: &Regime) -> Result<Vec<Charge>> {
    let (facts, parties) = (ask.company_facts(None)?, Parties::new(ask.party_statements()?));
    let postings = |regime: &Regime| {
        let rules = regime.companies.as_ref();
        rules.map(|rules| Charger::new(regime, rules, &parties).charge_all(&facts)).unwrap_or_default()
    };
    Ok(charge_difference(&postings(old), &postings(new), None, true))
}

fn change_of(dossier: &Dossier, old: &Regime, new: &Regime) -> Result<Vec<Entry>> {
    let before = postings(dossier, old)?.map_err(|(event, _)| lost("event", &event))?;
    let after = postings(dossier, new)?.map_err(|(event, what)| {
        Error::usage(
            format!("{}: under the new regime the recorded event {event} would not stand: {what}", dossier.latest().number),
            "correct the event first, or change the regime",
        )
    })?;
    Ok(difference(&before, &after, None))
}

type Postings = std::result::Result<Vec<Posting>, (String, String)>;

fn postings(dossier: &Dossier, regime: &Regime) -> Result<Postings> {
    let latest = dossier.latest();
    Ok(replay(latest.submitted_on, &latest.terms(), &dossier.events, regime, Options::default())
        .map(|replay| replay.postings)
        .map_err(|broken| (broken.event_id, broken.what)))
}

/// Records the change of regime.
///
/// # Errors
/// As [`entries_of_change`], or when the store cannot be written.
pub fn adopt<W: Write>(
    tx: &mut W,
    old: &Regime,
    new: &Regime,
    kept: RegimeKept,
    reference: &str,
    today: NaiveDate,
) -> Result<(u64, usize)> {
    let entries = entries_of_change(|visit| tx.dossiers(visit), old, new)?;
    let charges = charges_of_change(tx, old, new)?;
    let fact = Fact::Regime { id: kept.id.clone(), digest: kept.digest, reference: reference.to_string(), effective_on: today };
    let seq = tx.head()?.seq + 1;
    tx.keep_regime(RegimeKept { adopted_by: seq, ..kept })?;
    let posted = entries.len() + charges.len();
    let record = NewRecord {
        fact,
        application: None,
        allocation: None,
        shortfalls: Vec::new(),
        findings: String::new(),
        entries,
        charges,
    };
    let record = record.prepare();
    let seq = tx.append(&record)?.ok_or_else(|| lost("regime", &record.fact.id()))?;
    Ok((seq, posted))
}
