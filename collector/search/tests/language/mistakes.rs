//! What doesn't parse: where the error points, what it says, what it advises.

use std::ops::Range;

use narrows_search::parse;

/// A query, the characters that the error points at, a part of its message, a part of its hint.
const MISTAKES: &[(&str, Range<usize>, &str, &str)] = &[
    ("\"connection refused", 0..1, "this quote is never closed", "add a `\"`"),
    ("a \"b", 2..3, "this quote is never closed", ""),
    ("größe \"b", 6..7, "this quote is never closed", ""),
    ("service:\"b", 8..9, "this quote is never closed", ""),
    ("x:[\"1 TO 5]", 3..4, "this quote is never closed", ""),
    ("x:(a \"b)", 5..6, "this quote is never closed", ""),
    ("(a OR b", 0..1, "`(` is never closed", "add a `)`"),
    ("a (", 2..3, "`(` is never closed", ""),
    ("x:(a OR b", 2..3, "`(` is never closed", ""),
    ("(a | stats count()", 0..1, "`(` is never closed", ""),
    ("a)", 1..2, "this `)` closes nothing", ""),
    (")", 0..1, "this `)` closes nothing", ""),
    ("()", 0..2, "nothing in these parentheses", ""),
    ("x:()", 2..4, "nothing in these parentheses", ""),
    ("service:", 0..8, "`service:` has no value", "in quotes"),
    ("error: connection refused", 0..6, "`error:` has no value", "without a space"),
    ("(service:) a", 1..9, "`service:` has no value", ""),
    ("service: | limit 5", 0..8, "`service:` has no value", ""),
    ("severity >=", 0..11, "`severity>=` has no value", ""),
    ("x:(>)", 3..4, "`>` has no value", ""),
    (":8080", 0..1, "`:` has no field before it", "in quotes"),
    (">= 5", 0..2, "`>=` has no field before it", "begins with a letter"),
    ("500 >= x", 4..6, "`>=` has no field before it", ""),
    ("x == 5", 2..4, "`==` is not an operator", "write `=`"),
    ("a => b", 2..4, "`=>` is not an operator", "write `<=` or `>=`"),
    ("x <> 5", 2..4, "`<>` is not an operator", "write `!=`"),
    ("x=~a.*b", 1..3, "`=~` is not an operator", "there are: : = !="),
    ("x:!a", 1..3, "`:!` is not an operator", "in quotes"),
    ("x:(a OR ~b)", 8..9, "`~` cannot begin a value", "in quotes"),
    ("x>abc", 2..5, "`abc` is not a number", "`>` compares numbers"),
    ("duration>200ms", 9..14, "`200ms` is not a number", "without a unit"),
    ("x>=5*", 3..5, "`5*` is not a number", ""),
    ("x>*", 2..3, "`*` is not a number", ""),
    ("x:[1 TO b]", 8..9, "`b` is not a number", "a range compares numbers"),
    ("x:[5 TO 1]", 2..10, "runs backwards: 5 is greater than 1", "write `[1 TO 5]`"),
    ("x:{5 TO 5]", 2..10, "nothing lies inside", "leave out the ends"),
    ("x:[1 TO 5", 2..9, "this range is not complete", "write `[1 TO 5]`"),
    ("x:[1 5]", 2..6, "this range is not complete", ""),
    ("x:[1,5]", 2..7, "this range is not complete", ""),
    ("x:[]", 2..4, "this range is not complete", ""),
    ("x:[1 TO 5)", 2..10, "this range is not complete", ""),
    ("x>[1 TO 5]", 2..3, "`>` takes one value, not a range", "write `x:`"),
    ("x>(1 OR 5)", 2..3, "`>` takes one value, not a list", ""),
    ("[error] failed", 0..1, "`[` has no meaning here", "in quotes"),
    ("a } b", 2..3, "`}` has no meaning here", ""),
    ("NOT", 0..3, "`NOT` has nothing behind it", "add a condition"),
    ("a NOT", 2..5, "`NOT` has nothing behind it", ""),
    ("(NOT) a", 1..4, "`NOT` has nothing behind it", ""),
    ("a OR", 2..4, "`OR` has nothing behind it", "\"OR\" in quotes"),
    ("a AND", 2..5, "`AND` has nothing behind it", ""),
    ("a OR | limit 5", 2..4, "`OR` has nothing behind it", ""),
    ("a OR OR b", 2..4, "`OR` has nothing behind it", ""),
    ("OR a", 0..2, "`OR` has nothing before it", ""),
    ("a (AND b)", 3..6, "`AND` has nothing before it", ""),
    ("a - b", 2..3, "`-` has nothing behind it", "right before what to exclude"),
    ("--verbose", 0..2, "`--` excludes nothing", "\"--verbose\""),
    ("a && b", 2..4, "`&&` is not an operator", "write AND"),
    ("a || b", 2..4, "`||` is not an operator", "write OR"),
    ("!a", 0..1, "`!` is not an operator", "`-word` or `NOT word`"),
    ("\"\"", 0..2, "no text in these quotes", "use `*`"),
    ("*conn", 0..5, "`*` can only stand at the end", "in quotes"),
    ("co*nn*", 0..6, "not inside of `co*nn`", ""),
    ("x:a*b", 2..5, "`*` can only stand at the end", ""),
    ("a*:b", 0..2, "`*` cannot stand in the name of a field", ""),
    ("attributes.:x", 0..11, "`attributes.` names no field", "attributes.http.method"),
    ("x:(a b)", 5..6, "`AND` or `OR` is missing before `b`", "write `x:(a OR b)`"),
    ("severity:errr", 9..13, "`errr` is not a severity", "trace, debug, info, warn, error, fatal"),
    ("severity:err*", 9..13, "`err*` is not a severity", ""),
    ("severity>25", 9..11, "`25` is not a severity", ""),
    ("severity>fatal", 9..14, "no severity is above `fatal`", ""),
    ("severity<trace", 9..14, "no severity is below `trace`", ""),
    ("severity:[error TO info]", 9..24, "runs backwards: error is greater than info", ""),
    ("trace_id:abc", 9..12, "`abc` is not a trace id", "32 hexadecimal digits"),
    ("trace_id:xyz*", 9..13, "`xyz` is not a trace id", ""),
    ("span_id:4bf92f3577b34da6a3ce929d0e0e4736", 8..40, "is not a span id", "16 hexadecimal digits"),
    ("trace_id>5", 9..10, "`trace_id` has no order", ""),
    ("a |", 2..3, "`|` has no stage behind it", "there are: stats, top, limit"),
    ("a | | limit 5", 2..3, "`|` has no stage behind it", ""),
    ("| stat count()", 2..6, "unknown stage `stat`", "did you mean `stats`?"),
    ("| sortt x", 2..7, "unknown stage `sortt`", "there are: stats, top, limit"),
    ("| stats", 2..7, "a function is missing behind `stats`", "write `stats count()"),
    ("| stats p99(x)", 8..11, "unknown function `p99`", "there are: count"),
    ("| stats cuont()", 8..13, "unknown function `cuont`", "did you mean `count`?"),
    ("| stats count", 8..13, "`count` has no parentheses", "write `count()`"),
    ("| stats count(x)", 8..14, "`count` takes nothing in its parentheses", ""),
    ("| stats count(", 8..14, "`count` has a `(` that is never closed", ""),
    ("| stats count() as", 16..18, "`as` has no name behind it", "count() as n"),
    ("| stats count() by", 16..18, "`by` has no field behind it", ""),
    ("| stats count() by (a", 19..20, "`(` is never closed", ""),
    ("| stats count() by a b", 21..22, "a comma is missing before `b`", ""),
    ("| stats count() by a,", 20..21, "`,` has no field behind it", ""),
    ("| stats count() by a, a", 21..23, "this field is there already", ""),
    ("| stats count() by bin(60)", 23..25, "`60` is not a length of time", "bin(30s)"),
    ("| stats count() by bin(0s)", 23..25, "`0s` is not a length of time", ""),
    ("| stats count() by bin()", 19..24, "this `bin` is not complete", "write `bin(1m)`"),
    ("| stats count() by (bin(1m), bin(1h))", 28..36, "there is a `bin` already", ""),
    ("| stats count() by hour(1)", 19..23, "unknown function `hour` to group by", "there are: bin"),
    ("| stats count() as a by a", 2..25, "two columns are named `a`", "with `as`"),
    ("| stats count() of x", 16..18, "`of` has no meaning behind `stats`", ""),
    ("| top", 2..5, "`top` has no field behind it", "top 10 service"),
    ("| top 0 a", 6..7, "`0` is not a number of rows", "from 1 to"),
    ("| top 5", 2..5, "`top` has no field behind it", ""),
    ("| top 5 a b", 10..11, "`b` has no meaning behind `top`", "begins with `|`"),
    ("| limit", 2..7, "`limit` has no number behind it", "write `limit N`"),
    ("| limit ten", 8..11, "`ten` is not a number of rows", ""),
    ("| limit 5 | stats count()", 12..17, "nothing can follow `limit`", ""),
    ("| top a | stats count()", 10..15, "there is a `stats` or `top` before", ""),
    ("| top \"a", 6..7, "this quote is never closed", ""),
];

#[test]
fn errors_point_at_their_place_and_help() {
    assert!(MISTAKES.len() >= 40);
    for (text, span, message, hint) in MISTAKES {
        let Err(error) = parse(text) else { panic!("{text} parses") };
        assert!(error.message.contains(message), "{text}: {error:?}");
        assert!(error.hint.as_deref().unwrap_or("").contains(hint), "{text}: {error:?}");
        assert_eq!(error.span, *span, "{text}: {error:?}");
    }
}

#[test]
fn long_values_are_shortened_in_messages() {
    let error = parse(&format!("x>{}", "ä".repeat(1_000))).unwrap_err();
    assert!(error.message.chars().count() < 80, "{error}");
    assert_eq!(error.span, 2..1_002);
}
