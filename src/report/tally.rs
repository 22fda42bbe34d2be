//! What was written: rows, bytes and their SHA-256, counted on the way out.
//!
//! A report is hashed while it is written, never read again, so that the sum in `datapackage.json` is of the bytes
//! that were handed to the file. It never buffers; the writers hand over large pieces.
//! Invariant: `bytes` and `sha256` are of everything written, byte order mark and header included.

use super::error::WriteError;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::Write;

/// What a writer has written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// Rows, without the header.
    pub rows: u64,
    /// Bytes, all of them.
    pub bytes: u64,
    /// SHA-256 of those bytes.
    pub sha256: [u8; 32],
}

impl Written {
    /// The sum as a data package writes it: `sha256:` and 64 hexadecimal digits.
    pub fn hash(&self) -> String {
        self.sha256.iter().fold(String::from("sha256:"), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a string does not fail");
            text
        })
    }
}

/// An output that counts and hashes what passes.
pub struct Tally<W> {
    out: W,
    hasher: Sha256,
    bytes: u64,
}

impl<W: Write> Tally<W> {
    /// Counts from nothing.
    pub fn new(out: W) -> Self {
        Tally { out, hasher: Sha256::new(), bytes: 0 }
    }

    /// Writes a piece.
    ///
    /// # Errors
    /// [`WriteError`] when the output cannot be written.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), WriteError> {
        self.out.write_all(piece)?;
        self.hasher.update(piece);
        self.bytes += piece.len() as u64;
        Ok(())
    }

    /// Flushes the output and says what was written.
    ///
    /// # Errors
    /// [`WriteError`] when the output cannot be written.
    pub fn finish(mut self, rows: u64) -> Result<Written, WriteError> {
        self.out.flush()?;
        Ok(Written { rows, bytes: self.bytes, sha256: self.hasher.finalize().into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_of_all_pieces() {
        let mut tally = Tally::new(Vec::new());
        tally.write(b"a").unwrap();
        tally.write(b"bc").unwrap();
        let written = tally.finish(1).unwrap();
        assert_eq!(written.bytes, 3);
        assert_eq!(written.hash(), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
