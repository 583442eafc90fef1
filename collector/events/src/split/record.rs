//! Takes a `LogRecord` message apart into columns and a rest, and puts it together
//! again: the result is an equal message (fields of one number keep their order).
//!
//! A field is lifted out of the message when it stands once and in the form that
//! its column restores. Everything else stays in the rest, unknown fields too.

use telemetry::Value;
use telemetry::otlp::LogRecord;

/// Which fields of the message are in columns, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lifted(pub(crate) u8);

impl Lifted {
    pub(crate) const TIME: u8 = 1;
    pub(crate) const SEVERITY: u8 = 2;
    pub(crate) const BODY: u8 = 4;
    pub(crate) const TRACE: u8 = 8;
    pub(crate) const OBSERVED: u8 = 16;

    pub(crate) fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }
}

/// A body as its column keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body<'a> {
    /// The text of a plain string value; "" if there is no body.
    Text(&'a str),
    /// The message's whole field 5, tag included.
    Raw(&'a [u8]),
}

/// One row as the columns of a block hold it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    /// Effective time.
    pub(crate) time_ns: i64,
    pub(crate) seq: u64,
    /// `observed_time` where it is lifted, else 0.
    pub(crate) observed_ns: i64,
    /// As queries see it: the number, or what the source's word stands for.
    pub(crate) severity: u8,
    pub(crate) lifted: Lifted,
    pub(crate) trace: Option<&'a [u8; 16]>,
    pub(crate) body: Body<'a>,
    /// Fields that are not lifted, in their order.
    pub(crate) rest: &'a [u8],
}

const TIME_TAG: u8 = 1 << 3 | 1;
const SEVERITY_TAG: u8 = 2 << 3;
const BODY_TAG: u8 = 5 << 3 | 2;
const TRACE_TAG: u8 = 9 << 3 | 2;
const OBSERVED_TAG: u8 = 11 << 3 | 1;
const STRING_TAG: u8 = 1 << 3 | 2;

impl<'a> Row<'a> {
    /// Takes `record` apart; the rest is written into `scratch`.
    pub(crate) fn lift(
        record: &LogRecord<'a>,
        received_at_ns: i64,
        seq: u64,
        trace: &'a mut [u8; 16],
        scratch: &'a mut Vec<u8>,
    ) -> Self {
        let spans = Spans::find(record.raw);
        let mut lifted = 0;
        let time_ns = record.effective_time_ns(received_at_ns);
        let usable = |time: u64| i64::try_from(time).is_ok_and(|time| time != 0);
        if spans.time.once() && usable(record.time_ns) {
            lifted |= Lifted::TIME;
        }
        let mut observed_ns = 0;
        if spans.observed.once() && usable(record.observed_time_ns) {
            lifted |= Lifted::OBSERVED;
            observed_ns = record.observed_time_ns as i64;
        }
        if spans.severity.once_as(record.raw, &[SEVERITY_TAG, record.severity_number])
            && record.severity_number != 0
        {
            lifted |= Lifted::SEVERITY;
        }
        let trace = record.trace_id().map(|id| {
            *trace = id;
            &*trace
        });
        if spans.trace.once() && trace.is_some() && spans.trace.len() == 18 {
            lifted |= Lifted::TRACE;
        }
        let body_field = spans.body.of(record.raw);
        if spans.body.once() {
            lifted |= Lifted::BODY;
        }
        let plain = plain_text(&record.body, body_field).filter(|_| spans.body.count <= 1);
        let body = plain.unwrap_or(Body::Raw(body_field));
        let rest = spans.rest(record.raw, Lifted(lifted), scratch);
        Self {
            time_ns,
            seq,
            observed_ns,
            severity: record.severity(),
            lifted: Lifted(lifted),
            trace,
            body,
            rest,
        }
    }

