//! Tests: what a condition may ask of a transaction.
//!
//! They are all that the program knows of the law of screening; which of them a rule asks, with which countries, amounts and days, is
//! written in the regime's `screening.toml`. `docs/screening.md` has their words. Invariant: a test gives the same for every order
//! of its parts.

use super::membership::Membership;
use super::transaction::{Fact, Transaction, TransactionColumn};
use super::truth::{Needs, Truth};
use crate::quota::codes::{Country, Eccn};
use crate::quota::tpp::Tpp;
use chrono::NaiveDate;
use rust_decimal::Decimal;

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
        let shipment = || match transaction.shipment_tpp() {
            None if transaction.quantity.is_none() => known(None, C::Quantity).plus(tpp(transaction.tpp_per_unit, C::TppPerUnit)),
            shipment => tpp(shipment, C::TppPerUnit),
        };
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
    /// Made in the home country, or in a territory of it.
    MadeInHome(Membership),
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
    /// The amounts that it compares, with their names, as far as they are known; "at least" where only a part is.
    pub(super) fn amounts_told(&self, transaction: &Transaction) -> Vec<String> {
        let mut told = Vec::new();
        self.amounts(&mut |amount| {
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
    pub fn truth(&self, transaction: &Transaction) -> Truth {
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
            Test::MadeInHome(home) => {
                Truth::Known(transaction.made_in.is_none_or(|country| home.contains(country, transaction.on)))
            }
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
            Test::All(tests) => Truth::all(tests.iter().map(|test| test.truth(transaction))),
            Test::Any(tests) => Truth::any(tests.iter().map(|test| test.truth(transaction))),
            Test::Not(test) => test.truth(transaction).negated(),
        }
    }
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
