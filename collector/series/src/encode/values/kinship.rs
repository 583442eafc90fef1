//! Which series belong into one page: those whose steps are alike share a table of bins well.

use crate::encode::decimal::Decimal;

/// Series that are neighbours in this order make the smallest pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kinship {
    /// Decimals, then the others.
    class: u8,
    gcd: u64,
    /// Three of four steps are at most this, as a multiple of `gcd`.
    usual_step: u64,
}

impl Kinship {
    /// Of a series' chunk.
    pub fn of(values: &[f64]) -> Self {
        let Some(decimal) = Decimal::of(values) else {
            return Self { class: 1, gcd: 0, usual_step: 0 };
        };
        let mut sizes: Vec<u64> = decimal.steps.iter().map(|step| step.unsigned_abs()).collect();
        let place = sizes.len() * 3 / 4;
        let usual_step = if sizes.is_empty() { 0 } else { *sizes.select_nth_unstable(place).1 };
        Self { class: 0, gcd: decimal.gcd, usual_step }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_a_kind_stand_together() {
        let steps = |step: i32, n: i32| (0..n).map(|i| f64::from(i * step + i % 3)).collect::<Vec<_>>();
        let slow = Kinship::of(&steps(10, 40));
        let fast = Kinship::of(&steps(1000, 40));
        let pages = Kinship::of(&[0.0, 4096.0, 12288.0, 4096.0]);
        let constant = Kinship::of(&[5.0; 9]);
        let float = Kinship::of(&[0.1 + 0.2, 1.0 / 3.0, 2.0 / 3.0]);
        let mut all = [float, pages, fast, slow, constant, Kinship::of(&[])];
        all.sort_unstable();
        assert_eq!(all[..4], [constant, slow, fast, pages]);
        assert_eq!(all[4..], [float, float]);
    }
}
