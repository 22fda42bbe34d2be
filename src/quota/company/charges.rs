//! From a fact to the accounts it is charged to.
//!
//! A shipment line is charged by the rule of its authorization; where a company's group has shares to keep, everything that
//! reaches it adds to its installed base too. What the law does not allow is told with its citation: a reason to reject a
//! shipment that is still to be made, a finding on one that was.

use super::account::{Account, Charge, ChargeKind, Part};
use super::certificate::settle;
use super::fact::{CompanyFact, Holding, HoldingKind, Shipment, ShipmentLine};
use super::party::Parties;
use super::rules::{ChargedTo, CompanyRule, CompanyRules, KeptBy};
use crate::quota::codes::Country;
use crate::quota::event::Placed;
use crate::quota::finding::{Finding, FindingCode};
use crate::quota::regime::{Regime, Standing};
use crate::quota::tpp::Tpp;
use chrono::{Datelike, NaiveDate};
use std::collections::BTreeMap;

/// A charge and the record that causes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChargePosting {
    /// The record.
    pub cause: u64,
    /// The charge; of a certificate, the total that it states.
    pub charge: Charge,
    /// The day of receipt; of what is not known to be received later, the day of the charge.
    pub received_on: NaiveDate,
}

/// What is not as the law or the ledger wants it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Column.
    pub column: &'static str,
    /// Line, where it is one's.
    pub line: Option<u32>,
    /// What.
    pub what: String,
    /// What to do.
    pub hint: String,
    /// Whether it keeps the fact out of the ledger even if it was made already.
    pub always: bool,
}

/// A fact worked out.
#[derive(Clone, Default, Debug)]
pub struct Charged {
    /// What it is charged to.
    pub postings: Vec<ChargePosting>,
    /// What it has to say.
    pub findings: Vec<Finding>,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

/// Works facts out under a regime.
#[derive(Clone, Copy)]
pub struct Charger<'r> {
    regime: &'r Regime,
    rules: &'r CompanyRules,
    parties: &'r Parties,
}

impl<'r> Charger<'r> {
    /// For a regime and its parties.
    pub fn new(regime: &'r Regime, rules: &'r CompanyRules, parties: &'r Parties) -> Self {
        Charger { regime, rules, parties }
    }

    /// The charges of a fact with this record number.
    pub fn charge(&self, seq: u64, fact: &CompanyFact) -> Charged {
        let mut charged = Charged::default();
        match fact {
            CompanyFact::Shipment(shipment) => {
                for line in &shipment.lines {
                    self.shipment_line(seq, shipment, line, &mut charged);
                }
            }
            CompanyFact::Holding(holding) => self.holding(seq, holding, &mut charged),
            CompanyFact::Party(_) => {}
        }
        charged.findings.sort();
        charged.findings.dedup();
        charged
    }

    /// The charges of all of these, certificates settled.
    pub fn charge_all(&self, facts: &[Placed<CompanyFact>]) -> Vec<ChargePosting> {
        let standing = facts.iter().filter(|placed| !placed.is_corrected());
        settle(standing.flat_map(|placed| self.charge(placed.seq, &placed.fact).postings).collect())
    }

