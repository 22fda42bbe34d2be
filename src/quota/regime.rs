//! A regime: one body of rules as dated, cited values, and the questions the heart asks of it.
//!
//! No number of law is written in code; a regime is read from data (`data/regimes/`, or a folder of the user's own)
//! and handed to every decision. The heart asks: does a line count, is it limited, what is the base on a day, who
//! is in which group on a day. Invariant: for a country and a day there is exactly one [`Standing`].

use super::application::Terms;
use super::calendar::{Period, Validity};
use super::codes::{Country, Eccn};
use super::company::rules::CompanyRules;
use super::tpp::Tpp;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Citation {
    /// The section of the regulation, or the document.
    pub cite: String,
    /// Where the text was read.
    pub source: String,
    /// Day on which the value was last compared with its source.
    pub checked: NaiveDate,
}

/// What the law is announced to be from a day on: effective, enforced, announced as not enforced.
#[derive(Clone, Debug)]
pub struct LegalStatus {
    /// First day.
    pub from: NaiveDate,
    /// One word for tables.
    pub code: String,
    /// One sentence.
    pub text: String,
    /// Source.
    pub citation: Citation,
}

/// A number that holds from a day on.
#[derive(Clone, Debug)]
pub struct Step {
    /// First day.
    pub from: NaiveDate,
    /// The base of the limit.
    pub tpp: Tpp,
    /// Source.
    pub citation: Citation,
}

macro_rules! switches {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)+) => {
        /// What a reading of the law may switch. Each has a value and a citation in the regime's data; where the
        /// text is open, the data also say what the other reading is.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum SwitchKey { $($(#[$doc])* $variant,)+ }
        impl SwitchKey {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [SwitchKey] = &[$(SwitchKey::$variant,)+];
            /// The key in the regime's data.
            pub const fn as_str(self) -> &'static str {
                match self { $(SwitchKey::$variant => $text,)+ }
            }
        }
    };
}

switches! {
    /// Licensed exports count.
    ExportCounts = "export_counts",
    /// Licensed reexports count.
    ReexportCounts = "reexport_counts",
    /// Licensed in-country transfers count.
    TransferCounts = "transfer_counts",
    /// Licenses to parties headquartered in an unlimited destination count where they receive in a capped one.
    UnlimitedHeadquartersCounts = "unlimited_headquarters_counts",
    /// ... and are limited there.
    UnlimitedHeadquartersLimited = "unlimited_headquarters_limited",
    /// Licenses to parties headquartered where denial is presumed count in a capped destination.
    DenialHeadquartersCounts = "denial_headquarters_counts",
    /// ... and are limited there.
    DenialHeadquartersLimited = "denial_headquarters_limited",
    /// The unused quantity of an expired license is given back.
    ExpiredGivenBack = "expired_given_back",
    /// The unused quantity of a revoked license is given back.
    RevokedGivenBack = "revoked_given_back",
    /// A surrendered quantity is given back.
    SurrenderedGivenBack = "surrendered_given_back",
    /// Shipped quantity lost to attrition is given back.
    AttritionGivenBack = "attrition_given_back",
    /// Counted when the license is issued; otherwise when the goods are shipped.
    CountedAtIssue = "counted_at_issue",
}

/// A switch with its value and, where the text is open, its other reading.
#[derive(Clone, Debug)]
pub struct Switch {
    /// The value in force.
    pub value: bool,
    /// Whether the text is open, so that the value is a reading.
    pub open: bool,
    /// What the value means, in a sentence.
    pub meaning: String,
    /// What the other reading would mean.
    pub other_meaning: String,
    /// Source.
    pub citation: Citation,
}

/// What a country is to the country allocation on a day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum Standing {
    /// The country whose exports are controlled: no destination.
    Home,
    /// Receives without a country limit.
    Unlimited,
    /// Applications are reviewed under a presumption of denial; no country limit.
    PresumptionOfDenial,
    /// Has the country limit.
    Capped,
}

/// A group of countries with its dated changes.
#[derive(Clone, Debug)]
pub struct Group {
    /// Key, e.g. `D:5`.
    pub id: String,
    /// Name in the regulation.
    pub name: String,
    /// Members at first.
    pub members: Vec<Country>,
    /// Changes, oldest first.
    pub changes: Vec<GroupChange>,
    /// Source.
    pub citation: Citation,
}

/// A dated change of a group.
#[derive(Clone, Debug)]
pub struct GroupChange {
    /// First day of the changed membership.
    pub on: NaiveDate,
    /// Countries that join.
    pub add: Vec<Country>,
    /// Countries that leave.
    pub remove: Vec<Country>,
    /// Source.
    pub citation: Citation,
}

