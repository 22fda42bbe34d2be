//! The rules of screening as data: lists of rules, each made of conditions with their citation.
//!
//! A condition is one test, and another where the text can be read in a second way. The tests are all that the program
//! knows; which of them a rule asks, with which countries, amounts and days, is written in the regime's
//! `screening.toml`. Invariant: a test gives the same for every order of its parts.

use super::transaction::{Fact, Transaction, TransactionColumn};
use super::truth::{Needs, Truth, Verdict};
use crate::quota::codes::{Country, Eccn};
use crate::quota::regime::{Citation, Groups};
use crate::quota::tpp::Tpp;
use chrono::NaiveDate;
use rust_decimal::Decimal;

/// The law of screening, ready to be asked.
#[derive(Clone, Debug)]
pub struct Rulebook {
    /// The home country of the regime.
    pub home: Country,
    /// What is announced as enforced.
    pub enforcement: Vec<Rule>,
    /// What makes an item subject to the rule.
    pub subject: Vec<Rule>,
    /// What requires a license.
    pub requirement: Vec<Rule>,
    /// Exceptions and authorizations that serve instead.
    pub exception: Vec<Rule>,
    /// How an application is reviewed: the first that holds decides.
    pub policy: Vec<Rule>,
    /// What to file and keep.
    pub filing: Vec<Rule>,
    /// What to clear up first.
    pub red_flag: Vec<Rule>,
}

/// A rule: it holds when all its conditions do.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Unique in its list.
    pub id: String,
    /// What people call it: `LPP`, a paragraph, a review policy.
    pub code: String,
    /// One line.
    pub title: String,
    /// Of an exception: the allocation it is charged to.
    pub counts_in: Option<String>,
    /// Of a policy: whether what is licensed under it is counted in the country allocation.
    pub counts: bool,
    /// Of a filing: the exceptions it goes with, or `license`.
    pub goes_with: Vec<String>,
    /// Of a filing: to whom, under which subject, by when.
    pub filing: Option<Filing>,
    /// Source.
    pub citation: Citation,
    /// What it asks.
    pub conditions: Vec<Condition>,
}

/// What is filed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filing {
    /// To whom.
    pub to: String,
    /// Its subject line, where one is prescribed.
    pub subject: String,
    /// By when.
    pub due: String,
}

/// One thing that a rule asks.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Unique in its rule.
    pub id: String,
    /// As a sentence.
    pub text: String,
    /// The section it stands in.
    pub cite: String,
    /// The test, by the default reading.
    pub test: Test,
    /// The other reading, where the text is open, in words and as a test.
    pub other: Option<(String, Test)>,
}

impl Condition {
    /// Its outcome for a transaction.
    pub fn verdict(&self, transaction: &Transaction, home: Country) -> Verdict {
        let truth = self.test.truth(transaction, home);
        Verdict::of(truth, self.other.as_ref().map(|(_, other)| other.truth(transaction, home)))
    }

    /// The amounts that it compares, with their names, as far as they are known; "at least" where only a part is.
    pub fn amounts(&self, transaction: &Transaction) -> Vec<String> {
        let mut told = Vec::new();
        self.test.amounts(&mut |amount| {
            let name = Amount::ALL.iter().find(|(known, _)| *known == amount).map_or("", |(_, name)| name);
            let text = match amount.of(transaction) {
                Extent::Is(value) => format!("{name} {}", value.normalize()),
                Extent::AtLeast(part, _) if part > Decimal::ZERO => format!("{name} at least {}", part.normalize()),
                Extent::AtLeast(..) => return,
            };
            if !told.contains(&text) {
                told.push(text);
            }
        });
        told
    }
}

/// Whose country a test looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seat {
    /// The destination.
    Destination,
    /// The ultimate consignee's headquarters.
    Consignee,
    /// Its ultimate parent's.
    Parent,
    /// The owner's; the consignee's where no other is named.
    Owner,
    /// The operator's; the consignee's where no other is named.
    Operator,
}

