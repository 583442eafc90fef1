//! The program as one calls it: what it cannot do, it says by name.

#![allow(clippy::unwrap_used)]

use std::process::Command;

#[test]
fn what_cannot_be_done_is_said_by_name() {
    let cases: [(&[&str], &str); 3] = [
        (&["accuracy", "--suite", "horoscopes"], "horoscopes"),
        (&["simulate", "--scenario", "99"], "there are 1 to 25"),
        (
            &["simulate", "--scenario", "1", "--baseline", "2", "--hot", "2", "--to", "http://127.0.0.1:1"],
            "127.0.0.1:1",
        ),
    ];
    for (arguments, expected) in cases {
        let output = Command::new(env!("CARGO_BIN_EXE_narrows-bench")).args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(expected), "{arguments:?}: {said}");
    }
}
