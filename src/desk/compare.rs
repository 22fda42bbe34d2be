//! Two regimes compared: what each alone says, in people's words, and where a summary differs from the regulation in words.
//!
//! Compared is what decides anything, as in `Regime::deciding_values`; titles, sources and the order of lists are not. Nothing is
//! decided here. Invariant: two regimes with the same deciding values have no row.

use super::company_rules::{CompanyValue, company_values};
use crate::intake::Countries;
use crate::intake::regimes::Difference;
use crate::quota::codes::Country;
use crate::quota::regime::Regime;
use crate::report::{Cell, Table, columns};
use std::fmt::Write;

/// What stands on one side.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Held {
    /// One value. `shown` is what people read; `value` is what is compared.
    One { value: String, shown: String },
    /// A list, whose order says nothing.
    Many(Vec<String>),
}

/// One deciding value of a regime.
struct Value<'r> {
    /// What the two sides have in common.
    key: String,
    /// What it is called.
    what: String,
    held: Held,
    cite: &'r str,
}

/// A value that differs.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Change {
    what: String,
    /// What each side says; of a list that both have, what it alone has. `None` where that is nothing.
    sides: [Option<String>; 2],
    is_list: bool,
    /// Whether one side has no such value at all.
    one_sided: bool,
    cite: String,
}

/// Two regimes, compared.
#[derive(Clone, Debug)]
pub struct Comparison<'d> {
    differences: &'d [Difference],
    /// Whether the first side is the regulation, where there are differences in words.
    regulation_first: bool,
    changes: Vec<Change>,
}

