//! Amounts of total processing performance (TPP), exact.
//!
//! A [`Tpp`] is a whole number of thousandths held in an `i64`; decimals exist only at the edge, where text is
//! read and written. Nothing here rounds: more than three decimal places is an error, never a rounding, because
//! the rule knows no rounding (15 CFR Supp. 2 to part 748 (c)(4) only says "adding").
//! Invariant: arithmetic never wraps; a sum that leaves the range is an assertion, and the ledger keeps the gross
//! movement of each allocation below [`Tpp::GROSS_MAX`] so that the assertion cannot be reached by input.

use rust_decimal::Decimal;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// An amount in thousandths of one TPP; signed, because headroom may be an overrun.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Tpp(i64);

/// Why a text is not an amount.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AmountError {
    /// The text is no decimal number.
    #[error("is not a decimal number")]
    NotANumber,
    /// More than three decimal places: the ledger keeps whole thousandths and never rounds.
    #[error("has more than three decimal places; amounts are whole thousandths of a TPP and are never rounded")]
    TooPrecise,
    /// Outside what one line may carry.
    #[error("is out of range; a line carries less than 1,000,000,000,000 TPP")]
    OutOfRange,
    /// Negative where an amount must not be.
    #[error("is negative")]
    Negative,
}

impl Tpp {
    /// Nothing.
    pub const ZERO: Tpp = Tpp(0);
    /// A line's TPP stays below this: 10^12 TPP.
    pub const LINE_MAX: Tpp = Tpp(1_000_000_000_000_000);
    /// The gross movement (sum of absolute values) that one allocation may see: 4 x 10^15 TPP.
    pub const GROSS_MAX: Tpp = Tpp(4_000_000_000_000_000_000);

    /// From whole thousandths.
    pub const fn from_thousandths(thousandths: i64) -> Self {
        Tpp(thousandths)
    }

    /// The whole thousandths inside.
    pub const fn thousandths(self) -> i64 {
        self.0
    }

    /// Reads a non-negative decimal such as `15832`, `0.001` or `1.50`.
    ///
    /// # Errors
    /// [`AmountError`] for anything else; `1.0005` is [`AmountError::TooPrecise`], never 1.000 or 1.001.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let decimal = parse_decimal(text)?;
        let amount = Self::from_decimal(decimal)?;
        if amount.0 < 0 { Err(AmountError::Negative) } else { Ok(amount) }
    }

    /// An amount from a decimal, exactly.
    ///
    /// # Errors
    /// [`AmountError::TooPrecise`] beyond three places, [`AmountError::OutOfRange`] from [`Tpp::LINE_MAX`] on.
    pub fn from_decimal(decimal: Decimal) -> Result<Self, AmountError> {
        let plain = decimal.normalize();
        if plain.scale() > 3 {
            return Err(AmountError::TooPrecise);
        }
        let scaled = plain.mantissa() * 10_i128.pow(3 - plain.scale());
        match i64::try_from(scaled) {
            Ok(value) if value.abs() < Self::LINE_MAX.0 => Ok(Tpp(value)),
            _ => Err(AmountError::OutOfRange),
        }
    }

    /// `self` times a count of units; `None` when the product leaves the range of a line.
    pub fn times(self, units: u32) -> Option<Tpp> {
        let product = self.0.checked_mul(i64::from(units))?;
        (product.abs() < Self::LINE_MAX.0).then_some(Tpp(product))
    }

    /// The part of an aggregate that the first `units` of `quantity` units carry: ceil(A x n / Q) in thousandths.
    ///
    /// `1000 TPP` for 3 units: 2 of them carry `666.667`, all 3 carry `1000` exactly.
    ///
    /// Units may be more than the quantity, because shipments are facts; the result stops at [`Tpp::GROSS_MAX`].
    pub fn share(self, units: u64, quantity: u32) -> Tpp {
        let numerator = i128::from(self.0) * i128::from(units);
        let quotient = numerator.div_euclid(i128::from(quantity));
        let exact = numerator.rem_euclid(i128::from(quantity)) == 0;
        let value = quotient + i128::from(!exact);
        Tpp(i64::try_from(value).unwrap_or(Self::GROSS_MAX.0).min(Self::GROSS_MAX.0))
    }

    /// The sum; `None` where it leaves the range.
    pub fn checked_add(self, other: Tpp) -> Option<Tpp> {
        self.0.checked_add(other.0).map(Tpp)
    }

    /// `self` times any count of units, stopping at [`Tpp::GROSS_MAX`].
    pub fn times_saturating(self, units: u64) -> Tpp {
        let product = i128::from(self.0) * i128::from(units);
        Tpp(i64::try_from(product).unwrap_or(Self::GROSS_MAX.0).min(Self::GROSS_MAX.0))
    }

    /// Percent of an amount; `None` when it does not come out in whole thousandths.
    pub fn percent(self, percent: Decimal) -> Option<Tpp> {
        let plain = percent.normalize();
        let scale = 10_i128.checked_pow(plain.scale())?.checked_mul(100)?;
        let numerator = i128::from(self.0).checked_mul(plain.mantissa())?;
        if numerator % scale != 0 {
            return None;
        }
        i64::try_from(numerator / scale).ok().map(Tpp)
    }

    /// The larger of zero and the amount.
    pub fn floor_at_zero(self) -> Tpp {
        Tpp(self.0.max(0))
    }

    /// Absolute value.
    pub fn abs(self) -> Tpp {
        Tpp(self.0.abs())
    }

    /// The amount as an exact decimal.
    pub fn to_decimal(self) -> Decimal {
        Decimal::from_i128_with_scale(i128::from(self.0), 3).normalize()
    }

    /// With commas between thousands, for people: `1,583,200`.
    pub fn grouped(self) -> String {
        let plain = self.to_string();
        let (sign, rest) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("-", rest));
        let (whole, fraction) = rest.split_once('.').map_or((rest, None), |(w, f)| (w, Some(f)));
        let mut out = String::from(sign);
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index) % 3 == 0 {
                out.push(',');
            }
            out.push(digit);
        }
        if let Some(fraction) = fraction {
            out.push('.');
            out.push_str(fraction);
        }
        out
    }

    /// `self / whole x 100` with two decimals, half to even, never clipped; `None` for a whole of zero.
    pub fn utilization_pct(self, whole: Tpp) -> Option<Decimal> {
        if whole.0 == 0 {
            return None;
        }
        let numerator = i128::from(self.0) * 10_000;
        let denominator = i128::from(whole.0);
        let mut quotient = numerator.div_euclid(denominator);
        let twice = numerator.rem_euclid(denominator) * 2;
        if twice > denominator || (twice == denominator && quotient % 2 != 0) {
            quotient += 1;
        }
        Some(Decimal::from_i128_with_scale(quotient, 2))
    }
}

