//! What is fuzzed: everything that reads bytes of others. A target takes any bytes
//! and panics when a promise is broken. The workspace's tests replay `corpus/`
//! through the same functions (collector/tests/corpus.rs).
//!
//! A new target is a function, a line in the table and a directory in `corpus/`.

use std::future::Future;
use std::io::IoSlice;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use alerting::template::{NoFunctions, Templates};
use bytes::Bytes;
use journal::sim::SimDisk;
use journal::{Disk, FileJournal, Journal, Options, append_all, create_dir_synced};
use narrows_collector::commit::Manifest;
use search::{LogRow, parse_within, tokens};
use telemetry::elasticsearch::{BulkError, BulkLimits, read_bulk};
use telemetry::exposition::{self, Caps, Format, Parser};
use telemetry::loki::{Push, PushError, PushLimits, decode_json, decode_protobuf};
use telemetry::otlp::json::{
    METRICS_GROWTH, TRACES_GROWTH, decode_logs, decode_metrics, decode_traces, encode_traces,
};
use telemetry::otlp::{
    LogRecord, LogsRequest, Mapping, MetricsRequest, RecordFields, RecordsWriter, TracesRequest, to_samples,
    write_record,
};
use telemetry::remote_write::{WriteError, Written, decode_v1, decode_v2, encode_v2};
use telemetry::samples::{Cursor, Entry, SeriesLimits, Writer, check};
use telemetry::zipkin::{Report, ReportError};
use telemetry::{Batch, Producer, Room, Value, zipkin};

/// Checks one input.
pub(crate) type Target = fn(&[u8]);

/// Every target by the name of its corpus.
pub(crate) const TARGETS: &[(&str, Target)] = &[
    ("alertmanager_config", alertmanager_config),
    ("batch", batch),
    ("elasticsearch_bulk", elasticsearch_bulk),
    ("exposition", exposition),
    ("journal", journal),
    ("loki_json", loki_json),
    ("loki_protobuf", loki_protobuf),
    ("manifest", manifest),
    ("matchers", matchers),
    ("otlp_json", otlp_json),
    ("otlp_metrics", otlp_metrics),
    ("otlp_metrics_json", otlp_metrics_json),
    ("otlp_protobuf", otlp_protobuf),
    ("otlp_traces", otlp_traces),
    ("otlp_traces_json", otlp_traces_json),
    ("producer", producer),
    ("promql", promql),
    ("query", query),
    ("remote_write_v1", remote_write_v1),
    ("remote_write_v2", remote_write_v2),
    ("rule_file", rule_file),
    ("samples", samples),
    ("split", split),
    ("template", template),
    ("zipkin_json", zipkin_json),
    ("zipkin_protobuf", zipkin_protobuf),
    ("zipkin_v1_json", zipkin_v1_json),
];

/// A scrape, in both formats: what parses has a name and a place in its line.
fn exposition(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for format in [Format::Text, Format::OpenMetrics] {
        let mut parser = Parser::new(text, format, Caps::default());
        loop {
            match parser.next_entry() {
                Ok(Some(exposition::Entry::Sample(sample))) => {
                    assert!(text.contains(sample.series) && !parser.labels()[0].1.is_empty());
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => {
                    assert!(error.line >= 1 && error.column >= 1);
                    break;
                }
            }
        }
    }
    if exposition::check(text, Caps::default()).is_ok() {
        let mut parser = Parser::new(text, Format::OpenMetrics, Caps::default());
        while parser.next_entry().expect("what is right by all rules can be read").is_some() {}
    }
}

/// An Alertmanager configuration: it is taken, or every fault is said.
fn alertmanager_config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match alerting::config::parse(text, Path::new("/nowhere")) {
        Ok(config) => assert!(config.receiver(&config.route.receiver).is_some(), "{text:?}"),
        Err(faults) => said(&faults),
    }
}

/// Prometheus' rules, read strictly and leniently: what is taken strictly is taken leniently.
fn rule_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let leniently = alerting::rules::parse_file_leniently(text);
    match alerting::rules::parse_file(text) {
        Ok(_) => assert!(leniently.is_ok(), "{text:?}"),
        Err(faults) => said(&faults),
    }
}

