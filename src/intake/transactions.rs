//! Transactions to be screened: a row each, as far as it is known.
//!
//! A blank says "not known", which is not "no". A device of the catalogue stands for its TPP, density, bandwidth and market
//! where the row does not give them; its classification is the regime's to say, and settled by [`WrittenTransaction::settle`].
//! Invariant: what a row gives is taken as it stands, whatever the catalogue says.

use super::catalogue::{Catalogue, Device};
use super::cells::Cells;
use super::items::{Form, ItemReader};
use super::regimes::screening::number;
use super::table::Column;
use crate::quota::codes::{Country, Eccn};
use crate::quota::device::{Classification, Thresholds, classify, performance_density};
use crate::quota::tpp::Tpp;
use crate::screen::Transaction;
use crate::screen::transaction::{EndUse, EndUser, Fact, ItemKind, TransactionActivity, TransactionColumn, Veu, Weights};
use chrono::NaiveDate;
use rust_decimal::Decimal;

impl Column for TransactionColumn {
    const ALL: &'static [TransactionColumn] = TransactionColumn::ALL;

    fn name(self) -> &'static str {
        self.as_str()
    }

    fn is_required(self) -> bool {
        self == TransactionColumn::Destination
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// Reads transactions, one a row.
pub type TransactionReader = ItemReader<TransactionForm>;

/// A transaction as written: its day may be left to the clock, its classification to the catalogue.
#[derive(Clone, PartialEq, Debug)]
pub struct WrittenTransaction {
    transaction: Transaction,
    on: Option<NaiveDate>,
    device: Option<&'static Device>,
}

impl WrittenTransaction {
    /// As of today where no day is given, and classified by its device where no ECCN is given.
    pub fn settle(self, today: NaiveDate, thresholds: &Thresholds) -> Transaction {
        let mut transaction = self.transaction;
        transaction.on = self.on.unwrap_or(today);
        if let (None, Some(device)) = (transaction.eccn, self.device) {
            let class = classify(thresholds, device.tpp(), device.die_area_mm2, device.datacenter);
            // One that meets no paragraph of 3A090 may be in others that are not held here: it stays unclassified.
            if let Classification::Paragraphs(paragraphs, _) = class {
                transaction.eccn = paragraphs.first().and_then(|paragraph| Eccn::new(paragraph));
            }
        }
        transaction
    }
}

/// The transaction that was read.
#[derive(Default)]
pub struct TransactionForm(Option<WrittenTransaction>);

impl Form for TransactionForm {
    type Column = TransactionColumn;
    type Value = WrittenTransaction;
    const ID: TransactionColumn = TransactionColumn::TransactionId;

    fn continues(&self, _: &str, _: &Cells<TransactionColumn>) -> bool {
        false
    }

    fn add(&mut self, cells: &mut Cells<TransactionColumn>) {
        use TransactionColumn as C;
        let on = cells.day(C::On);
        let named = cells.required(C::Destination, "name the country of ultimate destination");
        let destination = if named { cells.country(C::Destination) } else { None };
        let device = device(cells);
        // All that is wrong with a row is told: the rest of it is read without a destination too.
        let anywhere = || Country::new("ZZ").expect("two letters");
        let mut transaction = Transaction::new(destination.unwrap_or_else(anywhere), NaiveDate::MIN);
        let it = &mut transaction;
        it.id = cells.text(C::TransactionId).to_string();
        it.item_kind = cells.word(C::ItemKind, ItemKind::ALL, ItemKind::as_str).unwrap_or(ItemKind::Commodity);
        it.activity = cells.word(C::Activity, TransactionActivity::ALL, TransactionActivity::as_str).unwrap_or(it.activity);
        it.end_user = cells.word(C::EndUser, EndUser::ALL, EndUser::as_str);
        it.end_use = cells.word(C::EndUse, EndUse::ALL, EndUse::as_str);
        it.veu = cells.word(C::Veu, Veu::ALL, Veu::as_str);
        it.weights = cells.word(C::Weights, Weights::ALL, Weights::as_str);
        it.made_in = cells.country(C::MadeIn);
        it.consignee = cells.party(C::Consignee);
        it.operator = cells.party(C::Operator);
        it.consignee_headquarters = cells.country(C::ConsigneeHeadquarters);
        it.parent_headquarters = cells.country(C::ParentHeadquarters);
        it.owner_headquarters = cells.country(C::OwnerHeadquarters);
        it.operator_headquarters = cells.country(C::OperatorHeadquarters);
        it.quantity = cells.whole(C::Quantity, 1, i32::MAX as u32);
        it.tpp_per_unit = cells.amount(C::TppPerUnit);
        it.performance_density = decimal(cells, C::PerformanceDensity);
        it.memory_bandwidth_gb_s = decimal(cells, C::MemoryBandwidth);
        it.training_operations = decimal(cells, C::TrainingOperations);
        it.derived_operations = decimal(cells, C::DerivedOperations);
        it.approved_share = decimal(cells, C::ApprovedShare);
        it.lpp_received_tpp = received(cells, C::LppReceivedTpp);
        it.aia_received_tpp = received(cells, C::AiaReceivedTpp);
        it.eccn = eccn(cells);
        if it.activity == TransactionActivity::DeemedExport && it.item_kind == ItemKind::Commodity {
            let hint = "a thing is exported; software, technology and model weights are released: give item_kind";
            cells.wrong(C::Activity, "is of what can be released to a person, and the item is a commodity", hint);
        }
        for fact in Fact::ALL {
            it.facts[*fact as usize] = yes_no(cells, fact.column());
        }
        if let Some(device) = device {
            fill(it, device);
        }
        if it.tpp_per_unit.is_some() && it.quantity.is_some() && it.shipment_tpp().is_none() {
            cells.wrong(C::Quantity, "times the TPP of a unit is out of range", "check the quantity and the TPP");
        }
        self.0 = destination.map(|_| WrittenTransaction { transaction, on, device });
    }

    fn finish(&mut self, _: &mut Cells<TransactionColumn>) -> Option<WrittenTransaction> {
        self.0.take()
    }
}

/// What the catalogue knows of a device, where the row does not say it.
fn fill(transaction: &mut Transaction, device: &'static Device) {
    let tpp = device.tpp();
    transaction.device = Some(device.name.clone());
    transaction.performance_density = transaction.performance_density.or_else(|| performance_density(tpp, device.die_area_mm2?));
    transaction.tpp_per_unit = transaction.tpp_per_unit.or(Some(tpp));
    transaction.memory_bandwidth_gb_s = transaction.memory_bandwidth_gb_s.or(device.memory_bandwidth_gb_s);
    let datacenter = &mut transaction.facts[Fact::Datacenter as usize];
    *datacenter = datacenter.or(Some(device.datacenter));
}

fn device(cells: &mut Cells<TransactionColumn>) -> Option<&'static Device> {
    let name = cells.text(TransactionColumn::Device);
    if name.is_empty() {
        return None;
    }
    let catalogue = Catalogue::builtin();
    let found = catalogue.device(name);
    if found.is_none() {
        let hint = || match (catalogue.system(name), catalogue.suggest(name)) {
            (Some(system), _) => format!("it holds {} of {}: screen those", system.count, system.device),
            (None, Some(other)) => format!("did you mean {other}?"),
            (None, None) => "`tppledger devices` lists them; or give eccn and tpp_per_unit".to_string(),
        };
        cells.wrong_name(TransactionColumn::Device, "is no device of the catalogue", hint);
    }
    found
}

