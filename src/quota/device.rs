//! Devices: TPP and performance density, computed from peak rates by the rule's definition.
//!
//! ECCN 3A090, Technical Notes to 3A090.a and .b: TPP is 2 x MacTOPS x bit length; 2 x MacTOPS may be the dense TOPS
//! or FLOPS of a datasheet; with several bit lengths the highest TPP counts. Performance density is TPP divided by
//! the applicable die area. The thresholds are the regime's (`devices.toml`).

use super::tpp::Tpp;
use rust_decimal::{Decimal, RoundingStrategy};

/// A dense peak rate of a device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeakRate {
    /// Number format, e.g. `fp8`.
    pub format: String,
    /// Bit length of the inputs to the multiply.
    pub bits: u32,
    /// Dense tera operations per second (2 x MacTOPS).
    pub tops: Decimal,
}

impl PeakRate {
    /// TPP of this rate: rate x bit length, exact.
    pub fn tpp(&self) -> Option<Tpp> {
        Tpp::from_decimal(self.tops.checked_mul(Decimal::from(self.bits))?).ok()
    }
}

/// The highest TPP over the rates, and the rate that gives it; `None` without a rate.
pub fn tpp_of_rates(rates: &[PeakRate]) -> Option<(Tpp, &PeakRate)> {
    let mut best: Option<(Tpp, &PeakRate)> = None;
    for rate in rates {
        let tpp = rate.tpp()?;
        if best.is_none_or(|(highest, _)| tpp > highest) {
            best = Some((tpp, rate));
        }
    }
    best
}

/// TPP divided by die area in square millimeters, two decimals for display; the comparison with thresholds is exact.
pub fn performance_density(tpp: Tpp, die_area_mm2: Decimal) -> Option<Decimal> {
    Some(tpp.to_decimal().checked_div(die_area_mm2)?.round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven))
}

/// Thresholds of 3A090, as data of the regime.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Thresholds {
    /// Paragraphs in order; the first that a device meets is its own.
    pub paragraphs: Vec<ThresholdParagraph>,
    /// Below this TPP an item not designed or marketed for data centers is not caught (Note 1 to 3A090).
    pub not_datacenter_below: Tpp,
    /// Section of that note.
    pub not_datacenter_cite: String,
}

/// One paragraph's thresholds: `at least` and `below`, each where the text has one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ThresholdParagraph {
    /// E.g. `3A090.a.1`.
    pub eccn: String,
    /// TPP at least.
    pub tpp_from: Tpp,
    /// TPP below.
    pub tpp_below: Option<Tpp>,
    /// Density at least.
    pub density_from: Option<Decimal>,
    /// Density below.
    pub density_below: Option<Decimal>,
    /// Section.
    pub cite: String,
}

/// What a device is by its parameters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Classification {
    /// Meets these paragraphs, the first being the strictest.
    Paragraphs(Vec<String>, String),
    /// Meets none; the reason.
    None(String),
    /// Cannot be told; what is needed.
    Undetermined(String),
}

/// Classifies by TPP, density and market. Indicative: the exporter classifies.
pub fn classify(thresholds: &Thresholds, tpp: Tpp, die_area_mm2: Option<Decimal>, datacenter: bool) -> Classification {
    if !datacenter && tpp < thresholds.not_datacenter_below {
        return Classification::None(format!(
            "not designed or marketed for data centers, and TPP {tpp} is below {}: {}",
            thresholds.not_datacenter_below, thresholds.not_datacenter_cite
        ));
    }
    let (mut met, mut unknown, mut why) = (Vec::new(), Vec::new(), String::new());
    for paragraph in &thresholds.paragraphs {
        if tpp < paragraph.tpp_from || paragraph.tpp_below.is_some_and(|below| tpp >= below) {
            continue;
        }
        if paragraph.density_from.is_none() && paragraph.density_below.is_none() {
            met.push(paragraph.eccn.clone());
            why = format!("TPP {tpp} is at least {}: {}", paragraph.tpp_from, paragraph.cite);
            break;
        }
        let Some(area) = die_area_mm2 else {
            unknown.push(paragraph.eccn.clone());
            continue;
        };
        // Compared as TPP against density x area, so that no division rounds.
        let enough = paragraph.density_from.is_none_or(|from| tpp.to_decimal() >= from * area);
        let within = paragraph.density_below.is_none_or(|below| tpp.to_decimal() < below * area);
        if enough && within {
            let density = performance_density(tpp, area).unwrap_or_default();
            if met.is_empty() {
                why = format!("TPP {tpp} and performance density {density}: {}", paragraph.cite);
            }
            met.push(paragraph.eccn.clone());
        }
    }
    if !met.is_empty() {
        Classification::Paragraphs(met, why)
    } else if !unknown.is_empty() {
        Classification::Undetermined(format!("needs the applicable die area: {} may be met", unknown.join(", ")))
    } else {
        Classification::None(format!("TPP {tpp} and performance density meet no paragraph"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(format: &str, bits: u32, tops: &str) -> PeakRate {
        PeakRate { format: format.to_string(), bits, tops: tops.parse().unwrap() }
    }

    #[test]
    fn tpp_is_rate_times_bit_length() {
        // The example of the Technical Notes: 600 TOPS of 8 bits and 300 TFLOPS of 16 bits are both 4800.
        assert_eq!(rate("int8", 8, "600").tpp().unwrap().to_string(), "4800");
        assert_eq!(rate("fp16", 16, "300").tpp().unwrap().to_string(), "4800");
        assert_eq!(rate("fp16", 16, "989.4375").tpp().unwrap().to_string(), "15831");
    }

    #[test]
    fn of_several_bit_lengths_the_highest_product_counts() {
        let rates = [rate("fp64", 64, "67"), rate("tf32", 32, "494.7"), rate("fp8", 8, "1979"), rate("fp16", 16, "989.4")];
        let (tpp, best) = tpp_of_rates(&rates).unwrap();
        assert_eq!((tpp.to_string().as_str(), best.format.as_str()), ("15832", "fp8"));
        assert!(tpp_of_rates(&[]).is_none());
    }

    #[test]
    fn density_is_tpp_by_die_area() {
        let density = |tpp: &str, area: i64| performance_density(Tpp::parse(tpp).unwrap(), area.into()).map(|d| d.to_string());
        assert_eq!(density("15832", 814).as_deref(), Some("19.45"));
        assert_eq!(density("4800", 750).as_deref(), Some("6.40"));
        assert_eq!(density("4800", 0), None);
    }
}