impl Seat {
    fn of(self, transaction: &Transaction) -> (Option<Country>, TransactionColumn) {
        use TransactionColumn as C;
        let consignee = transaction.consignee_headquarters;
        match self {
            Seat::Destination => (Some(transaction.destination), C::Destination),
            Seat::Consignee => (consignee, C::ConsigneeHeadquarters),
            Seat::Parent => (transaction.parent_headquarters, C::ParentHeadquarters),
            Seat::Owner => match transaction.owner_headquarters {
                None => (consignee, C::ConsigneeHeadquarters),
                owner => (owner, C::OwnerHeadquarters),
            },
            Seat::Operator => match transaction.operator_headquarters {
                None => (consignee, C::ConsigneeHeadquarters),
                operator => (operator, C::OperatorHeadquarters),
            },
        }
    }
}

/// How many of the consignee's and the parent's headquarters must be in the groups.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Headquarters {
    /// One of them.
    Any,
    /// Neither.
    None,
    /// Both.
    Both,
}

/// A word of a transaction that a test compares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// Kind of item.
    ItemKind,
    /// Activity.
    Activity,
    /// End user.
    EndUser,
    /// End use.
    EndUse,
    /// Authorization.
    Veu,
    /// Weights.
    Weights,
}

impl Word {
    /// The word as a number, and the column it stands in.
    fn of(self, transaction: &Transaction) -> (Option<u8>, TransactionColumn) {
        use TransactionColumn as C;
        match self {
            Word::ItemKind => (Some(transaction.item_kind as u8), C::ItemKind),
            Word::Activity => (Some(transaction.activity as u8), C::Activity),
            Word::EndUser => (transaction.end_user.map(|word| word as u8), C::EndUser),
            Word::EndUse => (transaction.end_use.map(|word| word as u8), C::EndUse),
            Word::Veu => (transaction.veu.map(|word| word as u8), C::Veu),
            Word::Weights => (transaction.weights.map(|word| word as u8), C::Weights),
        }
    }
}

/// An amount of a transaction that a test compares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Amount {
    /// TPP of a unit.
    TppPerUnit,
    /// TPP of the shipment.
    ShipmentTpp,
    /// Performance density.
    PerformanceDensity,
    /// Memory bandwidth.
    MemoryBandwidth,
    /// Received under LPP, with this shipment.
    LppTotalTpp,
    /// Received under AIA, with this shipment.
    AiaTotalTpp,
    /// Operations of the training.
    TrainingOperations,
    /// Operations of further training.
    DerivedOperations,
    /// Percent of shipments that went to China and Macau.
    ApprovedShare,
}

impl Amount {
    /// All, with their words in the regime's data.
    pub const ALL: [(Amount, &'static str); 9] = [
        (Amount::TppPerUnit, "tpp_per_unit"),
        (Amount::ShipmentTpp, "shipment_tpp"),
        (Amount::PerformanceDensity, "performance_density"),
        (Amount::MemoryBandwidth, "memory_bandwidth_gb_s"),
        (Amount::LppTotalTpp, "lpp_total_tpp"),
        (Amount::AiaTotalTpp, "aia_total_tpp"),
        (Amount::TrainingOperations, "training_operations"),
        (Amount::DerivedOperations, "derived_operations"),
        (Amount::ApprovedShare, "approved_share"),
    ];

    fn of(self, transaction: &Transaction) -> Extent {
        use TransactionColumn as C;
        let known = |amount: Option<Decimal>, column| match amount {
            Some(amount) => Extent::Is(amount),
            None => Extent::AtLeast(Decimal::ZERO, Needs::of(column)),
        };
        let tpp = |tpp: Option<Tpp>, column| known(tpp.map(Tpp::to_decimal), column);
        let shipment = || tpp(transaction.shipment_tpp(), C::TppPerUnit);
        match self {
            Amount::TppPerUnit => tpp(transaction.tpp_per_unit, C::TppPerUnit),
            Amount::ShipmentTpp => shipment(),
            Amount::PerformanceDensity => known(transaction.performance_density, C::PerformanceDensity),
            Amount::MemoryBandwidth => known(transaction.memory_bandwidth_gb_s, C::MemoryBandwidth),
            Amount::LppTotalTpp => tpp(transaction.lpp_received_tpp, C::LppReceivedTpp).plus(shipment()),
            Amount::AiaTotalTpp => tpp(transaction.aia_received_tpp, C::AiaReceivedTpp).plus(shipment()),
            Amount::TrainingOperations => known(transaction.training_operations, C::TrainingOperations),
            Amount::DerivedOperations => known(transaction.derived_operations, C::DerivedOperations),
            Amount::ApprovedShare => known(transaction.approved_share, C::ApprovedShare),
        }
    }
}

/// How much is known of an amount.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Extent {
    /// All.
    Is(Decimal),
    /// A part; the rest, which is not below zero, needs these.
    AtLeast(Decimal, Needs),
}

