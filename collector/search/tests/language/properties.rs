//! What holds for every text, query and record.

use std::ops::Bound;

use narrows_search::text::{fold, words};
use narrows_search::{
    Dimension, Expr, Field, FieldMatch, IdMatch, Literal, Number, NumberRange, QuantityRange, Query,
    RegexMatch, SeverityRange, Stage, Test, TextMatch, ValueSet, parse, tokens,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::record::Record;
use crate::reference;

/// Bits of queries, so that random text comes near to one.
fn query_text() -> impl Strategy<Value = String> {
    const BITS: &[&str] = &[
        "a",
        "größe",
        "5",
        "-5",
        "0.5",
        " ",
        " ",
        " ",
        ":",
        ">=",
        "<",
        "=",
        "!=",
        "!",
        "-",
        "*",
        "\"",
        "\\",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "|",
        ",",
        "AND",
        "OR",
        "NOT",
        "TO",
        "severity",
        "warn",
        "trace_id",
        "4bf9",
        "body",
        "stats",
        "count()",
        "by",
        "as",
        "bin(1m)",
        "top",
        "limit",
        "sort",
        "fields",
        "patterns",
        "desc",
        "p99(",
        "?",
        "'",
        "=~",
        "!~",
        "in(",
        "exists(",
        "_exists_",
        "200ms",
        "1.5KiB",
        "attributes.",
        "::",
        "//",
        "\u{212a}",
        "İ",
        "\n",
    ];
    let bit = prop_oneof![9 => prop::sample::select(BITS).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    vec(bit, 0..24).prop_map(|bits| bits.concat())
}

/// Text over few characters, so that it is often found.
fn snippet(most: usize) -> impl Strategy<Value = String> {
    const CHARS: &[char] = &[
        'a', 'A', 'b', 'k', 'K', 'i', '_', '1', ' ', ' ', '-', '.', '"', '\\', 'ä', 'Ä', 'İ', '\u{212a}',
        '\u{307}', '日', 'σ', 'Σ', '😀',
    ];
    vec(prop::sample::select(CHARS), 0..most).prop_map(String::from_iter)
}

fn ascii_snippet(most: usize) -> impl Strategy<Value = String> {
    vec(prop::sample::select(&['a', 'A', 'b', 'B', '_', ' ', '-', '1'][..]), 0..most)
        .prop_map(String::from_iter)
}

fn text_match() -> impl Strategy<Value = TextMatch> {
    let text = || prop_oneof![snippet(5), ascii_snippet(5)];
    let literal = (text(), any::<bool>(), any::<bool>()).prop_filter_map("empty", |(text, prefix, exact)| {
        if exact { TextMatch::exact(text, prefix) } else { TextMatch::new(text, prefix) }
    });
    prop_oneof![2 => literal, 1 => wildcards("").prop_filter_map("empty", |text| TextMatch::pattern(&text))]
}

/// What a bare word can be, with wildcards in it.
fn wildcards(before: &'static str) -> impl Strategy<Value = String> {
    const CHARS: &[char] =
        &['*', '*', '?', 'a', 'A', 'b', 'k', 'ä', 'İ', '_', '-', '.', '1', ':', '/', '=', '\'', '日'];
    vec(prop::sample::select(CHARS), 1..7)
        .prop_map(String::from_iter)
        // What is written so has to be readable so.
        .prop_filter("no bare word", move |text| {
            !text.starts_with(['=', '\''])
                && parse(&format!("{before}{text}")).is_ok_and(|query| {
                    matches!(query.filter, Expr::Text(_) | Expr::Field(_)) && query.stages.is_empty()
                })
        })
}

fn number() -> impl Strategy<Value = Number> {
    (-8i64..8).prop_map(|halves| Number::of_double(halves as f64 / 2.0))
}

const NAMES: [&str; 14] = [
    "service",
    "host",
    "scope",
    "event_name",
    "body",
    "a",
    "a.b",
    "attributes.a",
    "resource.a",
    "odd key:\"x\"",
    "-x",
    "AND",
    "_exists_",
    "a_ms",
];

fn value_test() -> impl Strategy<Value = Test> {
    let spelled = || prop_oneof![snippet(3), number().prop_map(|n| n.to_string()), Just("true".to_owned())];
    let regex = prop::sample::select(&reference::REGEXES[..])
        .prop_map(|(pattern, _)| Test::Regex(RegexMatch::new(pattern).unwrap()));
    let set = vec(spelled(), 2..4)
        .prop_map(|texts| Test::In(ValueSet::new(texts.into_iter().map(Literal::new).collect())));
    prop_oneof![
        4 => plain_test(),
        1 => regex,
        1 => set,
        2 => wildcards("body=").prop_map(|pattern| Test::of_pattern(&pattern)),
    ]
}

fn plain_test() -> impl Strategy<Value = Test> {
    let spelled = || prop_oneof![snippet(3), number().prop_map(|n| n.to_string()), Just("true".to_owned())];
    let bound = || (number(), any::<bool>());
    prop_oneof![
        Just(Test::Exists),
        spelled().prop_map(|text| Test::Equals(Literal::new(text))),
        spelled().prop_map(Test::Prefix),
        (bound(), bound(), 0..3u8).prop_filter_map("empty", |((a, a_in), (b, b_in), open)| {
            let bound = |n, included| if included { Bound::Included(n) } else { Bound::Excluded(n) };
            let (low, high) = if a.total_cmp(b).is_le() { (a, b) } else { (b, a) };
            if open == 0 && low == high && !(a_in && b_in) {
                return None;
            }
            let low = if open == 1 { Bound::Unbounded } else { bound(low, a_in) };
            let high = if open == 2 { Bound::Unbounded } else { bound(high, b_in) };
            Some(Test::Range(NumberRange { low, high }))
        }),
    ]
}

fn leaf() -> impl Strategy<Value = Expr> {
    let severity = (0u8..=24, 0u8..=24)
        .prop_map(|(a, b)| Test::Severity(SeverityRange { min: a.min(b), max: a.max(b) }));
    let severity = prop_oneof![severity, Just(Test::Exists)].prop_map(|test| (Field::Severity, test));
    let trace = (1..=32usize)
        .prop_map(|digits| (Field::TraceId, Test::Id(IdMatch::new(&TRACE_ID[..digits]).unwrap())));
    let span = (1..=16usize)
        .prop_map(|digits| (Field::SpanId, Test::Id(IdMatch::new(&TRACE_ID[..digits]).unwrap())));
    let pattern = (1..=16usize)
        .prop_map(|digits| (Field::Pattern, Test::Id(IdMatch::new(&TRACE_ID[..digits]).unwrap())));
    let named = (prop::sample::select(&NAMES[..]), value_test(), 0..4u8).prop_map(|(name, test, unit)| {
        let field = Field::named(name).unwrap();
        // Some of the ranges are of quantities.
        match (test, unit) {
            (Test::Range(range), 0) => {
                let milliseconds = |bound: Bound<Number>| bound.map(in_ms);
                let range = NumberRange { low: milliseconds(range.low), high: milliseconds(range.high) };
                let range = QuantityRange::new(&field, Dimension::Duration, range);
                (field, Test::Quantity(range))
            }
            (Test::Range(range), 1) => {
                let range = QuantityRange::new(&field, Dimension::Size, range);
                (field, Test::Quantity(range))
            }
            (test, _) => (field, test),
        }
    });
    prop_oneof![
        1 => Just(Expr::All),
        4 => text_match().prop_map(Expr::Text),
        4 => prop_oneof![2 => severity, 1 => trace, 1 => span, 1 => pattern, 10 => named]
            .prop_map(|(field, test)| Expr::Field(FieldMatch { field, test })),
    ]
}

fn in_ms(number: Number) -> Number {
    match number {
        Number::Int(int) => Number::Int(int * 1_000_000),
        Number::Double(double) => Number::of_double(double * 1e6),
    }
}

const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn expr() -> impl Strategy<Value = Expr> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..4).prop_map(Expr::and),
            vec(inner.clone(), 1..4).prop_map(Expr::or),
            inner.prop_map(Expr::not),
        ]
    })
}

