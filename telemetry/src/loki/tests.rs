use super::*;
use crate::otlp::wire::{put_bytes, put_uint};
use crate::otlp::{LogRecord, LogsRequest};
use crate::room::Room;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

const LIMITS: PushLimits = PushLimits { max_streams: 5, max_entries: 6, max_labels: 4, max_metadata: 4 };

type Pairs<'a> = &'a [(&'a str, &'a str)];
type Entry<'a> = (i64, &'a str, Pairs<'a>);
type Stream<'a> = (&'a str, &'a [Entry<'a>]);

fn field(out: &mut Vec<u8>, number: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let mut message = Vec::new();
    write(&mut message);
    put_bytes(out, number, &message);
}

/// A push request as Promtail's generated code writes it.
fn protobuf(streams: &[Stream<'_>]) -> Vec<u8> {
    let mut push = Vec::new();
    for (labels, entries) in streams {
        field(&mut push, 1, |stream| {
            put_bytes(stream, 1, labels.as_bytes());
            for (time_ns, line, metadata) in *entries {
                field(stream, 2, |entry| {
                    field(entry, 1, |time| {
                        put_uint(time, 1, (time_ns / 1_000_000_000) as u64);
                        put_uint(time, 2, (time_ns % 1_000_000_000) as u64);
                    });
                    put_bytes(entry, 2, line.as_bytes());
                    for (name, value) in *metadata {
                        field(entry, 3, |pair| {
                            put_bytes(pair, 1, name.as_bytes());
                            put_bytes(pair, 2, value.as_bytes());
                        });
                    }
                });
            }
            put_uint(stream, 3, 12345);
        });
    }
    push
}

fn from_protobuf(raw: &[u8]) -> Result<Push, PushError> {
    decode_protobuf(raw, &LIMITS, Room::new(&mut |_| true))
}

fn from_json(text: &str) -> Result<Push, PushError> {
    decode_json(text.as_bytes(), &LIMITS, Room::new(&mut |_| true))
}

/// Every record as its resource, severity, body and attributes.
fn records(push: &Push) -> Vec<Json> {
    let request = LogsRequest::parse(&push.payload).unwrap();
    let one = |record: LogRecord<'_>, resource: Json| {
        json!([
            resource,
            record.time_ns,
            record.severity_number,
            record.severity_text,
            record.body.to_text(),
            record.attributes().to_json()
        ])
    };
    request
        .records()
        .map(|(resource, _, record)| one(record, resource.resource.attributes().to_json()))
        .collect()
}

