//! Explaining: a figure down to the entries that sum to it, a decision down to its citations.

use super::figures::{self, QuarterSums};
use super::ledger::Ledger;
use super::pack::{moment, regime_note, through_note};
use super::registers::Registered;
use super::tables::{self, amount};
use crate::error::{Error, Result};
use crate::intake::Countries;
use crate::quota::application::Application;
use crate::quota::codes::Country;
use crate::quota::decision::Shortfall;
use crate::quota::finding::parts_of;
use crate::quota::posting::{Measures, difference};
use crate::quota::regime::{Regime, Standing, SwitchKey};
use crate::quota::timeline::{Options, replay};
use crate::quota::tpp::Tpp;
use crate::report::{Cell, Table, columns};
use crate::store::{Ask, Dossier, Fact, Read, Record, Store};
use chrono::NaiveDate;

/// An explanation: sections of facts and tables.
#[derive(Debug)]
pub struct Explanation {
    /// What is explained.
    pub title: String,
    /// The answer first, then the reasons.
    pub sections: Vec<Section>,
}

/// One part of an explanation.
#[derive(Debug)]
pub struct Section {
    /// What it is about.
    pub title: String,
    /// Facts: what, its value, where it comes from.
    pub facts: Vec<(String, String, String)>,
    /// Rows, where there are many of a kind.
    pub table: Option<Table>,
}

impl Section {
    pub(super) fn new(title: impl Into<String>) -> Self {
        Section { title: title.into(), facts: Vec::new(), table: None }
    }

    pub(super) fn fact(&mut self, what: impl Into<String>, value: impl ToString, source: impl Into<String>) -> &mut Self {
        self.facts.push((what.into(), value.to_string(), source.into()));
        self
    }
}

/// Why a destination has the headroom it has on a day, through a record.
///
/// # Errors
/// When the ledger cannot be read.
pub fn headroom<S: Store>(
    ledger: &Ledger<S>,
    destination: Country,
    as_of: NaiveDate,
    through: Option<u64>,
) -> Result<Explanation> {
    let read = ledger.store.read()?;
    let through = through_note(&read, through)?;
    let (regime, kept) = ledger.regime_at(through.seq)?;
    let counted = regime.counted_in(destination);
    let rows = figures::headroom(&read, &regime, as_of, through.seq, true)?;
    let row = rows.iter().find(|row| row.destination == counted).ok_or_else(|| Error::NotFound {
        what: format!("{destination} is no destination of this regime"),
        hint: "name a country of destination".into(),
    })?;
    let name = Countries::builtin().name(counted);
    let mut answer = Section::new("Answer");
    if counted != destination {
        answer.fact(
            "counted in",
            format!("{counted} ({destination} is its territory)"),
            regime.groups.territories_citation.cite.clone(),
        );
    }
    let shown = |tpp: Option<Tpp>| tpp.map_or("none".to_string(), Tpp::grouped);
    answer
        .fact("headroom", shown(row.headroom), "limit - withheld - licensed")
        .fact("status", row.status, tables::cite(&regime, row))
        .fact("limit", shown(row.limit), "base + increase")
        .fact("withheld", shown(row.withheld), "acts `withhold` and `end_withholding`")
        .fact("licensed", row.licensed.grouped(), "shipped + unshipped; the entries below sum to it")
        .fact("of it not limited", row.licensed_not_limited.grouped(), "")
        .fact("shipped", row.shipped.grouped(), "")
        .fact("unshipped", row.unshipped.grouped(), "")
        .fact("pending", row.pending.grouped(), "applications not yet decided; not counted in law")
        .fact("headroom after pending", shown(row.headroom_after_pending), "headroom - pending");
    let series = figures::one_series(&read, &regime, counted, through.seq)?;
    if let Some((floor, on)) = series.floor_from(as_of) {
        answer.fact(
            "headroom floor",
            format!("{} on {on}", floor.grouped()),
            "the lowest headroom from this day to the period's end: what a new license must fit in",
        );
    }
    let note = regime_note(&regime, &kept.digest, as_of);
    let status =
        note.legal_status.map_or(String::new(), |status| format!("{} since {}: {}", status.code, status.from, status.text));
    answer.fact(
        "through",
        format!("record {} ({})", through.seq, through.recorded_at.unwrap_or_else(|| "nothing recorded".into())),
        through.digest,
    );
    answer.fact("regime", regime.id.clone(), note.digest).fact("legal status", status, "");
    let limit = limit_section(&read, &regime, counted, as_of, through.seq)?;
    let entries = entries_section(&read, counted, as_of, through.seq)?;
    let coming = coming_section(&read, &regime, counted, as_of, through.seq)?;
    let dossiers = applications_to(&read, &regime, counted, through.seq)?;
    let pending = pending_section(&regime, counted, as_of, &dossiers)?;
    let readings = readings_section(&regime, counted, as_of, &dossiers);
    let sections = vec![answer, limit, entries, pending, coming, readings];
    Ok(Explanation { title: format!("Headroom of {name} ({counted}) as of {as_of}"), sections })
}