    /// Appends a message equal to the one that was taken apart.
    pub(crate) fn rebuild(&self, out: &mut Vec<u8>) {
        if self.lifted.has(Lifted::TIME) {
            out.push(TIME_TAG);
            out.extend(self.time_ns.to_le_bytes());
        }
        if self.lifted.has(Lifted::SEVERITY) {
            out.extend([SEVERITY_TAG, self.severity]);
        }
        if self.lifted.has(Lifted::BODY) {
            self.body.rebuild(out);
        }
        if let (true, Some(id)) = (self.lifted.has(Lifted::TRACE), self.trace) {
            out.extend([TRACE_TAG, 16]);
            out.extend(id);
        }
        if self.lifted.has(Lifted::OBSERVED) {
            out.push(OBSERVED_TAG);
            out.extend(self.observed_ns.to_le_bytes());
        }
        out.extend_from_slice(self.rest);
    }
}

impl<'a> Body<'a> {
    /// Its length and whether it is raw in one number, and its bytes.
    pub(crate) fn coded(self) -> (u32, &'a [u8]) {
        match self {
            Self::Text(text) => ((text.len() as u32) << 1, text.as_bytes()),
            Self::Raw(field) => ((field.len() as u32) << 1 | 1, field),
        }
    }

    /// What `coded` was given.
    pub(crate) fn of_coded(code: u32, bytes: &'a [u8]) -> Self {
        match code & 1 {
            0 => Self::Text(std::str::from_utf8(bytes).unwrap_or_default()),
            _ => Self::Raw(bytes),
        }
    }

    fn rebuild(self, out: &mut Vec<u8>) {
        match self {
            Self::Raw(field) => out.extend_from_slice(field),
            Self::Text(text) => {
                out.push(BODY_TAG);
                put_varint(out, (1 + varint_len(text.len()) + text.len()) as u64);
                out.push(STRING_TAG);
                put_varint(out, text.len() as u64);
                out.extend_from_slice(text.as_bytes());
            }
        }
    }
}

/// The text, if `field` is exactly what `Body::rebuild` makes of it (or nothing at all).
fn plain_text<'a>(body: &Value<'a>, field: &[u8]) -> Option<Body<'a>> {
    if field.is_empty() {
        return Some(Body::Text(""));
    }
    let Value::Str(text) = body else { return None };
    let any_len = 1 + varint_len(text.len()) + text.len();
    (field.len() == 1 + varint_len(any_len) + any_len).then_some(Body::Text(text))
}

/// Where a field stands: its last occurrence, tag included, and how often it occurs.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: usize,
    end: usize,
    count: u32,
}

impl Span {
    fn once(self) -> bool {
        self.count == 1
    }

    fn len(self) -> usize {
        self.end - self.start
    }

    fn of(self, raw: &[u8]) -> &[u8] {
        raw.get(self.start..self.end).unwrap_or_default()
    }

    fn once_as(self, raw: &[u8], bytes: &[u8]) -> bool {
        self.once() && self.of(raw) == bytes
    }

    fn note(&mut self, start: usize, end: usize) {
        *self = Self { start, end, count: self.count + 1 };
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Spans {
    time: Span,
    severity: Span,
    body: Span,
    trace: Span,
    observed: Span,
}

impl Spans {
    fn find(raw: &[u8]) -> Self {
        let mut spans = Self::default();
        let mut at = 0;
        while let Some((number, end)) = next_field(raw, at) {
            match number {
                1 => spans.time.note(at, end),
                2 => spans.severity.note(at, end),
                5 => spans.body.note(at, end),
                9 => spans.trace.note(at, end),
                11 => spans.observed.note(at, end),
                _ => {}
            }
            at = end;
        }
        spans
    }

    /// The message without its lifted fields.
    fn rest<'a>(&self, raw: &[u8], lifted: Lifted, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        let fields = [
            (Lifted::TIME, self.time),
            (Lifted::SEVERITY, self.severity),
            (Lifted::BODY, self.body),
            (Lifted::TRACE, self.trace),
            (Lifted::OBSERVED, self.observed),
        ];
        let mut cuts = fields.map(|(bit, span)| if lifted.has(bit) { span } else { Span::default() });
        cuts.sort_unstable_by_key(|span| span.start);
        scratch.clear();
        let mut at = 0;
        for cut in cuts.into_iter().filter(|cut| cut.once()) {
            scratch.extend_from_slice(&raw[at..cut.start]);
            at = cut.end;
        }
        scratch.extend_from_slice(&raw[at..]);
        scratch
    }
}

