//! `screening.toml`: the rules of screening, read strictly into a [`Rulebook`].
//!
//! A rule's conditions are made of the tests that `docs/screening.md` lists; a group, a paragraph, a word or a number that
//! is none is a problem with its line. Nothing is decided here. Invariant: ids are unique in their list, and what a filing
//! goes with is an exception of the file.

use super::keys::Keys;
use crate::intake::countries::Countries;
use crate::intake::place::{did_you_mean, hint_with};
use crate::quota::codes::Eccn;
use crate::quota::regime::Groups;
use crate::quota::tpp::parse_decimal;
use crate::screen::membership::Membership;
use crate::screen::rules::{Condition, Filing, Rule, Rulebook};
use crate::screen::test::{Amount, Bound, Headquarters, Seat, Test, Word};
use crate::screen::transaction::{EndUse, EndUser, Fact, ItemKind, TransactionActivity, Veu, Weights};
use rust_decimal::Decimal;

/// What the tests refer to.
struct Law<'l> {
    groups: &'l Groups,
    countries: &'l Countries,
}

/// Reads `screening.toml`; or, where there are rules already, the ones that a second edition has instead of some of them.
pub(super) fn screening(root: &Keys, groups: &Groups, countries: &Countries, first: Option<&Rulebook>) -> Option<Rulebook> {
    let law = Law { groups, countries };
    let list = |key: &'static str, part: Part, of: fn(&Rulebook) -> &Vec<Rule>| {
        // Without what the rule reaches and requires, nothing would need a license.
        let is_needed = first.is_none() && matches!(key, "subject" | "requirement");
        let before = first.map(of);
        let read = |keys: &Keys| {
            let rule = law.rule(keys, part);
            if let (Some(rule), Some(before)) = (&rule, before) {
                stands_in_for_one(keys, rule, before);
            }
            rule
        };
        let rules = if is_needed { root.tables(key, read) } else { root.optional_tables(key, read) }?;
        for (position, rule) in rules.iter().enumerate() {
            if rules[..position].iter().any(|other| other.id == rule.id) {
                root.wrong(key, format!("has two rules {}", rule.id), "give each rule an id of its own");
            }
        }
        Some(before.map_or(rules.clone(), |before| replaced(before, &rules)))
    };
    let enforcement = list("enforcement", Part::Plain, |book| &book.enforcement);
    let subject = list("subject", Part::Plain, |book| &book.subject);
    let requirement = list("requirement", Part::Requirement, |book| &book.requirement);
    let exception = list("exception", Part::Exception, |book| &book.exception);
    let policy = list("policy", Part::Policy, |book| &book.policy);
    let filing = list("filing", Part::Filing, |book| &book.filing);
    let red_flag = list("red_flag", Part::Plain, |book| &book.red_flag);
    if let (Some(exception), Some(filing)) = (&exception, &filing) {
        for code in filing.iter().flat_map(|rule| &rule.goes_with) {
            if code != LICENSE && !exception.iter().any(|rule| rule.code == *code) {
                root.wrong("filing", format!("goes with {code}, which is no exception of this file"), "write its code");
            }
        }
    }
    Some(Rulebook {
        enforcement: enforcement?,
        subject: subject?,
        requirement: requirement?,
        exception: exception?,
        policy: policy?,
        filing: filing?,
        red_flag: red_flag?,
    })
}

/// A rule of a second edition stands in the place of one of the first, so that a mistyped id is not one rule more.
fn stands_in_for_one(keys: &Keys, rule: &Rule, before: &[Rule]) {
    if !before.iter().any(|other| other.id == rule.id) {
        let meant = did_you_mean(&rule.id, before.iter().map(|rule| rule.id.as_str()));
        keys.wrong("id", "is not the id of a rule of this list that could be replaced", hint_with(meant, "write the rule's id"));
    }
}

/// The rules in their order, each with the one that replaces it.
fn replaced(before: &[Rule], instead: &[Rule]) -> Vec<Rule> {
    before.iter().map(|rule| instead.iter().find(|other| other.id == rule.id).unwrap_or(rule).clone()).collect()
}

