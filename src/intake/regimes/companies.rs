//! `companies.toml`: the exceptions and authorizations under which limits belong to companies, and what is to be filed.
//!
//! Steps are checked as they are read, and mechanisms against each other: a yearly account without a limit, a notice of a
//! threshold that is not there. Nothing is decided here and nothing has a default. Invariant: each authorization is there
//! once, each share and notice has an id of its own, and every notice speaks of an authorization that is there.

use super::keys::Keys;
use super::law::{ascending, paragraphs, switch};
use crate::quota::application::Activity;
use crate::quota::company::account::Authorization;
use crate::quota::company::rules::{
    ChargedTo, CompanyRule, CompanyRules, KeptBy, Measured, NoticeRule, NoticeWhen, Share, ShareOf,
};
use crate::quota::regime::{Citation, Step};
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// Who may have something to file.
const FILED_BY: [&str; 3] = ["exporter", "consignee", "holder"];

/// Reads `companies.toml`.
pub(super) fn companies(root: &Keys) -> Option<CompanyRules> {
    let seen = RefCell::new(Vec::new());
    let rules = root.tables("authorization", |keys| authorization(keys, &seen));
    let rules: Option<BTreeMap<Authorization, CompanyRule>> =
        rules.map(|rules| rules.into_iter().map(|rule| (rule.authorization, rule)).collect());
    if rules.as_ref().is_some_and(BTreeMap::is_empty) {
        root.wrong("authorization", "names none", "write each as [[authorization]], or leave the file out");
    }
    let charged_on_receipt = root.table("switch", |keys| keys.table("charged_on_receipt", switch));
    let dates = root.table("reporting_dates", reporting_dates);
    let ids = RefCell::new(Vec::new());
    let notices = root.optional_tables("notice", |keys| notice(keys, &ids, rules.as_ref()));
    let (reporting_dates, reporting_dates_citation) = dates?;
    Some(CompanyRules {
        rules: rules?,
        charged_on_receipt: charged_on_receipt?,
        reporting_dates,
        reporting_dates_citation,
        notices: notices?,
    })
}

fn authorization(keys: &Keys, seen: &RefCell<Vec<Authorization>>) -> Option<CompanyRule> {
    let code = keys.one_of("code", Authorization::ALL, Authorization::as_str);
    if let Some(code) = code {
        if seen.borrow().contains(&code) {
            keys.wrong("code", "stands above already", "say all of an authorization in one table");
        }
        seen.borrow_mut().push(code);
    }
    let charged_to = keys.one_of("charged_to", ChargedTo::ALL, ChargedTo::as_str);
    let kept_by = keys.one_of("kept_by", KeptBy::ALL, KeptBy::as_str);
    let limit = limit(keys, kept_by);
    let threshold = keys.optional_table("threshold", |keys| {
        let (tpp, citation) = (keys.amount("tpp"), keys.citation());
        Some((tpp?, citation?))
    });
    let ids = RefCell::new(Vec::new());
    let shares = keys.optional_tables("share", |keys| share(keys, &ids));
    let (held, activities, distributors) = (keys.truth("held"), activities(keys), keys.truth("distributors"));
    let (operator, presumption_of_denial) = (keys.truth("operator"), keys.truth("presumption_of_denial"));
    let unlimited_only = keys.truth("unlimited_only");
    let (eccn, citation) = (paragraphs(keys, "eccn"), keys.citation());
    let rule = CompanyRule {
        authorization: code?,
        charged_to: charged_to?,
        kept_by: kept_by?,
        limit: limit?,
        threshold: threshold?,
        shares: shares?,
        held: held?,
        activities: activities?,
        distributors: distributors?,
        operator: operator?,
        unlimited_only: unlimited_only?,
        presumption_of_denial: presumption_of_denial?,
        eccn: eccn?,
        citation: citation?,
    };
    fits_together(keys, &rule);
    Some(rule)
}