fn limit_section(read: &impl Read, regime: &Regime, destination: Country, as_of: NaiveDate, through: u64) -> Result<Section> {
    let mut section = Section::new("The limit and its sources");
    let standing = regime.standing(destination, as_of);
    section.fact("standing", standing_words(standing), regime.groups.citation.cite.clone());
    section.fact("period", regime.period, regime.period_citation.cite.clone());
    match regime.base_step(as_of).filter(|_| regime.base(destination, as_of).is_some()) {
        Some(step) => {
            section.fact(
                "base",
                format!("{} from {}", step.tpp.grouped(), step.from),
                format!("{}; {}, checked {}", step.citation.cite, step.citation.source, step.citation.checked),
            );
            section.fact(
                "increases at most",
                format!("{} % of the base", regime.increase_maximum_percent),
                regime.increase_maximum_citation.cite.clone(),
            );
        }
        None => drop(section.fact("base", "none in force on this day", regime.period_citation.cite.clone())),
    }
    let acts = crate::quota::event::through(read.acts(destination)?, through);
    for placed in acts.iter().filter(|placed| placed.fact.effective_on <= as_of) {
        let act = &placed.fact;
        let corrected = placed.corrected_by.map(|by| format!(", undone by record {by}")).unwrap_or_default();
        let tpp = act.tpp.map(|tpp| format!(" {}", tpp.grouped())).unwrap_or_default();
        section.fact(
            format!("{} {}", act.effective_on, act.kind),
            format!("{}{tpp}{corrected}", act.id),
            format!("record {}; {}", placed.seq, act.reference),
        );
    }
    Ok(section)
}

fn standing_words(standing: Standing) -> &'static str {
    match standing {
        Standing::Home => "the exporting country",
        Standing::Unlimited => "uncapped",
        Standing::PresumptionOfDenial => "presumption of denial, no country limit",
        Standing::Capped => "capped",
    }
}

fn entries_section(read: &impl Read, destination: Country, as_of: NaiveDate, through: u64) -> Result<Section> {
    let mut table = Table::new(columns::entries());
    let mut sum = Measures::ZERO;
    let (mut last, mut ord) = (0, 0);
    let mut ids: std::collections::HashMap<u64, String> = std::collections::HashMap::new();
    let mut listed = Vec::new();
    read.entries(Some(destination), 0, through, &mut |seq, entry| {
        ord = if seq == last { ord + 1 } else { 0 };
        last = seq;
        if entry.effective_on <= as_of {
            sum += entry.measures;
            listed.push((seq, ord, entry));
        }
        Ok(())
    })?;
    for (seq, ord, entry) in listed {
        let id = match ids.get(&seq) {
            Some(id) => id.clone(),
            None => {
                let id = read.record(seq)?.map(|record| record.fact.id()).unwrap_or_default();
                ids.insert(seq, id.clone());
                id
            }
        };
        let measures = entry.measures;
        let mut cells =
            vec![Cell::Whole(seq as i64), Cell::Whole(ord), Cell::Day(entry.effective_on), Cell::code(entry.kind.as_str())];
        cells.extend(measures.as_array().map(Cell::Amount));
        cells.push(Cell::text(id));
        table.push(cells);
    }
    let mut section = Section::new("Entries effective up to this day");
    section
        .fact("entries", table.rows.len(), "")
        .fact("sum of licensed", sum.licensed.grouped(), "equals licensed above")
        .fact("sum of shipped", sum.shipped.grouped(), "equals shipped above")
        .fact("sum of pending", sum.pending.grouped(), "equals pending above")
        .fact("sum of increase", sum.increase.grouped(), "")
        .fact("sum of withheld", sum.withheld.grouped(), "");
    section.table = Some(table);
    Ok(section)
}

