//! Regimes: a folder of TOML files, or the one that the program carries, read strictly into a [`Regime`].
//!
//! A regime's text is what a ledger keeps; its deciding values are what it is known by ([`digest`]). Every table
//! carries its citation. Unknown, missing or misplaced keys, holes and overlaps in dates and contradictions between
//! groups are problems, all told at once. Invariant: what was parsed decides every country and every day one way.

mod companies;
mod groups;
mod keys;
mod law;
pub(crate) mod screening;
mod summary;
mod text;
mod thresholds;

use super::countries::Countries;
use super::place::{Place, Problem};
use crate::quota::device::Thresholds;
use crate::quota::regime::Regime;
use crate::screen::Rulebook;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;
pub use summary::Difference;
use text::{ALLOCATIONS, COMPANIES, DEVICES, GROUPS, LAW, SCREENING, SCREENING_SUMMARY, SUMMARY, read_file};
pub use text::{RegimeText, builtin_differences, builtin_screening, builtin_screening_summary, screening_in};

/// Reads a regime.
///
/// # Errors
/// Every problem of its files, with file, line and key.
pub fn parse(text: &RegimeText, countries: &Countries) -> Result<Regime, Vec<Problem>> {
    let mut problems = Vec::new();
    let frame = text.read(LAW, countries, &mut problems, law::frame);
    let country = text.read(ALLOCATIONS, countries, &mut problems, law::country);
    let groups = text.read(GROUPS, countries, &mut problems, groups::groups);
    // A regime may be without company allocations, and so are the ledgers that were kept before there were any.
    let companies = match text.file(COMPANIES) {
        Some(_) => text.read(COMPANIES, countries, &mut problems, companies::companies).map(Some),
        None => Some(None),
    };
    let (Some(frame), Some(country), Some(groups), Some(companies)) = (frame, country, groups, companies) else {
        return Err(problems);
    };
    let law::License { validity, validity_citation, roll_citation, unused_after_days, unused_citation } = frame.license;
    let mut regime = Regime {
        id: frame.id,
        title: frame.title,
        citation: frame.citation,
        legal_status: frame.legal_status,
        validity,
        validity_citation,
        roll_citation,
        unused_after_days,
        unused_citation,
        period: country.period.0,
        period_citation: country.period.1,
        base: country.base,
        increase_maximum_percent: country.increase_maximum.0,
        increase_maximum_citation: country.increase_maximum.1,
        critical_percent: country.critical.0,
        critical_citation: country.critical.1,
        counted_eccn: country.counted_eccn.0,
        counted_eccn_citation: country.counted_eccn.1,
        companies,
        switches: country.switches,
        groups,
        standings: std::collections::BTreeMap::new(),
        constant: Vec::new(),
    };
    regime.settle(countries.codes());
    Ok(regime)
}

/// Reads the thresholds by which devices are classified.
///
/// # Errors
/// Every problem of `devices.toml`, or that the regime has none.
pub fn thresholds(text: &RegimeText) -> Result<Thresholds, Vec<Problem>> {
    let mut problems = Vec::new();
    text.read(DEVICES, Countries::builtin(), &mut problems, thresholds::thresholds).ok_or(problems)
}

/// Reads the rules of screening under a regime's groups.
///
/// # Errors
/// Every problem, with line and key.
pub fn screening(text: &str, regime: &Regime) -> Result<Rulebook, Vec<Problem>> {
    let (countries, mut problems) = (Countries::builtin(), Vec::new());
    let read = |keys: &keys::Keys| screening::screening(keys, &regime.groups, countries, None);
    keys::RegimeFile::new(SCREENING, text, countries).read(&mut problems, read).ok_or(problems)
}

/// The same rules, with those of `instead` in the place of the ones with the same list and id.
///
/// # Errors
/// Every problem of `instead`, with line and key; a rule that is in the place of none is one.
pub fn screening_edition(first: &Rulebook, instead: &str, regime: &Regime) -> Result<Rulebook, Vec<Problem>> {
    let (countries, mut problems) = (Countries::builtin(), Vec::new());
    let read = |keys: &keys::Keys| screening::screening(keys, &regime.groups, countries, Some(first));
    keys::RegimeFile::new(SCREENING_SUMMARY, instead, countries).read(&mut problems, read).ok_or(problems)
}