/// The mechanisms of a rule against each other.
fn fits_together(keys: &Keys, rule: &CompanyRule) {
    if rule.charged_to == ChargedTo::Nobody {
        for (key, stands) in
            [("limit", !rule.limit.is_empty()), ("threshold", rule.threshold.is_some()), ("share", !rule.shares.is_empty())]
        {
            if stands {
                keys.wrong(key, "stands where nobody is charged", "say to whom it is charged, or leave this out");
            }
        }
        if rule.kept_by != KeptBy::Whole {
            keys.wrong("kept_by", "keeps something apart where nobody is charged", "write whole");
        }
    }
    if rule.charged_to == ChargedTo::Holder && !(rule.held && rule.kept_by == KeptBy::Country) {
        let hint = "what its holder is charged is held and kept by country: held = true, kept_by = \"country\"";
        keys.wrong("charged_to", "needs an authorization that is held for a country", hint);
    }
    if rule.kept_by == KeptBy::CalendarYear && rule.limit.is_empty() {
        keys.wrong("kept_by", "keeps years apart, and there is no limit of a year", "write one as [[authorization.limit]]");
    }
    if !rule.shares.is_empty() && rule.kept_by != KeptBy::Country {
        keys.wrong("share", "is a share of what is in countries, which are not kept apart", "write kept_by = \"country\"");
    }
}

/// The steps of a limit, oldest first. That of a calendar year changes with the year, so that each year has one.
fn limit(keys: &Keys, kept_by: Option<KeptBy>) -> Option<Vec<Step>> {
    let last = Cell::new(None);
    keys.optional_tables("limit", |keys| {
        let from = keys.day("from");
        ascending(keys, "from", from, &last);
        if kept_by == Some(KeptBy::CalendarYear) && from.is_some_and(|from| from.ordinal() != 1) {
            keys.wrong("from", "is not the first day of a year", "a limit of calendar years begins on 1 January");
        }
        let (tpp, citation) = (keys.amount("tpp"), keys.citation());
        Some(Step { from: from?, tpp: tpp?, citation: citation? })
    })
}

fn share(keys: &Keys, ids: &RefCell<Vec<String>>) -> Option<Share> {
    let (id, of) = (new_id(keys, ids), keys.one_of("of", ShareOf::ALL, ShareOf::as_str));
    let (percent, measured) = (keys.decimal("percent"), keys.one_of("measured", Measured::ALL, Measured::as_str));
    if percent.is_some_and(|percent| percent > Decimal::ONE_HUNDRED) {
        keys.wrong("percent", "is above 100 percent", "give the share of the installed base, from 0 to 100");
    }
    let citation = keys.citation();
    Some(Share { id: id?, of: of?, percent: percent?, measured: measured?, citation: citation? })
}

fn activities(keys: &Keys) -> Option<Vec<Activity>> {
    let mut read = Vec::new();
    for (position, word) in keys.texts("activities")?.iter().enumerate() {
        match Activity::ALL.into_iter().find(|activity| activity.as_str() == word) {
            Some(activity) if read.contains(&activity) => {
                keys.wrong_item("activities", position, "stands in the list twice", "name each activity once");
            }
            Some(activity) => read.push(activity),
            None => keys.wrong_item("activities", position, "is not an activity", "one of export, reexport, transfer"),
        }
    }
    Some(read)
}

/// Days of every year, each once.
fn reporting_dates(keys: &Keys) -> Option<(Vec<(u32, u32)>, Citation)> {
    let mut read = Vec::new();
    let (texts, citation) = (keys.texts("dates"), keys.citation());
    for (position, text) in texts?.iter().enumerate() {
        match month_and_day(text) {
            Some(date) if read.contains(&date) => {
                keys.wrong_item("dates", position, "stands in the list twice", "name each date once");
            }
            Some(date) => read.push(date),
            None => {
                let hint = "write month and day with two digits each, as \"08-01\"";
                keys.wrong_item("dates", position, "is not a day of every year", hint);
            }
        }
    }
    if read.is_empty() {
        keys.wrong("dates", "names none", "name the dates of a year on which reports are due");
    }
    Some((read, citation?))
}

