//! How often verdicts of each level were right, over all sets whose truth is known: what a verdict says of its confidence.
//! Culprit and cause of a simulated fault, the component of PetShop's; a verdict of a quiet window is wrong.

use std::path::Path;

use anyhow::Context;
use bottleneck::{Level, Verdict};

use super::SetResult;
use super::report::between;

const BEGIN: &str = "<!-- precision: make accuracy WRITE=1 -->";
const END: &str = "<!-- end of precision -->";
const LEVELS: [(Level, &str); 3] = [(Level::High, "high"), (Level::Medium, "medium"), (Level::Low, "low")];

/// Of one level.
pub(super) struct Precision {
    name: &'static str,
    right: usize,
    cases: usize,
}

/// How sure a verdict is that names somebody.
pub(super) fn level(verdict: &Verdict) -> Option<Level> {
    verdict.culprit.as_ref()?;
    verdict.confidence.map(|confidence| confidence.level)
}

/// Of each level, the surest first.
pub(super) fn of(results: &[SetResult]) -> Vec<Precision> {
    let told = || results.iter().flat_map(|result| &result.told);
    let of_level = |(level, name): &(Level, &'static str)| {
        let those = || told().filter(|told| told.0 == *level);
        Precision { name, right: those().filter(|told| told.1).count(), cases: those().count() }
    };
    LEVELS.iter().map(of_level).collect()
}

pub(super) fn print(levels: &[Precision]) {
    for Precision { name, right, cases } in levels.iter().filter(|level| level.cases > 0) {
        println!("confidence {name:<6} {right} of {cases} right");
    }
}

/// Puts the levels into the file's table, which collector/bottleneck/src/precision.rs has to say, too.
pub(super) fn write(path: &Path, levels: &[Precision]) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let new = between(&text, BEGIN, END, &table(levels))
        .with_context(|| format!("{} has no lines {BEGIN} and {END}", path.display()))?;
    std::fs::write(path, new).with_context(|| format!("cannot write {}", path.display()))
}

fn table(levels: &[Precision]) -> String {
    let row = |level: &Precision| format!("| `{}` | {} | {} |", level.name, level.right, level.cases);
    let rows: Vec<String> = levels.iter().map(row).collect();
    format!("| confidence | right | of |\n|---|---|---|\n{}", rows.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_of_all_sets_are_counted_by_level() {
        let set = |told: &[(Level, bool)]| SetResult {
            name: "some",
            cases: told.len(),
            figures: vec![],
            chance: 0.0,
            empty: 0.0,
            told: told.to_vec(),
        };
        let levels = of(&[
            set(&[(Level::High, true), (Level::Low, false)]),
            set(&[(Level::High, true), (Level::High, false)]),
        ]);
        let expected = "| confidence | right | of |\n|---|---|---|\n| `high` | 2 | 3 |\n| `medium` | 0 | 0 |\n| `low` | 0 | 1 |";
        assert_eq!(table(&levels), expected);
    }
}
