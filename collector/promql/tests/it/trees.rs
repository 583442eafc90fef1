//! What queries mean: how operators group, where nodes stand, what is printed.

use narrows_promql::ast::{At, Duration, ExprKind, Function, ValueType};
use narrows_promql::{Expr, format, parse, to_json};
use serde_json::json;

/// A query with every grouping written out.
fn grouped(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Paren(inner) => grouped(inner),
        ExprKind::Unary(sign, inner) => format!("({}{})", sign.as_str(), grouped(inner)),
        ExprKind::Binary(binary) => {
            format!("({} {} {})", grouped(&binary.lhs), binary.op.as_str(), grouped(&binary.rhs))
        }
        _ => expr.to_string(),
    }
}

#[test]
fn operators_group_by_precedence() {
    let cases = [
        ("a + b * c", "(a + (b * c))"),
        ("a * b + c", "((a * b) + c)"),
        ("a - b - c", "((a - b) - c)"),
        ("a ^ b ^ c", "(a ^ (b ^ c))"),
        ("-a ^ b", "(-(a ^ b))"),
        ("-a * b", "((-a) * b)"),
        ("a ^ -b * c", "((a ^ (-b)) * c)"),
        ("a * -b ^ c", "(a * (-(b ^ c)))"),
        ("a atan2 b % c", "((a atan2 b) % c)"),
        ("a or b and c unless d", "(a or ((b and c) unless d))"),
        ("a == b + c", "(a == (b + c))"),
        ("a > b < c", "((a > b) < c)"),
        ("a </ b >/ c", "((a </ b) >/ c)"),
        ("a AND b", "(a and b)"),
        ("-1 ^ 2", "(-(1 ^ 2))"),
        ("--1", "1"),
        ("foo offset 5s-8", "(foo offset 5s - 8)"),
        ("foo offset -1^1", "(foo offset -1s ^ 1)"),
        ("foo offset (1m - 1)", "foo offset (1m - 1)"),
    ];
    for (query, expected) in cases {
        assert_eq!(grouped(&parse(query).unwrap()), expected, "{query}");
    }
}