fn pending_section(regime: &Regime, destination: Country, as_of: NaiveDate, dossiers: &[Dossier]) -> Result<Section> {
    let mut section = Section::new("Pending applications");
    for dossier in dossiers {
        let Some(one) = Registered::new(regime, dossier, as_of)? else { continue };
        if one.state.is_undecided() {
            let application = one.application();
            let tpp: Tpp = application
                .terms()
                .iter()
                .filter(|terms| {
                    regime.counted_in(terms.destination) == destination && regime.would_count(terms, application.submitted_on)
                })
                .map(crate::quota::application::Terms::requested_tpp)
                .sum();
            section.fact(
                application.number.clone(),
                tpp.grouped(),
                format!("{} since {}, {}", one.state, application.submitted_on, application.applicant),
            );
        }
    }
    Ok(section)
}

fn coming_section(read: &impl Read, regime: &Regime, destination: Country, as_of: NaiveDate, through: u64) -> Result<Section> {
    let sums = QuarterSums::gather(read, as_of, as_of, through)?;
    let mut section = Section::new("What is already known to change headroom later");
    for row in sums.schedule(regime, as_of).into_iter().filter(|row| row.destination == destination) {
        section.fact(format!("{} {}", row.day, row.kind), row.tpp.grouped(), "");
    }
    Ok(section)
}

/// The applications with a line to a destination, through a record: also those whose lines do not count under the
/// reading in force, since they may under another.
fn applications_to(read: &impl Read, regime: &Regime, destination: Country, through: u64) -> Result<Vec<Dossier>> {
    let mut dossiers = Vec::new();
    read.dossiers(&mut |dossier| {
        let to_it = dossier.latest().lines.iter().any(|line| regime.counted_in(line.terms.destination) == destination);
        dossiers.extend(to_it.then(|| dossier.through(through)).flatten());
        Ok(())
    })?;
    Ok(dossiers)
}

/// What the other reading of each open question would give: every application replayed under both.
fn readings_section(regime: &Regime, destination: Country, as_of: NaiveDate, dossiers: &[Dossier]) -> Section {
    let mut section = Section::new("Open readings in force, and what the other reading would give");
    let mut alike = 0;
    for (key, switch) in regime.open_readings() {
        let told = match other_reading(regime, key, dossiers, destination, as_of) {
            Some(change) if change.licensed == Tpp::ZERO && change.not_limited == Tpp::ZERO => {
                alike += 1;
                continue;
            }
            Some(change) => format!(
                "licensed {}, not limited {}, headroom {}",
                Signed(change.licensed),
                Signed(change.not_limited),
                Signed(-change.licensed)
            ),
            None => "cannot be told: an event would not stand under it".to_string(),
        };
        section.fact(switch.meaning.clone(), format!("{told} ({})", switch.other_meaning), switch.citation.cite.clone());
    }
    section.fact(
        "other open readings",
        format!("{alike} would give the same figures here"),
        "`tppledger regime show` lists them",
    );
    section
}

/// An amount with its sign.
struct Signed(Tpp);

