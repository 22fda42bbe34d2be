//! Screening against the decision tables of `tests/screening/`: every row is a transaction, what must be said of it, and
//! where the law says so.

#![allow(clippy::disallowed_methods, reason = "a test looks at files")]
#![allow(missing_docs, reason = "the names of tests are their documents")]

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tppledger::intake::countries::Countries;
use tppledger::intake::regimes::{self, RegimeText};
use tppledger::intake::{Problem, TableReader, TransactionReader};
use tppledger::quota::calendar::parse_day;
use tppledger::quota::device::Thresholds;
use tppledger::screen::transaction::TransactionColumn;
use tppledger::screen::{Answer, Rulebook, Status, Transaction, Verdict, screen};

/// Rows that say nothing of the day are of this one, after the compliance date.
const TODAY: &str = "2025-07-01";

struct Law {
    book: Rulebook,
    thresholds: Thresholds,
}

fn right<T>(read: Result<T, Vec<Problem>>) -> T {
    read.unwrap_or_else(|problems| panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

fn law() -> Law {
    let text = RegimeText::builtin();
    let regime = right(regimes::parse(&text, Countries::builtin()));
    Law { book: right(regimes::screening(&regimes::builtin_screening(), &regime)), thresholds: right(regimes::thresholds(&text)) }
}

/// The law as a law firm's summary tells it.
fn summary() -> Law {
    let text = RegimeText::builtin_summary_edition();
    let regime = right(regimes::parse(&text, Countries::builtin()));
    let book = right(regimes::screening(&regimes::builtin_screening(), &regime));
    let book = right(regimes::screening_edition(&book, &regimes::builtin_screening_summary(), &regime));
    Law { book, thresholds: right(regimes::thresholds(&text)) }
}

/// A row of a table: its cells by column.
type Row = BTreeMap<String, String>;

fn tables() -> Vec<(PathBuf, Vec<Row>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screening");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "csv"));
    paths.sort();
    let rows = |path: &Path| csv::Reader::from_path(path).unwrap().into_deserialize().map(Result::unwrap).collect();
    paths.iter().map(|path| (path.clone(), rows(path))).collect()
}

fn transaction(row: &Row, law: &Law) -> Transaction {
    let is_column = |name: &str| TransactionColumn::ALL.iter().any(|column| column.as_str() == name);
    let cells: Vec<(&str, &str)> =
        row.iter().filter(|(name, cell)| is_column(name) && !cell.is_empty()).map(|(name, cell)| (&**name, &**cell)).collect();
    // A blank quantity of the tables is one unit; `?` says that it is not known.
    let quantity = match row.get("quantity").map(String::as_str) {
        None | Some("") => Some(("quantity", "1")),
        _ => None,
    };
    let cells: Vec<(&str, &str)> = cells.into_iter().chain(quantity).filter(|(_, cell)| *cell != "?").collect();
    let (header, cells): (Vec<&str>, Vec<&str>) = cells.into_iter().unzip();
    let mut reader =
        TransactionReader::new(TableReader::from_cells("row", &header, &[cells]), false).unwrap_or_else(|p| panic!("{p:?}"));
    let item = reader.next().expect("a row");
    item.value.unwrap_or_else(|p| panic!("{}: {p:?}", row["row"])).settle(parse_day(TODAY).unwrap(), &law.thresholds)
}

fn sorted<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let words: BTreeSet<&str> = words.into_iter().map(str::trim).filter(|word| !word.is_empty()).collect();
    words.into_iter().collect()
}

/// Names (`rule.condition`) of what keeps the exceptions of this code from serving. Of several rules of one code a row speaks
/// of those that are meant for its item, and of each it names all that it says.
fn because(answer: &Answer, code: &str, expected: &[&str]) -> Vec<String> {
    let status = answer.available(code);
    let is_meant = |id: &str| expected.iter().any(|name| name.split('.').next() == Some(id));
    let rules = answer.exceptions.iter().filter(|rule| rule.rule.code == code && rule.status == status);
    let named = rules.filter(|rule| is_meant(&rule.rule.id));
    let mut names: Vec<String> =
        named.flat_map(|rule| rule.because().map(move |condition| format!("{}.{condition}", rule.rule.id))).collect();
    names.sort();
    names
}

/// What a row expects and what is answered, where they differ.
fn differences(row: &Row, law: &Law) -> Vec<String> {
    let answer = screen(&transaction(row, law), &law.book);
    let mut differ = Vec::new();
    let mut compare = |what: &str, expected: Vec<&str>, got: Vec<&str>| {
        if expected != got {
            differ.push(format!("{}: {what}: expected {}, got {}", row["row"], expected.join(";"), got.join(";")));
        }
    };
    if let Some(expected) = row.get("license_required") {
        compare("license_required", vec![expected], vec![answer.license_required.as_str()]);
    }
    if let Some(expected) = row.get("paragraphs") {
        compare("paragraphs", sorted(expected.split(';')), sorted(answer.required_by.iter().map(|by| by.rule.code.as_str())));
    }
    if let (Some(code), Some(expected)) = (row.get("code"), row.get("available")) {
        compare("available", vec![expected], vec![answer.available(code).as_str()]);
        let expected = sorted(row["because"].split(';'));
        let got = because(&answer, code, &expected);
        compare("because", expected, got.iter().map(String::as_str).collect());
    }
    if let Some(expected) = row.get("review_policy") {
        let policies = answer.review.as_ref().map(|review| &review.policies[..]).unwrap_or_default();
        let mut got: Vec<&str> = policies.iter().map(|policy| policy.rule.code.as_str()).collect();
        got.dedup();
        compare("review_policy", expected.split(';').filter(|code| !code.is_empty()).collect(), got);
        let status = answer.review.as_ref().filter(|review| review.status != Status::No);
        compare("review_status", vec![&row["review_status"]], vec![status.map_or("", |review| review.status.as_str())]);
    }
    for (column, told) in [("to_file", &answer.filings), ("enforcement", &answer.enforcement), ("red_flags", &answer.red_flags)] {
        let Some(expected) = row.get(column) else { continue };
        let ids = |is_wanted: fn(Status) -> bool| {
            sorted(told.iter().filter(|rule| is_wanted(rule.status)).map(|rule| rule.rule.id.as_str()))
        };
        compare(column, sorted(expected.split(';')), ids(|_| true));
        compare("perhaps", sorted(row["perhaps"].split(';')), ids(|status| status != Status::Yes));
    }
    differ
}

#[test]
fn every_row_of_the_decision_tables_holds() {
    let (law, summary) = (law(), summary());
    let mut differ = Vec::new();
    let mut count = 0;
    for (path, rows) in tables() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        count += rows.len();
        let mut names = BTreeSet::new();
        for row in &rows {
            assert!(names.insert(&row["row"]), "{name}: {} stands twice", row["row"]);
            assert!(!row["cite"].is_empty(), "{name}: {} has no citation", row["row"]);
            let law = match row.get("edition").map_or("regulation", String::as_str) {
                "regulation" => &law,
                "summary" => &summary,
                other => panic!("{name}: {}: there is no edition {other:?}", row["row"]),
            };
            differ.extend(differences(row, law).into_iter().map(|difference| format!("{name}: {difference}")));
        }
    }
    assert!(differ.is_empty(), "{} of {count} rows differ:\n{}", differ.len(), differ.join("\n"));
    assert!(count >= 250, "there are {count} rows");
}

