//! The registers: every application with its lines, every license, as of a day.

use super::tables::{country, country_name, day};
use crate::error::Result;
use crate::quota::application::Application;
use crate::quota::finding::{FindingCode, parts_of};
use crate::quota::regime::Regime;
use crate::quota::timeline::{LineState, Options, Replay, State, replay};
use crate::quota::tpp::Tpp;
use crate::report::Cell;
use crate::store::Dossier;
use chrono::NaiveDate;

/// An application as of a day.
#[derive(Debug)]
pub struct Registered<'d> {
    /// What is recorded of it.
    pub dossier: &'d Dossier,
    /// Its timeline up to the day.
    pub replay: Replay,
    /// Its state on the day.
    pub state: State,
    /// Codes of what it and its events have to say, in order of precedence.
    pub findings: Vec<FindingCode>,
    /// License number, where the issue gave one.
    pub license_number: Option<String>,
}

impl<'d> Registered<'d> {
    /// The application as of a day; `None` before its submission.
    ///
    /// # Errors
    /// When what is recorded does not stand, which `verify` explains.
    pub fn new(regime: &Regime, dossier: &'d Dossier, as_of: NaiveDate) -> Result<Option<Self>> {
        let latest = dossier.latest();
        if latest.submitted_on > as_of {
            return Ok(None);
        }
        let options = Options { until: Some(as_of), ..Options::default() };
        let replay = replay(latest.submitted_on, &latest.terms(), &dossier.events, regime, options)
            .map_err(|broken| super::clerk::lost("the timeline of event", &broken.event_id))?;
        let findings = findings(dossier, as_of);
        let license_number = replay.license.and_then(|license| {
            let issue = dossier.events.iter().find(|placed| placed.seq == license.issued_by);
            issue.and_then(|placed| placed.fact.license_number.clone())
        });
        Ok(Some(Registered { dossier, state: replay.state_on(as_of), replay, findings, license_number }))
    }

    /// The revision in force.
    pub fn application(&self) -> &'d Application {
        self.dossier.latest()
    }

    fn findings_cell(&self) -> Cell {
        Cell::codes(self.findings.iter().map(|code| code.as_str()))
    }

    /// The rows of applications.csv.
    pub fn application_rows(&self, regime: &Regime) -> Vec<Vec<Cell>> {
        let application = self.application();
        let record = self.dossier.revisions.last().map_or(0, |placed| placed.seq);
        let license = self.replay.license;
        application
            .lines
            .iter()
            .zip(&self.replay.lines)
            .map(|(line, state)| {
                let terms = &line.terms;
                let (counts, limited) = standing_of(regime, application, state);
                let (licensed, shipped) = state.tpp();
                vec![
                    Cell::text(application.number.clone()),
                    Cell::Whole(i64::from(application.revision)),
                    Cell::Day(application.submitted_on),
                    Cell::text(application.applicant.clone()),
                    Cell::text(line.ultimate_consignee.clone()),
                    country(terms.consignee_headquarters),
                    country(terms.parent_headquarters),
                    Cell::code(line.consignee_kind.as_str()),
                    country(terms.destination),
                    Cell::code(terms.activity.as_str()),
                    Cell::Whole(i64::from(terms.line)),
                    Cell::Code(terms.eccn.to_string().into()),
                    Cell::text(line.device.clone().unwrap_or_default()),
                    super::tables::amount(line.tpp_per_unit),
                    super::tables::amount(line.tpp_aggregated),
                    Cell::Whole(i64::from(terms.quantity)),
                    Cell::text(line.purchase_order.clone().unwrap_or_default()),
                    Cell::text(line.end_use.clone().unwrap_or_default()),
                    country_name(terms.destination),
                    Cell::code(self.state.as_str()),
                    Cell::yes_no(counts),
                    Cell::yes_no(limited),
                    Cell::Amount(terms.requested_tpp()),
                    Cell::Amount(licensed),
                    Cell::Amount(shipped),
                    Cell::Amount(licensed - shipped),
                    Cell::text(self.license_number.clone().unwrap_or_default()),
                    day(license.map(|license| license.expires_on)),
                    day(license.map(|license| license.give_back_on)),
                    self.findings_cell(),
                    Cell::Whole(record as i64),
                ]
            })
            .collect()
    }

    /// The rows of licenses.csv: one a line that the license covers, or that shipped without.
    pub fn license_rows(&self, regime: &Regime) -> Vec<Vec<Cell>> {
        let Some(license) = self.replay.license else { return Vec::new() };
        let application = self.application();
        let covered = |state: &LineState| state.granted || state.shipped > 0;
        application
            .lines
            .iter()
            .zip(&self.replay.lines)
            .filter(|(_, state)| covered(state))
            .map(|(line, state)| {
                let (counts, limited) = standing_of(regime, application, state);
                let (licensed, shipped) = state.tpp();
                let units = |units: u64| Cell::Whole(i64::try_from(units).unwrap_or(i64::MAX));
                vec![
                    Cell::text(self.license_number.clone().unwrap_or_default()),
                    Cell::text(application.number.clone()),
                    Cell::Whole(i64::from(line.terms.line)),
                    country(line.terms.destination),
                    country_name(line.terms.destination),
                    Cell::text(line.ultimate_consignee.clone()),
                    Cell::Day(license.effective_on),
                    Cell::Day(license.expires_on),
                    Cell::Day(license.give_back_on),
                    Cell::code(self.state.as_str()),
                    Cell::yes_no(counts),
                    Cell::yes_no(limited),
                    units(state.licensed()),
                    units(state.shipped),
                    units(state.unshipped),
                    Cell::Amount(licensed),
                    Cell::Amount(shipped),
                    Cell::Amount(licensed - shipped),
                    self.findings_cell(),
                    Cell::Whole(license.issued_by as i64),
                ]
            })
            .collect()
    }

    /// TPP asked for, licensed and shipped over all lines.
    pub fn totals(&self) -> (Tpp, Tpp, Tpp) {
        self.replay.lines.iter().fold((Tpp::ZERO, Tpp::ZERO, Tpp::ZERO), |(asked, licensed, shipped), line| {
            let (more_licensed, more_shipped) = line.tpp();
            (asked + line.terms.requested_tpp(), licensed + more_licensed, shipped + more_shipped)
        })
    }
}

