//! Findings: what a decision or a record has to say beside "accepted" or "refused".
//!
//! A closed list in order of precedence; a code is printed in snake_case and never used again for something else.

use std::fmt;

macro_rules! findings {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $cite:literal;)+) => {
        /// One kind of finding.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum FindingCode { $($(#[$doc])* $variant,)+ }
        impl FindingCode {
            /// All of them, in order of precedence.
            pub const ALL: &'static [FindingCode] = &[$(FindingCode::$variant,)+];
            /// The code as it is printed.
            pub const fn as_str(self) -> &'static str {
                match self { $(FindingCode::$variant => $text,)+ }
            }
            /// The section behind it, or the promise of the ledger.
            pub const fn cite(self) -> &'static str {
                match self { $(FindingCode::$variant => $cite,)+ }
            }
        }
    };
}

findings! {
    /// Issued over a limit by order of an authority.
    OverrunAuthorized = "overrun_authorized", "ledger promise 4";
    /// Left without a license to cover it; charged.
    UnlicensedShipment = "unlicensed_shipment", "750.7; ledger promise 5";
    /// A late report takes away a give-back that was already licensed to others.
    GiveBackAlreadyLicensed = "give_back_already_licensed", "ledger promise 6";
    /// Shipped after the last valid day.
    ShipAfterExpiry = "ship_after_expiry", "750.7(g)";
    /// Shipped while the license was suspended.
    ShipWhileSuspended = "ship_while_suspended", "750.8";
    /// A quantity stopped at what was there.
    QuantityBent = "quantity_bent", "ledger: states are strict, quantities bend";
    /// Headquartered in Macau or D:5, itself or its parent.
    DenialHeadquarters = "denial_headquarters", "742.6(b)(10)(iii)(A)(1)";
    /// Headquartered in a Supplement No. 5(a) country: counts, not limited (a reading).
    UnlimitedHeadquarters = "unlimited_headquarters", "742.6(b)(10)(iii)(A)(2), (B)(1)";
    /// A licensed in-country transfer does not count (a reading).
    TransferNotCounted = "transfer_not_counted", "742.6(b)(10)(iii)(B)(1)";
    /// Licensed before the period: not counted.
    BeforePeriod = "before_period", "742.6(b)(10)(iii)(B)(1)";
    /// Licensed after the period: not counted.
    AfterPeriod = "after_period", "742.6(b)(10)(iii)(B)(1)";
    /// Only a part of what was asked is licensed; the rest is not granted.
    PartNotGranted = "part_not_granted", "748.6(c)";
    /// Licensed above what was asked.
    AboveRequested = "above_requested", "Supp. 2 to part 748 (c)(3)";
    /// Expires later than the regime's validity.
    BeyondValidity = "beyond_validity", "750.7(g)";
    /// Declared figures disagree with one another or with the catalogue.
    TppDiffers = "tpp_differs", "Supp. 2 to part 748 (c)(4)";
    /// More than one capped destination on an application.
    SeveralCappedDestinations = "several_capped_destinations", "Supp. 2 to part 748 (c)(4)";
    /// The ECCN names no paragraph, though one of its paragraphs counts.
    ParagraphMissing = "paragraph_missing", "742.6(b)(10)(iii)(B)(1)";
    /// A territory, counted in its parent.
    CountedInParent = "counted_in_parent", "738 Supp. 1";
    /// A destination with a remark of its own in the regime.
    DestinationNoted = "destination_noted", "738 Supp. 1";
    /// Not named by the regulation; capped on its own.
    DestinationNotNamed = "destination_not_named", "738 Supp. 1";
    /// Headquarters or kind of consignee assumed, because the cell is blank.
    Assumed = "assumed", "742.6(b)(10)(iii)";
    /// A company's limit or share is passed by what was made already.
    CompanyLimitPassed = "company_limit_passed", "740.29(a); 748.15(a)(2)(iii)(B); Supp. 10 to part 748, paragraph 6";
    /// A share will be passed on the next reporting date, if nothing else changes.
    SharePassedOnReportingDate = "share_passed_on_reporting_date", "Supp. 10 to part 748, paragraph 6";
    /// The exception or authorization does not serve what was shipped under it.
    AuthorizationNotAvailable = "authorization_not_available", "740.27 to 740.29; 748.15";
    /// A party's parent is not stated: it is taken as its own ultimate parent.
    ParentUnknown = "parent_unknown", "740.29(h)(1)";
    /// Two parties have the same identifier.
    IdentifierShared = "identifier_shared", "ledger: one company, one party";
    /// A certificate states less than is recorded.
    CertificateBelowRecorded = "certificate_below_recorded", "740.29(f)(iii)";
    /// Effective after the day of recording.
    FutureDated = "future_dated", "ledger: two axes of time";
    /// Effective in a quarter that is closed, or before one: its filed figures stay as they were filed.
    ClosedQuarter = "closed_quarter", "ledger: what was filed stays as filed";
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A finding with its numbers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Finding {
    /// Its kind.
    pub code: FindingCode,
    /// Numbers and names; may be empty.
    pub detail: String,
}

impl Finding {
    /// A finding with its numbers and names.
    pub fn new(code: FindingCode, detail: impl Into<String>) -> Self {
        Finding { code, detail: detail.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.detail.is_empty() { write!(f, "{}", self.code) } else { write!(f, "{} ({})", self.code, self.detail) }
    }
}

/// Findings as one text: `code (detail); code`. The form in which the ledger and the registers keep them.
pub fn findings_text(findings: &[Finding]) -> String {
    findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("; ")
}

/// A findings text taken apart again: each code with its numbers and names.
pub fn parts_of(text: &str) -> Vec<(FindingCode, String)> {
    let mut parts: Vec<(FindingCode, String)> = Vec::new();
    for piece in text.split("; ") {
        let word = piece.split(" (").next().unwrap_or_default();
        match (FindingCode::ALL.iter().find(|code| code.as_str() == word), parts.last_mut()) {
            (Some(code), _) => parts.push((*code, piece[word.len()..].trim_start_matches(" (").to_string())),
            // A detail may hold a semicolon of its own.
            (None, Some((_, detail))) => {
                detail.push_str("; ");
                detail.push_str(piece);
            }
            (None, None) => {}
        }
    }
    for (_, detail) in &mut parts {
        if detail.ends_with(')') {
            detail.pop();
        }
    }
    parts
}

/// Only the codes of a findings text, in order of precedence.
pub fn codes_of(text: &str) -> Vec<&'static str> {
    let mut codes: Vec<FindingCode> = parts_of(text).into_iter().map(|(code, _)| code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes.into_iter().map(FindingCode::as_str).collect()
}
