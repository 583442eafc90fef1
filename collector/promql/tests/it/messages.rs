//! What is no query, where it stops being one, and what is said about it.

use narrows_promql::{MAX_QUERY_BYTES, parse};

/// Query, what the span covers, the message.
const CASES: &[(&str, &str, &str)] = &[
    ("", "", "the query is empty"),
    ("1 +", "", "expected an expression, found the end of the query"),
    ("(1", "", "expected an operator or `)`, found the end of the query"),
    ("1)", ")", "this `)` closes nothing"),
    ("foo bar", "bar", "expected an operator or the end of the query, found `bar`"),
    ("foo = 1", "=", "unexpected `=`; values are compared with `==`"),
    ("foo =~ \"x\"", "=~", "regular expressions compare labels, within braces: foo{label=~\"…\"}"),
    ("rte(foo[5m])", "rte", "there is no function `rte`; did you mean `rate`?"),
    ("sun(foo)", "sun", "there is no function `sun`; did you mean `sum`?"),
    ("xyz(foo)", "xyz", "there is no function `xyz`"),
    (
        "rate(foo)",
        "foo",
        "argument 1 of `rate` must be a range vector, but is an instant vector; add a range, as in foo[5m]",
    ),
    (
        "sum(foo[5m])",
        "foo[5m]",
        "`sum` must be an instant vector, but is a range vector; take the range away, or use a function such as rate",
    ),
    ("topk(foo)", "topk(foo)", "`topk` takes a scalar and an instant vector, got 1 argument"),
    ("round(foo, 1, 2)", "round(foo, 1, 2)", "`round` takes 1 to 2 arguments, got 3"),
    ("time(foo)", "time(foo)", "`time` takes no arguments, got 1"),
    ("1 == 1", "==", "a comparison of two scalars needs `bool`: `== bool`"),
    ("foo + bool bar", "bool", "`bool` is for comparisons; `+` is none"),
    ("foo and 1", "foo and 1", "`and` is for instant vectors, and one side is a scalar"),
    ("foo + group_left(a) bar", "group_left", "`group_left` needs `on(…)` or `ignoring(…)` before it"),
    (
        "a + on(x) group_left(x) b",
        "group_left(x)",
        "the label `x` is in `on` and in `group_left`; it can only be in one of them",
    ),
    ("on + 1", "on", "expected an expression, found the keyword `on`; a metric of this name is {\"on\"}"),
    (
        "{}",
        "{}",
        "the selector would match every series; it needs a metric or a label that must not be empty",
    ),
    ("foo{a}", "}", "expected `=`, `!=`, `=~` or `!~` after the label `a`, found `}`"),
    ("foo{a=b}", "b", "expected a quoted value, found `b`"),
    ("foo{a:b=\"c\"}", "a:b", "a colon cannot be part of a label unless it is quoted: \"a:b\""),
    ("foo{\"bar\"}", "foo{\"bar\"}", "the metric's name must not be set twice: \"foo\" and \"bar\""),
    (
        "foo[5m1h]",
        "5m1h",
        "`5m1h` is no duration: units go from the longest to the shortest, each once: 1h30m",
    ),
    ("foo[0m]", "0m", "the duration must be greater than 0"),
    ("foo[5m] offset 1h offset 1h", "offset 1h", "`offset` is there twice"),
    ("foo offset 1h [5m]", "[5m]", "`offset` is written after the range: foo[5m] offset 1h"),
    (
        "(foo + bar)[5m]",
        "[5m]",
        "a range follows a selector such as foo{a=\"b\"}; other expressions take a subquery: [5m:]",
    ),
    (
        "rate(foo[$interval])",
        "$",
        "unexpected character `$`; variables of dashboards must be replaced before a query is sent",
    ),
    ("\"abc", "\"abc", "the text has no closing \""),
    (
        "foo{a=~\"\\d\"}",
        "\\d",
        "`\\d` is no escape; a backslash is written as \\\\, or use backquotes: `\\d`",
    ),
    (
        "höhe",
        "ö",
        "unexpected character `ö`; names with other characters than A-Z, a-z, 0-9, _ and : are quoted: {\"name\"}",
    ),
    (
        "holt_winters(foo[5m], 0.5, 0.5)",
        "holt_winters",
        "there is no function `holt_winters`; since Prometheus 3 it is `double_exponential_smoothing`",
    ),
];

#[test]
fn messages_say_what_is_wrong_and_where() {
    for (query, covered, message) in CASES {
        let error = parse(query).expect_err(query);
        assert_eq!((&query[error.span], error.message.as_str()), (*covered, *message), "{query}");
    }
}

#[test]
fn queries_are_bounded() {
    let deep = |count: usize| format!("{}1{}", "(".repeat(count), ")".repeat(count));
    let chain = |count: usize| vec!["a"; count].join("+");
    let signs = |count: usize| format!("{}a", "-".repeat(count));
    let durations = |count: usize| format!("foo[{}]", vec!["1"; count].join("+"));
    let cases = [
        (deep(150), true),
        (deep(20_000), false),
        (chain(290), true),
        (chain(20_000), false),
        (signs(150), true),
        (signs(20_000), false),
        (durations(100), true),
        (durations(20_000), false),
        (format!("{}1", "sum(".repeat(10_000)), false),
        (format!("{}1", "foo[(".repeat(10_000)), false),
        // A chain within the first operand of a chain, and so on: each is short, all together are not.
        (format!("{}a{}", "(".repeat(190), "+a+a+a)".repeat(190)), false),
        (" ".repeat(MAX_QUERY_BYTES + 1), false),
    ];
    for (query, is_read) in cases {
        let outcome = parse(&query).map(|expr| expr.to_string().len());
        assert_eq!(outcome.is_ok(), is_read, "{:?} of {}…", outcome, &query[..20]);
    }
}

#[test]
fn regular_expressions_share_a_bound() {
    let one = |text: &str| format!("{{{}}}", vec![format!("a=~\"{text}\""); 200].join(","));
    assert!(parse(&one("x+(abc|def)")).is_ok());
    assert!(parse(&one("x{1000}{10}")).is_err());
}
