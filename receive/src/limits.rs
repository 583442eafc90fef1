//! The caps on what a client may send.

use std::time::Duration;

use telemetry::samples::SeriesLimits;

/// Every cap of the servers; both binaries can configure each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest body on the wire.
    pub max_compressed_bytes: usize,
    /// Largest body after decompression (OTLP recommends 64 MiB).
    pub max_decompressed_bytes: usize,
    /// All bodies that are being read or decoded, together; beyond that a request is answered 503.
    pub max_concurrent_bytes: usize,
    /// From a request's head to the last byte of its body.
    pub body_timeout: Duration,
    /// Most attributes of one record; a record with more is rejected, the others go on.
    pub max_attributes_per_record: usize,
    /// Largest record with its attributes; a larger one is rejected, the others go on.
    pub max_record_bytes: usize,
    /// The resource of each scope of a request, written out once per scope, together. One large resource over very
    /// many scopes is a small request and a huge table: records of the scopes beyond this are rejected.
    pub max_spelled_out_bytes: usize,
    /// Most entries of a Loki push, items of an Elasticsearch bulk request, spans of Zipkin; a larger one is refused.
    pub max_items: usize,
    /// Most streams of a Loki push.
    pub max_streams: usize,
    /// Most labels of a Loki stream; a stream with more is left out, the others go on.
    pub max_labels: usize,
    /// The caps on a metric's series; one beyond them is left out, the others go on.
    pub series: SeriesLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_compressed_bytes: 16 << 20,
            max_decompressed_bytes: 64 << 20,
            max_concurrent_bytes: 128 << 20,
            body_timeout: Duration::from_secs(30),
            max_attributes_per_record: 1024,
            max_record_bytes: 512 << 10,
            max_spelled_out_bytes: 32 << 20,
            max_items: 500_000,
            max_streams: 50_000,
            max_labels: 128,
            series: SeriesLimits::default(),
        }
    }
}
