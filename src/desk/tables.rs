//! Figures as typed tables: the rows of headroom.csv, movements.csv, schedule.csv and refusals.csv.

use super::figures::{Movement, Scheduled};
use crate::intake::Countries;
use crate::quota::calendar::Quarter;
use crate::quota::codes::Country;
use crate::quota::decision::{Allocation, RefusalCode, Shortfall};
use crate::quota::position::{Headroom, Status};
use crate::quota::regime::Regime;
use crate::quota::tpp::Tpp;
use crate::report::columns::{self, HeadroomExtras};
use crate::report::{Cell, Table};
use crate::store::{Fact, Record};
use chrono::NaiveDate;
use std::borrow::Cow;

/// An amount, or an empty cell: what is not there is never printed as 0.
pub fn amount(tpp: Option<Tpp>) -> Cell {
    tpp.map_or(Cell::Empty, Cell::Amount)
}

/// A country's code.
pub fn country(country: Country) -> Cell {
    Cell::Code(Cow::Owned(country.to_string()))
}

/// A country's name.
pub fn country_name(country: Country) -> Cell {
    Cell::text(Countries::builtin().name(country))
}

/// A day, or an empty cell.
pub fn day(day: Option<NaiveDate>) -> Cell {
    day.map_or(Cell::Empty, Cell::Day)
}

/// A row of headroom.csv with what may stand beside it.
#[derive(Clone, Debug)]
pub struct HeadroomRow {
    /// The figures.
    pub headroom: Headroom,
    /// Lowest headroom from the day on, and its first day.
    pub floor: Option<(Tpp, NaiveDate)>,
}

/// headroom.csv. `unit` is the TPP of one unit of a device, for headroom in whole units.
pub fn headroom(regime: &Regime, rows: &[HeadroomRow], floor: bool, unit: Option<Tpp>) -> Table {
    let mut table = Table::new(columns::headroom(HeadroomExtras { floor, units: unit.is_some() }));
    for HeadroomRow { headroom: row, floor: lowest } in rows {
        let mut cells = vec![
            Cell::text(regime.id.clone()),
            Cell::code("country"),
            country(row.destination),
            country_name(row.destination),
            Cell::Code(Cow::Owned(regime.period.to_string())),
            Cell::Day(row.as_of),
            amount(row.base),
            amount(row.increase),
            amount(row.limit),
            amount(row.withheld),
            Cell::Amount(row.licensed),
            Cell::Amount(row.licensed_not_limited),
            Cell::Amount(row.shipped),
            Cell::Amount(row.unshipped),
            Cell::Amount(row.pending),
            amount(row.headroom),
            amount(row.headroom_after_pending),
            row.utilization_pct.map_or(Cell::Empty, Cell::Percent),
            Cell::code(row.status.as_str()),
            Cell::text(cite(regime, row)),
        ];
        if floor {
            let lowest = lowest.filter(|_| row.limit.is_some());
            cells.push(amount(lowest.map(|(tpp, _)| tpp)));
            cells.push(day(lowest.map(|(_, on)| on)));
        }
        if let Some(unit) = unit {
            cells.push(row.headroom.map_or(Cell::Empty, |headroom| Cell::Whole(whole_units(headroom, unit))));
        }
        table.push(cells);
    }
    table
}

/// Whole units of a device that fit in the headroom: never below zero, because nothing fits in an overrun.
fn whole_units(headroom: Tpp, unit: Tpp) -> i64 {
    if unit > Tpp::ZERO { headroom.floor_at_zero().thousandths() / unit.thousandths() } else { 0 }
}

/// The sections on which a row rests.
pub fn cite(regime: &Regime, row: &Headroom) -> String {
    match row.status {
        Status::Uncapped | Status::PresumptionOfDenial => regime.groups.citation.cite.clone(),
        Status::NotInForce => regime.period_citation.cite.clone(),
        Status::Overrun | Status::Met | Status::Critical | Status::Open => {
            let base = regime.base_step(row.as_of).map(|step| step.citation.cite.clone()).unwrap_or_default();
            match row.increase {
                Some(increase) if increase != Tpp::ZERO => format!("{base}; {}", regime.increase_maximum_citation.cite),
                _ => base,
            }
        }
    }
}

