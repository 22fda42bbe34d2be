//! Inserting rows: a statement for each set of columns that rows fill.
//!
//! Most rows leave most of their columns blank, and binding a blank costs as much as binding a name. So what is blank (no
//! value, 0, an empty text) stands in the statement, and so do the words that a table has few of; a statement is
//! prepared when the first row needs it. A million rows need a dozen.

use hashbrown::HashMap;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Result, Statement};

/// Inserts into one table.
#[derive(Debug)]
pub(super) struct Insert<'c> {
    connection: &'c Connection,
    table: &'static str,
    words: &'static [&'static str],
    columns: &'static [&'static str],
    otherwise: &'static str,
    prepared: HashMap<u64, Statement<'c>>,
}

/// A whole number, or a day or amount as it is kept.
pub(super) fn whole<'v>(number: impl Into<i64>) -> ValueRef<'v> {
    ValueRef::Integer(number.into())
}

/// A whole number, where there is one.
pub(super) fn maybe_whole<'v>(number: Option<i64>) -> ValueRef<'v> {
    number.map_or(ValueRef::Null, ValueRef::Integer)
}

/// How many of the low bits of a key are left to the variant; each column takes two of the others.
const VARIANT_BITS: usize = 8;

impl<'c> Insert<'c> {
    /// Into a table: columns of few words, then the others. `otherwise` ends the statement.
    pub(super) fn new(
        connection: &'c Connection,
        table: &'static str,
        words: &'static [&'static str],
        columns: &'static [&'static str],
        otherwise: &'static str,
    ) -> Self {
        assert!(VARIANT_BITS + 2 * columns.len() <= 64, "the columns of {table} fit into a key");
        Insert { connection, table, words, columns, otherwise, prepared: HashMap::new() }
    }

    /// Inserts a row; how many it became. `variant` tells one choice of words from another.
    pub(super) fn execute(&mut self, variant: u8, words: &[&str], values: &[ValueRef]) -> Result<usize> {
        debug_assert_eq!((words.len(), values.len()), (self.words.len(), self.columns.len()), "columns of {}", self.table);
        let key = values.iter().fold(0_u64, |key, value| key << 2 | blank(*value).map_or(0, |(code, _)| code));
        let key = key << VARIANT_BITS | u64::from(variant);
        if !self.prepared.contains_key(&key) {
            let statement = self.connection.prepare(&self.sql(words, values))?;
            self.prepared.insert(key, statement);
        }
        let statement = self.prepared.get_mut(&key).expect("just prepared");
        for (index, value) in values.iter().filter(|value| blank(**value).is_none()).enumerate() {
            statement.raw_bind_parameter(index + 1, ToSqlOutput::Borrowed(*value))?;
        }
        statement.raw_execute()
    }

    fn sql(&self, words: &[&str], values: &[ValueRef]) -> String {
        let columns: Vec<&str> = self.words.iter().chain(self.columns).copied().collect();
        let words = words.iter().map(|word| format!("'{word}'"));
        let mut number = 0;
        let values = values.iter().map(|value| match blank(*value) {
            Some((_, literal)) => literal.to_string(),
            None => {
                number += 1;
                format!("?{number}")
            }
        });
        let values: Vec<String> = words.chain(values).collect();
        format!("INSERT INTO {} ({}) VALUES ({}) {}", self.table, columns.join(", "), values.join(", "), self.otherwise)
    }
}

/// The code and the literal of a blank; `None` for what must be bound.
fn blank(value: ValueRef) -> Option<(u64, &'static str)> {
    match value {
        ValueRef::Null => Some((1, "NULL")),
        ValueRef::Integer(0) => Some((2, "0")),
        ValueRef::Text([]) => Some((3, "''")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_is_kept_as_what_it_is_and_rows_of_the_same_blanks_share_a_statement() -> Result<()> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch("CREATE TABLE t (word TEXT, a INTEGER, b TEXT) STRICT")?;
        let mut insert = Insert::new(&connection, "t", &["word"], &["a", "b"], "");
        insert.execute(0, &["x"], &[whole(7), ValueRef::Text(b"it's")])?;
        insert.execute(0, &["x"], &[whole(8), ValueRef::Text(b"?1")])?;
        insert.execute(0, &["x"], &[whole(0), ValueRef::Null])?;
        insert.execute(1, &["y"], &[ValueRef::Null, ValueRef::Text(b"")])?;
        assert_eq!(insert.prepared.len(), 3);
        let rows = "SELECT word, quote(a), quote(b) FROM t ORDER BY rowid";
        let rows: Vec<[String; 3]> =
            connection.prepare(rows)?.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?.collect::<Result<_>>()?;
        assert_eq!(rows, [["x", "7", "'it''s'"], ["x", "8", "'?1'"], ["x", "0", "NULL"], ["y", "NULL", "''"]]);
        Ok(())
    }
}