/// How applications are reviewed.
const POLICIES: [&str; 4] = ["presumption_of_approval", "policy_of_denial", "presumption_of_denial", "case_by_case"];

/// What a filing goes with when it is made with an application.
const LICENSE: &str = "license";

/// Which list a rule stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Plain,
    Requirement,
    Exception,
    Policy,
    Filing,
}

impl Law<'_> {
    fn rule(&self, keys: &Keys, part: Part) -> Option<Rule> {
        let id = keys.word("id");
        let code = match part {
            Part::Requirement => keys.text("paragraph"),
            Part::Exception | Part::Policy => keys.word("code"),
            Part::Plain | Part::Filing => id.clone(),
        };
        let (title, citation) = (keys.text("title"), keys.citation());
        let counts_in = if part == Part::Exception && keys.has("counts_in") { keys.word("counts_in") } else { None };
        let counts = part == Part::Policy && keys.has("counts") && keys.truth("counts").unwrap_or_default();
        let when_met = if part == Part::Policy && keys.has("when_met") { keys.word("when_met") } else { None };
        let (goes_with, filing) = if part == Part::Filing {
            let (to, subject, due) = (keys.text("to"), keys.has("subject").then(|| keys.text("subject")), keys.text("due"));
            let filing = Filing { to: to?, subject: subject.flatten().unwrap_or_default(), due: due? };
            (keys.texts("for")?, Some(filing))
        } else {
            (Vec::new(), None)
        };
        let conditions = keys.optional_tables("condition", |keys| self.condition(keys))?;
        for (position, condition) in conditions.iter().enumerate() {
            if conditions[..position].iter().any(|other| other.id == condition.id) {
                keys.wrong("condition", format!("has two conditions {}", condition.id), "give each an id of its own");
            }
        }
        if part == Part::Exception && conditions.is_empty() {
            keys.wrong("condition", "is missing: an exception without one would always serve", "add what it asks");
        }
        if goes_with.is_empty() && part == Part::Filing {
            keys.wrong("for", "is empty", "name the exceptions it goes with, or license");
        }
        let (id, code, title, citation) = (id?, code?, title?, citation?);
        let codes = when_met.iter().chain((part == Part::Policy).then_some(&code));
        for code in codes.filter(|code| !POLICIES.contains(&code.as_str())) {
            let hint = hint_with(did_you_mean(code, POLICIES), format!("one of {}", POLICIES.join(", ")));
            keys.wrong("code", format!("{code} is no review policy"), hint);
        }
        Some(Rule { id, code, title, counts_in, counts, when_met, goes_with, filing, citation, conditions })
    }

    fn condition(&self, keys: &Keys) -> Option<Condition> {
        let (id, text, cite) = (keys.word("id"), keys.text("text"), keys.text("cite"));
        let test = keys.table("test", |keys| self.test(keys));
        let other = if keys.has("other") {
            let (other, text) = (keys.table("other", |keys| self.test(keys)), keys.text("other_text"));
            Some((text?, other?))
        } else {
            None
        };
        Some(Condition { id: id?, text: text?, cite: cite?, test: test?, other })
    }

    /// All that stands in the table must hold.
    fn test(&self, keys: &Keys) -> Option<Test> {
        let mut tests: Vec<Option<Test>> = Vec::new();
        for (is_in, is_not_in, seat) in SEATS {
            let among = |key| self.membership(keys, key).map(|groups| Test::In(seat, groups));
            tests.extend(keys.has(is_in).then(|| among(is_in)));
            tests.extend(keys.has(is_not_in).then(|| among(is_not_in).map(negated)));
        }
        if keys.has("destination_named") {
            let named = keys.countries("destination_named");
            let among = |named: Vec<_>| Membership::named(self.groups, &named, self.countries.codes());
            tests.push(named.map(|named| Test::In(Seat::Destination, among(named))));
        }
        for (key, how) in HEADQUARTERS {
            tests.extend(keys.has(key).then(|| self.membership(keys, key).map(|groups| Test::Headquarters(how, groups))));
        }
        for (key, is_in) in [("eccn_in", true), ("eccn_not_in", false)] {
            let wanted = |test| if is_in { test } else { negated(test) };
            tests.extend(keys.has(key).then(|| paragraphs(keys, key).map(|listed| wanted(Test::EccnIn(listed)))));
        }
        for (is_in, is_not_in, word, words) in words() {
            tests.extend(keys.has(is_in).then(|| word_set(keys, is_in, &words).map(|set| Test::WordIn(word, set))));
            tests.extend(
                keys.has(is_not_in).then(|| word_set(keys, is_not_in, &words).map(|set| negated(Test::WordIn(word, set)))),
            );
        }
        for (key, wanted) in [("yes", true), ("no", false)] {
            tests.extend(keys.has(key).then(|| facts(keys, key, wanted)));
        }
        for (key, negate) in [("from", false), ("before", true)] {
            let from = |day| if negate { negated(Test::From(day)) } else { Test::From(day) };
            tests.extend(keys.has(key).then(|| keys.day(key).map(from)));
        }
        let flags = [
            ("made_in_home", Test::MadeInHome(Membership::named(self.groups, &[self.groups.home], self.countries.codes()))),
            ("other_owner", Test::OtherOwner),
            ("other_operator", Test::OtherOperator),
        ];
        for (key, test) in flags {
            let wanted = |yes| if yes { test } else { negated(test) };
            tests.extend(keys.has(key).then(|| keys.truth(key).map(wanted)));
        }
        if keys.has("always") {
            tests.push(keys.truth("always").map(Test::Always));
        }
        if keys.has("amount") {
            tests.push(amount(keys));
        }
        if keys.has("all_of") {
            tests.push(keys.tables("all_of", |keys| self.test(keys)).map(Test::All));
        }
        if keys.has("any_of") {
            tests.push(keys.tables("any_of", |keys| self.test(keys)).map(Test::Any));
        }
        if tests.is_empty() {
            keys.wrong("test", "asks nothing that is known", "docs/screening.md lists the tests");
            return None;
        }
        for key in ["yes", "no", "eccn_in", "destination_in", "all_of", "any_of"] {
            if keys.has(key) && keys.is_empty_list(key) {
                keys.wrong(key, "is an empty list", "name at least one, or take the key out");
            }
        }
        let mut tests = tests.into_iter().collect::<Option<Vec<Test>>>()?;
        Some(if tests.len() == 1 { tests.remove(0) } else { Test::All(tests) })
    }

    fn membership(&self, keys: &Keys, key: &'static str) -> Option<Membership> {
        let ids = keys.texts(key)?;
        for (position, id) in ids.iter().enumerate() {
            if self.groups.group(id).is_none() {
                let meant = did_you_mean(id, self.groups.groups.iter().map(|group| group.id.as_str()));
                keys.wrong_item(key, position, "is not a group of the regime", hint_with(meant, "write the id of a group"));
            }
        }
        Some(Membership::new(self.groups, &ids, self.countries.codes()))
    }
}

