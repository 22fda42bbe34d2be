//! What a ledger knows of the companies of a transaction: facts that fill its blanks, and what its accounts have left.
//!
//! The accounts are those that the clerk would charge, and whether the transaction fits is judged as the clerk judges a
//! shipment; nothing is recorded. Contract: docs/screening.md, docs/companies.md.

use super::room::{Accounts, Room};
use super::shipped;
use crate::error::Result;
use crate::quota::codes::Country;
use crate::quota::company::account::{Account, Authorization};
use crate::quota::company::charges::{Charger, Where};
use crate::quota::company::judge::{Balance, headroom_floor, judge};
use crate::quota::company::party::Parties;
use crate::quota::company::ratio::{Base, judge_share};
use crate::quota::company::rules::{ChargedTo, CompanyRule, CompanyRules, Measured, Share};
use crate::quota::regime::{Citation, Regime, Step};
use crate::quota::tpp::Tpp;
use crate::screen::transaction::{TransactionColumn, Veu};
use crate::screen::{Answer, RuleAnswer, Transaction, Verdict};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// What a ledger states of the parties of a transaction.
#[derive(Clone, Default, Debug)]
pub struct Stated {
    /// Blank facts that it fills.
    pub filled: Vec<(TransactionColumn, String)>,
    /// Facts that were given, and are kept, beside what the ledger has instead.
    pub differs: Vec<(TransactionColumn, String, String)>,
    /// Parties of which it states nothing.
    pub unknown: Vec<(TransactionColumn, String)>,
    /// The last party upwards, where it is not stated to have no parent.
    pub parent_unknown: Option<String>,
}

impl Stated {
    fn fact<T: Copy + PartialEq>(
        &mut self,
        column: TransactionColumn,
        fact: &mut Option<T>,
        stated: Option<T>,
        told: impl Fn(T) -> String,
    ) {
        match (*fact, stated) {
            (None, Some(stated)) => {
                *fact = Some(stated);
                self.filled.push((column, told(stated)));
            }
            (Some(given), Some(stated)) if given != stated => self.differs.push((column, told(given), told(stated))),
            _ => {}
        }
    }

    /// The party of a column, where the ledger knows it.
    fn known(&mut self, parties: &Parties, column: TransactionColumn, party: Option<&String>) -> Option<String> {
        let party = party?;
        if parties.knows(party) {
            return Some(party.clone());
        }
        self.unknown.push((column, party.clone()));
        None
    }
}

/// What binds an account.
#[derive(Clone, Copy, Debug)]
pub enum Bound<'r> {
    /// A limit.
    Limit(&'r Step),
    /// A total from which something is to be filed; it stops nothing.
    Threshold(&'r Citation),
    /// A share of an installed base.
    Share(&'r Share),
}

/// What one account has left for a transaction.
#[derive(Clone, Debug)]
pub struct AccountLeft<'r> {
    /// The account that it would be charged to.
    pub account: Account,
    /// What binds it.
    pub bound: Bound<'r>,
    /// The limit, the threshold, or the whole installed base.
    pub of: Tpp,
    /// What may still be charged: the least on any day from the transaction's on; below zero where a limit is passed already.
    pub left: Tpp,
    /// The first day on which so little is left.
    pub on: NaiveDate,
    /// Whether the transaction stays within; `None` where its TPP is not known, and at a threshold.
    pub fits: Option<bool>,
}

impl AccountLeft<'_> {
    /// Whether a shipment would be refused for it.
    pub fn is_exceeded(&self) -> bool {
        self.fits == Some(false) && !matches!(self.bound, Bound::Share(share) if share.measured == Measured::ReportingDates)
    }

    /// Source of what binds it.
    pub fn citation(&self) -> &Citation {
        match self.bound {
            Bound::Limit(step) => &step.citation,
            Bound::Threshold(citation) => citation,
            Bound::Share(share) => &share.citation,
        }
    }
}

