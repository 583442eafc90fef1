#![allow(clippy::unwrap_used)]

use std::borrow::Cow;

use super::*;

#[test]
fn text_folds_character_by_character() {
    let cases =
        [("", ""), ("abc 1", "abc 1"), ("ABC", "abc"), ("Größe", "größe"), ("ÄÖ", "äö"), ("ΑΣ", "ασ")];
    for (text, folded) in cases {
        assert_eq!(fold(text), folded, "{text}");
        assert_eq!(fold(folded), folded, "{text} twice");
    }
    assert_eq!(fold("İ\u{212a}"), "i\u{307}k");
    assert!(matches!(fold("größe 5"), Cow::Borrowed(_)));
    assert!(matches!(fold("Größe 5"), Cow::Owned(_)));
}

#[test]
fn words_are_runs_of_letters_digits_and_underscores() {
    let cases: [(&str, &[&str]); 6] = [
        ("", &[]),
        (" -- ", &[]),
        ("get /api/v1?user_id=5", &["get", "api", "v1", "user_id", "5"]),
        ("größe=1.5", &["größe", "1", "5"]),
        ("日本語 ok", &["日本語", "ok"]),
        ("_a__b_", &["_a__b_"]),
    ];
    for (text, expected) in cases {
        assert_eq!(words(text).collect::<Vec<_>>(), expected, "{text}");
    }
}

#[test]
fn required_words_lie_between_the_boundaries() {
    let cases: [(&str, bool, &[&str], Option<&str>); 8] = [
        ("Conn", false, &["conn"], None),
        ("conn", true, &[], Some("conn")),
        ("Connection refused", false, &["connection", "refused"], None),
        ("connection ref", true, &["connection"], Some("ref")),
        ("refused:", true, &["refused"], None),
        ("=>", false, &[], None),
        ("/api/v1", true, &["api"], Some("v1")),
        ("-5.0", false, &["5", "0"], None),
    ];
    for (text, prefix, whole, open) in cases {
        let words = TextMatch::new(text, prefix).unwrap().words();
        assert_eq!(words.whole, whole, "{text}");
        assert_eq!(words.prefix.as_deref(), open, "{text}");
    }
    assert!(TextMatch::new("", true).is_none());
}

#[test]
fn ranges_are_those_of_the_original_text() {
    let cases = [
        ("ERROR", false, "an error, Errors, ERROR", vec!["error", "ERROR"]),
        ("err", true, "an error, Errors, ERR", vec!["err", "Err", "ERR"]),
        ("größe", false, "Größe GRÖSSE GRÖßE", vec!["Größe", "GRÖßE"]),
        ("aa", true, "aaaa aaa", vec!["aa", "aa"]),
        ("--", false, "-----", vec!["--", "--"]),
        ("i", true, "İ i", vec!["İ", "i"]),
        ("\u{307}", false, "İİ", vec!["İ", "İ"]),
        ("k", false, "5 \u{212a}", vec!["\u{212a}"]),
    ];
    for (text, prefix, body, expected) in cases {
        let ranges = TextMatch::new(text, prefix).unwrap().ranges(body);
        let found: Vec<&str> = ranges.into_iter().map(|range| &body[range]).collect();
        assert_eq!(found, expected, "{text} in {body}");
    }
}

#[test]
fn long_texts_match_too() {
    let text = "Word ".repeat(100) + "end";
    let found = TextMatch::new(text.as_str(), false).unwrap();
    assert!(found.matches(&format!("x {} y", text.to_uppercase())));
    assert!(!found.matches(&format!("x {}s y", text.to_uppercase())));
}
