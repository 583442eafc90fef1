#![allow(clippy::unwrap_used)]

use telemetry::LabelSet;
use telemetry::samples::is_stale;

use super::{Command, Item, Match, When, parse_duration_ms, parse_script, parse_series};

#[test]
fn durations() {
    for (text, ms) in [("0", 0), ("1m500ms", 60_500), ("1h30m", 5_400_000), ("2d", 172_800_000)] {
        assert_eq!(parse_duration_ms(text), Some(ms));
    }
    for bad in ["", "5", "m", "1x"] {
        assert_eq!(parse_duration_ms(bad), None, "{bad:?}");
    }
}

#[test]
fn series_are_spelled_out() {
    let floats = |line: &str| {
        let (labels, items) = parse_series(line).unwrap();
        let values = items.iter().map(|item| match item {
            Item::Float(value) => *value,
            _ => f64::NAN,
        });
        (labels.to_string(), values.collect::<Vec<_>>())
    };
    assert_eq!(floats("m 0+10x3"), (r#"{__name__="m"}"#.into(), vec![0.0, 10.0, 20.0, 30.0]));
    assert_eq!(floats(r#"m{a="x y}"} 1e-3x1 -5-1x1"#).1, [0.001, 0.001, -5.0, -6.0]);
    assert_eq!(floats(r#"{"a.b", "c d"="e"} 1"#).0, r#"{__name__="a.b", c d="e"}"#);
    let (_, items) = parse_series("m _x2 stale Inf").unwrap();
    assert_eq!(items[..2], [Item::Gap, Item::Gap]);
    assert!(matches!(items[2], Item::Float(value) if is_stale(value)));
    assert_eq!(items[3], Item::Float(f64::INFINITY));
    let (_, items) =
        parse_series("m {{schema:1 count:2 buckets:[1 1]}}+{{schema:1 count:1 buckets:[1]}}x1").unwrap();
    assert!(
        matches!(&items[1], Item::Histogram(h, false) if h.count == 3.0 && h.positive_counts == [2.0, 1.0])
    );
    assert!(parse_series("m 1y2").is_err());
}

#[test]
fn scripts_are_commands() {
    let script = r#"
        load 5m
          m{a="b"} 1 2
        # a comment

        eval range from 0 to 10m step 5m sum(m)
          expect warn msg: careful (1:1)
          expect no_info
          {} 1 2 _

        eval instant at 1m vector(1)
          expect ordered
          {} 1
        clear
        eval_fail instant at 0 1 +
        eval instant at 5m 3
          3
    "#;
    // A block ends at an empty line, or at a scalar.
    let commands =
        parse_script(&script.replace("clear\n", "\n        clear\n\n").replace("1 +\n", "1 +\n\n")).unwrap();
    assert_eq!(commands.len(), 6);
    let Command::Load(load) = &commands[0] else { panic!("{:?}", commands[0]) };
    assert_eq!((load.step_ms, load.series.len()), (300_000, 1));
    let Command::Eval(eval) = &commands[1] else { panic!("{:?}", commands[1]) };
    assert_eq!((eval.when, eval.query.as_str()), (When::Range(0, 600_000, 300_000), "sum(m)"));
    assert!(matches!(&eval.warnings.matches[..], [Match::Exactly(text)] if text == "careful (1:1)"));
    assert!(eval.infos.none && eval.series[0].0 == LabelSet::empty());
    let Command::Eval(eval) = &commands[4] else { panic!("{:?}", commands[4]) };
    assert!(eval.fails.is_some());
    assert_eq!(parse_script("nonsense").unwrap_err().line, 1);
}
