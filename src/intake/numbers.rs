//! Numbers as programs write them, as the decimals that they mean: `2.69E7`, and a spreadsheet's `0.30000000000000004`.
//!
//! A spreadsheet keeps binary floats, and shows and compares 15 significant digits of them. What stands behind the 15th is
//! the noise of its arithmetic, as long as it is small; more of it is a number that the spreadsheet could not hold, such as a
//! case number of 16 digits. All of it is done on the digits: no float is made. Invariant: a number that is given back
//! is the one written, or the one that the spreadsheet shows.

/// Significant digits that a spreadsheet holds.
const HELD: usize = 15;
/// Significant digits in which a float is written so that it can be told from every other one.
const WRITTEN: usize = 17;
/// The most that float noise changes, in the last of [`WRITTEN`] digits: a unit in the last place of a float is 2 to 18 of it.
const NOISE: u128 = 20;
/// Places before or behind the point; no cell has more.
const PLACES: i64 = 40;

/// Why a number of a spreadsheet is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NotHeld {
    /// It is no number.
    NoNumber,
    /// It has more digits than the spreadsheet keeps.
    TooManyDigits,
}

/// A number taken apart: its significant digits, and how many of them stand before the point.
struct Digits {
    negative: bool,
    digits: Vec<u8>,
    point: i64,
}

/// The number without exponent, exactly; `None` where it is none, or too long to be written out.
pub(super) fn plain(text: &str) -> Option<String> {
    Digits::of(text).map(|digits| digits.to_string())
}

/// A number of a sheet, as the spreadsheet shows it.
pub(super) fn of_sheet(text: &str) -> Result<String, NotHeld> {
    let mut number = Digits::of(text).ok_or(NotHeld::NoNumber)?;
    // A spreadsheet writes zeros for the digits that it lost, so that a long number of a case looks whole.
    if number.point > HELD as i64 {
        return Err(NotHeld::TooManyDigits);
    }
    if number.digits.len() > HELD {
        number.digits.resize(WRITTEN, b'0');
        let written = number.digits.iter().fold(0_u128, |sum, digit| sum * 10 + u128::from(digit - b'0'));
        let unit = 10_u128.pow((WRITTEN - HELD) as u32);
        let held = (written + unit / 2) / unit;
        if (held * unit).abs_diff(written) > NOISE {
            return Err(NotHeld::TooManyDigits);
        }
        let digits = held.to_string().into_bytes();
        number.point += (digits.len() - HELD) as i64;
        number.digits = digits;
        number.trim();
    }
    Ok(number.to_string())
}

impl Digits {
    fn of(text: &str) -> Option<Digits> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok().filter(|places| places.abs() < 1000)?),
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut number = Digits { negative, digits, point: whole.len() as i64 + exponent };
        number.trim();
        (number.point.abs() <= PLACES && number.digits.len() as i64 - number.point <= PLACES).then_some(number)
    }

    /// Takes off the zeros at both ends.
    fn trim(&mut self) {
        let leading = self.digits.iter().take_while(|digit| **digit == b'0').count();
        self.digits.drain(..leading);
        self.point -= leading as i64;
        while self.digits.last() == Some(&b'0') {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            (self.point, self.negative) = (0, false);
        }
    }
}

impl std::fmt::Display for Digits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = String::from_utf8_lossy(&self.digits);
        let sign = if self.negative { "-" } else { "" };
        let before = usize::try_from(self.point).unwrap_or_default();
        if before == 0 {
            let zeros = "0".repeat(usize::try_from(-self.point).unwrap_or_default());
            return if digits.is_empty() { f.write_str("0") } else { write!(f, "{sign}0.{zeros}{digits}") };
        }
        match digits.split_at_checked(before) {
            Some((whole, "")) => write!(f, "{sign}{whole}"),
            Some((whole, fraction)) => write!(f, "{sign}{whole}.{fraction}"),
            None => write!(f, "{sign}{digits}{}", "0".repeat(before - digits.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponent_is_written_out() {
        let written = ["2.69E7", "1e3", "-1.5e-3", "0.000", "-0", "007.50", "1E+2", "12.30"].map(|text| plain(text).unwrap());
        assert_eq!(written, ["26900000", "1000", "-0.0015", "0", "0", "7.5", "100", "12.3"]);
        for text in ["", ".", "e5", "1e", "1e99999", "1e41", "1e-50", "x", "1.2.3", "--1", "٣"] {
            assert_eq!(plain(text), None, "{text}");
        }
    }

    #[test]
    fn float_noise_is_the_number_that_the_spreadsheet_shows() {
        // 0.1 + 0.2, ten times 0.1, 1.1 x 3, 4.35 x 100, 1.005 x 1000.
        for (noisy, shown) in [
            ("0.30000000000000004", "0.3"),
            ("0.99999999999999989", "1"),
            ("3.3000000000000003", "3.3"),
            ("434.99999999999994", "435"),
            ("1004.9999999999999", "1005"),
            ("26900000.000000004", "26900000"),
            ("-0.30000000000000004", "-0.3"),
            ("9.9999999999999982", "10"),
        ] {
            assert_eq!(of_sheet(noisy).as_deref(), Ok(shown), "{noisy}");
        }
    }

    #[test]
    fn what_fifteen_digits_hold_is_as_written() {
        for text in ["999999999999999", "999999999999.999", "0.001", "15832", "1583.2", "0.123456789012345"] {
            assert_eq!(of_sheet(text).as_deref(), Ok(text));
        }
        assert_eq!(of_sheet("4.6115E4").as_deref(), Ok("46115"));
    }

    #[test]
    fn what_fifteen_digits_do_not_hold_is_not_guessed() {
        // Excel makes 1234567890123450 of 1234567890123456; another program may write all of it.
        for text in ["1234567890123450", "1234567890123456", "1E15", "1e20", "123456789012.1234", "1.234567890123456"] {
            assert_eq!(of_sheet(text), Err(NotHeld::TooManyDigits), "{text}");
        }
        assert_eq!(of_sheet("NaN"), Err(NotHeld::NoNumber));
    }
}
