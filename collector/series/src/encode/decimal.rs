//! Floats that are decimals in disguise: whole multiples of 10^-e, kept as integers.
//!
//! A value counts as decimal only if its integer gives back the same bits; negative zero, NaN and what does not
//! fit go on a list of exceptions.

use telemetry::samples::is_stale;

/// 10^0 to 10^9, the largest exponent that is tried.
pub(super) const POWERS: [f64; 10] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// Beyond it neighbouring integers are no longer distinct floats.
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// A series as integers.
#[derive(Debug, PartialEq)]
pub(super) struct Decimal {
    /// Values are integers / 10^exponent.
    pub(super) exponent: u8,
    /// The first integer.
    pub(super) first: i64,
    /// What all steps between neighbours are multiples of; 0 if there are no steps.
    pub(super) gcd: u64,
    /// The steps, divided by `gcd`; empty if `gcd` is 0.
    pub(super) steps: Vec<i64>,
    /// Where the values stand that are not decimal, ascending.
    pub(super) exceptions: Vec<usize>,
}

impl Decimal {
    /// None if too many values are not decimal.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let (exponent, integers, exceptions) = integers(values)?;
        let first = *integers.first()?;
        // Differences stay below 2^55: nothing here overflows.
        let mut steps: Vec<i64> = integers.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let gcd = common_divisor(&steps);
        match gcd {
            0 => steps.clear(),
            1 => {}
            _ => steps.iter_mut().for_each(|step| *step /= gcd as i64),
        }
        Some(Self { exponent, first, gcd, steps, exceptions })
    }
}

/// The values that integers stand for, from the steps between them. No input overflows.
pub(super) fn restore(exponent: u8, first: i64, gcd: u64, steps: &[i64], out: &mut Vec<f64>) {
    let power = POWERS[usize::from(exponent).min(POWERS.len() - 1)];
    let mut integer = first;
    let mut value = |integer: i64| {
        // Most series are of whole numbers, and a division takes longer than all the rest.
        out.push(if exponent == 0 { integer as f64 } else { integer as f64 / power });
    };
    value(integer);
    for step in steps {
        integer = integer.wrapping_add(step.wrapping_mul(gcd as i64));
        value(integer);
    }
}

/// The smallest exponent that fits all values but a few.
fn integers(values: &[f64]) -> Option<(u8, Vec<i64>, Vec<usize>)> {
    let allowed = values.len() / 16 + 1;
    let mut exponent = 0;
    'larger: loop {
        let mut integers = Vec::with_capacity(values.len());
        let mut exceptions = Vec::new();
        let mut odd = 0;
        for (index, value) in values.iter().enumerate() {
            if let Some(integer) = integer(*value, exponent) {
                integers.push(integer);
                continue;
            }
            if let Some(larger) =
                (exponent + 1..POWERS.len()).find(|larger| integer(*value, *larger).is_some())
            {
                exponent = larger;
                continue 'larger;
            }
            exceptions.push(index);
            odd += usize::from(!is_stale(*value));
            if odd > allowed {
                return None;
            }
        }
        return Some((exponent as u8, integers, exceptions));
    }
}

/// The integer that stands for a value, if it gives back the very same bits.
fn integer(value: f64, exponent: usize) -> Option<i64> {
    let scaled = value * POWERS[exponent];
    let integer = (scaled + 0.5f64.copysign(scaled)) as i64;
    let back = integer as f64 / POWERS[exponent];
    (scaled.abs() <= LARGEST && integer.unsigned_abs() <= LARGEST as u64 && back.to_bits() == value.to_bits())
        .then_some(integer)
}

fn common_divisor(steps: &[i64]) -> u64 {
    let mut divisor = 0;
    for step in steps {
        let (mut a, mut b) = (step.unsigned_abs(), divisor);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        divisor = a;
        if divisor == 1 {
            break;
        }
    }
    divisor
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use telemetry::samples::stale_nan;

    use super::*;

    #[test]
    fn decimals_are_found() {
        type Case = (&'static [f64], u8, i64, u64, &'static [i64], &'static [usize]);
        let stale = [3.0, stale_nan(), 4.0];
        let cases: [Case; 7] = [
            (&[1.0, 2.0, 4.0], 0, 1, 1, &[1, 2], &[]),
            (&[0.25, 0.5, 0.75, 1.0], 2, 25, 25, &[1, 1, 1], &[]),
            (&[4096.0, 12288.0, 8192.0], 0, 4096, 4096, &[2, -1], &[]),
            (&[7.0, 7.0], 0, 7, 0, &[], &[]),
            (&[3.0, -0.0, 4.0], 0, 3, 1, &[1], &[1]),
            (&[1e-9, 2e-9], 9, 1, 1, &[1], &[]),
            (&[9_007_199_254_740_992.0, -9_007_199_254_740_992.0], 0, 1 << 53, 1 << 54, &[-1], &[]),
        ];
        for (values, exponent, first, gcd, steps, exceptions) in cases {
            let expected =
                Decimal { exponent, first, gcd, steps: steps.into(), exceptions: exceptions.into() };
            assert_eq!(Decimal::of(values), Some(expected), "{values:?}");
        }
        assert_eq!(
            Decimal::of(&stale).map(|found| (found.steps, found.exceptions)),
            Some((vec![1], vec![1]))
        );
    }

    #[test]
    fn what_is_not_decimal_is_refused() {
        let third = 1.0 / 3.0;
        let cases: [&[f64]; 6] = [
            &[third, third * 2.0, third * 5.0],
            &[f64::NAN, f64::NAN],
            &[f64::INFINITY, f64::NEG_INFINITY],
            &[5e-324, 1e-310],
            &[1e300, 2e300],
            &[-0.0, -0.0],
        ];
        for values in cases {
            assert_eq!(Decimal::of(values), None, "{values:?}");
        }
    }

    /// The trap: dividing the float that was rounded, not the integer, would accept it and lose its sign.
    #[test]
    fn negative_zero_is_no_integer() {
        assert!((0..POWERS.len()).all(|exponent| integer(-0.0, exponent).is_none()));
        assert_eq!(integer(0.0, 0), Some(0));
        assert_eq!(integer(9_007_199_254_740_994.0, 0), None);
    }
}