impl std::fmt::Display for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plus = if self.0 >= Tpp::ZERO { "+" } else { "" };
        write!(f, "{plus}{}", self.0.grouped())
    }
}

/// How the position of a destination would differ under the other reading of a switch.
pub fn other_reading(
    regime: &Regime,
    key: SwitchKey,
    dossiers: &[Dossier],
    destination: Country,
    as_of: NaiveDate,
) -> Option<Measures> {
    let other = regime.with_other_reading(key);
    let mut change = Measures::ZERO;
    for dossier in dossiers {
        let latest = dossier.latest();
        let postings =
            |regime: &Regime| replay(latest.submitted_on, &latest.terms(), &dossier.events, regime, Options::default()).ok();
        let (before, after) = (postings(regime)?, postings(&other)?);
        for entry in difference(&before.postings, &after.postings, None) {
            if entry.allocation == destination && entry.effective_on <= as_of {
                change += entry.measures;
            }
        }
    }
    Some(change)
}

/// Everything recorded of an application.
///
/// # Errors
/// When it is not in the ledger.
pub fn application<S: Store>(ledger: &Ledger<S>, number: &str, as_of: NaiveDate, through: Option<u64>) -> Result<Explanation> {
    let read = ledger.store.read()?;
    let through = through_note(&read, through)?.seq;
    let (regime, _) = ledger.regime_at(through)?;
    let dossier = read.dossier(number)?.and_then(|dossier| dossier.through(through)).ok_or_else(|| Error::NotFound {
        what: format!("application {number} is not in the ledger"),
        hint: "check the number; `tppledger list applications` lists them".into(),
    })?;
    let latest = dossier.latest();
    let one = Registered::new(&regime, &dossier, as_of.max(latest.submitted_on))?;
    let answer = one.as_ref().map_or_else(|| Section::new("Answer"), |one| application_answer(&regime, one, as_of));
    let lines = lines_section(&regime, latest, one.as_ref());
    let mut history = Section::new("Records");
    let seqs: Vec<u64> =
        dossier.revisions.iter().map(|placed| placed.seq).chain(dossier.events.iter().map(|placed| placed.seq)).collect();
    let mut findings = Section::new("Findings");
    let mut add = |record: &Record, corrected: Option<u64>| {
        history.fact(format!("record {}", record.seq), story(record), told(record, corrected));
        for (code, detail) in parts_of(&record.findings) {
            findings.fact(code.as_str(), detail, code.cite());
        }
    };
    let mut seqs: Vec<(u64, Option<u64>)> = seqs
        .iter()
        .map(|seq| (*seq, dossier.events.iter().find(|placed| placed.seq == *seq).and_then(|placed| placed.corrected_by)))
        .collect();
    read.refusals(through, &mut |record| {
        if record.application == Some(dossier.first) {
            seqs.push((record.seq, None));
        }
        Ok(())
    })?;
    seqs.sort_unstable();
    for (seq, corrected) in seqs {
        if let Some(record) = read.record(seq)? {
            add(&record, corrected);
        }
    }
    Ok(Explanation { title: format!("Application {number}"), sections: vec![answer, lines, history, findings] })
}

/// State, amounts and license of an application.
fn application_answer(regime: &Regime, one: &Registered, as_of: NaiveDate) -> Section {
    let latest = one.application();
    let mut answer = Section::new("Answer");
    let (requested, licensed, shipped) = one.totals();
    answer
        .fact("state", one.state, format!("as of {as_of}"))
        .fact("applicant", latest.applicant.clone(), "")
        .fact("submitted on", latest.submitted_on, "")
        .fact("revision", latest.revision, "")
        .fact("requested", requested.grouped(), "Supp. 2 to part 748 (c)(4)")
        .fact("licensed", licensed.grouped(), "")
        .fact("shipped", shipped.grouped(), "")
        .fact("unshipped", (licensed - shipped).grouped(), "");
    if let Some(license) = one.replay.license {
        answer
            .fact(
                "license",
                one.license_number.clone().unwrap_or_else(|| "without a number".into()),
                format!("record {}", license.issued_by),
            )
            .fact("valid", format!("{} to {}", license.effective_on, license.expires_on), regime.validity_citation.cite.clone())
            .fact("unused given back on", license.give_back_on, regime.unused_citation.cite.clone());
    }
    answer
}

