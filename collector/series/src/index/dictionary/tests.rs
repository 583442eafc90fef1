#![allow(clippy::unwrap_used)]
//! Against a sorted list that is asked one by one.

use std::collections::BTreeSet;

use proptest::prelude::*;
use telemetry::samples::MatchOp;

use super::*;

fn bytes(texts: &BTreeSet<String>) -> Vec<u8> {
    let mut out = Vec::new();
    write_dictionary(texts.iter().map(String::as_str), &mut out);
    out
}

/// In the form that is chosen, and in the other one.
fn both(texts: &BTreeSet<String>) -> Vec<Dictionary> {
    let sorted: Vec<&str> = texts.iter().map(String::as_str).collect();
    let len = sorted.len() as u32;
    let map = fst::Map::from_iter(sorted.iter().zip(0u64..)).unwrap();
    let map = fst::Map::new(Bytes::from(map.into_fst().into_inner())).unwrap();
    vec![
        Dictionary::open(bytes(texts).into()).unwrap(),
        Dictionary { len, form: Form::Fst(map) },
        Dictionary { len, form: Form::Front(Front::open(front::write(&sorted).into(), len).unwrap()) },
    ]
}

fn check(texts: &BTreeSet<String>, op: MatchOp, value: &str) {
    let Ok(matcher) = Matcher::new("label", op, value) else {
        return;
    };
    let expected: RoaringBitmap =
        texts.iter().zip(0..).filter(|(text, _)| matcher.matches(text)).map(|(_, id)| id).collect();
    for dictionary in both(texts) {
        assert_eq!(dictionary.matching(&matcher), expected, "{op:?} {value:?} in {texts:?}");
    }
}

const OPS: [MatchOp; 4] = [MatchOp::Equal, MatchOp::NotEqual, MatchOp::Matches, MatchOp::NotMatches];

fn texts() -> impl Strategy<Value = BTreeSet<String>> {
    let text = prop_oneof![
        4 => "[ab]{0,4}",
        4 => "(node|go|http)_[a-d]{0,3}(_total|_bucket|)",
        1 => "pod-[0-9]{1,4}",
        1 => "[a\n\u{e4}K\u{212a}\u{1f980}]{0,3}",
        1 => any::<String>(),
    ];
    prop::collection::btree_set(text, 0..120)
}

fn pattern() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[ab]{1,2}",
        "(node|go|http)_",
        "_total",
        Just(".".to_owned()),
        Just(".*".to_owned()),
        Just(".+".to_owned()),
        Just("[a-c]".to_owned()),
        Just("[^a]".to_owned()),
        Just("\\d+".to_owned()),
        Just("\\w".to_owned()),
        Just("\\b".to_owned()),
        Just("(?i)k".to_owned()),
        Just("\u{e4}".to_owned()),
        Just("^".to_owned()),
        Just("$".to_owned()),
        Just("\\n".to_owned()),
        Just(String::new()),
        Just("(?m)^a$".to_owned()),
        Just("(?-s).".to_owned()),
        Just("a)|(b".to_owned()),
        Just("(?-u:\\b)".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            2 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.join("|")),
            1 => inner.clone().prop_map(|part| format!("({part})?")),
            1 => inner.clone().prop_map(|part| format!("(?:{part})*")),
            1 => inner.prop_map(|part| format!("(?:{part}){{1,2}}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn matching_is_what_the_matcher_says(texts in texts(), op in 0usize..4, pattern in pattern()) {
        check(&texts, OPS[op], &pattern);
    }

    #[test]
    fn texts_have_the_ids_of_their_places(texts in texts(), other: String) {
        for dictionary in both(&texts) {
            prop_assert_eq!(dictionary.len() as usize, texts.len());
            prop_assert_eq!(dictionary.iter().collect::<Vec<_>>(), texts.iter().cloned().collect::<Vec<_>>());
            for (text, id) in texts.iter().zip(0..) {
                prop_assert_eq!(dictionary.id(text), Some(id));
                prop_assert_eq!(dictionary.text(id), Some(text.clone()));
            }
            prop_assert_eq!(dictionary.text(texts.len() as u32), None);
            prop_assert_eq!(dictionary.id(&other).is_some(), texts.contains(&other));
        }
    }

    #[test]
    fn damaged_bytes_are_refused(
        texts in texts(), index: prop::sample::Index, with in 1u8.., cut: prop::sample::Index,
    ) {
        let mut bytes = bytes(&texts);
        prop_assert!(Dictionary::open(bytes[..cut.index(bytes.len())].to_vec().into()).is_err());
        let at = index.index(bytes.len());
        bytes[at] ^= with;
        prop_assert!(Dictionary::open(bytes.into()).is_err());
    }

    /// Even if someone has signed them.
    #[test]
    fn front_coded_bytes_that_nobody_wrote_do_not_panic(
        bytes in prop::collection::vec(0u8..40, 0..200), len in 0u32..100, key: String,
    ) {
        let Some(front) = Front::open(bytes.into(), len) else { return Ok(()) };
        let dictionary = Dictionary { len, form: Form::Front(front) };
        let _ = dictionary.id(&key);
        let _ = dictionary.text(len / 2);
        let _ = dictionary.iter().count();
        for value in ["a.*", ".*a", ".*\\b", "a|b"] {
            let _ = dictionary.matching(&Matcher::new("label", MatchOp::NotMatches, value).unwrap());
        }
    }
}

