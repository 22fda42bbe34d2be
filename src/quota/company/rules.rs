//! The law of company allocations, as data: to whom a shipment is charged, which limit binds, which shares, what to file.
//!
//! A mechanism is named here and a number never: a regime's `companies.toml` says which authorization works by which
//! mechanism, with which dated numbers and citations.

use super::account::{Account, Authorization};
use crate::quota::application::Activity;
use crate::quota::codes::Eccn;
use crate::quota::event::words;
use crate::quota::regime::{Citation, Step, Switch};
use crate::quota::tpp::Tpp;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

words! {
    /// To whose account a shipment is charged.
    ChargedTo {
        /// The ultimate parent, over all its companies.
        UltimateParent = "ultimate_parent",
        /// The nearest company upwards that holds the authorization.
        Holder = "holder",
        /// The consignee itself.
        Consignee = "consignee",
        /// Nobody: nothing is added up.
        Nobody = "nobody",
    }
}

words! {
    /// What an account of the authorization keeps apart.
    KeptBy {
        /// Nothing: one account.
        Whole = "whole",
        /// Calendar years.
        CalendarYear = "calendar_year",
        /// Countries.
        Country = "country",
        /// Facilities.
        Facility = "facility",
    }
}

words! {
    /// What a share is the share of.
    ShareOf {
        /// All that is outside the unlimited destinations.
        OutsideUnlimited = "outside_unlimited",
        /// What is in any one country outside the unlimited destinations.
        EachOutsideUnlimited = "each_outside_unlimited",
        /// All that is outside the home country, for a company headquartered there.
        OutsideHome = "outside_home",
    }
}

words! {
    /// On which days a share is measured.
    Measured {
        /// On every day.
        Always = "always",
        /// On the reporting dates.
        ReportingDates = "reporting_dates",
    }
}

/// A limit on the share of an installed base.
#[derive(Clone, Debug)]
pub struct Share {
    /// Key.
    pub id: String,
    /// Of what.
    pub of: ShareOf,
    /// At most, in percent.
    pub percent: Decimal,
    /// When it is measured.
    pub measured: Measured,
    /// Source.
    pub citation: Citation,
}

/// How one exception or authorization is charged, and what limits it.
#[derive(Clone, Debug)]
pub struct CompanyRule {
    /// Which.
    pub authorization: Authorization,
    /// To whom.
    pub charged_to: ChargedTo,
    /// Kept apart by.
    pub kept_by: KeptBy,
    /// Limit by date, oldest first; empty where there is none.
    pub limit: Vec<Step>,
    /// Total from which something is to be filed, where there is one.
    pub threshold: Option<(Tpp, Citation)>,
    /// Shares of the installed base; then shipments under other authorizations add to it too.
    pub shares: Vec<Share>,
    /// Whether the consignee must hold it.
    pub held: bool,
    /// Activities that it serves.
    pub activities: Vec<Activity>,
    /// Whether it serves a distributor.
    pub distributors: bool,
    /// Whether the limit of a named operator may be used, by a consignee headquartered in an unlimited destination.
    pub operator: bool,
    /// Whether it serves only unlimited destinations, and parties headquartered there with their parents (740.27(a)).
    pub unlimited_only: bool,
    /// Whether it serves destinations, and parties headquartered, where denial is presumed.
    pub presumption_of_denial: bool,
    /// Paragraphs that it adds up; empty for all.
    pub eccn: Vec<Eccn>,
    /// Source.
    pub citation: Citation,
}

impl CompanyRule {
    /// The limit on a day.
    pub fn limit_on(&self, on: NaiveDate) -> Option<&Step> {
        self.limit.iter().rev().find(|step| step.from <= on)
    }

    /// The limit of an account on a day. That of a calendar year is bound by the limits of its year alone, also on days after
    /// it: what was used in the year stands, and a later year's limit says nothing of it.
    pub fn limit_of(&self, account: &Account, on: NaiveDate) -> Option<&Step> {
        let last = account.year().and_then(|year| NaiveDate::from_ymd_opt(year, 12, 31));
        self.limit_on(last.map_or(on, |last| on.min(last)))
    }

    /// Whether items of this ECCN are added up.
    pub fn adds_up(&self, eccn: &Eccn) -> bool {
        self.eccn.is_empty() || self.eccn.iter().any(|paragraph| eccn.is_within(paragraph))
    }
}

