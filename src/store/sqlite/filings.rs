//! Filings in the file: what was filed, and its bytes in parts.

use super::rows::strange;
use crate::error::Result;
use crate::quota::calendar::Quarter;
use crate::quota::filing::{FiledFile, Filing, FilingKind, Filings};
use crate::store::sqlite::storage;
use rusqlite::{Connection, params};

/// The rows of a filing.
pub(super) fn insert(connection: &Connection, seq: i64, filing: &Filing) -> rusqlite::Result<()> {
    connection.prepare_cached("INSERT INTO filing (seq, quarter, through) VALUES (?1, ?2, ?3)")?.execute(params![
        seq,
        filing.quarter.to_string(),
        filing.through as i64
    ])?;
    let mut file_row =
        connection.prepare_cached("INSERT INTO filed_file (seq, ord, name, bytes, sha256) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (ord, file) in filing.files.iter().enumerate() {
        file_row.execute(params![seq, ord as i64, file.name, file.bytes as i64, file.sha256.as_slice()])?;
    }
    Ok(())
}

/// One part of a filed file.
pub(super) fn insert_part(connection: &Connection, seq: u64, ord: usize, part: usize, gzip: &[u8]) -> rusqlite::Result<()> {
    connection.prepare_cached("INSERT INTO filed_part (seq, ord, part, gzip) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        seq as i64,
        ord as i64,
        part as i64,
        gzip
    ])?;
    Ok(())
}

/// The filing of a record.
pub(super) fn filing(connection: &Connection, seq: i64) -> rusqlite::Result<Filing> {
    let mut filing = connection
        .prepare_cached("SELECT id, what, quarter, through, reference FROM record JOIN filing USING (seq) WHERE seq = ?1")?
        .query_row([seq], |row| {
            let (kind, quarter): (String, String) = (row.get(1)?, row.get(2)?);
            Ok(Filing {
                id: row.get(0)?,
                kind: FilingKind::parse(&kind).ok_or_else(|| strange(1, "kind of filing"))?,
                quarter: Quarter::parse(&quarter).ok_or_else(|| strange(2, "quarter"))?,
                through: row.get::<_, i64>(3)? as u64,
                reference: row.get(4)?,
                files: Vec::new(),
            })
        })?;
    let mut files = connection.prepare_cached("SELECT name, bytes, sha256 FROM filed_file WHERE seq = ?1 ORDER BY ord")?;
    filing.files = files
        .query_map([seq], |row| Ok(FiledFile { name: row.get(0)?, bytes: row.get::<_, i64>(1)? as u64, sha256: row.get(2)? }))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(filing)
}

/// All filings, in order of record.
pub(super) fn filings(connection: &Connection) -> rusqlite::Result<Filings> {
    let mut seqs = connection.prepare_cached("SELECT seq FROM filing ORDER BY seq")?;
    let seqs: Vec<i64> = seqs.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let filings = seqs.into_iter().map(|seq| Ok((seq as u64, filing(connection, seq)?)));
    Ok(Filings(filings.collect::<rusqlite::Result<_>>()?))
}

/// Hands the parts of a filed file out.
pub(super) fn parts(connection: &Connection, seq: u64, ord: usize, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let failed = storage("reading a filed file");
    let sql = "SELECT gzip FROM filed_part WHERE seq = ?1 AND ord = ?2 ORDER BY part";
    let mut statement = connection.prepare_cached(sql).map_err(&failed)?;
    let mut rows = statement.query([seq as i64, ord as i64]).map_err(&failed)?;
    while let Some(row) = rows.next().map_err(&failed)? {
        visit(row.get_ref(0).map_err(&failed)?.as_blob().map_err(|error| failed(error.into()))?)?;
    }
    Ok(())
}