impl Extent {
    fn plus(self, other: Extent) -> Extent {
        let (Extent::Is(a) | Extent::AtLeast(a, _), Extent::Is(b) | Extent::AtLeast(b, _)) = (self, other);
        let needs = [self, other].iter().fold(Needs::NONE, |needs, part| match part {
            Extent::Is(_) => needs,
            Extent::AtLeast(_, more) => needs.and(*more),
        });
        if needs.is_empty() { Extent::Is(a + b) } else { Extent::AtLeast(a + b, needs) }
    }
}

/// How an amount is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// Not less.
    AtLeast,
    /// More.
    MoreThan,
    /// Not more.
    AtMost,
    /// Less.
    Below,
}

impl Bound {
    /// All, with their words in the regime's data.
    pub const ALL: [(Bound, &'static str); 4] =
        [(Bound::AtLeast, "at_least"), (Bound::MoreThan, "more_than"), (Bound::AtMost, "at_most"), (Bound::Below, "below")];

    fn holds(self, amount: Decimal, bound: Decimal) -> bool {
        match self {
            Bound::AtLeast => amount >= bound,
            Bound::MoreThan => amount > bound,
            Bound::AtMost => amount <= bound,
            Bound::Below => amount < bound,
        }
    }

    /// A part that is known decides where the rest could change nothing: above an upper bound it only grows.
    fn truth(self, amount: Extent, bound: Decimal) -> Truth {
        match amount {
            Extent::Is(amount) => Truth::Known(self.holds(amount, bound)),
            Extent::AtLeast(part, needs) => {
                let holds = self.holds(part, bound);
                let decided = holds == matches!(self, Bound::AtLeast | Bound::MoreThan);
                if decided { Truth::Known(holds) } else { Truth::Unknown(needs) }
            }
        }
    }
}

/// What a condition asks of a transaction. `docs/screening.md` has the words.
#[derive(Clone, Debug)]
pub enum Test {
    /// As written.
    Always(bool),
    /// A country is in one of the groups.
    In(Seat, Membership),
    /// Headquarters are in the groups.
    Headquarters(Headquarters, Membership),
    /// Made in the home country.
    MadeInHome,
    /// Another owner than the consignee is named.
    OtherOwner,
    /// Another operator than the consignee is named.
    OtherOperator,
    /// The classification is one of these paragraphs, or below one.
    EccnIn(Vec<Eccn>),
    /// The word is one of these, by bit.
    WordIn(Word, u8),
    /// The fact is so.
    Fact(Fact),
    /// The amount is within the bound.
    Amount(Amount, Bound, Decimal),
    /// The day is on this one or later.
    From(NaiveDate),
    /// All hold.
    All(Vec<Test>),
    /// One holds.
    Any(Vec<Test>),
    /// It does not hold.
    Not(Box<Test>),
}

impl Test {
    /// Visits the amounts that it compares.
    fn amounts(&self, visit: &mut dyn FnMut(Amount)) {
        match self {
            Test::Amount(amount, ..) => visit(*amount),
            Test::All(tests) | Test::Any(tests) => tests.iter().for_each(|test| test.amounts(visit)),
            Test::Not(test) => test.amounts(visit),
            _ => {}
        }
    }

    /// What it gives for a transaction.
    pub fn truth(&self, transaction: &Transaction, home: Country) -> Truth {
        let known = |value: Option<bool>, column| value.map_or(Truth::Unknown(Needs::of(column)), Truth::Known);
        let is_in = |seat: Seat, groups: &Membership| {
            let (country, column) = seat.of(transaction);
            known(country.map(|country| groups.contains(country, transaction.on)), column)
        };
        match self {
            Test::Always(value) => Truth::Known(*value),
            Test::In(seat, groups) => is_in(*seat, groups),
            Test::Headquarters(how, groups) => {
                let seats = [Seat::Consignee, Seat::Parent].map(|seat| is_in(seat, groups));
                match how {
                    Headquarters::Any => Truth::any(seats),
                    Headquarters::None => Truth::any(seats).negated(),
                    Headquarters::Both => Truth::all(seats),
                }
            }
            Test::MadeInHome => Truth::Known(transaction.made_in.is_none_or(|country| country == home)),
            Test::OtherOwner => Truth::Known(transaction.owner_headquarters.is_some()),
            Test::OtherOperator => Truth::Known(transaction.operator_headquarters.is_some()),
            Test::EccnIn(paragraphs) => known(
                transaction.eccn.and_then(|eccn| {
                    if paragraphs.iter().any(|paragraph| eccn.is_within(paragraph)) {
                        return Some(true);
                    }
                    // An entry without its paragraph may be one of those listed.
                    (!paragraphs.iter().any(|paragraph| paragraph.is_within(&eccn))).then_some(false)
                }),
                TransactionColumn::Eccn,
            ),
            Test::WordIn(word, set) => {
                let (value, column) = word.of(transaction);
                known(value.map(|value| set & (1 << value) != 0), column)
            }
            Test::Fact(fact) => known(transaction.fact(*fact), fact.column()),
            Test::Amount(amount, bound, value) => bound.truth(amount.of(transaction), *value),
            Test::From(day) => Truth::Known(transaction.on >= *day),
            Test::All(tests) => Truth::all(tests.iter().map(|test| test.truth(transaction, home))),
            Test::Any(tests) => Truth::any(tests.iter().map(|test| test.truth(transaction, home))),
            Test::Not(test) => test.truth(transaction, home).negated(),
        }
    }
}

/// The countries of several groups together, by day: a bit for each pair of letters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Membership {
    /// From each day on; the first is the beginning of time.
    steps: Vec<(NaiveDate, [u64; 11])>,
}

impl Membership {
    /// Of groups by their ids. A territory is where its parent is.
    pub fn new(groups: &Groups, ids: &[String], countries: impl Iterator<Item = Country> + Clone) -> Membership {
        let chosen: Vec<_> = groups.groups.iter().filter(|group| ids.contains(&group.id)).collect();
        let mut days: Vec<NaiveDate> = chosen.iter().flat_map(|group| group.changes.iter().map(|change| change.on)).collect();
        days.push(NaiveDate::MIN);
        days.sort_unstable();
        days.dedup();
        let is_member = |country, day| chosen.iter().any(|group| group.contains(country, day));
        let step = |day| (day, bits(groups, countries.clone(), |country| is_member(country, day)));
        Membership { steps: days.into_iter().map(step).collect() }
    }