fn eccn(cells: &mut Cells<TransactionColumn>) -> Option<Eccn> {
    let text = cells.raw(TransactionColumn::Eccn);
    if text.is_empty() {
        return None;
    }
    let found = Eccn::new(text);
    if found.is_none() {
        cells.wrong(TransactionColumn::Eccn, "is not an ECCN", "write it as 3A090.a, 5A992.z.1 or EAR99");
    }
    found
}

fn decimal(cells: &mut Cells<TransactionColumn>, column: TransactionColumn) -> Option<Decimal> {
    let text = cells.raw(column);
    if text.is_empty() {
        return None;
    }
    let found = number(text);
    if found.is_none() {
        cells.wrong(column, "is not a number of zero or more", "write it as 3350, 5.92 or 1e26, with at most 28 digits");
    }
    found
}

/// An amount that may be zero: nothing was received.
fn received(cells: &mut Cells<TransactionColumn>, column: TransactionColumn) -> Option<Tpp> {
    if Tpp::parse(cells.raw(column)) == Ok(Tpp::ZERO) { Some(Tpp::ZERO) } else { cells.amount(column) }
}

fn yes_no(cells: &mut Cells<TransactionColumn>, column: TransactionColumn) -> Option<bool> {
    match cells.raw(column) {
        "" => None,
        "yes" | "true" => Some(true),
        "no" | "false" => Some(false),
        _ => {
            cells.wrong(column, "is neither yes nor no", "leave the cell blank where it is not known");
            None
        }
    }
}
