//! Files of spans as their users see them, against the spans themselves.

mod fixture;
mod messages;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use proptest::collection::vec;
use proptest::prelude::*;
use telemetry::Value;
use telemetry::otlp::{Span, SpanFields, SpanKind, StatusCode, write_attribute, write_resource, write_span};

use super::*;
use messages::{PATHS, TRACES, canonical, span};

/// Runs `work` with a store; gives the file that it wrote, if any.
fn file_of<T>(work: impl FnOnce(Upload) -> T) -> (T, Option<Bytes>) {
    let store = Arc::new(InMemory::new());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _entered = runtime.enter();
    let done = work(Upload::new(store.clone(), "spans/a".to_owned()));
    let bytes = runtime.block_on(async { store.get(&Path::from("spans/a")).await?.bytes().await });
    (done, bytes.ok())
}

fn options(block_rows: usize, level: i32) -> WriteOptions {
    WriteOptions { tenant: "acme".to_owned(), partition: 3, level, block_rows }
}

/// Writes spans to a file and gives its bytes.
fn sealed(spans: &[Source], options: &WriteOptions) -> Bytes {
    let (listed, bytes) = file_of(|upload| {
        let spans: Vec<SpanSource<'_>> = spans.iter().map(Source::borrow).collect();
        let written = write(&*spans, options, upload).unwrap();
        assert!(written.left.is_empty());
        written.listed
    });
    let bytes = bytes.unwrap();
    assert_eq!((listed.rows, listed.size_bytes), (spans.len() as u64, bytes.len() as u64));
    assert_eq!((listed.format, &*listed.tenant), (SPANS, "acme"));
    let (times, seqs) = (spans.iter().map(|span| span.time_ns), spans.iter().map(|span| span.seq));
    assert_eq!((Some(listed.min_time_ns), Some(listed.max_time_ns)), (times.clone().min(), times.max()));
    assert_eq!((Some(listed.min_seq), Some(listed.max_seq)), (seqs.clone().min(), seqs.max()));
    bytes
}

/// A span to be written.
#[derive(Clone, Debug)]
struct Source {
    service: u8,
    span: Vec<u8>,
    seq: u64,
    time_ns: i64,
}

const RESOURCES: [&[u8]; 3] = [b"\x0a\x19\x0a\x0cservice.name\x12\x09\x0a\x07service", b"", b"\x10\x05"];

impl Source {
    fn borrow(&self) -> SpanSource<'_> {
        SpanSource {
            resource: RESOURCES[usize::from(self.service)],
            resource_schema_url: if self.service == 1 { "https://schema.example/1" } else { "" },
            scope: if self.service == 2 { b"\x0a\x01x" } else { b"" },
            scope_schema_url: "",
            span: &self.span,
            seq: self.seq,
            time_ns: self.time_ns,
        }
    }

    fn read(&self) -> Span<'_> {
        Span::of_valid(&self.span)
    }
}

/// Spans with different seqs.
fn sources() -> impl Strategy<Value = Vec<Source>> {
    let source = (0..3u8, span(), 0..4u64);
    vec(source, 1..60).prop_map(|sources| {
        let numbered = sources.into_iter().enumerate().map(|(n, (service, span, offset))| {
            let time_ns = Span::of_valid(&span).effective_time_ns(77);
            Source { service, span, seq: offset << 20 | n as u64, time_ns }
        });
        numbered.collect()
    })
}

fn text(value: Option<Value<'_>>) -> String {
    format!("{:?}", value.map(|value| (value.to_json(), matches!(value, Value::Int(_)))))
}