    /// Of countries by name, on every day. A territory is where its parent is.
    pub fn named(groups: &Groups, named: &[Country], countries: impl Iterator<Item = Country>) -> Membership {
        Membership { steps: vec![(NaiveDate::MIN, bits(groups, countries, |country| named.contains(&country)))] }
    }

    /// Whether a country is in one of the groups on a day.
    pub fn contains(&self, country: Country, on: NaiveDate) -> bool {
        let (word, bit) = place(country);
        self.steps.iter().rev().find(|(from, _)| *from <= on).is_some_and(|(_, bits)| bits[word] & bit != 0)
    }
}

fn bits(groups: &Groups, countries: impl Iterator<Item = Country>, is_member: impl Fn(Country) -> bool) -> [u64; 11] {
    let mut bits = [0; 11];
    for country in countries {
        if is_member(groups.territories.get(&country).copied().unwrap_or(country)) {
            let (word, bit) = place(country);
            bits[word] |= bit;
        }
    }
    bits
}

fn place(country: Country) -> (usize, u64) {
    let [first, second] = country.index().to_be_bytes();
    let slot = usize::from(first - b'A') * 26 + usize::from(second - b'A');
    (slot / 64, 1 << (slot % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_above_the_limit_decides_and_a_part_below_it_does_not() {
        let needs = Needs::of(TransactionColumn::LppReceivedTpp);
        let part = |part: i64| Extent::AtLeast(part.into(), needs);
        let limit = Decimal::from(100);
        assert_eq!(Bound::AtMost.truth(part(101), limit), Truth::Known(false));
        assert_eq!(Bound::AtMost.truth(part(100), limit), Truth::Unknown(needs));
        assert_eq!(Bound::Below.truth(part(100), limit), Truth::Known(false));
        assert_eq!(Bound::AtLeast.truth(part(100), limit), Truth::Known(true));
        assert_eq!(Bound::MoreThan.truth(part(100), limit), Truth::Unknown(needs));
        assert_eq!(Bound::AtMost.truth(Extent::Is(60.into()).plus(Extent::Is(40.into())), limit), Truth::Known(true));
    }
}
