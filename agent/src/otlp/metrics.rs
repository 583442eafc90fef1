//! Metrics of programs on this host, cut so that each piece fits into a queue record, and so that what the collector
//! makes of it fits into one of its records: a numbered batch is stored as a whole or not at all.

use bytes::Bytes;
use receive::SinkError;
use telemetry::otlp::{Mapping, MetricsPiece, MetricsRequest, PieceLimits, cut_metrics, to_samples};
use telemetry::samples::{Cursor, Entry, SamplesError, Writer};
use telemetry::{Outcome, Room, Signal};

use crate::queue::{MAX_PARCEL_BYTES, Parcel, now_ns};

/// Series are cut off behind so many bytes.
const FULL_BYTES: usize = MAX_PARCEL_BYTES / 2;
/// OTLP metrics are smaller than the samples that they become.
const PIECES: PieceLimits = PieceLimits {
    full_bytes: 128 << 10,
    max_bytes: MAX_PARCEL_BYTES,
    max_head_bytes: 32 << 10,
    max_points: u32::MAX,
};
/// The samples of a piece by the mapping that collectors have when nothing else is configured. Theirs may promote more
/// attributes: their records hold half as much again.
const MAX_SAMPLES_BYTES: usize = 512 << 10;
/// What all pieces of a request may take together, besides twice its own size: each repeats what the points share.
const SPARE_BYTES: usize = 8 << 20;

/// A batch, ready for the queue.
#[derive(Debug, Default)]
pub(super) struct Cut {
    pub(super) parcels: Vec<Parcel>,
    /// The points that no parcel can hold.
    pub(super) outcome: Outcome,
}

/// The records that a batch becomes.
pub(super) fn cut(signal: Signal, payload: Bytes) -> Result<Cut, SinkError> {
    if signal == Signal::Metrics {
        return cut_points(payload);
    }
    let refused = |error: SamplesError| SinkError::Refused { reason: error.to_string() };
    let parcels = if payload.len() <= MAX_PARCEL_BYTES {
        let items = telemetry::samples::check(&payload).map_err(refused)? as u32;
        vec![Parcel { signal, payload, items, ..Parcel::default() }]
    } else {
        cut_samples(&payload).map_err(refused)?
    };
    Ok(Cut { parcels, ..Cut::default() })
}

fn cut_points(payload: Bytes) -> Result<Cut, SinkError> {
    let request = MetricsRequest::of_valid(&payload);
    let mut cut = Cut::default();
    if payload.len() <= PIECES.full_bytes && fits(&request, &Mapping::default()) {
        let items = request.point_count() as u32;
        if items > 0 {
            let parcel = Parcel { signal: Signal::Metrics, payload, items, ..Parcel::default() };
            cut.parcels.push(parcel);
        }
        return Ok(cut);
    }
    let mut cutter = PointCutter {
        mapping: Mapping::default(),
        left_bytes: 2 * payload.len() + SPARE_BYTES,
        request_bytes: payload.len(),
        cut,
    };
    cut_metrics(&request, &PIECES, |piece| cutter.take(piece, 0))?;
    Ok(cutter.cut)
}

struct PointCutter {
    mapping: Mapping,
    /// What other pieces may take.
    left_bytes: usize,
    request_bytes: usize,
    cut: Cut,
}

impl PointCutter {
    /// Takes a piece whose points are counted from `base`; halves it while its samples are too many.
    fn take(&mut self, piece: MetricsPiece, base: u32) -> Result<(), SinkError> {
        let (payload, first, points) = match piece {
            MetricsPiece::Request { payload, first, points } => (payload, base + first, points),
            MetricsPiece::TooLarge { index, what, size_bytes, limit_bytes } => {
                let reason = format!(
                    "the point is too large: {what} has {size_bytes} bytes, the limit is {limit_bytes}"
                );
                self.cut.outcome.reject(base + index, reason);
                return Ok(());
            }
        };
        let request = MetricsRequest::of_valid(&payload);
        if fits(&request, &self.mapping) {
            return self.keep(payload, points);
        }
        if points <= 1 {
            let reason = format!("the samples of the point are larger than {MAX_SAMPLES_BYTES} bytes");
            self.cut.outcome.reject(first, reason);
            return Ok(());
        }
        let halves = PieceLimits { full_bytes: usize::MAX, max_points: points.div_ceil(2), ..PIECES };
        cut_metrics(&request, &halves, |half| self.take(half, first))
    }

    fn keep(&mut self, payload: Vec<u8>, items: u32) -> Result<(), SinkError> {
        let left = self.left_bytes.checked_sub(payload.len());
        self.left_bytes = left.ok_or_else(|| SinkError::Refused {
            reason: format!(
                "the request has {} bytes, and many times that in pieces that a queue record holds: its resources, \
                 scopes and metrics say too much for points that are so small; send smaller batches",
                self.request_bytes
            ),
        })?;
        let parcel = Parcel { signal: Signal::Metrics, payload: payload.into(), items, ..Parcel::default() };
        self.cut.parcels.push(parcel);
        Ok(())
    }
}