/// What each line asks, holds and counts.
fn lines_section(regime: &Regime, latest: &Application, one: Option<&Registered>) -> Section {
    let mut lines = Section::new("Lines");
    for (index, line) in latest.lines.iter().enumerate() {
        let terms = &line.terms;
        let state = one.and_then(|one| one.replay.lines.get(index));
        let held =
            state.map(|state| format!("; licensed {} units, shipped {}", state.licensed(), state.shipped)).unwrap_or_default();
        let treatment = regime.treatment(terms, latest.submitted_on.max(regime.period.from));
        let counts = if treatment.counts { "counts" } else { "does not count" };
        let limited = if treatment.limited { "limited" } else { "not limited" };
        lines.fact(
            format!("line {}", terms.line),
            format!(
                "{} {} {} to {} ({}): {} TPP{held}; {counts}, {limited}",
                terms.quantity,
                line.device.as_ref().map_or_else(|| "units of".to_string(), |device| format!("x {device}")),
                terms.eccn,
                line.ultimate_consignee,
                terms.destination,
                terms.requested_tpp().grouped()
            ),
            regime.counted_eccn_citation.cite.clone(),
        );
    }
    lines
}

/// What a record says, in one line.
fn story(record: &Record) -> String {
    let refused = if record.is_refused() { " REFUSED" } else { "" };
    match &record.fact {
        Fact::Application(application) => {
            format!("{} application {} revision {}", application.submitted_on, application.number, application.revision)
        }
        Fact::Event(event, _) => {
            let lines: Vec<String> = event
                .lines
                .iter()
                .filter(|line| line.line.is_some() || line.quantity.is_some())
                .map(|line| {
                    let number = line.line.map(|line| format!("line {line} ")).unwrap_or_default();
                    format!("{number}{}", line.quantity.map_or("all".into(), |quantity| quantity.to_string()))
                })
                .collect();
            format!("{} {} {} {}{refused}", event.effective_on, event.id, event.kind, lines.join(", "))
        }
        Fact::Act(act) => {
            format!("{} {} {} {}{refused}", act.effective_on, act.id, act.kind, act.tpp.map(Tpp::grouped).unwrap_or_default())
        }
        Fact::Company(fact) => format!("{} {} {}{refused}", fact.effective_on(), fact.id(), fact.what()),
        Fact::Filing(filing) => format!("{} {} {}", filing.as_of(), filing.id, filing.kind),
        Fact::Regime { id, effective_on, .. } => format!("{effective_on} regime {id} adopted"),
    }
}

fn told(record: &Record, corrected: Option<u64>) -> String {
    let corrected = corrected.map(|by| format!("; undone by record {by}")).unwrap_or_default();
    let reference = match &record.fact {
        Fact::Event(event, _) => event.reference.clone().map(|text| format!("; {text}")).unwrap_or_default(),
        Fact::Act(act) => format!("; {}", act.reference),
        Fact::Company(fact) => fact.reference().map(|text| format!("; {text}")).unwrap_or_default(),
        Fact::Filing(filing) => filing.reference.as_ref().map(|text| format!("; {text}")).unwrap_or_default(),
        _ => String::new(),
    };
    format!(
        "{} by {} from {}{reference}{corrected}",
        moment(record.batch.recorded_at),
        record.batch.recorded_by,
        record.batch.source
    )
}

