//! Stack traces as the languages write them, own patterns, bounds, and the place in the file.

use super::*;

/// Each record's text between rulers, with other lines around.
const TRACES: [(&str, &str); 8] = [
    (
        "java",
        "2026-11-25 10:17:39 ERROR c.e.Shop - cannot pay\njava.lang.IllegalStateException: no card\n\tat com.example.Shop.pay(Shop.java:38)\n\tat com.example.Shop.main(Shop.java:14)\n\tSuppressed: java.io.IOException: closed\n\t\tat com.example.Shop.close(Shop.java:9)\n\t\t... 2 more\nCaused by: java.lang.NullPointerException\n\tat com.example.Card.id(Card.java:22)\n\t... 12 more",
    ),
    (
        "python",
        "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\n    ~^^\nKeyError: 'x'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"a.py\", line 9, in <module>\n    f()\nValueError: bad",
    ),
    (
        "go",
        "panic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\nmain.f(...)\n\t/srv/main.go:9\nmain.main()\n\t/srv/main.go:5 +0x1d\n\ngoroutine 18 [chan receive]:\nmain.(*Worker).run(0xc000, 0x1)\n\t/srv/w.go:7 +0x2\ncreated by main.start in goroutine 1\n\t/srv/w.go:3 +0x9\nexit status 2",
    ),
    (
        "go http",
        "2026/11/25 10:17:39 http: panic serving 127.0.0.1:4242: boom\ngoroutine 34 [running]:\nnet/http.(*conn).serve.func1()\n\t/usr/lib/go/src/net/http/server.go:1850 +0xbf",
    ),
    (
        "rust",
        "thread 'main' panicked at src/main.rs:4:5:\nassertion `left == right` failed\n  left: 1\n right: 2\nstack backtrace:\n   0: rust_begin_unwind\n             at /rustc/abc/library/std/src/panicking.rs:645:5\n   1: shop::main\n             at ./src/main.rs:4:5\nnote: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.",
    ),
    (
        "dotnet",
        "Unhandled exception. System.InvalidOperationException: outer\n ---> System.ArgumentException: inner\n   at Shop.Card.Parse(String s) in /srv/Card.cs:line 7\n   --- End of inner exception stack trace ---\n   at Shop.Program.Main(String[] args) in /srv/Program.cs:line 3\n--- End of stack trace from previous location ---\n   at System.Runtime.ExceptionServices.Throw()",
    ),
    (
        "node",
        "TypeError: x is not a function\n    at f (/srv/app.js:3:9)\n    at /srv/app.js:10:1\n    at node:internal/main:12:3",
    ),
    (
        "php",
        "PHP Fatal error:  Uncaught Exception: boom in /srv/a.php:3\nStack trace:\n#0 /srv/a.php(7): f()\n#1 {main}\n  thrown in /srv/a.php on line 3",
    ),
];

#[test]
fn stack_traces_are_one_record_each() {
    let options = LineOptions::default();
    for (name, trace) in TRACES {
        let mut lines = vec!["INFO before"];
        lines.extend(trace.split('\n'));
        lines.push("INFO behind");
        assert_eq!(joined(&options, &lines), ["INFO before", trace, "INFO behind"], "{name}");
        // Twice, one behind the other.
        let twice: Vec<&str> = trace.split('\n').chain(trace.split('\n')).collect();
        assert_eq!(joined(&options, &twice), [trace, trace], "{name} twice");
    }
}

