//! `collector.trace.v1.ExportTraceServiceRequest`, walked without copying, as `logs.rs` does it.

mod span;

pub use span::{Event, Link, Span, SpanKind, StatusCode};

use super::validate;
use super::wire::{DecodeError, Field, Fields, Wire, messages};
use super::{Resource, Scope};
use crate::value::valid_str;

/// A request whose every byte was checked, now or before.
#[derive(Clone, Copy, Debug)]
pub struct TracesRequest<'a> {
    raw: &'a [u8],
    spans: usize,
}

/// The spans of one resource.
#[derive(Clone, Copy, Debug)]
pub struct ResourceSpans<'a> {
    raw: &'a [u8],
    /// What emitted them.
    pub resource: Resource<'a>,
    /// The schema of the resource's attributes; "" when not given.
    pub schema_url: &'a str,
}

/// The spans of one instrumentation scope.
#[derive(Clone, Copy, Debug)]
pub struct ScopeSpans<'a> {
    raw: &'a [u8],
    /// The library that recorded them.
    pub scope: Scope<'a>,
    /// The schema of the spans' attributes; "" when not given.
    pub schema_url: &'a str,
}

impl<'a> TracesRequest<'a> {
    /// Checks `raw` as deep as it goes.
    pub fn parse(raw: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(Self { raw, spans: validate::traces::request(raw)? })
    }

    /// A request whose bytes `parse` has taken before. Of other bytes it sees what comes before the first fault.
    pub fn of_valid(raw: &'a [u8]) -> Self {
        let scopes = messages(raw, 1).flat_map(|resource| messages(resource, 2));
        let spans = scopes.map(|scope| messages(scope, 2).count()).sum();
        Self { raw, spans }
    }

    /// How many spans it holds.
    pub fn span_count(&self) -> usize {
        self.spans
    }

    /// The resources in order.
    pub fn resources(&self) -> impl Iterator<Item = ResourceSpans<'a>> + use<'a> {
        messages(self.raw, 1).map(ResourceSpans::read)
    }

    /// Every span in the request's order, with what it belongs to.
    pub fn spans(&self) -> impl Iterator<Item = (ResourceSpans<'a>, ScopeSpans<'a>, Span<'a>)> + use<'a> {
        self.resources().flat_map(|resource| {
            resource.scopes().flat_map(move |scope| scope.spans().map(move |span| (resource, scope, span)))
        })
    }
}

impl<'a> ResourceSpans<'a> {
    fn read(raw: &'a [u8]) -> Self {
        let mut read = Self { raw, resource: Resource::default(), schema_url: "" };
        for Field { number, wire } in Fields::of_valid(raw) {
            match (number, wire) {
                (1, Wire::Bytes(raw)) => read.resource = Resource::of_valid(raw),
                (3, Wire::Bytes(text)) => read.schema_url = valid_str(text),
                _ => {}
            }
        }
        read
    }

    /// The scopes in order.
    pub fn scopes(&self) -> impl Iterator<Item = ScopeSpans<'a>> + use<'a> {
        messages(self.raw, 2).map(ScopeSpans::read)
    }
}

impl<'a> ScopeSpans<'a> {
    fn read(raw: &'a [u8]) -> Self {
        let mut read = Self { raw, scope: Scope::default(), schema_url: "" };
        for Field { number, wire } in Fields::of_valid(raw) {
            match (number, wire) {
                (1, Wire::Bytes(raw)) => read.scope = Scope::of_valid(raw),
                (3, Wire::Bytes(text)) => read.schema_url = valid_str(text),
                _ => {}
            }
        }
        read
    }

    /// The spans in order.
    pub fn spans(&self) -> impl Iterator<Item = Span<'a>> + use<'a> {
        messages(self.raw, 2).map(Span::of_valid)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
