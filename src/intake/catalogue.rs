//! The catalogue of devices and systems, and the names by which people mean them.
//!
//! Data (`data/devices.csv`, `data/systems.csv`), read when first asked. No TPP stands in it: a device's TPP is
//! computed from its peak rates ([`tpp_of_rates`]), a system counts its circuits. Invariant: a name means one device
//! or system, or none; a line already recorded keeps its TPP whatever changes here.

use super::place::did_you_mean;
use crate::quota::device::{PeakRate, tpp_of_rates};
use crate::quota::tpp::Tpp;
use rust_decimal::Decimal;
use std::collections::HashMap;
use std::sync::LazyLock;

static BUILTIN: LazyLock<Catalogue> =
    LazyLock::new(|| Catalogue::parse(include_str!("../../data/devices.csv"), include_str!("../../data/systems.csv")));

/// An integrated circuit, or a package counted as one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// Name in reports.
    pub name: String,
    /// Who sells it.
    pub vendor: String,
    /// As the vendor says.
    pub form_factor: String,
    /// Month `YYYY-MM`, or the year.
    pub released: String,
    /// Process node, as written.
    pub process_nm: String,
    /// Applicable die area in square millimeters, where known.
    pub die_area_mm2: Option<Decimal>,
    /// Peak dense rates.
    pub rates: Vec<PeakRate>,
    /// DRAM bandwidth in GB/s, where known.
    pub memory_bandwidth_gb_s: Option<Decimal>,
    /// Designed or marketed for data centers.
    pub datacenter: bool,
    /// Of U.S. origin; the others are kept for comparison.
    pub us_origin: bool,
    /// Other names.
    pub aliases: Vec<String>,
    /// How sure the figures are: `high` or `medium`.
    pub confidence: String,
    /// Where they come from.
    pub source: String,
    /// Remarks.
    pub notes: String,
}

impl Device {
    /// TPP of one device: the highest over its rates.
    pub fn tpp(&self) -> Tpp {
        tpp_of_rates(&self.rates).expect("every device of the catalogue has a rate in range; a test computes all").0
    }
}

/// A product that holds several devices.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct System {
    /// Name in reports.
    pub name: String,
    /// Name of the device that it holds.
    pub device: String,
    /// How many.
    pub count: u32,
    /// Other names.
    pub aliases: Vec<String>,
    /// Where the count comes from.
    pub source: String,
}

/// What one unit of a device or system is to a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unit {
    /// Its name in the catalogue.
    pub name: String,
    /// TPP of one unit.
    pub tpp: Tpp,
    /// Integrated circuits in one unit.
    pub ics: u32,
}

/// All devices and systems, by name.
pub struct Catalogue {
    devices: Vec<Device>,
    systems: Vec<System>,
    /// Vendors' names as words, the longest first.
    vendors: Vec<Vec<String>>,
    units: HashMap<String, Unit>,
}