#[test]
fn every_condition_of_every_exception_is_named_by_a_row_that_flips_it() {
    let law = law();
    let mut named: BTreeSet<String> = BTreeSet::new();
    for (_, rows) in tables() {
        for row in rows.iter().filter(|row| row.contains_key("code") && row["available"] != "yes") {
            named.extend(row["because"].split(';').map(|name| name.trim().to_string()));
        }
    }
    let mut missing = Vec::new();
    for rule in &law.book.exception {
        let names = rule.conditions.iter().map(|condition| format!("{}.{}", rule.id, condition.id));
        missing.extend(names.filter(|name| !named.contains(name)));
    }
    assert!(missing.is_empty(), "no row flips {}", missing.join(", "));
}

/// The rows of `*-summary.csv` are pairs: one transaction under each edition, and what is said of it differs.
#[test]
fn what_the_summary_changes_is_shown_beside_the_regulation() {
    let mut pairs = 0;
    for (path, rows) in tables().into_iter().filter(|(path, _)| path.to_string_lossy().ends_with("-summary.csv")) {
        for pair in rows.chunks(2) {
            let [regulation, summary] = pair else { panic!("{}: {} stands alone", path.display(), pair[0]["row"]) };
            assert_eq!((&*regulation["edition"], &*summary["edition"]), ("regulation", "summary"), "{}", regulation["row"]);
            for column in TransactionColumn::ALL.iter().map(|column| column.as_str()) {
                assert_eq!(regulation.get(column), summary.get(column), "{}: {column}", regulation["row"]);
            }
            let said =
                |row: &Row| ["license_required", "paragraphs", "available", "review_policy"].map(|name| row.get(name).cloned());
            assert_ne!(said(regulation), said(summary), "{}", regulation["row"]);
            pairs += 1;
        }
    }
    assert!(pairs >= 25, "{pairs} pairs");
}