const SEATS: [(&str, &str, Seat); 5] = [
    ("destination_in", "destination_not_in", Seat::Destination),
    ("consignee_in", "consignee_not_in", Seat::Consignee),
    ("parent_in", "parent_not_in", Seat::Parent),
    ("owner_in", "owner_not_in", Seat::Owner),
    ("operator_in", "operator_not_in", Seat::Operator),
];

const HEADQUARTERS: [(&str, Headquarters); 3] = [
    ("headquarters_in", Headquarters::Any),
    ("headquarters_not_in", Headquarters::None),
    ("headquarters_both_in", Headquarters::Both),
];

type Words = (&'static str, &'static str, Word, Vec<&'static str>);

/// The keys of the words, and the words of each in the order of their numbers.
fn words() -> [Words; 6] {
    fn all<W: Copy>(all: &[W], as_str: fn(W) -> &'static str) -> Vec<&'static str> {
        all.iter().map(|word| as_str(*word)).collect()
    }
    [
        ("item_kind_in", "item_kind_not_in", Word::ItemKind, all(ItemKind::ALL, ItemKind::as_str)),
        ("activity_in", "activity_not_in", Word::Activity, all(TransactionActivity::ALL, TransactionActivity::as_str)),
        ("end_user_in", "end_user_not_in", Word::EndUser, all(EndUser::ALL, EndUser::as_str)),
        ("end_use_in", "end_use_not_in", Word::EndUse, all(EndUse::ALL, EndUse::as_str)),
        ("veu_in", "veu_not_in", Word::Veu, all(Veu::ALL, Veu::as_str)),
        ("weights_in", "weights_not_in", Word::Weights, all(Weights::ALL, Weights::as_str)),
    ]
}

fn negated(test: Test) -> Test {
    Test::Not(Box::new(test))
}

fn word_set(keys: &Keys, key: &'static str, words: &[&'static str]) -> Option<u8> {
    let mut set = 0;
    for (position, word) in keys.texts(key)?.iter().enumerate() {
        match words.iter().position(|known| known == word) {
            Some(bit) => set |= 1 << bit,
            None => {
                let hint = hint_with(did_you_mean(word, words.iter().copied()), format!("one of {}", words.join(", ")));
                keys.wrong_item(key, position, "is not a word of this column", hint);
            }
        }
    }
    Some(set)
}

fn paragraphs(keys: &Keys, key: &'static str) -> Option<Vec<Eccn>> {
    let texts = keys.texts(key)?;
    for (position, text) in texts.iter().enumerate() {
        if Eccn::new(text).is_none() {
            keys.wrong_item(key, position, "is not an ECCN", "write it as 3A090.a or 5A992.z.1");
        }
    }
    texts.iter().map(|text| Eccn::new(text)).collect()
}

fn facts(keys: &Keys, key: &'static str, wanted: bool) -> Option<Test> {
    let mut tests = Vec::new();
    for (position, text) in keys.texts(key)?.iter().enumerate() {
        match Fact::ALL.iter().find(|fact| fact.as_str() == text) {
            Some(fact) => tests.push(if wanted { Test::Fact(*fact) } else { negated(Test::Fact(*fact)) }),
            None => {
                let hint =
                    hint_with(did_you_mean(text, Fact::ALL.iter().map(|fact| fact.as_str())), "docs/screening.md lists them");
                keys.wrong_item(key, position, "is not a column of yes and no", hint);
            }
        }
    }
    Some(if tests.len() == 1 { tests.remove(0) } else { Test::All(tests) })
}

fn amount(keys: &Keys) -> Option<Test> {
    let name = keys.word("amount")?;
    let Some((amount, _)) = Amount::ALL.into_iter().find(|(_, known)| *known == name) else {
        let known = Amount::ALL.map(|(_, name)| name);
        let hint = hint_with(did_you_mean(&name, known), format!("one of {}", known.join(", ")));
        keys.wrong("amount", "is not an amount of a transaction", hint);
        return None;
    };
    let mut tests = Vec::new();
    for (bound, key) in Bound::ALL {
        if keys.has(key) {
            let text = keys.text(key)?;
            let Some(value) = number(&text) else {
                keys.wrong(key, "is not a number of zero or more", "write it as text, e.g. \"1000\" or \"1e20\"");
                return None;
            };
            tests.push(Test::Amount(amount, bound, value));
        }
    }
    if tests.is_empty() {
        keys.wrong("amount", "has no bound", "add one of at_least, more_than, at_most, below");
        return None;
    }
    Some(if tests.len() == 1 { tests.remove(0) } else { Test::All(tests) })
}

/// A decimal of zero or more, with or without an exponent; nothing is rounded.
pub(crate) fn number(text: &str) -> Option<Decimal> {
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.strip_prefix('+').unwrap_or(exponent).parse::<u32>().ok()?),
        None => (text, 0),
    };
    let mut number = parse_decimal(digits).ok().filter(|number| *number >= Decimal::ZERO)?;
    for _ in 0..exponent.min(40) {
        number = number.checked_mul(Decimal::TEN)?;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use crate::intake::countries::Countries;
    use crate::intake::regimes::{RegimeText, builtin_screening, parse, screening};

    fn told(text: &str) -> Vec<String> {
        let regime = parse(&RegimeText::builtin(), Countries::builtin()).unwrap();
        let problems = screening(text, &regime).err().unwrap_or_default();
        problems.iter().map(|problem| problem.to_string().replace('\n', " | ")).collect()
    }

    /// The smallest rules, with a test and what comes behind.
    fn with(test: &str, more: &str) -> Vec<String> {
        let end = "cite = \"1\"\nsource = \"ours\"\nchecked = 2026-01-01\n";
        told(&format!(
            "[[subject]]\nid = \"all\"\ntitle = \"All.\"\n{end}\n[[requirement]]\nid = \"one\"\nparagraph = \"1\"\ntitle = \"One.\"\n{end}\
             \n[[requirement.condition]]\nid = \"a\"\ntext = \"A.\"\ncite = \"1\"\ntest = {test}\n{more}"
        ))
    }

    #[test]
    fn the_built_in_rules_are_read_and_small_ones_too() {
        assert!(told(&builtin_screening()).is_empty());
        assert!(with("{ always = true }", "").is_empty());
    }

    #[test]
    fn rules_without_what_is_reached_or_required_are_none() {
        let told = told("");
        assert_eq!(told.len(), 2);
        assert!(told[0].contains("subject: is missing") && told[1].contains("requirement: is missing"), "{told:?}");
    }

    #[test]
    fn a_test_that_is_none_is_told_with_line_and_key() {
        for (test, expected) in [
            (
                "{ destination_in = [\"D:9\"] }",
                "screening.toml:20: requirement.condition.test.destination_in: \"D:9\" is not a group of the regime",
            ),
            ("{ destination_named = [\"XX\"] }", "destination_named: \"XX\" is not a country code"),
            ("{ eccn_in = [\"3A\"] }", "eccn_in: \"3A\" is not an ECCN | hint: write it as 3A090.a or 5A992.z.1"),
            (
                "{ activity_in = [\"exprot\"] }",
                "activity_in: \"exprot\" is not a word of this column | hint: did you mean `export`?",
            ),
            ("{ yes = [\"certifed\"] }", "yes: \"certifed\" is not a column of yes and no | hint: did you mean `certified`?"),
            ("{ amount = \"tpp\", at_least = \"1\" }", "amount: \"tpp\" is not an amount of a transaction"),
            ("{ amount = \"tpp_per_unit\", at_least = \"many\" }", "at_least: \"many\" is not a number of zero or more"),
            (
                "{ amount = \"tpp_per_unit\" }",
                "amount: \"tpp_per_unit\" has no bound | hint: add one of at_least, more_than, at_most, below",
            ),
            ("{ destination_is = [\"PL\"] }", "asks nothing that is known | hint: docs/screening.md lists the tests"),
            ("{ always = true, extra = 1 }", "requirement.condition.test.extra: is not a key of this table"),
        ] {
            let told = with(test, "");
            assert!(told.iter().any(|told| told.contains(expected)), "{test}: {told:?}");
        }
    }

    #[test]
    fn ids_are_unique_and_a_filing_goes_with_an_exception_of_the_file() {
        let again = "[[requirement.condition]]\nid = \"a\"\ntext = \"B.\"\ncite = \"1\"\ntest = { always = true }\n";
        assert!(with("{ always = true }", again)[0].contains("has two conditions a | hint: give each an id of its own"));
        let end = "cite = \"1\"\nsource = \"ours\"\nchecked = 2026-01-01\n";
        let two = format!("[[red_flag]]\nid = \"x\"\ntitle = \"X.\"\n{end}[[red_flag]]\nid = \"x\"\ntitle = \"X.\"\n{end}");
        assert!(with("{ always = true }", &two)[0].contains("red_flag: has two rules x"));
        let filing = format!("[[filing]]\nid = \"n\"\nfor = [\"XYZ\"]\ntitle = \"N.\"\nto = \"us\"\ndue = \"now\"\n{end}");
        assert!(with("{ always = true }", &filing)[0].contains("goes with XYZ, which is no exception of this file"));
    }
}
