//! The canonical form of a record, and the chain of digests over it.
//!
//! `docs/record-chain.md` specifies it for strangers. Every field is written as its length in bytes, a colon and its
//! bytes; a field that is absent is `-`. Order is fixed, numbers and amounts are decimal integers (thousandths of a
//! TPP), days are YYYY-MM-DD. A record's digest is SHA-256 over the previous digest and this form, so that no field
//! can be changed, no separator forged and no record dropped without the head changing.

use super::{Batch, Digest, Fact, hex};
use crate::quota::application::LineTpp;
use crate::quota::codes::Country;
use crate::quota::company::account::Charge;
use crate::quota::company::fact::CompanyFact;
use crate::quota::decision::Shortfall;
use crate::quota::event::ActAmount;
use crate::quota::posting::Entry;
use crate::quota::tpp::Tpp;
use chrono::NaiveDate;
use sha2::{Digest as _, Sha256};

/// The digest before the first record: over the name of the form and the first regime's digest.
pub fn genesis(regime: &Digest) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(b"tppledger record chain 1\n");
    hasher.update(regime);
    hasher.finalize().into()
}

/// The head of the chain after a record.
pub fn chain(previous: &Digest, canonical: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update(canonical);
    hasher.finalize().into()
}

/// Writes fields into a buffer.
pub struct Form<'b> {
    out: &'b mut Vec<u8>,
}

impl Form<'_> {
    fn text(&mut self, text: &str) -> &mut Self {
        self.length(text.len());
        self.out.extend_from_slice(text.as_bytes());
        self
    }

    fn length(&mut self, length: usize) {
        let mut digits = [0; 20];
        self.out.extend_from_slice(decimal(length as u64, &mut digits));
        self.out.push(b':');
    }

    fn absent(&mut self) -> &mut Self {
        self.out.push(b'-');
        self
    }

    fn optional(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(text),
            None => self.absent(),
        }
    }

    fn number(&mut self, number: u64) -> &mut Self {
        let mut digits = [0; 20];
        let digits = decimal(number, &mut digits);
        self.length(digits.len());
        self.out.extend_from_slice(digits);
        self
    }

    fn optional_number(&mut self, number: Option<u64>) -> &mut Self {
        match number {
            Some(number) => self.number(number),
            None => self.absent(),
        }
    }

    fn amount(&mut self, tpp: Tpp) -> &mut Self {
        let thousandths = tpp.thousandths();
        let mut digits = [0; 20];
        let digits = decimal(thousandths.unsigned_abs(), &mut digits);
        self.length(digits.len() + usize::from(thousandths < 0));
        if thousandths < 0 {
            self.out.push(b'-');
        }
        self.out.extend_from_slice(digits);
        self
    }

    fn optional_amount(&mut self, tpp: Option<Tpp>) -> &mut Self {
        match tpp {
            Some(tpp) => self.amount(tpp),
            None => self.absent(),
        }
    }

    fn day(&mut self, day: NaiveDate) -> &mut Self {
        use chrono::Datelike;
        self.out.extend_from_slice(b"10:");
        let number = day.year().unsigned_abs() * 10_000 + day.month() * 100 + day.day();
        let digit = |place: u32| b'0' + u8::try_from(number / place % 10).expect("one digit");
        let text = [
            digit(10_000_000),
            digit(1_000_000),
            digit(100_000),
            digit(10_000),
            b'-',
            digit(1000),
            digit(100),
            b'-',
            digit(10),
            digit(1),
        ];
        self.out.extend_from_slice(&text);
        self
    }

    fn optional_day(&mut self, day: Option<NaiveDate>) -> &mut Self {
        match day {
            Some(day) => self.day(day),
            None => self.absent(),
        }
    }
}

/// Decimal digits of a number, in the tail of a buffer.
fn decimal(mut number: u64, buffer: &mut [u8; 20]) -> &[u8] {
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + u8::try_from(number % 10).expect("one digit");
        number /= 10;
        if number == 0 {
            return &buffer[at..];
        }
    }
}

/// What all records of a batch share, written once: when, by whom, from where.
pub fn batch_part(batch: &Batch) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    let mut form = Form { out: &mut out };
    form.number(batch.recorded_at.unsigned_abs()).text(&batch.recorded_by).text(&batch.source);
    form.optional(batch.source_sha256.as_ref().map(hex).as_deref());
    out
}

/// What a record says itself: the fact, its findings, its refusal, its entries. Added to `out`. It does not depend on the
/// record's number, so that it can be written before the record has one.
pub fn body_part(
    out: &mut Vec<u8>,
    what: &Fact,
    findings: &str,
    shortfalls: &[Shortfall],
    entries: &[Entry],
    charges: &[Charge],
) {
    let mut form = Form { out };
    fact(&mut form, what);
    form.text(findings);
    form.number(shortfalls.len() as u64);
    for shortfall in shortfalls {
        form.text(shortfall.code.as_str()).text(&shortfall.allocation.to_string());
        form.amount(shortfall.requested).amount(shortfall.limit).amount(shortfall.headroom_floor).day(shortfall.floor_on);
        form.amount(shortfall.shortfall).amount(shortfall.largest).optional_number(shortfall.largest_quantity.map(u64::from));
    }
    form.number(entries.len() as u64);
    for entry in entries {
        form.day(entry.effective_on).text(entry.allocation.as_str()).text(entry.kind.as_str());
        for tpp in entry.measures.as_array() {
            form.amount(tpp);
        }
    }
    // Records without charges keep the form that they had before there were any.
    if !charges.is_empty() {
        form.text("charges").number(charges.len() as u64);
        for charge in charges {
            form.day(charge.effective_on).text(&charge.account.to_string()).text(charge.kind.as_str()).amount(charge.tpp);
        }
    }
}

