//! What a ledger has left, read as it is asked for: the day series of a destination, the parties and the accounts of a company
//! once each.
//!
//! One transaction reads one destination; a file of them reads each destination and each company that it names, and no other.

use crate::desk::figures;
use crate::error::Result;
use crate::quota::codes::Country;
use crate::quota::company::account::{Account, Authorization};
use crate::quota::company::judge::Balance;
use crate::quota::company::party::Parties;
use crate::quota::position::DaySeries;
use crate::quota::regime::Regime;
use crate::quota::tpp::Tpp;
use crate::store::Read;
use chrono::NaiveDate;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What the accounts of one company under one authorization hold.
pub(super) type Accounts = BTreeMap<Account, Balance>;

/// What a ledger has left, at its last record.
pub struct Room<'l> {
    /// Name of the ledger, for people.
    pub ledger: String,
    /// The record.
    pub through: u64,
    pub(super) regime: &'l Regime,
    read: &'l dyn Read,
    series: RefCell<BTreeMap<Country, DaySeries>>,
    parties: OnceCell<Parties>,
    accounts: RefCell<BTreeMap<(Authorization, String), Rc<Accounts>>>,
}

impl<'l> Room<'l> {
    /// Of a ledger in one view of it, by its regime.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn new(ledger: String, read: &'l dyn Read, regime: &'l Regime) -> Result<Room<'l>> {
        let through = read.head()?.seq;
        let (series, accounts) = (RefCell::default(), RefCell::default());
        Ok(Room { ledger, through, regime, read, series, parties: OnceCell::new(), accounts })
    }

    /// The lowest headroom of a country allocation from a day to the period's end, and its day.
    pub(super) fn left(&self, country: Country, on: NaiveDate) -> Result<Option<(Tpp, NaiveDate)>> {
        if let Some(series) = self.series.borrow().get(&country) {
            return Ok(series.floor_from(on));
        }
        let series = figures::one_series(self.read, self.regime, country, self.through)?;
        let floor = series.floor_from(on);
        self.series.borrow_mut().insert(country, series);
        Ok(floor)
    }

    /// What is stated of companies.
    pub(super) fn parties(&self) -> Result<&Parties> {
        if let Some(parties) = self.parties.get() {
            return Ok(parties);
        }
        let parties = Parties::new(self.read.party_statements()?);
        Ok(self.parties.get_or_init(|| parties))
    }

    /// What the accounts of a company under an authorization hold.
    pub(super) fn accounts(&self, authorization: Authorization, party: &str) -> Result<Rc<Accounts>> {
        let key = (authorization, party.to_string());
        if let Some(known) = self.accounts.borrow().get(&key) {
            return Ok(Rc::clone(known));
        }
        let mut accounts = Accounts::new();
        for (account, day, tpp) in self.read.account_days(authorization, party)? {
            accounts.entry(account).or_default().add(day, tpp);
        }
        let accounts = Rc::new(accounts);
        self.accounts.borrow_mut().insert(key, Rc::clone(&accounts));
        Ok(accounts)
    }
}