#[test]
fn every_announcement_filing_and_red_flag_is_told_by_a_row() {
    let book = law().book;
    for (column, rules) in [("enforcement", &book.enforcement), ("to_file", &book.filing), ("red_flags", &book.red_flag)] {
        let rows: Vec<Row> = tables().into_iter().flat_map(|(_, rows)| rows).filter(|row| row.contains_key(column)).collect();
        let told: BTreeSet<&str> = rows.iter().flat_map(|row| row[column].split(';')).collect();
        let missing: Vec<&str> = rules.iter().map(|rule| &*rule.id).filter(|id| !told.contains(id)).collect();
        assert!(missing.is_empty(), "no row of {column} has {}", missing.join(", "));
    }
}

#[test]
fn no_exception_is_charged_to_the_country_allocation() {
    // A company's or a consignee's own limit is all that an exception is ever charged to.
    let book = law().book;
    let charged: Vec<(&str, Option<&str>)> =
        book.exception.iter().map(|rule| (rule.id.as_str(), rule.counts_in.as_deref())).collect();
    let expected = [
        ("aia", None),
        ("aia_weights", None),
        ("acm", None),
        ("lpp", Some("lpp")),
        ("aca", None),
        ("aca_transfer", None),
        ("nac", None),
        ("uveu", Some("uveu")),
        ("nveu", Some("nveu")),
    ];
    assert_eq!(charged, expected);
}

#[test]
fn only_a_items_to_capped_destinations_are_counted_in_the_country_allocation() {
    let law = law();
    let counts = |eccn: &str, destination: &str, headquarters: &str| {
        let cells = [
            ("row", "one"),
            ("on", "2025-07-01"),
            ("eccn", eccn),
            ("destination", destination),
            ("consignee_headquarters", headquarters),
            ("parent_headquarters", headquarters),
        ];
        let row: Row = cells.map(|(name, cell)| (name.to_string(), cell.to_string())).into();
        let answer = screen(&transaction(&row, &law), &law.book);
        answer.review.is_some_and(|review| review.policies.first().is_some_and(|policy| policy.rule.counts))
    };
    for eccn in ["3A090.a", "4A090.a", "5A992.z.1"] {
        assert!(counts(eccn, "IN", "IN") && counts(eccn, "IN", "US") && counts(eccn, "IN", "CN"), "{eccn}");
        assert!(!counts(eccn, "DE", "DE") && !counts(eccn, "DE", "IN") && !counts(eccn, "CN", "CN") && !counts(eccn, "MO", "IN"));
    }
    for eccn in ["3A090.b", "4A090.b", "5A992.z.2", "3A090.c", "4E091"] {
        assert!(!counts(eccn, "VN", "VN") && !counts(eccn, "IN", "CN"), "{eccn}");
    }
}