words! {
    /// What makes a notice due.
    NoticeWhen {
        /// Each shipment.
        Shipment = "shipment",
        /// A shipment of so much or more.
        ShipmentAtLeast = "shipment_at_least",
        /// The shipment that exhausts the limit.
        LimitReached = "limit_reached",
        /// The shipment with which the threshold is reached.
        ThresholdReached = "threshold_reached",
        /// Each so many months after what was last stated of an account.
        EveryMonths = "every_months",
        /// Each reporting date.
        ReportingDate = "reporting_date",
    }
}

/// Something to be filed.
#[derive(Clone, Debug)]
pub struct NoticeRule {
    /// Key.
    pub id: String,
    /// For which authorization.
    pub authorization: Authorization,
    /// What makes it due.
    pub when: NoticeWhen,
    /// From so much on.
    pub tpp: Option<Tpp>,
    /// Days after (before: negative) the day that makes it due.
    pub days: i64,
    /// Months, for a periodic one.
    pub months: u32,
    /// Who files it.
    pub filed_by: String,
    /// With whom.
    pub addressee: String,
    /// Subject line.
    pub subject: String,
    /// Source.
    pub citation: Citation,
}

/// The company allocations of a regime.
#[derive(Clone, Debug)]
pub struct CompanyRules {
    /// One for each authorization that the regime has.
    pub rules: BTreeMap<Authorization, CompanyRule>,
    /// Charged on receipt instead of on shipment.
    pub charged_on_receipt: Switch,
    /// Reporting dates: month and day.
    pub reporting_dates: Vec<(u32, u32)>,
    /// Source of the dates.
    pub reporting_dates_citation: Citation,
    /// What to file.
    pub notices: Vec<NoticeRule>,
}

impl CompanyRules {
    /// The rule of an authorization.
    pub fn rule(&self, authorization: Authorization) -> Option<&CompanyRule> {
        self.rules.get(&authorization)
    }

    /// The last reporting date up to a day.
    pub fn reporting_date_until(&self, on: NaiveDate) -> Option<NaiveDate> {
        self.dates_of(on, -1..=0).filter(|date| *date <= on).max()
    }

    /// The first reporting date from a day on.
    pub fn reporting_date_from(&self, on: NaiveDate) -> Option<NaiveDate> {
        self.dates_of(on, 0..=1).filter(|date| *date >= on).min()
    }

    /// Hands each value that decides anything to `line`, in a fixed order.
    pub fn deciding_values(&self, line: &mut impl FnMut(&str, String)) {
        let spaced = |words: Vec<String>| words.join(" ");
        for (code, rule) in &self.rules {
            let activities = spaced(rule.activities.iter().map(|activity| activity.as_str().to_string()).collect());
            let (charged_to, kept_by, held) = (rule.charged_to, rule.kept_by, rule.held);
            line("company.authorization", format!("{code} {charged_to} {kept_by} held {held}"));
            let (distributors, operator, denial) = (rule.distributors, rule.operator, rule.presumption_of_denial);
            let unlimited = rule.unlimited_only;
            line("company.activities", format!("{code} {activities}"));
            line(
                "company.serves",
                format!(
                    "{code} distributors {distributors} operator {operator} unlimited_only {unlimited} presumption_of_denial {denial}"
                ),
            );
            line("company.eccn", format!("{code} {}", spaced(rule.eccn.iter().map(ToString::to_string).collect())));
            for step in &rule.limit {
                line("company.limit", format!("{code} {} {}", step.from, step.tpp));
            }
            if let Some((tpp, _)) = &rule.threshold {
                line("company.threshold", format!("{code} {tpp}"));
            }
            for Share { id, of, percent, measured, .. } in &rule.shares {
                line("company.share", format!("{code} {id} {of} {} {measured}", percent.normalize()));
            }
        }
        line("company.charged_on_receipt", self.charged_on_receipt.value.to_string());
        for (month, day) in &self.reporting_dates {
            line("company.reporting_date", format!("{month:02}-{day:02}"));
        }
        for rule in &self.notices {
            let NoticeRule { id, authorization, when, days, months, filed_by, addressee, subject, .. } = rule;
            let least = rule.tpp.map_or(String::new(), |tpp| format!(" {tpp}"));
            line("company.notice", format!("{id} {authorization} {when}{least} days {days} months {months} {filed_by}"));
            line("company.notice.to", format!("{id} {addressee}; {subject}"));
        }
    }

    fn dates_of(&self, on: NaiveDate, years: std::ops::RangeInclusive<i32>) -> impl Iterator<Item = NaiveDate> {
        use chrono::Datelike;
        let dates = &self.reporting_dates;
        years.flat_map(move |year| {
            dates.iter().filter_map(move |(month, day)| NaiveDate::from_ymd_opt(on.year() + year, *month, *day))
        })
    }
}
