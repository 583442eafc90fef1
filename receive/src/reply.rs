//! The bodies of answers, in protobuf and JSON: `Export…ServiceResponse`, and
//! `google.rpc.Status` with a `RetryInfo`. Small enough to be written by hand.

use std::time::Duration;

use serde_json::json;

use crate::intake::Taken;
use crate::problem::Problem;

/// The type of the one detail that a status carries.
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// What a signal's items are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Items {
    LogRecords,
    DataPoints,
    Spans,
}

impl Items {
    fn words(self) -> &'static str {
        match self {
            Self::LogRecords => "records",
            Self::DataPoints => "data points",
            Self::Spans => "spans",
        }
    }

    fn json_name(self) -> &'static str {
        match self {
            Self::LogRecords => "rejectedLogRecords",
            Self::DataPoints => "rejectedDataPoints",
            Self::Spans => "rejectedSpans",
        }
    }
}

/// The message of a partial success; `None` when all was taken. With nothing rejected it is a warning.
fn partial_message(taken: &Taken, items: Items) -> Option<String> {
    if taken.rejected == 0 {
        return taken.first_reason.clone();
    }
    let total = taken.accepted + taken.rejected;
    let first = taken.first_reason.as_deref().unwrap_or("no reason was given");
    Some(format!("{} of {total} {} were rejected; the first: {first}", taken.rejected, items.words()))
}

/// `Export…ServiceResponse { partial_success = 1 { rejected_… = 1, error_message = 2 } }`, the same for every signal.
pub(crate) fn response_protobuf(taken: &Taken, items: Items) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(message) = partial_message(taken, items) {
        let mut partial = Vec::new();
        put_uint(&mut partial, 1, taken.rejected);
        put_bytes(&mut partial, 2, message.as_bytes());
        put_bytes(&mut out, 1, &partial);
    }
    out
}

/// The same in OTLP/JSON.
pub(crate) fn response_json(taken: &Taken, items: Items) -> Vec<u8> {
    let body = match partial_message(taken, items) {
        Some(message) => {
            json!({"partialSuccess": {items.json_name(): taken.rejected.to_string(), "errorMessage": message}})
        }
        None => json!({}),
    };
    body.to_string().into_bytes()
}

/// `google.rpc.Status { code = 1, message = 2, details = 3 }`.
pub(crate) fn status_protobuf(problem: &Problem) -> Vec<u8> {
    let verdict = problem.verdict();
    let mut out = Vec::new();
    put_uint(&mut out, 1, verdict.grpc as u64);
    put_bytes(&mut out, 2, problem.to_string().as_bytes());
    if let Some(after) = verdict.retry_after {
        let mut any = Vec::new();
        put_bytes(&mut any, 1, RETRY_INFO.as_bytes());
        put_bytes(&mut any, 2, &retry_info(after));
        put_bytes(&mut out, 3, &any);
    }
    out
}

/// The same in protobuf's JSON mapping.
pub(crate) fn status_json(problem: &Problem) -> Vec<u8> {
    let verdict = problem.verdict();
    let mut body = json!({"code": verdict.grpc as i32, "message": problem.to_string()});
    if let Some(after) = verdict.retry_after {
        let delay = format!("{}.{:03}s", after.as_secs(), after.subsec_millis());
        body["details"] = json!([{"@type": RETRY_INFO, "retryDelay": delay}]);
    }
    body.to_string().into_bytes()
}

/// `google.rpc.RetryInfo { retry_delay = 1 { seconds = 1, nanos = 2 } }`.
fn retry_info(after: Duration) -> Vec<u8> {
    let (mut delay, mut info) = (Vec::new(), Vec::new());
    put_uint(&mut delay, 1, after.as_secs());
    put_uint(&mut delay, 2, u64::from(after.subsec_nanos()));
    put_bytes(&mut info, 1, &delay);
    info
}

fn put_uint(out: &mut Vec<u8>, number: u8, value: u64) {
    if value != 0 {
        out.push(number << 3);
        put_varint(out, value);
    }
}

fn put_bytes(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    out.push(number << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
    use prost::Message;

    use super::*;
    use crate::sink::SinkError;

    #[test]
    fn a_full_success_is_an_empty_message() {
        let taken = Taken { accepted: 3, ..Taken::default() };
        for items in [Items::LogRecords, Items::DataPoints, Items::Spans] {
            assert_eq!(response_protobuf(&taken, items), b"");
            assert_eq!(response_json(&taken, items), b"{}");
        }
    }

    #[test]
    fn a_partial_success_reads_the_same_in_the_generated_types() {
        let first_reason = Some("record 7 is too old".to_owned());
        let taken = Taken { accepted: 2, rejected: 300, first_reason, ..Taken::default() };
        let bytes = response_protobuf(&taken, Items::LogRecords);
        let decoded = ExportLogsServiceResponse::decode(bytes.as_slice()).unwrap();
        let partial = decoded.partial_success.unwrap();
        assert_eq!(partial.rejected_log_records, 300);
        assert_eq!(partial.error_message, "300 of 302 records were rejected; the first: record 7 is too old");
        let json: serde_json::Value =
            serde_json::from_slice(&response_json(&taken, Items::LogRecords)).unwrap();
        assert_eq!(json["partialSuccess"]["rejectedLogRecords"], "300");
        let json: serde_json::Value =
            serde_json::from_slice(&response_json(&taken, Items::DataPoints)).unwrap();
        assert_eq!(json["partialSuccess"]["rejectedDataPoints"], "300");
        let bytes = response_protobuf(&taken, Items::Spans);
        let partial = ExportTraceServiceResponse::decode(bytes.as_slice()).unwrap().partial_success.unwrap();
        assert_eq!(partial.rejected_spans, 300);
        assert_eq!(partial.error_message, "300 of 302 spans were rejected; the first: record 7 is too old");
        let json: serde_json::Value = serde_json::from_slice(&response_json(&taken, Items::Spans)).unwrap();
        assert_eq!(json["partialSuccess"]["rejectedSpans"], "300");
        let warning =
            Taken { accepted: 2, first_reason: Some("no target_info".to_owned()), ..Taken::default() };
        let bytes = response_protobuf(&warning, Items::DataPoints);
        let partial =
            ExportMetricsServiceResponse::decode(bytes.as_slice()).unwrap().partial_success.unwrap();
        assert_eq!((partial.rejected_data_points, partial.error_message.as_str()), (0, "no target_info"));
    }

    #[test]
    fn a_status_carries_when_to_retry() {
        let retry_after = Duration::from_millis(2500);
        let problem = Problem::Sink(SinkError::Throttled { reason: "over 1 MB/s".to_owned(), retry_after });
        let delay = [1 << 3 | 2, 8, 1 << 3, 2, 2 << 3, 0x80, 0xca, 0xb5, 0xee, 0x01];
        let bytes = status_protobuf(&problem);
        assert!(bytes.ends_with(&delay), "{bytes:?}");
        assert!(bytes.windows(RETRY_INFO.len()).any(|window| window == RETRY_INFO.as_bytes()));
        let json: serde_json::Value = serde_json::from_slice(&status_json(&problem)).unwrap();
        assert_eq!((&json["code"], &json["details"][0]["retryDelay"]), (&json!(14), &json!("2.500s")));
    }
}
