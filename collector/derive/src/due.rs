//! When time alone makes something happen.

use crate::Spans;
use crate::time::STEP_NS;

impl Spans {
    /// When the next flush is due, ns since 1970: a batch without spans at or after it lets steps end and
    /// counters be written. None where there is nothing to tell.
    pub fn next_flush_ns(&self) -> Option<i64> {
        let tells = !self.log.is_empty()
            || !self.window.is_empty()
            || !self.live.slab().is_empty()
            || self.edges.pairing.len() > 0
            || !self.edges.pairing.lapsed().is_empty();
        let next = (u64::from(self.flushed) + 1) * STEP_NS;
        (self.has_begun && tells).then(|| i64::try_from(next).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bytes::Bytes;
    use telemetry::otlp::{RecordsWriter, SpanFields, write_span};
    use telemetry::{Batch, Signal, TenantId};

    use super::*;
    use crate::Options;

    #[test]
    fn a_consumer_is_due_while_it_has_something_to_tell() {
        let batch = |received_at_ns, payload: Vec<u8>| Batch {
            tenant: TenantId::default_tenant(),
            signal: Signal::Spans,
            producer: None,
            received_at_ns,
            payload: Bytes::from(payload),
        };
        let mut spans = Spans::new(0, Options::default());
        assert_eq!(spans.next_flush_ns(), None);
        let (mut writer, mut raw) = (RecordsWriter::default(), Vec::new());
        write_span(
            &mut raw,
            &SpanFields { trace_id: &[1; 16], span_id: &[1; 8], end_ns: 5, ..SpanFields::default() },
        );
        writer.resource(b"", "");
        writer.scope(b"", "");
        writer.record(&raw);
        assert_eq!(spans.apply(&batch(25_000_000_000, writer.finish())), []);
        assert_eq!(spans.next_flush_ns(), Some(30_000_000_000));
        assert!(!spans.apply(&batch(31_000_000_000, Vec::new())).is_empty(), "what waited is emitted");
        assert_eq!(spans.next_flush_ns(), Some(40_000_000_000), "its counter is to be written again");
        let mut flushes = 0;
        while let Some(due) = spans.next_flush_ns().filter(|_| flushes < 1000) {
            spans.apply(&batch(due, Vec::new()));
            flushes += 1;
        }
        assert!((360..=420).contains(&flushes), "after an hour nothing is left to tell: {flushes}");
    }
}
