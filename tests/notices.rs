//! What falls due because of what was shipped, reached and held: a page is recorded, and the notices of a quarter are read.

#![allow(missing_docs, reason = "the names of tests are their documents")]

use tppledger::desk::company_reports::Companies;
use tppledger::desk::ledger::Ledger;
use tppledger::quota::calendar::Quarter;
use tppledger::report::Cell;
use tppledger::store::memory::MemoryStore;
use tppledger::store::{Ask, Store};

mod page;

/// The notices of a quarter after a page: due on, notice, whose, because of what, amount.
fn notices(page: &str, quarter: &str) -> Vec<String> {
    let kept = page::regime();
    let mut store = MemoryStore::new(kept.id, kept.digest, kept.text);
    let failures = page::run_on(&mut store, page);
    assert!(failures.is_empty(), "{failures:#?}");
    let ledger = Ledger::new(store).expect("a ledger");
    let regime = ledger.regime();
    let read = ledger.store.read().expect("a reader");
    let companies = Companies::gather(&read, read.head().expect("a head").seq).expect("what companies hold");
    let rules = regime.companies.as_ref().expect("company allocations");
    let table = companies.notices(&read, rules, Quarter::parse(quarter).expect("a quarter")).expect("notices");
    let said = |cell: &Cell| match cell {
        Cell::Empty => "-".to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Code(word) => word.to_string(),
        Cell::Amount(tpp) => tpp.grouped(),
        Cell::Day(day) => day.to_string(),
        Cell::Whole(_) | Cell::Percent(_) => panic!("no column of notices is a number or a share: {cell:?}"),
    };
    let at = ["due_on", "notice", "party", "because", "tpp"].map(|name| table.schema.index_of(name).expect("a column"));
    table.rows.iter().map(|row| at.map(|at| said(&row[at])).join(" ")).collect()
}

const ACME: &str = "P1 describes ACME 2025-01-01: headquarters PL, parent none\n";

#[test]
fn lpp_a_copy_of_the_certification_goes_to_bis_within_30_days_of_each_shipment() {
    let page = format!("{ACME}S1 ships 2025-02-01: 1 x 3,199,999.999 to PL, consignee ACME, under LPP\n");
    // 28 days of February are 27 days after the first, and three more.
    assert_eq!(notices(&page, "2025-Q1"), ["2025-03-03 lpp_certification_copy Exporter S1 3,199,999.999"]);
    let page = format!("{ACME}S1 ships 2025-03-02: 1 x 1 to PL, consignee ACME, under LPP\n");
    assert_eq!(notices(&page, "2025-Q1"), [""; 0], "30 days after 2 March is 1 April, the next quarter");
    assert_eq!(notices(&page, "2025-Q2"), ["2025-04-01 lpp_certification_copy Exporter S1 1"]);
}

#[test]
fn lpp_a_shipment_of_exactly_3_200_000_is_notified_before_it() {
    let page = format!(
        "{ACME}S1 ships 2025-02-10: 1 x 1,600,000 to PL, consignee ACME, under LPP\n  and 1 x 1,600,000 to PL, consignee ACME, under LPP\n"
    );
    assert_eq!(
        notices(&page, "2025-Q1"),
        ["2025-02-10 lpp_notice Exporter S1 3,200,000", "2025-03-12 lpp_certification_copy Exporter S1 3,200,000"]
    );
}

#[test]
fn lpp_the_consignee_tells_that_its_limit_is_reached_when_the_shipment_arrives() {
    let page = format!(
        "{ACME}S1 ships 2025-02-01: 1 x 1 to PL, consignee ACME, under LPP\n\
         S2 ships 2025-02-02: 1 x 26,899,999 to PL, consignee ACME, under LPP, received 2025-03-20\n"
    );
    let reached: Vec<String> = notices(&page, "2025-Q1").into_iter().filter(|row| row.contains("reached")).collect();
    assert_eq!(reached, ["2025-03-20 lpp_limit_reached ACME LPP:ACME:year=2025 26,900,000"]);
    let below = page.replace("26,899,999", "26,899,998.999");
    assert!(notices(&below, "2025-Q1").iter().all(|row| !row.contains("reached")));
}

#[test]
fn aia_the_certification_goes_to_bis_from_253_000_000_on_and_only_once() {
    let page = "P1 describes ACME 2025-01-01: headquarters DE, parent none\n\
                S1 ships 2025-04-01: 253 x 999,999 to DE, consignee ACME, under AIA\n\
                S2 ships 2025-04-02: 1 x 253 to DE, consignee ACME, under AIA\n\
                S3 ships 2025-04-03: 1 x 5 to DE, consignee ACME, under AIA\n";
    assert_eq!(notices(page, "2025-Q2"), ["2025-04-02 aia_certification ACME AIA:ACME 253,000,000"]);
}

#[test]
fn nac_a_notice_is_due_25_calendar_days_before_the_shipment() {
    let page = "P1 describes ACME 2025-01-01: headquarters CN, parent none\n\
                S1 ships 2025-05-01: 1 x 10 to CN, consignee ACME, under NAC, eccn 3A090.b\n";
    // April has 30 days: 24 of them and the sixth are 25 before the first of May.
    assert_eq!(notices(page, "2025-Q2"), ["2025-04-06 nac_notice Exporter S1 10"]);
}

#[test]
fn acm_a_facility_is_accounted_for_six_months_after_what_was_last_recorded_of_it() {
    let page = "P1 describes FAB 2025-01-01: headquarters TW, parent none\n\
                S1 ships 2025-01-15: 1 x 10 to TW, consignee FAB, under ACM, facility F1\n\
                S2 ships 2025-03-01: 1 x 10 to TW, consignee FAB, under ACM, facility F2\n\
                S3 ships 2025-07-20: 1 x 10 to TW, consignee FAB, under ACM, facility F1\n";
    assert_eq!(
        notices(page, "2025-Q3"),
        ["2025-07-15 acm_accounting FAB ACM:FAB:facility=F1 -", "2025-09-01 acm_accounting FAB ACM:FAB:facility=F2 -",]
    );
    // F1 was recorded again on 20 July; what was missed of it in July is not due a second time.
    assert_eq!(notices(page, "2026-Q1")[0], "2026-01-20 acm_accounting FAB ACM:FAB:facility=F1 -");
}

#[test]
fn veu_a_holder_reports_on_each_first_of_february_and_august_while_it_is_authorized() {
    let page = "P1 describes ACME 2025-01-01: headquarters US, parent none\n\
                P2 describes INDUS 2025-01-01: headquarters IN, parent none\n\
                P3 authorizes ACME 2025-02-02: UVEU\n\
                P4 authorizes INDUS 2025-01-01: NVEU in IN\n\
                P5 ends INDUS 2025-08-02: NVEU in IN\n";
    assert_eq!(notices(page, "2025-Q1"), ["2025-02-01 nveu_facility_report INDUS NVEU on 2025-02-01 -"]);
    assert_eq!(notices(page, "2025-Q2"), [""; 0]);
    assert_eq!(
        notices(page, "2025-Q3"),
        [
            "2025-08-01 nveu_facility_report INDUS NVEU on 2025-08-01 -",
            "2025-08-01 uveu_facility_report ACME UVEU on 2025-08-01 -",
        ]
    );
    assert_eq!(notices(page, "2026-Q1"), ["2026-02-01 uveu_facility_report ACME UVEU on 2026-02-01 -"]);
}
