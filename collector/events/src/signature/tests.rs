//! What is static and what is a parameter, and that every body comes back.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn rendered(body: &str) -> String {
    Signature::of(body).map_or("none".to_owned(), |signature| signature.render())
}

/// Masks and unmasks, by the texts and by the typed values.
fn check_round_trip(body: &str) {
    let mut masked = Masked::default();
    if !mask(body, &mut masked) {
        return;
    }
    let texts = masked.parameters.iter().map(|parameter| parameter.text(body));
    assert_eq!(unmask(&masked.signature, texts), body);
    let signature = Signature::new(&masked.signature).unwrap();
    let kinds = masked.parameters.iter().map(|parameter| parameter.kind);
    assert!(signature.slots().eq(kinds));
    for piece in signature.pieces() {
        assert!(
            !matches!(piece, Piece::Text(text) if text.is_empty() || text.contains(|c: char| c.is_ascii_digit()))
        );
    }
    for parameter in &masked.parameters {
        let (text, mut written) = (parameter.text(body), Vec::new());
        parameter.value.write(parameter.kind, parameter.width(), &mut written);
        let expected = if parameter.kind == Kind::Text { "" } else { text };
        assert_eq!(str::from_utf8(&written).unwrap(), expected, "{parameter:?} of {body}");
        assert!(parameter.kind != Kind::Text || text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
}

#[test]
fn parameters_are_told_from_static_text() {
    let long = "x".repeat(33);
    let cases = [
        ("", ""),
        ("connection refused", "connection refused"),
        ("took 30ms, 5 of 007", "took <num>ms, <num> of <num>"),
        ("user u123 on node-17", "user u<num> on node-<num>"),
        ("from 10.0.0.7:5432.", "from <ip>:<num>."),
        (
            "1.2.3.4.5 1.2.3 01.2.3.4 256.1.1.1",
            "<num>.<num>.<num>.<num>.<num> <num>.<num>.<num> <num>.<num>.<num>.<num> <num>.<num>.<num>.<num>",
        ),
        ("1.2.3.4x 1.2.3.4", "<num>.<num>.<num>.<num>x <ip>"),
        ("req-00ab12cd DEADBEEF12 DEAD12BEEF", "req-<hex> DEADBEEF<num> <*>"),
        ("deadbeef effaced defaced", "<hex> effaced defaced"),
        ("0123456789abcdef0123456789abcdef", "<hex>"),
        ("0123456789abcdef0", "<*>"),
        ("12345678", "<num>"),
        ("id=123e4567-e89b-12d3-a456-426614174000!", "id=<uuid>!"),
        ("deadbeef-cafe-cafe-cafe-deadbeefcafe", "<uuid>"),
        ("123e4567-e89b-12d3-a456-426614174000x", "<hex>-<*>-<*>-a<num>-<num>x"),
        ("18446744073709551615 18446744073709551616", "<num> <*>"),
        ("00000000000000000001 000000000000000000001", "<num> <*>"),
        ("a1b2 x9y 9 99luftballons", "<*> <*> <num> <*>"),
        (&long, "<*>"),
        (&long[1..], &long[1..]),
        ("größe5 user_17 日本5語", "größe<num> user_<num> 日本<num>語"),
        ("\u{0}\u{10ffff}1", "\u{0}\u{10ffff}<num>"),
    ];
    for (body, expected) in cases {
        assert_eq!(rendered(body), expected, "{body}");
        check_round_trip(body);
    }
}

#[test]
fn odd_bodies_have_no_signature() {
    assert_eq!(rendered(&"1 ".repeat(256)), "none");
    assert_ne!(rendered(&"1 ".repeat(255)), "none");
    assert_eq!(rendered(&"word ".repeat(1000)), "none");
    assert_eq!(rendered(&"x".repeat(100_000)), "<*>");
}

#[test]
fn bytes_that_are_no_signature_are_refused() {
    for (bytes, sound) in [
        (&b"a\xf8b\xfd"[..], true),
        (b"", true),
        (b"\xfe", false),
        (b"\xff", false),
        (b"\xc3", false),
        (b"\xc3\xf8", false),
    ] {
        assert_eq!(Signature::new(bytes).is_some(), sound, "{bytes:?}");
    }
}

fn near_templates() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        any::<u64>().prop_map(|n| n.to_string()),
        any::<u32>().prop_map(|n| format!("{n:08x}")),
        any::<u64>().prop_map(|n| format!("{n:016x}")),
        any::<u64>().prop_map(|n| format!("{n:x}")),
        any::<u128>().prop_map(|n| format!("{n:032x}")),
        any::<u32>().prop_map(|n| std::net::Ipv4Addr::from(n).to_string()),
        any::<u128>().prop_map(|n| format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            n >> 96,
            n >> 80 & 0xffff,
            n >> 64 & 0xffff,
            n >> 48 & 0xffff,
            n & 0xffff_ffff_ffff
        )),
        (any::<u16>(), 0..22usize).prop_map(|(n, width)| format!("{n:0width$}")),
        "[a-z]{0,4}[0-9]{0,4}[a-zA-Z]{0,3}",
        select(vec![".", "-", ":", " ", "_", "é", "", "x", "0", "1.2.3.4", "\u{212a}"])
            .prop_map(str::to_owned),
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

/// What a token is masked as is spelled so, and a static one is spelled as no parameter.
fn check_spelled(token: &str) {
    let mut masked = Masked::default();
    assert!(mask(token, &mut masked));
    for parameter in &masked.parameters {
        let text = parameter.text(token);
        assert_eq!(spelled(parameter.kind, text), Some(parameter.value), "{parameter:?} of {token}");
    }
    if masked.parameters.is_empty() {
        for kind in Kind::ALL {
            assert_eq!(spelled(kind, token), None, "{token} is static");
        }
    }
}

proptest! {
    #[test]
    fn tokens_are_spelled_as_they_are_masked(
        hex in "[a-f]{1,40}", digits in "[a-f0-9]{1,40}", any in "[a-f0-9g-z]{1,40}",
    ) {
        check_spelled(&hex);
        check_spelled(&digits);
        check_spelled(&any);
    }

    #[test]
    fn every_body_comes_back(body in any::<String>(), near in near_templates(), digits in "[0-9a-f.:-]{0,80}") {
        check_round_trip(&body);
        check_round_trip(&near);
        check_round_trip(&digits);
    }
}