/// Stages as text, in the orders that make sense.
fn stages() -> impl Strategy<Value = Vec<Stage>> {
    const FIELDS: [&str; 9] = [
        "service",
        "a",
        "a.b",
        "attributes.a",
        "\"odd key:\\\"x\\\"\"",
        "\"-x\"",
        "\"by\"",
        "took_ms",
        "body",
    ];
    let field = || prop::sample::select(&FIELDS[..]);
    let function = (
        prop::sample::select(&["count", "sum", "avg", "min", "max", "p50", "p99.9", "distinct"][..]),
        field(),
    )
        .prop_map(|(function, field)| format!("{function}({field})"));
    let measures =
        prop::collection::btree_set(function, 1..4).prop_map(|set| set.into_iter().collect::<Vec<_>>());
    let stats = (
        measures,
        prop::collection::btree_set(field(), 0..3),
        prop::option::of(1i64..100_000_000_000),
        0..8u8,
    );
    let stats = stats.prop_map(|(measures, by, bin, then)| {
        let mut groups: Vec<String> = by.into_iter().map(str::to_owned).collect();
        groups.extend(bin.map(|width| format!("bin({width}ns)")));
        let by = if groups.is_empty() { String::new() } else { format!(" by ({})", groups.join(", ")) };
        let first = &measures[0];
        let mut text = format!("| stats {}, quantile(0.25, z) as \"n x\"{by}", measures.join(", "));
        text += if then & 1 > 0 { " | sort by \"n x\" desc, " } else { "" };
        text += if then & 1 > 0 { first } else { "" };
        text += &if then & 2 > 0 { format!(" | fields {first}, \"n x\"") } else { String::new() };
        text + if then & 4 > 0 { " | limit 7" } else { "" }
    });
    let top = (1..100usize, field(), any::<bool>()).prop_map(|(count, field, sorted)| {
        format!("| top {count} {field}{}", if sorted { " | sort count" } else { "" })
    });
    let keys = vec((field(), any::<bool>()), 1..3).prop_map(|keys| {
        let keys =
            keys.into_iter().map(|(field, down)| format!("{field}{}", if down { " desc" } else { "" }));
        format!("| sort by timestamp, {}", keys.collect::<Vec<_>>().join(", "))
    });
    let names = prop::collection::btree_set(field(), 1..4)
        .prop_map(|names| format!("| fields {}", names.into_iter().collect::<Vec<_>>().join(", ")));
    let limit = (1..100usize).prop_map(|count| format!("| limit {count}"));
    let optional = |text: BoxedStrategy<String>| prop_oneof![Just(String::new()), text];
    let records = (optional(keys.boxed()), optional(names.boxed()), optional(limit.boxed()))
        .prop_map(|(keys, names, limit)| format!("{keys} {names} {limit}"));
    let text = prop_oneof![2 => stats, 1 => top, 2 => records, 1 => Just("| patterns | limit 5".to_owned())];
    text.prop_map(|text| parse(&text).unwrap_or_else(|error| panic!("{text}: {error:?}")).stages)
}

