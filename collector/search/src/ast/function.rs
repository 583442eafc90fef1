//! What `stats` can compute, by name.

use std::fmt;

use crate::Field;

/// What `stats` can compute. A new one is a variant here and in `aggregate/state.rs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Function {
    /// `count()`: how many records.
    Count,
    /// `count(f)`: how many records have the field.
    CountOf(Field),
    /// `sum(f)`.
    Sum(Field),
    /// `avg(f)`.
    Avg(Field),
    /// `min(f)`.
    Min(Field),
    /// `max(f)`.
    Max(Field),
    /// `p99(f)` and `quantile(0.99, f)`.
    Quantile(Quantile, Field),
    /// `distinct(f)`: how many different values.
    Distinct(Field),
}

/// A share from 0 to 1, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantile(u32);

impl Function {
    /// The names, as messages list them.
    pub const NAMES: [&str; 10] =
        ["count", "sum", "avg", "min", "max", "p50", "p95", "p99", "quantile", "distinct"];

    /// A function of one field, by name; `quantile` takes a number too.
    pub(crate) fn named(name: &str, field: Field) -> Option<Self> {
        Some(match name {
            "count" => Self::CountOf(field),
            "sum" => Self::Sum(field),
            "avg" => Self::Avg(field),
            "min" => Self::Min(field),
            "max" => Self::Max(field),
            "distinct" => Self::Distinct(field),
            _ => Self::Quantile(Quantile::percent(name.strip_prefix('p')?)?, field),
        })
    }

    /// Its name in a query.
    pub fn name(&self) -> String {
        match self {
            Self::Count | Self::CountOf(_) => "count".to_owned(),
            Self::Sum(_) => "sum".to_owned(),
            Self::Avg(_) => "avg".to_owned(),
            Self::Min(_) => "min".to_owned(),
            Self::Max(_) => "max".to_owned(),
            Self::Quantile(quantile, _) => quantile.to_string(),
            Self::Distinct(_) => "distinct".to_owned(),
        }
    }

    /// Whose values it looks at.
    pub fn field(&self) -> Option<&Field> {
        match self {
            Self::Count => None,
            Self::CountOf(field)
            | Self::Sum(field)
            | Self::Avg(field)
            | Self::Min(field)
            | Self::Max(field)
            | Self::Quantile(_, field)
            | Self::Distinct(field) => Some(field),
        }
    }

    /// Its column, unless it has a name: `p99(took)`.
    pub fn column(&self) -> String {
        format!("{}({})", self.name(), self.field().map(Field::name).unwrap_or_default())
    }
}

impl Quantile {
    const ONE: u32 = 1_000_000;

    /// From `0.95`; at most six decimals.
    pub fn share(text: &str) -> Option<Self> {
        decimal(text, 6).filter(|millionths| *millionths <= Self::ONE).map(Self)
    }

    /// From `95` or `99.9`; at most four decimals.
    pub fn percent(text: &str) -> Option<Self> {
        decimal(text, 4).filter(|millionths| *millionths <= Self::ONE).map(Self)
    }

    /// From 0 to 1.
    pub fn value(self) -> f64 {
        f64::from(self.0) / f64::from(Self::ONE)
    }

    /// Which one it is of so many in ascending order, from 1: the nearest rank.
    pub(crate) fn rank(self, count: u64) -> u64 {
        let rank = (u128::from(count) * u128::from(self.0)).div_ceil(u128::from(Self::ONE));
        (rank as u64).max(1)
    }
}

impl fmt::Display for Quantile {
    /// As `p99.9`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!("{:04}", self.0 % 10_000);
        match decimals.trim_end_matches('0') {
            "" => write!(out, "p{}", self.0 / 10_000),
            decimals => write!(out, "p{}.{decimals}", self.0 / 10_000),
        }
    }
}

/// A decimal number times 10 to the power of `places`, if that is whole.
fn decimal(text: &str, places: usize) -> Option<u32> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.trim_end_matches('0').len() > places {
        return None;
    }
    let padded = format!("{:0<places$}", decimals.trim_end_matches('0'));
    let whole = whole.parse::<u32>().ok()?.checked_mul(10u32.pow(places as u32))?;
    whole.checked_add(padded.parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_exact_in_millionths() {
        let cases = [
            ("50", "p50"),
            ("99.9", "p99.9"),
            ("99.90", "p99.9"),
            ("0", "p0"),
            ("100", "p100"),
            ("0.5", "p0.5"),
        ];
        for (text, printed) in cases {
            assert_eq!(Quantile::percent(text).map(|q| q.to_string()).as_deref(), Some(printed), "{text}");
        }
        assert_eq!(Quantile::share("0.95"), Quantile::percent("95"));
        assert_eq!(Quantile::share("1"), Quantile::percent("100"));
        for text in ["", "101", "-1", "1e1", "9.12345", ".5", "5.", "x", "100.0001"] {
            assert_eq!(Quantile::percent(text), None, "{text}");
        }
    }

    #[test]
    fn ranks_are_the_nearest_ones() {
        let rank = |percent: &str, count| Quantile::percent(percent).map(|q| q.rank(count));
        assert_eq!(rank("50", 1), Some(1));
        assert_eq!(rank("50", 4), Some(2));
        assert_eq!(rank("50", 5), Some(3));
        assert_eq!(rank("0", 5), Some(1));
        assert_eq!(rank("100", 5), Some(5));
        assert_eq!(rank("99", 1_000), Some(990));
        assert_eq!(rank("99.9", u64::MAX), Some(18_428_297_329_635_842_064));
    }
}
