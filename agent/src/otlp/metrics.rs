//! Metrics of programs on this host, cut so that each piece fits into a queue record.

use bytes::Bytes;
use receive::SinkError;
use telemetry::Signal;
use telemetry::otlp::MetricsRequest;
use telemetry::samples::{Cursor, Entry, SamplesError, Writer};

use crate::queue::{MAX_PARCEL_BYTES, Parcel};

/// Series are cut off behind so many bytes.
const FULL_BYTES: usize = MAX_PARCEL_BYTES / 2;

/// The records that a batch becomes: of samples as many as it needs, of OTLP metrics one.
pub(super) fn parcels(signal: Signal, payload: Bytes) -> Result<Vec<Parcel>, SinkError> {
    let refused = |error: SamplesError| SinkError::Refused { reason: error.to_string() };
    if signal == Signal::Samples {
        return if payload.len() <= MAX_PARCEL_BYTES {
            let items = telemetry::samples::check(&payload).map_err(refused)? as u32;
            Ok(vec![Parcel { signal, payload, items, ..Parcel::default() }])
        } else {
            cut(&payload).map_err(refused)
        };
    }
    if payload.len() > MAX_PARCEL_BYTES {
        return Err(SinkError::TooLarge { size_bytes: payload.len(), limit_bytes: MAX_PARCEL_BYTES });
    }
    let items = MetricsRequest::of_valid(&payload).point_count() as u32;
    Ok(vec![Parcel { signal, payload, items, ..Parcel::default() }])
}

fn cut(payload: &[u8]) -> Result<Vec<Parcel>, SamplesError> {
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