#[test]
fn stack_traces_behind_a_container_are_joined_per_stream() {
    let (_, trace) = TRACES[0];
    let mut lines = Vec::new();
    for line in trace.split('\n') {
        // What a line's first part looks like decides; parts are cut at 16 KiB.
        let (first, second) = line.split_at(line.len() - if line.len() > 30 { 2 } else { 0 });
        lines.push(format!("2026-11-25T10:17:39.1Z stderr P {first}"));
        lines.push("2026-11-25T10:17:39.1Z stdout F INFO served".to_owned());
        lines.push(format!("2026-11-25T10:17:39.1Z stderr F {second}"));
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let out = joined(&LineOptions::default(), &lines);
    assert_eq!(out.iter().filter(|text| *text == "INFO served").count(), trace.split('\n').count());
    assert_eq!(out.iter().filter(|text| *text == trace).count(), 1, "{out:#?}");
    assert_eq!(out.len(), trace.split('\n').count() + 1);
}

#[test]
fn ordinary_lines_stay_apart() {
    let lines = [
        "INFO one",
        "  indented",
        "at noon",
        "Caused a stir",
        "",
        "#1 priority",
        "ERROR alone",
        "INFO next",
        "ValueError",
        "goroutine count 5",
        "... and so on",
        "{\"a\":1}",
        "\tat x.y(Z.java:1)",
    ];
    assert_eq!(joined(&LineOptions::default(), &lines), lines);
    let off = LineOptions { multiline: Multiline::Off, ..LineOptions::default() };
    let trace: Vec<&str> = TRACES[0].1.split('\n').collect();
    assert_eq!(joined(&off, &trace), trace);
}

fn custom(start: Option<&str>, continuation: Option<&str>, unfinished: Option<&str>) -> LineOptions {
    let pattern = |text: Option<&str>| text.map(|text| Pattern::parse(text).unwrap());
    let rules = CustomLines {
        start: pattern(start),
        continuation: pattern(continuation),
        unfinished: pattern(unfinished),
    };
    LineOptions { multiline: Multiline::Custom(Box::new(rules)), ..LineOptions::default() }
}

#[test]
fn own_patterns_decide() {
    let lines = ["[a] one", " more", "rest", "[b] two", " more"];
    let start = custom(Some(r"^\["), None, None);
    assert_eq!(joined(&start, &lines), ["[a] one\n more\nrest", "[b] two\n more"]);
    let both = custom(Some(r"^\["), Some(r"^\s"), None);
    assert_eq!(joined(&both, &lines), ["[a] one\n more", "rest", "[b] two\n more"]);
    let json = LineOptions { format: Format::Json, ..custom(Some(r"^\{"), None, None) };
    assert_eq!(joined(&json, &["{", "  \"a\": 1", "}", "{}"]), ["{\n  \"a\": 1\n}", "{}"]);
    let unfinished = custom(None, None, Some(r"\\$"));
    assert_eq!(joined(&unfinished, &["a \\", "b \\", "c", "d"]), ["a \\\nb \\\nc", "d"]);
}

#[test]
fn records_are_bounded_and_nothing_is_lost() {
    let options = LineOptions { max_lines: 3, ..custom(Some("^start"), None, None) };
    assert_eq!(joined(&options, &["start", "1", "2", "3", "4"]), ["start\n1\n2", "3\n4"]);
    let options = custom(Some("^start"), None, None);
    let long = "x".repeat(100 << 10);
    let out = joined(&options, &["start", &long, &long, &long]);
    assert_eq!(out.iter().map(String::len).collect::<Vec<_>>(), [5 + 2 * (1 + long.len()), long.len()]);
    // A container's line of more than the limit: its parts are kept, in several records.
    let part = format!("2026-11-25T10:17:39.1Z stdout P {long}");
    let out = joined(&LineOptions::default(), &[&part, &part, &part, "2026-11-25T10:17:39.1Z stdout F end"]);
    assert_eq!(out.iter().map(String::len).collect::<Vec<_>>(), [2 * long.len(), long.len() + 3]);
}

#[test]
fn the_place_is_the_first_byte_of_what_is_not_delivered() {
    let options = LineOptions::default();
    let lines = [
        "2026-11-25T10:17:39.1Z stdout P half ",
        "2026-11-25T10:17:39.1Z stderr F whole",
        "2026-11-25T10:17:39.1Z stderr P half ",
    ];
    let starts: Vec<u64> = lines
        .iter()
        .scan(0, |at, line| {
            let start = *at;
            *at += line.len() as u64 + 1;
            Some(start)
        })
        .collect();
    let end = starts[2] + lines[2].len() as u64 + 1;
    with_clock(|clock| {
        let read = |ahead: Ahead, from: usize| {
            let mut joiner = Joiner::new(&options, *clock, ahead);
            for (line, start) in lines.iter().zip(&starts).skip(from) {
                let end = start + line.len() as u64 + 1;
                joiner.line(Line { raw: line.as_bytes(), start: *start, end, marks: Marks::default() });
            }
            joiner.settle();
            let mut out = Vec::new();
            while let Some(joined) = joiner.pop() {
                out.push(joined.text.into_owned());
            }
            (out, joiner.place(end))
        };
        let (out, (offset, ahead)) = read([0; 3], 0);
        assert_eq!((out, offset), (vec!["whole".to_owned()], 0));
        assert_eq!(ahead, [end, 0, starts[2]], "standard error is delivered up to its second line");
        // After a crash nothing comes twice.
        let (out, place) = read(ahead, 0);
        assert_eq!((out, place), (Vec::new(), (offset, ahead)));
    });
}

#[test]
fn what_is_not_popped_is_not_consumed() {
    let options = LineOptions::default();
    with_clock(|clock| {
        let mut joiner = Joiner::new(&options, *clock, [0; 3]);
        for (index, line) in ["one", "two", "three"].iter().enumerate() {
            let start = index as u64 * 10;
            joiner.line(Line { raw: line.as_bytes(), start, end: start + 10, marks: Marks::default() });
        }
        assert_eq!(joiner.place(30).0, 0);
        joiner.settle();
        assert_eq!(joiner.pop().unwrap().text, "one");
        assert_eq!(joiner.place(30).0, 10);
    });
}