fn said(faults: &[alerting::yaml::Fault]) {
    assert!(!faults.is_empty() && faults.iter().all(|fault| !fault.message.is_empty()), "{faults:?}");
}

/// A list of matchers: what is written is the same list.
fn matchers(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(read) = alerting::matcher::parse(text) {
        let written = alerting::matcher::write_all(&read);
        let again = alerting::matcher::parse(&written).map(|read| alerting::matcher::write_all(&read));
        // What is written may be longer than may be read.
        assert!(again.as_ref() == Ok(&written) || written.len() > text.len(), "{text:?} as {written:?}");
    }
}

/// A template of Go's: it gives a text of at most twice a mebibyte, or says what is wrong.
fn template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(template) = Templates::new().parse(text) else { return };
    let data = alerting::template::Value::from("some <b>text</b>");
    for rendered in [template.render(&data, &NoFunctions), template.render_html(&data, &NoFunctions)] {
        match rendered {
            Ok(text) => assert!(text.len() <= 2 << 20),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// A journal record's body: what decodes is what was encoded.
fn batch(data: &[u8]) {
    if let Ok(batch) = Batch::decode(&Bytes::copy_from_slice(data)) {
        assert_eq!(Batch::decode(&batch.encode()).as_ref(), Ok(&batch));
    }
}

/// A segment file: opening tells damage from a torn tail, and everything up to the end can be read, in order.
fn journal(data: &[u8]) {
    for accept_damage in [false, true] {
        let directory = Path::new("/journal");
        let disk = Arc::new(SimDisk::new(1));
        write_segment(&*disk, directory, data).expect("a disk without faults");
        let options = Options { inline: true, accept_damage, ..Options::default() };
        let Ok((journal, recovery)) = FileJournal::open(disk, directory.to_owned(), options) else {
            continue;
        };
        assert!(recovery.start <= recovery.end);
        let Poll::Ready(entries) = now(journal.read(recovery.start, usize::MAX)) else {
            panic!("an inline journal does not wait");
        };
        let entries = entries.expect("what was opened can be read");
        assert!(entries.is_sorted_by_key(|entry| entry.offset));
        assert!(entries.iter().all(|entry| (recovery.start..recovery.end).contains(&entry.offset)));
    }
}

fn write_segment(disk: &dyn Disk, directory: &Path, data: &[u8]) -> std::io::Result<()> {
    create_dir_synced(disk, directory)?;
    let file = disk.create(&directory.join("00000000000000000001.segment"))?;
    append_all(&*file, &mut [IoSlice::new(data)])?;
    file.sync_data()?;
    disk.sync_dir(directory)
}

/// Polls once.
fn now<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// A manifest: what decodes is what was encoded.
fn manifest(data: &[u8]) {
    if let Ok(manifest) = Manifest::decode(data) {
        assert_eq!(Manifest::decode(&manifest.encode()).ok(), Some(manifest));
    }
}

/// A split file: every block and the index are read, or what is wrong is said.
fn split(data: &[u8]) {
    if let Err(reason) = events::check_split(data) {
        assert!(!reason.is_empty());
    }
}

/// A bulk request: every item is in one batch or has a fault, batches are valid, and their memory was asked for.
fn elasticsearch_bulk(data: &[u8]) {
    let mut granted = 0;
    let mut grow = |bytes| {
        granted += bytes;
        true
    };
    match read_bulk(data, Some("logs"), &BulkLimits::default(), Room::new(&mut grow)) {
        Ok(bulk) => {
            assert!(!bulk.items.is_empty());
            let mut stored = bulk.chunks.iter().flat_map(|chunk| chunk.items.iter().copied());
            for (at, item) in bulk.items.iter().enumerate() {
                assert!(item.fault.is_some() || stored.next() == Some(at as u32), "item {at} is lost");
            }
            assert_eq!(stored.next(), None);
            for chunk in &bulk.chunks {
                let request = LogsRequest::parse(&chunk.payload).expect("a batch is valid");
                assert_eq!(request.record_count(), chunk.items.len());
                otlp_protobuf(&chunk.payload);
            }
            let held: usize = bulk.chunks.iter().map(|chunk| chunk.payload.len()).sum();
            assert!(held <= granted, "{held} bytes, {granted} were asked for");
        }
        Err(BulkError::NoRoom(_)) => panic!("there was room"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A Loki push in JSON: what decodes is a valid request.
fn loki_json(data: &[u8]) {
    loki_push(data, decode_json);
}

/// A Loki push in protobuf: the same.
fn loki_protobuf(data: &[u8]) {
    loki_push(data, decode_protobuf);
}

fn loki_push(data: &[u8], decode: fn(&[u8], &PushLimits, Room<'_>) -> Result<Push, PushError>) {
    match decode(data, &PushLimits::default(), Room::new(&mut |_| true)) {
        Ok(push) => {
            assert!(LogsRequest::parse(&push.payload).is_ok(), "the decoded request is not valid");
            otlp_protobuf(&push.payload);
            assert_eq!(push.rejected > 0, push.first_reason.is_some());
        }
        Err(PushError::NoRoom(_)) => panic!("there was room"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// OTLP/JSON: what decodes is a valid request, no longer than its text.
fn otlp_json(data: &[u8]) {
    match decode_logs(data) {
        Ok(bytes) => {
            assert!(bytes.len() <= data.len(), "{} bytes out of {}", bytes.len(), data.len());
            otlp_protobuf(&bytes);
            assert!(LogsRequest::parse(&bytes).is_ok(), "the decoded request is not valid");
        }
        Err(error) => assert!(error.line >= 1 && !error.to_string().is_empty()),
    }
}

/// OTLP protobuf: what parses can be walked to its end, and copied record by record.
fn otlp_protobuf(data: &[u8]) {
    let Ok(request) = LogsRequest::parse(data) else { return };
    let mut writer = RecordsWriter::default();
    for resource in request.resources() {
        writer.resource(resource.resource.raw, resource.schema_url);
        resource.resource.attributes().iter().for_each(|(_, value)| walk(&value));
        for scope in resource.scopes() {
            writer.scope(scope.scope.raw, scope.schema_url);
            for record in scope.records() {
                walk(&record.body);
                record.attributes().iter().for_each(|(_, value)| walk(&value));
                let _ids = (record.trace_id(), record.span_id(), record.effective_time_ns(1));
                writer.record(record.raw);
            }
        }
    }
    let bound = writer.size_bytes();
    let copy = writer.finish();
    assert!(copy.len() <= bound, "{} bytes, {bound} were announced", copy.len());
    let copied = LogsRequest::parse(&copy).map(|copy| copy.record_count());
    assert_eq!(copied, Ok(request.record_count()));
}

/// OTLP metrics: every point of what parses is in the samples or has a reason, and the samples can be read.
fn otlp_metrics(data: &[u8]) {
    let Ok(request) = MetricsRequest::parse(data) else { return };
    assert_eq!(MetricsRequest::of_valid(data).point_count(), request.point_count());
    let (mapping, mut writer, mut granted) = (Mapping::default(), Writer::new(), 0);
    let mut grow = |bytes| {
        granted += bytes;
        true
    };
    let converted =
        to_samples(&request, &mapping, 1, &mut writer, Room::new(&mut grow)).expect("there was room");
    assert_eq!(converted.accepted + converted.rejected, request.point_count() as u64);
    assert!(converted.rejected == 0 || !converted.reasons.is_empty());
    let payload = writer.finish();
    assert!(payload.len() <= granted.max(1), "{} bytes, {granted} were asked for", payload.len());
    samples(&payload);
    assert!(check(&payload).is_ok(), "the samples are not valid");
}

/// OTLP metrics in JSON: what decodes is a valid request, not much longer than its text.
fn otlp_metrics_json(data: &[u8]) {
    match decode_metrics(data) {
        Ok(bytes) => {
            assert!(
                bytes.len() <= METRICS_GROWTH * data.len(),
                "{} bytes out of {}",
                bytes.len(),
                data.len()
            );
            assert!(MetricsRequest::parse(&bytes).is_ok(), "the decoded request is not valid");
            otlp_metrics(&bytes);
        }
        Err(error) => assert!(error.line >= 1 && !error.to_string().is_empty()),
    }
}

/// OTLP traces: what parses can be walked to its end, copied, and written as JSON that means the same.
fn otlp_traces(data: &[u8]) {
    let Ok(request) = TracesRequest::parse(data) else { return };
    assert_eq!(TracesRequest::of_valid(data).span_count(), request.span_count());
    let mut writer = RecordsWriter::default();
    for resource in request.resources() {
        writer.resource(resource.resource.raw, resource.schema_url);
        for scope in resource.scopes() {
            writer.scope(scope.scope.raw, scope.schema_url);
            for span in scope.spans() {
                span.attributes().iter().for_each(|(_, value)| walk(&value));
                let events = span.events().flat_map(|event| event.attributes().iter());
                let links = span.links().flat_map(|link| link.attributes().iter());
                events.chain(links).for_each(|(_, value)| walk(&value));
                let _told = (span.id_fault().map(|fault| fault.to_string()), span.effective_time_ns(1));
                writer.record(span.raw);
            }
        }
    }
    let copied = writer.finish();
    assert_eq!(TracesRequest::parse(&copied).map(|copy| copy.span_count()), Ok(request.span_count()));
    let json = encode_traces(data);
    let read = decode_traces(json.as_bytes()).expect("what is written can be read");
    assert_eq!(encode_traces(&read), json);
}

/// OTLP traces in JSON: what decodes is a valid request, not much longer than its text.
fn otlp_traces_json(data: &[u8]) {
    match decode_traces(data) {
        Ok(bytes) => {
            assert!(bytes.len() <= TRACES_GROWTH * data.len(), "{} bytes out of {}", bytes.len(), data.len());
            assert!(TracesRequest::parse(&bytes).is_ok(), "the decoded request is not valid");
            otlp_traces(&bytes);
        }
        Err(error) => assert!(error.line >= 1 && !error.to_string().is_empty()),
    }
}

/// Zipkin's spans: what decodes is a valid request of spans with ids, whose memory was asked for.
fn zipkin_json(data: &[u8]) {
    zipkin_report(data, zipkin::decode_json);
}

/// Version 1: the same.
fn zipkin_v1_json(data: &[u8]) {
    zipkin_report(data, zipkin::decode_v1_json);
}

/// In protobuf: the same.
fn zipkin_protobuf(data: &[u8]) {
    zipkin_report(data, zipkin::decode_protobuf);
}

fn zipkin_report(data: &[u8], decode: fn(&[u8], usize, Room<'_>) -> Result<Report, ReportError>) {
    let mut granted = 0;
    let mut grow = |bytes| {
        granted += bytes;
        true
    };
    match decode(data, 10_000, Room::new(&mut grow)) {
        Ok(report) => {
            let request = TracesRequest::parse(&report.payload).expect("the decoded request is not valid");
            assert!(request.spans().all(|(_, _, span)| span.id_fault().is_none()));
            assert_eq!(report.rejected > 0, report.first_reason.is_some());
            assert!(report.payload.len() <= granted, "{} bytes, {granted} asked for", report.payload.len());
            otlp_traces(&report.payload);
        }
        Err(ReportError::NoRoom(_)) => panic!("there was room"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Remote write 1.0: what decodes is a valid payload with as many samples as it says.
fn remote_write_v1(data: &[u8]) {
    remote_write(data, decode_v1);
}

/// Remote write 2.0: the same.
fn remote_write_v2(data: &[u8]) {
    remote_write(data, decode_v2);
}

type DecodeWrite = fn(&[u8], &SeriesLimits, &mut Writer, Room<'_>) -> Result<Written, WriteError>;

fn remote_write(data: &[u8], decode: DecodeWrite) {
    let mut writer = Writer::new();
    match decode(data, &SeriesLimits::default(), &mut writer, Room::new(&mut |_| true)) {
        Ok(written) => {
            assert_eq!(written.rejected > 0, !written.reasons.is_empty());
            let payload = writer.finish();
            assert_eq!(check(&payload), Ok(written.samples + written.histograms));
            let request = encode_v2(&payload).expect("there are no increases and no deletes");
            let mut again = Writer::new();
            let mut grow = |_| true;
            let room = Room::new(&mut grow);
            let resent = decode_v2(&request, &SeriesLimits::default(), &mut again, room).expect("a request");
            assert_eq!(resent.samples + resent.histograms, written.samples + written.histograms);
            assert_eq!((resent.exemplars, resent.rejected), (written.exemplars, 0), "{:?}", resent.reasons);
        }
        Err(WriteError::NoRoom(_)) => panic!("there was room"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A samples payload: what can be read to its end is the same when it is written again.
fn samples(data: &[u8]) {
    if check(data).is_err() {
        return;
    }
    let mut writer = Writer::new();
    let mut cursor = Cursor::new(data).expect("it was checked");
    while let Some(entry) = cursor.next().expect("it was checked") {
        match entry {
            Entry::Series(series) => {
                let labels = series.labels.to_set();
                let (samples, histograms) = (series.samples, series.histograms);
                writer.series_of(&labels, series.is_delta, samples, histograms, series.exemplars);
            }
            Entry::Metadata(metadata) => writer.metadata(&metadata),
            Entry::Delete(delete) => writer.delete(&delete),
        }
    }
    assert_eq!(check(&writer.finish()), check(data));
}

fn walk(value: &Value<'_>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| walk(&value)),
        Value::Map(map) => map.iter().for_each(|(_, value)| walk(&value)),
        _ => {}
    }
    let _text = value.to_text();
}

/// The producer header: what parses is written as the same.
fn producer(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(producer) = Producer::parse(text) {
        assert_eq!(Producer::parse(&producer.to_header()).as_ref(), Ok(&producer));
    }
}

/// A query: tokens lie in the text, errors point into it, and a query's own text means the same query.
fn query(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let len = text.chars().count();
    let mut end = 0;
    for token in tokens(text) {
        assert!(token.start >= end && token.start < token.end && token.end <= len, "{token:?} in {text:?}");
        end = token.end;
    }
    match search::parse(text) {
        Err(error) => {
            assert!(error.span.start <= error.span.end && error.span.end <= len, "{error:?} in {text:?}");
        }
        Ok(query) => {
            // The canonical text may be longer than what was typed.
            let limits = search::Limits { query_bytes: 1 << 20, depth: 1_000, terms: 100_000 };
            let canonical = query.to_string();
            assert_eq!(parse_within(&canonical, &limits).as_ref(), Ok(&query), "{text:?} as {canonical:?}");
            let mut raw = Vec::new();
            write_record(&mut raw, &RecordFields { body: Value::Str(text), ..Default::default() });
            let record = LogRecord::of_valid(&raw);
            let (resource, scope) = Default::default();
            let _matches = query.filter.matches(&LogRow { resource, scope, record: &record, time_ns: 0 });
        }
    }
}

/// A PromQL query: errors and nodes lie in the text, and what is printed, in both forms, means the same.
fn promql(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match promql::parse(text) {
        Err(error) => assert!(text.get(error.span.clone()).is_some(), "{error:?} in {text:?}"),
        Ok(expr) => {
            let mut open = vec![&expr];
            while let Some(node) = open.pop() {
                assert!(text.get(node.span.clone()).is_some(), "{node:?} in {text:?}");
                open.extend(node.children());
            }
            let _json = promql::to_json(&expr);
            for printed in [expr.to_string(), promql::format(&expr)] {
                // The printed text may be longer than what was typed.
                if printed.len() <= promql::MAX_QUERY_BYTES {
                    assert_eq!(promql::parse(&printed).as_ref(), Ok(&expr), "{text:?} as {printed:?}");
                }
            }
        }
    }
}
