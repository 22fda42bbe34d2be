//! The reports on companies: what each holds, what its limits leave, what is to be filed.

use super::tables::amount;
use crate::error::Result;
use crate::quota::calendar::Quarter;
use crate::quota::codes::Country;
use crate::quota::company::account::{Account, Authorization, Charge, ChargeKind};
use crate::quota::company::judge::{Balance, headroom_floor};
use crate::quota::company::notice;
use crate::quota::company::party::Parties;
use crate::quota::company::ratio::{Base, Measure};
use crate::quota::company::rules::{CompanyRule, CompanyRules, KeptBy, Share};
use crate::quota::event::through;
use crate::quota::regime::Regime;
use crate::quota::tpp::Tpp;
use crate::report::columns::companies as columns;
use crate::report::{Cell, Table};
use crate::store::Read;
use chrono::NaiveDate;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What a ledger tells of companies, through a record.
#[derive(Debug)]
pub struct Companies {
    parties: Parties,
    charges: Vec<(u64, Charge)>,
    through: u64,
}

impl Companies {
    /// Gathers it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn gather(read: &impl Read, until: u64) -> Result<Self> {
        let mut charges = Vec::new();
        read.charges(0, until, &mut |seq, charge| {
            charges.push((seq, charge));
            Ok(())
        })?;
        Ok(Companies { parties: Parties::new(through(read.party_statements()?, until)), charges, through: until })
    }

    fn balances(&self, authorization: Authorization) -> BTreeMap<&Account, Balance> {
        let mut balances: BTreeMap<&Account, Balance> = BTreeMap::new();
        for (_, charge) in self.charges.iter().filter(|(_, charge)| charge.account.authorization == authorization) {
            balances.entry(&charge.account).or_default().add(charge.effective_on, charge.tpp);
        }
        balances
    }

    /// The charges of one account, by day and then as recorded.
    pub fn of(&self, account: &Account) -> Vec<(u64, &Charge)> {
        let own = self.charges.iter().filter(|(_, charge)| charge.account == *account);
        let mut own: Vec<(u64, &Charge)> = own.map(|(seq, charge)| (*seq, charge)).collect();
        own.sort_by_key(|(seq, charge)| (charge.effective_on, *seq));
        own
    }

    fn name(&self, party: &str, on: NaiveDate) -> Cell {
        let described = crate::quota::company::fact::PartyStatementKind::Describe;
        Cell::text(self.parties.in_force(party, described, on).and_then(|it| it.name.clone()).unwrap_or_default())
    }

    /// lpp.csv: the accounts that are kept by year.
    pub fn yearly(&self, rules: &CompanyRules, as_of: NaiveDate) -> Table {
        let mut table = Table::new(columns::lpp());
        for rule in rules.rules.values().filter(|rule| rule.kept_by == KeptBy::CalendarYear) {
            for account in self.balances(rule.authorization).into_keys() {
                table.rows.extend(self.yearly_row(rule, account, as_of));
            }
        }
        table
    }

    fn yearly_row(&self, rule: &CompanyRule, account: &Account, as_of: NaiveDate) -> Option<Vec<Cell>> {
        let year = account.year()?;
        let mut own = self.charges.iter().map(|(_, charge)| charge).filter(|charge| charge.account == *account).peekable();
        own.peek()?;
        let (mut shipped, mut certified, mut begun) = (Tpp::ZERO, Tpp::ZERO, false);
        for charge in own.filter(|charge| charge.effective_on <= as_of) {
            begun = true;
            *(if charge.kind == ChargeKind::Certified { &mut certified } else { &mut shipped }) += charge.tpp;
        }
        if !begun {
            return None;
        }
        let balance = shipped + certified;
        let limit = rule.limit_of(account, as_of).map(|step| step.tpp);
        let seat = self.parties.headquarters(&account.party, as_of);
        Some(vec![
            Cell::Whole(i64::from(year)),
            code(&account.party),
            self.name(&account.party, as_of),
            seat.map_or(Cell::Empty, super::tables::country),
            Cell::Day(as_of),
            Cell::Amount(shipped),
            Cell::Amount(certified),
            Cell::Amount(balance),
            amount(limit),
            amount(limit.map(|limit| limit - balance)),
            status(limit.map(|limit| limit - balance)),
            Cell::text(rule.citation.cite.clone()),
        ])
    }

    /// nveu.csv: the accounts that are kept by country and have a limit.
    pub fn by_country(&self, rules: &CompanyRules, as_of: NaiveDate) -> Table {
        let mut table = Table::new(columns::nveu());
        for rule in rules.rules.values().filter(|rule| rule.kept_by == KeptBy::Country && rule.shares.is_empty()) {
            for (account, balance) in self.balances(rule.authorization) {
                table.rows.extend(self.country_row(rule, account, &balance, as_of));
            }
        }
        table
    }

    fn country_row(&self, rule: &CompanyRule, account: &Account, balance: &Balance, as_of: NaiveDate) -> Option<Vec<Cell>> {
        let country = account.country()?;
        balance.days().next().filter(|first| *first <= as_of)?;
        let (step, base) = (rule.limit_on(as_of), balance.on(as_of));
        let headroom = step.map(|step| step.tpp - base);
        let floor = headroom_floor(rule, account, balance, as_of).map(|(floor, ..)| floor);
        Some(vec![
            code(&account.party),
            self.name(&account.party, as_of),
            super::tables::country(country),
            Cell::Day(as_of),
            Cell::Amount(base),
            amount(step.map(|step| step.tpp)),
            step.map_or(Cell::Empty, |step| Cell::Day(step.from)),
            amount(headroom),
            amount(floor),
            status(headroom),
            Cell::text(step.map_or(&rule.citation, |step| &step.citation).cite.clone()),
        ])
    }

    /// uveu.csv: the shares of each group's base, as of the day and on the last reporting date.
    pub fn shares(&self, regime: &Regime, rules: &CompanyRules, as_of: NaiveDate) -> Table {
        let mut table = Table::new(columns::uveu());
        for rule in rules.rules.values().filter(|rule| !rule.shares.is_empty()) {
            let mut groups: BTreeMap<&str, BTreeMap<Country, Balance>> = BTreeMap::new();
            for (account, balance) in self.balances(rule.authorization) {
                if let Some(country) = account.country() {
                    groups.entry(&account.party).or_default().insert(country, balance);
                }
            }
            let reported = rules.reporting_date_until(as_of);
            let days = [(Some(as_of), "as_of"), (reported, "reporting_date")];
            for (group, balances) in &groups {
                for (on, word) in days.into_iter().filter_map(|(on, word)| Some((on?, word))) {
                    let base = Base::on(balances, on);
                    let home = self.parties.is_at_home(group, regime, on);
                    for share in &rule.shares {
                        let measures = base.measures(share, regime, home, on);
                        table.rows.extend(measures.iter().map(|measure| self.share_row(group, on, word, share, measure)));
                    }
                }
            }
        }
        table
    }

    fn share_row(&self, group: &str, on: NaiveDate, word: &'static str, share: &Share, measure: &Measure) -> Vec<Cell> {
        let status = match measure {
            Measure { whole, .. } if *whole <= Tpp::ZERO => "no_limit",
            Measure { is_passed: true, .. } => "overrun",
            Measure { room_installed: Tpp::ZERO, .. } => "met",
            _ => "open",
        };
        vec![
            code(group),
            self.name(group, on),
            Cell::Day(on),
            Cell::code(word),
            code(&share.id),
            measure.country.map_or(Cell::Empty, super::tables::country),
            Cell::Amount(measure.part),
            Cell::Amount(measure.whole),
            measure.part.utilization_pct(measure.whole).map_or(Cell::Empty, Cell::Percent),
            Cell::Percent(share.percent),
            Cell::Amount(measure.room_installed),
            Cell::Amount(measure.room_moved),
            Cell::code(status),
            Cell::text(share.citation.cite.clone()),
        ]
    }

    /// notices.csv: what falls due in a quarter.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn notices(&self, read: &impl Read, rules: &CompanyRules, quarter: Quarter) -> Result<Table> {
        let facts = through(read.company_facts(None)?, self.through);
        let (from, until) = (quarter.first_day(), quarter.last_day());
        let mut table = Table::new(columns::notices());
        for due in notice::notices(rules, &self.parties, &facts, &self.charges, from, until) {
            let Some(rule) = rules.notices.iter().find(|rule| rule.id == due.rule) else { continue };
            table.push(vec![
                Cell::Day(due.due_on),
                code(&due.rule),
                Cell::code(due.authorization.as_str()),
                Cell::text(due.party),
                Cell::text(due.because),
                amount(due.tpp),
                Cell::text(rule.filed_by.clone()),
                Cell::text(rule.addressee.clone()),
                Cell::text(rule.subject.clone()),
                Cell::text(rule.citation.cite.clone()),
            ]);
        }
        Ok(table)
    }
}

fn code(text: &str) -> Cell {
    Cell::Code(Cow::Owned(text.to_string()))
}

fn status(headroom: Option<Tpp>) -> Cell {
    Cell::code(match headroom {
        None => "no_limit",
        Some(left) if left < Tpp::ZERO => "overrun",
        Some(Tpp::ZERO) => "met",
        Some(_) => "open",
    })
}