/// What the revision in force and the events that stand on a day have to say.
fn findings(dossier: &Dossier, as_of: NaiveDate) -> Vec<FindingCode> {
    let latest = dossier.revisions.last().map_or(0, |placed| placed.seq);
    let stands = |seq: u64| {
        let event = dossier.events.iter().find(|placed| placed.seq == seq);
        seq == latest || event.is_some_and(|placed| !placed.is_corrected() && placed.fact.effective_on <= as_of)
    };
    let said = dossier.findings.iter().filter(|(seq, _)| stands(*seq));
    let mut codes: Vec<FindingCode> = said.flat_map(|(_, text)| parts_of(text)).map(|(code, _)| code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// Whether a line counts and is limited: by its license, or as it would on the day of submission.
fn standing_of(regime: &Regime, application: &Application, state: &LineState) -> (bool, bool) {
    match state.treatment {
        Some(treatment) => (treatment.counts, treatment.limited),
        None => {
            let treatment =
                regime.treatment(&state.terms, application.submitted_on.max(regime.period.from).min(regime.period.to));
            (treatment.counts, treatment.limited)
        }
    }
}

/// What a filter keeps; an empty filter keeps everything.
#[derive(Clone, Default, Debug)]
pub struct Filter {
    /// Countries, as counted or as stated.
    pub destinations: Vec<crate::quota::codes::Country>,
    /// Part of the applicant's name.
    pub applicant: Option<String>,
    /// Part of the consignee's name.
    pub consignee: Option<String>,
    /// States.
    pub states: Vec<State>,
    /// Submitted, or effective, from this day.
    pub from: Option<NaiveDate>,
    /// Submitted, or effective, to this day.
    pub to: Option<NaiveDate>,
    /// Findings.
    pub findings: Vec<FindingCode>,
    /// One application.
    pub application: Option<String>,
}

impl Filter {
    /// Whether a day is inside.
    pub fn keeps_day(&self, day: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }

    /// Whether a country is named, as stated or as counted.
    pub fn keeps_destination(&self, regime: &Regime, destination: crate::quota::codes::Country) -> bool {
        self.destinations.is_empty()
            || self.destinations.contains(&destination)
            || self.destinations.contains(&regime.counted_in(destination))
    }

    /// Whether an application is kept. A line that is asked for by destination or consignee keeps the whole application.
    pub fn keeps(&self, regime: &Regime, registered: &Registered, day: NaiveDate) -> bool {
        let application = registered.application();
        let part_of = |part: &Option<String>, text: &str| {
            part.as_ref().is_none_or(|part| text.to_lowercase().contains(&part.to_lowercase()))
        };
        self.keeps_day(day)
            && self.application.as_ref().is_none_or(|number| *number == application.number)
            && part_of(&self.applicant, &application.applicant)
            && application.lines.iter().any(|line| {
                self.keeps_destination(regime, line.terms.destination) && part_of(&self.consignee, &line.ultimate_consignee)
            })
            && (self.states.is_empty() || self.states.contains(&registered.state))
            && self.findings.iter().all(|finding| registered.findings.contains(finding))
    }
}
