//! Verification: the chain, the totals, the timelines and the identities, each recomputed from the records.
//!
//! Every check is named, so that an answer says what was looked at. Nothing is repaired.

use super::close::filed_bytes;
use super::figures;
use super::ledger::Ledger;
use crate::error::Result;
use crate::quota::codes::Country;
use crate::quota::company::account::Account;
use crate::quota::company::charges::{ChargePosting, Charger};
use crate::quota::company::party::Parties;
use crate::quota::limits::replay_acts;
use crate::quota::posting::{Measures, Posting};
use crate::quota::regime::Regime;
use crate::quota::timeline::{Options, replay};
use crate::quota::tpp::Tpp;
use crate::store::canonical::{self, Belongs};
use crate::store::{Read, Store, hex};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// One named check and what it found.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What was looked at, in numbers.
    pub looked_at: String,
    /// What is wrong; empty when all is well.
    pub wrong: Vec<String>,
}

impl Check {
    /// At most twenty sentences, and how many more there are.
    fn shortened(mut self) -> Self {
        const TOLD: usize = 20;
        if self.wrong.len() > TOLD {
            let more = self.wrong.len() - TOLD;
            self.wrong.truncate(TOLD);
            self.wrong.push(format!("and {more} more"));
        }
        self
    }
}

type Totals = BTreeMap<(Country, NaiveDate), Measures>;

/// Recomputes everything that the records determine.
///
/// # Errors
/// When the ledger cannot be read at all.
pub fn verify<S: Store>(ledger: &Ledger<S>) -> Result<Vec<Check>> {
    let read = ledger.store.read()?;
    let regime = ledger.regime();
    let (chain, entries) = check_chain(&read)?;
    let days = check_day_totals(&read, &regime, &entries)?;
    let timelines = check_timelines(&read, &regime, &entries)?;
    let identities = check_identities(&read, &regime, &entries)?;
    let companies = check_companies(&read, &regime)?;
    let filed = check_filed(&read)?;
    Ok(vec![chain, days, timelines, identities, companies, filed].into_iter().map(Check::shortened).collect())
}

/// The chain of digests from the first record to the head, and the fold over all entries on the way.
fn check_chain(read: &impl Read) -> Result<(Check, Totals)> {
    let genesis = canonical::genesis(&read.regimes()?[0].digest);
    let head = read.head()?;
    let (mut previous, mut expected) = (genesis, 1);
    let (mut wrong, mut totals) = (Vec::new(), Totals::new());
    let (mut body, mut buffer) = (Vec::new(), Vec::new());
    read.records(0, u64::MAX, &mut |record| {
        if record.seq != expected {
            wrong.push(format!("record {expected} is missing: the next is {}", record.seq));
        }
        expected = record.seq + 1;
        let first = matches!(record.fact, crate::store::Fact::Application(_)) && record.application == Some(record.seq);
        let belongs = Belongs { application: record.application.filter(|_| !first), allocation: record.allocation };
        body.clear();
        canonical::body_part(&mut body, &record.fact, &record.findings, &record.shortfalls, &record.entries, &record.charges);
        let batch = canonical::batch_part(&record.batch);
        let digest = canonical::digest(&previous, record.seq, &batch, belongs, &body, &mut buffer);
        if digest != record.digest && wrong.len() < 20 {
            wrong.push(format!("record {} ({}) is not what its digest says", record.seq, record.fact.id()));
        }
        previous = record.digest;
        for entry in &record.entries {
            *totals.entry((entry.allocation, entry.effective_on)).or_default() += entry.measures;
        }
        Ok(())
    })?;
    if previous != head.digest || expected != head.seq + 1 {
        wrong.push(format!("the chain ends at record {}, and the head is {}", expected - 1, head.seq));
    }
    let looked_at = format!("{} records, head {}", expected - 1, hex(&head.digest));
    Ok((Check { name: "chain", looked_at, wrong }, totals))
}

/// The sums kept by day against the fold over the entries.
fn check_day_totals(read: &impl Read, regime: &Regime, entries: &Totals) -> Result<Check> {
    let (mut wrong, mut days) = (Vec::new(), 0);
    for destination in regime.destinations() {
        let kept: BTreeMap<NaiveDate, Measures> =
            read.day_totals(destination)?.into_iter().filter(|(_, sum)| !sum.is_zero()).collect();
        let folded: BTreeMap<NaiveDate, Measures> = entries
            .iter()
            .filter(|((allocation, _), sum)| *allocation == destination && !sum.is_zero())
            .map(|((_, day), sum)| (*day, *sum))
            .collect();
        days += folded.len();
        if kept != folded {
            wrong.push(format!("the day totals of {destination} are not the fold over its entries"));
        }
    }
    Ok(Check { name: "totals", looked_at: format!("{days} days with movements"), wrong })
}

