//! Messages, frames, records, and the public cases.
#![allow(clippy::unwrap_used)]

mod conformance;

use telemetry::detect::{Clock, Zone};

use super::frame::{Frame, Framer};
use super::*;

/// 2026-11-25T12:00:00Z
const NOW_NS: i64 = 1_795_608_000_000_000_000;

fn frames(max_bytes: usize, parts: &[&[u8]]) -> Vec<(String, bool)> {
    let (mut framer, mut out) = (Framer::new(max_bytes), Vec::new());
    parts.iter().for_each(|part| framer.push(part, &mut out));
    out.extend(framer.finish());
    out.into_iter().map(|Frame { bytes, cut }| (String::from_utf8(bytes).unwrap(), cut)).collect()
}

#[test]
fn streams_are_cut_into_messages_wherever_reads_end() {
    let stream = b"11 <1>1 - - - -\n<13>plain line\r\n5 <2>xy<3>a\n\n6 <4>b\ncrest";
    let whole = frames(100, &[stream]);
    let texts: Vec<&str> = whole.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(texts, ["<1>1 - - - ", "-", "<13>plain line\r", "<2>xy", "<3>a", "<4>b\nc", "rest"]);
    assert_eq!(whole.iter().filter(|(_, cut)| *cut).count(), 1, "only the last has no end");
    for size in 1..stream.len() {
        let parts: Vec<&[u8]> = stream.chunks(size).collect();
        assert_eq!(frames(100, &parts), whole, "{size}");
    }
}

#[test]
fn messages_over_the_limit_are_cut_and_the_stream_goes_on() {
    type Case<'c> = (&'c [u8], &'c [(&'c str, bool)]);
    let cases: [Case<'_>; 3] = [
        (b"20 <1>34567890123456789<2>x\n", &[("<1>3456789", true), ("<2>x", false)]),
        (b"<1>345678901234567890\n<2>x\n", &[("<1>3456789", true), ("<2>x", false)]),
        (b"99999999 <1>345678901234567890", &[("<1>3456789", true)]),
    ];
    for (stream, expected) in cases {
        for size in [1, 3, 100] {
            let parts: Vec<&[u8]> = stream.chunks(size).collect();
            let got = frames(10, &parts);
            let got: Vec<_> = got.iter().map(|(text, cut)| (text.as_str(), *cut)).collect();
            assert_eq!(got, expected, "{size} {}", String::from_utf8_lossy(stream));
        }
    }
}

type Expected<'e> = (&'e str, u8, Option<&'e str>, Option<&'e str>, &'e [(&'e str, &'e str)]);

#[test]
fn messages_become_records() {
    let cases: [(&str, Expected<'_>); 10] = [
        (
            r#"<165>1 2026-11-25T10:17:39.003Z web-1 shop 8710 ID47 [ex@32473 iut="3" q="a\"b\\"] paid"#,
            (
                "paid",
                10,
                Some("web-1"),
                Some("shop"),
                &[
                    ("syslog.facility", "local4"),
                    ("process.pid", "8710"),
                    ("syslog.msgid", "ID47"),
                    ("syslog.ex@32473.iut", "3"),
                    ("syslog.ex@32473.q", "a\"b\\"),
                ],
            ),
        ),
        (
            "<34>Nov 25 10:17:39 web-1 su[7]: failed",
            ("failed", 18, Some("web-1"), Some("su"), &[("syslog.facility", "auth"), ("process.pid", "7")]),
        ),
        (
            "<13>Nov 25 10:17:39 10.0.0.9 Use it!",
            ("Use it!", 10, Some("10.0.0.9"), None, &[("syslog.facility", "user")]),
        ),
        (
            "<30>2026-11-25T10:17:39+00:00 web-1 app: x",
            ("x", 9, Some("web-1"), Some("app"), &[("syslog.facility", "daemon")]),
        ),
        (
            "<189>29: *Nov 25 10:17:39.483: %SYS-5-CONFIG_I: Configured",
            ("%SYS-5-CONFIG_I: Configured", 10, None, None, &[("syslog.facility", "local7")]),
        ),
        ("<189>4711: up", ("up", 10, None, None, &[("syslog.facility", "local7")])),
        (
            "<165>1 2026-11-25T10:17:39.123456789Z web-1 a-program-with-a-name-that-is-longer-than-the-rfc-has - - - x",
            (
                "x",
                10,
                Some("web-1"),
                Some("a-program-with-a-name-that-is-longer-than-the-rfc-has"),
                &[("syslog.facility", "local4")],
            ),
        ),
        (
            "<165>1 2016-12-31T23:59:60Z web-1 app - - - leap",
            ("leap", 10, Some("web-1"), Some("app"), &[("syslog.facility", "local4")]),
        ),
        ("<13>app: no time", ("no time", 10, None, Some("app"), &[("syslog.facility", "user")])),
        ("no syslog ERROR", ("no syslog ERROR", 17, None, None, &[])),
    ];
    let (zone, now_ns) = (Zone::fixed(0), NOW_NS);
    for (text, (body, severity, host, app, attributes)) in cases {
        let (draft, origin, is_message) = draft_of(text, None, &Clock { now_ns, zone: &zone });
        assert_eq!(draft.body.as_str(), Some(body), "{text}");
        assert_eq!(draft.severity_number, severity, "{text}");
        assert_eq!((origin.host.as_deref(), origin.app.as_deref()), (host, app), "{text}");
        let shown: Vec<_> = draft
            .attributes
            .iter()
            .map(|(key, value)| {
                let text = match value {
                    telemetry::otlp::Any::Int(number) => number.to_string(),
                    other => other.as_str().unwrap().to_owned(),
                };
                (key.to_string(), text)
            })
            .collect();
        let expected: Vec<_> =
            attributes.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        assert_eq!(shown, expected, "{text}");
        assert_eq!(is_message, text.starts_with('<'), "{text}");
        if text.contains("10:17:39") {
            assert_eq!(draft.time_ns / 1_000_000_000, 1_795_601_859, "{text}");
        }
    }
}

#[test]
fn times_without_year_and_zone_are_the_nearest_past() {
    // Told in Berlin, on New Year's morning.
    let (zone, now_ns) = (Zone::fixed(3600), 1_798_763_400_000_000_000);
    let (draft, ..) = draft_of("<34>Dec 31 23:59:59 web-1 su: x", None, &Clock { now_ns, zone: &zone });
    assert_eq!(draft.time_ns / 1_000_000_000, 1_798_757_999);
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_survived(bytes: Vec<u8>, text in "<[0-9]{1,3}>[\\PC\\[\\]\"=\\\\ -]{0,60}", size in 1usize..20) {
        let (mut framer, mut out) = (Framer::new(16), Vec::new());
        bytes.chunks(size).for_each(|part| framer.push(part, &mut out));
        out.extend(framer.finish());
        assert!(out.iter().all(|frame| frame.bytes.len() <= 17));
        let zone = Zone::fixed(0);
        draft_of(&text, None, &Clock { now_ns: NOW_NS, zone: &zone });
    }
}
