//! Records as the UI gets them.

use bytes::Bytes;
use events::{RowKey, Stream};
use serde_json::json;
use telemetry::otlp::{LogsRequest, RecordFields, RecordsWriter, write_record, write_resource, write_scope};

use super::*;

fn hit(resource: &[(&str, Value<'_>)], scope: &[u8], fields: &RecordFields<'_>) -> Hit {
    let (mut record, mut raw_resource) = (Vec::new(), Vec::new());
    write_record(&mut record, fields);
    write_resource(&mut raw_resource, resource);
    let mut writer = RecordsWriter::default();
    writer.resource(&raw_resource, "");
    writer.scope(scope, "");
    writer.record(&record);
    LogsRequest::parse(&writer.finish()).unwrap();
    let key = RowKey { time_ns: 1_795_601_859_912_345_678, partition: 0, seq: RowKey::seq(42, 3) };
    let (resource, scope) = (Bytes::from(raw_resource), Bytes::copy_from_slice(scope));
    Hit { key, stream: Stream { resource, scope, ..Stream::default() }, record: Bytes::from(record) }
}

fn rendered(hit: &Hit) -> serde_json::Value {
    serde_json::to_value(Record::of(hit)).unwrap()
}

#[test]
fn a_full_record_has_every_field() {
    let mut scope = Vec::new();
    write_scope(&mut scope, "cart", "1.2", &[("lib", Value::Bool(true))]);
    let fields = RecordFields {
        time_ns: 5,
        observed_time_ns: 1_795_601_860_000_000_000,
        severity_number: 17,
        severity_text: "Error!",
        body: Value::Str("no <b>stock</b>"),
        attributes: &[
            ("http.status_code", Value::Int(503)),
            ("ratio", Value::Double(0.5)),
            ("odd", Value::Double(f64::NAN)),
            ("raw", Value::Bytes(&[1, 2])),
            ("none", Value::Empty),
            ("twice", Value::Str("first")),
            ("twice", Value::Str("last")),
        ],
        trace_id: &[0xab; 16],
        span_id: &[0x0c; 8],
        flags: 1,
        event_name: "out_of_stock",
    };
    let resource = [("service.name", Value::Str("checkout")), ("host.name", Value::Str("app-1"))];
    let expected = json!({
        "id": "0-2a00003",
        "timestamp": "2026-11-25T10:17:39.912345678Z",
        "observed_timestamp": "2026-11-25T10:17:40.000000000Z",
        "severity": "Error!",
        "severity_number": 17,
        "service": "checkout",
        "host": "app-1",
        "body": "no <b>stock</b>",
        "attributes": {
            "http.status_code": 503, "ratio": 0.5, "odd": "NaN", "raw": "AQI=", "none": null, "twice": "last",
        },
        "resource": {"service.name": "checkout", "host.name": "app-1"},
        "scope": {"name": "cart", "version": "1.2", "attributes": {"lib": true}},
        "trace_id": "abababababababababababababababab",
        "span_id": "0c0c0c0c0c0c0c0c",
        "event_name": "out_of_stock",
        "flags": 1,
    });
    assert_eq!(rendered(&hit(&resource, &scope, &fields)), expected);
}

#[test]
fn what_is_not_given_is_null() {
    let shown = rendered(&hit(&[], &[], &RecordFields::default()));
    for name in [
        "observed_timestamp",
        "severity",
        "service",
        "host",
        "body",
        "scope",
        "trace_id",
        "span_id",
        "event_name",
    ] {
        assert_eq!(shown[name], serde_json::Value::Null, "{name}");
    }
    assert_eq!(
        (&shown["attributes"], &shown["resource"], &shown["flags"]),
        (&json!({}), &json!({}), &json!(0))
    );
}

#[test]
fn a_number_without_a_word_has_its_standard_name() {
    let fields = RecordFields { severity_number: 18, ..RecordFields::default() };
    assert_eq!(rendered(&hit(&[], &[], &fields))["severity"], "ERROR2");
}

#[test]
fn a_table_has_typed_columns_and_cells() {
    let column = |name: &str, kind| Column { name: name.to_owned(), kind };
    let table = Table {
        columns: vec![
            column("time", search::ColumnKind::Time),
            column("service", search::ColumnKind::String),
            column("count()", search::ColumnKind::Number),
        ],
        rows: vec![
            vec![Cell::Time(0), Cell::Text("checkout".into()), Cell::Number(Number::Int(3))],
            vec![Cell::Time(0), Cell::Null, Cell::Number(Number::Double(0.5))],
        ],
    };
    let expected = json!({
        "columns": [
            {"name": "time", "kind": "time"},
            {"name": "service", "kind": "string"},
            {"name": "count()", "kind": "number"},
        ],
        "rows": [["1970-01-01T00:00:00.000000000Z", "checkout", 3], ["1970-01-01T00:00:00.000000000Z", null, 0.5]],
    });
    assert_eq!(serde_json::to_value(TableView(&table)).unwrap(), expected);
}