    fn shipment_line(&self, seq: u64, shipment: &Shipment, line: &ShipmentLine, charged: &mut Charged) {
        let mut fault = |column, what: String, hint: &str, always| {
            charged.faults.push(Fault { column, line: Some(line.line), what, hint: hint.to_string(), always });
        };
        let Some(rule) = self.rules.rule(line.authorization) else {
            let what = format!("{} is not in the regime of this ledger", line.authorization);
            return fault("authorization", what, "name one that it has: `tppledger regime show`", true);
        };
        // LPP limits what is exported in the year, and certifies what is received in it: a reading (740.29(a), (d), (h)(2)).
        let on = match line.received_on {
            Some(received) if self.rules.charged_on_receipt.value && rule.kept_by == KeptBy::CalendarYear => received,
            _ => shipment.effective_on,
        };
        let owner = line.consignee.as_str();
        for party in [Some(owner), line.operator.as_deref()].into_iter().flatten() {
            if !self.parties.knows(party) {
                let what = format!("nothing is stated of the party {party}");
                let column = if party == owner { "consignee" } else { "operator" };
                fault(column, what, "import a parties file that describes it, or check the identifier", true);
            }
        }
        self.check_eligible(rule, line, on, &mut fault);
        let country = self.regime.counted_in(line.destination);
        if self.regime.standing(line.destination, on) == Standing::Home {
            fault(
                "destination",
                format!("{} is the exporting country", line.destination),
                "name the country of ultimate destination",
                true,
            );
        }
        let debtor = line.operator.as_deref().filter(|_| rule.operator).unwrap_or(owner);
        if !self.parties.ultimate_is_known(debtor, on) {
            charged.findings.push(Finding::new(FindingCode::ParentUnknown, format!("{debtor} on {on}")));
        }
        if rule.charged_to == ChargedTo::Holder && self.parties.holder(debtor, line.authorization, country, on).is_none() {
            let what = format!("{debtor} holds no {} for {country} on {on}", line.authorization);
            charged.faults.push(Fault {
                column: "authorization",
                line: Some(line.line),
                what,
                hint: "record its authorization in a parties file first".into(),
                // Without a holder there is no account to charge.
                always: true,
            });
            return;
        }
        let place = Where { country, facility: line.facility.as_deref() };
        let tpp = line.tpp;
        let before = charged.postings.len();
        if rule.adds_up(&line.eccn) {
            charged
                .postings
                .extend(self.account(rule, debtor, place, on).map(|account| posting(seq, on, account, ChargeKind::Shipped, tpp)));
            let received_on = line.received_on.unwrap_or(on);
            charged.postings.iter_mut().skip(before).for_each(|posting| posting.received_on = received_on);
        }
        self.base(rule, line, owner, place, shipment.effective_on).for_each(|account| {
            charged.postings.push(posting(seq, shipment.effective_on, account, ChargeKind::Shipped, tpp));
        });
    }

