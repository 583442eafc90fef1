use super::*;
use crate::Outcome;
use crate::otlp::{LogRecord, LogsRequest, MAX_DEPTH};
use crate::room::Room;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

const LIMITS: BulkLimits = BulkLimits { max_items: 3000, max_attributes: 8, max_record_bytes: 2000 };

fn read(body: &str) -> Result<Bulk, BulkError> {
    read_bulk(body.as_bytes(), Some("logs"), &LIMITS, Room::new(&mut |_| true))
}

fn document(json: &str) -> Result<Json, String> {
    let bulk =
        read_document(json.as_bytes(), Op::Index, "logs", None, &LIMITS, Room::new(&mut |_| true)).unwrap();
    assert_eq!(bulk.items.len(), 1);
    match &bulk.items[0].fault {
        Some(fault) => Err(fault.reason.clone()),
        None => Ok(records(&bulk).remove(0)),
    }
}

/// Every record with what it says; what is not set is left out.
fn records(bulk: &Bulk) -> Vec<Json> {
    let of_chunk = |chunk: &Chunk| {
        let request = LogsRequest::parse(&chunk.payload).unwrap();
        assert_eq!(request.record_count(), chunk.items.len());
        request
            .records()
            .map(|(resource, _, record)| show(resource.resource.attributes().to_json(), &record))
            .collect::<Vec<_>>()
    };
    bulk.chunks.iter().flat_map(of_chunk).collect()
}

fn show(resource: Json, record: &LogRecord<'_>) -> Json {
    let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut shown = json!({
        "resource": resource, "time": record.time_ns, "severity": record.severity_number, "word": record.severity_text,
        "body": record.body.to_json(), "attributes": record.attributes().to_json(),
        "trace": record.trace_id().map(|id| hex(&id)), "span": record.span_id().map(|id| hex(&id)),
    });
    shown["resource"]
        .as_object_mut()
        .unwrap()
        .retain(|key, value| key != "elasticsearch.index" || value != "logs");
    shown.as_object_mut().unwrap().retain(|_, value| {
        !matches!(value, Json::Null) && *value != json!({}) && *value != 0 && *value != ""
    });
    shown
}

