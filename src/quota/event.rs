//! Events: what happens to an application or its license; and acts: what the administrator does to limits.
//!
//! Both are facts with an id that is unique for ever. They are kept as they were meant: blank cells stay blank
//! where blank means "all", and what had to be resolved when the row was recorded is kept beside it.

use super::application::Difference;
use super::codes::Country;
use super::tpp::Tpp;
use chrono::NaiveDate;
use rust_decimal::Decimal;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }
        impl $name {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];
            /// The word in files.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }
            /// The variant of a word, exactly as it is written in files.
            pub fn parse(word: &str) -> Option<$name> {
                Self::ALL.iter().copied().find(|variant| variant.as_str() == word)
            }
        }
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { f.pad(self.as_str()) }
        }
    };
}
pub(crate) use words;

words! {
    /// What happens to an application or a license (15 CFR parts 748 and 750).
    EventKind {
        /// Hold without action.
        Hold = "hold",
        /// End of a hold or of an intent to deny.
        Resume = "resume",
        /// Return without action.
        Return = "return",
        /// Withdrawn by the applicant.
        Withdraw = "withdraw",
        /// Notice of intent to deny (750.6).
        IntendToDeny = "intend_to_deny",
        /// Denied.
        Deny = "deny",
        /// A license is issued, in whole or in part (748.6(c)).
        Issue = "issue",
        /// A line's licensed quantity is set anew.
        Amend = "amend",
        /// A later last valid day.
        Extend = "extend",
        /// Licensed units left.
        Ship = "ship",
        /// Shipping is stopped (750.8).
        Suspend = "suspend",
        /// Shipping may go on.
        Reinstate = "reinstate",
        /// The license ends; the unshipped is given back (750.8).
        Revoke = "revoke",
        /// The licensee will not ship a quantity.
        Surrender = "surrender",
        /// Shipped units are lost, damaged, failed, relocated or resold.
        Attrition = "attrition",
        /// An earlier event or act is undone.
        Correct = "correct",
        /// A text is attached.
        Note = "note",
    }
}

words! {
    /// How a feed of quantities is to be read.
    Basis {
        /// Each row adds its quantity.
        Delta = "delta",
        /// Each row states the total so far.
        Cumulative = "cumulative",
    }
}

/// One line of an event, as given: blank means "all that can be meant".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventLine {
    /// Line of the application; blank for the only one, or for all.
    pub line: Option<u32>,
    /// Quantity.
    pub quantity: Option<u32>,
}

/// Something that happened to an application or its license.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Unique for ever, in one namespace with acts.
    pub id: String,
    /// The day the fact counts from.
    pub effective_on: NaiveDate,
    /// What happened.
    pub kind: EventKind,
    /// Application, as named; may be blank where the license or `corrects` names it.
    pub application: Option<String>,
    /// License: given by `issue`, naming the application elsewhere.
    pub license_number: Option<String>,
    /// Lines, as given; one blank line when neither line nor quantity was given.
    pub lines: Vec<EventLine>,
    /// For ship and attrition.
    pub basis: Basis,
    /// As given, for issue and extend.
    pub expires_on: Option<NaiveDate>,
    /// Event or act to undo.
    pub corrects: Option<String>,
    /// Document, order number or text.
    pub reference: Option<String>,
    /// Order under which a limit may be passed.
    pub overrun_authority: Option<String>,
    /// Settled when recorded: for an issue its last valid day.
    pub last_valid_day: Option<NaiveDate>,
    /// Settled when recorded: for a ship with a blank quantity the units of each line.
    pub resolved: Vec<(u32, u32)>,
}

impl Event {
    /// A bare event of one kind on one day, for every line.
    pub fn new(id: impl Into<String>, kind: EventKind, application: impl Into<String>, effective_on: NaiveDate) -> Self {
        Event {
            id: id.into(),
            effective_on,
            kind,
            application: Some(application.into()),
            license_number: None,
            lines: vec![EventLine { line: None, quantity: None }],
            basis: Basis::Delta,
            expires_on: None,
            corrects: None,
            reference: None,
            overrun_authority: None,
            last_valid_day: None,
            resolved: Vec::new(),
        }
    }