/// A decimal as people write it, without digit grouping, sign of plus or exponent.
///
/// # Errors
/// [`AmountError::NotANumber`], or [`AmountError::OutOfRange`] for digits beyond what a decimal can hold.
pub fn parse_decimal(text: &str) -> Result<Decimal, AmountError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.bytes().any(|b| b.is_ascii_digit())
        && digits.bytes().filter(|b| *b == b'.').count() <= 1;
    if !plain {
        return Err(AmountError::NotANumber);
    }
    Decimal::from_str_exact(text).map_err(|error| match error {
        rust_decimal::Error::Underflow => AmountError::TooPrecise,
        _ => AmountError::OutOfRange,
    })
}

impl fmt::Display for Tpp {
    /// Decimal with no digit grouping and no trailing zeros: `790000000`, `0.001`, `-5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, fraction) = (self.0.unsigned_abs() / 1000, self.0.unsigned_abs() % 1000);
        match fraction {
            0 => write!(f, "{sign}{whole}"),
            f3 if f3 % 100 == 0 => write!(f, "{sign}{whole}.{}", f3 / 100),
            f3 if f3 % 10 == 0 => write!(f, "{sign}{whole}.{:02}", f3 / 10),
            f3 => write!(f, "{sign}{whole}.{f3:03}"),
        }
    }
}

impl fmt::Debug for Tpp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} TPP")
    }
}

impl Add for Tpp {
    type Output = Tpp;
    fn add(self, other: Tpp) -> Tpp {
        Tpp(self.0.checked_add(other.0).expect("gross movement below GROSS_MAX keeps every sum in range"))
    }
}

impl Sub for Tpp {
    type Output = Tpp;
    fn sub(self, other: Tpp) -> Tpp {
        Tpp(self.0.checked_sub(other.0).expect("gross movement below GROSS_MAX keeps every difference in range"))
    }
}

impl Neg for Tpp {
    type Output = Tpp;
    fn neg(self) -> Tpp {
        Tpp::ZERO - self
    }
}

impl AddAssign for Tpp {
    fn add_assign(&mut self, other: Tpp) {
        *self = *self + other;
    }
}

impl SubAssign for Tpp {
    fn sub_assign(&mut self, other: Tpp) {
        *self = *self - other;
    }
}

impl Sum for Tpp {
    fn sum<I: Iterator<Item = Tpp>>(amounts: I) -> Tpp {
        amounts.fold(Tpp::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousandths_are_kept_and_more_is_an_error() {
        assert_eq!(Tpp::parse("0.001").unwrap().thousandths(), 1);
        assert_eq!(Tpp::parse("1.500").unwrap().to_string(), "1.5");
        assert_eq!(Tpp::parse("1.0000").unwrap().to_string(), "1");
        assert_eq!(Tpp::parse("1.0005"), Err(AmountError::TooPrecise));
        assert_eq!(Tpp::parse("1e30"), Err(AmountError::NotANumber));
        assert_eq!(Tpp::parse("1000000000000"), Err(AmountError::OutOfRange));
        assert_eq!(Tpp::parse("999999999999.999").unwrap().to_string(), "999999999999.999");
        assert_eq!(Tpp::parse("-1"), Err(AmountError::Negative));
    }

    #[test]
    fn an_aggregate_is_shared_by_the_ceiling() {
        let aggregate = Tpp::parse("1000").unwrap();
        assert_eq!(aggregate.share(2, 3).to_string(), "666.667");
        assert_eq!(aggregate.share(3, 3).to_string(), "1000");
        assert_eq!(aggregate.share(0, 3), Tpp::ZERO);
    }

    #[test]
    fn utilization_rounds_half_to_even_and_is_never_clipped() {
        let pct = |a: i64, b: i64| Tpp(a).utilization_pct(Tpp(b)).unwrap().to_string();
        assert_eq!(pct(1_583_200_000, 790_000_000_000), "0.20");
        assert_eq!(pct(25, 100_000), "0.02");
        assert_eq!(pct(75, 100_000), "0.08");
        assert_eq!(pct(3, 2), "150.00");
        assert_eq!(pct(-1, 2), "-50.00");
    }

    #[test]
    fn percent_must_come_out_in_whole_thousandths() {
        let base = Tpp::parse("790000000").unwrap();
        assert_eq!(base.percent(Decimal::from(50)).unwrap().to_string(), "395000000");
        assert_eq!(Tpp(1).percent(Decimal::from(50)), None);
    }
}