impl Group {
    /// Whether the country is a member on a day.
    pub fn contains(&self, country: Country, on: NaiveDate) -> bool {
        let mut member = self.members.contains(&country);
        for change in self.changes.iter().take_while(|change| change.on <= on) {
            member = (member || change.add.contains(&country)) && !change.remove.contains(&country);
        }
        member
    }
}

/// Which groups play which part, and the countries counted elsewhere.
#[derive(Clone, Debug)]
pub struct Groups {
    /// The country whose exports are controlled.
    pub home: Country,
    /// Groups without a country limit.
    pub unlimited: Vec<String>,
    /// Groups under a presumption of denial; they outrank the unlimited ones.
    pub presumption_of_denial: Vec<String>,
    /// Source of the parts.
    pub citation: Citation,
    /// All groups.
    pub groups: Vec<Group>,
    /// Territories and the country in which they are counted.
    pub territories: BTreeMap<Country, Country>,
    /// Source of the territories.
    pub territories_citation: Citation,
    /// ISO 3166-1 entries that the regulation does not name.
    pub not_named: Vec<Country>,
    /// Source of those.
    pub not_named_citation: Citation,
    /// Destinations with a remark of their own.
    pub noted: Vec<(Country, String, Citation)>,
}

impl Groups {
    fn any(&self, ids: &[String], country: Country, on: NaiveDate) -> bool {
        self.groups.iter().any(|group| ids.contains(&group.id) && group.contains(country, on))
    }

    /// The group of that key.
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.id == id)
    }
}

/// One body of rules, ready to be asked.
#[derive(Clone, Debug)]
pub struct Regime {
    /// Short name, e.g. `us-ear-ai-diffusion`.
    pub id: String,
    /// Full title.
    pub title: String,
    /// Source of the whole.
    pub citation: Citation,
    /// Legal status by date, oldest first.
    pub legal_status: Vec<LegalStatus>,
    /// Validity of a license.
    pub validity: Validity,
    /// Source of the validity.
    pub validity_citation: Citation,
    /// Source of the rolling over weekends and holidays.
    pub roll_citation: Citation,
    /// Days after the last valid day before the unused is given back.
    pub unused_after_days: u32,
    /// Source (the desk's policy).
    pub unused_citation: Citation,
    /// The allocation's period.
    pub period: Period,
    /// Source of the period.
    pub period_citation: Citation,
    /// Base of the limit, oldest first.
    pub base: Vec<Step>,
    /// Maximum of the increases in force, in percent of the base.
    pub increase_maximum_percent: Decimal,
    /// Source.
    pub increase_maximum_citation: Citation,
    /// Share of the limit, in percent, at or below which headroom is critical.
    pub critical_percent: Decimal,
    /// Source.
    pub critical_citation: Citation,
    /// Paragraphs that count.
    pub counted_eccn: Vec<Eccn>,
    /// Source.
    pub counted_eccn_citation: Citation,
    /// Company allocations, where the regime has them.
    pub companies: Option<CompanyRules>,
    /// The switches, one for each key.
    pub switches: BTreeMap<SwitchKey, Switch>,
    /// Groups of countries.
    pub groups: Groups,
    /// Standing of each country by date, worked out by [`Regime::settle`]; empty until then.
    pub standings: BTreeMap<Country, Vec<(NaiveDate, Standing)>>,
    /// Where the only standing of a country is found without a search, by [`Country::index`].
    pub constant: Vec<Option<Standing>>,
}

/// How a party's headquarters bear on a line received in a capped destination.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Headquarters {
    /// Neither of the following.
    Ordinary,
    /// Headquartered, itself or its parent, in an unlimited destination.
    Unlimited,
    /// Headquartered, itself or its parent, where denial is presumed; outranks the former.
    PresumptionOfDenial,
}

/// What the regime makes of a line licensed on a day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Treatment {
    /// The country in whose allocation the line stands.
    pub allocation: Country,
    /// Whether it counts there.
    pub counts: bool,
    /// Whether the limit binds it.
    pub limited: bool,
    /// The part the headquarters play.
    pub headquarters: Headquarters,
    /// What the destination is on that day.
    pub standing: Standing,
}

impl Regime {
    /// Works out the standing of each country by date. Call it after the groups are filled in.
    pub fn settle(&mut self, countries: impl IntoIterator<Item = Country>) {
        let mut days: Vec<NaiveDate> =
            self.groups.groups.iter().flat_map(|group| group.changes.iter().map(|change| change.on)).collect();
        days.push(NaiveDate::MIN);
        days.sort_unstable();
        days.dedup();
        self.standings = countries
            .into_iter()
            .map(|country| {
                let mut steps: Vec<(NaiveDate, Standing)> = Vec::new();
                for day in &days {
                    let standing = self.standing_from_groups(country, *day);
                    if steps.last().is_none_or(|(_, last)| *last != standing) {
                        steps.push((*day, standing));
                    }
                }
                (country, steps)
            })
            .collect();
        self.constant = vec![None; 1 << 16];
        for (country, steps) in &self.standings {
            if let [(_, standing)] = steps.as_slice() {
                self.constant[usize::from(country.index())] = Some(*standing);
            }
        }
    }