fn value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        snippet(4).prop_map(Json::from),
        (-8i64..8).prop_map(Json::from),
        (-8i64..8).prop_map(|halves| Json::from(halves as f64 / 2.0 + 0.25)),
        (-8i64..8).prop_map(|halves| Json::from((halves as f64 / 2.0).to_string())),
        any::<bool>().prop_map(Json::from),
        prop::sample::select(&["3ms", "0.002s", "1KiB", "2 B", "-1ns", "5x"][..]).prop_map(Json::from),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::btree_map(prop::sample::select(&["a", "b", "b.c"][..]), inner, 0..3)
                .prop_map(|map| json!(map)),
        ]
    })
}

fn record() -> impl Strategy<Value = Json> {
    const KEYS: &[&str] =
        &["a", "b", "a.b", "a_ms", "_exists_", "odd key:\"x\"", "-x", "service.name", "host.name"];
    let map = || prop::collection::btree_map(prop::sample::select(KEYS), value(), 0..4);
    let body = prop_oneof![4 => snippet(16).prop_map(Json::from), 2 => ascii_snippet(16).prop_map(Json::from), 1 => value()];
    let id = prop::option::of(prop::sample::select(&[TRACE_ID, "4bf92f3577b34da6aaaaaaaaaaaaaaaa"][..]));
    (body, map(), map(), 0..=24u8, id, snippet(2)).prop_map(|(body, attributes, resource, severity, id, name)| {
        let mut record = json!({"body": body, "attributes": attributes, "resource": resource, "severity": severity,
            "scope": name, "event_name": name});
        if let Some(id) = id {
            record["trace_id"] = json!(id);
            record["span_id"] = json!(id[..16]);
        }
        record
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gives_a_query_or_an_error_inside_of_it(text in query_text()) {
        let length = text.chars().count();
        match parse(&text) {
            Ok(query) => prop_assert_eq!(parse(&query.to_string()), Ok(query)),
            Err(error) => {
                prop_assert!(error.span.start <= error.span.end && error.span.end <= length, "{:?}", error);
                prop_assert!(!error.message.is_empty());
            }
        }
    }

    #[test]
    fn tokens_cover_all_but_spaces(text in query_text()) {
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        for token in tokens(&text) {
            prop_assert!(token.start < token.end && token.end <= chars.len());
            prop_assert!(chars[at..token.start].iter().all(|c| c.is_whitespace()), "{:?} is without a colour", &chars[at..token.start]);
            at = token.end;
        }
        prop_assert!(chars[at..].iter().all(|c| c.is_whitespace()));
    }

    #[test]
    fn queries_print_as_they_parse(filter in expr(), stages in stages()) {
        let query = Query { filter, stages };
        let printed = query.to_string();
        prop_assert_eq!(parse(&printed), Ok(query), "{}", printed);
    }

    #[test]
    fn the_matcher_equals_the_slow_reference(filter in expr(), json in record()) {
        let expected = reference::matches(&filter, &json);
        let record = Record::new(&json);
        prop_assert_eq!(record.with(|row| filter.matches(row)), expected, "{} on {}", filter, json);
    }

    #[test]
    fn one_condition_equals_the_slow_reference(condition in leaf(), json in record()) {
        let expected = reference::matches(&condition, &json);
        let record = Record::new(&json);
        prop_assert_eq!(record.with(|row| condition.matches(row)), expected, "{} on {}", condition, json);
    }

    #[test]
    fn text_is_found_as_the_slow_reference_finds_it(asked in text_match(), body in prop_oneof![snippet(24), ascii_snippet(24)]) {
        let expected = reference::text(&asked, &body);
        prop_assert_eq!(asked.matches(&body), expected);
        prop_assert_eq!(!asked.ranges(&body).is_empty(), expected);
    }

    #[test]
    fn ranges_of_a_match_are_ordered_and_whole(asked in text_match(), body in snippet(24)) {
        let mut end = 0;
        for range in asked.ranges(&body) {
            prop_assert!(end <= range.start && range.start < range.end, "{:?}", range);
            prop_assert!(body.get(range.clone()).is_some());
            end = range.end;
        }
    }

    #[test]
    fn required_words_are_in_every_matching_body(asked in text_match(), around in (snippet(6), snippet(6))) {
        let inside = format!("{} {} {}", around.0, asked.text(), around.1);
        let touching = format!("{}{}{}", around.0, asked.text(), around.1);
        let required = asked.words();
        for body in [inside, touching, around.0] {
            if !asked.matches(&body) {
                continue;
            }
            let folded = fold(&body);
            let there: Vec<&str> = words(&folded).collect();
            for word in &required.whole {
                prop_assert!(there.contains(&word.as_str()), "{} in {}", word, body);
            }
            if let Some(prefix) = &required.prefix {
                prop_assert!(there.iter().any(|word| word.starts_with(prefix.as_str())), "{}* in {}", prefix, body);
            }
            if let Some(word) = asked.only_word() {
                prop_assert!(there.contains(&word));
            }
        }
    }

    #[test]
    fn what_a_condition_demands_of_the_body_is_there(condition in leaf(), json in record()) {
        let Some(required) = condition.body_words() else { return Ok(()) };
        if !reference::matches(&condition, &json) {
            return Ok(());
        }
        let folded = Record::new(&json).with(|row| fold(&narrows_search::Row::body(row)).into_owned());
        let there: Vec<&str> = words(&folded).collect();
        prop_assert!(required.whole.iter().all(|word| there.contains(&word.as_str())), "{} in {}", condition, folded);
        let begun = required.prefix.is_none_or(|prefix| there.iter().any(|word| word.starts_with(&prefix)));
        prop_assert!(begun, "{} in {}", condition, folded);
    }

    #[test]
    fn a_body_has_the_word_that_is_all_of_a_condition(text in snippet(4), body in snippet(16)) {
        let asked = TextMatch::new(text, false);
        if let Some(word) = asked.as_ref().and_then(TextMatch::only_word) {
            let folded = fold(&body);
            let has = words(&folded).any(|own| own == word);
            prop_assert_eq!(asked.as_ref().unwrap().matches(&body), has);
        }
    }

    #[test]
    fn folding_is_stable_and_keeps_words(text in any::<String>()) {
        let folded = fold(&text).into_owned();
        prop_assert_eq!(fold(&folded), folded.as_str());
        prop_assert_eq!(folded.clone(), text.chars().flat_map(char::to_lowercase).collect::<String>());
        let letters: usize = words(&folded).map(str::len).sum();
        let expected: usize = folded.chars().filter(|c| c.is_alphanumeric() || *c == '_').map(char::len_utf8).sum();
        prop_assert_eq!(letters, expected);
    }
}