#[test]
fn both_forms_say_the_same() {
    let time = 1_774_000_000_123_456_789;
    let raw = protobuf(&[
        (
            r#"{app="shop", level="warn"}"#,
            &[(time, "one", &[]), (time + 1, "two", &[("level", "ERROR"), ("user", "7")])],
        ),
        (r#"{job="nightly"}"#, &[(0, "three", &[])]),
    ]);
    let text = json!({"streams": [
        {"stream": {"app": "shop", "level": "warn"},
         "values": [[time.to_string(), "one"], [(time + 1).to_string(), "two", {"user": "7", "level": "ERROR"}]]},
        {"values": [["0", "three"]], "stream": {"job": "nightly"}},
    ]});
    let shop = json!({"app": "shop", "level": "warn", "service.name": "shop"});
    let expected = [
        json!([shop, time, 13, "warn", "one", {}]),
        json!([shop, time + 1, 17, "ERROR", "two", {"user": "7", "level": "ERROR"}]),
        json!([{"job": "nightly", "service.name": "nightly"}, 0, 0, "", "three", {}]),
    ];
    let pushed = from_protobuf(&raw).unwrap();
    assert_eq!(records(&pushed), expected);
    assert_eq!(from_json(&text.to_string()).unwrap(), pushed);
}

#[test]
fn labels_name_service_host_and_severity() {
    let cases = [
        (r#"{job="a", app="b", service_name="c"}"#, "c", Json::Null, 0),
        (r#"{service_name="unknown_service", job="a"}"#, "", Json::Null, 0),
        (r#"{service_name="", container="c"}"#, "c", Json::Null, 0),
        (r#"{"service.name"="x", app="y"}"#, "x", Json::Null, 0),
        (r#"{instance="app-1:9100"}"#, "", json!("app-1"), 0),
        (r#"{instance="[::1]:9100"}"#, "", json!("[::1]"), 0),
        (r#"{instance="fe80::1"}"#, "", json!("fe80::1"), 0),
        (r#"{instance="a:b", hostname="h"}"#, "", json!("h"), 0),
        (r#"{detected_level="unknown", severity="Critical"}"#, "", Json::Null, 18),
        (r#"{level="loud"}"#, "", Json::Null, 0),
        (r#"{LEVEL="Warn"}"#, "", Json::Null, 13),
    ];
    for (labels, service, host, severity) in cases {
        let pushed = from_protobuf(&protobuf(&[(labels, &[(1, "x", &[])])])).unwrap();
        let record = &records(&pushed)[0];
        assert_eq!(record[0].get("service.name").and_then(Json::as_str).unwrap_or(""), service, "{labels}");
        assert_eq!(
            (record[0].get("host.name").unwrap_or(&Json::Null), &record[2]),
            (&host, &json!(severity)),
            "{labels}"
        );
    }
}

/// Whoever says the level beside the line is believed before the line.
#[test]
fn the_line_tells_the_severity_where_nothing_else_does() {
    let cases: [(Pairs<'_>, &str, Pairs<'_>, u8, &str); 7] = [
        (&[], r#"{"level":"error","msg":"x"}"#, &[], 17, "error"),
        (&[], "ts=2026-11-25T10:17:39Z level=warn msg=x", &[], 13, "warn"),
        (&[], "2026-11-25 10:17:39 [INFO] ready", &[], 9, "INFO"),
        (&[], "ready", &[], 0, ""),
        (&[("detected_level", "unknown")], "ERROR boom", &[], 17, "ERROR"),
        (&[("level", "debug")], "ERROR boom", &[], 5, "debug"),
        (&[], "ERROR boom", &[("Severity", "notice")], 10, "notice"),
    ];
    let object = |pairs: Pairs<'_>| -> Json {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    for (labels, line, metadata, number, word) in cases {
        let quoted: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        let stream = format!("{{{}}}", quoted.join(","));
        let pushed = from_protobuf(&protobuf(&[(stream.as_str(), &[(1, line, metadata)])])).unwrap();
        let record = &records(&pushed)[0];
        assert_eq!((&record[2], &record[3]), (&json!(number), &json!(word)), "{stream} {line}");
        let text =
            json!({"streams": [{"stream": object(labels), "values": [["1", line, object(metadata)]]}]});
        assert_eq!(from_json(&text.to_string()).unwrap(), pushed, "{stream} {line}");
    }
}

#[test]
fn ids_are_lifted_out_of_the_metadata_when_they_are_ids() {
    let (trace, span) = ("5b8efff798038103d269b633813fc60c", "EEE19B7EC3C1B174");
    let raw = protobuf(&[(
        "{}",
        &[
            (1, "x", &[("trace_id", trace), ("span_id", span)]),
            (1, "y", &[("trace_id", "7"), ("spanid", "")]),
        ],
    )]);
    let pushed = from_protobuf(&raw).unwrap();
    let request = LogsRequest::parse(&pushed.payload).unwrap();
    let read: Vec<_> = request
        .records()
        .map(|(_, _, record)| (record.trace_id(), record.span_id(), record.attributes().to_json()))
        .collect();
    assert_eq!(read[0].0.unwrap()[..2], [0x5b, 0x8e]);
    assert_eq!(read[0].1.unwrap()[..2], [0xee, 0xe1]);
    assert_eq!(read[0].2, json!({}));
    assert_eq!(read[1], (None, None, json!({"trace_id": "7", "spanid": ""})));
}

#[test]
fn a_stream_that_cannot_be_read_leaves_and_the_others_stay() {
    let raw = protobuf(&[
        ("app=1", &[(1, "a", &[]), (2, "b", &[])]),
        (r#"{app="x"}"#, &[(1, "c", &[])]),
        ("{", &[]),
    ]);
    let pushed = from_protobuf(&raw).unwrap();
    assert_eq!(records(&pushed).len(), 1);
    let reason = "expected '{' at byte 0 of the labels, found \"app=1\"";
    assert_eq!((pushed.rejected, pushed.first_reason.as_deref()), (2, Some(reason)));
    let many = json!({"streams": [{"stream": {"a": 1, "b": true, "c": null, "d": 1.5, "e": ""}, "values": [["1", "x"]]}]});
    let pushed = from_json(&many.to_string()).unwrap();
    assert_eq!(
        (pushed.rejected, pushed.first_reason.as_deref()),
        (1, Some("a stream has more than 4 labels"))
    );
}

#[test]
fn texts_that_are_not_utf8_are_mended() {
    let mut raw = protobuf(&[(r#"{app="shop"}"#, &[(1, "caf\u{e9}", &[])])]);
    let at = raw.windows(2).position(|pair| pair == "é".as_bytes()).unwrap();
    raw[at + 1] = b'!';
    assert_eq!(records(&from_protobuf(&raw).unwrap())[0][4], "caf\u{fffd}!");
}

#[test]
fn empty_pushes_are_taken() {
    for text in [r#"{}"#, r#"{"streams":null}"#, r#"{"streams":[]}"#, r#"{"x":[[]],"streams":[{}]}"#] {
        assert_eq!(from_json(text), Ok(Push::default()), "{text}");
    }
    assert_eq!(from_protobuf(&[]), Ok(Push::default()));
    let scalars = r#"{"streams":[{"stream":{"a":1,"b":true,"c":null},"values":[[5,"x",null],["6","y",{"k":2.5},"z"]]}]}"#;
    let expected = json!([{"a": "1", "b": "true", "c": ""}, 6, 0, "", "y", {"k": "2.5"}]);
    assert_eq!(records(&from_json(scalars).unwrap())[1], expected);
}

#[test]
fn what_is_no_push_is_refused_with_a_place() {
    let cases = [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("[]", "invalid type: sequence, expected an object with \"streams\" at line 1 column 0"),
        (r#"{"streams":7}"#, "invalid type: integer `7`, expected an array at line 1 column 12"),
        (
            r#"{"streams":[{"stream":[]}]}"#,
            "invalid type: sequence, expected labels as an object at line 1 column 22",
        ),
        (
            r#"{"streams":[{"values":[["x","y"]]}]}"#,
            "invalid value: string \"x\", expected nanoseconds since 1970 as text at line 1 column 32",
        ),
        (
            r#"{"streams":[{"values":[["1"]]}]}"#,
            "invalid length 1, expected an entry: [time, line] or [time, line, structured metadata] at line 1 column 28",
        ),
        (
            r#"{"streams":[{"values":[["1",2]]}]}"#,
            "invalid type: integer `2`, expected a string at line 1 column 29",
        ),
        (r#"{"streams":[]} x"#, "trailing characters at line 1 column 16"),
    ];
    for (text, message) in cases {
        let expected = PushError::Malformed(format!("the body is no push request: {message}"));
        assert_eq!(from_json(text), Err(expected), "{text}");
    }
    let raw = protobuf(&[(r#"{a="b"}"#, &[(1, "x", &[("k", "v")])])]);
    for len in 1..raw.len() {
        assert!(from_protobuf(&raw[..len]).is_err(), "{len} bytes");
    }
    let wrong = from_protobuf(&[1 << 3, 5]).unwrap_err().to_string();
    assert_eq!(wrong, "the body is no logproto.PushRequest: streams has the wrong wire type");
}

#[test]
fn everything_is_counted() {
    let entries = |count: usize| vec![(1, "x", &[] as Pairs<'_>); count];
    let pairs: Vec<_> = ["a", "b", "c", "d", "e"].map(|name| (name, "v")).to_vec();
    let many = [(1, "x", pairs.as_slice())];
    let (six, seven) = (entries(6), entries(7));
    let empty: Stream<'_> = ("{}", &[]);
    let cases: [(Vec<Stream<'_>>, &str, &str); 4] = [
        (vec![("{}", &six)], "", ""),
        (vec![("{}", &seven)], "entries", "the push has more than 6 entries; send it in parts"),
        (vec![empty; 6], "streams", "the push has more than 5 streams; send it in parts"),
        (
            vec![("{}", &many)],
            "pairs of structured metadata in one entry",
            "the push has more than 4 pairs of structured metadata in one entry; send it in parts",
        ),
    ];
    for (streams, _, message) in &cases {
        let outcome = from_protobuf(&protobuf(streams)).map(drop).map_err(|error| error.to_string());
        assert_eq!(outcome.err().unwrap_or_default(), *message);
        let json: Vec<_> = streams
            .iter()
            .map(|(_, entries)| {
                let values: Vec<_> = entries
                    .iter()
                    .map(|(time, line, metadata)| {
                        json!([
                            time.to_string(),
                            line,
                            metadata.iter().copied().collect::<std::collections::BTreeMap<_, _>>()
                        ])
                    })
                    .collect();
                json!({"stream": {}, "values": values})
            })
            .collect();
        let outcome =
            from_json(&json!({"streams": json}).to_string()).map(drop).map_err(|error| error.to_string());
        assert_eq!(outcome.err().unwrap_or_default(), *message);
    }
    let raw = protobuf(&[("{}", &six)]);
    let full = decode_protobuf(&raw, &LIMITS, Room::new(&mut |_| false));
    assert_eq!(full, Err(PushError::NoRoom(NoRoom)));
}

proptest! {
    #[test]
    fn broken_pushes_are_read_or_refused(at in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let raw = protobuf(&[(r#"{app="shop", level="warn"}"#, &[(7, "one", &[("a", "b")]), (8, "two", &[])])]);
        let text = json!({"streams": [{"stream": {"app": "shop"}, "values": [["7", "one", {"a": "b"}]]}]}).to_string();
        for mut body in [raw, text.into_bytes()] {
            at.iter().for_each(|(index, byte)| {
                let at = index.index(body.len());
                body[at] = *byte;
            });
            let limits = PushLimits::default();
            for decode in [decode_protobuf, decode_json] {
                if let Ok(push) = decode(&body, &limits, Room::new(&mut |_| true)) {
                    let _records = records(&push);
                }
            }
        }
    }
}