#[test]
fn lpp_is_open_for_22_destinations() {
    let law = law();
    let tables = tables();
    let (_, rows) = tables.iter().find(|(path, _)| path.ends_with("lpp.csv")).unwrap();
    let base = rows.iter().find(|row| row["row"] == "base").unwrap();
    let is_open = |code: &str| {
        let mut row = base.clone();
        row.insert("destination".into(), code.into());
        screen(&transaction(&row, &law), &law.book).available("LPP") == Status::Open
    };
    let codes = Countries::builtin().codes().map(|code| code.to_string()).filter(|code| code != "US");
    let open: Vec<String> = codes.filter(|code| is_open(code)).collect();
    let expected = "AE AM AZ BH EG GE JO KG KW KZ LA MD MN OM PK QA SA TJ TM UZ VN YE";
    assert_eq!(open.join(" "), expected);
    assert_eq!(open.len(), 22);
}

/// Ids of all rules as they stand in the headings of `law-screening.md`.
fn rule_names(book: &Rulebook) -> BTreeSet<String> {
    let lists = [
        ("enforcement", &book.enforcement),
        ("subject", &book.subject),
        ("requirement", &book.requirement),
        ("exception", &book.exception),
        ("policy", &book.policy),
        ("filing", &book.filing),
        ("red_flag", &book.red_flag),
    ];
    lists.iter().flat_map(|(list, rules)| rules.iter().map(move |rule| format!("screening.{list}.{}", rule.id))).collect()
}

#[test]
fn every_rule_is_told_in_words_and_every_heading_is_a_rule() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/regimes/us-ear-ai-diffusion/law-screening.md");
    let text = std::fs::read_to_string(path).unwrap();
    let headings = text.lines().filter_map(|line| line.strip_prefix("## `")?.split('`').next());
    let headings: Vec<String> = headings.map(str::to_string).collect();
    let distinct: BTreeSet<String> = headings.iter().cloned().collect();
    assert_eq!(headings.len(), distinct.len(), "a heading stands twice");
    assert_eq!(distinct, rule_names(&law().book));
}

/// A transcript of the README may be cut: a line that ends in `…` is the beginning of one, and `  …` stands for lines left out.
#[test]
fn the_transcripts_of_the_readme_are_what_the_program_says() {
    let read = |path: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let (readme, said) = (read("README.md"), read("tests/cli/screen/stdout"));
    let blocks: Vec<&str> = readme.split("```\n").filter(|block| block.starts_with("$ tppledger screen --on")).collect();
    assert_eq!(blocks.len(), 6);
    for block in blocks {
        let command = block.lines().next().unwrap().trim_end_matches('…');
        let answer = said.split("\n$ ").find(|answer| format!("$ {}", answer.trim_start_matches("$ ")).starts_with(command));
        let mut lines = answer.unwrap_or_else(|| panic!("{command} is no case")).lines().skip(1);
        for line in block.lines().skip(1).filter(|line| line.trim() != "…") {
            let (beginning, cut) = (line.trim_end_matches('…'), line.ends_with('…'));
            let is_it = |said: &str| if cut { said.starts_with(beginning) } else { said == line };
            assert!(lines.any(is_it), "{command}: {line}");
        }
    }
}

