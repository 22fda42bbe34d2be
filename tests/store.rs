//! One conformance suite over both stores, and what only the file promises: guards, migrations, refusal of what is no ledger.

#![allow(clippy::disallowed_methods, reason = "a test looks at files and runs programs")]
#![allow(missing_docs, reason = "the names of tests are their documents")]

mod page;

use rusqlite::Connection;
use std::path::Path;
use tppledger::Error;
use tppledger::desk::ledger::Ledger;
use tppledger::desk::verify::verify;
use tppledger::quota::calendar::parse_day;
use tppledger::quota::codes::Country;
use tppledger::quota::company::account::Authorization;
use tppledger::quota::posting::{Entry, Measures};
use tppledger::quota::tpp::Tpp;
use tppledger::store::memory::MemoryStore;
use tppledger::store::sqlite::{SqliteStore, schema};
use tppledger::store::{Ask, Batch, End, Read, Store, hex};

/// A ledger with one of everything.
const STORY: &str = "\
A1 commit PL 2025-01-15
A2 increase PL 2025-02-03 10 %
A3 withhold PL 2025-02-03 5
Z1 asks 2025-01-20: 100 x 1.5 to PL
  and 3 of aggregate 1,000 to IN
Z2 asks 2025-01-21: 900,000,000 x 1 to IN
Z3 asks 2025-01-22: 10 x 1 to DE
E1 issue Z1 2025-03-03 line 1 80, line 2 2 license D1
E2 ship Z1 2025-04-01 line 1 30
E3 issue Z2 2025-03-03 => refused
E4 issue Z2 2025-03-03 authority \"order 7\" => accepted, finding overrun_authorized
E5 ship Z1 2025-03-20 line 1 5
E6 revoke Z1 2025-05-01
E7 correct E6 2025-06-02 authority \"order 8\"
Z3 revises 2 2025-01-22: 12 x 1 to DE
E8 return Z3 2025-04-01
E9 correct A3 2025-06-02
E10 note Z1 2025-06-03 reference \"text\"
P1 describes ACME 2025-01-01: name Acme, headquarters US, parent none
P2 describes LAB 2025-01-01: name Lab, headquarters PL
P3 authorizes ACME 2025-01-01: UVEU
P4 authorizes ACME 2025-01-01: NVEU in IN
H1 installed ACME 2025-01-02: 1,000,000 in US under UVEU
S1 ships 2025-02-03: 10 x 1.5 to PL, consignee LAB, under LPP
  and 3 x 1,000 to IN, consignee ACME, under NVEU
S2 ships 2025-02-04: 1 x 30,000,000 to PL, consignee LAB, under LPP => refused
H2 certified LAB 2025-03-03: 500 under LPP
H3 moved ACME 2025-04-01: 1,000 from US to BR under UVEU
P5 describes LAB 2025-02-01: name Lab, headquarters PL, parent ACME
E11 correct H3 2025-06-02
";

fn batch() -> Batch {
    Batch { recorded_at: 1_750_000_000, recorded_by: "examiner".into(), source: "story".into(), source_sha256: Some([7; 32]) }
}

fn told<S: Store + Clone>(mut store: S) -> S {
    let failures = page::run_on(&mut store, STORY);
    assert!(failures.is_empty(), "{failures:#?}");
    store
}

fn in_memory() -> MemoryStore {
    let kept = page::regime();
    told(MemoryStore::new(kept.id, kept.digest, kept.text))
}

fn in_a_file(path: &Path) -> SqliteStore {
    let store = SqliteStore::create(path, &page::regime()).unwrap();
    let (store, failures) = page::run_keeping(store, STORY);
    assert!(failures.is_empty(), "{failures:#?}");
    store
}

