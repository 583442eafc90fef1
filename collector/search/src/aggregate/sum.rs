//! A sum without rounding: every double is a whole multiple of a power of two, and such multiples are added
//! as integers, by the size of the power. So the order of numbers makes no difference, and 0.1 + 0.2 - 0.3 is
//! what the doubles really add up to. Rounded once, at the end.

use crate::Number;

/// The sum of finite numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct ExactSum {
    /// A number of bin `n` counts 2^(32 n): ascending bins, each with less than 2^85 per addend, so that
    /// 2^42 of them fit.
    bins: Vec<(i16, i128)>,
}

const BIN_BITS: i32 = 32;
/// How many bins a sum may run on above the highest one.
const HEADROOM: i16 = 4;

impl ExactSum {
    /// Adds a finite number; by how many bytes the sum has grown.
    pub(super) fn add(&mut self, number: Number) -> usize {
        match number {
            Number::Int(int) => self.add_to(0, i128::from(int)),
            Number::Double(double) => {
                let (bin, addend) = split(double);
                self.add_to(bin, addend)
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) -> usize {
        other.bins.iter().map(|(bin, addend)| self.add_to(*bin, *addend)).sum()
    }

    fn add_to(&mut self, bin: i16, addend: i128) -> usize {
        match self.bins.binary_search_by_key(&bin, |(known, _)| *known) {
            Ok(place) => {
                self.bins[place].1 = self.bins[place].1.saturating_add(addend);
                0
            }
            Err(place) => {
                let before = self.bins.capacity();
                self.bins.insert(place, (bin, addend));
                (self.bins.capacity() - before) * size_of::<(i16, i128)>()
            }
        }
    }

    /// Exact if it is a whole number that fits, else the nearest double.
    pub(super) fn total(&self) -> Number {
        let (Some((low, _)), Some((high, _))) = (self.bins.first(), self.bins.last()) else {
            return Number::Int(0);
        };
        let (digits, negative) = match self.digits(*low, high + HEADROOM, 1) {
            (digits, 0) => (digits, false),
            _ => (self.digits(*low, high + HEADROOM, -1).0, true),
        };
        let Some(top) = digits.iter().rposition(|digit| *digit != 0) else { return Number::Int(0) };
        let exponent = |place: i32| (i32::from(*low) + place) * BIN_BITS;
        let whole =
            digits.iter().enumerate().all(|(place, digit)| *digit == 0 || exponent(place as i32) >= 0);
        if whole && exponent(top as i32) <= BIN_BITS {
            let parts = digits.iter().enumerate().filter(|(_, digit)| **digit != 0);
            let int: i128 = parts.map(|(place, digit)| i128::from(*digit) << exponent(place as i32)).sum();
            if let Ok(int) = i64::try_from(if negative { -int } else { int }) {
                return Number::Int(int);
            }
        }
        let digit = |below: usize| u128::from(top.checked_sub(below).map_or(0, |place| digits[place]));
        let rest = digits[..top.saturating_sub(2)].iter().any(|digit| *digit != 0);
        let mantissa = digit(0) << 64 | digit(1) << 32 | digit(2) | u128::from(rest);
        // In two steps: the power alone may lie outside of a double's range.
        let power = exponent(top as i32 - 2);
        let double = mantissa as f64 * 2f64.powi(power / 2) * 2f64.powi(power - power / 2);
        Number::of_double(if negative { -double } else { double })
    }

    /// The sum, times `sign`, in digits of 32 bits from the lowest on, and what is carried out of the highest:
    /// 0, or -1 if it is negative.
    fn digits(&self, low: i16, high: i16, sign: i128) -> (Vec<u32>, i128) {
        let mut bins = self.bins.iter().peekable();
        let mut carry = 0i128;
        let digits = (low..=high).map(|bin| {
            let own = bins.next_if(|(next, _)| *next == bin).map_or(0, |(_, addend)| *addend);
            let sum = carry + own * sign;
            carry = sum >> BIN_BITS;
            sum as u32
        });
        (digits.collect(), carry)
    }
}

/// A finite double as a multiple of 2^(32 n).
fn split(double: f64) -> (i16, i128) {
    let bits = double.to_bits();
    let (biased, fraction) = ((bits >> 52 & 0x7ff) as i32, (bits & ((1 << 52) - 1)) as i128);
    let (exponent, mantissa) = match biased {
        0 => (-1074, fraction),
        _ => (biased - 1075, fraction | 1 << 52),
    };
    let addend = mantissa << exponent.rem_euclid(BIN_BITS);
    (exponent.div_euclid(BIN_BITS) as i16, if double < 0.0 { -addend } else { addend })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(numbers: &[f64]) -> f64 {
        let mut sum = ExactSum::default();
        numbers.iter().for_each(|number| {
            sum.add(Number::of_double(*number));
        });
        sum.total().to_double()
    }

    #[test]
    fn sums_are_rounded_once() {
        assert_eq!(sum(&[]), 0.0);
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[0.1, 0.2, -0.3]), 2.7755575615628914e-17);
        assert_eq!(sum(&[1e308, 1e308, -1e308]), 1e308);
        assert_eq!(sum(&[1e308, 1e308]), f64::INFINITY);
        assert_eq!(sum(&[1e16, 1.0, -1e16]), 1.0);
        assert_eq!(sum(&[1e300, 5e-324, -1e300]), 5e-324);
        assert_eq!(sum(&[-1.5, 0.25]), -1.25);
        assert_eq!(sum(&[f64::MIN_POSITIVE, -f64::MIN_POSITIVE]), 0.0);
        assert_eq!(sum(&[-1e-300, -1e300]), -1e300);
    }

    #[test]
    fn whole_sums_are_exact_as_far_as_they_fit() {
        let mut sum = ExactSum::default();
        for int in [i64::MAX, 1, -2, i64::MAX, i64::MIN, -1] {
            sum.add(Number::Int(int));
        }
        assert_eq!(sum.total(), Number::Int(i64::MAX - 3));
        sum.add(Number::Int(i64::MAX));
        assert_eq!(sum.total(), Number::of_double(18_446_744_073_709_551_611.0));
        let mut least = ExactSum::default();
        least.add(Number::Int(i64::MIN));
        assert_eq!(least.total(), Number::Int(i64::MIN));
    }
}