impl<'l> Room<'l> {
    /// Fills what is not given from what the ledger states of the transaction's parties on its day. `None` where no party is named.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn fill(&self, transaction: &mut Transaction) -> Result<Option<Stated>> {
        use TransactionColumn as C;
        let named = transaction.consignee.is_some() || transaction.operator.is_some();
        let Some(rules) = self.regime.companies.as_ref().filter(|_| named) else { return Ok(None) };
        let (parties, on, mut stated) = (self.parties()?, transaction.on, Stated::default());
        let consignee = stated.known(parties, C::Consignee, transaction.consignee.as_ref());
        let operator = stated.known(parties, C::Operator, transaction.operator.as_ref());
        let (country, amount) = (|country: Country| country.to_string(), |tpp: Tpp| tpp.to_string());
        if let Some(consignee) = &consignee {
            let ultimate = parties.ultimate(consignee, on);
            let is_known = parties.ultimate_is_known(consignee, on);
            let above = parties.headquarters(ultimate, on).filter(|_| is_known);
            stated.parent_unknown = (!is_known).then(|| ultimate.to_string());
            let seat = parties.headquarters(consignee, on);
            stated.fact(C::ConsigneeHeadquarters, &mut transaction.consignee_headquarters, seat, country);
            stated.fact(C::ParentHeadquarters, &mut transaction.parent_headquarters, above, country);
        }
        let another =
            operator.filter(|it| consignee.as_deref().is_none_or(|c| parties.same_as(c, on) != parties.same_as(it, on)));
        if let Some(operator) = another {
            let seat = parties.headquarters(&operator, on);
            stated.fact(C::OperatorHeadquarters, &mut transaction.operator_headquarters, seat, country);
        }
        let received = |authorization| -> Result<Option<Tpp>> {
            let Some(account) = self.account_of(rules, authorization, transaction)? else { return Ok(None) };
            let accounts = self.accounts(authorization, &account.party)?;
            Ok(Some(accounts.get(&account).map_or(Tpp::ZERO, |balance| balance.on(on))))
        };
        let (lpp, aia) = (received(Authorization::Lpp)?, received(Authorization::Aia)?);
        stated.fact(C::LppReceivedTpp, &mut transaction.lpp_received_tpp, lpp, amount);
        stated.fact(C::AiaReceivedTpp, &mut transaction.aia_received_tpp, aia, amount);
        let held = consignee.and_then(|consignee| self.held(rules, parties, &consignee, transaction));
        stated.fact(C::Veu, &mut transaction.veu, held, |veu| veu.as_str().to_string());
        Ok(Some(stated))
    }

    /// The data center authorization that a consignee holds for the destination. One that the ledger does not state is not held there,
    /// as no shipment under it would be recorded.
    fn held(&self, rules: &CompanyRules, parties: &Parties, consignee: &str, transaction: &Transaction) -> Option<Veu> {
        let (on, country) = (transaction.on, self.regime.counted_in(transaction.destination));
        let has = |authorization| rules.rule(authorization).is_some();
        let universal = || parties.group_is_authorized(parties.ultimate(consignee, on), Authorization::Uveu, on);
        let national = || parties.holder(consignee, Authorization::Nveu, country, on).is_some();
        if has(Authorization::Uveu) && universal() {
            Some(Veu::Universal)
        } else if has(Authorization::Nveu) && national() {
            Some(Veu::National)
        } else {
            (has(Authorization::Uveu) && has(Authorization::Nveu)).then_some(Veu::None)
        }
    }

    /// The account that the transaction would be charged to under an authorization; `None` where nothing is charged, where the
    /// ledger does not know whom to charge, and where a facility would have to be known.
    fn account_of(
        &self,
        rules: &CompanyRules,
        authorization: Authorization,
        transaction: &Transaction,
    ) -> Result<Option<Account>> {
        let (parties, on) = (self.parties()?, transaction.on);
        let charger = Charger::new(self.regime, rules, parties);
        let (Some(rule), Some(consignee)) = (rules.rule(authorization), transaction.consignee.as_deref()) else {
            return Ok(None);
        };
        let debtor = match transaction.operator.as_deref() {
            Some(operator) if rule.operator && charger.may_name_operator(consignee, on) => operator,
            _ => consignee,
        };
        if !parties.knows(consignee) || !parties.knows(debtor) {
            return Ok(None);
        }
        let place = Where { country: self.regime.counted_in(transaction.destination), facility: None };
        let of_group = (rule.held && rule.charged_to != ChargedTo::Holder) || !rule.shares.is_empty();
        if of_group && !parties.group_is_authorized(parties.ultimate(consignee, on), authorization, on) {
            return Ok(None);
        }
        Ok(charger.account(rule, debtor, place, on))
    }

    /// What the accounts that the transaction would be charged to have left, with the installed base that it would add to.
    pub(super) fn accounts_left(&self, transaction: &Transaction, answer: &Answer) -> Result<Vec<AccountLeft<'l>>> {
        let mut all = Vec::new();
        let (Some(rules), Some(eccn)) = (self.regime.companies.as_ref(), transaction.eccn) else { return Ok(all) };
        if transaction.consignee.is_none() || shipped(transaction.activity).is_none() {
            return Ok(all);
        }
        let charger = Charger::new(self.regime, rules, self.parties()?);
        let told = |rule: &&CompanyRule| rule.adds_up(&eccn) && is_told(rule, &charger, transaction, answer);
        for rule in rules.rules.values().filter(told) {
            let Some(account) = self.account_of(rules, rule.authorization, transaction)? else { continue };
            let accounts = self.accounts(rule.authorization, &account.party)?;
            let takes = transaction.shipment_tpp();
            all.extend(of_limit(rule, &account, &accounts, transaction.on, takes));
            all.extend(of_threshold(rule, &account, &accounts, transaction.on));
            if !rule.shares.is_empty() {
                let base = InstalledBase { regime: self.regime, rules, parties: self.parties()?, accounts: &accounts };
                all.extend(rule.shares.iter().filter_map(|share| base.left(share, &account, transaction.on, takes)));
            }
        }
        Ok(all)
    }
}