    fn standing_from_groups(&self, country: Country, on: NaiveDate) -> Standing {
        let counted = self.counted_in(country);
        if counted == self.groups.home {
            Standing::Home
        } else if self.groups.any(&self.groups.presumption_of_denial, counted, on) {
            // Macau and D:5 outrank Supplement No. 5(a): 742.6(b)(10)(iii)(A)(1) before (A)(2).
            Standing::PresumptionOfDenial
        } else if self.groups.any(&self.groups.unlimited, counted, on) {
            Standing::Unlimited
        } else {
            Standing::Capped
        }
    }

    /// The country in which a destination is counted: a territory's parent, else itself.
    pub fn counted_in(&self, country: Country) -> Country {
        self.groups.territories.get(&country).copied().unwrap_or(country)
    }

    /// What a country is to the country allocation on a day.
    pub fn standing(&self, country: Country, on: NaiveDate) -> Standing {
        if let Some(Some(standing)) = self.constant.get(usize::from(country.index())) {
            return *standing;
        }
        match self.standings.get(&country) {
            Some(steps) => steps.iter().rev().find(|(from, _)| *from <= on).map_or(Standing::Capped, |(_, standing)| *standing),
            None => self.standing_from_groups(country, on),
        }
    }

    /// Days on which a standing of the country begins, the first being the beginning of time.
    pub fn standing_steps(&self, country: Country) -> &[(NaiveDate, Standing)] {
        self.standings.get(&country).map_or(&[], Vec::as_slice)
    }

    /// All countries that have a row of their own (territories have none), sorted.
    pub fn destinations(&self) -> impl Iterator<Item = Country> {
        self.standings.keys().copied().filter(|country| self.counted_in(*country) == *country && *country != self.groups.home)
    }

    /// The base of a country's limit on a day; `None` outside the period or where there is no country limit.
    pub fn base(&self, country: Country, on: NaiveDate) -> Option<Tpp> {
        (self.standing(country, on) == Standing::Capped).then(|| self.base_step(on)).flatten().map(|step| step.tpp)
    }

    /// The step of the base in force on a day of the period, with its citation.
    pub fn base_step(&self, on: NaiveDate) -> Option<&Step> {
        self.period.contains(on).then(|| self.base.iter().rev().find(|step| step.from <= on)).flatten()
    }

    /// The largest sum of increases on a day.
    pub fn increase_maximum(&self, base: Tpp) -> Tpp {
        base.percent(self.increase_maximum_percent).unwrap_or(Tpp::ZERO)
    }

    /// The value of a switch.
    pub fn is_on(&self, key: SwitchKey) -> bool {
        self.switches.get(&key).is_some_and(|switch| switch.value)
    }

    /// The same regime with one switch set the other way: "what would the other reading give".
    pub fn with_other_reading(&self, key: SwitchKey) -> Regime {
        let mut other = self.clone();
        if let Some(switch) = other.switches.get_mut(&key) {
            switch.value = !switch.value;
            std::mem::swap(&mut switch.meaning, &mut switch.other_meaning);
        }
        other
    }

    /// All switches with their names, that of the company allocations last.
    pub fn readings(&self) -> impl Iterator<Item = (&'static str, &Switch)> {
        let of_companies = self.companies.iter().map(|rules| ("charged_on_receipt", &rules.charged_on_receipt));
        self.switches.iter().map(|(key, switch)| (key.as_str(), switch)).chain(of_companies)
    }

    /// The switches of the country allocations whose text is open, in order.
    pub fn open_readings(&self) -> impl Iterator<Item = (SwitchKey, &Switch)> {
        self.switches.iter().filter(|(_, switch)| switch.open).map(|(key, switch)| (*key, switch))
    }

    /// The legal status on a day; `None` before the first.
    pub fn legal_status_on(&self, on: NaiveDate) -> Option<&LegalStatus> {
        self.legal_status.iter().rev().find(|status| status.from <= on)
    }

    /// Whether items of this ECCN count: only the ".a" items and the ".z" paragraphs that mirror them,
    /// 742.6(b)(10)(iii)(B)(1).
    pub fn counts_eccn(&self, eccn: &Eccn) -> bool {
        self.counted_eccn.iter().any(|paragraph| eccn.is_within(paragraph))
    }

