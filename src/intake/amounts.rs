//! How much a line is: its quantity, its device or declared TPP, and the TPP that follows from them.
//!
//! Applications and shipments say it in the same four columns, and it is read here, once. What counts where the declared
//! amounts disagree is [`line_tpp`]'s to say.

use super::catalogue::{Catalogue, Unit};
use super::cells::{Cells, QUANTITY_MAX};
use super::table::Column;
use crate::quota::application::{LineTpp, LineTppError, line_tpp};
use crate::quota::tpp::Tpp;
use std::collections::HashMap;

/// Spellings of devices that are kept with their meaning.
const SPELLINGS_MAX: usize = 1000;

/// Where a document says how much a line is.
pub(super) struct AmountColumns<C> {
    pub device: C,
    pub tpp_per_unit: C,
    pub tpp_aggregated: C,
    pub quantity: C,
}

/// How much a line is.
pub(super) struct Amounts {
    pub quantity: u32,
    /// What its device is in the catalogue.
    pub unit: Option<&'static Unit>,
    /// Declared TPP of a unit.
    pub per_unit: Option<Tpp>,
    /// Declared TPP of the line.
    pub aggregate: Option<Tpp>,
    pub tpp: LineTpp,
}

/// Reads amounts, and keeps what each spelling of a device means: a file has few spellings and many rows.
#[derive(Default)]
pub(super) struct AmountReader {
    units: HashMap<String, Option<&'static Unit>>,
}

impl AmountReader {
    /// The amounts of a row; `None` where they cannot be told, with a problem for each reason.
    pub fn read<C: Column>(&mut self, cells: &mut Cells<C>, at: &AmountColumns<C>) -> Option<Amounts> {
        let quantity = if cells.required(at.quantity, "write the number of units") {
            cells.whole(at.quantity, 1, QUANTITY_MAX)
        } else {
            None
        };
        let unit = self.device(cells, at.device);
        let per_unit = cells.amount(at.tpp_per_unit);
        let aggregate = cells.amount(at.tpp_aggregated);
        let blank = |column| cells.raw(column).is_empty();
        if [at.device, at.tpp_per_unit, at.tpp_aggregated].into_iter().all(blank) {
            cells.wrong(
                at.device,
                "is blank, and so are tpp_per_unit and tpp_aggregated",
                "give one of the three, so that the line's TPP is known",
            );
        }
        let quantity = quantity?;
        match line_tpp(per_unit, aggregate, unit.map(|unit| unit.tpp), quantity) {
            Ok(tpp) => Some(Amounts { quantity, unit, per_unit, aggregate, tpp }),
            Err(LineTppError::Missing) => None,
            Err(LineTppError::OutOfRange) => {
                let one = per_unit.or(unit.map(|unit| unit.tpp)).unwrap_or_default();
                let what = format!("times {} TPP is out of range; a line carries less than 1,000,000,000,000 TPP", one.grouped());
                cells.wrong(at.quantity, what, "check the quantity and the TPP of a unit");
                None
            }
        }
    }

    /// What the cell names in the catalogue; blank is nothing.
    fn device<C: Column>(&mut self, cells: &mut Cells<C>, column: C) -> Option<&'static Unit> {
        let name = cells.text(column);
        if name.is_empty() {
            return None;
        }
        let unit = self.unit(name);
        if unit.is_none() {
            let hint = || match Catalogue::builtin().suggest(name) {
                Some(names) => format!("did you mean {names}?"),
                None => "see `tppledger devices`, or leave it blank and give tpp_per_unit or tpp_aggregated".to_string(),
            };
            cells.wrong_name(column, "is not in the device catalogue", hint);
        }
        unit
    }

    fn unit(&mut self, name: &str) -> Option<&'static Unit> {
        if let Some(known) = self.units.get(name) {
            return *known;
        }
        let unit = Catalogue::builtin().unit(name);
        if self.units.len() < SPELLINGS_MAX {
            self.units.insert(name.to_string(), unit);
        }
        unit
    }
}