/// Whether the samples of a request fit into a record of the collector.
fn fits(request: &MetricsRequest<'_>, mapping: &Mapping) -> bool {
    let (mut writer, mut left) = (Writer::new(), MAX_SAMPLES_BYTES);
    let mut grow = |bytes: usize| left.checked_sub(bytes).map(|rest| left = rest).is_some();
    let made = to_samples(request, mapping, now_ns(), &mut writer, Room::new(&mut grow));
    made.is_ok() && writer.size_bytes() <= MAX_SAMPLES_BYTES
}

fn cut_samples(payload: &[u8]) -> Result<Vec<Parcel>, SamplesError> {
    let (mut parcels, mut writer) = (Vec::new(), Writer::new());
    let mut cursor = Cursor::new(payload)?;
    loop {
        let entry = cursor.next()?;
        let is_last = entry.is_none();
        match entry {
            Some(Entry::Series(series)) => writer.series_of(
                &series.labels.to_set(),
                series.is_delta,
                series.samples,
                series.histograms,
                series.exemplars,
            ),
            Some(Entry::Metadata(metadata)) => writer.metadata(&metadata),
            Some(Entry::Delete(delete)) => writer.delete(&delete),
            None => {}
        }
        if writer.size_bytes() >= FULL_BYTES || (is_last && !writer.is_empty()) {
            let full = std::mem::take(&mut writer);
            let items = full.sample_count() as u32;
            parcels.push(Parcel {
                signal: Signal::Samples,
                payload: full.finish().into(),
                items,
                ..Parcel::default()
            });
        }
        if is_last {
            return Ok(parcels);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use axum::extract::ConnectInfo;
    use telemetry::Value;
    use telemetry::otlp::{write_attribute, write_resource};
    use tower::ServiceExt;

    use super::*;

    fn put(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
        out.push(number << 3 | 2);
        let mut len = bytes.len();
        while len >= 0x80 {
            out.push(len as u8 | 0x80);
            len >>= 7;
        }
        out.push(len as u8);
        out.extend(bytes);
    }

    fn message(fields: &[(u8, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        fields.iter().for_each(|(number, bytes)| put(&mut out, *number, bytes));
        out
    }

    /// A `HistogramDataPoint` with so many bounds, all of them long as texts.
    fn point(index: usize, bounds: usize, attribute: &str) -> Vec<u8> {
        let numbers = |count: usize, of: fn(usize) -> u64| -> Vec<u8> {
            (0..count).flat_map(|at| of(at).to_le_bytes()).collect()
        };
        let counts = numbers(bounds + 1, |at| at as u64);
        let bounds = numbers(bounds, |at| (at as f64 + 0.123_456_789_012_345).to_bits());
        let mut point = vec![3 << 3 | 1];
        point.extend((1_000_000_000 + index as u64).to_le_bytes());
        put(&mut point, 6, &counts);
        put(&mut point, 7, &bounds);
        write_attribute(&mut point, 9, "path", &Value::Str(attribute));
        write_attribute(&mut point, 9, "index", &Value::Int(index as i64));
        point
    }

    fn request(points: &[Vec<u8>]) -> Bytes {
        let mut resource = Vec::new();
        // Behind `le`, whose place comes and goes: it is told twice for each point.
        let long = "s".repeat(2000);
        write_resource(
            &mut resource,
            &[("service.name", Value::Str("cart")), ("service.version", Value::Str(&long))],
        );
        let mut histogram = vec![2 << 3, 2];
        points.iter().for_each(|point| put(&mut histogram, 1, point));
        let metric = message(&[(1, b"http.duration"), (3, b"s"), (9, &histogram)]);
        let scope = message(&[(1, &message(&[(1, b"lib")])), (2, &metric)]);
        message(&[(1, &message(&[(1, &resource), (2, &scope)]))]).into()
    }

    fn points(payload: &[u8]) -> Vec<(String, String, Vec<u8>)> {
        let request = MetricsRequest::parse(payload).unwrap();
        let mut points = Vec::new();
        for (resource, scope, metric) in request.metrics() {
            let version = resource.resource.attributes().get("service.version");
            let around = format!("{} {} {}", scope.scope.name, metric.unit, version.unwrap().to_text().len());
            points.extend(
                metric.data.points().iter().map(|raw| (metric.name.to_owned(), around.clone(), raw.to_vec())),
            );
        }
        points
    }

    fn samples_bytes(payload: &[u8]) -> usize {
        let request = MetricsRequest::parse(payload).unwrap();
        let mut writer = Writer::new();
        let mapping = Mapping::default();
        let made = to_samples(&request, &mapping, 1, &mut writer, Room::new(&mut |_| true)).unwrap();
        assert_eq!(made.rejected, 0, "{:?}", made.reasons);
        writer.finish().len()
    }

    #[tokio::test]
    async fn a_large_request_comes_through_the_receiver_in_pieces() {
        let (sink, queue) = super::super::tests::sink(32 << 20).await;
        let attribute = "a".repeat(1000);
        let all: Vec<_> = (0..1200).map(|index| point(index, 20, &attribute)).collect();
        let payload = request(&all);
        assert!(payload.len() > 3 << 19, "{}", payload.len());
        let input = crate::config::OtlpInput {
            grpc: ([127, 0, 0, 1], 0).into(),
            http: ([127, 0, 0, 1], 0).into(),
            allowed_hosts: Vec::new(),
        };
        let router = receive::http_router(super::super::server(&input, sink));
        let peer = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
        let post = http::Request::post("/v1/metrics")
            .header("host", "127.0.0.1:4318")
            .header("content-type", "application/x-protobuf")
            .extension(ConnectInfo(peer))
            .body(axum::body::Body::from(payload.clone()))
            .unwrap();
        let answer = router.oneshot(post).await.unwrap();
        assert_eq!(answer.status(), 200, "{answer:?}");
        let (mut seen, mut pieces) = (Vec::new(), 0);
        while queue.pending() > 0 {
            for queued in queue.take(4 << 20).await.unwrap() {
                let payload = &queued.batch.payload;
                assert_eq!(queued.batch.signal, Signal::Metrics);
                assert!(payload.len() <= PIECES.full_bytes, "{}", payload.len());
                assert!(samples_bytes(payload) < 700 << 10, "{}", samples_bytes(payload));
                let some = points(payload);
                assert_eq!(queued.items as usize, some.len());
                seen.extend(some);
                pieces += 1;
                queue.settle(queued.offset).await.unwrap();
            }
        }
        assert!(pieces >= 12, "{pieces}");
        assert!(seen == points(&payload), "{} of {} points", seen.len(), all.len());
    }

    #[test]
    fn pieces_whose_samples_are_too_many_are_halved() {
        // Small points under labels of 2 KiB, which most of their series tell again.
        let all: Vec<_> = (0..1000).map(|index| point(index, 1, "a")).collect();
        let payload = request(&all);
        assert!(payload.len() < PIECES.full_bytes && samples_bytes(&payload) > 700 << 10);
        let Cut { parcels, outcome } = cut(Signal::Metrics, payload.clone()).unwrap();
        assert_eq!(outcome, Outcome::default());
        assert!(parcels.len() > 2);
        assert!(parcels.iter().all(|parcel| samples_bytes(&parcel.payload) <= MAX_SAMPLES_BYTES));
        let seen: Vec<_> = parcels.iter().flat_map(|parcel| points(&parcel.payload)).collect();
        assert!(seen == points(&payload), "{} points", seen.len());
    }

    #[test]
    fn a_point_that_no_record_holds_is_named_and_the_others_go_on() {
        let long = "x".repeat(MAX_PARCEL_BYTES);
        let payload = request(&[point(0, 3, "a"), point(1, 3, &long), point(2, 3, "b")]);
        let Cut { parcels, outcome } = cut(Signal::Metrics, payload.clone()).unwrap();
        assert_eq!((outcome.rejected, outcome.reasons[0].index), (1, 1));
        assert!(outcome.reasons[0].reason.contains("too large: it has"), "{:?}", outcome.reasons);
        let seen: Vec<_> = parcels.iter().flat_map(|parcel| points(&parcel.payload)).collect();
        let whole = points(&payload);
        assert!(seen == [whole[0].clone(), whole[2].clone()], "{} points", seen.len());
        // As many buckets as may be, with bounds of 17 digits.
        assert!(cut(Signal::Metrics, request(&[point(0, 4000, "a")])).unwrap().outcome.rejected == 0);
    }

    #[test]
    fn heads_do_not_multiply_a_request() {
        let mut resource = Vec::new();
        let long = "s".repeat(PIECES.max_head_bytes);
        write_resource(&mut resource, &[("service.name", Value::Str("cart")), ("x", Value::Str(&long))]);
        let mut gauge = Vec::new();
        (0..100_000).for_each(|_| put(&mut gauge, 1, &[]));
        let scope = message(&[(2, &message(&[(1, b"a"), (5, &gauge)]))]);
        let payload: Bytes = message(&[(1, &message(&[(1, &resource), (2, &scope)]))]).into();
        let Cut { parcels, outcome } = cut(Signal::Metrics, payload).unwrap();
        assert_eq!((parcels.len(), outcome.rejected), (0, 100_000));
        assert!(outcome.reasons[0].reason.contains("its resource, scope and metric together"));
    }

    #[test]
    fn a_request_without_points_is_no_record() {
        assert!(cut(Signal::Metrics, vec![10, 0].into()).unwrap().parcels.is_empty());
    }
}
