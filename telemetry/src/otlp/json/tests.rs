//! Decoded texts are read back through `LogsRequest`; the cases are data.

use super::*;
use crate::Value;
use crate::otlp::{LogsRequest, MAX_DEPTH};

/// The first record's body of a request that holds one record with `members`.
fn record_json(members: &str) -> String {
    format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{{members}}}]}}]}}]}}"#)
}

fn body_of(value: &str) -> Result<serde_json::Value, JsonError> {
    let bytes = decode_logs(record_json(&format!(r#""body":{value}"#)).as_bytes())?;
    let request = LogsRequest::parse(&bytes).unwrap();
    let (_, _, record) = request.records().next().unwrap();
    Ok(match record.body {
        Value::Double(number) if !number.is_finite() => serde_json::Value::from(format!("{number}")),
        body => body.to_json(),
    })
}

#[test]
fn a_whole_request_is_read() {
    let json = r#"{
      "unknown": [{"deep": [1, 2.5, null, "x", {}]}],
      "resourceLogs": [{
        "schemaUrl": "https://example.org/resource/1",
        "scopeLogs": [{
          "logRecords": [{
            "timeUnixNano": "1774000000123456789", "observedTimeUnixNano": 1774000000123456790,
            "severityNumber": 17, "severityText": "Error", "flags": 1, "droppedAttributesCount": 3,
            "traceId": "0af7651916cd43dd8448EB211C80319C", "spanId": "b7ad6b7169203331", "eventName": "payment.failed",
            "body": {"stringValue": "card \u00e9 declined"},
            "attributes": [{"key": "tries", "value": {"intValue": "9007199254740993"}}, {"key": "none"}]
          }, {"body": null, "traceId": "", "attributes": null}],
          "scope": {"name": "checkout", "version": "2.1", "attributes": [{"key": "a", "value": {"boolValue": false}}]},
          "schemaUrl": null
        }],
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
      }, {"resource": null, "scopeLogs": null}]
    }"#;
    let bytes = decode_logs(json.as_bytes()).unwrap();
    let request = LogsRequest::parse(&bytes).unwrap();
    assert_eq!((request.record_count(), request.resources().count()), (2, 2));
    let (resource, scope, record) = request.records().next().unwrap();
    assert_eq!(resource.schema_url, "https://example.org/resource/1");
    assert_eq!(resource.resource.attributes().to_json(), serde_json::json!({"service.name": "shop"}));
    assert_eq!((scope.scope.name, scope.scope.version, scope.schema_url), ("checkout", "2.1", ""));
    assert_eq!(scope.scope.attributes().to_json(), serde_json::json!({"a": false}));
    assert_eq!(
        (record.time_ns, record.observed_time_ns),
        (1_774_000_000_123_456_789, 1_774_000_000_123_456_790)
    );
    assert_eq!((record.severity_number, record.severity_text, record.flags), (17, "Error", 1));
    assert_eq!((record.dropped_attributes, record.event_name), (3, "payment.failed"));
    assert_eq!(record.trace_id().unwrap()[..4], [0x0a, 0xf7, 0x65, 0x19]);
    assert_eq!(record.span_id().unwrap()[7], 0x31);
    assert_eq!(record.body.to_text(), "card é declined");
    let attributes = serde_json::json!({"tries": 9_007_199_254_740_993_u64, "none": null});
    assert_eq!(record.attributes().to_json(), attributes);
}

#[test]
fn values_of_every_kind_are_exact() {
    let cases = [
        (r#"{"stringValue":""}"#, r#""""#),
        (r#"{"stringValue":null}"#, "null"),
        ("{}", "null"),
        (r#"{"unknownValue":{"a":[1]}}"#, "null"),
        (r#"{"boolValue":false}"#, "false"),
        (r#"{"intValue":0}"#, "0"),
        (r#"{"intValue":"-9223372036854775808"}"#, "-9223372036854775808"),
        (r#"{"intValue":9223372036854775807}"#, "9223372036854775807"),
        (r#"{"intValue":1e3}"#, "1000"),
        (r#"{"intValue":-0}"#, "0"),
        (r#"{"doubleValue":0}"#, "0.0"),
        (r#"{"doubleValue":637.704}"#, "637.704"),
        (r#"{"doubleValue":"-1.5"}"#, "-1.5"),
        (r#"{"doubleValue":7}"#, "7.0"),
        (r#"{"doubleValue":"NaN"}"#, r#""NaN""#),
        (r#"{"doubleValue":"Infinity"}"#, r#""inf""#),
        (r#"{"doubleValue":"-Infinity"}"#, r#""-inf""#),
        (r#"{"bytesValue":""}"#, r#""""#),
        (r#"{"bytesValue":"AAH/"}"#, r#""AAH/""#),
        (r#"{"bytesValue":"AAH_"}"#, r#""AAH/""#),
        (r#"{"bytesValue":"AQ"}"#, r#""AQ==""#),
        (r#"{"arrayValue":{}}"#, "[]"),
        (
            r#"{"arrayValue":{"values":[{"intValue":"1"},{},null,{"arrayValue":{"values":[]}}]}}"#,
            "[1,null,null,[]]",
        ),
        (
            r#"{"kvlistValue":{"values":[{"key":"a","value":{"kvlistValue":{}}},{"key":"b"}]}}"#,
            r#"{"a":{},"b":null}"#,
        ),
        (r#"{"stringValue":"first","intValue":2}"#, "2"),
    ];
    for (value, expected) in cases {
        assert_eq!(body_of(value).map(|body| body.to_string()), Ok(expected.to_owned()), "{value}");
    }
}

#[test]
fn errors_say_what_and_where() {
    let cases: [(String, &str, &str); 17] = [
        (String::new(), "", "EOF while parsing a value"),
        ("null".to_owned(), "", "invalid type: null, expected an object"),
        ("[]".to_owned(), "", "invalid type: sequence, expected an object"),
        ("{} x".to_owned(), "", "trailing characters"),
        (r#"{"resourceLogs":{}}"#.to_owned(), "resourceLogs", "invalid type: map, expected an array"),
        (
            r#"{"resourceLogs":[null]}"#.to_owned(),
            "resourceLogs[0]",
            "invalid type: null, expected an object",
        ),
        (
            r#"{"resourceLogs":[{"scopeLogs":[{},{"scope":3}]}]}"#.to_owned(),
            "resourceLogs[0].scopeLogs[1].scope",
            "invalid type: integer `3`, expected an object",
        ),
        (
            record_json(r#""timeUnixNano":-1"#),
            "…timeUnixNano",
            "invalid value: integer `-1`, expected an unsigned 64-bit integer, as number or string",
        ),
        (
            record_json(r#""timeUnixNano":1.5"#),
            "…timeUnixNano",
            "invalid value: floating point `1.5`, expected an unsigned 64-bit integer, as number or string",
        ),
        (
            record_json(r#""timeUnixNano":"18446744073709551616""#),
            "…timeUnixNano",
            "invalid value: string \"18446744073709551616\", expected an unsigned 64-bit integer, as number or string",
        ),
        (
            record_json(r#""timeUnixNano":36893488147419103232"#),
            "…timeUnixNano",
            "invalid value: floating point `3.6893488147419103e+19`, expected an unsigned 64-bit integer, as number or string",
        ),
        (
            record_json(r#""severityNumber":"SEVERITY_NUMBER_INFO""#),
            "…severityNumber",
            "invalid type: string \"SEVERITY_NUMBER_INFO\", expected an enum's number",
        ),
        (
            record_json(r#""traceId":"W47/95A=""#),
            "…traceId",
            "invalid value: string \"W47/95A=\", expected 32 hexadecimal digits",
        ),
        (
            record_json(r#""spanId":"000000000000000G""#),
            "…spanId",
            "invalid value: string \"000000000000000G\", expected 16 hexadecimal digits",
        ),
        (
            record_json(r#""body":{"bytesValue":"*"}"#),
            "…body.bytesValue",
            "invalid value: string \"*\", expected bytes in base64",
        ),
        (
            record_json(r#""body":{"stringValue":1}"#),
            "…body.stringValue",
            "invalid type: integer `1`, expected a string",
        ),
        (
            record_json(r#""attributes":[{"key":"a"},{"key":true}]"#),
            "…attributes[1].key",
            "invalid type: boolean `true`, expected a string",
        ),
    ];
    for (json, path, message) in cases {
        let error = decode_logs(json.as_bytes()).unwrap_err();
        let path = path.replace('…', "resourceLogs[0].scopeLogs[0].logRecords[0].");
        assert_eq!((error.path.as_str(), error.message.as_str()), (path.as_str(), message), "{json}");
        assert!(error.line >= 1, "{json}");
    }
    let error = decode_logs(b"{\n  \"resourceLogs\": 7\n}").unwrap_err();
    assert_eq!((error.line, error.column), (2, 19));
    assert!(error.to_string().ends_with("at resourceLogs (line 2, column 19)"), "{error}");
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let json = record_json(r#""body":{"stringValue":"X"}"#).into_bytes();
    let broken: Vec<u8> = json.into_iter().map(|byte| if byte == b'X' { 0xff } else { byte }).collect();
    assert!(decode_logs(&broken).is_err());
    assert!(body_of(r#"{"stringValue":"\ud800"}"#).is_err(), "a lone surrogate");
}

fn nested(levels: usize) -> String {
    let open = r#"{"arrayValue":{"values":["#.repeat(levels);
    format!(r#"{open}{{"intValue":1}}{}"#, "]}}".repeat(levels))
}

#[test]
fn values_nest_as_deep_as_in_protobuf() {
    assert!(body_of(&nested(MAX_DEPTH)).is_ok());
    let error = body_of(&nested(MAX_DEPTH + 1)).unwrap_err();
    assert_eq!(error.message, format!("values are nested deeper than {MAX_DEPTH} levels"));
    assert!(body_of(&nested(100_000)).is_err());
}

#[test]
fn unknown_members_may_nest_without_using_the_stack() {
    let json = format!(r#"{{"x":{}{}}}"#, "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(decode_logs(json.as_bytes()), Ok(Vec::new()));
}

#[test]
fn every_cut_of_a_text_is_an_error() {
    let json = record_json(
        r#""timeUnixNano":"5","body":{"kvlistValue":{"values":[{"key":"k","value":{"bytesValue":"AQ=="}}]}}"#,
    );
    for len in 0..json.len() {
        assert!(decode_logs(&json.as_bytes()[..len]).is_err(), "{len} bytes");
    }
}
