//! OTLP/HTTP clients that send numbered records and never resend.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use telemetry::Value;
use telemetry::otlp::{RecordFields, RecordsWriter, write_record, write_resource};

/// Records per request.
const ITEMS: i64 = 10;

/// A record's number: client and count in one.
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
pub(crate) async fn post_requests(client: i64, url: String, stop: Arc<AtomicBool>) -> Requests {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().expect("no TLS is set up");
    let mut requests = Requests::default();
    let mut next = client * 1_000_000_000;
    while !stop.load(Ordering::Relaxed) {
        let numbers = next..next + ITEMS;
        next += ITEMS;
        let post = http.post(&url).header("content-type", "application/x-protobuf");
        match post.body(request(client, numbers.clone())).send().await {
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

fn request(client: i64, numbers: std::ops::Range<Number>) -> Vec<u8> {
    let time_ns = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos() as u64);
    let (mut resource, mut record) = (Vec::new(), Vec::new());
    let name = format!("chaos-client-{client}");
    write_resource(&mut resource, &[("service.name", Value::Str(&name))]);
    let mut writer = RecordsWriter::default();
    writer.resource(&resource, "");
    writer.scope(&[], "");
    for number in numbers {
        record.clear();
        let attributes = [("chaos.number", Value::Int(number))];
        let fields = RecordFields {
            time_ns,
            body: Value::Str("a numbered record"),
            attributes: &attributes,
            ..RecordFields::default()
        };
        write_record(&mut record, &fields);
        writer.record(&record);
    }
    writer.finish()
}
