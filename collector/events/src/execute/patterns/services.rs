//! The services of a file's rows.

use std::collections::HashMap;
use std::sync::Arc;

use telemetry::Value;

use crate::SearchError;
use crate::execute::rows::HeadView;
use crate::execute::scan::{Limits, Stop};
use crate::split::{SplitReader, Stream};

/// Between so many streams a query looks whether it must end.
const CHECKED_STREAMS: usize = 1024;

/// The services of a file's rows by number.
#[derive(Clone, Default)]
pub(in crate::execute) struct Services {
    names: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
    names_bytes: usize,
    /// Of a split: the number for each stream.
    of_streams: Vec<u32>,
    /// The stream that was looked at last, by chunk and number, and the number of its service.
    last: Option<(u64, u32, u32)>,
}

impl Services {
    /// Of a head's row.
    pub(super) fn number(&mut self, view: &HeadView<'_>) -> u32 {
        let (offset, stream) = (view.chunk.offset, view.chunk.rows[view.row].stream);
        if let Some((known_offset, known, number)) = self.last
            && (known_offset, known) == (offset, stream)
        {
            return number;
        }
        let number = self.number_of(view.chunk.stream(view.row));
        self.last = Some((offset, stream, number));
        number
    }

    fn number_of(&mut self, stream: &Stream) -> u32 {
        let name = service(stream).unwrap_or_default();
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let (name, number) = (Arc::<str>::from(name), self.names.len() as u32);
        self.names_bytes += name.len();
        self.names.push(name.clone());
        self.numbers.insert(name, number);
        number
    }

    /// Looks at a split's streams, once.
    pub(super) fn read(&mut self, split: &SplitReader, limits: &Limits) -> Result<(), Stop> {
        if self.of_streams.is_empty() {
            self.number_all(&split.streams()?, limits)?;
        }
        Ok(())
    }

    fn number_all(&mut self, streams: &[Stream], limits: &Limits) -> Result<(), SearchError> {
        let mut numbers = Vec::with_capacity(streams.len());
        for streams in streams.chunks(CHECKED_STREAMS) {
            limits.check()?;
            numbers.extend(streams.iter().map(|stream| self.number_of(stream)));
        }
        self.of_streams = numbers;
        Ok(())
    }

    /// Of a stream of the split.
    pub(super) fn of_stream(&self, stream: u32) -> u32 {
        self.of_streams[stream as usize]
    }

    /// The name behind a number, if it is one.
    pub(super) fn name(&self, number: u32) -> Option<&str> {
        self.names.get(number as usize).map(|name| &**name).filter(|name| !name.is_empty())
    }

    /// Memory that they hold, about.
    pub(super) fn size_bytes(&self) -> usize {
        self.names_bytes + self.names.len() * 4 * size_of::<Arc<str>>() + 4 * self.of_streams.len()
    }
}

/// The name of a stream's service, if it has one.
fn service(stream: &Stream) -> Option<&str> {
    match search::lookup(&stream.resource().attributes(), "service.name") {
        Some(Value::Str(name)) if !name.is_empty() => Some(name),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    use super::*;

    /// A resource with a service name of up to 100 bytes, as OTLP writes it.
    fn stream(name: &str) -> Stream {
        let field = |number: u8, bytes: &[u8]| [&[number << 3 | 2, bytes.len() as u8], bytes].concat();
        let pair = [field(1, b"service.name"), field(2, &field(1, name.as_bytes()))].concat();
        Stream { resource: field(1, &pair).into(), ..Stream::default() }
    }

    #[test]
    fn very_many_services_are_numbered_in_time() {
        let deadline = Some(Instant::now() + Duration::from_secs(10));
        let limits = Limits { deadline, max_memory_bytes: 0, cancelled: AtomicBool::new(false) };
        let streams: Vec<Stream> = (0..100_000).map(|n| stream(&format!("service-{}", n % 80_000))).collect();
        let mut services = Services::default();
        services.number_all(&streams, &limits).unwrap();
        assert_eq!(services.names.len(), 80_000);
        assert_eq!(services.name(services.of_stream(99_999)), Some("service-19999"));
        assert!(services.size_bytes() > 80_000 * "service-1".len());
    }

    #[test]
    fn streams_are_not_read_past_the_end_of_a_query() {
        let limits = Limits { deadline: None, max_memory_bytes: 0, cancelled: AtomicBool::new(false) };
        limits.cancelled.store(true, Ordering::Relaxed);
        let read = Services::default().number_all(&[stream("cart")], &limits);
        assert!(matches!(read, Err(SearchError::Timeout)));
    }
}
