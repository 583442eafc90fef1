//! OTLP/HTTP clients that send numbered records or spans and never resend.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use telemetry::Value;
use telemetry::otlp::{
    RecordFields, RecordsWriter, SpanFields, SpanKind, write_record, write_resource, write_span,
};

/// Records or spans per request; the spans of one are a trace.
pub(crate) const ITEMS: i64 = 10;

/// What a client sends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Records,
    Spans,
}

/// A record's or span's number: client and count in one.
pub(crate) type Number = i64;

/// What became of the requests' records.
#[derive(Default)]
pub(crate) struct Requests {
    pub(crate) acknowledged: HashSet<Number>,
    pub(crate) unanswered: HashSet<Number>,
}

impl Requests {
    pub(crate) fn merge(&mut self, other: Self) {
        self.acknowledged.extend(other.acknowledged);
        self.unanswered.extend(other.unanswered);
    }
}

/// Posts until told to stop. A request that was refused by status is known not to be stored.
pub(crate) async fn post_requests(what: What, client: i64, url: String, stop: Arc<AtomicBool>) -> Requests {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().expect("no TLS is set up");
    let mut requests = Requests::default();
    let mut next = client * 1_000_000_000;
    while !stop.load(Ordering::Relaxed) {
        let numbers = next..next + ITEMS;
        next += ITEMS;
        let post = http.post(&url).header("content-type", "application/x-protobuf");
        match post.body(request(what, client, numbers.clone())).send().await {
            Ok(answer) if answer.status().is_success() => requests.acknowledged.extend(numbers),
            Ok(_refused) => {}
            // Nobody listened: nothing was sent.
            Err(error) if error.is_connect() => {}
            Err(_no_answer) => requests.unanswered.extend(numbers),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    requests
}

/// The service of a client's records or spans.
pub(crate) fn service(client: i64) -> String {
    format!("chaos-client-{client}")
}

/// The trace of the request that a span came with.
pub(crate) fn trace_id(number: Number) -> [u8; 16] {
    let mut id = [0xc4; 16];
    id[8..].copy_from_slice(&(number / ITEMS).to_be_bytes());
    id
}

fn request(what: What, client: i64, numbers: std::ops::Range<Number>) -> Vec<u8> {
    let time_ns = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos() as u64);
    let (mut resource, mut record) = (Vec::new(), Vec::new());
    write_resource(&mut resource, &[("service.name", Value::Str(&service(client)))]);
    let mut writer = RecordsWriter::default();
    writer.resource(&resource, "");
    writer.scope(&[], "");
    for number in numbers {
        record.clear();
        let attributes = [("chaos.number", Value::Int(number))];
        match what {
            What::Records => {
                let body = Value::Str("a numbered record");
                let fields =
                    RecordFields { time_ns, body, attributes: &attributes, ..RecordFields::default() };
                write_record(&mut record, &fields);
            }
            What::Spans => {
                let fields = SpanFields {
                    trace_id: &trace_id(number),
                    span_id: &(number + 1).to_be_bytes(),
                    name: "a numbered span",
                    kind: SpanKind::Server,
                    start_ns: time_ns,
                    end_ns: time_ns + 1_000_000,
                    attributes: &attributes,
                    ..SpanFields::default()
                };
                write_span(&mut record, &fields);
            }
        }
        writer.record(&record);
    }
    writer.finish()
}