    /// The accounts of an installed base under shares, beside the line's own.
    fn base<'a>(
        &'a self,
        own: &'a CompanyRule,
        line: &'a ShipmentLine,
        owner: &'a str,
        place: Where<'a>,
        on: NaiveDate,
    ) -> impl Iterator<Item = Account> + 'a {
        let ultimate = self.parties.ultimate(owner, on);
        self.rules
            .rules
            .values()
            .filter(move |rule| !rule.shares.is_empty() && rule.authorization != own.authorization && rule.adds_up(&line.eccn))
            .filter(move |rule| self.parties.group_is_authorized(ultimate, rule.authorization, on))
            .filter_map(move |rule| self.account(rule, owner, place, on))
    }

    fn check_eligible(
        &self,
        rule: &CompanyRule,
        line: &ShipmentLine,
        on: NaiveDate,
        fault: &mut dyn FnMut(&'static str, String, &str, bool),
    ) {
        let (code, cite) = (line.authorization, &rule.citation.cite);
        if !rule.activities.contains(&line.activity) {
            let what = format!("{code} serves no {} ({cite})", line.activity.as_str());
            fault("activity", what, "another exception or a license is needed", false);
        }
        if line.through_distributor && !rule.distributors {
            fault(
                "through_distributor",
                format!("{code} serves no distributor ({cite})"),
                "ship to the ultimate consignee",
                false,
            );
        }
        if !rule.adds_up(&line.eccn) && rule.charged_to != ChargedTo::Nobody {
            fault(
                "eccn",
                format!("{} is no item of {code} ({cite})", line.eccn),
                "check the classification with its paragraph",
                false,
            );
        }
        if !self.serves(rule, line.destination, on) {
            fault("destination", format!("{code} does not serve {} ({cite})", line.destination), "a license is needed", false);
        }
        for (column, party) in [("consignee", Some(&line.consignee)), ("operator", line.operator.as_ref())] {
            let Some(party) = party else { continue };
            let mut seats = self
                .parties
                .chain(party, on)
                .into_iter()
                .filter_map(|at| self.parties.headquarters(at, on).map(|seat| (at, seat)));
            if let Some((at, seat)) = seats.rfind(|(_, seat)| !self.serves(rule, *seat, on)) {
                let what = format!("{code} does not serve {party}: {at} is headquartered in {seat} ({cite})");
                fault(column, what, "a license is needed", false);
            }
        }
        if rule.held && rule.charged_to != ChargedTo::Holder {
            let ultimate = self.parties.ultimate(&line.consignee, on);
            if !self.parties.group_is_authorized(ultimate, code, on) {
                let what = format!("no party of {ultimate}'s group holds {code} on {on}");
                fault("authorization", what, "record its authorization in a parties file first", false);
            }
        }
        if line.operator.is_some() {
            if !rule.operator {
                fault("operator", format!("{code} uses the consignee's own limit"), "leave operator blank", false);
            } else if !self.may_name_operator(&line.consignee, on) {
                let what = format!(
                    "{} is not headquartered in an unlimited destination and uses its own limit ({cite})",
                    line.consignee
                );
                fault("operator", what, "leave operator blank", false);
            }
        }
        if rule.kept_by == KeptBy::Facility && line.facility.is_none() {
            fault("facility", format!("is blank, and {code} is accounted for by facility ({cite})"), "name the facility", true);
        }
    }

    /// Whether a rule serves a destination, and parties headquartered there, on a day.
    pub fn serves(&self, rule: &CompanyRule, country: Country, on: NaiveDate) -> bool {
        match self.regime.standing(country, on) {
            Standing::PresumptionOfDenial => rule.presumption_of_denial,
            Standing::Capped => !rule.unlimited_only,
            Standing::Unlimited | Standing::Home => true,
        }
    }

    /// Whether a consignee may use the limit of who operates the items: it is headquartered in an unlimited destination, or at
    /// home.
    pub fn may_name_operator(&self, consignee: &str, on: NaiveDate) -> bool {
        let seat = self.parties.headquarters(consignee, on);
        seat.is_some_and(|seat| matches!(self.regime.standing(seat, on), Standing::Unlimited | Standing::Home))
    }

    /// The account of a rule for a party at a place on a day; `None` where nothing is charged to it.
    pub fn account(&self, rule: &CompanyRule, party: &str, place: Where, on: NaiveDate) -> Option<Account> {
        let whose = match rule.charged_to {
            ChargedTo::UltimateParent => self.parties.ultimate(party, on),
            ChargedTo::Holder => self.parties.holder(party, rule.authorization, place.country, on)?,
            ChargedTo::Consignee => self.parties.same_as(party, on),
            ChargedTo::Nobody => return None,
        };
        let part = match rule.kept_by {
            KeptBy::Whole => Part::Whole,
            KeptBy::CalendarYear => Part::Year(on.year()),
            KeptBy::Country => Part::Country(place.country),
            KeptBy::Facility => Part::Facility(place.facility?.to_string()),
        };
        Some(Account::new(rule.authorization, whose, part))
    }

    fn holding(&self, seq: u64, holding: &Holding, charged: &mut Charged) {
        let on = holding.effective_on;
        let mut fault = |column, what: String, hint: &str| {
            charged.faults.push(Fault { column, line: None, what, hint: hint.to_string(), always: true });
        };
        let code = holding.authorization;
        let Some(rule) = self.rules.rule(code) else {
            let what = format!("{code} is not in the regime of this ledger");
            return fault("authorization", what, "name one that it has: `tppledger regime show`");
        };
        if !self.parties.knows(&holding.party) {
            let what = format!("nothing is stated of the party {}", holding.party);
            return fault("party", what, "import a parties file that describes it, or check the identifier");
        }
        let certified = holding.kind == HoldingKind::Certified;
        if certified != (rule.kept_by == KeptBy::CalendarYear) || rule.charged_to == ChargedTo::Nobody {
            let what = format!("{} does not go with {code}", holding.kind);
            return fault(
                "holding",
                what,
                "a certificate states what was received in a year; a base is held in a country or a facility",
            );
        }
        let places = match holding.kind {
            HoldingKind::Moved => vec![
                (holding.country, &holding.facility, true),
                (holding.to_country.or(holding.country), &holding.to_facility, false),
            ],
            HoldingKind::Attrition => vec![(holding.country, &holding.facility, true)],
            HoldingKind::Installed | HoldingKind::Certified => vec![(holding.country, &holding.facility, false)],
        };
        let kind = match holding.kind {
            HoldingKind::Installed => ChargeKind::Installed,
            HoldingKind::Moved => ChargeKind::Moved,
            HoldingKind::Attrition => ChargeKind::Attrition,
            HoldingKind::Certified => ChargeKind::Certified,
        };
        let mut not_served: Vec<(&'static str, Country)> = Vec::new();
        for (at, (country, facility, taken)) in places.into_iter().enumerate() {
            let columns = if at == 0 { ["country", "facility"] } else { ["to_country", "to_facility"] };
            if rule.kept_by == KeptBy::Country && country.is_none() {
                fault(columns[0], format!("is blank, and {code} is kept by country"), "name the country");
                continue;
            }
            if rule.kept_by == KeptBy::Facility && facility.is_none() {
                fault(columns[1], format!("is blank, and {code} is kept by facility"), "name the facility");
                continue;
            }
            let stated = country.filter(|country| !taken && !self.serves(rule, *country, on));
            not_served.extend(stated.map(|country| (columns[0], country)));
            let country = self.regime.counted_in(country.unwrap_or(self.regime.groups.home));
            let place = Where { country, facility: facility.as_deref() };
            let Some(account) = self.account(rule, &holding.party, place, on) else {
                let what = format!("{} holds no {code} for {country} on {on}", holding.party);
                fault("authorization", what, "record its authorization in a parties file first");
                continue;
            };
            let tpp = if taken { -holding.tpp } else { holding.tpp };
            charged.postings.push(posting(seq, on, account, kind, tpp));
        }
        for (column, country) in not_served {
            let what = format!("{code} does not serve {country} ({})", rule.citation.cite);
            let hint = "a license is needed; if it is there already, say `already_made`".to_string();
            charged.faults.push(Fault { column, line: None, what, hint, always: false });
        }
        if !self.parties.ultimate_is_known(&holding.party, on) {
            charged.findings.push(Finding::new(FindingCode::ParentUnknown, format!("{} on {on}", holding.party)));
        }
    }
}

/// Where something is.
#[derive(Clone, Copy, Debug)]
pub struct Where<'a> {
    /// The country whose allocation it would count in.
    pub country: Country,
    /// The facility, where one is named.
    pub facility: Option<&'a str>,
}