/// Everything that a file says is what its spans say.
fn agrees(reader: &SpanReader, sources: &[Source], block_rows: usize) {
    assert_eq!(reader.rows(), sources.len() as u64);
    let by_seq: BTreeMap<u64, &Source> = sources.iter().map(|source| (source.seq, source)).collect();
    let tables = reader.tables().unwrap();
    let statistics = reader.statistics().unwrap();
    let mut seen = 0;
    for place in 0..reader.blocks().len() {
        let block = reader.block(place);
        assert!(block.rows() <= block_rows && block.rows() > 0);
        let whole = block.whole().unwrap();
        let rows: Vec<&Source> = (0..block.rows()).map(|row| by_seq[&whole.seq(row)]).collect();
        seen += rows.len();
        for (row, source) in rows.iter().enumerate() {
            let mut out = Vec::new();
            whole.write_span(row, &mut out);
            assert_eq!(canonical(&out), canonical(&source.span));
            let borrowed = source.borrow();
            let stream = &tables.streams[whole.stream(row) as usize];
            assert_eq!((&*stream.resource, &*stream.scope), (borrowed.resource, borrowed.scope));
            assert_eq!(stream.resource_schema_url, borrowed.resource_schema_url);
            assert_eq!(whole.time_ns(row), source.time_ns);
        }
        columns_agree(&block, &rows);
        statistics_agree(reader, &statistics, place, &rows);
    }
    assert_eq!(seen, sources.len());
    for id in TRACES.iter().chain(&[[9; 16]]) {
        trace_agrees(reader, id, sources);
    }
}

fn columns_agree(block: &Block, rows: &[&Source]) {
    let (starts, ends, durations) =
        (block.starts().unwrap(), block.ends().unwrap(), block.durations().unwrap());
    let (times, seqs, ids) = (block.times().unwrap(), block.seqs().unwrap(), block.span_ids().unwrap());
    let (names, kinds, statuses) =
        (block.names().unwrap(), block.kinds().unwrap(), block.statuses().unwrap());
    let (parents, messages, events) =
        (block.parents().unwrap(), block.status_messages().unwrap(), block.event_names().unwrap());
    let traces = block.traces().unwrap();
    for (row, source) in rows.iter().enumerate() {
        let span = source.read();
        assert_eq!(
            (starts[row], ends[row], durations[row]),
            (span.start_ns, span.end_ns, span.duration_ns())
        );
        assert_eq!((times[row], seqs[row]), (source.time_ns, source.seq));
        assert_eq!((ids[row], parents.get(row)), (span.span_id().unwrap_or_default(), span.parent_id()));
        assert_eq!((names.get(row), messages.get(row)), (span.name, span.status_message));
        assert_eq!((*kinds.get(row), *statuses.get(row)), (span.kind, span.status));
        assert_eq!(*traces.id(traces.of_row(row)), span.trace_id().unwrap_or_default());
        assert!(events.of(row).eq(span.events().map(|event| event.name)));
    }
    let all = || (0..rows.len() as u32).collect::<Vec<_>>();
    let wanted = |of: &dyn Fn(&Source) -> bool| -> Vec<u32> {
        all().into_iter().filter(|row| of(rows[*row as usize])).collect()
    };
    assert_eq!(names.select(all(), |name| name == "GET"), wanted(&|source| source.read().name == "GET"));
    let has_event = |source: &Source| source.read().events().any(|event| event.name == "GET");
    assert_eq!(events.select(all(), |name| name == "GET"), wanted(&has_event));
    let keys: BTreeMap<String, u32> = block.attribute_keys().unwrap().into_iter().collect();
    for path in PATHS {
        let attribute = block.attribute(path).unwrap();
        for (row, source) in rows.iter().enumerate() {
            let expected = search::lookup(&source.read().attributes(), path);
            assert_eq!(text(attribute.get(row)), text(expected), "{path}");
        }
        let is_number = |value: &Value<'_>| matches!(value, Value::Int(_) | Value::Double(_));
        let found = attribute.select(all(), is_number, |row| row.is_multiple_of(2));
        let expected = all().into_iter().filter(|row| {
            let value = search::lookup(&rows[*row as usize].read().attributes(), path);
            value.map_or(row.is_multiple_of(2), |value| is_number(&value))
        });
        assert_eq!(found, expected.collect::<Vec<_>>(), "{path}");
        assert!(keys.get(path).is_none_or(|count| *count > 0));
    }
}