/// Everything a store can be asked, as text.
fn everything(read: &impl Read) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    let head = read.head().unwrap();
    writeln!(out, "{} {}", head.seq, hex(&head.digest)).unwrap();
    read.records(0, u64::MAX, &mut |record| {
        writeln!(out, "{record:?}").unwrap();
        assert_eq!(read.record(record.seq)?, Some(record));
        Ok(())
    })
    .unwrap();
    read.refusals(u64::MAX, &mut |record| {
        writeln!(out, "refused {}", record.seq).unwrap();
        Ok(())
    })
    .unwrap();
    read.dossiers(&mut |dossier| {
        let number = dossier.latest().number.clone();
        assert_eq!(read.dossier(&number)?, Some(dossier.clone()));
        writeln!(out, "{dossier:?}").unwrap();
        Ok(())
    })
    .unwrap();
    for through in 0..=head.seq {
        for day in
            ["2024-12-31", "2025-01-31", "2025-02-28", "2025-03-03", "2025-03-31", "2025-04-01", "2026-04-15", "2029-01-01"]
        {
            let positions = read.positions(parse_day(day).unwrap(), through).unwrap();
            let told: Vec<_> = positions.into_iter().filter(|(_, position)| !position.is_zero()).collect();
            writeln!(out, "{day} {through} {told:?}").unwrap();
            let accounts = read.account_positions(parse_day(day).unwrap(), through).unwrap();
            let told: Vec<_> = accounts.into_iter().filter(|(_, tpp)| *tpp != Tpp::ZERO).collect();
            writeln!(out, "{told:?}").unwrap();
        }
    }
    for code in ["PL", "IN", "DE"] {
        let country = Country::new(code).unwrap();
        let days: Vec<_> = read.day_totals(country).unwrap().into_iter().filter(|(_, sum)| !sum.is_zero()).collect();
        writeln!(out, "{code} {days:?} {:?}", read.acts(country).unwrap()).unwrap();
    }
    writeln!(out, "{:?} {:?}", read.party_statements().unwrap(), read.company_facts(None).unwrap()).unwrap();
    writeln!(out, "{:?} {:?}", read.company_facts(Some(&["LAB".into()])).unwrap(), read.charged_parties().unwrap()).unwrap();
    for authorization in Authorization::ALL {
        for party in ["ACME", "LAB", "LA"] {
            let days = read.account_days(*authorization, party).unwrap();
            let days: Vec<_> = days.into_iter().filter(|(.., tpp)| *tpp != Tpp::ZERO).collect();
            writeln!(out, "{authorization} {party} {days:?}").unwrap();
        }
    }
    writeln!(out, "{:?} {:?}", read.license("D1").unwrap(), read.license("D2").unwrap()).unwrap();
    writeln!(out, "{:?} {:?}", read.find("E4").unwrap().map(|record| record.seq), read.find("E99").unwrap()).unwrap();
    out
}

/// The first line in which two answers differ, short enough to read.
#[track_caller]
fn assert_alike(a: &str, b: &str) {
    for (line, (a, b)) in a.lines().zip(b.lines()).enumerate() {
        assert!(a == b, "line {line}:\n{}\n{}", &a[..a.len().min(900)], &b[..b.len().min(900)]);
    }
    assert_eq!(a.lines().count(), b.lines().count());
}

#[test]
fn both_stores_answer_every_question_alike_and_have_the_same_head() {
    let folder = tempfile::tempdir().unwrap();
    let file = in_a_file(&folder.path().join("story.db"));
    assert_alike(&everything(&in_memory().read().unwrap()), &everything(&file.read().unwrap()));
    drop(file);
    let again = SqliteStore::open_read_only(&folder.path().join("story.db")).unwrap();
    assert_alike(&everything(&in_memory().read().unwrap()), &everything(&again.read().unwrap()));
}

#[test]
fn a_transaction_that_fails_or_is_rolled_back_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    fn attempt<S: Store>(store: &mut S, end: Result<End, ()>) {
        let country = Country::new("PL").unwrap();
        let measures = Measures { licensed: tppledger::quota::tpp::Tpp::from_thousandths(1), ..Measures::ZERO };
        let entry = Entry {
            effective_on: parse_day("2025-07-01").unwrap(),
            allocation: country,
            kind: tppledger::quota::posting::EntryKind::Issued,
            measures,
        };
        let fact = tppledger::store::Fact::Regime {
            id: "x".into(),
            digest: [1; 32],
            reference: String::new(),
            effective_on: entry.effective_on,
        };
        let result = store.write(batch(), |tx| {
            use tppledger::store::{Append, Write};
            let seq = tx.head()?.seq + 1;
            tx.keep_regime(tppledger::store::RegimeKept {
                adopted_by: seq,
                id: "x".into(),
                digest: [1; 32],
                text: String::new(),
            })?;
            let record = tppledger::store::NewRecord {
                fact: fact.clone(),
                application: None,
                allocation: None,
                shortfalls: Vec::new(),
                findings: String::new(),
                entries: vec![entry],
                charges: Vec::new(),
            };
            assert_eq!(tx.append(&record.prepare())?, Some(seq));
            match end {
                Ok(end) => Ok(((), end)),
                Err(()) => Err(Error::usage("a fault", "none")),
            }
        });
        assert_eq!(result.is_err(), end.is_err());
    }
    let mut memory = in_memory();
    let mut file = in_a_file(&folder.path().join("story.db"));
    let before = everything(&memory.read().unwrap());
    for end in [Ok(End::Rollback), Err(())] {
        attempt(&mut memory, end);
        attempt(&mut file, end);
        assert_alike(&everything(&memory.read().unwrap()), &before);
        assert_alike(&everything(&file.read().unwrap()), &before);
    }
}