#[test]
fn queries_are_printed_as_prometheus_does() {
    let cases = [
        ("sum(foo)by(a,b)", "sum by (a, b) (foo)"),
        ("sum without()(foo)", "sum without () (foo)"),
        ("sum by () (foo)", "sum(foo)"),
        ("topk(5,foo)", "topk(5, foo)"),
        ("{\"foo\", b='1', \"a.b\"=~`x`}", r#"{"a.b"=~"x",__name__="foo",b="1"}"#),
        ("foo{}", "foo"),
        ("foo{b!='1',a!~\"2\",}", r#"foo{a!~"2",b!="1"}"#),
        ("a+on(x)group_left b", "a + on (x) group_left () b"),
        ("a+on()b", "a + on () b"),
        ("a+ignoring()b", "a + b"),
        ("a == bool on(x) fill(0) b", "a == bool on (x) fill (0) b"),
        ("a - fill_right(1) fill_left(-2) b", "a - fill_left (-2) fill_right (1) b"),
        ("foo[90m] offset 1d", "foo[1h30m] offset 1d"),
        ("foo[300]", "foo[5m]"),
        ("foo OFFSET -7m @ 1.5", "foo @ 1.500 offset -7m"),
        ("foo[5m] @ -100 anchored", "foo[5m] anchored @ -100.000"),
        ("foo[5m:] @ end()", "foo[5m:] @ end()"),
        ("foo[2*step():1m+30]", "foo[2 * step():1m + 30]"),
        ("foo[min_of(5m,range()/2)]", "foo[min_of(5m, range() / 2)]"),
        ("0x1F + 1e3 + .5", "31 + 1000 + 0.5"),
        ("vector(iNf)", "vector(+Inf)"),
        ("vector(-inf ^ 2)", "vector(-Inf ^ 2)"),
        ("sum by(\"foo bar\", by)(x)", "sum by (\"foo bar\", by) (x)"),
        ("'it''s'", ""),
        ("`a\\b`", r#""a\\b""#),
        ("# nothing\n  foo # metric\n", "foo"),
    ];
    for (query, expected) in cases {
        let printed = parse(query).map(|expr| expr.to_string()).unwrap_or_default();
        assert_eq!(printed, expected, "{query}");
    }
}

#[test]
fn long_queries_are_printed_on_several_lines() {
    let query = "sum by (job) (rate(http_request_duration_seconds_count{job=\"api\",status=~\"5..\"}[5m])) / on (job) \
                 -(histogram_quantile(0.99, sum by (le, job) (rate(http_request_duration_seconds_bucket[5m])))) > 0.5";
    let expected =
        "    sum by (job) (rate(http_request_duration_seconds_count{job=\"api\",status=~\"5..\"}[5m]))
  / on (job)
    -(
      histogram_quantile(
        0.99,
        sum by (le, job) (rate(http_request_duration_seconds_bucket[5m]))
      )
    )
>
  0.5";
    let query = query
        .replace("sum by (le, job)", "sum by (le, job, instance)")
        .replace("bucket[5m]", "bucket{a=\"b\"}[5m]");
    let expected = expected
        .replace("sum by (le, job)", "sum by (le, job, instance)")
        .replace("bucket[5m]", "bucket{a=\"b\"}[5m]");
    assert_eq!(format(&parse(&query).unwrap()), expected);
}

#[test]
fn nodes_know_their_bytes() {
    let query = " sum(rate(foo{a=\"b\"}[5m] offset 1m)) by (x) + -bar ";
    let expr = parse(query).unwrap();
    let mut texts = Vec::new();
    let mut open = vec![&expr];
    while let Some(expr) = open.pop() {
        texts.push(&query[expr.span.clone()]);
        open.extend(expr.children());
    }
    let expected = [
        "sum(rate(foo{a=\"b\"}[5m] offset 1m)) by (x) + -bar",
        "-bar",
        "bar",
        "sum(rate(foo{a=\"b\"}[5m] offset 1m)) by (x)",
        "rate(foo{a=\"b\"}[5m] offset 1m)",
        "foo{a=\"b\"}[5m] offset 1m",
    ];
    assert_eq!(texts, expected);
}

#[test]
fn selectors_hold_what_the_evaluator_needs() {
    let expr = parse("foo{a=\"b\"}[5m] @ start() offset -1h").unwrap();
    let ExprKind::Matrix(matrix) = &expr.kind else { panic!("{expr:?}") };
    assert_eq!(matrix.range, Duration::Fixed(300_000));
    assert_eq!(matrix.selector.time.at, Some(At::Start));
    assert_eq!(matrix.selector.time.offset, Some(Duration::Fixed(-3_600_000)));
    let names: Vec<&str> = matrix.selector.matchers.iter().map(|matcher| matcher.name()).collect();
    assert_eq!(names, ["a", "__name__"]);
    assert_eq!(expr.value_type(), ValueType::Matrix);
}

#[test]
fn computed_durations_are_resolved_with_step_and_range() {
    let cases = [
        ("foo[2 * step() + 1m]", Ok(90_000)),
        ("foo[max_of(range(), 5s)]", Ok(3_600_000)),
        ("foo[2^3 % 5]", Ok(3000)),
        ("foo[-(10s-5s)+20s]", Ok(15_000)),
        ("foo[1m / (step() - 15)]", Err("division by zero in a duration".to_owned())),
    ];
    for (query, expected) in cases {
        let ExprKind::Matrix(matrix) = parse(query).unwrap().kind else { panic!("{query}") };
        assert_eq!(matrix.range.resolve(15_000, 3_600_000), expected, "{query}");
    }
}

#[test]
fn keywords_can_be_names() {
    for word in [
        "sum", "by", "without", "offset", "and", "or", "unless", "start", "end", "step", "fill", "anchored",
        "Sum",
    ] {
        let expr = parse(&format!("{word} * {word}")).unwrap();
        assert_eq!(expr.to_string(), format!("{word} * {word}"));
    }
}

#[test]
fn json_is_that_of_prometheus() {
    let matchers = json!([{"name": "__name__", "type": "=", "value": "foo"}]);
    let expected = json!({
        "type": "aggregation", "op": "sum", "param": null, "grouping": ["a"], "without": false,
        "expr": {
            "type": "call",
            "func": {"name": "rate", "argTypes": ["matrix"], "variadic": 0, "returnType": "vector"},
            "args": [{
                "type": "matrixSelector", "name": "foo", "range": 300_000, "rangeExpr": null, "offset": 0,
                "offsetExpr": null, "matchers": matchers, "timestamp": 1500, "startOrEnd": null,
                "anchored": false, "smoothed": false,
            }],
        },
    });
    assert_eq!(to_json(&parse("sum by (a) (rate(foo[5m] @ 1.5))").unwrap()), expected);
    let binary = to_json(&parse("a > bool ignoring(x) group_left(y) b").unwrap());
    let matching = json!({
        "card": "many-to-one", "labels": ["x"], "on": false, "include": ["y"], "fillValues": {"lhs": null, "rhs": null},
    });
    assert_eq!((&binary["matching"], &binary["bool"], &binary["op"]), (&matching, &json!(true), &json!(">")));
    let variadic = |query: &str| to_json(&parse(query).unwrap())["func"]["variadic"].clone();
    assert_eq!((variadic("hour()"), variadic("label_join(a, \"b\", \",\")")), (json!(1), json!(-1)));
    assert_eq!(Function::of_name("hour").unwrap().signature().max_args, Some(1));
}
