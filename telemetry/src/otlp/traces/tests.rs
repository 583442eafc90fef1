use super::*;
use crate::otlp::{EventFields, LinkFields, RecordsWriter, SpanFields, write_resource, write_span};
use crate::value::Value;

fn request(spans: &[SpanFields<'_>]) -> Vec<u8> {
    let (mut writer, mut resource) = (RecordsWriter::default(), Vec::new());
    write_resource(&mut resource, &[("service.name", Value::Str("checkout"))]);
    writer.resource(&resource, "");
    writer.scope(&[], "");
    for span in spans {
        let mut raw = Vec::new();
        write_span(&mut raw, span);
        writer.record(&raw);
    }
    writer.finish()
}

#[test]
fn a_span_is_read_as_it_was_written() {
    let (trace, id, parent) = ([7; 16], [1; 8], [2; 8]);
    let events = [EventFields { time_ns: 15, name: "retry", attributes: &[("n", Value::Int(2))] }];
    let links = [LinkFields { trace_id: &[9; 16], span_id: &[8; 8], trace_state: "a=b", attributes: &[] }];
    let span = SpanFields {
        trace_id: &trace,
        span_id: &id,
        parent_id: &parent,
        trace_state: "x=y",
        flags: 1,
        name: "GET /",
        kind: SpanKind::Server,
        start_ns: 10,
        end_ns: 30,
        attributes: &[("http.response.status_code", Value::Int(500))],
        events: &events,
        links: &links,
        status: StatusCode::Error,
        status_message: "late",
    };
    let raw = request(&[span, SpanFields::default()]);
    let request = TracesRequest::parse(&raw).unwrap();
    assert_eq!((request.span_count(), TracesRequest::of_valid(&raw).span_count()), (2, 2));
    let (resource, _, read) = request.spans().next().unwrap();
    assert_eq!(resource.resource.attributes().iter().count(), 1);
    assert_eq!((read.trace_id(), read.span_id(), read.parent_id()), (Some(trace), Some(id), Some(parent)));
    assert_eq!((read.name, read.kind, read.status), ("GET /", SpanKind::Server, StatusCode::Error));
    assert_eq!((read.status_message, read.trace_state, read.flags), ("late", "x=y", 1));
    assert_eq!((read.start_ns, read.end_ns, read.duration_ns()), (10, 30, 20));
    let event = read.events().next().unwrap();
    assert_eq!((event.time_ns, event.name, event.attributes().iter().count()), (15, "retry", 1));
    let link = read.links().next().unwrap();
    assert_eq!((link.trace_id(), link.span_id(), link.trace_state), (Some([9; 16]), Some([8; 8]), "a=b"));
    let (_, _, empty) = request.spans().nth(1).unwrap();
    assert_eq!((empty.trace_id(), empty.parent_id(), empty.effective_time_ns(77)), (None, None, 77));
}

#[test]
fn bytes_that_are_no_request_are_refused() {
    let mut wrong_type = Vec::new();
    // A resource_spans with scope_spans with a span whose name is a number.
    wrong_type.extend([0x0a, 6, 0x12, 4, 0x12, 2, 5 << 3, 1]);
    for (raw, what) in [(&wrong_type[..], "a name that is a number"), (&[0x0a, 5, 0x12][..], "cut off")] {
        assert!(TracesRequest::parse(raw).is_err(), "{what}");
    }
    assert_eq!(TracesRequest::parse(&[]).unwrap().span_count(), 0);
}

#[test]
fn ids_that_a_span_cannot_be_found_by_are_told() {
    type Case<'c> = (&'c [u8], &'c [u8], &'c [u8], Option<&'c str>);
    let cases: [Case<'_>; 9] = [
        (&[7; 16], &[1; 8], &[], None),
        (&[7; 16], &[1; 8], &[0; 8], None),
        (&[7; 16], &[1; 8], &[2; 8], None),
        (&[], &[1; 8], &[], Some("has no trace id")),
        (&[7; 8], &[1; 8], &[], Some("has a trace id of 8 bytes, it takes 16")),
        (&[0; 16], &[1; 8], &[], Some("has a trace id of zeros, which is none")),
        (&[7; 16], &[], &[], Some("has no span id")),
        (&[7; 16], &[0; 8], &[], Some("has a span id of zeros, which is none")),
        (&[7; 16], &[1; 8], &[2; 16], Some("has a parent span id of 16 bytes, it takes 8")),
    ];
    for (trace_id, span_id, parent_id, expected) in cases {
        let raw = request(&[SpanFields { trace_id, span_id, parent_id, ..SpanFields::default() }]);
        let (_, _, span) = TracesRequest::of_valid(&raw).spans().next().unwrap();
        let told = span.id_fault().map(|fault| fault.to_string());
        assert_eq!(told.as_deref(), expected, "{trace_id:?} {span_id:?} {parent_id:?}");
    }
}