#[test]
fn the_file_verifies_and_each_kind_of_change_by_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("story.db");
    let ledger = Ledger::new(in_a_file(&path)).unwrap();
    assert_eq!(ledger.store.check_file().unwrap(), Vec::<String>::new());
    assert!(verify(&ledger).unwrap().iter().all(|check| check.wrong.is_empty()));
    drop(ledger);
    let other = Connection::open(&path).unwrap();
    let digest = "x'0000000000000000000000000000000000000000000000000000000000000000'";
    for statement in [
        "UPDATE record SET findings = ''".to_string(),
        "UPDATE entry SET licensed = 0".into(),
        "UPDATE line SET quantity = 1".into(),
        "DELETE FROM entry".into(),
        "DELETE FROM record WHERE seq = 3".into(),
        "DELETE FROM refusal".into(),
        "UPDATE regime SET text = ''".into(),
        "INSERT OR REPLACE INTO record SELECT * FROM record WHERE seq = 3".into(),
        "INSERT OR REPLACE INTO entry SELECT * FROM entry LIMIT 1".into(),
        "INSERT OR REPLACE INTO line SELECT * FROM line LIMIT 1".into(),
        "UPDATE charge SET tpp = 0".into(),
        "UPDATE party SET parent = 'none'".into(),
        "DELETE FROM holding".into(),
        "DELETE FROM shipment_line".into(),
        "INSERT OR REPLACE INTO charge SELECT * FROM charge LIMIT 1".into(),
        "INSERT OR REPLACE INTO party SELECT * FROM party LIMIT 1".into(),
        "INSERT OR REPLACE INTO holding SELECT * FROM holding LIMIT 1".into(),
        "INSERT OR REPLACE INTO shipment_line SELECT * FROM shipment_line LIMIT 1".into(),
        "INSERT INTO charge SELECT max(seq), 9, 20250101, 'LPP:LAB:year=2025', 'shipped', 1 FROM record".into(),
        "INSERT OR REPLACE INTO regime SELECT * FROM regime".into(),
        "INSERT OR REPLACE INTO batch SELECT * FROM batch LIMIT 1".into(),
        // Out of order, and an id that is known.
        format!(
            "INSERT INTO record (seq, kind, id, batch, effective_on, what, refused, findings, line_count, entry_count, digest) VALUES (999, 'event', 'E77', 1, 20250101, 'note', 0, '', 0, 0, {digest})"
        ),
        format!(
            "INSERT INTO record (seq, kind, id, batch, effective_on, what, refused, findings, line_count, entry_count, digest) SELECT max(seq) + 1, 'event', 'E1', 1, 20250101, 'note', 0, '', 0, 0, {digest} FROM record"
        ),
        // An entry for an earlier record, and one more than the last record states.
        "INSERT INTO entry VALUES (1, 9, 20250101, 'PL', 'issued', 0, 1, 0, 0, 0, 0)".into(),
        "INSERT INTO entry SELECT max(seq), 9, 20250101, 'PL', 'issued', 0, 1, 0, 0, 0, 0 FROM record".into(),
    ] {
        let refused = other.execute(&statement, []);
        assert!(refused.is_err(), "was allowed: {statement}");
        assert!(refused.unwrap_err().to_string().contains("append-only"), "{statement}");
    }
    let ledger = Ledger::new(SqliteStore::open(&path).unwrap()).unwrap();
    assert!(verify(&ledger).unwrap().iter().all(|check| check.wrong.is_empty()));
}

