//! Outlines of texts, with `*` for a slot.

use super::*;

fn outline(text: &str) -> String {
    let mut outliner = Outliner::default();
    outliner.outline(text).map_or("-".to_owned(), |(_, text)| text.replace('\u{1}', "*"))
}

#[test]
fn values_become_slots() {
    let cases = [
        ("", "-"),
        (" \n ", "-"),
        ("()", "(*)"),
        ("--", "--"),
        ("started", "started"),
        ("  two   words\t", "two words"),
        ("user u12 logged in", "user * logged in"),
        ("took 30ms.", "took *."),
        ("took 30 ms, done", "took *, done"),
        ("free 12.5 KB of 3 GB", "free * of *"),
        ("read 3 files", "read * files"),
        ("GET /api/v1/users?id=5&x=a", "GET *?id=*&x=a"),
        ("GET /health 200", "GET * *"),
        ("read/write n/a application/json", "read/write n/a application/json"),
        ("at C:\\Windows\\x.dll", "at C:*"),
        ("from 10.0.0.7:8080 (app-1.example.net)", "from * (*)"),
        ("from 10.0.0.7 () at noon", "from * (*) at noon"),
        ("main() called", "main() called"),
        ("Sun Jul 10 03:55:15 2005 ok", "* * * ok"),
        ("On Sun we rest", "On Sun we rest"),
        ("10 Jul 2005", "* *"),
        ("mac 0a:bb:cc:1d", "mac *"),
        ("java.io.IOException: x.y.Z", "java.io.IOException: *"),
        ("in com.example.app.Main", "in *"),
        ("e.g. this...", "e.g. this..."),
        ("ids [1, 2, 3, 4, 5, 6] end", "ids [*] end"),
        ("ids 1 2 3 4 5 6 7 end", "ids * end"),
        ("ids 1 2 3 end", "ids * * * end"),
        ("key deadbeef and dead beef", "key * and dead beef"),
        ("Straße 5 größe=Ä", "Straße * größe=Ä"),
        ("a1b2 -5 +3.5 0x1f #7 $5", "*"),
        ("abcdefghijklmnopqrstuvwxyzabcdefghijklmn x", "* x"),
        ("what \u{1} \u{7f} is", "what is"),
        ("{\"level\":\"info\",\"n\":5}", "{\"level\":\"info\",\"n\":*}"),
        ("Request failed now\n  at a.b.C(X.java:5)\n  at d", "Request failed now *"),
        ("one\ntwo\nthree\nfour", "one two three *"),
        ("one two three\n", "one two three"),
    ];
    for (text, expected) in cases {
        assert_eq!(outline(text), expected, "{text}");
    }
}

#[test]
fn long_texts_end_in_a_value() {
    let text = |words: usize| "word ".repeat(words);
    assert_eq!(outline(&text(64)), text(64).trim_end());
    assert_eq!(outline(&text(65)), text(64) + "*");
    assert_eq!(outline(&text(1000)), text(64) + "*");
    assert!(outline(&"(".repeat(1000)).len() <= MAX_PIECES + 2);
}

#[test]
fn the_pieces_of_an_outline_are_those_of_its_texts() {
    let texts = [
        "user u12 logged in from 10.0.0.7:80.",
        "(a) b=[1, 2, 3, 4]: \"x\"",
        "() at Sun Jul 10 2005...",
        "x.y... 5... größe",
        "a:1 b::2 c,3",
    ];
    for text in texts {
        let mut outliner = Outliner::default();
        let (id, outline) = outliner.outline(text).unwrap();
        let (outline, kind) = (outline.to_owned(), |piece: &Piece| std::mem::discriminant(piece));
        let of_outline: Vec<_> = pieces_of(&outline).iter().map(kind).collect();
        assert_eq!(of_outline, outliner.found().iter().map(kind).collect::<Vec<_>>(), "{text}");
        assert_eq!(id, id_of(&outline));
    }
}