#[test]
fn documents_of_real_loggers_become_records() {
    let time = 1_795_601_859_912_000_000_u64;
    let (trace, span) = ("5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174");
    let cases = [
        ("{}", json!({})),
        (
            r#"{"@timestamp":"2026-11-25T10:17:39.912Z","message":"hello"}"#,
            json!({"time": time, "body": "hello"}),
        ),
        (r#"{"@timestamp":1795601859912,"message":"a\nb"}"#, json!({"time": time, "body": "a\nb"})),
        (
            r#"{"@timestamp":"1795601859912","timestamp":"2020-01-01T00:00:00Z"}"#,
            json!({"time": time, "attributes": {"timestamp": "2020-01-01T00:00:00Z"}}),
        ),
        (
            r#"{"timestamp":"2026-11-25T10:17:39.912Z"}"#,
            json!({"time": time, "attributes": {"timestamp": "2026-11-25T10:17:39.912Z"}}),
        ),
        (
            r#"{"timestamp":"2026-11-25T10:17:39.912Z","@timestamp":"2026-11-25T10:17:39.912Z"}"#,
            json!({"time": time, "attributes": {"timestamp": "2026-11-25T10:17:39.912Z"}}),
        ),
        (r#"{"@timestamp":"yesterday"}"#, json!({"attributes": {"@timestamp": "yesterday"}})),
        (
            r#"{"log":{"level":"WARN","file":{"path":"/x"}},"level":"info"}"#,
            json!({"severity": 13, "word": "WARN", "attributes": {"log": {"file": {"path": "/x"}}, "level": "info"}}),
        ),
        (
            r#"{"level":30,"msg":"pino","log":{"level":"error"}}"#,
            json!({"severity": 17, "word": "error", "body": "pino", "attributes": {"level": 30}}),
        ),
        (r#"{"severity":"6"}"#, json!({"severity": 9})),
        (r#"{"severity":"loud","level":3}"#, json!({"severity": 17, "attributes": {"severity": "loud"}})),
        (r#"{"log.level":"debug"}"#, json!({"severity": 5, "word": "debug"})),
        (
            r#"{"message":"2026-11-25 10:17:39 [error] 123#0: refused"}"#,
            json!({"severity": 17, "word": "error", "body": "2026-11-25 10:17:39 [error] 123#0: refused"}),
        ),
        (
            r#"{"message":"ERROR boom","level":"info"}"#,
            json!({"severity": 9, "word": "info", "body": "ERROR boom"}),
        ),
        (r#"{"msg":"worse","log":"better"}"#, json!({"body": "better", "attributes": {"msg": "worse"}})),
        (
            r#"{"msg":"worst","log":"worse","message":"best"}"#,
            json!({"body": "best", "attributes": {"msg": "worst", "log": "worse"}}),
        ),
        (r#"{"message":{"a":1}}"#, json!({"attributes": {"message": {"a": 1}}})),
        (r#"{"message":7}"#, json!({"body": "7"})),
        (
            r#"{"service":{"name":"shop","version":"2"},"host":{"name":"app-1","hostname":"app-1.local","ip":["10.0.0.1"]}}"#,
            json!({"resource": {"service.name": "shop", "host.name": "app-1"},
                "attributes": {"service": {"version": "2"}, "host": {"hostname": "app-1.local", "ip": ["10.0.0.1"]}}}),
        ),
        (
            r#"{"service":"shop","host":"app-1","hostname":"x"}"#,
            json!({"resource": {"service.name": "shop", "host.name": "app-1"}, "attributes": {"hostname": "x"}}),
        ),
        (
            r#"{"service.name":"shop","host.name":"app-1","app":"y"}"#,
            json!({"resource": {"service.name": "shop", "host.name": "app-1"}, "attributes": {"app": "y"}}),
        ),
        (
            r#"{"programname":"sshd"}"#,
            json!({"resource": {"service.name": "sshd"}, "attributes": {"programname": "sshd"}}),
        ),
        (
            r#"{"service":{"name":{"a":1}},"host":{}}"#,
            json!({"attributes": {"service": {"name": {"a": 1}}, "host": {}}}),
        ),
        (
            r#"{"trace":{"id":"5b8efff798038103d269b633813fc60c"},"span":{"id":"EEE19B7EC3C1B174"},"trace_id":"x"}"#,
            json!({"trace": trace, "span": span, "attributes": {"trace_id": "x"}}),
        ),
        (
            r#"{"trace.id":"0","span_id":"eee19b7ec3c1b174"}"#,
            json!({"span": span, "attributes": {"trace.id": "0"}}),
        ),
        (
            r#"{"a":null,"b":{"c":null,"d":[null,1]},"e":1.5,"f":true,"g":-1,"h":18446744073709551615,"i":[]}"#,
            json!({"attributes": {"b": {"d": [null, 1]}, "e": 1.5, "f": true, "g": -1, "h": "18446744073709551615", "i": []}}),
        ),
        (r#"{"level":null,"host":null,"message":null}"#, json!({})),
        (
            r#"{"a\u0062":"c\u0064","host":"h\u0069"}"#,
            json!({"resource": {"host.name": "hi"}, "attributes": {"ab": "cd"}}),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(document(text), Ok(expected), "{text}");
    }
}

#[test]
fn a_guessed_time_is_a_plausible_one() {
    let at = |time: &str| {
        let mut shown = document(&format!(r#"{{"timestamp":{time}}}"#)).unwrap();
        assert!(!shown["attributes"]["timestamp"].is_null(), "{time} stays an attribute");
        shown["time"].take().as_u64()
    };
    let (second, milli) = (1_795_601_859_000_000_000, 1_795_601_859_912_000_000);
    for (time, expected) in [
        ("1795601859", second),
        ("\"1795601859\"", second),
        ("1795601859.5", second + 500_000_000),
        ("\"1795601859.5\"", second + 500_000_000),
        ("1795601859912", milli),
        ("\"1795601859912\"", milli),
        ("1795601859912.0", milli),
        ("978307200000", 978_307_200_000_000_000),
        ("\"2001-01-01\"", 978_307_200_000_000_000),
    ] {
        assert_eq!(at(time), Some(expected), "{time}");
    }
    for time in
        ["0", "7", "-1795601859", "999999999", "17956018599", "978307199999", "1795601859912345", "true"]
    {
        assert_eq!(at(time), None, "{time}");
    }
    for time in ["\"2000-12-31T23:59:59Z\"", "\"7\"", "\"\"", "\".\"", "\"now\"", "1e300"] {
        assert_eq!(at(time), None, "{time}");
    }
    // What Elasticsearch defines is not guessed.
    assert_eq!(document(r#"{"@timestamp":1795601859}"#), Ok(json!({"time": 1_795_601_859_000_000_u64})));
}

#[test]
fn a_group_counts_as_a_level_too() {
    let nested =
        |levels: usize| format!(r#"{{"log":{{"a":{}1{}}}}}"#, "[".repeat(levels), "]".repeat(levels));
    // One level more, and what was made of it would be no request.
    assert!(document(&nested(MAX_DEPTH - 1)).is_ok());
    let reason = document(&nested(MAX_DEPTH)).unwrap_err();
    assert!(reason.contains("nested deeper than 64 levels"), "{reason}");
    assert!(document(r#"{"log":{"a":1},"host":{"ip":1},"service":{"a":[1]}}"#).is_ok());
}

#[test]
fn what_is_told_of_a_mistake_is_short() {
    let long = "x".repeat(100_000);
    let reason = document(&format!("\"{long}\"")).unwrap_err();
    assert!(reason.len() < 400 && reason.ends_with("… at line 1 column 100002"), "{reason:.1000}");
    let fault = read(&format!("{{\"index\":\"{long}\"}}\n{{}}\n")).unwrap_err().to_string();
    assert!(fault.len() < 400, "{fault:.1000}");
    for body in ["{\"index\":{}}\n{}\n", &format!("{{\"index\":{{\"_index\":\"{long}\"}}}}\n{{}}\n")] {
        let bulk = read_bulk(body.as_bytes(), Some(&long), &LIMITS, Room::new(&mut |_| true)).unwrap();
        assert_eq!(bulk.items[0].index.len(), 256);
        assert_eq!(bulk.items[0].fault.as_ref().unwrap().kind, "invalid_index_name_exception");
    }
}

#[test]
fn what_is_no_document_is_its_items_fault() {
    let nested = |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    let cases = [
        (String::new(), "EOF while parsing a value at line 1 column 0"),
        (
            "[1]".to_owned(),
            "invalid type: sequence, expected a document, which is an object at line 1 column 0",
        ),
        (r#"{"a":1"#.to_owned(), "EOF while parsing an object at line 1 column 6"),
        (r#"{"a":1} {}"#.to_owned(), "trailing characters at line 1 column 9"),
        (nested(MAX_DEPTH + 1), "values are nested deeper than 64 levels at line 1 column 71"),
        (nested(100_000), "values are nested deeper than 64 levels at line 1 column 70"),
        (
            format!(r#"{{"a":"{}"}}"#, "x".repeat(3000)),
            "the document is larger than 2000 bytes at line 1 column 3008",
        ),
        (
            r#"{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1}"#.to_owned(),
            "the document has more than 8 members at line 1 column 52",
        ),
        (r#"{"message":"\ud800"}"#.to_owned(), "unexpected end of hex escape at line 1 column 19"),
    ];
    for (text, reason) in cases {
        assert_eq!(document(&text), Err(format!("cannot take the document: {reason}")), "{text:.100}");
    }
    assert!(document(&nested(MAX_DEPTH)).is_ok());
    let body = format!(r#"{{"message":"{}"}}"#, "x".repeat(1990));
    let reason = document(&body).unwrap_err();
    assert!(reason.starts_with("the record has ") && reason.ends_with("the limit is 2000"), "{reason}");
}

#[test]
fn each_item_has_its_own_fate() {
    let body = concat!(
        "{\"index\":{}}\n{\"message\":\"one\"}\n",
        "\n",
        "{\"create\":{\"_index\":\"other\",\"_id\":\"7\"}}\r\n{\"message\":\"two\"}\r\n",
        "{\"create\":{}}\n{broken\n",
        "{\"delete\":{\"_id\":\"7\"}}\n",
        "{\"update\":{\"_id\":\"7\"}}\n{\"doc\":{}}\n",
        "{\"index\":{\"_index\":\"a b\"}}\n{}\n",
        "{\"create\":{}}\n{\"message\":\"three\"}",
    );
    let bulk = read(body).unwrap();
    let items: Vec<_> = bulk
        .items
        .iter()
        .map(|item| {
            (
                item.op.name(),
                &*item.index,
                item.id.as_deref(),
                item.fault.as_ref().map_or("", |fault| fault.kind),
            )
        })
        .collect();
    assert_eq!(
        items,
        [
            ("index", "logs", None, ""),
            ("create", "other", Some("7"), ""),
            ("create", "logs", None, "document_parsing_exception"),
            ("delete", "logs", Some("7"), "illegal_argument_exception"),
            ("update", "logs", Some("7"), "illegal_argument_exception"),
            ("index", "a b", None, "invalid_index_name_exception"),
            ("create", "logs", None, ""),
        ]
    );
    assert_eq!(bulk.chunks[0].items, [0, 1, 6]);
    let other = json!({"resource": {"elasticsearch.index": "other"}, "body": "two", "attributes": {"elasticsearch.id": "7"}});
    assert_eq!(records(&bulk), [json!({"body": "one"}), other, json!({"body": "three"})]);
}

#[test]
fn an_action_that_is_repeated_means_the_same() {
    let body = "{\"index\":{\"_index\":\"a\"}}\n{}\n".repeat(2)
        + "{\"index\":{}}\n{}\n"
        + &"{\"index\":{\"_index\":\"a\"}}\n{}\n".repeat(2)
        + "{\"create\":{\"_index\":\"b\",\"_id\":\"1\"}}\n{}\n"
        + "{\"create\":{\"_index\":\"b\",\"_id\":\"1\"}}\n{}\n";
    let bulk = read(&body).unwrap();
    let seen: Vec<_> = bulk.items.iter().map(|item| (&*item.index, item.id.as_deref())).collect();
    assert_eq!(
        seen,
        [
            ("a", None),
            ("a", None),
            ("logs", None),
            ("a", None),
            ("a", None),
            ("b", Some("1")),
            ("b", Some("1"))
        ]
    );
}

#[test]
fn lines_that_cannot_be_told_apart_refuse_all() {
    let good = "{\"index\":{}}\n{}\n";
    let cases = [
        (String::new(), "request body is required"),
        ("\n \n".to_owned(), "request body is required"),
        (
            format!("{good}{{\"index\":{{}}}}\n"),
            "the body ends behind the action of line [3], its document is missing",
        ),
        (
            format!("{good}{{\"message\":\"x\"}}\n{good}"),
            "malformed action/metadata line [3]: unknown action \"message\", expected index, create, update or delete at line 1 column 10",
        ),
        (
            format!("{good}[]\n"),
            "malformed action/metadata line [3]: invalid type: sequence, expected an action: {\"create\":{…}}, {\"index\":{…}} at line 1 column 0",
        ),
    ];
    for (body, reason) in cases {
        assert_eq!(read(&body).unwrap_err().to_string(), reason, "{body}");
    }
    let missing = read_bulk(good.as_bytes(), None, &LIMITS, Room::new(&mut |_| true)).unwrap();
    assert_eq!(missing.items[0].fault.as_ref().unwrap().kind, "action_request_validation_exception");
}

#[test]
fn requests_are_cut_into_batches_that_keep_every_reason() {
    let body = "{\"index\":{}}\n{\"message\":\"x\"}\n".repeat(2500);
    let bulk = read(&body).unwrap();
    let sizes: Vec<_> = bulk.chunks.iter().map(|chunk| chunk.items.len()).collect();
    assert_eq!(sizes, [Outcome::MAX_REASONS, Outcome::MAX_REASONS, 500]);
    let all: Vec<_> = bulk.chunks.iter().flat_map(|chunk| chunk.items.clone()).collect();
    assert_eq!(all, (0..2500).collect::<Vec<_>>());
    let limits = BulkLimits { max_record_bytes: 400 << 10, ..LIMITS };
    let large = format!("{{\"index\":{{}}}}\n{{\"message\":\"{}\"}}\n", "x".repeat(300 << 10)).repeat(3);
    let bulk = read_bulk(large.as_bytes(), Some("logs"), &limits, Room::new(&mut |_| true)).unwrap();
    assert_eq!(bulk.chunks.iter().map(|chunk| chunk.items.len()).collect::<Vec<_>>(), [1, 1, 1]);
}

#[test]
fn items_and_memory_are_counted() {
    let body = "{\"index\":{}}\n{}\n".repeat(3001);
    assert_eq!(read(&body), Err(BulkError::TooMany { limit: 3000 }));
    let full = read_bulk(b"{\"index\":{}}\n{}\n", Some("logs"), &LIMITS, Room::new(&mut |_| false));
    assert_eq!(full, Err(BulkError::NoRoom(crate::NoRoom)));
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        (-1e300..1e300).prop_map(Json::from),
        ".{0,12}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            proptest::collection::btree_map(".{0,6}", inner, 0..5).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn members_without_a_role_stay_as_they_are(map in proptest::collection::btree_map("x.{0,6}", any_json(), 0..8)) {
        let text = Json::from_iter(map.clone()).to_string();
        let limits = BulkLimits::default();
        let bulk = read_document(text.as_bytes(), Op::Index, "logs", None, &limits, Room::new(&mut |_| true)).unwrap();
        let read = LogsRequest::parse(&bulk.chunks[0].payload).unwrap().records().next().unwrap().2.attributes().to_json();
        prop_assert_eq!(read, Json::from_iter(map));
    }

    #[test]
    fn broken_bodies_are_read_or_refused(at in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut body = b"{\"index\":{\"_id\":7}}\n{\"@timestamp\":1795601859912,\"log\":{\"level\":\"warn\"},\"host\":\"a\",\"t\":[1,null,{\"a\":\"b\"}]}\n".repeat(2);
        at.iter().for_each(|(index, byte)| {
            let at = index.index(body.len());
            body[at] = *byte;
        });
        if let Ok(bulk) = read_bulk(&body, Some("logs"), &BulkLimits::default(), Room::new(&mut |_| true)) {
            let stored: usize = bulk.chunks.iter().map(|chunk| chunk.items.len()).sum();
            prop_assert_eq!(stored, bulk.items.iter().filter(|item| item.fault.is_none()).count());
            prop_assert_eq!(records(&bulk).len(), stored);
        }
    }
}