/// Reads where the summary differs from the regulation.
///
/// # Errors
/// Every problem, with line and key.
pub fn differences(text: &str) -> Result<Vec<Difference>, Vec<Problem>> {
    let mut problems = Vec::new();
    keys::RegimeFile::new(SUMMARY, text, Countries::builtin()).read(&mut problems, summary::differences).ok_or(problems)
}

/// What is wrong with the files that may stand beside a regime's in its folder: the rules of screening, and where a summary
/// differs. One that is not there is none.
pub fn problems_beside(folder: &Path, regime: &Regime) -> Vec<Problem> {
    let mut problems = Vec::new();
    if text::is_there(folder, SCREENING) {
        let read = screening_in(folder).and_then(|text| screening(&text, regime));
        problems.extend(read.err().unwrap_or_default());
    }
    match read_file(&folder.join(SUMMARY)) {
        Ok(text) => problems.extend(differences(&text).err().unwrap_or_default()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            let place = Place::of_file(&Arc::from(folder.join(SUMMARY).to_string_lossy()));
            problems.push(Problem::new(place, format!("cannot be read: {error}"), "take it out, or write it as text in UTF-8"));
        }
    }
    problems
}

/// SHA-256 of what decides anything in a regime: two texts with the same digest give the same figures.
pub fn digest(regime: &Regime) -> [u8; 32] {
    Sha256::digest(regime.deciding_values().as_bytes()).into()
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test writes folders")]
mod tests {
    use super::*;
    use crate::quota::calendar::parse_day;
    use crate::quota::codes::Country;
    use crate::quota::regime::{Standing, SwitchKey};

    fn builtin() -> Regime {
        parse(&RegimeText::builtin(), Countries::builtin()).unwrap()
    }

    /// The problems of the built-in regime with one text of one file replaced, each as its first line.
    fn with(file: &str, from: &str, to: &str) -> Vec<String> {
        let mut text = RegimeText::builtin();
        let content = &mut text.files.iter_mut().find(|(name, _)| name == file).unwrap().1;
        assert!(content.contains(from), "{from}");
        *content = content.replacen(from, to, 1);
        let mut problems = parse(&text, Countries::builtin()).err().unwrap_or_default();
        problems.extend(thresholds(&text).err().unwrap_or_default());
        problems.iter().map(|problem| problem.to_string().lines().next().unwrap_or_default().to_string()).collect()
    }

    /// Line on which a text begins in a built-in file.
    fn line(file: &str, text: &str) -> usize {
        RegimeText::builtin().file(file).unwrap().split(text).next().unwrap().lines().count()
    }

    #[test]
    fn the_built_in_regime_is_read_whole() {
        let regime = builtin();
        assert_eq!(regime.period.to_string(), "2025-01-01/2027-12-31");
        assert_eq!(regime.base[0].tpp.to_string(), "790000000");
        assert_eq!(regime.switches.len(), SwitchKey::ALL.len());
        assert_eq!(regime.validity.holidays.len(), 55);
        let standing = |code: &str, day: &str| regime.standing(Country::new(code).unwrap(), parse_day(day).unwrap());
        assert_eq!(standing("KH", "2026-02-02"), Standing::PresumptionOfDenial);
        assert_eq!(standing("KH", "2026-02-03"), Standing::Capped);
        assert_eq!((standing("PR", "2025-01-01"), standing("HK", "2025-01-01")), (Standing::Home, Standing::PresumptionOfDenial));
        assert_eq!((standing("PL", "2025-01-01"), standing("DE", "2025-01-01")), (Standing::Capped, Standing::Unlimited));
        assert_eq!(thresholds(&RegimeText::builtin()).unwrap().paragraphs.len(), 4);
    }

    #[test]
    fn the_summary_edition_differs_and_so_does_its_digest() {
        let summary = parse(&RegimeText::builtin_summary_edition(), Countries::builtin()).unwrap();
        let day = parse_day("2025-01-01").unwrap();
        assert_eq!(summary.standing(Country::new("CY").unwrap(), day), Standing::PresumptionOfDenial);
        assert_ne!(digest(&summary), digest(&builtin()));
        assert_eq!(digest(&builtin()), digest(&builtin()));
    }

    #[test]
    fn the_day_of_the_last_check_decides_nothing() {
        let mut text = RegimeText::builtin();
        for (_, content) in &mut text.files {
            *content = content.replace("checked = 2026-07-23", "checked = 2026-08-01");
        }
        assert_eq!(digest(&parse(&text, Countries::builtin()).unwrap()), digest(&builtin()));
    }

    #[test]
    fn the_single_text_holds_all_files() {
        let text = RegimeText::builtin();
        assert_eq!(RegimeText::from_single_text(&text.to_single_text()), text);
        let tricky =
            RegimeText { files: vec![("a b.toml".to_string(), "--- c 3\nxyz\n".to_string()), ("ü".to_string(), String::new())] };
        assert_eq!(RegimeText::from_single_text(&tricky.to_single_text()), tricky);
        let cut = text.to_single_text();
        let cut = RegimeText::from_single_text(&cut[..cut.len() / 2]);
        assert!(parse(&cut, Countries::builtin()).unwrap_err().iter().any(|problem| problem.what.contains("missing")));
        assert!(RegimeText::from_single_text("--- x 99999999999999999999\n").files.is_empty());
    }

    #[test]
    fn a_folder_is_read_like_the_built_in_one() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in RegimeText::builtin().files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        std::fs::write(folder.path().join("law.md"), "words").unwrap();
        std::fs::write(folder.path().join("country-groups.summary.toml"), "").unwrap();
        std::fs::write(folder.path().join("summary.toml"), "").unwrap();
        assert_eq!(RegimeText::from_folder(folder.path()), Ok(RegimeText::builtin()));
        std::fs::rename(folder.path().join("allocations.toml"), folder.path().join("allocation.toml")).unwrap();
        std::fs::write(folder.path().join("regime.toml"), b"\xFF").unwrap();
        let problems: Vec<String> =
            RegimeText::from_folder(folder.path()).unwrap_err().iter().map(|problem| problem.what.clone()).collect();
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(RegimeText::from_folder(&folder.path().join("none")).is_err());
    }

    #[test]
    fn a_problem_names_file_line_and_key() {
        let at = line("allocations.toml", "tpp = \"790000000\"");
        assert_eq!(
            with("allocations.toml", "tpp = \"790000000\"", "tpp = 790000000"),
            [format!(
                "allocations.toml:{}: country.base.tpp: \"790000000\" is not an amount of TPP with at most three decimal places, written as text",
                at + 1
            )]
        );
    }

    #[test]
    fn unknown_missing_and_misplaced_keys_are_problems() {
        let told = with("allocations.toml", "tpp = \"790000000\"", "ttp = \"790000000\"");
        assert!(
            told[0].contains("country.base.tpp: is missing") && told[1].contains("country.base.ttp: is not a key of this table"),
            "{told:?}"
        );
        let told = with("regime.toml", "[license.unused]\nafter_days = 30\n", "[license.unused]\n");
        assert!(told[0].contains("license.unused.after_days: is missing"), "{told:?}");
        for (file, from, to, expected) in [
            ("regime.toml", "title = ", "titel = ", "regime.title: is missing"),
            (
                "allocations.toml",
                "[country.switch.export_counts]",
                "[country.switch.exports_count]",
                "country.switch.export_counts: is missing",
            ),
            ("country-groups.toml", "[not_named]", "extra = 1\n[not_named]", "territories.parents.extra"),
            ("country-groups.toml", "[roles]", "[roles]\nhome2 = \"US\"", "roles.home2: is not a key"),
            ("devices.toml", "tpp_from = \"4800\"", "tpp_form = \"4800\"", "paragraph.tpp_from: is missing"),
            ("devices.toml", "cite = \"3A090.a.1", "kite = \"3A090.a.1", "paragraph.cite: is missing"),
            ("regime.toml", "checked = 2026-07-23", "checked = \"2026-07-23\"", "regime.checked: \"2026-07-23\" is not a day"),
            ("regime.toml", "years = 1", "years = 0", "license.validity.years: \"0\" is not a whole number"),
            ("regime.toml", "years = 1", "years = 1.0", "license.validity.years: \"1.0\" is not a whole number"),
            ("regime.toml", "weekends = true", "weekends = \"yes\"", "license.roll.weekends: \"yes\" is not true or false"),
            ("regime.toml", "years = 1", "years = ", "is not TOML"),
            ("regime.toml", "years = 1", "years = 1\nyears = 2", "is not TOML"),
        ] {
            let told = with(file, from, to);
            assert!(told.iter().any(|told| told.contains(expected)), "{to}: {told:?}");
        }
    }

    #[test]
    fn every_table_needs_its_citation() {
        for (name, content) in RegimeText::builtin().files {
            for key in ["\ncite = ", "\nsource = ", "\nchecked = "] {
                for (position, _) in content.match_indices(key) {
                    let end = content[position + 1..].find('\n').unwrap() + position + 1;
                    let mut text = RegimeText::builtin();
                    let replaced = format!("{}{}", &content[..position], &content[end..]);
                    text.files.iter_mut().find(|(file, _)| *file == name).unwrap().1 = replaced;
                    let mut problems = parse(&text, Countries::builtin()).err().unwrap_or_default();
                    problems.extend(thresholds(&text).err().unwrap_or_default());
                    assert!(problems.len() == 1 && problems[0].what == "is missing", "{name} {position}: {problems:?}");
                }
            }
        }
    }

    #[test]
    fn holes_and_overlaps_in_dates_are_problems() {
        let second = |from: &str| {
            format!(
                "[[country.base]]\nfrom = {from}\ntpp = \"1\"\ncite = \"c\"\nsource = \"s\"\nchecked = 2026-01-01\n\n[country.increase_maximum]"
            )
        };
        let step = |from: &str| with("allocations.toml", "[country.increase_maximum]", &second(from));
        assert!(step("2026-01-01").is_empty());
        assert!(
            step("2025-01-01")[0].contains("country.base.from: \"2025-01-01\" is the day of the one before it: they overlap")
        );
        assert!(step("2024-01-01")[0].contains("is before 2025-01-01"));
        assert!(step("2028-01-01")[0].contains("is after 2027-12-31"));
        let hole = with("allocations.toml", "[[country.base]]\nfrom = 2025-01-01", "[[country.base]]\nfrom = 2025-01-02");
        assert!(hole[0].contains("leaves a hole from 2025-01-01 on"), "{hole:?}");
        assert!(
            with("allocations.toml", "to = 2027-12-31", "to = 2024-12-31")[0]
                .contains("country.period.to: \"2024-12-31\" is before from")
        );
        assert!(with("regime.toml", "from = 2025-05-13", "from = 2025-01-13")[0].contains("legal_status.from"));
        assert!(
            with("regime.toml", "2025-01-20", "2024-01-20")[0]
                .contains("license.holidays.dates: \"2024-01-20\" is outside 2025-01-01 to 2029-12-31")
        );
        assert!(with("regime.toml", "2025-01-20", "2025-01-01")[0].contains("stands in the list twice"));
        let change = "[[group.change]]\non = 2026-02-02\nadd = [\"PL\"]\ncite = \"c\"\nsource = \"s\"\nchecked = 2026-01-01\n\n# A destination of its own";
        assert!(with("country-groups.toml", "# A destination of its own", change)[0].contains("group.change.on"));
    }

    #[test]
    fn contradictions_between_groups_are_problems() {
        for (from, to, expected) in [
            ("remove = [\"KH\"]", "remove = [\"PL\"]", "group.change.remove: \"PL\" is not in the group then"),
            ("remove = [\"KH\"]", "remove = [\"KH\"]\nadd = [\"CN\"]", "group.change.add: \"CN\" is in the group already"),
            ("remove = [\"KH\"]", "", "group.change.add: is missing, and so is remove"),
            ("\"D:5\", \"macau\"", "\"D:6\", \"macau\"", "roles.presumption_of_denial: \"D:6\" is not a group of this file"),
            ("\"D:5\", \"macau\"", "\"D:5\", \"supplement_5a\"", "is unlimited too"),
            ("home = \"US\"", "home = \"CN\"", "roles.home: \"CN\" is in group D:5 too"),
            ("home = \"US\"", "home = \"us\"", "roles.home: \"us\" is not a country code"),
            ("members = [\"MO\"]", "members = [\"XX\"]", "group.members: \"XX\" is not a country code"),
            ("members = [\"MO\"]", "members = [\"MO\", \"MO\"]", "group.members: \"MO\" stands in the list twice"),
            ("id = \"macau\"", "id = \"D:5\"", "has two groups D:5"),
            ("members = [\"AQ\", \"PS\"]", "members = [\"AQ\", \"CN\"]", "not_named.members: \"CN\" is in group"),
            ("members = [\"AQ\", \"PS\"]", "members = [\"AQ\", \"HK\"]", "not_named.members: \"HK\" is a territory"),
            ("AI = \"GB\"", "AI = \"HK\"", "territories.parents.AI: \"HK\" is a territory itself, of CN"),
            ("AI = \"GB\"", "AI = \"AI\"", "is its own parent"),
            ("AI = \"GB\"", "US = \"GB\"", "territories.parents.US"),
            ("AI = \"GB\"", "MO = \"CN\"", "is the parent of MO, which is in group"),
            ("AI = \"GB\"", "ai = \"GB\"", "territories.parents.ai"),
            ("destination = \"LI\"", "destination = \"US\"", "noted.destination: \"US\" is home"),
        ] {
            let told = with("country-groups.toml", from, to);
            assert!(told.iter().any(|told| told.contains(expected)), "{to}: {told:?}");
        }
    }

    #[test]
    fn all_problems_of_all_files_are_told_at_once() {
        let mut text = RegimeText::builtin();
        for (name, content) in &mut text.files {
            *content = content.replacen("cite = ", "kite = ", 2);
            assert!(name.ends_with(".toml"));
        }
        assert_eq!(parse(&text, Countries::builtin()).unwrap_err().len(), 16);
        assert_eq!(parse(&RegimeText { files: Vec::new() }, Countries::builtin()).unwrap_err().len(), 3);
    }
    fn first_lines(problems: Vec<Problem>) -> Vec<String> {
        problems.iter().map(|problem| problem.to_string().lines().next().unwrap_or_default().to_string()).collect()
    }

    #[test]
    fn the_differences_of_the_summary_are_read_whole_and_name_every_country_that_differs() {
        let differences = differences(&builtin_differences()).unwrap();
        assert!(differences.len() >= 12 && differences.iter().any(|difference| difference.id == "weights_threshold"));
        let summary = parse(&RegimeText::builtin_summary_edition(), Countries::builtin()).unwrap();
        let (regulation, words) = (builtin(), builtin_differences());
        for group in &regulation.groups.groups {
            let other = summary.groups.group(&group.id).unwrap_or_else(|| panic!("the summary's edition has no {}", group.id));
            let all = group.members.iter().chain(&other.members);
            for country in all.filter(|country| group.members.contains(country) != other.members.contains(country)) {
                assert_eq!(group.id, "D:5");
                let name = Countries::builtin().name(*country);
                let told = differences.iter().any(|one| one.id.starts_with("footnote_3") && one.summary.contains(name));
                assert!(told, "{name}");
            }
        }
        // Footnote 1 against the regulation's set, (D:1, D:4, D:5) less (A:5, A:6).
        let in_any = |ids: &[&str], country| ids.iter().any(|id| regulation.groups.group(id).unwrap().members.contains(&country));
        let listed = &summary.groups.group("summary_footnote_1").unwrap().members;
        for country in Countries::builtin().codes() {
            let needed = in_any(&["D:1", "D:4", "D:5"], country) && !in_any(&["A:5", "A:6"], country);
            if needed != listed.contains(&country) {
                let id = format!("footnote_1_{}", Countries::builtin().name(country).to_lowercase());
                assert!(words.contains(&format!("id = \"{id}\"")), "{id}");
            }
        }
    }

    #[test]
    fn a_problem_of_the_summary_names_file_line_and_key() {
        let with = |from: &str, to: &str| {
            let text = builtin_differences();
            assert!(text.contains(from), "{from}");
            first_lines(differences(&text.replacen(from, to, 1)).unwrap_err())
        };
        let text = builtin_differences();
        let line = |wanted: &str| text.split(wanted).next().unwrap().lines().count() + 1;
        let second = line("id = \"footnote_3_cyprus\"");
        assert_eq!(
            with("id = \"footnote_3_cyprus\"", "id = \"footnote_3_armenia_azerbaijan\""),
            [format!("summary.toml:{second}: difference.id: \"footnote_3_armenia_azerbaijan\" names a difference above already")]
        );
        let first = line("[[difference]]");
        assert_eq!(with("follows = ", "folows = ").len(), 2);
        for (from, to, expected) in [
            ("id = \"footnote_3_a", "id = \"footnote 3_a", format!("summary.toml:{}: difference.id: ", first + 1)),
            ("summary = ", "sumary = ", format!("summary.toml:{first}: difference.summary: is missing")),
            ("regulation = ", "[difference.regulation]\nx = ", format!("summary.toml:{}: difference.regulation: ", first + 3)),
            ("follows = ", "folows = ", format!("summary.toml:{}: difference.folows: is not a key of this table", first + 4)),
            ("cite = ", "kite = ", format!("summary.toml:{first}: difference.cite: is missing")),
            ("source = ", "sauce = ", format!("summary.toml:{first}: difference.source: is missing")),
            ("checked = 2026-07-23", "checked = 2026-07-32", "summary.toml:".to_string()),
            ("[[difference]]", "[difference]", "summary.toml:".to_string()),
            ("[[difference]]", "title = \"x\"\n[[difference]]", format!("summary.toml:{first}: title: is not a key")),
        ] {
            let told = with(from, to);
            assert!(told.iter().any(|told| told.starts_with(&expected)), "{to}: {expected}: {told:?}");
        }
        assert_eq!(first_lines(differences("").unwrap_err()), ["summary.toml:1: difference: is missing"]);
    }

    #[test]
    fn the_summarys_rules_stand_in_the_place_of_those_they_replace() {
        let summary = parse(&RegimeText::builtin_summary_edition(), Countries::builtin()).unwrap();
        let first = screening(&builtin_screening(), &summary).unwrap();
        let instead = builtin_screening_summary();
        let book = screening_edition(&first, &instead, &summary).unwrap();
        let ids = |rules: &[crate::screen::Rule]| rules.iter().map(|rule| rule.id.clone()).collect::<Vec<_>>();
        assert_eq!((ids(&book.policy), ids(&book.exception)), (ids(&first.policy), ids(&first.exception)));
        assert_eq!(screening_edition(&first, "", &summary).unwrap().requirement.len(), first.requirement.len());
        let conditions = |book: &Rulebook| book.exception.iter().find(|rule| rule.id == "aia").unwrap().conditions.len();
        assert_eq!(conditions(&book) + 2, conditions(&first));
        let at = instead.split("id = \"aia\"").next().unwrap().lines().count() + 1;
        for (from, to, expected) in [
            (
                "id = \"aia\"",
                "id = \"aja\"",
                format!("screening.summary.toml:{at}: exception.id: \"aja\" is not the id of a rule"),
            ),
            ("id = \"aia\"", "id = \"aca_transfer\"", "exception: has two rules aca_transfer".to_string()),
            ("# ---- requirement", "exclusion = 1", "exclusion: is not a key of this table".to_string()),
            ("\"summary_footnote_1\"", "\"summary_footnote_2\"", "is not a group of the regime".to_string()),
            ("source = ", "sauce = ", "requirement.source: is missing".to_string()),
        ] {
            let told = first_lines(screening_edition(&first, &instead.replacen(from, to, 1), &summary).unwrap_err());
            assert!(told.iter().any(|told| told.contains(&expected)), "{to}: {told:?}");
        }
        assert!(
            screening_edition(&first, &instead, &builtin()).is_err(),
            "the list of the summary is no group of the regulation"
        );
    }
}