fn statistics_agree(reader: &SpanReader, statistics: &Statistics, place: usize, rows: &[&Source]) {
    let meta = &reader.blocks()[place];
    let errors =
        |rows: &[&Source]| rows.iter().filter(|row| row.read().status == StatusCode::Error).count() as u32;
    let longest = |rows: &[&Source]| rows.iter().map(|row| row.read().duration_ns()).max().unwrap();
    assert_eq!((meta.rows as usize, meta.errors), (rows.len(), errors(rows)));
    assert_eq!(meta.max_duration_ns, longest(rows));
    assert_eq!(Some(meta.min_time_ns), rows.iter().map(|row| row.time_ns).min());
    assert_eq!(Some(meta.max_time_ns), rows.iter().map(|row| row.time_ns).max());
    let tables = reader.tables().unwrap();
    let mut spans = 0;
    for operation in statistics.of(place) {
        let own: Vec<&Source> = rows
            .iter()
            .filter(|row| {
                let service = if row.service == 0 { "service" } else { "" };
                tables.services[operation.service as usize] == service
                    && tables.names[operation.name.unwrap() as usize] == row.read().name
                    && operation.kind == row.read().kind
            })
            .copied()
            .collect();
        assert_eq!((operation.spans, operation.errors), (own.len() as u32, errors(&own)));
        let exactly = longest(&own);
        assert!(exactly <= operation.max_duration_ns && operation.max_duration_ns - exactly <= exactly / 32);
        spans += operation.spans;
    }
    assert_eq!(spans, meta.rows);
}

