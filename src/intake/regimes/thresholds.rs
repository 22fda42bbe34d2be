//! `devices.toml`: the thresholds of ECCN 3A090 by which a device is classified.
//!
//! The result is indicative: the exporter classifies, and no figure of a ledger depends on it. Nothing is classified
//! here; the paragraphs stay in the order of the file, because the first that a device meets is its own.

use super::keys::Keys;
use crate::quota::codes::Eccn;
use crate::quota::device::{ThresholdParagraph, Thresholds};

/// Reads `devices.toml`.
pub(super) fn thresholds(root: &Keys) -> Option<Thresholds> {
    let paragraphs = root.tables("paragraph", paragraph);
    let not_datacenter = root.table("not_datacenter", |keys| {
        let (below, citation) = (keys.amount("tpp_below"), keys.citation());
        Some((below?, citation?.cite))
    });
    let (not_datacenter_below, not_datacenter_cite) = not_datacenter?;
    Some(Thresholds { paragraphs: paragraphs?, not_datacenter_below, not_datacenter_cite })
}

fn paragraph(keys: &Keys) -> Option<ThresholdParagraph> {
    let eccn = keys.text("eccn");
    if eccn.as_deref().is_some_and(|eccn| Eccn::new(eccn).is_none()) {
        keys.wrong("eccn", "is not an ECCN", "write it like 3A090.a.1");
    }
    let (tpp_from, tpp_below) = (keys.amount("tpp_from"), keys.optional_amount("tpp_below"));
    let (density_from, density_below) = (keys.optional_decimal("density_from"), keys.optional_decimal("density_below"));
    if tpp_below.is_some() && tpp_below <= tpp_from {
        keys.wrong("tpp_below", "is not above tpp_from", "no device can meet this paragraph");
    }
    if density_below.is_some() && density_below <= density_from {
        keys.wrong("density_below", "is not above density_from", "no device can meet this paragraph");
    }
    let citation = keys.citation();
    Some(ThresholdParagraph { eccn: eccn?, tpp_from: tpp_from?, tpp_below, density_from, density_below, cite: citation?.cite })
}