impl<'d> Comparison<'d> {
    /// Compares two regimes. `differences` are told first; the regulation is then one of the two.
    pub fn new(left: &Regime, right: &Regime, differences: &'d [Difference], regulation_first: bool) -> Comparison<'d> {
        let (left, mut right) = (values(left), values(right));
        let mut changes = Vec::new();
        for value in left {
            let other = right.iter().position(|other| other.key == value.key).map(|position| right.remove(position));
            changes.extend(change(Some(value), other));
        }
        changes.extend(right.into_iter().filter_map(|value| change(None, Some(value))));
        Comparison { differences, regulation_first, changes }
    }

    /// The rows under [`columns::regime_diff`].
    pub fn table(&self) -> Table {
        let mut table = Table::new(columns::regime_diff());
        for difference in self.differences {
            let (mut first, mut second) = (&difference.regulation, &difference.summary);
            if !self.regulation_first {
                std::mem::swap(&mut first, &mut second);
            }
            let number = Cell::from(table.rows.len() as u64 + 1);
            let texts =
                [&difference.id, first, second, &difference.follows, &difference.citation.cite, &difference.citation.source];
            table.push([number, Cell::code("words")].into_iter().chain(texts.map(Cell::text)).collect());
        }
        for change in &self.changes {
            let [first, second] = change.sides.clone().map(|side| Cell::text(side.unwrap_or_default()));
            let part = Cell::code(if change.is_list { "list" } else { "value" });
            let number = Cell::from(table.rows.len() as u64 + 1);
            let (what, cite) = (Cell::text(&change.what), Cell::text(&change.cite));
            table.push(vec![number, part, what, first, second, Cell::Empty, cite, Cell::Empty]);
        }
        table
    }

    /// The same for a person; `names` are what the two were called.
    pub fn page(&self, names: [&str; 2]) -> String {
        let mut page = String::new();
        if !self.differences.is_empty() {
            page.push_str("Where the summary differs from the regulation. The regulation is right.\n");
        }
        for Difference { id, summary, regulation, follows, citation } in self.differences {
            let _ = writeln!(page, "\n{id}\n  summary     {summary}\n  regulation  {regulation}\n  follows     {follows}");
            let _ = writeln!(page, "  [{}; {}; checked {}]", citation.cite, citation.source, citation.checked);
        }
        if !self.differences.is_empty() {
            page.push_str("\nWhat differs in the data\n\n");
        }
        let width = names.map(|name| name.chars().count()).into_iter().max().unwrap_or_default();
        for change in &self.changes {
            let _ = writeln!(page, "{}  [{}]", change.what, change.cite);
            for (name, side) in names.iter().zip(&change.sides) {
                let only = if change.is_list && !change.one_sided { "only in " } else { "" };
                let nothing = match (change.is_list, change.one_sided) {
                    (true, false) => "nothing",
                    (true, true) => "no such list",
                    (false, _) => "no such value",
                };
                let side = side.as_deref().unwrap_or(nothing);
                let _ = writeln!(page, "  {only}{name:width$}  {side}");
            }
        }
        if self.changes.is_empty() {
            page.push_str("the two regimes decide alike\n");
        }
        page
    }
}

/// What differs between the two sides of a value; `None` when nothing does.
fn change(left: Option<Value>, right: Option<Value>) -> Option<Change> {
    let sides = match (left.as_ref().map(|value| &value.held), right.as_ref().map(|value| &value.held)) {
        (Some(Held::One { value, .. }), Some(Held::One { value: other, .. })) if value == other => return None,
        (Some(Held::Many(left)), Some(Held::Many(right))) => {
            let only = |of: &[String], not: &[String]| of.iter().filter(|item| !not.contains(item)).cloned().collect::<Vec<_>>();
            let sides = [only(left, right), only(right, left)];
            if sides.iter().all(Vec::is_empty) {
                return None;
            }
            sides.map(|side| (!side.is_empty()).then(|| side.join(", ")))
        }
        (left, right) => [left, right].map(|held| held.map(shown)),
    };
    let mut cites: Vec<&str> = left.iter().chain(&right).map(|value| value.cite).collect();
    cites.dedup();
    let cite = cites.join("; ");
    let value = left.as_ref().or(right.as_ref())?;
    let one_sided = left.is_none() || right.is_none();
    Some(Change { what: value.what.clone(), sides, is_list: matches!(value.held, Held::Many(_)), one_sided, cite })
}

fn shown(held: &Held) -> String {
    match held {
        Held::One { shown, .. } => shown.clone(),
        Held::Many(list) if list.is_empty() => "an empty list".into(),
        Held::Many(list) => list.join(", "),
    }
}

/// All deciding values of a regime, in the order of `Regime::deciding_values`.
fn values(regime: &Regime) -> Vec<Value<'_>> {
    let mut values = Vec::new();
    let mut one = |what: String, shown: String, cite| {
        values.push(Value { key: what.clone(), what, held: Held::One { value: shown.clone(), shown }, cite });
    };
    one("short name".into(), regime.id.clone(), &regime.citation.cite);
    for status in &regime.legal_status {
        one(format!("legal status from {} on", status.from), status.code.clone(), &status.citation.cite);
    }
    let validity = &regime.validity;
    one("years for which a license is valid".into(), validity.years.to_string(), &regime.validity_citation.cite);
    one("expiry rolls over weekends".into(), yes_no(validity.rolls_over_weekends).into(), &regime.roll_citation.cite);
    let after = format!("{} days after the day after the last valid day", regime.unused_after_days);
    one("unused quantity given back".into(), after, &regime.unused_citation.cite);
    let period = format!("{} to {}", regime.period.from, regime.period.to);
    one("period of the country allocation".into(), period, &regime.period_citation.cite);
    for step in &regime.base {
        one(format!("country allocation from {} on", step.from), format!("{} TPP", step.tpp.grouped()), &step.citation.cite);
    }
    let maximum = format!("{} % of the country allocation", regime.increase_maximum_percent.normalize());
    one("increases at most".into(), maximum, &regime.increase_maximum_citation.cite);
    let critical = format!("at or below {} % of the limit", regime.critical_percent.normalize());
    one("headroom is critical".into(), critical, &regime.critical_citation.cite);
    let holidays = validity.holidays.iter().map(ToString::to_string).collect();
    values.push(many("holidays", holidays, &regime.roll_citation.cite));
    let paragraphs = regime.counted_eccn.iter().map(ToString::to_string).collect();
    values.push(many("paragraphs that count", paragraphs, &regime.counted_eccn_citation.cite));
    for (name, switch) in regime.readings() {
        let held = Held::One { value: switch.value.to_string(), shown: format!("{}: {}", yes_no(switch.value), switch.meaning) };
        let what = name.replace('_', " ");
        values.push(Value { key: format!("switch {what}"), what, held, cite: &switch.citation.cite });
    }
    group_values(regime, &mut values);
    for CompanyValue { what, values: told, is_list, citation } in regime.companies.iter().flat_map(company_values) {
        let joined = told.join(", ");
        let held = if is_list { Held::Many(told) } else { Held::One { value: joined.clone(), shown: joined } };
        values.push(Value { key: what.clone(), what, held, cite: &citation.cite });
    }
    values
}

fn group_values<'r>(regime: &'r Regime, values: &mut Vec<Value<'r>>) {
    let groups = &regime.groups;
    let home = named(groups.home);
    values.push(Value {
        key: "home".into(),
        what: "home country".into(),
        held: Held::One { value: home.clone(), shown: home },
        cite: &groups.citation.cite,
    });
    // A group goes by its id here: its name may say which edition it is of.
    values.push(many("groups without a limit", groups.unlimited.clone(), &groups.citation.cite));
    values.push(many("groups where denial is presumed", groups.presumption_of_denial.clone(), &groups.citation.cite));
    for group in &groups.groups {
        let key = format!("group {}", group.id);
        let members = Held::Many(group.members.iter().copied().map(named).collect());
        values.push(Value { key: key.clone(), what: group.name.clone(), held: members, cite: &group.citation.cite });
        for change in &group.changes {
            let join = |countries: &[Country], what: &str| {
                let list: Vec<String> = countries.iter().copied().map(named).collect();
                (!list.is_empty()).then(|| format!("{what}: {}", list.join(", ")))
            };
            let moved =
                [join(&change.add, "in"), join(&change.remove, "out")].into_iter().flatten().collect::<Vec<_>>().join("; ");
            values.push(Value {
                key: format!("{key} {}", change.on),
                what: format!("{} from {} on", group.name, change.on),
                held: Held::One { value: moved.clone(), shown: moved },
                cite: &change.citation.cite,
            });
        }
    }
    let territories = groups.territories.iter().map(|(territory, parent)| format!("{} in {}", named(*territory), named(*parent)));
    values.push(many("territories, counted in their parent", territories.collect(), &groups.territories_citation.cite));
    let not_named = groups.not_named.iter().copied().map(named).collect();
    values.push(many("destinations that the regulation does not name", not_named, &groups.not_named_citation.cite));
    let noted = groups.noted.iter().map(|(country, ..)| named(*country)).collect();
    let cite = groups.noted.first().map_or(groups.citation.cite.as_str(), |(.., citation)| citation.cite.as_str());
    values.push(many("destinations with a remark", noted, cite));
}