impl Catalogue {
    /// The catalogue that the program carries.
    pub fn builtin() -> &'static Catalogue {
        &BUILTIN
    }

    fn parse(devices: &str, systems: &str) -> Catalogue {
        let devices: Vec<Device> = records(devices).map(|record| device(&record)).collect();
        let systems: Vec<System> = records(systems).map(|record| system(&record)).collect();
        let mut vendors: Vec<Vec<String>> = devices.iter().map(|device| words(&device.vendor)).collect();
        vendors.sort();
        vendors.dedup();
        vendors.sort_by_key(|words| std::cmp::Reverse(words.len()));
        let mut catalogue = Catalogue { devices, systems, vendors, units: HashMap::new() };
        for device in &catalogue.devices {
            let unit = Unit { name: device.name.clone(), tpp: device.tpp(), ics: 1 };
            for name in std::iter::once(&device.name).chain(&device.aliases) {
                catalogue.units.insert(key(name, &catalogue.vendors), unit.clone());
            }
        }
        for system in &catalogue.systems {
            let device = catalogue.devices.iter().find(|device| device.name == system.device);
            let tpp = device
                .and_then(|device| device.tpp().times(system.count))
                .expect("data/systems.csv names devices of the catalogue; a test reads it");
            let unit = Unit { name: system.name.clone(), tpp, ics: system.count };
            for name in std::iter::once(&system.name).chain(&system.aliases) {
                catalogue.units.insert(key(name, &catalogue.vendors), unit.clone());
            }
        }
        catalogue
    }

    /// All devices, in the order of the data.
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// All systems, in the order of the data.
    pub fn systems(&self) -> &[System] {
        &self.systems
    }

    /// The device or system that a name means: compared by letters and digits, without a vendor's name before it.
    pub fn unit(&self, name: &str) -> Option<&Unit> {
        self.units.get(&key(name, &self.vendors))
    }

    /// The device that a name means, where it means a device.
    pub fn device(&self, name: &str) -> Option<&Device> {
        self.unit(name).and_then(|unit| self.devices.iter().find(|device| device.name == unit.name))
    }

    /// The system that a name means, where it means a system.
    pub fn system(&self, name: &str) -> Option<&System> {
        self.unit(name).and_then(|unit| self.systems.iter().find(|system| system.name == unit.name))
    }

    /// A name taken apart: the device, how many of it one unit holds, and the system, where the name means one.
    pub fn unfold(&self, name: &str) -> Option<(&Device, u32, Option<&System>)> {
        match self.system(name) {
            Some(system) => Some((self.device(&system.device)?, system.count, Some(system))),
            None => Some((self.device(name)?, 1, None)),
        }
    }

    /// The names that may be meant by one that means nothing here, joined by `or`.
    pub fn suggest(&self, name: &str) -> Option<String> {
        let wanted = key(name, &self.vendors);
        if wanted.len() < 2 || wanted.len() > 100 {
            return None;
        }
        let mut beginning: Vec<&str> =
            self.units.iter().filter(|(key, _)| key.starts_with(&wanted)).map(|(_, unit)| unit.name.as_str()).collect();
        beginning.sort_unstable();
        beginning.dedup();
        if (1..=6).contains(&beginning.len()) {
            return Some(beginning.join(" or "));
        }
        // Sorted, so that the answer does not depend on the order of a hash map.
        let mut keys: Vec<&str> = self.units.keys().map(String::as_str).collect();
        keys.sort_unstable();
        let alike = |key: &str| key.replace('o', "0").replace(['i', 'l'], "1");
        if let Some(unit) = keys.iter().find(|key| alike(key) == alike(&wanted)).and_then(|key| self.units.get(*key)) {
            return Some(unit.name.clone());
        }
        did_you_mean(&wanted, keys).and_then(|key| self.units.get(&key)).map(|unit| unit.name.clone())
    }
}

fn records(text: &str) -> impl Iterator<Item = csv::StringRecord> {
    csv::Reader::from_reader(text.as_bytes())
        .into_records()
        .map(|record| record.expect("the catalogue is well-formed; a test reads it"))
}

fn list(text: &str) -> Vec<String> {
    text.split(';').map(str::trim).filter(|part| !part.is_empty()).map(str::to_string).collect()
}

fn decimal(text: &str) -> Option<Decimal> {
    (!text.is_empty()).then(|| Decimal::from_str_exact(text).expect("the catalogue has plain decimals; a test reads it"))
}

fn device(record: &csv::StringRecord) -> Device {
    let text = |position: usize| record[position].to_string();
    let rate = |rate: String| {
        let (format, rest) = rate.split_once('/').expect("a rate is written `format/bits=rate`; a test reads all");
        let (bits, tops) = rest.split_once('=').expect("a rate is written `format/bits=rate`; a test reads all");
        let bits = bits.parse().expect("bits are a whole number; a test reads all");
        PeakRate { format: format.to_string(), bits, tops: decimal(tops).expect("a rate has a number; a test reads all") }
    };
    Device {
        name: text(0),
        vendor: text(1),
        form_factor: text(2),
        released: text(3),
        process_nm: text(4),
        die_area_mm2: decimal(&record[5]),
        rates: list(&record[6]).into_iter().map(rate).collect(),
        memory_bandwidth_gb_s: decimal(&record[7]),
        datacenter: &record[8] == "yes",
        us_origin: &record[9] == "US",
        aliases: list(&record[10]),
        confidence: text(11),
        source: text(12),
        notes: text(13),
    }
}

fn system(record: &csv::StringRecord) -> System {
    let count = record[2].parse().expect("a system has a count; a test reads all");
    System {
        name: record[0].to_string(),
        device: record[1].to_string(),
        count,
        aliases: list(&record[3]),
        source: record[4].to_string(),
    }
}