/// Columns whose blank says that a fact is not known, each with cells that it may hold.
const UNKNOWN: [(&str, &[&str]); 22] = [
    ("eccn", &["3A090.a", "3A090.b", "3A090.c", "4A090.a", "5A002.z.1.a", "5A992.z.1", "3E001", "4E091", "EAR99"]),
    ("tpp_per_unit", &["0.001", "1600", "4799.999", "4800", "15824", "20999.999", "21000"]),
    ("performance_density", &["1", "5.92", "19.44"]),
    ("memory_bandwidth_gb_s", &["1000", "6499.999", "6500"]),
    ("datacenter", &["yes", "no"]),
    ("quantity", &["1", "202", "203", "1700", "100000"]),
    ("direct_product", &["yes", "no"]),
    ("knowledge", &["yes", "no"]),
    ("consignee_headquarters", &["US", "DE", "PL", "CN", "MO", "VN", "IR", "KH"]),
    ("parent_headquarters", &["US", "DE", "PL", "CN", "MO", "VN", "IR", "KH"]),
    ("end_user", &["private_sector", "government"]),
    ("end_use", &["develop", "store", "train_model"]),
    ("part_744", &["yes", "no"]),
    ("distributor", &["yes", "no"]),
    ("customers_elsewhere", &["yes", "no"]),
    ("certified", &["yes", "no"]),
    ("lpp_received_tpp", &["0", "26899999.999", "26900000"]),
    ("facility_secured", &["yes", "no"]),
    ("veu", &["none", "universal", "national"]),
    ("training_operations", &["1e20", "1e26", "2e26"]),
    ("weights", &["open", "closed"]),
    ("notified", &["yes", "no"]),
];

/// Columns that are always given here.
const KNOWN: [(&str, &[&str]); 4] = [
    ("on", &["2025-01-12", "2025-05-14", "2025-05-15", "2026-01-15", "2026-02-03", "2028-01-01"]),
    ("destination", &["DE", "PL", "CN", "HK", "MO", "VN", "AE", "IR", "KH"]),
    ("activity", &["export", "reexport", "transfer", "iaas_training"]),
    ("made_in", &["US", "TW"]),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// What is sure stays so: no fact that comes to be known turns a yes into a no, or a no into a yes, of any rule. A cell is
    /// chosen for each column, and each is left blank or not.
    #[test]
    fn what_comes_to_be_known_overturns_no_answer(
        known in prop::array::uniform4(0_usize..8),
        cells in prop::array::uniform22(0_usize..9),
        blank in prop::array::uniform22(any::<bool>()),
    ) {
        let law = LAW.with(std::rc::Rc::clone);
        let choose = |(name, words): (&str, &[&str]), at: usize| (name.to_string(), words[at % words.len()].to_string());
        let mut whole: Row = KNOWN.iter().zip(known).map(|(column, at)| choose(*column, at)).collect();
        whole.insert("row".into(), "a random one".into());
        let mut part = whole.clone();
        for ((column, at), blank) in UNKNOWN.iter().zip(cells).zip(blank) {
            let (name, cell) = choose(*column, at);
            part.insert(name.clone(), if blank { "?".into() } else { cell.clone() });
            whole.insert(name, cell);
        }
        let (part, whole) = (transaction(&part, &law), transaction(&whole, &law));
        let (before, after) = (screen(&part, &law.book), screen(&whole, &law.book));
        let sure = |status: Status| matches!(status, Status::Yes | Status::No);
        prop_assert!(!sure(before.license_required) || before.license_required == after.license_required);
        prop_assert!(!sure(before.subject) || before.subject == after.subject);
        for (before, after) in before.exceptions.iter().zip(&after.exceptions) {
            prop_assert!(!sure(before.status) || before.status == after.status, "{}", before.rule.id);
            let is_unsure = before.verdicts.iter().any(|verdict| matches!(verdict, Verdict::Undetermined(_)));
            prop_assert_eq!(before.needs().is_empty(), !is_unsure, "{}", before.rule.id);
        }
        if let (Some(before), Some(after)) = (&before.review, &after.review)
            && before.status == Status::Yes
        {
            prop_assert_eq!(&before.policies[0].rule.code, &after.policies[0].rule.code);
        }
    }
}

thread_local! {
    static LAW: std::rc::Rc<Law> = std::rc::Rc::new(law());
}