#[test]
fn patterns_with_traps() {
    let words = [
        "",
        "a",
        "a\n",
        "a\nb",
        "ab",
        "b",
        "node_a",
        "node_b_total",
        "node_",
        "\u{212a}",
        "k",
        "K",
        "\u{e4}b",
    ];
    let mut texts: BTreeSet<String> = words.map(str::to_owned).into();
    // Enough that a DFA is built.
    texts.extend((0..200).map(|i| format!("node_{i:03}")));
    let patterns = [
        "",
        ".*",
        ".+",
        "a",
        "a.b",
        "a.*",
        "a|b",
        "(a|b)?",
        "node_.*",
        "node_.+",
        ".*_total",
        "node_.*_total",
        "(?i)k",
        "a$",
        "^a",
        "a)|(b",
        "\\bnode.*",
        "node_0.{2}",
        "[^a]*",
        "(?s-u:.)*a",
        "\\p{L}+",
        "a{0}",
        "(|a)",
        "node_(?:0|1).*",
        ".*[\u{e4}\u{212a}].*",
        "((((a))))",
        "(?m)^a$",
        "(?-s).*",
        "\\w+\\d",
        "(?x) a b # and",
    ];
    for pattern in patterns {
        for op in OPS {
            check(&texts, op, pattern);
        }
    }
}

#[test]
fn a_pattern_too_large_for_a_dfa_still_matches() {
    let texts: BTreeSet<String> = (0..200).map(|i| format!("{}{i}", "a".repeat(i % 50))).collect();
    let pattern = "[ab]*a[ab]{14}.*\\d";
    let matcher = Matcher::new("label", MatchOp::Matches, pattern).unwrap();
    assert!(Condition::of(&matcher).automaton().is_none());
    check(&texts, MatchOp::Matches, pattern);
    check(&texts, MatchOp::NotMatches, pattern);
}

/// Of few texts by trying both, of many by a part of them.
#[test]
fn the_smaller_form_is_chosen() {
    for n in [2000, 10_000] {
        let sequential: BTreeSet<String> =
            (0..n).map(|i| format!("pod-{i:06}-cache-warmer-of-the-shop")).collect();
        let sequential = Dictionary::open(bytes(&sequential).into()).unwrap();
        assert!(matches!(sequential.form, Form::Fst(_)), "{n}");
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            format!("pod-{state:016x}")
        };
        let random = bytes(&(0..n).map(|_| next()).collect());
        assert!(random.len() < n * 17, "{}", random.len());
        let random = Dictionary::open(random.into()).unwrap();
        assert!(matches!(random.form, Form::Front(_)), "{n}");
    }
}
