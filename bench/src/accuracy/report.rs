//! Figures as lines on a terminal, and as the table of docs/accuracy.md.

use std::path::Path;

use anyhow::Context;

use super::SetResult;

const BEGIN: &str = "<!-- figures: make accuracy WRITE=1 -->";
const END: &str = "<!-- end of figures -->";

/// One line.
pub(crate) fn print(result: &SetResult) {
    let figures: Vec<String> =
        result.figures.iter().map(|(name, value)| format!("{name} {}", number(*value))).collect();
    println!(
        "{:<14} {:>4} cases  {}  chance {}  empty {}",
        result.name,
        result.cases,
        figures.join("  "),
        number(result.chance),
        number(result.empty)
    );
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "–".to_owned()
    } else if value > 2.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.3}")
    }
}

/// Puts the rows of these sets into the file's table; rows of other sets stay.
pub(super) fn write(path: &Path, results: &[SetResult]) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let new = with_rows(&text, results)
        .with_context(|| format!("{} has no lines {BEGIN} and {END}", path.display()))?;
    std::fs::write(path, new).with_context(|| format!("cannot write {}", path.display()))
}

fn with_rows(text: &str, results: &[SetResult]) -> Option<String> {
    let (table, _after) = text.split_once(BEGIN)?.1.split_once(END)?;
    let mut rows: Vec<String> =
        table.lines().filter(|line| line.starts_with("| `")).map(str::to_owned).collect();
    for result in results {
        let head = format!("| `{}` |", result.name);
        let figures: Vec<String> =
            result.figures.iter().map(|(name, value)| format!("{name} {}", number(*value))).collect();
        let (chance, empty) = (number(result.chance), number(result.empty));
        let row = format!("{head} {} | {} | {chance} | {empty} |", result.cases, figures.join(", "));
        match rows.iter_mut().find(|row| row.starts_with(&head)) {
            Some(known) => *known = row,
            None => rows.push(row),
        }
    }
    let head = "| set | cases | figures | chance | empty |\n|---|---|---|---|---|";
    between(text, BEGIN, END, &format!("{head}\n{}", rows.join("\n")))
}

/// The text with something else between two lines; `None` if it has not both.
pub(super) fn between(text: &str, begin: &str, end: &str, new: &str) -> Option<String> {
    let (before, rest) = text.split_once(begin)?;
    let (_old, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}\n{new}\n{end}{after}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_replaced_by_name_and_others_stay() {
        let set = |name, value| SetResult {
            name,
            cases: 4,
            figures: vec![("top-1", value)],
            chance: 0.25,
            empty: f64::NAN,
            told: vec![],
        };
        let text = format!("a\n{BEGIN}\n{END}\nb\n");
        let first = with_rows(&text, &[set("one", 0.5), set("two", 0.75)]).unwrap();
        let second = with_rows(&first, &[set("one", 1.0)]).unwrap();
        assert!(
            second.contains("| `one` | 4 | top-1 1.000 | 0.250 | – |\n| `two` | 4 | top-1 0.750 |"),
            "{second}"
        );
        assert!(second.starts_with("a\n") && second.ends_with("\nb\n"));
        assert_eq!(with_rows("no table", &[]), None);
    }
}