    /// The first field in which another row of the same id says something else, as meant. The application is
    /// compared by the caller, who knows what each row resolves to.
    pub fn difference(&self, other: &Event) -> Option<Difference> {
        let field = |name: &'static str, line: Option<u32>, old: String, new: String| {
            (old != new).then_some(Difference { field: name, line, old, new })
        };
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let day = |value: &Option<NaiveDate>| value.map(|day| day.to_string()).unwrap_or_default();
        let number = |value: Option<u32>| value.map(|number| number.to_string()).unwrap_or_default();
        // Only an issue gives a license number; elsewhere it is another way to name the application.
        let license = |event: &Event| if event.kind == EventKind::Issue { text(&event.license_number) } else { String::new() };
        field("event", None, self.kind.to_string(), other.kind.to_string())
            .or_else(|| field("effective_on", None, self.effective_on.to_string(), other.effective_on.to_string()))
            .or_else(|| field("license_number", None, license(self), license(other)))
            .or_else(|| {
                let lines = |event: &Event| event.lines.iter().map(|line| number(line.line)).collect::<Vec<_>>().join(", ");
                field("line", None, lines(self), lines(other))
            })
            .or_else(|| {
                self.lines
                    .iter()
                    .zip(&other.lines)
                    .find_map(|(a, b)| field("quantity", a.line, number(a.quantity), number(b.quantity)))
            })
            .or_else(|| field("basis", None, self.basis.to_string(), other.basis.to_string()))
            .or_else(|| field("expires_on", None, day(&self.expires_on), day(&other.expires_on)))
            .or_else(|| field("corrects", None, text(&self.corrects), text(&other.corrects)))
            .or_else(|| field("reference", None, text(&self.reference), text(&other.reference)))
            .or_else(|| field("overrun_authority", None, text(&self.overrun_authority), text(&other.overrun_authority)))
    }
}

words! {
    /// What the administrator does to a destination's limit.
    ActKind {
        /// A government's assurances are on record (742.6(b)(10)(iii)(C), Supp. 5(b) to part 740).
        Commit = "commit",
        /// The assurances end; increases in force stay.
        EndCommitment = "end_commitment",
        /// The limit rises.
        Increase = "increase",
        /// An increase is taken back.
        WithdrawIncrease = "withdraw_increase",
        /// TPP is set aside from issue.
        Withhold = "withhold",
        /// TPP set aside is freed.
        EndWithholding = "end_withholding",
        /// The annual review, as a note of record (742.6(b)(10)(iii)(B)(2)).
        Review = "review",
        /// Licensed before this ledger was kept, in total.
        CarryIn = "carry_in",
    }
}

/// The amount of an act, as given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ActAmount {
    /// None given: for withdrawals "all".
    All,
    /// Percent of the base on the act's effective date.
    Percent(Decimal),
    /// TPP.
    Tpp(Tpp),
}

/// Something the administrator does to a limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Act {
    /// Unique for ever, in one namespace with events.
    pub id: String,
    /// The day the fact counts from.
    pub effective_on: NaiveDate,
    /// What is done.
    pub kind: ActKind,
    /// Whose limit, as stated.
    pub destination: Country,
    /// Amount, as given.
    pub amount: ActAmount,
    /// Settled when recorded: the amount in TPP, where one was given.
    pub tpp: Option<Tpp>,
    /// Document.
    pub reference: String,
}

impl Act {
    /// The first field in which another row of the same id says something else.
    pub fn difference(&self, other: &Act) -> Option<Difference> {
        let field = |name: &'static str, old: String, new: String| {
            (old != new).then_some(Difference { field: name, line: None, old, new })
        };
        let percent =
            |act: &Act| if let ActAmount::Percent(value) = act.amount { value.normalize().to_string() } else { String::new() };
        let tpp = |act: &Act| if let ActAmount::Tpp(value) = act.amount { value.to_string() } else { String::new() };
        field("act", self.kind.to_string(), other.kind.to_string())
            .or_else(|| field("effective_on", self.effective_on.to_string(), other.effective_on.to_string()))
            .or_else(|| field("destination", self.destination.to_string(), other.destination.to_string()))
            .or_else(|| field("percent", percent(self), percent(other)))
            .or_else(|| field("tpp", tpp(self), tpp(other)))
            .or_else(|| field("reference", self.reference.clone(), other.reference.clone()))
    }
}

/// A fact in its place: with the number of its record, and whether a later record undid it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placed<T> {
    /// Number of the record.
    pub seq: u64,
    /// The record of the `correct` that undid it.
    pub corrected_by: Option<u64>,
    /// The fact.
    pub fact: T,
}

impl<T> Placed<T> {
    /// A fact that stands.
    pub fn new(seq: u64, fact: T) -> Self {
        Placed { seq, corrected_by: None, fact }
    }

    /// The same place, the fact by reference.
    pub fn as_ref(&self) -> Placed<&T> {
        Placed { seq: self.seq, corrected_by: self.corrected_by, fact: &self.fact }
    }

    /// Whether it was undone.
    pub fn is_corrected(&self) -> bool {
        self.corrected_by.is_some()
    }
}

/// Only what was recorded through a record: facts up to it, and corrections up to it.
pub fn through<T>(facts: Vec<Placed<T>>, seq: u64) -> Vec<Placed<T>> {
    facts
        .into_iter()
        .filter(|placed| placed.seq <= seq)
        .map(|placed| Placed { corrected_by: placed.corrected_by.filter(|by| *by <= seq), ..placed })
        .collect()
}

/// Facts in the order in which they act: by effective day, then as recorded.
pub fn in_order<T>(facts: &mut [Placed<T>], day: impl Fn(&T) -> NaiveDate) {
    facts.sort_by_key(|placed| (day(&placed.fact), placed.seq));
}