/// The postings of every timeline, replayed under the regime in force, against the entries.
fn check_timelines(read: &impl Read, regime: &Regime, entries: &Totals) -> Result<Check> {
    let (mut wrong, mut posted, mut count) = (Vec::new(), Totals::new(), 0_u64);
    let mut add = |postings: &[Posting]| {
        for posting in postings {
            *posted.entry((posting.allocation, posting.effective_on)).or_default() += posting.measures;
        }
    };
    read.dossiers(&mut |dossier| {
        count += 1;
        let latest = dossier.latest();
        match replay(latest.submitted_on, &latest.terms(), &dossier.events, regime, Options::default()) {
            Ok(replay) => add(&replay.postings),
            Err(broken) => wrong.push(format!("{}: event {} does not stand: {}", latest.number, broken.event_id, broken.what)),
        }
        Ok(())
    })?;
    for destination in regime.destinations() {
        match replay_acts(destination, &read.acts(destination)?, None) {
            Ok(limits) => add(&limits.postings),
            Err(broken) => wrong.push(format!("{destination}: act {} does not stand: {}", broken.event_id, broken.what)),
        }
    }
    let differ = |a: &Totals, b: &Totals| {
        a.iter()
            .find(|(key, sum)| b.get(key).copied().unwrap_or_default() != **sum)
            .map(|((allocation, day), _)| (*allocation, *day))
    };
    if let Some((allocation, day)) = differ(&posted, entries).or_else(|| differ(entries, &posted)) {
        wrong.push(format!("the entries of {allocation} on {day} are not the postings of the timelines"));
    }
    Ok(Check { name: "timelines", looked_at: format!("{count} applications replayed"), wrong })
}

/// What every fact of a company is charged under the regime in force, against the charges.
fn check_companies(read: &impl Read, regime: &Regime) -> Result<Check> {
    let (mut sums, mut posted) = (BTreeMap::<(Account, NaiveDate), Tpp>::new(), 0_u64);
    read.charges(0, u64::MAX, &mut |_, charge| {
        posted += 1;
        *sums.entry((charge.account, charge.effective_on)).or_default() += charge.tpp;
        Ok(())
    })?;
    let (facts, parties) = (read.company_facts(None)?, Parties::new(read.party_statements()?));
    if let Some(rules) = &regime.companies {
        for ChargePosting { charge, .. } in Charger::new(regime, rules, &parties).charge_all(&facts) {
            *sums.entry((charge.account, charge.effective_on)).or_default() -= charge.tpp;
        }
    }
    let differ = sums.into_iter().filter(|(_, tpp)| *tpp != Tpp::ZERO);
    let wrong = differ.map(|((account, day), tpp)| {
        format!("the charges of {account} on {day} are not what its facts are charged: {tpp} TPP differ")
    });
    let looked_at = format!("{} facts, {posted} charges", facts.len());
    Ok(Check { name: "companies", looked_at, wrong: wrong.collect() })
}

/// The bytes of what was filed, against their digests in the chain.
fn check_filed(read: &impl Read) -> Result<Check> {
    let (mut wrong, mut files) = (Vec::new(), 0);
    for (seq, filing) in read.filings()?.0 {
        for (ord, file) in filing.files.iter().enumerate() {
            files += 1;
            if let Err(error) = filed_bytes(read, seq, ord, file, &mut std::io::sink()) {
                wrong.push(format!("{}: {error}", filing.id));
            }
        }
    }
    Ok(Check { name: "filed", looked_at: format!("{files} filed files"), wrong })
}

/// The identities on every row, on a day in each year and at the head, and the position against the fold.
fn check_identities(read: &impl Read, regime: &Regime, entries: &Totals) -> Result<Check> {
    let head = read.head()?.seq;
    let mut days: Vec<NaiveDate> = vec![regime.period.from, regime.period.to];
    days.extend((0..regime.period.len()).step_by(31).map(|index| regime.period.day(index)));
    let (mut wrong, mut rows) = (Vec::new(), 0);
    for as_of in &days {
        for row in figures::headroom(read, regime, *as_of, head, true)? {
            rows += 1;
            let folded = entries
                .range((row.destination, NaiveDate::MIN)..=(row.destination, *as_of))
                .fold(Measures::ZERO, |sum, (_, measures)| sum + *measures);
            let position = (row.pending, row.licensed, row.shipped);
            if position != (folded.pending, folded.licensed, folded.shipped) {
                wrong.push(format!(
                    "{} as of {as_of}: licensed {}, the fold over entries is {}",
                    row.destination, row.licensed, folded.licensed
                ));
            }
            let holds = row.licensed == row.shipped + row.unshipped
                && row.limit.is_none_or(|limit| {
                    Some(limit) == row.base.map(|base| base + folded.increase)
                        && row.headroom == Some(limit - folded.withheld - row.licensed)
                        && row.headroom_after_pending == row.headroom.map(|headroom| headroom - row.pending)
                });
            if !holds {
                wrong.push(format!("{} as of {as_of}: an identity does not hold", row.destination));
            }
        }
    }
    Ok(Check { name: "identities", looked_at: format!("{rows} rows on {} days", days.len()), wrong })
}
