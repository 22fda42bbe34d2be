//! What moves in accounts against their range, their floor of zero, their limits and their shares.

use super::{Decided, Judged};
use crate::desk::clerk::{Clerk, Rejection};
use crate::error::Result;
use crate::quota::codes::Country;
use crate::quota::company::account::{Account, Authorization, Charge};
use crate::quota::company::judge::{Balance, below_zero, judge, of_account};
use crate::quota::company::party::Parties;
use crate::quota::company::ratio::{Base, judge_share};
use crate::quota::company::rules::{CompanyRule, CompanyRules, Measured};
use crate::quota::decision::Shortfall;
use crate::quota::finding::{Finding, FindingCode};
use crate::quota::tpp::Tpp;
use crate::store::{Append, Ask};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

impl<W: Append> Clerk<'_, W> {
    /// Every account that moves against its range, its floor of zero, its limit and its shares.
    pub(super) fn judge_charges(
        &self,
        rules: &CompanyRules,
        parties: &Parties,
        charges: &[Charge],
        stated: bool,
    ) -> Result<Decided<Judged>> {
        let mut judged = Judged::default();
        let groups: BTreeSet<(Authorization, &str)> =
            charges.iter().map(|charge| (charge.account.authorization, charge.account.party.as_str())).collect();
        for (authorization, party) in groups {
            let Some(rule) = rules.rule(authorization) else { continue };
            let before = balances(&*self.tx, authorization, party)?;
            let own: BTreeSet<&Account> = charges
                .iter()
                .map(|charge| &charge.account)
                .filter(|account| account.authorization == authorization && account.party == party)
                .collect();
            for account in &own {
                let (stood, change) = (before.get(account).cloned().unwrap_or_default(), of_account(charges, account));
                if let Some(rejection) =
                    out_of_range(account, &before, charges).or_else(|| taken_too_much(account, &stood, &change))
                {
                    return Ok(Err(rejection));
                }
                judged.shortfalls.extend(judge(rule, account, &stood, &change));
            }
            if !rule.shares.is_empty() {
                match self.judge_shares(rules, rule, parties, party, &before, charges, stated) {
                    Ok(shares) => {
                        judged.shortfalls.extend(shares.shortfalls);
                        judged.findings.extend(shares.findings);
                    }
                    Err(rejection) => return Ok(Err(rejection)),
                }
            }
        }
        Ok(Ok(judged))
    }

    #[allow(clippy::too_many_arguments, reason = "a share is judged by the rule, the parties, what stood and what moves")]
    fn judge_shares(
        &self,
        rules: &CompanyRules,
        rule: &CompanyRule,
        parties: &Parties,
        ultimate: &str,
        before: &BTreeMap<Account, Balance>,
        charges: &[Charge],
        stated: bool,
    ) -> Decided<Judged> {
        let of_group = |account: &Account| account.authorization == rule.authorization && account.party == ultimate;
        let by_country = |account: &Account| account.country();
        let stood: BTreeMap<Country, Balance> =
            before.iter().filter_map(|(account, balance)| Some((by_country(account)?, balance.clone()))).collect();
        let mut stands = stood.clone();
        for charge in charges.iter().filter(|charge| of_group(&charge.account)) {
            if let Some(country) = charge.account.country() {
                stands.entry(country).or_default().add(charge.effective_on, charge.tpp);
            }
        }
        let Some(first) = charges.iter().filter(|charge| of_group(&charge.account)).map(|charge| charge.effective_on).min()
        else {
            return Ok(Judged::default());
        };
        let days: BTreeSet<NaiveDate> =
            stands.values().flat_map(Balance::days).filter(|day| *day >= first).chain([first]).collect();
        let mut judged = Judged::default();
        for share in &rule.shares {
            let judge_on = |day: NaiveDate| {
                let home = parties.is_at_home(ultimate, self.regime, day);
                let (was, is) = (Base::on(&stood, day), Base::on(&stands, day));
                let group = (ultimate, rule.authorization, home);
                (was.whole(), judge_share(share, self.regime, group, &was, &is, day))
            };
            if share.measured == Measured::ReportingDates {
                let Some(date) = rules.reporting_date_from(first) else { continue };
                for shortfall in judge_on(date).1 {
                    let over = format!("{} of {}: {} TPP over on {date}", share.id, shortfall.allocation, shortfall.shortfall);
                    judged.findings.push(Finding::new(FindingCode::SharePassedOnReportingDate, over));
                }
                continue;
            }
            let mut worst: BTreeMap<String, Shortfall> = BTreeMap::new();
            for day in &days {
                let (whole, shortfalls) = judge_on(*day);
                if whole <= Tpp::ZERO && !shortfalls.is_empty() && !stated {
                    let what = format!("{ultimate} has no installed base on {day}, of which {} could be a share", share.id);
                    return Err(Rejection::new("destination", what, "state its base in a holdings file first: `installed`"));
                }
                for shortfall in shortfalls {
                    let key = shortfall.allocation.to_string();
                    if worst.get(&key).is_none_or(|known| known.shortfall < shortfall.shortfall) {
                        worst.insert(key, shortfall);
                    }
                }
            }
            judged.shortfalls.extend(worst.into_values());
        }
        Ok(judged)
    }
}

/// The balances of a party's accounts under an authorization.
pub(super) fn balances(ask: &impl Ask, authorization: Authorization, party: &str) -> Result<BTreeMap<Account, Balance>> {
    let mut balances: BTreeMap<Account, Balance> = BTreeMap::new();
    for (account, day, tpp) in ask.account_days(authorization, party)? {
        balances.entry(account).or_default().add(day, tpp);
    }
    Ok(balances)
}

/// A party's accounts, which shares add up, whose movements would pass the range of exact sums.
fn out_of_range(account: &Account, before: &BTreeMap<Account, Balance>, charges: &[Charge]) -> Option<Rejection> {
    let of_party = |other: &Account| other.authorization == account.authorization && other.party == account.party;
    let moved = charges.iter().filter(|charge| of_party(&charge.account)).map(|charge| charge.tpp);
    let gross = before
        .values()
        .flat_map(Balance::gross)
        .chain(moved)
        .fold(0_i64, |sum, tpp| sum.saturating_add(tpp.thousandths().saturating_abs()));
    (gross >= Tpp::GROSS_MAX.thousandths()).then(|| {
        let what =
            format!("with it, the movements of {account} would pass the range of exact sums, {} TPP", Tpp::GROSS_MAX.grouped());
        Rejection::new("quantity", what, "check the quantities; the amounts are far beyond any real shipment")
    })
}

fn taken_too_much(account: &Account, stood: &Balance, change: &Balance) -> Option<Rejection> {
    let (on, would_be) = below_zero(stood, change)?;
    let what = format!(
        "takes {} TPP from {account}, and {} TPP is there on {on}: {} more",
        (-change.on(on)).grouped(),
        stood.on(on).grouped(),
        (-would_be).grouped()
    );
    Some(Rejection::new("tpp", what, "check the amount and the date; nothing can be taken that is not there"))
}
