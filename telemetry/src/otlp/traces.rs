//! `collector.trace.v1.ExportTraceServiceRequest`: what its items are.

mod fault;
mod span;

pub use fault::IdFault;
pub use span::{Event, Link, Span, SpanKind, StatusCode};

use super::validate;
use super::walk::{Item, Request, ResourceGroup, ScopeGroup};
use super::wire::DecodeError;

/// A traces request whose every byte was checked, now or before.
pub type TracesRequest<'a> = Request<'a, Span<'a>>;

/// The spans of one resource.
pub type ResourceSpans<'a> = ResourceGroup<'a, Span<'a>>;

/// The spans of one instrumentation scope.
pub type ScopeSpans<'a> = ScopeGroup<'a, Span<'a>>;

impl<'a> Item<'a> for Span<'a> {
    #[inline]
    fn of_valid(raw: &'a [u8]) -> Self {
        Span::of_valid(raw)
    }

    fn check(request: &[u8]) -> Result<usize, DecodeError> {
        validate::traces::request(request)
    }
}

impl<'a> Request<'a, Span<'a>> {
    /// How many spans it holds.
    pub fn span_count(&self) -> usize {
        self.count()
    }

    /// Every span in the request's order, with what it belongs to.
    pub fn spans(&self) -> impl Iterator<Item = (ResourceSpans<'a>, ScopeSpans<'a>, Span<'a>)> + use<'a> {
        self.items()
    }
}

impl<'a> ScopeGroup<'a, Span<'a>> {
    /// The spans in order.
    pub fn spans(&self) -> impl Iterator<Item = Span<'a>> + use<'a> {
        self.items()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