    /// The part the headquarters of a line's parties play on a day.
    pub fn headquarters(&self, terms: &Terms, on: NaiveDate) -> Headquarters {
        let seats = [terms.consignee_headquarters, terms.parent_headquarters];
        let standings = seats.map(|seat| self.standing(seat, on));
        if standings.contains(&Standing::PresumptionOfDenial) {
            Headquarters::PresumptionOfDenial
        } else if standings.iter().any(|standing| matches!(standing, Standing::Unlimited | Standing::Home)) {
            Headquarters::Unlimited
        } else {
            Headquarters::Ordinary
        }
    }

    /// Whether a line would count if licensed inside the period: by its ECCN, its activity and its headquarters.
    pub fn would_count(&self, terms: &Terms, on: NaiveDate) -> bool {
        let activity = match terms.activity {
            super::application::Activity::Export => SwitchKey::ExportCounts,
            super::application::Activity::Reexport => SwitchKey::ReexportCounts,
            super::application::Activity::Transfer => SwitchKey::TransferCounts,
        };
        if !self.is_on(activity) || !self.counts_eccn(&terms.eccn) {
            return false;
        }
        if self.standing(terms.destination, on) != Standing::Capped {
            return true;
        }
        match self.headquarters(terms, on) {
            Headquarters::Ordinary => true,
            Headquarters::Unlimited => self.is_on(SwitchKey::UnlimitedHeadquartersCounts),
            Headquarters::PresumptionOfDenial => self.is_on(SwitchKey::DenialHeadquartersCounts),
        }
    }

    /// What the regime makes of a line whose license is effective on a day. The groups in force on that day settle it
    /// for good (742.6(b)(10)(iii)): licensed outside the period counts nothing.
    pub fn treatment(&self, terms: &Terms, licensed_on: NaiveDate) -> Treatment {
        let standing = self.standing(terms.destination, licensed_on);
        let headquarters = self.headquarters(terms, licensed_on);
        let counts = self.period.contains(licensed_on) && self.would_count(terms, licensed_on);
        let bound_by_headquarters = match headquarters {
            Headquarters::Ordinary => true,
            Headquarters::Unlimited => self.is_on(SwitchKey::UnlimitedHeadquartersLimited),
            Headquarters::PresumptionOfDenial => self.is_on(SwitchKey::DenialHeadquartersLimited),
        };
        Treatment {
            allocation: self.counted_in(terms.destination),
            counts,
            limited: counts && standing == Standing::Capped && bound_by_headquarters,
            headquarters,
            standing,
        }
    }

    /// The deciding values as text, one a line, in a fixed order: what the regime's digest is taken over. Titles,
    /// meanings, sources and last-checked dates do not decide anything and are left out.
    pub fn deciding_values(&self) -> String {
        use std::fmt::Write;
        let mut out = String::new();
        let mut line = |key: &str, value: String| writeln!(out, "{key}={value}").expect("writing to a string does not fail");
        line("id", self.id.clone());
        for status in &self.legal_status {
            line("legal_status", format!("{} {}", status.from, status.code));
        }
        line("license.validity.years", self.validity.years.to_string());
        line("license.roll.weekends", self.validity.rolls_over_weekends.to_string());
        for holiday in &self.validity.holidays {
            line("license.holiday", holiday.to_string());
        }
        line("license.unused.after_days", self.unused_after_days.to_string());
        line("country.period", self.period.to_string());
        for step in &self.base {
            line("country.base", format!("{} {}", step.from, step.tpp));
        }
        line("country.increase_maximum", self.increase_maximum_percent.normalize().to_string());
        line("country.critical", self.critical_percent.normalize().to_string());
        for eccn in &self.counted_eccn {
            line("country.counted_eccn", eccn.to_string());
        }
        for (key, switch) in &self.switches {
            line("country.switch", format!("{} {}", key.as_str(), switch.value));
        }
        let groups = &self.groups;
        let list = |countries: &[Country]| countries.iter().map(Country::to_string).collect::<Vec<_>>().join(" ");
        line("groups.home", groups.home.to_string());
        line("groups.unlimited", groups.unlimited.join(" "));
        line("groups.presumption_of_denial", groups.presumption_of_denial.join(" "));
        for group in &groups.groups {
            line("group", format!("{}: {}", group.id, list(&group.members)));
            for change in &group.changes {
                line("group.change", format!("{} {}: +{} -{}", group.id, change.on, list(&change.add), list(&change.remove)));
            }
        }
        for (territory, parent) in &groups.territories {
            line("territory", format!("{territory} {parent}"));
        }
        line("not_named", list(&groups.not_named));
        for (country, ..) in &groups.noted {
            line("noted", country.to_string());
        }
        self.companies.iter().for_each(|companies| companies.deciding_values(&mut line));
        out
    }
}