fn month_and_day(text: &str) -> Option<(u32, u32)> {
    let (month, day) = text.split_once('-').filter(|(month, day)| month.len() == 2 && day.len() == 2)?;
    // 2001 has no 29 February, and neither has every year.
    let date = NaiveDate::from_ymd_opt(2001, month.parse().ok()?, day.parse().ok()?)?;
    Some((date.month(), date.day()))
}

/// Reads one notice. The keys that it has follow from what makes it due; `rules` is `None` where those could not be read.
fn notice(keys: &Keys, ids: &RefCell<Vec<String>>, rules: Option<&BTreeMap<Authorization, CompanyRule>>) -> Option<NoticeRule> {
    let (id, code) = (new_id(keys, ids), keys.one_of("authorization", Authorization::ALL, Authorization::as_str));
    let when = keys.one_of("when", NoticeWhen::ALL, NoticeWhen::as_str);
    let tpp = if when == Some(NoticeWhen::ShipmentAtLeast) { keys.amount("tpp").map(Some) } else { Some(None) };
    let months = if when == Some(NoticeWhen::EveryMonths) { keys.whole("months", 1, 120) } else { Some(0) };
    // A reporting date is the day on which the report is due.
    let days = if when == Some(NoticeWhen::ReportingDate) { Some(0) } else { keys.whole("days", -3650, 3650) };
    let filed_by = keys.one_of("filed_by", &FILED_BY, |word| word);
    let addressee = keys.text("addressee");
    let subject = if keys.has("subject") { keys.text("subject") } else { Some(String::new()) };
    let citation = keys.citation();
    if let (Some(code), Some(when), Some(rules)) = (code, when, rules) {
        speaks_of(keys, when, rules.get(&code));
    }
    Some(NoticeRule {
        id: id?,
        authorization: code?,
        when: when?,
        tpp: tpp?,
        days: days?,
        months: months?,
        filed_by: filed_by?.to_string(),
        addressee: addressee?,
        subject: subject?,
        citation: citation?,
    })
}

/// A notice speaks of an authorization that is there, and of what it has.
fn speaks_of(keys: &Keys, when: NoticeWhen, rule: Option<&CompanyRule>) {
    let Some(rule) = rule else {
        return keys.wrong("authorization", "is not an authorization of this file", "add its [[authorization]]");
    };
    let missing = match when {
        NoticeWhen::LimitReached if rule.limit.is_empty() => "a limit",
        NoticeWhen::ThresholdReached if rule.threshold.is_none() => "a threshold",
        NoticeWhen::EveryMonths if rule.charged_to == ChargedTo::Nobody => "an account",
        NoticeWhen::ReportingDate if !rule.held => "a holder",
        _ => return,
    };
    keys.wrong("when", format!("needs what {} has none of: {missing}", rule.authorization), "compare the two tables");
}

