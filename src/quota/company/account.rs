//! Accounts: one company's allocation under one authorization, and what is charged to it.

use crate::quota::codes::{Country, is_identifier};
use crate::quota::event::words;
use crate::quota::tpp::Tpp;
use chrono::NaiveDate;
use std::fmt;

words! {
    /// A license exception or an authorization under which items go without a license of their own.
    Authorization {
        /// Artificial Intelligence Authorization (740.27).
        Aia = "AIA",
        /// Advanced Compute Manufacturing (740.28).
        Acm = "ACM",
        /// Low Processing Performance (740.29).
        Lpp = "LPP",
        /// Advanced Computing Authorized (740.8).
        Aca = "ACA",
        /// Notified Advanced Computing (740.8).
        Nac = "NAC",
        /// Universal validated end user (748.15(a)(2)(ii)).
        Uveu = "UVEU",
        /// National validated end user (748.15(a)(2)(iii)).
        Nveu = "NVEU",
    }
}

words! {
    /// Why a charge moves what it moves.
    ChargeKind {
        /// Shipped to the company.
        Shipped = "shipped",
        /// Stated as installed.
        Installed = "installed",
        /// Moved from one place to another.
        Moved = "moved",
        /// Lost, and no longer counted.
        Attrition = "attrition",
        /// What a certificate states beyond what is recorded.
        Certified = "certified",
        /// Reversal of a corrected fact.
        Corrected = "corrected",
        /// Charged elsewhere, because a party's parent or name became known.
        Recharged = "recharged",
    }
}

/// The part of a company's allocation that an account keeps.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
    /// All of it.
    Whole,
    /// A calendar year.
    Year(i32),
    /// A country.
    Country(Country),
    /// A facility.
    Facility(String),
}

/// One company's allocation under one authorization, e.g. `LPP:ACME:2026` or `NVEU:ACME:IN`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Account {
    /// Under what.
    pub authorization: Authorization,
    /// Whose.
    pub party: String,
    /// Which part.
    pub part: Part,
}

impl Account {
    /// An account.
    pub fn new(authorization: Authorization, party: &str, part: Part) -> Self {
        Account { authorization, party: party.to_string(), part }
    }

    /// Reads what [`fmt::Display`] writes; `None` for anything else.
    pub fn parse(text: &str) -> Option<Account> {
        let mut pieces = text.splitn(3, ':');
        let authorization = Authorization::parse(pieces.next()?)?;
        let party = pieces.next().filter(|party| is_identifier(party))?.to_string();
        let part = match pieces.next() {
            None => Part::Whole,
            Some(part) => match part.split_once('=')? {
                ("year", year) => Part::Year(year.parse().ok()?),
                ("country", country) => Part::Country(Country::new(country)?),
                ("facility", facility) => Part::Facility(facility.to_string()),
                _ => return None,
            },
        };
        Some(Account { authorization, party, part })
    }

    /// The country, where the account keeps one.
    pub fn country(&self) -> Option<Country> {
        if let Part::Country(country) = self.part { Some(country) } else { None }
    }

    /// The year, where the account keeps one.
    pub fn year(&self) -> Option<i32> {
        if let Part::Year(year) = self.part { Some(year) } else { None }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.authorization, self.party)?;
        match &self.part {
            Part::Whole => Ok(()),
            Part::Year(year) => write!(f, ":year={year}"),
            Part::Country(country) => write!(f, ":country={country}"),
            Part::Facility(facility) => write!(f, ":facility={facility}"),
        }
    }
}

/// One immutable posting of a record to a company's account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Charge {
    /// Day it counts from.
    pub effective_on: NaiveDate,
    /// To which account.
    pub account: Account,
    /// Why.
    pub kind: ChargeKind,
    /// What moves.
    pub tpp: Tpp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_as_it_is_written() {
        for text in ["LPP:ACME:year=2026", "NVEU:A-1:country=IN", "ACM:FAB:facility=TN.01", "AIA:ACME"] {
            assert_eq!(Account::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["PL", "LPP", "LPP:", "LPP:A:2026", "XXX:A", "UVEU:A:country=POL", "LPP:A B"] {
            assert!(Account::parse(wrong).is_none(), "{wrong}");
        }
    }
}
