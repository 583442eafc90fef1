//! Gives resources that do not say which host they are from our host's
//! attributes, and cuts requests that are larger than a queue record.

use bytes::Bytes;
use telemetry::otlp::{DecodeError, LogsRequest, LogsWriter, ResourceLogs, write_attribute};

use crate::config::Scalar;
use crate::queue::{MAX_PARCEL_BYTES, Parcel};

/// Knows what this host is.
pub(super) struct Enricher {
    attributes: Vec<(String, Scalar)>,
}

/// A request, ready for the queue.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Pieces {
    pub(super) parcels: Vec<Parcel>,
    /// Records that no parcel can hold, by their index in the request.
    pub(super) too_large: Vec<u32>,
}

impl Enricher {
    pub(super) fn new(resource: &[(String, Scalar)]) -> Self {
        Self { attributes: resource.to_vec() }
    }

    /// The request as parcels. One that needs no change is passed on as it is.
    pub(super) fn pieces(&self, payload: &Bytes) -> Result<Pieces, DecodeError> {
        let request = LogsRequest::parse(payload)?;
        let is_complete = request.resources().all(|resource| names_host(&resource));
        if is_complete && payload.len() <= MAX_PARCEL_BYTES {
            let parcel = Parcel {
                payload: payload.clone(),
                items: request.record_count() as u32,
                cursors: Vec::new(),
            };
            return Ok(Pieces { parcels: vec![parcel], too_large: Vec::new() });
        }
        Ok(self.rebuild(&request))
    }

    fn rebuild(&self, request: &LogsRequest<'_>) -> Pieces {
        let (mut pieces, mut writer, mut index) = (Pieces::default(), LogsWriter::default(), 0);
        for resource in request.resources() {
            let raw_resource = self.complete(&resource);
            writer.resource(&raw_resource, resource.schema_url);
            for scope in resource.scopes() {
                writer.scope(scope.scope.raw, scope.schema_url);
                for record in scope.records() {
                    let overhead = raw_resource.len() + scope.scope.raw.len() + 64;
                    if writer.record_count() > 0
                        && writer.size_bytes() + record.raw.len() + overhead > MAX_PARCEL_BYTES
                    {
                        pieces.push(std::mem::take(&mut writer));
                        writer.resource(&raw_resource, resource.schema_url);
                        writer.scope(scope.scope.raw, scope.schema_url);
                    }
                    if record.raw.len() + overhead + writer.size_bytes() > MAX_PARCEL_BYTES {
                        pieces.too_large.push(index);
                    } else {
                        writer.record(record.raw);
                    }
                    index += 1;
                }
            }
        }
        pieces.push(writer);
        pieces
    }

    /// The resource with our attributes behind its own; what it says itself stays.
    fn complete(&self, resource: &ResourceLogs<'_>) -> Vec<u8> {
        let mut raw = resource.resource.raw.to_vec();
        if !names_host(resource) {
            let own = resource.resource.attributes();
            for (key, value) in self.attributes.iter().filter(|(key, _)| own.get(key).is_none()) {
                write_attribute(&mut raw, 1, key, &value.as_value());
            }
        }
        raw
    }
}

impl Pieces {
    fn push(&mut self, writer: LogsWriter) {
        let items = writer.record_count() as u32;
        if items > 0 {
            self.parcels.push(Parcel { payload: writer.finish().into(), items, cursors: Vec::new() });
        }
    }
}

fn names_host(resource: &ResourceLogs<'_>) -> bool {
    resource.resource.attributes().get("host.name").is_some()
}
