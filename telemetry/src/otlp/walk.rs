//! The shape that the requests of all signals share, walked without copying: resources, which have scopes, which
//! have items. `Request::parse` checks everything once; past that point reading cannot fail. Of a singular message
//! that stands twice on the wire the last one counts.

use std::fmt;
use std::marker::PhantomData;

use super::wire::{DecodeError, Field, Fields, Wire, messages};
use crate::value::{KeyValues, valid_str};

/// What a request holds under its scopes: log records, metrics, spans.
pub trait Item<'a>: Copy + fmt::Debug {
    /// A message that was validated before.
    fn of_valid(raw: &'a [u8]) -> Self;

    /// Checks a request as deep as it goes, and counts what it holds.
    #[doc(hidden)]
    fn check(request: &[u8]) -> Result<usize, DecodeError>;

    /// How much this counts for.
    #[doc(hidden)]
    fn count(_raw: &'a [u8]) -> usize {
        1
    }
}

/// A request whose every byte was checked, now or before.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a, I> {
    raw: &'a [u8],
    count: usize,
    items: PhantomData<I>,
}

/// The items of one resource.
#[derive(Clone, Copy, Debug)]
pub struct ResourceGroup<'a, I> {
    raw: &'a [u8],
    /// What emitted them.
    pub resource: Resource<'a>,
    /// The schema of the resource's attributes; "" when not given.
    pub schema_url: &'a str,
    items: PhantomData<I>,
}

/// The items of one instrumentation scope.
#[derive(Clone, Copy, Debug)]
pub struct ScopeGroup<'a, I> {
    raw: &'a [u8],
    /// The library that recorded them.
    pub scope: Scope<'a>,
    /// The schema of the items' attributes; "" when not given.
    pub schema_url: &'a str,
    items: PhantomData<I>,
}

/// What emits items: a service, a host.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resource<'a> {
    /// The `Resource` message.
    pub raw: &'a [u8],
}

/// The instrumentation scope: a logger's or tracer's name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    /// The `InstrumentationScope` message.
    pub raw: &'a [u8],
    /// Its name; "" when not given.
    pub name: &'a str,
    /// Its version; "" when not given.
    pub version: &'a str,
}

impl<'a, I: Item<'a>> Request<'a, I> {
    /// Checks `raw` as deep as it goes.
    pub fn parse(raw: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(Self { raw, count: I::check(raw)?, items: PhantomData })
    }

    /// A request whose bytes `parse` has taken before. Of other bytes it sees what comes before the first fault.
    pub fn of_valid(raw: &'a [u8]) -> Self {
        let scopes = messages(raw, 1).flat_map(|resource| messages(resource, 2));
        let count = scopes.flat_map(|scope| messages(scope, 2)).map(I::count).sum();
        Self { raw, count, items: PhantomData }
    }

    /// How many records, points or spans it holds.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The resources in order.
    pub fn resources(&self) -> impl Iterator<Item = ResourceGroup<'a, I>> + use<'a, I> {
        messages(self.raw, 1).map(ResourceGroup::read)
    }

    /// Every item in the request's order, with what it belongs to.
    pub(super) fn items(
        &self,
    ) -> impl Iterator<Item = (ResourceGroup<'a, I>, ScopeGroup<'a, I>, I)> + use<'a, I> {
        self.resources().flat_map(|resource| {
            resource.scopes().flat_map(move |scope| scope.items().map(move |item| (resource, scope, item)))
        })
    }
}

impl<'a, I: Item<'a>> ResourceGroup<'a, I> {
    fn read(raw: &'a [u8]) -> Self {
        let mut read = Self { raw, resource: Resource::default(), schema_url: "", items: PhantomData };
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
    pub fn scopes(&self) -> impl Iterator<Item = ScopeGroup<'a, I>> + use<'a, I> {
        messages(self.raw, 2).map(ScopeGroup::read)
    }
}

impl<'a, I: Item<'a>> ScopeGroup<'a, I> {
    fn read(raw: &'a [u8]) -> Self {
        let mut read = Self { raw, scope: Scope::default(), schema_url: "", items: PhantomData };
        for Field { number, wire } in Fields::of_valid(raw) {
            match (number, wire) {
                (1, Wire::Bytes(raw)) => read.scope = Scope::of_valid(raw),
                (3, Wire::Bytes(text)) => read.schema_url = valid_str(text),
                _ => {}
            }
        }
        read
    }

    /// The items in order.
    pub fn items(&self) -> impl Iterator<Item = I> + use<'a, I> {
        self.raw_items().map(I::of_valid)
    }

    /// The items' messages in order, for those who need not look inside each.
    pub fn raw_items(&self) -> impl Iterator<Item = &'a [u8]> + use<'a, I> {
        messages(self.raw, 2)
    }
}

impl<'a> Resource<'a> {
    /// A `Resource` message that was validated before, in a request or by a store.
    pub fn of_valid(raw: &'a [u8]) -> Self {
        Self { raw }
    }

    /// Its attributes.
    pub fn attributes(&self) -> KeyValues<'a> {
        KeyValues::new(self.raw, 1)
    }
}

impl<'a> Scope<'a> {
    /// An `InstrumentationScope` message that was validated before.
    pub fn of_valid(raw: &'a [u8]) -> Self {
        let mut read = Self { raw, ..Self::default() };
        for Field { number, wire } in Fields::of_valid(raw) {
            match (number, wire) {
                (1, Wire::Bytes(text)) => read.name = valid_str(text),
                (2, Wire::Bytes(text)) => read.version = valid_str(text),
                _ => {}
            }
        }
        read
    }

    /// Its attributes.
    pub fn attributes(&self) -> KeyValues<'a> {
        KeyValues::new(self.raw, 3)
    }
}