/// A license by its number.
///
/// # Errors
/// When no license of that number stands.
pub fn license<S: Store>(ledger: &Ledger<S>, number: &str, as_of: NaiveDate, through: Option<u64>) -> Result<Explanation> {
    let found = ledger.store.read()?.license(number)?;
    let Some(application_number) = found.first() else {
        return Err(Error::NotFound {
            what: format!("no license {number} is in the ledger"),
            hint: "check the number; `tppledger list licenses` lists them".into(),
        });
    };
    let explanation = application(ledger, application_number, as_of, through)?;
    Ok(Explanation { title: format!("License {number}, issued on application {application_number}"), ..explanation })
}

/// An event or act: what it says, what it posted or why it was refused, under which sections.
///
/// # Errors
/// When it is not in the ledger.
pub fn event<S: Store>(ledger: &Ledger<S>, id: &str) -> Result<Explanation> {
    let read = ledger.store.read()?;
    let record = read.find(id)?.ok_or_else(|| Error::NotFound {
        what: format!("event {id} is not in the ledger"),
        hint: "check the id; `tppledger list events` lists them".into(),
    })?;
    let (regime, _) = ledger.regime_at(record.seq)?;
    let mut answer = Section::new("Answer");
    answer.fact("decision", if record.is_refused() { "refused" } else { "accepted" }, format!("record {}", record.seq)).fact(
        "what",
        story(&record),
        told(&record, None),
    );
    if let Fact::Event(event, Some(number)) = &record.fact {
        answer.fact("application", number, event.license_number.clone().unwrap_or_default());
    }
    let mut sections = vec![answer];
    for shortfall in &record.shortfalls {
        sections.push(broken_limit(&regime, shortfall));
    }
    let mut posted = Section::new("Entries it posted");
    let mut table = Table::new(columns::entries());
    for (ord, entry) in record.entries.iter().enumerate() {
        let mut cells = vec![
            Cell::Whole(record.seq as i64),
            Cell::Whole(ord as i64),
            Cell::Day(entry.effective_on),
            Cell::code(entry.kind.as_str()),
        ];
        cells.extend(entry.measures.as_array().map(|tpp| amount(Some(tpp))));
        cells.push(Cell::text(record.fact.id()));
        table.push(cells);
    }
    let mut allocations: Vec<String> = record.entries.iter().map(|entry| entry.allocation.to_string()).collect();
    allocations.sort_unstable();
    allocations.dedup();
    if matches!(record.fact, Fact::Company(_)) {
        posted.title = "Entries in country allocations".into();
    }
    posted.fact("in the allocation of", if allocations.is_empty() { "none".into() } else { allocations.join(", ") }, "");
    posted.table = Some(table);
    sections.push(posted);
    sections.extend(super::explain_account::charges_of(&record));
    if !record.findings.is_empty() {
        let mut findings = Section::new("Findings");
        for (code, detail) in parts_of(&record.findings) {
            findings.fact(code.as_str(), detail, code.cite());
        }
        sections.push(findings);
    }
    let kind = match record.fact {
        Fact::Act(_) => "Act",
        Fact::Company(_) => "Fact of a company",
        Fact::Filing(_) => "Filing",
        _ => "Event",
    };
    Ok(Explanation { title: format!("{kind} {id}"), sections })
}

/// A limit that does not hold, with its numbers.
fn broken_limit(regime: &Regime, shortfall: &Shortfall) -> Section {
    let mut section = Section::new(format!("Does not fit in {}", shortfall.allocation));
    section
        .fact("reason", shortfall.code, tables::refusal_cite(regime, shortfall))
        .fact("requested", shortfall.requested.grouped(), "the rise, net over the lines of the event")
        .fact(
            "headroom floor",
            format!("{} on {}", shortfall.headroom_floor.grouped(), shortfall.floor_on),
            "the first day with the largest shortfall",
        )
        .fact("limit on that day", shortfall.limit.grouped(), "")
        .fact("shortfall", shortfall.shortfall.grouped(), "requested - headroom floor")
        .fact(
            "largest that would fit",
            shortfall.largest.grouped(),
            shortfall.largest_quantity.map(|units| format!("{units} units")).unwrap_or_default(),
        );
    section
}
