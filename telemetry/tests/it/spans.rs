//! Traces of the OpenTelemetry crates' own types: what they write as JSON is read as prost would have written it,
//! and what we write as JSON is read back by both to the same request.

use narrows_telemetry::otlp::json::{TRACES_GROWTH, decode_traces, encode_traces};
use narrows_telemetry::otlp::{RecordsWriter, TracesRequest};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use prost::Message;

use crate::roundtrip::{attributes, id};

fn event() -> impl Strategy<Value = Event> {
    (any::<u64>(), any::<String>(), attributes(), any::<u32>()).prop_map(
        |(time_unix_nano, name, attributes, dropped_attributes_count)| Event {
            time_unix_nano,
            name,
            attributes,
            dropped_attributes_count,
        },
    )
}

fn link() -> impl Strategy<Value = Link> {
    (id(16), id(8), any::<String>(), attributes(), any::<u32>(), any::<u32>()).prop_map(
        |(trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags)| Link {
            trace_id,
            span_id,
            trace_state,
            attributes,
            dropped_attributes_count,
            flags,
        },
    )
}

fn span() -> impl Strategy<Value = Span> {
    let ids = (id(16), id(8), id(8), any::<String>(), any::<u32>());
    let says = (any::<String>(), 0i32..6, any::<u64>(), any::<u64>(), attributes());
    let status = (any::<String>(), 0i32..3).prop_map(|(message, code)| Status { message, code });
    let dropped = (any::<u32>(), any::<u32>(), any::<u32>());
    (ids, says, vec(event(), 0..3), vec(link(), 0..3), option::of(status), dropped).prop_map(
        |(ids, says, events, links, status, dropped)| Span {
            trace_id: ids.0,
            span_id: ids.1,
            parent_span_id: ids.2,
            trace_state: ids.3,
            flags: ids.4,
            name: says.0,
            kind: says.1,
            start_time_unix_nano: says.2,
            end_time_unix_nano: says.3,
            attributes: says.4,
            dropped_attributes_count: dropped.0,
            events,
            dropped_events_count: dropped.1,
            links,
            dropped_links_count: dropped.2,
            status,
        },
    )
}

pub(crate) fn request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scope = (any::<String>(), any::<String>(), attributes(), any::<u32>()).prop_map(
        |(name, version, attributes, dropped_attributes_count)| InstrumentationScope {
            name,
            version,
            attributes,
            dropped_attributes_count,
        },
    );
    let scope = (option::of(scope), vec(span(), 0..3), any::<String>())
        .prop_map(|(scope, spans, schema_url)| ScopeSpans { scope, spans, schema_url });
    let resource = (attributes(), any::<u32>()).prop_map(|(attributes, dropped_attributes_count)| Resource {
        attributes,
        dropped_attributes_count,
        ..Resource::default()
    });
    let group = (option::of(resource), vec(scope, 0..3), any::<String>())
        .prop_map(|(resource, scope_spans, schema_url)| ResourceSpans { resource, scope_spans, schema_url });
    vec(group, 0..3).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn traces_in_json_become_the_protobuf_of_the_opentelemetry_crates(request in request()) {
        let json = serde_json::to_vec(&request).unwrap();
        let bytes = decode_traces(&json).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert!(bytes.len() <= TRACES_GROWTH * json.len());
        let spans: usize =
            request.resource_spans.iter().flat_map(|r| &r.scope_spans).map(|scope| scope.spans.len()).sum();
        prop_assert_eq!(TracesRequest::parse(&bytes).unwrap().span_count(), spans);
        prop_assert_eq!(ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap(), request);
    }

    #[test]
    fn traces_written_as_json_are_the_same_when_they_are_read(request in request()) {
        let raw = request.encode_to_vec();
        let json = encode_traces(&raw);
        let theirs: ExportTraceServiceRequest =
            serde_json::from_str(&json).map_err(|error| TestCaseError::fail(format!("{error}: {json}")))?;
        prop_assert_eq!(&theirs, &request);
        prop_assert_eq!(decode_traces(json.as_bytes()).unwrap(), raw, "{}", json);
    }

    #[test]
    fn any_bytes_that_parse_are_written_as_json_that_reads_as_the_same(
        request in request(), at: prop::sample::Index, byte: u8,
    ) {
        let mut bytes = request.encode_to_vec();
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if TracesRequest::parse(&bytes).is_ok() {
            let json = encode_traces(&bytes);
            let read = decode_traces(json.as_bytes()).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(encode_traces(&read), json);
        }
    }
}

#[test]
fn what_is_written_is_as_the_specification_has_it() {
    let mut span = vec![1 << 3 | 2, 2, 0xab, 0xcd, 6 << 3, 3, 7 << 3 | 1];
    span.extend(u64::MAX.to_le_bytes());
    // Attributes: a NaN, an array with nothing in it, a value that is not set, 300 in bytes, a text with everything.
    let attributes: [&[u8]; 5] = [
        b"\x0a\x01d\x12\x09\x21\x00\x00\x00\x00\x00\x00\xf8\x7f",
        b"\x0a\x01a\x12\x02\x2a\x00",
        b"\x0a\x01e\x12\x00",
        b"\x0a\x01b\x12\x04\x3a\x02\x01\x2c",
        "\x0a\x01t\x12\x0a\x0a\x08\"\\\n\x01\u{e9}/x".as_bytes(),
    ];
    for attribute in attributes {
        span.extend([9 << 3 | 2, attribute.len() as u8]);
        span.extend(attribute);
    }
    // A status without anything in it, and a field that is not known.
    span.extend([15 << 3 | 2, 0, 0xf8, 0x07, 1]);
    let mut writer = RecordsWriter::default();
    writer.resource(&[], "");
    writer.scope(b"\x0a\x03lib", "");
    writer.record(&span);
    let json = encode_traces(&writer.finish());
    let expected = concat!(
        r#"{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{"name":"lib"},"spans":[{"traceId":"abcd","kind":3,"#,
        r#""startTimeUnixNano":"18446744073709551615","attributes":["#,
        r#"{"key":"d","value":{"doubleValue":"NaN"}},{"key":"a","value":{"arrayValue":{"values":[]}}},{"key":"e","value":{}},"#,
        r#"{"key":"b","value":{"bytesValue":"ASw="}},{"key":"t","value":{"stringValue":"\"\\\n\u0001é/x"}}],"#,
        r#""status":{}}]}]}]}"#
    );
    assert_eq!(json, expected);
    assert_eq!(encode_traces(&[]), "{}");
}

#[test]
fn ids_of_any_length_are_read_and_what_is_no_hexadecimal_is_refused() {
    let json =
        |id: &str| format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{id}"}}]}}]}}]}}"#);
    let cases = [("", Some(0)), ("ab", Some(1)), ("0aF1", Some(2)), ("abc", None), ("0x", None), ("é", None)];
    for (id, expected) in cases {
        let decoded = decode_traces(json(id).as_bytes());
        let decoded = decoded
            .map(|bytes| ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap())
            .map(|request| request.resource_spans[0].scope_spans[0].spans[0].trace_id.len());
        assert_eq!(decoded.ok(), expected, "{id}");
    }
    let error = decode_traces(json("xyz").as_bytes()).unwrap_err();
    assert_eq!(error.path, "resourceSpans[0].scopeSpans[0].spans[0].traceId");
    assert!(error.message.ends_with("expected hexadecimal digits, two for each byte"), "{}", error.message);
}