fn words(name: &str) -> Vec<String> {
    name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// What two spellings of a name have in common: letters and digits, small, without the vendor's name before them.
fn key(name: &str, vendors: &[Vec<String>]) -> String {
    let words = words(name);
    let vendor = vendors.iter().find(|vendor| words.starts_with(vendor) && words.len() > vendor.len());
    words[vendor.map_or(0, Vec::len)..].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(name: &str) -> (String, String, u32) {
        let unit = Catalogue::builtin().unit(name).unwrap_or_else(|| panic!("{name}"));
        (unit.name.clone(), unit.tpp.to_string(), unit.ics)
    }

    #[test]
    fn a_name_means_one_device_or_system() {
        let catalogue = Catalogue::builtin();
        let mut owner: HashMap<String, &str> = HashMap::new();
        let devices = catalogue.devices.iter().map(|device| (&device.name, &device.aliases));
        let systems = catalogue.systems.iter().map(|system| (&system.name, &system.aliases));
        for (name, aliases) in devices.chain(systems) {
            for written in std::iter::once(name).chain(aliases) {
                let before = owner.insert(key(written, &catalogue.vendors), name);
                assert!(before.is_none_or(|before| before == name), "{written} means {before:?} and {name}");
            }
        }
    }

    #[test]
    fn every_row_says_what_the_rules_ask() {
        for device in Catalogue::builtin().devices() {
            assert!(device.tpp() > Tpp::ZERO && !device.source.is_empty(), "{}", device.name);
            assert!(matches!(device.confidence.as_str(), "high" | "medium"), "{}", device.name);
        }
        assert!(Catalogue::builtin().systems().iter().all(|system| system.count > 0 && !system.source.is_empty()));
    }

    #[test]
    fn a_device_is_found_by_the_names_people_write() {
        for name in ["H100 SXM5 80GB", "h100", "NVIDIA H100-SXM5", "nvidia_h100_sxm5_80gb", "Tesla H100"] {
            assert_eq!(unit(name), ("H100 SXM5 80GB".to_string(), "15832".to_string(), 1), "{name}");
        }
        assert_eq!(unit("amd MI300"), unit("Instinct MI300X"));
        assert_eq!(unit("MetaX C500 OAM").0, "MXC500 OAM");
        assert!(Catalogue::builtin().unit("H1000").is_none());
        assert!(Catalogue::builtin().unit("NVIDIA").is_none() && Catalogue::builtin().unit("").is_none());
    }

    #[test]
    fn a_device_counts_all_its_units_at_the_dense_rate() {
        // Two dies are one circuit, and the rate with sparsity, 3958 TOPS of the H100, is not the one that counts.
        assert_eq!(unit("B200"), ("B200".to_string(), "36000".to_string(), 1));
        assert_eq!(unit("H100 SXM5 80GB").1, "15832");
    }

    #[test]
    fn a_system_counts_its_circuits() {
        assert_eq!(unit("DGX H100"), ("DGX H100".to_string(), "126656".to_string(), 8));
        let catalogue = Catalogue::builtin();
        assert_eq!(catalogue.system("NVIDIA DGX-H100").map(|system| system.device.as_str()), Some("H100 SXM5 80GB"));
        let unfolded = |name: &str| catalogue.unfold(name).map(|(device, count, _)| (device.name.as_str(), count));
        assert_eq!((unfolded("DGX H100"), unfolded("H100")), (Some(("H100 SXM5 80GB", 8)), Some(("H100 SXM5 80GB", 1))));
        assert_eq!(unfolded("abacus"), None);
        assert!(catalogue.device("DGX H100").is_none() && catalogue.device("H100").is_some());
    }

    #[test]
    fn a_name_that_means_nothing_gets_a_suggestion() {
        let suggest = |name: &str| Catalogue::builtin().suggest(name);
        assert_eq!(suggest("H10O PCIe").as_deref(), Some("H100 PCIe 80GB"));
        assert_eq!(
            suggest("RTX PRO 6000").as_deref(),
            Some("RTX PRO 6000 Blackwell Server Edition or RTX PRO 6000 Blackwell Workstation Edition")
        );
        assert!(suggest("GB200").unwrap().contains("GB200 (per GPU) or GB200 Grace Blackwell Superchip"));
        assert_eq!(suggest("HlOO").as_deref(), Some("H100 SXM5 80GB"));
        assert_eq!(suggest("abacus made of wood"), None);
    }
}
