//! The same pass for a metrics request; it counts data points.

use super::{Check, each, fixed64, key_value, message, resource, scope, text, varint};
use crate::otlp::wire::{DecodeError, Field, Wire, varints};

/// Checks an `ExportMetricsServiceRequest` and counts its data points.
pub(in crate::otlp) fn request(raw: &[u8]) -> Result<usize, DecodeError> {
    let mut points = 0;
    each(raw, |field| match field.number {
        1 => each(message(field, "resource_metrics")?, |field| match field.number {
            1 => resource(message(field, "resource")?),
            2 => scope_metrics(message(field, "scope_metrics")?, &mut points),
            3 => text(field, "schema_url"),
            _ => Ok(()),
        }),
        _ => Ok(()),
    })?;
    Ok(points)
}

fn scope_metrics(raw: &[u8], points: &mut usize) -> Check {
    each(raw, |field| match field.number {
        1 => scope(message(field, "scope")?),
        2 => metric(message(field, "metrics")?, points),
        3 => text(field, "schema_url"),
        _ => Ok(()),
    })
}

fn metric(raw: &[u8], points: &mut usize) -> Check {
    each(raw, |field| match field.number {
        1 => text(field, "metric.name"),
        2 => text(field, "metric.description"),
        3 => text(field, "metric.unit"),
        5 => data(message(field, "gauge")?, points, number_point),
        7 => data(message(field, "sum")?, points, number_point),
        9 => data(message(field, "histogram")?, points, histogram_point),
        10 => data(message(field, "exponential_histogram")?, points, exponential_point),
        11 => data(message(field, "summary")?, points, summary_point),
        12 => key_value(message(field, "metric.metadata")?, 0),
        _ => Ok(()),
    })
}

/// Each kind has its points under 1, and a temporality and a flag under 2 and 3 or nothing there.
fn data(raw: &[u8], points: &mut usize, point: fn(&[u8]) -> Check) -> Check {
    each(raw, |field| match field.number {
        1 => {
            *points += 1;
            point(message(field, "data_points")?)
        }
        2 => varint(field, "aggregation_temporality"),
        3 => varint(field, "is_monotonic"),
        _ => Ok(()),
    })
}

fn number_point(raw: &[u8]) -> Check {
    each(raw, |field| match field.number {
        2..=4 | 6 => fixed64(field, "a data point's times and value"),
        5 => exemplar(message(field, "exemplars")?),
        7 => key_value(message(field, "attributes")?, 0),
        8 => varint(field, "flags"),
        _ => Ok(()),
    })
}

fn histogram_point(raw: &[u8]) -> Check {
    each(raw, |field| match field.number {
        2..=5 | 11 | 12 => fixed64(field, "a histogram's times, count, sum, min and max"),
        6 => packed_fixed64(field, "bucket_counts"),
        7 => packed_fixed64(field, "explicit_bounds"),
        8 => exemplar(message(field, "exemplars")?),
        9 => key_value(message(field, "attributes")?, 0),
        10 => varint(field, "flags"),
        _ => Ok(()),
    })
}

fn exponential_point(raw: &[u8]) -> Check {
    each(raw, |field| match field.number {
        1 => key_value(message(field, "attributes")?, 0),
        2..=5 | 7 | 12..=14 => fixed64(field, "a histogram's times, counts, sum, min and max"),
        6 => varint(field, "scale"),
        8 => buckets(message(field, "positive")?),
        9 => buckets(message(field, "negative")?),
        10 => varint(field, "flags"),
        11 => exemplar(message(field, "exemplars")?),
        _ => Ok(()),
    })
}

fn buckets(raw: &[u8]) -> Check {
    each(raw, |field| match (field.number, field.wire) {
        (1, _) => varint(field, "offset"),
        (2, Wire::Bytes(packed)) => varints(packed).try_for_each(|count| count.map(drop)),
        (2, _) => varint(field, "bucket_counts"),
        _ => Ok(()),
    })
}

fn summary_point(raw: &[u8]) -> Check {
    each(raw, |field| match field.number {
        2..=5 => fixed64(field, "a summary's times, count and sum"),
        6 => each(message(field, "quantile_values")?, |value| match value.number {
            1 | 2 => fixed64(value, "quantile_values"),
            _ => Ok(()),
        }),
        7 => key_value(message(field, "attributes")?, 0),
        8 => varint(field, "flags"),
        _ => Ok(()),
    })
}

fn exemplar(raw: &[u8]) -> Check {
    each(raw, |field| match field.number {
        2 | 3 | 6 => fixed64(field, "an exemplar's time and value"),
        4 => message(field, "span_id").map(drop),
        5 => message(field, "trace_id").map(drop),
        7 => key_value(message(field, "filtered_attributes")?, 0),
        _ => Ok(()),
    })
}

/// A repeated fixed64 or double: packed, or one by one.
fn packed_fixed64(field: Field<'_>, name: &'static str) -> Check {
    match field.wire {
        Wire::Fixed64(_) => Ok(()),
        Wire::Bytes(packed) if packed.len() % 8 == 0 => Ok(()),
        Wire::Bytes(_) => Err(DecodeError::Truncated),
        _ => Err(DecodeError::WireType(name)),
    }
}
