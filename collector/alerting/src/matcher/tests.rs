#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

fn written(text: &str) -> String {
    match parse(text) {
        Ok(matchers) => write_all(&matchers),
        Err(error) => format!("! {error}"),
    }
}

#[test]
fn both_syntaxes_are_read() {
    let cases = [
        ("", "{}"),
        ("{}", "{}"),
        ("a=b", r#"{a="b"}"#),
        (r#"{a="b",c=~"d|e"}"#, r#"{a="b",c=~"d|e"}"#),
        (r#" { foo = "bar" , dings != bums, } "#, r#"{foo="bar",dings!="bums"}"#),
        ("foo=bar, dings!~bu.s,", r#"{foo="bar",dings!~"bu.s"}"#),
        // Only the newer one.
        ("foo🙂=bar", r#"{foo🙂="bar"}"#),
        (r#""a label"="x\ty""#, "{\"a label\"=\"x\\ty\"}"),
        // Read differently: the classic meaning stands.
        (r#"a="\u00e4""#, r#"{a="\\u00e4"}"#),
        // Only the classic one.
        ("a=", r#"{a=""}"#),
        (r"a=x\d", r#"{a="x\\d"}"#),
        (r#"a=~"5\d""#, r#"{a=~"5\\d"}"#),
        ("a=b=c", r#"{a="b=c"}"#),
        ("a=b c", r#"{a="b c"}"#),
        (r#"{quote="She said: \"Hi, ladies!\""}"#, r#"{quote="She said: \"Hi, ladies!\""}"#),
    ];
    for (text, expected) in cases {
        assert_eq!(written(text), expected, "{text}");
    }
}

#[test]
fn faults_say_where_they_are() {
    let cases = [
        ("{a=\"b\"", 7, "a comma or a closing brace"),
        ("a", 2, "an operator"),
        ("{a=}", 4, "a value"),
        ("{a=\"b\"}x", 8, "nothing after"),
        ("{=b}", 2, "a comma or a closing brace"),
        ("ä🙂!b=1", 3, "after '!'"),
        ("🙂=\"b", 3, "closing quote"),
        ("🙂=\"\\q\"", 3, "escape"),
        ("🙂=b \"c", 5, "closing quote"),
        ("a=~\"(b\"", 4, "bad regular expression `(b`"),
        ("a=~\"b)(c\"", 4, "bad regular expression"),
    ];
    for (text, column, message) in cases {
        let error = parse_utf8(text).unwrap_err();
        assert_eq!(error.column, column, "{text}: {error}");
        assert!(error.message.contains(message), "{text}: {error}");
    }
    // What neither syntax can read is told as the newer one sees it.
    assert_eq!(parse("a=b,🙂").unwrap_err().column, 6);
    assert!(parse(&"a".repeat(MAX_TEXT_BYTES + 1)).is_err());
}

#[test]
fn one_is_one() {
    assert_eq!(parse_one(r#"a="b""#).unwrap(), Matcher::equal("a", "b"));
    for text in ["", "{a=b}", "a=b,c=d\"", "a"] {
        assert!(parse_one(text).is_err(), "{text}");
    }
}

#[test]
fn values_are_compared_whole() {
    let labels: LabelSet = [("a".to_owned(), "bcd".to_owned())].into();
    let cases = [
        ("a=bcd", true),
        ("a=bc", false),
        ("a!=bc", true),
        ("a=~b.d", true),
        ("a=~\"b|d\"", false),
        ("a!~\"b|d\"", true),
        ("a=~\".*\"", true),
        ("none=\"\"", true),
        ("none!=\"\"", false),
        ("none=~\"|x\"", true),
    ];
    for (text, expected) in cases {
        assert_eq!(all_match(&parse(text).unwrap(), &labels), expected, "{text}");
    }
}

#[test]
fn text_is_quoted_as_go_does() {
    let cases = [
        ("a\"\\\n\u{7}", r#""a\"\\\n\a""#),
        ("\u{1}\u{7f}", r#""\x01\x7f""#),
        ("ä\u{301}\u{200b}", "\"ä\u{301}\\u200b\""),
    ];
    for (text, expected) in cases {
        assert_eq!(quote(text), expected);
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(name in "[a-zé 🙂=\"\\\\]{1,6}", value in "[a-z\"\\\\\n ,=é{}]{0,8}") {
        let matcher = Matcher::new(Op::NotEqual, name, value).unwrap();
        let read = parse_utf8(&format!("{{{matcher}}}")).unwrap();
        prop_assert_eq!(read, vec![matcher]);
    }

    #[test]
    fn no_text_is_a_crash(text in "\\PC{0,40}") {
        let _read = parse(&text);
        let _one = parse_one(&text);
    }
}