/// The number of the field at `at` and where it ends; `None` at the end and at bytes that are no field.
pub(crate) fn next_field(raw: &[u8], at: usize) -> Option<(u64, usize)> {
    let (tag, after) = varint(raw, at)?;
    let end = match tag & 7 {
        0 => varint(raw, after)?.1,
        1 => after + 8,
        2 => {
            let (len, after) = varint(raw, after)?;
            after.checked_add(usize::try_from(len).ok()?)?
        }
        5 => after + 4,
        _ => return None,
    };
    (end <= raw.len()).then_some((tag >> 3, end))
}

/// The varint at `at` and where it ends.
pub(crate) fn varint(raw: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0;
    for (index, byte) in raw.get(at..)?.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, at + index + 1));
        }
    }
    None
}

/// How many bytes `put_varint` writes.
pub(crate) fn varint_len(value: usize) -> usize {
    (usize::BITS - (value | 1).leading_zeros()).div_ceil(7) as usize
}

/// Appends a varint.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a part with its length before it.
pub(crate) fn put_part(out: &mut Vec<u8>, part: &[u8]) {
    put_varint(out, part.len() as u64);
    out.extend_from_slice(part);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use telemetry::otlp::{RecordFields, write_record};

    fn rebuilt(raw: &[u8]) -> (u8, Vec<u8>) {
        let (mut trace, mut rest, mut out) = ([0; 16], Vec::new(), Vec::new());
        let row = Row::lift(&LogRecord::of_valid(raw), 5, 1, &mut trace, &mut rest);
        row.rebuild(&mut out);
        (row.lifted.0, out)
    }

    #[test]
    fn a_plain_record_is_all_columns_but_its_attributes() {
        let mut raw = Vec::new();
        let fields = RecordFields {
            time_ns: 7,
            observed_time_ns: 9,
            severity_number: 17,
            body: Value::Str("connection refused"),
            trace_id: &[3; 16],
            ..RecordFields::default()
        };
        write_record(&mut raw, &fields);
        assert_eq!(rebuilt(&raw), (31, raw.clone()), "written in the order of numbers, as columns are");
        write_record(&mut raw, &fields);
        let (lifted, twice) = rebuilt(&raw);
        assert_eq!((lifted, twice), (0, raw), "what stands twice stays");
    }

    #[test]
    fn a_severity_that_stands_in_words_is_seen_but_not_lifted() {
        for (number, word, seen) in
            [(0, "WARN", 13), (0, "Err", 17), (0, "odd", 0), (9, "ERROR", 9), (30, "fatal", 21)]
        {
            let mut raw = Vec::new();
            let fields =
                RecordFields { severity_number: number, severity_text: word, ..RecordFields::default() };
            write_record(&mut raw, &fields);
            let (mut trace, mut rest) = ([0; 16], Vec::new());
            let row = Row::lift(&LogRecord::of_valid(&raw), 5, 1, &mut trace, &mut rest);
            assert_eq!(
                (row.severity, row.lifted.has(Lifted::SEVERITY)),
                (seen, number == 9),
                "{number} {word}"
            );
            assert_eq!(rebuilt(&raw).1, raw, "{word}");
        }
    }

    #[test]
    fn values_that_columns_cannot_restore_stay() {
        for (time_ns, severity_number) in [(0, 0), (u64::MAX, 25), (1 << 63, 200)] {
            let mut raw = Vec::new();
            write_record(
                &mut raw,
                &RecordFields { time_ns, severity_number, trace_id: &[0; 16], ..RecordFields::default() },
            );
            assert_eq!(rebuilt(&raw), (0, raw));
        }
        assert_eq!(rebuilt(&[]), (0, Vec::new()));
    }
}
