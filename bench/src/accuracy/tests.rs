#![allow(clippy::unwrap_used)]

use super::*;

fn result(name: &'static str, figures: Vec<(&'static str, f64)>) -> SetResult {
    SetResult { name, cases: 1, figures, chance: 0.0, empty: 0.0, told: vec![] }
}

#[test]
fn a_figure_on_the_wrong_side_of_its_bound_or_missing_is_missed() {
    let cases = [
        (result("sockshop", vec![("avg@5", 0.98)]), 0),
        (result("sockshop", vec![("avg@5", 0.979)]), 1),
        (result("sockshop", vec![]), 1),
        (result("quiet", vec![("false per 100", 1.0)]), 0),
        (result("quiet", vec![("false per 100", 1.1)]), 1),
        (result("quiet", vec![("false per 100", f64::NAN)]), 1),
        (result("something else", vec![("top-1", 0.0)]), 0),
    ];
    for (result, expected) in cases {
        assert_eq!(misses(&result).len(), expected, "{} {:?}", result.name, result.figures);
    }
}
