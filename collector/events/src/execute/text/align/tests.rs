//! What is certain of a text and a signature.

use super::*;
use crate::signature::Signature;
use crate::split::bodies::fold_signature;

/// How a query fits bodies like this one, in a word.
fn fit(query: &str, body: &str) -> &'static str {
    let (text, prefix) = match query.strip_suffix('*') {
        Some(text) => (text, true),
        None => (query, false),
    };
    let text = TextMatch::new(text, prefix).unwrap();
    let signature = Signature::of(body).unwrap();
    match Aligner::new(&text).unwrap().fit(&fold_signature(&signature)) {
        Fit::Always => "always",
        Fit::Never => "never",
        Fit::Maybe(alignments) if alignments.iter().all(|a| !a.is_empty() && a.iter().all(is_exact)) => {
            "values"
        }
        Fit::Maybe(_) => "parts",
    }
}

fn is_exact((_, condition): &(usize, Condition)) -> bool {
    matches!(condition, Condition::Is { .. })
}

#[test]
fn static_text_decides_and_parameters_do_only_where_they_can() {
    let cases = [
        ("connection refused", "connection refused by 10.0.0.7", "always"),
        ("connection", "connections by 10.0.0.7", "never"),
        ("connection*", "connections by 10.0.0.7", "always"),
        ("refused", "refused7", "never"),
        ("refused*", "refused7", "always"),
        ("u", "user u17", "never"),
        ("u17", "user u5", "values"),
        ("user u17", "user u5", "values"),
        ("user u17 left", "user u5 left", "values"),
        ("user u17 left", "user u5 came", "never"),
        ("u1*", "user u5", "parts"),
        ("17", "user u5", "never"),
        ("17", "user 5", "values"),
        ("30ms", "took 5ms", "values"),
        ("30", "took 5ms", "never"),
        ("30*", "took 5ms", "parts"),
        ("deadbeef", "id 00ab12cd", "values"),
        ("deadbee", "id 00ab12cd", "never"),
        ("words", "id 00ab12cd a1b2", "never"),
        ("10.0.0.7:5432", "by 1.2.3.4:5", "values"),
        ("0.7", "by 1.2.3.4:5", "parts"),
        ("5432", "by 1.2.3.4", "never"),
        ("255", "by 1.2.3.4", "parts"),
        ("by 10.0", "by 1.2.3.4", "parts"),
        ("abcdefabcdefabcdef", "id aaaaaaaaaabbbbbbbbbb", "values"),
        ("deadbeef1k", "id deadbeef1\u{212a}", "parts"),
        ("deadbeef1k", "id 00000000000000000000000000000001\u{212a}", "parts"),
        ("a1b2i\u{307}", "id a1b2\u{130}", "parts"),
        ("5k", "5\u{212a}", "values"),
        ("cafe", "123e4567-e89b-12d3-a456-426614174000", "parts"),
        (": ", "a: 5", "always"),
        ("aa", "aaa aa5 b", "never"),
        ("-- --", "--- --- -- 5", "always"),
    ];
    for (query, body, expected) in cases {
        assert_eq!(fit(query, body), expected, "{query} in {body}");
    }
}
