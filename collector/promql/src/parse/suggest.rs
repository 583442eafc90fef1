//! The name that was probably meant.

/// The name nearest to an unknown one, if it is near enough to be a slip of the fingers.
pub(super) fn closest<'n>(unknown: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if unknown.len() > 64 {
        return None;
    }
    let unknown = unknown.to_ascii_lowercase();
    let allowed = unknown.len() / 3;
    known
        .map(|name| (distance(&unknown, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many letters must be put in, taken out or replaced.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_seen() {
        let known = ["rate", "irate", "increase", "histogram_quantile"];
        let cases = [
            ("RATE", Some("rate")),
            ("rat", Some("rate")),
            ("histogram_quantil", Some("histogram_quantile")),
            ("increse", Some("increase")),
            ("foo", None),
        ];
        for (unknown, expected) in cases {
            assert_eq!(closest(unknown, known.into_iter()), expected, "{unknown}");
        }
    }
}