/// Whether an authorization would serve if it had enough left. An installed base grows with whatever reaches its group.
fn is_told(rule: &CompanyRule, charger: &Charger, transaction: &Transaction, answer: &Answer) -> bool {
    if !rule.shares.is_empty() {
        return true;
    }
    let does = shipped(transaction.activity).is_some_and(|activity| rule.activities.contains(&activity));
    if !does || !charger.serves(rule, transaction.destination, transaction.on) {
        return false;
    }
    if rule.held {
        return true;
    }
    let lacks_nothing_else = |exception: &&RuleAnswer| {
        let mut conditions = exception.rule.conditions.iter().zip(&exception.verdicts);
        conditions.all(|(condition, verdict)| *verdict != Verdict::Fail || !condition.amounts(transaction).is_empty())
    };
    let code = rule.authorization.as_str();
    answer.exceptions.iter().filter(|exception| exception.rule.code == code).any(|it| lacks_nothing_else(&it))
}

fn of_limit<'r>(
    rule: &'r CompanyRule,
    account: &Account,
    accounts: &Accounts,
    on: NaiveDate,
    takes: Option<Tpp>,
) -> Option<AccountLeft<'r>> {
    let balance = accounts.get(account).cloned().unwrap_or_default();
    let (left, lowest_on, step) = headroom_floor(rule, account, &balance, on)?;
    let fits = takes.map(|takes| judge(rule, account, &balance, &Balance::new([(on, takes)])).is_none());
    Some(AccountLeft { account: account.clone(), bound: Bound::Limit(step), of: step.tpp, left, on: lowest_on, fits })
}

fn of_threshold<'r>(rule: &'r CompanyRule, account: &Account, accounts: &Accounts, on: NaiveDate) -> Option<AccountLeft<'r>> {
    let (threshold, citation) = rule.threshold.as_ref()?;
    let left = *threshold - accounts.get(account).map_or(Tpp::ZERO, |balance| balance.on(on));
    Some(AccountLeft { account: account.clone(), bound: Bound::Threshold(citation), of: *threshold, left, on, fits: None })
}

/// A group's installed base under the shares of an authorization.
struct InstalledBase<'a> {
    regime: &'a Regime,
    rules: &'a CompanyRules,
    parties: &'a Parties,
    accounts: &'a Accounts,
}

impl InstalledBase<'_> {
    /// How much more a share lets in from outside the base; `None` where it does not look at the account's country.
    fn left<'r>(&self, share: &'r Share, account: &Account, from: NaiveDate, takes: Option<Tpp>) -> Option<AccountLeft<'r>> {
        let country = account.country()?;
        let stood: BTreeMap<Country, Balance> =
            self.accounts.iter().filter_map(|(account, balance)| Some((account.country()?, balance.clone()))).collect();
        let days: BTreeSet<NaiveDate> = match share.measured {
            Measured::Always => stood.values().flat_map(Balance::days).filter(|day| *day > from).chain([from]).collect(),
            Measured::ReportingDates => self.rules.reporting_date_from(from).into_iter().collect(),
        };
        let mut stands = stood.clone();
        stands.entry(country).or_default().add(from, takes.unwrap_or_default());
        let (mut least, mut fits): (Option<AccountLeft>, bool) = (None, true);
        for on in days {
            let home = self.parties.is_at_home(&account.party, self.regime, on);
            let (was, is) = (Base::on(&stood, on), Base::on(&stands, on));
            let Some(measure) = was.measure_at(share, self.regime, home, country, on) else { continue };
            let group = (account.party.as_str(), account.authorization, home);
            fits &= judge_share(share, self.regime, group, &was, &is, on).is_empty();
            if least.as_ref().is_none_or(|least| measure.room_installed < least.left) {
                let (account, bound, left) = (account.clone(), Bound::Share(share), measure.room_installed);
                least = Some(AccountLeft { account, bound, of: measure.whole, left, on, fits: None });
            }
        }
        least.map(|least| AccountLeft { fits: takes.map(|_| fits), ..least })
    }
}