fn posting(cause: u64, effective_on: NaiveDate, account: Account, kind: ChargeKind, tpp: Tpp) -> ChargePosting {
    ChargePosting { cause, charge: Charge { effective_on, account, kind, tpp }, received_on: effective_on }
}

/// The charges that turn the old postings into the new ones. What the corrected record itself had posted is reversed as
/// `corrected`; `recharged` marks what a statement on a party moves.
pub fn charge_difference(old: &[ChargePosting], new: &[ChargePosting], corrected: Option<u64>, recharged: bool) -> Vec<Charge> {
    let mut sums: BTreeMap<(NaiveDate, &Account, ChargeKind), Tpp> = BTreeMap::new();
    for (postings, taken) in [(old, true), (new, false)] {
        for ChargePosting { cause, charge, .. } in postings {
            let kind = match taken {
                _ if recharged => ChargeKind::Recharged,
                true if corrected == Some(*cause) => ChargeKind::Corrected,
                _ => charge.kind,
            };
            *sums.entry((charge.effective_on, &charge.account, kind)).or_default() +=
                if taken { -charge.tpp } else { charge.tpp };
        }
    }
    sums.into_iter()
        .filter(|(_, tpp)| *tpp != Tpp::ZERO)
        .map(|((effective_on, account, kind), tpp)| Charge { effective_on, account: account.clone(), kind, tpp })
        .collect()
}
