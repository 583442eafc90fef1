//! Lines as real programs write them, with what a person would read out of them.
#![allow(clippy::unwrap_used)]

use super::*;

/// 2026-11-25T12:00:00Z
const NOW_NS: i64 = 1_795_608_000_000_000_000;
/// 2026-11-25T10:17:39Z
const AT_S: u64 = 1_795_601_859;

fn check(line: &str) -> (u64, u8, &str) {
    let found = detect(line, &Clock { now_ns: NOW_NS, zone: &Zone::fixed(0) });
    (found.time_ns, found.severity_number, found.severity_text)
}

const fn at(nanos: u64) -> u64 {
    AT_S * 1_000_000_000 + nanos
}

#[test]
fn lines_of_common_programs() {
    let cases: &[(&str, u64, u8, &str)] = &[
        // Java, Python, Rust, Go, .NET
        ("2026-11-25 10:17:39,912 - app.db - WARNING - slow query", at(912_000_000), 13, "WARNING"),
        ("2026-11-25 10:17:39.912  INFO 4242 --- [main] c.e.App : Started", at(912_000_000), 9, "INFO"),
        (
            "2026-11-25 10:17:39,912 [http-1] ERROR c.e.Cart - connection refused",
            at(912_000_000),
            17,
            "ERROR",
        ),
        (
            "2026-11-25 10:17:39,747 - INFO  [/10.10.34.11:3888:Listener@493] - Received",
            at(747_000_000),
            9,
            "INFO",
        ),
        ("2026-11-25T10:17:39.912345Z DEBUG hyper::proto: parsed 5 headers", at(912_345_000), 5, "DEBUG"),
        ("2026-11-25T10:17:39.912345678Z\tFATAL\tmain.go:12\tboom", at(912_345_678), 21, "FATAL"),
        ("[2026-11-25T10:17:39Z WARN  app] careful", at(0), 13, "WARN"),
        ("2026/11/25 10:17:39 listening on :8080", at(0), 0, ""),
        ("E1125 10:17:39.912345   12 main.cc:10] could not open", at(912_345_000), 17, "E"),
        ("ERROR:root:could not open", 0, 17, "ERROR"),
        ("warn: Microsoft.Hosting[0]", 0, 13, "warn"),
        ("Exception in thread \"main\" java.lang.IllegalStateException: no cart", 0, 17, ""),
        ("2026-11-25T10:17:39Z Traceback (most recent call last):", at(0), 17, ""),
        ("panic: runtime error: index out of range", 0, 21, "panic"),
        ("thread 'main' (7) panicked at src/main.rs:3:5:", 0, 17, ""),
        ("the thread 'main' panicked at noon, they say", 0, 0, ""),
        ("fail: Microsoft.Hosting[0]", 0, 17, "fail"),
        // servers
        (r#"2026/11/25 10:17:39 [error] 123#0: *1 connect() failed"#, at(0), 17, "error"),
        (r#"10.0.0.1 - bob [25/Nov/2026:10:17:39 +0000] "GET /info HTTP/1.1" 200 12"#, at(0), 0, ""),
        (r#"10.0.0.1 - - [25/Nov/2026:12:17:39 +0200] "GET / HTTP/1.1" 500 12"#, at(0), 0, ""),
        (
            "[Wed Nov 25 10:17:39.912345 2026] [core:error] [pid 35708] File does not exist",
            at(912_345_000),
            17,
            "error",
        ),
        ("[Wed Nov 25 10:17:39 2026] [notice] workerEnv.init() ok", at(0), 10, "notice"),
        (
            "2026-11-25 10:17:39.912 UTC [77] FATAL:  database \"x\" does not exist",
            at(912_000_000),
            21,
            "FATAL",
        ),
        ("2026-11-25 10:17:39.912 UTC [77] LOG:  checkpoint starting", at(912_000_000), 9, "LOG"),
        ("1234:M 25 Nov 2026 10:17:39.912 # Server initialized", at(912_000_000), 13, ""),
        ("2026-11-25T10:17:39.912345Z 0 [Warning] [MY-010055] [Server] x", at(912_345_000), 13, "Warning"),
        // syslog
        ("Nov 25 10:17:39 web-1 sshd[12]: Accepted publickey", at(0), 0, ""),
        ("<11>Nov 25 10:17:39 web-1 app: disk failing", at(0), 17, ""),
        ("<165>1 2026-11-25T10:17:39.003Z mymachine evntslog - ID47 - x", at(3_000_000), 10, ""),
        // structured
        (r#"time=2026-11-25T10:17:39.912Z level=WARN msg="slow""#, at(912_000_000), 13, "WARN"),
        (r#"time="2026-11-25T10:17:39Z" level=error msg=x"#, at(0), 17, "error"),
        (r#"{"level":"error","ts":1795601859.912,"msg":"x"}"#, at(912_000_000), 17, "error"),
        (r#"{"msg":"a \" level","level":30,"time":1795601859912,"pid":1}"#, at(912_000_000), 9, ""),
        (
            r#"{"@timestamp":"2026-11-25T10:17:39.912Z","log.level":"WARN","nested":{"level":"fatal"}}"#,
            at(912_000_000),
            13,
            "WARN",
        ),
        (r#"{"severity":"CRITICAL","timestamp":"2026-11-25T11:17:39+01:00"}"#, at(0), 18, "CRITICAL"),
        (r#"{"a":[{"level":"error"}, "]"],"b":{"c":"}"},"level":"info""#, 0, 0, ""),
        (r#"{"time":1795601859912345678,"level":"bogus"}"#, at(912_345_678), 0, ""),
        // epochs
        ("1795601859 boot", at(0), 0, ""),
        ("1795601859.5 info started", at(500_000_000), 9, "info"),
        ("[1795601859123] x", at(123_000_000), 0, ""),
    ];
    for (line, time_ns, number, text) in cases {
        assert_eq!(check(line), (*time_ns, *number, *text), "{line}");
    }
}

/// What comes without a severity is looked at alike, whatever day it is.
#[test]
fn a_level_is_found_without_a_clock() {
    let cases = [
        (r#"{"Level":"Error","msg":"x"}"#, 17, "Error"),
        (r#"{"log":{"level":"warn"},"message":"x"}"#, 13, "warn"),
        (r#"{"log":{"level":"warn"},"severity":"info"}"#, 9, "info"),
        (r#"{"level":"info","log":{"level":"warn"}}"#, 9, "info"),
        (r#"{"log":"level","msg":"ERROR"}"#, 0, ""),
        ("time=2031-11-25T10:17:39Z level=warn msg=x", 13, "warn"),
        ("2031-11-25 10:17:39 warn disk is filling", 13, "warn"),
        ("Nov 25 10:17:39 warn disk is filling", 13, "warn"),
        ("2026/11/25 10:17:39 [error] 123#0: refused", 17, "error"),
        ("[ERROR] boom", 17, "ERROR"),
        ("the request had an error in it", 0, ""),
        ("", 0, ""),
    ];
    for (line, number, word) in cases {
        assert_eq!(level(line).unwrap_or_default(), (number, word), "{line}");
    }
}

#[test]
fn lines_that_say_nothing() {
    for line in [
        "",
        " ",
        "{",
        "{}",
        r#"{"a"#,
        r#"{"level"#,
        r#"{"level":"#,
        "hello world",
        "the request had an error in it",
        "GET /error/info 200",
        "more information about warnings",
        "2026-13-25 10:17:39 x",
        "2026-02-30 10:17:39 x",
        "2026-11-25 25:17:39 x",
        "12345 things",
        "ä€ 2026",
        "<999>x",
        "Novice 25",
    ] {
        assert_eq!(check(line), (0, 0, ""), "{line}");
    }
}

#[test]
fn zones_and_years_are_read_against_now() {
    let zone = Zone::fixed(3600);
    let berlin = Clock { now_ns: NOW_NS, zone: &zone };
    assert_eq!(detect("2026-11-25 11:17:39 x", &berlin).time_ns, at(0));
    assert_eq!(detect("2026-11-25 10:17:39Z x", &berlin).time_ns, at(0), "a zone in the line wins");
    assert_eq!(check("2026-11-25T10:17:39-0130 x").0, at(5400 * 1_000_000_000));
    assert_eq!(check("2026-11-25 10:17:39 -12 items").0, at(0), "no zone");
    let december = check("Dec 31 23:59:59 host x").0;
    assert_eq!(december, 1_767_225_599_000_000_000, "last year's");
    let zone = Zone::fixed(0);
    let new_year = Clock { now_ns: december as i64 + 5_000_000_000, zone: &zone };
    assert_eq!(detect("Dec 31 23:59:59 host x", &new_year).time_ns, december);
    assert_eq!(detect("Jan  1 00:00:01 host x", &new_year).time_ns, december + 2_000_000_000);
}

#[test]
fn a_time_far_ahead_is_not_believed() {
    assert_eq!(check("2026-11-25 12:59:00 x").0, 1_795_611_540_000_000_000);
    assert_eq!(check("2026-11-25 14:00:00 ERROR x"), (0, 17, "ERROR"));
    assert_eq!(check(r#"{"ts":1999999999}"#).0, 0);
}

proptest::proptest! {
    #[test]
    fn any_line_is_survived(line: String) {
        check(&line);
        level(&line);
        check(&format!("{{\"level\":{line}"));
        check(&format!("2026-11-25 10:17:39{line}"));
        check(&format!("E1125 {line}"));
    }

    #[test]
    fn iso_times_agree_with_a_calendar(seconds in 0i64..1_795_600_000, micros in 0u32..1_000_000) {
        let moment = ::time::OffsetDateTime::from_unix_timestamp(seconds).unwrap();
        let (date, time) = (moment.date(), moment.time());
        let line = format!(
            "{}-{:02}-{:02} {:02}:{:02}:{:02}.{micros:06} x",
            date.year(), u8::from(date.month()), date.day(), time.hour(), time.minute(), time.second()
        );
        let expected = seconds as u64 * 1_000_000_000 + u64::from(micros) * 1000;
        proptest::prop_assert_eq!(check(&line).0, expected);
    }
}
