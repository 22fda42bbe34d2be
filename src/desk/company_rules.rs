//! The company allocations of a regime in people's words, one value after another: for `regime show` and for comparisons.
//!
//! Nothing is decided here. Invariant: whatever `CompanyRules::deciding_values` hands over, but for the switch, is in one of
//! the values.

use crate::quota::company::rules::{CompanyRule, CompanyRules, KeptBy, NoticeRule, NoticeWhen, Share, ShareOf};
use crate::quota::regime::Citation;

/// One value of the company allocations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompanyValue<'r> {
    /// What it is called.
    pub what: String,
    /// What it is; of a list, what is in it.
    pub values: Vec<String>,
    /// Whether it is a list, whose order says nothing.
    pub is_list: bool,
    /// Source.
    pub citation: &'r Citation,
}

/// All values, in the order of the deciding ones.
pub fn company_values(rules: &CompanyRules) -> Vec<CompanyValue<'_>> {
    let mut values: Vec<CompanyValue> = rules.rules.values().flat_map(of_rule).collect();
    let dates = rules.reporting_dates.iter().map(|(month, day)| format!("{month:02}-{day:02}")).collect();
    values.push(list("reporting dates".into(), dates, &rules.reporting_dates_citation));
    let notices = rules.notices.iter().map(|notice| one(format!("notice {}", notice.id), told(notice), &notice.citation));
    values.extend(notices);
    values
}

fn of_rule(rule: &CompanyRule) -> Vec<CompanyValue<'_>> {
    let (code, citation) = (rule.authorization, &rule.citation);
    let kept = if rule.kept_by == KeptBy::Whole { String::new() } else { format!(", by {}", spaced(rule.kept_by.as_str())) };
    let held = if rule.held { "; it must be held" } else { "" };
    let besides = [
        ("through distributors", rule.distributors),
        ("on the limit of an operator", rule.operator),
        ("unlimited destinations only", rule.unlimited_only),
        ("where denial is presumed", rule.presumption_of_denial),
    ];
    let besides = besides.into_iter().filter(|(_, serves)| *serves).map(|(what, _)| what);
    let serves = rule.activities.iter().map(|activity| activity.as_str()).chain(besides).map(str::to_string).collect();
    let paragraphs = rule.eccn.iter().map(ToString::to_string).collect::<Vec<_>>();
    let paragraphs = if paragraphs.is_empty() { vec!["all".to_string()] } else { paragraphs };
    let mut values = vec![
        one(format!("{code} charged to"), format!("{}{kept}{held}", spaced(rule.charged_to.as_str())), citation),
        list(format!("{code} serves"), serves, citation),
        list(format!("{code} paragraphs"), paragraphs, citation),
    ];
    let limits = rule.limit.iter();
    values.extend(
        limits.map(|step| {
            one(format!("{code} limit from {} on", step.from), format!("{} TPP", step.tpp.grouped()), &step.citation)
        }),
    );
    let threshold = rule.threshold.iter();
    values.extend(threshold.map(|(tpp, citation)| one(format!("{code} threshold"), format!("{} TPP", tpp.grouped()), citation)));
    values.extend(rule.shares.iter().map(|share| one(format!("{code} share {}", share.id), share_told(share), &share.citation)));
    values
}

fn share_told(share: &Share) -> String {
    let place = match share.of {
        ShareOf::OutsideUnlimited => "outside the unlimited destinations",
        ShareOf::EachOutsideUnlimited => "in any one country outside the unlimited destinations",
        ShareOf::OutsideHome => "outside the home country, for a company headquartered there",
    };
    let (percent, measured) = (share.percent.normalize(), spaced(share.measured.as_str()));
    format!("at most {percent} % of the installed base {place}; measured: {measured}")
}

fn told(notice: &NoticeRule) -> String {
    let NoticeRule { authorization, filed_by, addressee, days, .. } = notice;
    let because = match (notice.when, notice.tpp) {
        (NoticeWhen::ShipmentAtLeast, Some(tpp)) => format!("a shipment of {} TPP or more", tpp.grouped()),
        (NoticeWhen::EveryMonths, _) => format!("every {} months", notice.months),
        (when, _) => spaced(when.as_str()),
    };
    let due = match days {
        0 => "on the day".to_string(),
        1.. => format!("within {days} days"),
        _ => format!("{} days before", days.unsigned_abs()),
    };
    let subject = if notice.subject.is_empty() { String::new() } else { format!(", subject {}", notice.subject) };
    format!("{authorization}, {because}: {due}, by the {filed_by}; {addressee}{subject}")
}

fn one(what: String, value: String, citation: &Citation) -> CompanyValue<'_> {
    CompanyValue { what, values: vec![value], is_list: false, citation }
}

fn list(what: String, values: Vec<String>, citation: &Citation) -> CompanyValue<'_> {
    CompanyValue { what, values, is_list: true, citation }
}

fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::compare::Comparison;
    use crate::desk::ledger::read_regime;
    use crate::intake::regimes::RegimeText;
    use crate::quota::company::account::Authorization::{Aia, Lpp, Nveu, Uveu};
    use crate::quota::company::rules::{ChargedTo, Measured};
    use crate::quota::regime::Regime;
    use crate::quota::tpp::Tpp;

    fn builtin() -> Regime {
        read_regime(&RegimeText::builtin()).unwrap().0
    }

    fn said(what: &str) -> String {
        let regime = builtin();
        let values = company_values(regime.companies.as_ref().unwrap());
        values.iter().find(|value| value.what == what).unwrap_or_else(|| panic!("{what}")).values.join(", ")
    }

    #[test]
    fn values_are_told_in_words() {
        assert_eq!(said("LPP charged to"), "ultimate parent, by calendar year");
        assert_eq!(said("NVEU charged to"), "holder, by country; it must be held");
        assert_eq!(said("AIA charged to"), "consignee");
        assert_eq!(said("LPP serves"), "export, reexport, on the limit of an operator");
        assert_eq!(said("NAC serves"), "export, reexport, through distributors, where denial is presumed");
        assert_eq!((said("NAC charged to"), said("NAC paragraphs")), ("nobody".to_string(), "all".to_string()));
        assert_eq!(said("NVEU limit from 2026-04-01 on"), "2,690,250,000 TPP");
        assert_eq!(said("AIA threshold"), "253,000,000 TPP");
        assert_eq!(
            said("UVEU share each_outside_unlimited"),
            "at most 7 % of the installed base in any one country outside the unlimited destinations; measured: always"
        );
        let notice = "LPP, a shipment of 3,200,000 TPP or more: on the day, by the exporter; BIS, EARReports@bis.doc.gov, subject LPP Shipment";
        assert_eq!(said("notice lpp_notice"), notice);
        assert_eq!(
            said("notice nac_notice"),
            "NAC, shipment: 25 days before, by the exporter; BIS, through SNAP-R, subject NAC, in Box 9"
        );
        assert_eq!(said("notice acm_accounting"), "ACM, every 6 months: on the day, by the consignee; kept for each facility");
    }

    /// Every deciding value, changed alone, is told by a comparison, and nothing else is.
    #[test]
    fn every_deciding_value_of_the_companies_is_compared() {
        type Case = (&'static str, fn(&mut CompanyRules));
        let changes: [Case; 17] = [
            ("LPP charged to", |c| c.rules.get_mut(&Lpp).unwrap().charged_to = ChargedTo::Consignee),
            ("AIA charged to", |c| c.rules.get_mut(&Aia).unwrap().kept_by = KeptBy::Country),
            ("UVEU charged to", |c| c.rules.get_mut(&Uveu).unwrap().held = false),
            ("LPP serves", |c| c.rules.get_mut(&Lpp).unwrap().activities.clear()),
            ("LPP serves", |c| c.rules.get_mut(&Lpp).unwrap().distributors = true),
            ("LPP serves", |c| c.rules.get_mut(&Lpp).unwrap().operator = false),
            ("AIA serves", |c| c.rules.get_mut(&Aia).unwrap().presumption_of_denial = true),
            ("NVEU paragraphs", |c| c.rules.get_mut(&Nveu).unwrap().eccn.truncate(1)),
            ("NVEU limit from 2025-01-01 on", |c| c.rules.get_mut(&Nveu).unwrap().limit[0].tpp = Tpp::ZERO),
            ("NVEU limit from 2027-01-01 on", |c| c.rules.get_mut(&Nveu).unwrap().limit.truncate(8)),
            ("AIA threshold", |c| c.rules.get_mut(&Aia).unwrap().threshold = None),
            ("UVEU share outside_home", |c| c.rules.get_mut(&Uveu).unwrap().shares[2].measured = Measured::Always),
            ("charged on receipt", |c| c.charged_on_receipt.value ^= true),
            ("reporting dates", |c| c.reporting_dates.truncate(1)),
            ("notice lpp_certification_copy", |c| c.notices[0].days += 1),
            ("notice lpp_certification_copy", |c| c.notices[0].addressee.push('x')),
            ("notice nveu_facility_report", |c| c.notices.truncate(7)),
        ];
        for (what, change) in changes {
            let mut other = builtin();
            change(other.companies.as_mut().unwrap());
            assert_ne!(other.deciding_values(), builtin().deciding_values(), "{what}");
            let rows = Comparison::new(&builtin(), &other, &[], true).page(["builtin", "other"]);
            let told: Vec<&str> =
                rows.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| line.split("  [").next()).collect();
            assert_eq!(told, [what], "{rows}");
        }
    }

    #[test]
    fn a_regime_without_company_allocations_has_no_values_of_theirs() {
        let mut without = builtin();
        without.companies = None;
        let page = Comparison::new(&builtin(), &without, &[], true).page(["builtin", "other"]);
        assert!(
            page.contains(
                "LPP limit from 2025-01-01 on  [740.29(a), (d)]\n  builtin  26,900,000 TPP\n  other    no such value\n"
            ),
            "{page}"
        );
    }
}