#[test]
fn what_gets_past_the_guards_is_found_by_verify() {
    let folder = tempfile::tempdir().unwrap();
    for (name, statement) in [
        ("a changed amount", "UPDATE entry SET licensed = licensed + 1 WHERE licensed > 0"),
        ("a changed day", "UPDATE record SET effective_on = 20250304 WHERE id = 'E1'"),
        ("a changed name", "UPDATE line SET ultimate_consignee = 'X'"),
        ("a changed person", "UPDATE batch SET recorded_by = 'X' WHERE batch = 3"),
        ("a changed refusal", "UPDATE refusal SET shortfall = shortfall + 1"),
        ("a removed record", "DELETE FROM record WHERE seq = (SELECT max(seq) FROM record)"),
        ("a removed entry", "DELETE FROM entry WHERE seq = 4"),
        ("a forged total", "UPDATE day_total SET licensed = licensed - 1000 WHERE allocation = 'PL' AND day = 20250303"),
        ("a forged opening", "UPDATE month_opening SET licensed = licensed - 1000 WHERE allocation = 'IN'"),
        ("a changed charge", "UPDATE charge SET tpp = tpp + 1 WHERE tpp > 0"),
        ("a changed parent", "UPDATE party SET parent = 'none' WHERE parent = 'ACME'"),
        ("a changed holding", "UPDATE holding SET tpp = tpp + 1"),
        ("a changed shipment", "UPDATE shipment_line SET tpp = tpp + 1"),
        ("a forged account", "UPDATE account_total SET tpp = tpp - 1 WHERE tpp > 0"),
        ("an added entry", "INSERT INTO entry VALUES (1, 9, 20250101, 'PL', 'issued', 0, 1, 0, 0, 0, 0)"),
    ] {
        let path = folder.path().join("story.db");
        drop(in_a_file(&path));
        let other = Connection::open(&path).unwrap();
        other.pragma_update(None, "foreign_keys", false).unwrap();
        let guards: Vec<String> = other
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        for guard in &guards {
            other.execute_batch(&format!("DROP TRIGGER {guard}")).unwrap();
        }
        assert!(other.execute(statement, []).unwrap() > 0, "{name}");
        other.execute_batch(schema::GUARDS).unwrap();
        drop(other);
        let ledger = Ledger::new(SqliteStore::open(&path).unwrap()).unwrap();
        let mut wrong = ledger.store.check_file().unwrap();
        wrong.extend(verify(&ledger).unwrap().into_iter().flat_map(|check| check.wrong));
        assert!(!wrong.is_empty(), "{name} was not found");
        drop(ledger);
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn guards_that_were_taken_away_are_missed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("story.db");
    drop(in_a_file(&path));
    Connection::open(&path).unwrap().execute_batch("DROP TRIGGER guard_entry_update; CREATE TABLE mine (x)").unwrap();
    let wrong = SqliteStore::open(&path).unwrap().check_file().unwrap();
    assert!(wrong.iter().any(|text| text.contains("guard_entry_update is missing")), "{wrong:?}");
    assert!(wrong.iter().any(|text| text.contains("mine is not the ledger's")), "{wrong:?}");
}

#[test]
fn the_page_of_the_schema_is_what_the_migrations_make() {
    let normalized = |sql: &str| {
        let without: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
        without.join(" ").split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(").replace(" )", ")")
    };
    let definitions = |scripts: &[&str]| {
        let connection = Connection::open_in_memory().unwrap();
        scripts.iter().for_each(|script| connection.execute_batch(script).unwrap());
        let mut found: Vec<(String, String, String)> = schema::definitions(&connection).unwrap();
        found.iter_mut().for_each(|definition| definition.2 = normalized(&definition.2));
        found
    };
    let page = include_str!("../schema/sqlite/ledger.sql");
    let page = if page.contains("CREATE TRIGGER") { vec![page] } else { vec![page, schema::GUARDS] };
    let made: Vec<&str> = schema::MIGRATIONS.iter().map(|migration| migration.sql).chain([schema::GUARDS]).collect();
    assert_eq!(definitions(&page), definitions(&made));
}

