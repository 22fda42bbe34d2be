//! `devices`: the catalogue: rates, TPP, density, indicative classification and why.

use super::Ending;
use super::args::DevicesArgs;
use super::context::Context;
use crate::error::{Error, Result};
use crate::intake::regimes::{self, RegimeText};
use crate::intake::{Catalogue, Device};
use crate::quota::device::{Classification, Thresholds, classify, performance_density, tpp_of_rates};
use crate::report::{Cell, Column, ColumnType, Schema, Table};

pub(super) fn devices(context: &Context, args: &DevicesArgs) -> Result<Ending> {
    let catalogue = Catalogue::builtin();
    let thresholds = regimes::thresholds(&RegimeText::builtin()).map_err(Error::Input)?;
    let Some(name) = &args.name else {
        context.print_table(&all(catalogue, &thresholds))?;
        return Ok(Ending::default());
    };
    let (device, count, system) = catalogue.unfold(name).ok_or_else(|| unknown(catalogue, name))?;
    let (what, why) = told(classified(device, &thresholds));
    let tpp = device.tpp();
    if context.is_table() {
        let mut text = String::new();
        let mut line = |what: &str, value: String| text.push_str(&format!("{what:24}{value}\n"));
        if let Some(system) = system {
            line("system", format!("{}: {count} x {}", system.name, device.name));
            line(
                "TPP of the system",
                crate::quota::tpp::Tpp::times(tpp, count).map_or("out of range".into(), |sum| sum.grouped()),
            );
        }
        line("device", format!("{} ({}, {})", device.name, device.vendor, device.form_factor));
        for rate in &device.rates {
            let product = rate.tpp().map_or("out of range".into(), |tpp| tpp.grouped());
            line("dense peak rate", format!("{} {} TOPS x {} bit = {product} TPP", rate.format, rate.tops, rate.bits));
        }
        if let Some((_, rate)) = tpp_of_rates(&device.rates) {
            line("TPP", format!("{} (the highest, by {})  [Technical Notes to 3A090.a and .b]", tpp.grouped(), rate.format));
        }
        let area = device.die_area_mm2.map_or("unknown".into(), |area| format!("{area} mm2"));
        line("die area", area);
        let density = device.die_area_mm2.and_then(|area| performance_density(tpp, area));
        line("performance density", density.map_or("undetermined".into(), |density| density.to_string()));
        line("memory bandwidth", device.memory_bandwidth_gb_s.map_or("unknown".into(), |rate| format!("{rate} GB/s")));
        line("for data centers", if device.datacenter { "yes" } else { "no" }.into());
        line("indicative ECCN", what);
        line("because", why);
        line("confidence", device.confidence.clone());
        line("source", device.source.clone());
        line("notes", device.notes.clone());
        line("also written", device.aliases.join("; "));
        context.print_bytes(text.as_bytes())?;
    } else {
        let mut table = all(catalogue, &thresholds);
        table.rows.retain(|row| row[0] == Cell::text(device.name.clone()));
        context.print_table(&table)?;
    }
    Ok(Ending::default())
}

fn unknown(catalogue: &Catalogue, name: &str) -> Error {
    let hint =
        catalogue.suggest(name).map_or("`tppledger devices` lists them".to_string(), |other| format!("did you mean {other}?"));
    Error::usage(format!("{name:?} is not in the device catalogue"), hint)
}

fn classified(device: &Device, thresholds: &Thresholds) -> Classification {
    classify(thresholds, device.tpp(), device.die_area_mm2, device.datacenter)
}

fn told(classification: Classification) -> (String, String) {
    match classification {
        Classification::Paragraphs(paragraphs, why) => (paragraphs.join(" and "), why),
        Classification::None(why) => ("none".into(), why),
        Classification::Undetermined(needs) => ("undetermined".into(), needs),
    }
}

fn all(catalogue: &Catalogue, thresholds: &Thresholds) -> Table {
    let column = |name, kind, unit, meaning| Column { name, kind, unit, meaning };
    let mut table = Table::new(Schema {
        name: "devices",
        title: "Device catalogue",
        key: &["device"],
        columns: vec![
            column("device", ColumnType::Text, "", "Name in the catalogue."),
            column("vendor", ColumnType::Text, "", "Who makes it."),
            column("tpp", ColumnType::Amount, "TPP", "TPP of one, computed from its dense peak rates."),
            column("performance_density", ColumnType::Text, "TPP/mm2", "TPP divided by the applicable die area."),
            column("memory_bandwidth_gb_s", ColumnType::Text, "GB/s", "Memory bandwidth, where known."),
            column("datacenter", ColumnType::Code, "", "Whether it is designed or marketed for data centers."),
            column("eccn_indicative", ColumnType::Text, "", "Paragraph by its parameters; the exporter classifies."),
            column("because", ColumnType::Text, "", "Why."),
        ],
    });
    for device in catalogue.devices() {
        let (what, why) = told(classified(device, thresholds));
        let density = device.die_area_mm2.and_then(|area| performance_density(device.tpp(), area));
        table.push(vec![
            Cell::text(device.name.clone()),
            Cell::text(device.vendor.clone()),
            Cell::Amount(device.tpp()),
            Cell::text(density.map(|density| density.to_string()).unwrap_or_default()),
            Cell::text(device.memory_bandwidth_gb_s.map(|rate| rate.to_string()).unwrap_or_default()),
            Cell::yes_no(device.datacenter),
            Cell::text(what),
            Cell::text(why),
        ]);
    }
    table
}