fn trace_agrees(reader: &SpanReader, id: &TraceId, sources: &[Source]) {
    let mut found = Vec::new();
    for TraceRows { block, rows } in reader.trace(id).unwrap() {
        let whole = reader.block(block).whole().unwrap();
        found.extend(rows.map(|row| (whole.time_ns(row), whole.seq(row))));
    }
    let own = sources.iter().filter(|source| source.read().trace_id().unwrap_or_default() == *id);
    let mut expected: Vec<(i64, u64)> = own.map(|source| (source.time_ns, source.seq)).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

/// Reads everything; whether nothing was wrong.
fn reads(bytes: &Bytes) -> Result<(), ReadError> {
    let reader = SpanReader::of_bytes(bytes.clone())?;
    reader.statistics()?;
    TRACES.iter().try_for_each(|id| reader.trace(id).map(drop))?;
    for block in 0..reader.blocks().len() {
        let block = reader.block(block);
        block.event_names()?;
        block.status_messages()?;
        block.durations()?;
        PATHS.iter().try_for_each(|path| block.attribute(path).map(drop))?;
        let whole = block.whole()?;
        (0..whole.rows()).for_each(|row| whole.write_span(row, &mut Vec::new()));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn files_say_what_their_spans_say(sources in sources(), block_rows in 1..50usize, level in 1..4) {
        let bytes = sealed(&sources, &options(block_rows, level));
        prop_assert_eq!(crate::check_split(&bytes), Ok(sources.len() as u64));
        agrees(&SpanReader::of_bytes(bytes).unwrap(), &sources, block_rows);
    }

    #[test]
    fn merged_files_say_what_all_their_spans_say(parts in vec(sources(), 1..4), block_rows in 1..50usize) {
        let parts: Vec<Vec<Source>> = parts.into_iter().enumerate().map(|(part, mut sources)| {
            sources.iter_mut().for_each(|source| source.seq += (part as u64) << 30);
            sources
        }).collect();
        let readers: Vec<SpanReader> =
            parts.iter().map(|sources| SpanReader::of_bytes(sealed(sources, &options(7, 1))).unwrap()).collect();
        let (merged, bytes) = file_of(|upload| merge(&readers, &options(block_rows, 3), upload).unwrap().unwrap());
        let bytes = bytes.unwrap();
        prop_assert_eq!(merged.inputs, parts.len());
        let all: Vec<Source> = parts.concat();
        prop_assert_eq!((merged.listed.rows, merged.listed.format), (all.len() as u64, SPANS));
        agrees(&SpanReader::of_bytes(bytes.clone()).unwrap(), &all, block_rows);
        // The tables are numbered as their rows come: that of all at once has the same spans in the same order.
        let at_once = sealed(&all, &options(block_rows, 3));
        prop_assert_eq!(rows_in_order(&bytes), rows_in_order(&at_once));
    }

    #[test]
    fn changed_bytes_are_noticed_and_never_panic(sources in sources(), at: u32, byte: u8) {
        let bytes = sealed(&sources, &options(20, 1));
        let mut changed = bytes.to_vec();
        let at = 8 + at as usize % (changed.len() - 8);
        changed[at] ^= byte;
        prop_assert_eq!(reads(&Bytes::from(changed)).is_ok(), byte == 0);
    }
}

fn rows_in_order(bytes: &Bytes) -> Vec<u64> {
    let reader = SpanReader::of_bytes(bytes.clone()).unwrap();
    let blocks = 0..reader.blocks().len();
    blocks.flat_map(|block| reader.block(block).seqs().unwrap().to_vec()).collect()
}

#[test]
fn cut_files_are_damaged() {
    let sources = [plain(0, 1), plain(1, 1)];
    let bytes = sealed(&sources, &options(20, 1));
    for len in 0..bytes.len() {
        assert!(matches!(reads(&bytes.slice(..len)), Err(ReadError::Damaged(_))), "{len}");
    }
}

/// The `n`th span of a trace.
fn plain(n: u64, trace: u8) -> Source {
    let (mut span, start) = (Vec::new(), 1_700_000_000_000_000_000 + n * 1_000_000);
    let parent = n.checked_sub(1 + n / 3).map(u64::to_be_bytes);
    let url = format!("http://cart:8080/users/u{n}/items/{}", n * 7);
    write_span(
        &mut span,
        &SpanFields {
            trace_id: &[trace; 16],
            span_id: &(n + 1).to_be_bytes(),
            parent_id: parent.as_ref().map_or(&[], |parent| parent),
            name: ["GET /users", "query", "publish"][n as usize % 3],
            kind: [SpanKind::Server, SpanKind::Client, SpanKind::Producer][n as usize % 3],
            start_ns: start,
            end_ns: start + n % 97 * 1000,
            attributes: &[
                ("http.url", Value::Str(&url)),
                ("http.method", Value::Str("GET")),
                ("http.status_code", Value::Int(200)),
                ("size", Value::Double(n as f64 / 4.0)),
            ],
            status: if n.is_multiple_of(50) { StatusCode::Error } else { StatusCode::Unset },
            ..SpanFields::default()
        },
    );
    Source { service: trace % 3, span, seq: n, time_ns: start as i64 }
}

#[test]
fn a_trace_larger_than_a_block_goes_on_in_the_next_ones() {
    let mut sources: Vec<Source> = (0..900).map(|n| plain(n, 7)).collect();
    sources.extend((0..3).map(|n| Source { seq: 10_000 + n, ..plain(n, 1) }));
    let reader = SpanReader::of_bytes(sealed(&sources, &options(300, 3))).unwrap();
    let rows: Vec<u32> = reader.blocks().iter().map(|block| block.rows).collect();
    assert_eq!(rows.iter().sum::<u32>(), 903);
    agrees(&reader, &sources, 300);
    let places = reader.trace(&[7; 16]).unwrap();
    assert!(places.len() >= 3 && places.is_sorted_by_key(|place| place.block));
}

#[test]
fn blocks_do_not_cut_traces() {
    let sources: Vec<Source> =
        (0..900u64).map(|n| Source { seq: n, ..plain(n % 9 + n / 9, (n / 9) as u8) }).collect();
    let reader = SpanReader::of_bytes(sealed(&sources, &options(100, 1))).unwrap();
    assert!((0..100u8).all(|trace| reader.trace(&[trace; 16]).unwrap().len() == 1));
    assert_eq!(reader.blocks().iter().map(|block| block.rows).max(), Some(99));
}

#[test]
fn what_has_no_room_in_the_tables_is_kept_as_it_is() {
    // More keys than slots, more orders of them than shapes, more names than numbers.
    let sources: Vec<Source> = (0..2_000u64)
        .map(|n| {
            let mut source = plain(n, (n / 30) as u8);
            let keys = [n % 11, n % 7, n % 13].map(|n| format!("k{n}"));
            keys.iter().for_each(|key| write_attribute(&mut source.span, 9, key, &Value::Int(1)));
            if n.is_multiple_of(4) {
                write_attribute(&mut source.span, 9, &format!("own{n}"), &Value::Str("x"));
            }
            source.span.extend(messages::bytes_field(5, format!("name {n}").as_bytes()));
            source
        })
        .collect();
    let reader = SpanReader::of_bytes(sealed(&sources, &options(512, 1))).unwrap();
    let by_seq: BTreeMap<u64, &Source> = sources.iter().map(|source| (source.seq, source)).collect();
    for block in 0..reader.blocks().len() {
        let block = reader.block(block);
        let (whole, names) = (block.whole().unwrap(), block.names().unwrap());
        let (own, usual) = (block.attribute("own1600").unwrap(), block.attribute("k7").unwrap());
        for row in 0..whole.rows() {
            let source = by_seq[&whole.seq(row)];
            let mut out = Vec::new();
            whole.write_span(row, &mut out);
            assert_eq!(canonical(&out), canonical(&source.span));
            assert_eq!(names.get(row), source.read().name);
            let attributes = source.read().attributes();
            assert_eq!(text(own.get(row)), text(attributes.get("own1600")));
            assert_eq!(text(usual.get(row)), text(attributes.get("k7")));
        }
    }
    let operations = reader.statistics().unwrap();
    let last = operations.of(reader.blocks().len() - 1);
    assert!(last.iter().any(|operation| operation.name.is_none()));
}

#[test]
fn parents_in_the_block_are_rows() {
    let sources: Vec<Source> = (0..100).map(|n| plain(n, 1)).collect();
    let reader = SpanReader::of_bytes(sealed(&sources, &options(100, 1))).unwrap();
    let (parents, ids) = (reader.block(0).parents().unwrap(), reader.block(0).span_ids().unwrap());
    for row in 0..100 {
        let parent = parents.get(row);
        assert_eq!(parents.row(row).map(|row| ids[row]), parent.filter(|parent| ids.contains(parent)));
    }
    assert_eq!(parents.get(0), None);
}

#[test]
fn streams_without_room_go_into_another_file_and_stay_there() {
    let resources = [0i64, 1, 2].map(|number| {
        let (mut resource, pad) = (Vec::new(), "x".repeat(12 << 20));
        write_resource(&mut resource, &[("n", Value::Int(number)), ("pad", Value::Str(&pad))]);
        resource
    });
    let sources: Vec<Source> = (0..3).map(|n| plain(n, n as u8)).collect();
    let spans = sources.iter().zip(&resources);
    let mut left: Vec<_> =
        spans.map(|(source, resource)| SpanSource { resource, ..source.borrow() }).collect();
    let mut files = Vec::new();
    while !left.is_empty() {
        let (written, bytes) = file_of(|upload| write(&*left, &options(10, 1), upload).unwrap());
        files.push((written.listed.rows, SpanReader::of_bytes(bytes.unwrap()).unwrap()));
        left = written.left.into_iter().map(|at| left[at as usize]).collect();
    }
    assert_eq!(files.iter().map(|(rows, _)| *rows).collect::<Vec<_>>(), [2, 1]);
    let readers: Vec<SpanReader> = files.into_iter().map(|(_, reader)| reader).collect();
    let (merged, written) = file_of(|upload| merge(&readers, &options(10, 1), upload).unwrap());
    assert!(merged.is_none() && written.is_none());
}

#[test]
fn a_merge_says_which_input_is_damaged() {
    let parts = [1, 2].map(|trace| sealed(&[plain(0, trace), plain(1, trace)], &options(10, 1)));
    let mut second = parts[1].to_vec();
    second[9] ^= 1;
    let readers = [parts[0].clone(), Bytes::from(second)].map(|bytes| SpanReader::of_bytes(bytes).unwrap());
    let (merged, written) = file_of(|upload| merge(&readers, &options(10, 1), upload));
    assert!(matches!(merged, Err(MergeFailure::Read { input: 1, error: ReadError::Damaged(_) })));
    assert!(written.is_none());
}
