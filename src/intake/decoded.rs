//! Bytes of an older encoding, read as UTF-8.
//!
//! Which bytes are which letters is known to encoding_rs; here it is only done piece by piece. Invariant: every byte of the
//! input is a character of the output.

use encoding_rs::{CoderResult, Decoder, WINDOWS_1252};
use std::io::{self, Read};

/// A reader of UTF-8 over bytes of another encoding.
pub(super) struct Decoded<R> {
    input: R,
    decoder: Decoder,
    bytes: Vec<u8>,
    text: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Decoded<R> {
    /// Of Windows-1252.
    pub(super) fn cp1252(input: R) -> Decoded<R> {
        let decoder = WINDOWS_1252.new_decoder_without_bom_handling();
        Decoded { input, decoder, bytes: vec![0; 1 << 14], text: Vec::new(), given: 0, ended: false }
    }

    /// Decodes the next piece; the text has room for all of it, since a byte becomes three at the most.
    fn refill(&mut self) -> io::Result<()> {
        let count = self.input.read(&mut self.bytes)?;
        self.ended = count == 0;
        self.text.resize(1 << 16, 0);
        let (result, _, written, _) = self.decoder.decode_to_utf8(&self.bytes[..count], &mut self.text, self.ended);
        debug_assert_eq!(result, CoderResult::InputEmpty);
        self.text.truncate(written);
        self.given = 0;
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.ended {
            self.refill()?;
        }
        let count = out.len().min(self.text.len() - self.given);
        out[..count].copy_from_slice(&self.text[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> String {
        let mut text = String::new();
        Decoded::cp1252(bytes).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn letters_of_windows_programs_are_read() {
        assert_eq!(decoded(b"M\xFCller \x96 \x80 5 \x93x\x94"), "Müller – € 5 “x”");
        assert_eq!(decoded(b""), "");
        assert_eq!(decoded(b"plain"), "plain");
    }

    #[test]
    fn a_long_text_is_whole_however_it_comes() {
        let bytes = b"\x80".repeat(100_000);
        assert_eq!(decoded(&bytes), "€".repeat(100_000));
    }
}