/// The digest of a record: over the previous digest and its canonical form, which is number, batch, application,
/// allocation, body. `buffer` is working space.
pub fn digest(previous: &Digest, seq: u64, batch_part: &[u8], belongs: Belongs, body: &[u8], buffer: &mut Vec<u8>) -> Digest {
    buffer.clear();
    Form { out: buffer }.number(seq);
    buffer.extend_from_slice(batch_part);
    let mut form = Form { out: buffer };
    form.optional_number(belongs.application);
    form.optional(belongs.allocation.as_ref().map(|country| country.as_str()));
    buffer.extend_from_slice(body);
    chain(previous, buffer)
}

/// Where a record belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Belongs {
    /// Record of the application; `None` for an application's first record.
    pub application: Option<u64>,
    /// The allocation of an act.
    pub allocation: Option<Country>,
}

fn fact(form: &mut Form, fact: &Fact) {
    match fact {
        Fact::Application(application) => {
            form.text("application").text(&application.number).number(u64::from(application.revision));
            form.day(application.submitted_on).text(&application.applicant).number(application.lines.len() as u64);
            for line in &application.lines {
                let terms = &line.terms;
                form.number(u64::from(terms.line)).text(&line.ultimate_consignee);
                form.text(terms.consignee_headquarters.as_str()).text(terms.parent_headquarters.as_str());
                form.text(line.consignee_kind.as_str()).number(u64::from(terms.assumed)).text(terms.destination.as_str());
                form.text(terms.activity.as_str()).text(terms.eccn.as_str()).optional(line.device.as_deref());
                form.optional_amount(line.tpp_per_unit).optional_amount(line.tpp_aggregated).optional_amount(line.catalogue_tpp);
                match terms.tpp {
                    LineTpp::PerUnit(tpp) => form.text("per_unit").amount(tpp),
                    LineTpp::Aggregate { total, .. } => form.text("aggregate").amount(total),
                };
                form.number(u64::from(terms.quantity)).optional(line.purchase_order.as_deref()).optional(line.end_use.as_deref());
            }
        }
        Fact::Event(event, application) => {
            form.text("event").text(&event.id).day(event.effective_on).text(event.kind.as_str());
            form.optional(application.as_deref()).optional(event.license_number.as_deref());
            form.text(event.basis.as_str()).optional_day(event.expires_on).optional_day(event.last_valid_day);
            form.optional(event.corrects.as_deref())
                .optional(event.reference.as_deref())
                .optional(event.overrun_authority.as_deref());
            form.number(event.lines.len() as u64);
            for line in &event.lines {
                form.optional_number(line.line.map(u64::from)).optional_number(line.quantity.map(u64::from));
            }
            form.number(event.resolved.len() as u64);
            for (line, units) in &event.resolved {
                form.number(u64::from(*line)).number(u64::from(*units));
            }
        }
        Fact::Act(act) => {
            form.text("act").text(&act.id).day(act.effective_on).text(act.kind.as_str()).text(act.destination.as_str());
            match act.amount {
                ActAmount::All => form.text("all").absent(),
                ActAmount::Percent(percent) => form.text("percent").text(&percent.normalize().to_string()),
                ActAmount::Tpp(tpp) => form.text("tpp").amount(tpp),
            };
            form.optional_amount(act.tpp).text(&act.reference);
        }
        Fact::Company(company) => {
            let fields = company.fields();
            form.text("company").text(company.id()).text(company.what()).number(fields.len() as u64);
            for (name, line, value) in fields {
                form.text(name).optional_number(line.map(u64::from)).text(&value);
            }
            if let CompanyFact::Shipment(shipment) = company {
                for line in &shipment.lines {
                    form.amount(line.tpp);
                }
            }
        }
        Fact::Filing(filing) => {
            form.text("filing").text(&filing.id).text(filing.kind.as_str()).text(&filing.quarter.to_string());
            form.number(filing.through).optional(filing.reference.as_deref()).number(filing.files.len() as u64);
            for file in &filing.files {
                form.text(&file.name).number(file.bytes).text(&hex(&file.sha256));
            }
        }
        Fact::Regime { id, digest, reference, effective_on } => {
            form.text("regime").text(id).text(&hex(digest)).text(reference).day(*effective_on);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separator_cannot_be_forged() {
        let form = |a: &str, b: &str| {
            let mut out = Vec::new();
            Form { out: &mut out }.text(a).text(b);
            out
        };
        assert_ne!(form("a", "1:b"), form("a1:b", ""));
        assert_eq!(form("a", "1:b"), b"1:a3:1:b");
    }

    #[test]
    fn absent_is_not_empty() {
        let mut out = Vec::new();
        Form { out: &mut out }.optional(None).optional(Some("")).amount(Tpp::from_thousandths(-5));
        assert_eq!(out, b"-0:2:-5");
    }
}