fn many<'r>(what: &str, list: Vec<String>, cite: &'r str) -> Value<'r> {
    Value { key: what.into(), what: what.into(), held: Held::Many(list), cite }
}

fn named(country: Country) -> String {
    format!("{} ({country})", Countries::builtin().name(country))
}

const fn yes_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::ledger::read_regime;
    use crate::intake::regimes::RegimeText;
    use crate::quota::regime::SwitchKey;

    fn builtin() -> Regime {
        read_regime(&RegimeText::builtin()).unwrap().0
    }

    fn page(right: &Regime) -> String {
        Comparison::new(&builtin(), right, &[], true).page(["builtin", "other"])
    }

    #[test]
    fn a_regime_decides_like_itself_whatever_the_order_of_its_lists() {
        let mut other = builtin();
        assert_eq!(page(&other), "the two regimes decide alike\n");
        other.groups.groups.reverse();
        other.counted_eccn.reverse();
        assert_eq!(page(&other), "the two regimes decide alike\n");
        assert!(Comparison::new(&builtin(), &other, &[], true).table().rows.is_empty());
    }

    /// Every line of the deciding values, changed alone, is told.
    #[test]
    fn every_deciding_value_is_compared() {
        let day = |text: &str| text.parse().unwrap();
        type Case = (&'static str, fn(&mut Regime));
        let changes: [Case; 22] = [
            ("short name", |r| r.id.push('x')),
            ("legal status from 2025-05-13 on", |r| r.legal_status[1].code.push('x')),
            ("legal status from 2025-05-13 on", |r| {
                r.legal_status.pop();
            }),
            ("years for which a license is valid", |r| r.validity.years += 1),
            ("expiry rolls over weekends", |r| r.validity.rolls_over_weekends ^= true),
            ("holidays", |r| {
                r.validity.holidays.pop_first();
            }),
            ("unused quantity given back", |r| r.unused_after_days += 1),
            ("period of the country allocation", |r| r.period.to = r.period.from),
            ("country allocation from 2025-01-01 on", |r| r.base[0].tpp = crate::quota::tpp::Tpp::ZERO),
            ("increases at most", |r| r.increase_maximum_percent += rust_decimal::Decimal::ONE),
            ("headroom is critical", |r| r.critical_percent += rust_decimal::Decimal::ONE),
            ("paragraphs that count", |r| {
                r.counted_eccn.pop();
            }),
            ("transfer counts", |r| *r = r.with_other_reading(SwitchKey::TransferCounts)),
            ("home country", |r| r.groups.home = Country::new("CA").unwrap()),
            ("groups without a limit", |r| r.groups.unlimited.clear()),
            ("groups where denial is presumed", |r| {
                r.groups.presumption_of_denial.pop();
            }),
            ("Supplement No. 5, paragraph (b), to part 740", |r| r.groups.groups.retain(|group| group.id != "supplement_5b")),
            ("Country Group D:5", |r| {
                r.groups.groups.iter_mut().find(|g| g.id == "D:5").unwrap().members.pop();
            }),
            ("Country Group D:5 from 2026-02-03 on", |r| r.groups.groups.iter_mut().for_each(|g| g.changes.clear())),
            ("territories, counted in their parent", |r| {
                r.groups.territories.pop_first();
            }),
            ("destinations that the regulation does not name", |r| {
                r.groups.not_named.pop();
            }),
            ("destinations with a remark", |r| {
                r.groups.noted.pop();
            }),
        ];
        assert!(builtin().base[0].from == day("2025-01-01"));
        for (what, change) in changes {
            let mut other = builtin();
            change(&mut other);
            assert_ne!(other.deciding_values(), builtin().deciding_values(), "{what}");
            let comparison = Comparison::new(&builtin(), &other, &[], true);
            assert_eq!(comparison.changes.iter().map(|change| change.what.as_str()).collect::<Vec<_>>(), [what]);
            let back = Comparison::new(&other, &builtin(), &[], true);
            let mut sides = back.changes[0].sides.clone();
            sides.reverse();
            assert_eq!(sides, comparison.changes[0].sides, "{what}");
        }
    }

    #[test]
    fn a_switch_is_told_by_what_it_means() {
        let told = page(&builtin().with_other_reading(SwitchKey::TransferCounts));
        assert!(
            told.contains("transfer counts  [") && told.contains("  builtin  no: ") && told.contains("  other    yes: "),
            "{told}"
        );
    }
}
