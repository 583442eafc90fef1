//! What is printed is read as what it was printed from; what is no query is refused without harm.

use narrows_promql::{format, parse};
use proptest::prelude::*;

fn label() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_][a-z0-9_]{0,4}",
        Just("by".to_owned()),
        Just("\"a.b\"".to_owned()),
        Just("'ü\\''".to_owned()),
    ]
}

fn labels() -> impl Strategy<Value = String> {
    prop::collection::vec(label(), 0..3).prop_map(|labels| format!("({})", labels.join(",")))
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<u32>().prop_map(|value| value.to_string()),
        any::<f64>().prop_map(|value| format!("{:e}", value.abs()).replace("inf", "Inf")),
        (1..2000_u32, 0..60_u32).prop_map(|(hours, minutes)| format!("{hours}h{minutes}m")),
        prop::sample::select(vec!["0x1f", "017", ".5", "5.", "1_000", "nan", "INF", "0"])
            .prop_map(str::to_owned),
    ]
}

fn duration() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec!["5m", "300", "1h30m", "7", "1d12h", "step()", "range()"])
        .prop_map(str::to_owned);
    leaf.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), prop::sample::select(vec!["+", "-", "*", "/", "%", "^"]), inner.clone())
                .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            inner.clone().prop_map(|inner| format!("({inner})")),
            // Nothing but the sign of something that is no literal: ranges are positive.
            inner.clone().prop_map(|inner| format!("-({inner})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("max_of({a},{b})")),
        ]
    })
}

fn matcher() -> impl Strategy<Value = String> {
    let value = prop::sample::select(vec!["\"\"", "\"x|y\"", "'\\n\\x41'", "`\\d+`", "\"ü\\u200b\\\"\""]);
    (label(), prop::sample::select(vec!["=", "!=", "=~", "!~"]), value)
        .prop_map(|(label, op, value)| format!("{label}{op}{value}"))
}

fn time() -> impl Strategy<Value = String> {
    let offset = prop_oneof![
        Just(String::new()),
        Just(" offset -5m".to_owned()),
        Just(" offset 0s".to_owned()),
        Just(" offset 90".to_owned()),
        duration().prop_map(|duration| format!(" offset ({duration})")),
    ];
    let at = prop_oneof![
        Just(String::new()),
        Just(" @ start()".to_owned()),
        (-1e9..1e10_f64).prop_map(|seconds| format!(" @ {seconds}")),
    ];
    (offset, at, any::<bool>()).prop_map(
        |(offset, at, swap)| {
            if swap { format!("{at}{offset}") } else { format!("{offset}{at}") }
        },
    )
}

fn selector() -> impl Strategy<Value = String> {
    let name = prop_oneof!["[a-z_:]{1,4}", Just("sum".to_owned()), Just("offset".to_owned())];
    (name, prop::collection::vec(matcher(), 0..3)).prop_map(|(name, matchers)| {
        if matchers.is_empty() { name } else { format!("{name}{{{}}}", matchers.join(", ")) }
    })
}

fn matrix() -> impl Strategy<Value = String> {
    let extended = prop::sample::select(vec!["", "", " anchored", " smoothed"]);
    (selector(), duration(), extended, time())
        .prop_map(|(selector, range, extended, time)| format!("{selector}[{range}]{extended}{time}"))
}

/// A vector.
fn query() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (selector(), time()).prop_map(|(selector, time)| format!("{selector}{time}")),
        matrix().prop_map(|matrix| format!("rate({matrix})")),
        matrix().prop_map(|matrix| format!("quantile_over_time(0.5, {matrix})")),
    ];
    leaf.prop_recursive(5, 32, 3, |inner| {
        let arithmetic = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "^", "atan2", "==", "> bool", "<", "</", ">/",
        ]);
        let matching = prop_oneof![
            Just(String::new()),
            labels().prop_map(|labels| format!("on {labels}")),
            labels().prop_map(|labels| format!("ignoring {labels} group_right ()")),
            labels().prop_map(|labels| format!("ignoring () group_left{labels} fill_left(1e30)")),
        ];
        prop_oneof![
            (inner.clone(), arithmetic.clone(), matching, inner.clone())
                .prop_map(|(a, op, matching, b)| format!("{a} {op} {matching} {b}")),
            (inner.clone(), prop::sample::select(vec!["and", "or", "unless on (a)"]), inner.clone())
                .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            (inner.clone(), arithmetic, number()).prop_map(|(a, op, number)| format!("{a} {op} {number}")),
            (number(), number(), inner.clone()).prop_map(|(a, b, c)| format!("{a} ^ -{b} * {c}")),
            (prop::sample::select(vec!["-", "+", "- -"]), inner.clone())
                .prop_map(|(sign, a)| format!("{sign}{a}")),
            inner.clone().prop_map(|a| format!("({a})")),
            (prop::sample::select(vec!["sum by", "MAX WITHOUT"]), labels(), inner.clone())
                .prop_map(|(op, labels, a)| format!("{op} {labels} ({a})")),
            (labels(), inner.clone()).prop_map(|(labels, a)| format!("topk(3, {a}) by {labels}")),
            inner.clone().prop_map(|a| format!("count_values(\"x\", {a})")),
            (inner.clone(), time()).prop_map(|(a, time)| format!("max_over_time(({a})[1h:5m]{time})")),
            (inner, duration()).prop_map(|(a, range)| format!("max_over_time(({a})[{range}:])")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printed_queries_mean_the_same(query in query()) {
        let expr = parse(&query);
        // What the strategy cannot see: that an operand becomes a scalar, a range nothing, a name a keyword.
        let unlucky =
            ["greater than 0", "divided by zero", "one side is a scalar", "a metric of this name is"];
        prop_assume!(!matches!(&expr, Err(error) if unlucky.iter().any(|text| error.message.contains(text))));
        let expr = expr.map_err(|error| TestCaseError::fail(format!("{query}: {error:?}")))?;
        for text in [expr.to_string(), format(&expr)] {
            let again = parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error:?}")))?;
            prop_assert_eq!(&again, &expr, "{} printed as {}", query, text);
            prop_assert_eq!(again.to_string(), expr.to_string());
        }
    }

    #[test]
    fn nothing_harms_the_parser(
        pieces in prop::collection::vec(prop_oneof![
            prop::sample::select(vec![
                "sum", "by", "(", ")", "[", "]", "{", "}", ":", ",", "5m", "1e3", "foo", "=~", "=", "\"a\"", "offset",
                "@", "start()", "+", "-", "^", "on", "group_left", "bool", "step()", "#", "\n", "'", "\\", "ü", "0x", "rate",
            ]).prop_map(str::to_owned),
            any::<String>(),
        ], 0..24)
    ) {
        let text = pieces.join(" ");
        match parse(&text) {
            Ok(expr) => prop_assert!(text.get(expr.span).is_some()),
            Err(error) => prop_assert!(text.get(error.span).is_some()),
        }
    }
}
