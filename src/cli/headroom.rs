//! `headroom`: how much is left, on a day, through a record.

use super::Ending;
use super::args::HeadroomArgs;
use super::context::{Context, country, status_line};
use crate::desk::figures;
use crate::desk::pack::{headroom_rows, through_note};
use crate::desk::tables::{self, HeadroomRow};
use crate::error::{Error, Result};
use crate::intake::Catalogue;
use crate::quota::codes::Country;
use crate::quota::regime::Regime;
use crate::quota::tpp::Tpp;
use crate::report::Table;
use crate::store::Store;

pub(super) fn headroom(context: &Context, args: &HeadroomArgs) -> Result<Ending> {
    let as_of = context.as_of(args.as_of.as_deref())?;
    let unit = args.device.as_deref().map(unit_tpp).transpose()?;
    let ledger = context.readable()?;
    let read = ledger.store.read()?;
    let through = through_note(&read, args.through)?;
    let (regime, _) = ledger.regime_at(through.seq)?;
    let asked = args.destinations.iter().map(|text| destination(&regime, text)).collect::<Result<Vec<Country>>>()?;
    let all = args.all || !asked.is_empty();
    let mut rows = if args.floor {
        headroom_rows(&read, &regime, as_of, through.seq, all)?
    } else {
        let rows = figures::headroom(&read, &regime, as_of, through.seq, all)?;
        rows.into_iter().map(|headroom| HeadroomRow { headroom, floor: None }).collect()
    };
    if !asked.is_empty() {
        rows.retain(|row| asked.contains(&row.headroom.destination));
    }
    let table = if context.is_table() {
        for_people(&regime, &rows, args.floor, unit)
    } else {
        tables::headroom(&regime, &rows, args.floor, unit)
    };
    context.print_table(&table)?;
    if context.is_table() {
        context.say(format!("as of {as_of}, through record {}", through.seq));
        context.say(status_line(&regime, as_of));
    }
    Ok(Ending::default())
}

/// The destination in which a named country is counted.
fn destination(regime: &Regime, text: &str) -> Result<Country> {
    let named = country(text)?;
    let counted = regime.counted_in(named);
    if counted == regime.groups.home {
        return Err(Error::usage(
            format!("{named} is counted in {counted}, the exporting country"),
            "name a country of destination",
        ));
    }
    Ok(counted)
}

fn unit_tpp(name: &str) -> Result<Tpp> {
    let catalogue = Catalogue::builtin();
    catalogue.unit(name).map(|unit| unit.tpp).ok_or_else(|| {
        let hint = catalogue
            .suggest(name)
            .map_or("`tppledger devices` lists them".to_string(), |other| format!("did you mean {other}?"));
        Error::usage(format!("{name:?} is not in the device catalogue"), hint)
    })
}

/// The columns that fit a terminal.
pub(super) fn for_people(regime: &Regime, rows: &[HeadroomRow], floor: bool, unit: Option<Tpp>) -> Table {
    let mut names = vec![
        "destination",
        "destination_name",
        "limit_tpp",
        "withheld_tpp",
        "licensed_tpp",
        "pending_tpp",
        "headroom_tpp",
        "utilization_pct",
        "status",
    ];
    if floor {
        names.extend(["headroom_floor_tpp", "floor_on"]);
    }
    if unit.is_some() {
        names.push("headroom_units");
    }
    tables::headroom(regime, rows, floor, unit).select(&names)
}

/// Destinations in which something happened.
pub(super) fn with_something_to_tell(rows: &[HeadroomRow]) -> Vec<HeadroomRow> {
    let quiet = |row: &HeadroomRow| {
        let headroom = &row.headroom;
        let nothing = |tpp: Option<Tpp>| tpp.unwrap_or_default() == Tpp::ZERO;
        headroom.licensed == Tpp::ZERO
            && headroom.pending == Tpp::ZERO
            && nothing(headroom.increase)
            && nothing(headroom.withheld)
    };
    rows.iter().filter(|row| !quiet(row)).cloned().collect()
}
