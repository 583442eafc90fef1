//! What holds for every text, query and record.

use std::ops::Bound;

use narrows_search::text::{fold, words};
use narrows_search::{
    Expr, Field, FieldMatch, Function, Group, IdMatch, Literal, Measure, Number, NumberRange, Query,
    SeverityRange, Stage, Stats, Test, TextMatch, Top, parse, tokens,
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
    let text = prop_oneof![snippet(5), ascii_snippet(5)];
    (text, any::<bool>()).prop_filter_map("empty", |(text, prefix)| TextMatch::new(text, prefix))
}

fn number() -> impl Strategy<Value = Number> {
    (-8i64..8).prop_map(|halves| Number::of_double(halves as f64 / 2.0))
}

const NAMES: [&str; 12] = [
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
];

fn value_test() -> impl Strategy<Value = Test> {
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
    let named = (prop::sample::select(&NAMES[..]), value_test())
        .prop_map(|(name, test)| (Field::named(name).unwrap(), test));
    prop_oneof![
        1 => Just(Expr::All),
        4 => text_match().prop_map(Expr::Text),
        4 => prop_oneof![2 => severity, 1 => trace, 1 => span, 8 => named]
            .prop_map(|(field, test)| Expr::Field(FieldMatch { field, test })),
    ]
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

fn stages() -> impl Strategy<Value = Vec<Stage>> {
    let field = || prop::sample::select(&NAMES[..]).prop_map(|name| Field::named(name).unwrap());
    let by = vec(field(), 0..3).prop_map(|mut fields| {
        fields.sort_by_key(Field::name);
        fields.dedup();
        fields.into_iter().map(Group::Field).collect::<Vec<_>>()
    });
    let name = prop::option::of(snippet(4).prop_map(|text| format!("n{text}")));
    let bin = prop::option::of(1i64..100_000_000_000_000);
    let stats = (by, name, bin).prop_map(|(mut by, name, bin)| {
        by.extend(bin.map(|width_ns| Group::Bin { width_ns }));
        Stage::Stats(Stats { measures: vec![Measure { function: Function::Count, name }], by })
    });
    let top = (1..100usize, field()).prop_map(|(count, field)| Stage::Top(Top { count, field }));
    let table = prop::option::of(prop_oneof![stats, top]);
    (table, prop::option::of(1..100usize))
        .prop_map(|(table, limit)| table.into_iter().chain(limit.map(Stage::Limit)).collect())
}

fn value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        snippet(4).prop_map(Json::from),
        (-8i64..8).prop_map(Json::from),
        (-8i64..8).prop_map(|halves| Json::from(halves as f64 / 2.0 + 0.25)),
        (-8i64..8).prop_map(|halves| Json::from((halves as f64 / 2.0).to_string())),
        any::<bool>().prop_map(Json::from),
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
    const KEYS: &[&str] = &["a", "b", "a.b", "odd key:\"x\"", "-x", "service.name", "host.name"];
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
        }
    }

    #[test]
    fn facts_hold_for_every_match(filter in expr(), json in record()) {
        let facts = filter.facts();
        if reference::matches(&filter, &json) {
            let severity = json["severity"].as_u64().unwrap();
            prop_assert!(!facts.nothing);
            prop_assert!(facts.severity.contains(severity as u8));
            prop_assert!(facts.trace_id.is_none() || json["trace_id"] == TRACE_ID);
            prop_assert!(facts.service.is_none_or(|name| json["resource"]["service.name"] == name));
            prop_assert!(facts.host.is_none_or(|name| json["resource"]["host.name"] == name));
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
