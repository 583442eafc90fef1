//! How often verdicts of each level were right where the truth was known. Measured, never computed: `make accuracy WRITE=1`
//! puts the counts into docs/accuracy.md, and a test holds these against them.

use crate::{Confidence, Level};

/// Level, how many were right, of how many.
const MEASURED: [(Level, u32, u32); 3] =
    [(Level::High, 81, 81), (Level::Medium, 438, 438), (Level::Low, 106, 107)];
/// A rate of fewer is none.
const MIN_CASES: u32 = 20;

/// What a level is worth.
pub(crate) fn confidence(level: Level) -> Confidence {
    let measured = MEASURED.iter().find(|measured| measured.0 == level);
    let (right, cases) = measured.map_or((0, 0), |measured| (measured.1, measured.2));
    let precision = (cases >= MIN_CASES).then(|| f64::from(right) / f64::from(cases));
    Confidence { level, precision, cases }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_are_those_of_the_published_table() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/accuracy.md");
        let text = std::fs::read_to_string(page).unwrap();
        for (level, right, cases) in MEASURED {
            let name = serde_json::to_value(level).unwrap();
            let row = format!("| `{}` | {right} | {cases} |", name.as_str().unwrap());
            assert!(text.lines().any(|line| line == row), "docs/accuracy.md has no line {row}");
        }
    }
}