/// The id of an entry, which no other of the list has.
fn new_id(keys: &Keys, ids: &RefCell<Vec<String>>) -> Option<String> {
    let id = keys.word("id")?;
    if ids.borrow().contains(&id) {
        keys.wrong("id", "stands above already", "give each an id of its own");
    }
    ids.borrow_mut().push(id.clone());
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::super::{RegimeText, parse};
    use crate::intake::countries::Countries;
    use crate::quota::calendar::parse_day;
    use crate::quota::company::account::Authorization;
    use crate::quota::company::rules::{CompanyRules, NoticeWhen};

    const FILE: &str = "companies.toml";

    fn builtin() -> CompanyRules {
        parse(&RegimeText::builtin(), Countries::builtin()).unwrap().companies.unwrap()
    }

    /// The problems of the built-in regime with one text of the file replaced, each as its first line.
    fn with(from: &str, to: &str) -> Vec<String> {
        let mut text = RegimeText::builtin();
        let content = &mut text.files.iter_mut().find(|(name, _)| name == FILE).unwrap().1;
        assert!(content.contains(from), "{from}");
        *content = content.replacen(from, to, 1);
        let problems = parse(&text, Countries::builtin()).err().unwrap_or_default();
        problems.iter().map(|problem| problem.to_string().lines().next().unwrap_or_default().to_string()).collect()
    }

    #[test]
    fn the_limits_of_the_regulation_are_read() {
        let rules = builtin();
        assert_eq!(rules.rules.len(), Authorization::ALL.len());
        let limit = |code, day: &str| rules.rule(code).unwrap().limit_on(parse_day(day).unwrap()).map(|step| step.tpp.grouped());
        assert_eq!(limit(Authorization::Lpp, "2024-12-31"), None);
        assert_eq!(limit(Authorization::Lpp, "2031-12-31").as_deref(), Some("26,900,000"));
        // Table 1 to 748.15(a)(2)(iii)(B), on the last day of each quarter.
        for (day, tpp) in [
            ("2025-03-31", "633,000,000"),
            ("2025-06-30", "949,500,000"),
            ("2025-09-30", "1,266,000,000"),
            ("2025-12-31", "1,582,500,000"),
            ("2026-03-31", "1,899,000,000"),
            ("2026-06-30", "2,690,250,000"),
            ("2026-09-30", "3,481,500,000"),
            ("2026-12-31", "4,272,750,000"),
            ("2027-03-31", "5,064,000,000"),
            ("2027-12-31", "5,064,000,000"),
        ] {
            assert_eq!(limit(Authorization::Nveu, day).as_deref(), Some(tpp), "{day}");
        }
        let uveu = rules.rule(Authorization::Uveu).unwrap();
        let shares: Vec<_> = uveu.shares.iter().map(|s| format!("{} {} {}", s.of, s.percent, s.measured)).collect();
        assert_eq!(shares, ["outside_unlimited 25 always", "each_outside_unlimited 7 always", "outside_home 50 reporting_dates"]);
        let (threshold, _) = rules.rule(Authorization::Aia).unwrap().threshold.clone().unwrap();
        assert_eq!(threshold.grouped(), "253,000,000");
        assert!(!rules.charged_on_receipt.value && rules.charged_on_receipt.open);
    }

    #[test]
    fn reporting_dates_are_found_before_and_after_a_day() {
        let (rules, day) = (builtin(), |text: &str| parse_day(text).unwrap());
        assert_eq!(rules.reporting_dates, [(2, 1), (8, 1)]);
        assert_eq!(rules.reporting_date_until(day("2026-01-31")), Some(day("2025-08-01")));
        assert_eq!(rules.reporting_date_until(day("2026-02-01")), Some(day("2026-02-01")));
        assert_eq!(rules.reporting_date_from(day("2026-08-01")), Some(day("2026-08-01")));
        assert_eq!(rules.reporting_date_from(day("2026-08-02")), Some(day("2027-02-01")));
    }

    #[test]
    fn a_notice_has_what_makes_it_due_and_may_be_without_a_subject() {
        let rules = builtin();
        let notice = |id: &str| rules.notices.iter().find(|notice| notice.id == id).unwrap().clone();
        assert_eq!(notice("lpp_certification_copy").days, 30);
        assert_eq!(notice("nac_notice").days, -25);
        assert_eq!(notice("lpp_notice").tpp.unwrap().grouped(), "3,200,000");
        let accounting = notice("acm_accounting");
        assert_eq!((accounting.when, accounting.months, accounting.subject.as_str()), (NoticeWhen::EveryMonths, 6, ""));
        let dated: Vec<_> = rules.notices.iter().filter(|notice| notice.when == NoticeWhen::ReportingDate).collect();
        assert_eq!(
            dated.iter().map(|notice| notice.authorization).collect::<Vec<_>>(),
            [Authorization::Uveu, Authorization::Nveu]
        );
    }

    #[test]
    fn a_problem_names_file_line_and_key() {
        let text = RegimeText::builtin();
        let line = text.file(FILE).unwrap().split("tpp = \"26900000\"").next().unwrap().lines().count() + 1;
        let told = with("tpp = \"26900000\"", "tpp = 26900000");
        let wanted = "is not an amount of TPP with at most three decimal places, written as text";
        assert_eq!(told, [format!("companies.toml:{line}: authorization.limit.tpp: \"26900000\" {wanted}")]);
    }

    /// Each text in the place of another must be told as expected.
    fn assert_told(wrong: &[(&str, &str, &str)]) {
        for (from, to, expected) in wrong {
            let told = with(from, to);
            assert!(told.iter().any(|told| told.contains(expected)), "{to}: {told:?}");
        }
    }

    #[test]
    fn a_mechanism_that_does_not_fit_the_others_is_a_problem() {
        let wrong = [
            ("code = \"NVEU\"", "code = \"LPP\"", "authorization.code: \"LPP\" stands above already"),
            (
                "code = \"NVEU\"",
                "code = \"VEU\"",
                "authorization.code: \"VEU\" is not one of AIA, ACM, LPP, ACA, NAC, UVEU, NVEU",
            ),
            ("charged_to = \"holder\"", "charged_to = \"owner\"", "is not one of ultimate_parent, holder, consignee, nobody"),
            (
                "charged_to = \"ultimate_parent\"",
                "charged_to = \"nobody\"",
                "authorization.limit: stands where nobody is charged",
            ),
            ("charged_to = \"ultimate_parent\"", "charged_to = \"holder\"", "needs an authorization that is held for a country"),
            (
                "charged_to = \"consignee\"\nkept_by = \"whole\"",
                "charged_to = \"nobody\"\nkept_by = \"whole\"",
                "authorization.threshold: stands where nobody",
            ),
            (
                "charged_to = \"nobody\"\nkept_by = \"whole\"",
                "charged_to = \"nobody\"\nkept_by = \"facility\"",
                "kept_by: \"facility\" keeps something apart where nobody",
            ),
            (
                "charged_to = \"consignee\"\nkept_by = \"whole\"",
                "charged_to = \"consignee\"\nkept_by = \"calendar_year\"",
                "there is no limit of a year",
            ),
            (
                "charged_to = \"ultimate_parent\"\nkept_by = \"country\"",
                "charged_to = \"ultimate_parent\"\nkept_by = \"whole\"",
                "authorization.share: is a share of what is in countries",
            ),
        ];
        assert_told(&wrong);
    }

    #[test]
    fn a_limit_share_or_list_that_is_wrong_is_a_problem() {
        let wrong = [
            (
                "from = 2025-01-01\ntpp = \"26900000\"",
                "from = 2025-04-01\ntpp = \"26900000\"",
                "authorization.limit.from: \"2025-04-01\" is not the first day of a year",
            ),
            (
                "from = 2025-04-01",
                "from = 2025-01-01",
                "authorization.limit.from: \"2025-01-01\" is the day of the one before it: they overlap",
            ),
            ("from = 2025-07-01", "from = 2025-03-01", "authorization.limit.from: \"2025-03-01\" is before 2025-04-01"),
            ("percent = \"25\"", "percent = \"100.1\"", "authorization.share.percent: \"100.1\" is above 100 percent"),
            (
                "percent = \"25\"",
                "percent = \"-1\"",
                "authorization.share.percent: \"-1\" is not a decimal number of zero or more",
            ),
            ("percent = \"25\"", "percent = 25", "authorization.share.percent: \"25\" is not a decimal number"),
            (
                "id = \"outside_home\"",
                "id = \"outside_unlimited\"",
                "authorization.share.id: \"outside_unlimited\" stands above already",
            ),
            ("measured = \"reporting_dates\"", "measured = \"yearly\"", "is not one of always, reporting_dates"),
            ("[\"export\", \"reexport\"]", "[\"export\", \"import\"]", "authorization.activities: \"import\" is not an activity"),
            (
                "[\"export\", \"reexport\"]",
                "[\"export\", \"export\"]",
                "authorization.activities: \"export\" stands in the list twice",
            ),
            ("eccn = [\"3A090\", \"4A090\"", "eccn = [\"3A090\", \"4A9\"", "authorization.eccn: \"4A9\" is not an ECCN"),
            (
                "eccn = [\"3A090\", \"4A090\"",
                "eccn = [\"3A090\", \"3A090\"",
                "authorization.eccn: \"3A090\" stands in the list twice",
            ),
            ("distributors = false", "", "authorization.distributors: is missing"),
            (
                "distributors = false",
                "distributors = false\nresellers = true",
                "authorization.resellers: is not a key of this table",
            ),
        ];
        assert_told(&wrong);
    }

    #[test]
    fn dates_and_notices_that_are_wrong_are_problems() {
        let wrong = [
            ("[switch.charged_on_receipt]", "[switch.charged_at_receipt]", "switch.charged_on_receipt: is missing"),
            ("dates = [\"02-01\", \"08-01\"]", "dates = []", "reporting_dates.dates: names none"),
            ("\"02-01\", \"08-01\"", "\"02-01\", \"02-01\"", "reporting_dates.dates: \"02-01\" stands in the list twice"),
            ("\"02-01\"", "\"02-29\"", "reporting_dates.dates: \"02-29\" is not a day of every year"),
            ("\"02-01\"", "\"2-1\"", "reporting_dates.dates: \"2-1\" is not a day of every year"),
            ("id = \"lpp_notice\"", "id = \"nac_notice\"", "notice.id: \"nac_notice\" stands above already"),
            (
                "filed_by = \"holder\"",
                "filed_by = \"parent\"",
                "notice.filed_by: \"parent\" is not one of exporter, consignee, holder",
            ),
            ("days = 30", "days = \"30\"", "notice.days: \"30\" is not a whole number from -3650 to 3650"),
            ("days = 30", "days = 4000", "notice.days: \"4000\" is not a whole number"),
            ("days = 30", "days = 30\nmonths = 6", "notice.months: is not a key of this table"),
            ("months = 6\n", "", "notice.months: is missing"),
            ("tpp = \"3200000\"\n", "", "notice.tpp: is missing"),
            ("when = \"shipment\"", "when = \"each\"", "notice.when: \"each\" is not one of shipment, shipment_at_least"),
            ("when = \"threshold_reached\"", "when = \"limit_reached\"", "needs what AIA has none of: a limit"),
            ("when = \"limit_reached\"", "when = \"threshold_reached\"", "needs what LPP has none of: a threshold"),
            ("authorization = \"ACM\"", "authorization = \"ACA\"", "needs what ACA has none of: an account"),
            ("authorization = \"UVEU\"", "authorization = \"ACM\"", "needs what ACM has none of: a holder"),
        ];
        assert_told(&wrong);
    }

    #[test]
    fn a_notice_speaks_of_an_authorization_that_is_there() {
        let mut text = RegimeText::builtin();
        let content = &mut text.files.iter_mut().find(|(name, _)| name == FILE).unwrap().1;
        let from = content.rfind("[[authorization]]").unwrap();
        let until = content.find("# ---- readings and dates").unwrap();
        content.replace_range(from..until, "");
        let problems = parse(&text, Countries::builtin()).unwrap_err();
        assert_eq!(problems.len(), 1);
        assert!(
            problems[0].to_string().contains("notice.authorization: \"NAC\" is not an authorization of this file"),
            "{problems:?}"
        );
    }

    #[test]
    fn a_regime_may_be_without_company_allocations() {
        let mut text = RegimeText::builtin();
        text.files.retain(|(name, _)| name != FILE);
        let without = parse(&text, Countries::builtin()).unwrap();
        assert!(without.companies.is_none());
        let with = parse(&RegimeText::builtin(), Countries::builtin()).unwrap();
        assert_ne!(super::super::digest(&with), super::super::digest(&without));
        let rest = with.deciding_values();
        assert_eq!(
            rest.strip_prefix(&without.deciding_values()).and_then(|rest| rest.lines().next()),
            Some("company.authorization=AIA consignee whole held false")
        );
    }
}
