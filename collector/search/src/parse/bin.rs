//! Lengths of time, as `bin` takes them: a whole number and a unit.

/// How to write one.
pub(super) const HOW: &str = "write a whole number and a unit: ns, us, ms, s, m, h, d or w, as in `bin(30s)`";

const UNITS: [(&str, i64); 8] = [
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// `1m` in ns; more than 0.
pub(super) fn width_ns(text: &str) -> Option<i64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at(digits);
    let (_, unit_ns) = UNITS.iter().find(|(name, _)| *name == unit)?;
    count.parse::<i64>().ok()?.checked_mul(*unit_ns).filter(|width| *width > 0)
}

/// A length in ns with its largest unit.
pub(crate) fn print(width_ns: i64) -> String {
    let (unit, unit_ns) = UNITS.into_iter().find(|(_, unit_ns)| width_ns % unit_ns == 0).unwrap_or(("ns", 1));
    format!("{}{unit}", width_ns / unit_ns)
}
