//! What holds of every body and every set of bodies.

use std::collections::HashSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::block::{Seen, example};
use super::outline::Outliner;
use super::*;
use crate::signature::Signature;

/// Bodies near what rules look at.
fn body() -> impl Strategy<Value = String> {
    let part = select(vec![
        "user",
        "u12",
        "10.0.0.7",
        "10.0.0.7.",
        ":8080",
        " ",
        " ",
        " ",
        "\n",
        "=",
        ",",
        ", ",
        "(",
        ")",
        "[",
        "]",
        "/",
        "/var/log/",
        ".",
        "..",
        "-",
        "--",
        "_",
        "1",
        "23",
        "0042",
        "4711 ms",
        "MB",
        "Sun",
        "Jul",
        "ab:",
        "ab",
        "dead",
        "deadbeef",
        "deadbeefdeadbeef",
        "DEADBEEF",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "00f067aa0ba902b7",
        "größe",
        "4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
        "x.y.z",
        "java.io.IOException",
        "0x1f",
        "30s",
        "'",
        "\"",
        "#",
        "::1",
        "99999999999999999999999",
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop",
        "failed",
        "a-b-c-d-e-f-g-h-i-j-k-l",
        "\u{1}",
        "\t",
        "Ä",
        "5%",
        "+3",
        "C:\\x",
        "!",
        "...",
    ]);
    vec(part, 0..20).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, ..ProptestConfig::default() })]

    /// So splits need no bodies to know the outlines of their rows.
    #[test]
    fn bodies_of_one_signature_have_one_outline(body in body()) {
        let mut outliner = Outliner::default();
        let own = outliner.outline(&body).map(|(id, text)| (id, text.to_owned()));
        if let Some(signature) = Signature::of(&body) {
            let seen = Seen::of_signature(&mut outliner, signature.bytes());
            prop_assert_eq!(own, seen.map(|seen| (seen.id, seen.text.into_string())), "{:?}", example(signature.bytes()));
        }
    }

    #[test]
    fn an_outline_has_the_pieces_of_its_text(body in body()) {
        let mut outliner = Outliner::default();
        if let Some((_, text)) = outliner.outline(&body) {
            let text = text.to_owned();
            let of_outline: Vec<_> = outline::pieces_of(&text).iter().map(std::mem::discriminant).collect();
            let own: Vec<_> = outliner.found().iter().map(std::mem::discriminant).collect();
            prop_assert_eq!(of_outline, own, "{:?}", text);
        }
    }

    #[test]
    fn the_patterns_of_a_set_have_no_order(bodies in vec(body(), 0..40)) {
        let forward = patterns_of_texts(bodies.iter().map(String::as_str));
        let mut backward = patterns_of_texts(bodies.iter().rev().map(String::as_str));
        backward.reverse();
        prop_assert_eq!(forward, backward);
    }
}

#[test]
fn ids_are_spelled_and_read() {
    let id = PatternId(0x9f);
    assert_eq!(id.to_string(), "000000000000009f");
    assert_eq!("000000000000009F".parse(), Ok(id));
    for text in ["", "9f", "+00000000000009f", "00000000000000000", "000000000000009g"] {
        assert_eq!(text.parse::<PatternId>(), Err(BadPatternId), "{text}");
    }
}

/// The ids are in links, alerts and notes of people: a change of any rule that changes these is felt by all of them.
#[test]
fn ids_do_not_change_with_the_program() {
    let texts = ["connection to 10.0.0.7:8080 refused", "user u12 logged in", "started"];
    let ids = patterns_of_texts(texts).into_iter().flatten().map(|id| id.to_string());
    assert_eq!(ids.collect::<Vec<_>>(), ["47f092f7954fdccd", "e007c913486be210", "f1f8c36212df2c8a"]);
}

/// Text without templates is bounded, and does not drive out what has some.
#[test]
fn the_rarest_of_very_many_outlines_have_no_pattern() {
    let letter = |n: usize| char::from(b'a' + (n % 26) as u8);
    let word = |n: usize| [n, n / 26, n / 676, n / 17_576].map(letter).into_iter().collect::<String>();
    let noise: Vec<String> = (0..40_000).map(|n| word(n) + " ok").collect();
    let mut texts: Vec<&str> = noise.iter().map(String::as_str).collect();
    texts.extend(["started", "started"]);
    let patterns = patterns_of_texts(texts.iter().copied());
    let known = patterns.iter().flatten().collect::<HashSet<_>>().len();
    assert_eq!(known, 32 << 10);
    assert!(patterns[40_001].is_some());
    assert!(patterns[..40_000].iter().any(Option::is_none));
}