/// movements.csv.
pub fn movements(quarter: Quarter, rows: &[Movement]) -> Table {
    let mut table = Table::new(columns::movements());
    for row in rows {
        let limit = |pick: fn(&super::figures::LimitMovement) -> Tpp| amount(row.limit.as_ref().map(pick));
        table.push(vec![
            country(row.destination),
            country_name(row.destination),
            Cell::Code(Cow::Owned(quarter.to_string())),
            Cell::Amount(row.opening_licensed),
            Cell::Amount(row.carried_in),
            Cell::Amount(row.issued),
            Cell::Amount(row.expired),
            Cell::Amount(row.revoked),
            Cell::Amount(row.surrendered),
            Cell::Amount(row.amended),
            Cell::Amount(row.attrition),
            Cell::Amount(row.corrected),
            Cell::Amount(row.closing_licensed),
            limit(|limit| limit.opening_limit),
            limit(|limit| limit.base_change),
            limit(|limit| limit.increase),
            limit(|limit| limit.closing_limit),
            limit(|limit| limit.opening_withheld),
            limit(|limit| limit.closing_withheld),
            limit(|limit| limit.closing_headroom),
        ]);
    }
    table
}

/// schedule.csv.
pub fn schedule(rows: &[Scheduled]) -> Table {
    let mut table = Table::new(columns::schedule());
    for row in rows {
        table.push(vec![
            country(row.destination),
            country_name(row.destination),
            Cell::Day(row.day),
            Cell::code(row.kind),
            Cell::Amount(row.tpp),
        ]);
    }
    table
}

/// The rows of refusals.csv for one refused record: one a broken limit.
pub fn refusal(regime: &Regime, record: &Record) -> Vec<Vec<Cell>> {
    let (event, application, line) = match &record.fact {
        Fact::Event(event, application) => {
            let line = match event.lines.as_slice() {
                [only] => only.line,
                _ => None,
            };
            (event.kind.as_str(), application.clone(), line)
        }
        Fact::Act(act) => (act.kind.as_str(), None, None),
        Fact::Company(fact) => (fact.what(), None, None),
        Fact::Filing(filing) => (filing.kind.as_str(), None, None),
        Fact::Application(_) | Fact::Regime { .. } => ("", None, None),
    };
    record
        .shortfalls
        .iter()
        .map(|shortfall| {
            vec![
                Cell::Whole(record.seq as i64),
                Cell::text(record.fact.id()),
                Cell::Day(record.fact.effective_on()),
                Cell::code(event),
                Cell::text(application.clone().unwrap_or_default()),
                line.map_or(Cell::Empty, |line| Cell::Whole(i64::from(line))),
                shortfall.allocation.country().map_or(Cell::Empty, country),
                allocation_code(&shortfall.allocation),
                Cell::code(shortfall.code.as_str()),
                Cell::Amount(shortfall.requested),
                Cell::Amount(shortfall.limit),
                Cell::Amount(shortfall.headroom_floor),
                Cell::Day(shortfall.floor_on),
                Cell::Amount(shortfall.shortfall),
                Cell::Amount(shortfall.largest),
                shortfall.largest_quantity.map_or(Cell::Empty, |quantity| Cell::Whole(i64::from(quantity))),
                Cell::text(refusal_cite(regime, shortfall)),
            ]
        })
        .collect()
}

/// The section behind a refusal.
pub fn refusal_cite(regime: &Regime, shortfall: &Shortfall) -> String {
    let allocation = &shortfall.allocation;
    match shortfall.code {
        RefusalCode::AllocationExceeded => regime.base.first().map(|step| step.citation.cite.clone()).unwrap_or_default(),
        RefusalCode::IncreaseAboveMaximum => regime.increase_maximum_citation.cite.clone(),
        RefusalCode::WithholdingAboveHeadroom => "ledger: what is withheld stays within the headroom".into(),
        RefusalCode::CompanyLimitExceeded | RefusalCode::ShareExceeded => company_cite(regime, allocation),
    }
}

/// The section behind a company's limit.
fn company_cite(regime: &Regime, allocation: &Allocation) -> String {
    let Allocation::Company(account) = allocation else { return String::new() };
    let rule = regime.companies.as_ref().and_then(|companies| companies.rule(account.authorization));
    rule.map(|rule| rule.citation.cite.clone()).unwrap_or_default()
}

/// `country`, or a company's account.
fn allocation_code(allocation: &Allocation) -> Cell {
    match allocation {
        Allocation::Country(_) => Cell::code("country"),
        Allocation::Company(account) => Cell::Code(Cow::Owned(account.to_string())),
    }
}