#[test]
fn what_is_no_ledger_is_refused_and_what_is_newer_too() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("text.db"), "not a database, but long enough to look like a file of some kind").unwrap();
    std::fs::write(at("empty.db"), "").unwrap();
    Connection::open(at("other.db")).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    drop(in_a_file(&at("newer.db")));
    Connection::open(at("newer.db")).unwrap().pragma_update(None, "user_version", 99).unwrap();
    for name in ["text.db", "empty.db", "other.db"] {
        assert!(matches!(SqliteStore::open(&at(name)), Err(Error::NotALedger { .. })), "{name}");
        assert!(matches!(SqliteStore::open_read_only(&at(name)), Err(Error::NotALedger { .. })), "{name}");
    }
    assert!(matches!(SqliteStore::open(folder.path()), Err(Error::NotALedger { .. })));
    assert!(matches!(SqliteStore::open(&at("none.db")), Err(Error::NoLedger { .. })));
    assert!(matches!(SqliteStore::open(&at("newer.db")), Err(Error::Newer { found: 99, .. })));
    assert!(matches!(SqliteStore::create(&at("newer.db"), &page::regime()), Err(Error::LedgerExists { .. })));
}

#[test]
fn a_read_only_file_in_a_read_only_folder_is_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("archive");
    std::fs::create_dir(&inner).unwrap();
    let path = inner.join("story.db");
    drop(in_a_file(&path));
    for leftover in ["story.db-wal", "story.db-shm", "story.db-lock"] {
        let _ = std::fs::remove_file(inner.join(leftover));
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o440)).unwrap();
    std::fs::set_permissions(&inner, std::fs::Permissions::from_mode(0o550)).unwrap();
    let store = SqliteStore::open_read_only(&path).unwrap();
    assert_alike(&everything(&store.read().unwrap()), &everything(&in_memory().read().unwrap()));
    std::fs::set_permissions(&inner, std::fs::Permissions::from_mode(0o750)).unwrap();
}

#[test]
fn a_busy_ledger_is_waited_for_and_then_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("story.db");
    let mut store = in_a_file(&path).with_patience(std::time::Duration::from_millis(200));
    let lock = std::fs::File::open(folder.path().join("story.db-lock")).unwrap();
    lock.lock().unwrap();
    let busy = store.write(batch(), |_| Ok(((), End::Rollback)));
    assert!(matches!(busy, Err(Error::Busy { .. })));
    lock.unlock().unwrap();
    // The turn that was given up is let go again.
    assert!(store.with_patience(std::time::Duration::from_secs(20)).write(batch(), |_| Ok(((), End::Rollback))).is_ok());
}

/// A ledger made before there were companies: the first migration alone, and nothing recorded.
fn of_the_first_version(path: &Path) {
    let (connection, kept) = (Connection::open(path).unwrap(), page::regime());
    connection.execute_batch(schema::MIGRATIONS[0].sql).unwrap();
    let applied = (1, schema::MIGRATIONS[0].name, schema::checksum(&schema::MIGRATIONS[0]));
    connection.execute("INSERT INTO migration (version, name, sha256) VALUES (?1, ?2, ?3)", applied).unwrap();
    let regime = (kept.id, kept.digest.to_vec(), kept.text);
    connection.execute("INSERT INTO regime (adopted_by, id, digest, text) VALUES (0, ?1, ?2, ?3)", regime).unwrap();
    connection.pragma_update(None, "application_id", schema::APPLICATION_ID).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
}

#[test]
fn an_earlier_ledger_is_brought_up_to_date_and_then_holds_all_that_a_new_one_holds() {
    let folder = tempfile::tempdir().unwrap();
    for read_only_first in [false, true] {
        let path = folder.path().join(format!("{read_only_first}.db"));
        of_the_first_version(&path);
        if read_only_first {
            assert_eq!(SqliteStore::open_read_only(&path).unwrap().read().unwrap().head().unwrap().seq, 0);
        }
        let (store, failures) = page::run_keeping(SqliteStore::open(&path).unwrap(), STORY);
        assert!(failures.is_empty(), "{failures:#?}");
        assert_eq!(store.check_file().unwrap(), Vec::<String>::new());
        assert_alike(&everything(&in_memory()), &everything(&store.read().unwrap()));
    }
}
