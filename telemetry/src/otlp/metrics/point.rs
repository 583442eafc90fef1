//! Data points and exemplars, out of messages that were validated.

use crate::otlp::wire::{Field, Fields, Wire, messages, unzigzag, varints};
use crate::value::KeyValues;

/// The lowest bit of a point's flags: the series has no value any more.
const NO_RECORDED_VALUE: u64 = 1;

/// A number as OTLP has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PointValue {
    /// A double.
    Double(f64),
    /// A signed integer.
    Int(i64),
}

/// `NumberDataPoint`.
#[derive(Clone, Copy, Debug)]
pub struct NumberPoint<'a> {
    raw: &'a [u8],
    /// Nanoseconds since 1970; 0 when not given.
    pub time_ns: u64,
    /// `None` when it has none.
    pub value: Option<PointValue>,
    /// Whether it says that there is no value any more.
    pub is_no_value: bool,
}

/// `HistogramDataPoint`.
#[derive(Clone, Copy, Debug)]
pub struct HistogramPoint<'a> {
    raw: &'a [u8],
    /// Nanoseconds since 1970; 0 when not given.
    pub time_ns: u64,
    /// Observations.
    pub count: u64,
    /// Their sum, where it means something.
    pub sum: Option<f64>,
    /// Whether it says that there is no value any more.
    pub is_no_value: bool,
}

/// `ExponentialHistogramDataPoint`.
#[derive(Clone, Copy, Debug)]
pub struct ExponentialPoint<'a> {
    raw: &'a [u8],
    /// Nanoseconds since 1970; 0 when not given.
    pub time_ns: u64,
    /// Observations.
    pub count: u64,
    /// Their sum, where it means something.
    pub sum: Option<f64>,
    /// Bucket bounds are powers of 2^(2^-scale).
    pub scale: i32,
    /// Observations around zero.
    pub zero_count: u64,
    /// How far from zero that reaches.
    pub zero_threshold: f64,
    /// Buckets above zero.
    pub positive: Buckets<'a>,
    /// Buckets below zero, by absolute value.
    pub negative: Buckets<'a>,
    /// Whether it says that there is no value any more.
    pub is_no_value: bool,
}

/// Consecutive buckets of an exponential histogram.
#[derive(Clone, Copy, Debug, Default)]
pub struct Buckets<'a> {
    raw: &'a [u8],
    /// The first one's index.
    pub offset: i32,
}

/// `SummaryDataPoint`.
#[derive(Clone, Copy, Debug)]
pub struct SummaryPoint<'a> {
    raw: &'a [u8],
    /// Nanoseconds since 1970; 0 when not given.
    pub time_ns: u64,
    /// Observations.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// Whether it says that there is no value any more.
    pub is_no_value: bool,
}

/// `Exemplar`.
#[derive(Clone, Copy, Debug)]
pub struct ExemplarPoint<'a> {
    raw: &'a [u8],
    /// Nanoseconds since 1970; 0 when not given.
    pub time_ns: u64,
    /// What was measured.
    pub value: Option<PointValue>,
    /// Its trace; empty when it has none.
    pub trace_id: &'a [u8],
    /// Its span; empty when it has none.
    pub span_id: &'a [u8],
}

impl PointValue {
    /// As samples hold it.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Double(value) => value,
            Self::Int(value) => value as f64,
        }
    }
}

impl<'a> NumberPoint<'a> {
    /// A message that was validated before.
    pub fn of_valid(raw: &'a [u8]) -> Self {
        let mut read = Self { raw, time_ns: 0, value: None, is_no_value: false };
        for Field { number, wire } in Fields::of_valid(raw) {
            match (number, wire) {
                (3, Wire::Fixed64(time)) => read.time_ns = time,
                (4, Wire::Fixed64(bits)) => read.value = Some(PointValue::Double(f64::from_bits(bits))),
                (6, Wire::Fixed64(bits)) => read.value = Some(PointValue::Int(bits as i64)),
                (8, Wire::Varint(flags)) => read.is_no_value = flags & NO_RECORDED_VALUE != 0,
                _ => {}
            }
        }
        read
    }

    /// Its attributes.
    pub fn attributes(&self) -> KeyValues<'a> {
        KeyValues::new(self.raw, 7)
    }

    /// Its exemplars.
    pub fn exemplars(&self) -> impl Iterator<Item = ExemplarPoint<'a>> + use<'a> {
        messages(self.raw, 5).map(ExemplarPoint::of_valid)
    }
}

impl<'a> HistogramPoint<'a> {
    /// A message that was validated before.
    pub fn of_valid(raw: &'a [u8]) -> Self {
        let mut read = Self { raw, time_ns: 0, count: 0, sum: None, is_no_value: false };
        for Field { number, wire } in Fields::of_valid(raw) {
            match (number, wire) {
                (3, Wire::Fixed64(time)) => read.time_ns = time,
                (4, Wire::Fixed64(count)) => read.count = count,
                (5, Wire::Fixed64(bits)) => read.sum = Some(f64::from_bits(bits)),
                (10, Wire::Varint(flags)) => read.is_no_value = flags & NO_RECORDED_VALUE != 0,
                _ => {}
            }
        }
        read
    }

    /// Its attributes.
    pub fn attributes(&self) -> KeyValues<'a> {
        KeyValues::new(self.raw, 9)
    }

    /// Observations per bucket, each for itself.
    pub fn bucket_counts(&self) -> impl Iterator<Item = u64> + use<'a> {
        fixed64s(self.raw, 6)
    }

    /// The buckets' upper bounds, without infinity.
    pub fn bounds(&self) -> impl Iterator<Item = f64> + use<'a> {
        fixed64s(self.raw, 7).map(f64::from_bits)
    }

    /// Its exemplars.
    pub fn exemplars(&self) -> impl Iterator<Item = ExemplarPoint<'a>> + use<'a> {
        messages(self.raw, 8).map(ExemplarPoint::of_valid)
    }
}

impl<'a> ExponentialPoint<'a> {
    /// A message that was validated before.
    pub fn of_valid(raw: &'a [u8]) -> Self {
        let mut read = Self {
            raw,
            time_ns: 0,
            count: 0,
            sum: None,
            scale: 0,
            zero_count: 0,
            zero_threshold: 0.0,
            positive: Buckets::default(),
            negative: Buckets::default(),
            is_no_value: false,
        };
        for Field { number, wire } in Fields::of_valid(raw) {
            match (number, wire) {
                (3, Wire::Fixed64(time)) => read.time_ns = time,
                (4, Wire::Fixed64(count)) => read.count = count,
                (5, Wire::Fixed64(bits)) => read.sum = Some(f64::from_bits(bits)),
                (6, Wire::Varint(scale)) => read.scale = sint32(scale),
                (7, Wire::Fixed64(count)) => read.zero_count = count,
                (8, Wire::Bytes(raw)) => read.positive = Buckets::of_valid(raw),
                (9, Wire::Bytes(raw)) => read.negative = Buckets::of_valid(raw),
                (10, Wire::Varint(flags)) => read.is_no_value = flags & NO_RECORDED_VALUE != 0,
                (14, Wire::Fixed64(bits)) => read.zero_threshold = f64::from_bits(bits),
                _ => {}
            }
        }
        read
    }

    /// Its attributes.
    pub fn attributes(&self) -> KeyValues<'a> {
        KeyValues::new(self.raw, 1)
    }

    /// Its exemplars.
    pub fn exemplars(&self) -> impl Iterator<Item = ExemplarPoint<'a>> + use<'a> {
        messages(self.raw, 11).map(ExemplarPoint::of_valid)
    }
}

impl<'a> Buckets<'a> {
    fn of_valid(raw: &'a [u8]) -> Self {
        let mut read = Self { raw, offset: 0 };
        for Field { number, wire } in Fields::of_valid(raw) {
            if let (1, Wire::Varint(offset)) = (number, wire) {
                read.offset = sint32(offset);
            }
        }
        read
    }

    /// Observations per bucket.
    pub fn counts(&self) -> impl Iterator<Item = u64> + use<'a> {
        Fields::of_valid(self.raw).filter(|field| field.number == 2).flat_map(|field| {
            let (packed, single) = match field.wire {
                Wire::Bytes(packed) => (packed, None),
                Wire::Varint(count) => (&[][..], Some(count)),
                _ => (&[][..], None),
            };
            varints(packed).map_while(Result::ok).chain(single)
        })
    }
}

impl<'a> SummaryPoint<'a> {
    /// A message that was validated before.
    pub fn of_valid(raw: &'a [u8]) -> Self {
        let mut read = Self { raw, time_ns: 0, count: 0, sum: 0.0, is_no_value: false };
        for Field { number, wire } in Fields::of_valid(raw) {
            match (number, wire) {
                (3, Wire::Fixed64(time)) => read.time_ns = time,
                (4, Wire::Fixed64(count)) => read.count = count,
                (5, Wire::Fixed64(bits)) => read.sum = f64::from_bits(bits),
                (8, Wire::Varint(flags)) => read.is_no_value = flags & NO_RECORDED_VALUE != 0,
                _ => {}
            }
        }
        read
    }

    /// Its attributes.
    pub fn attributes(&self) -> KeyValues<'a> {
        KeyValues::new(self.raw, 7)
    }

    /// Quantile and value.
    pub fn quantiles(&self) -> impl Iterator<Item = (f64, f64)> + use<'a> {
        messages(self.raw, 6).map(|raw| {
            let (mut quantile, mut value) = (0.0, 0.0);
            for Field { number, wire } in Fields::of_valid(raw) {
                match (number, wire) {
                    (1, Wire::Fixed64(bits)) => quantile = f64::from_bits(bits),
                    (2, Wire::Fixed64(bits)) => value = f64::from_bits(bits),
                    _ => {}
                }
            }
            (quantile, value)
        })
    }
}

impl<'a> ExemplarPoint<'a> {
    fn of_valid(raw: &'a [u8]) -> Self {
        let mut read = Self { raw, time_ns: 0, value: None, trace_id: &[], span_id: &[] };
        for Field { number, wire } in Fields::of_valid(raw) {
            match (number, wire) {
                (2, Wire::Fixed64(time)) => read.time_ns = time,
                (3, Wire::Fixed64(bits)) => read.value = Some(PointValue::Double(f64::from_bits(bits))),
                (4, Wire::Bytes(id)) => read.span_id = id,
                (5, Wire::Bytes(id)) => read.trace_id = id,
                (6, Wire::Fixed64(bits)) => read.value = Some(PointValue::Int(bits as i64)),
                _ => {}
            }
        }
        read
    }

    /// Attributes that the view of the metric left out of the series.
    pub fn attributes(&self) -> KeyValues<'a> {
        KeyValues::new(self.raw, 7)
    }
}

/// A repeated fixed64 field, packed or one by one.
fn fixed64s<'a>(raw: &'a [u8], number: u32) -> impl Iterator<Item = u64> + use<'a> {
    Fields::of_valid(raw).filter(move |field| field.number == number).flat_map(|field| {
        let (packed, single) = match field.wire {
            Wire::Bytes(packed) => (packed, None),
            Wire::Fixed64(bits) => (&[][..], Some(bits)),
            _ => (&[][..], None),
        };
        let words = packed.chunks_exact(8).map(|word| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(word);
            u64::from_le_bytes(bytes)
        });
        words.chain(single)
    })
}

/// protobuf keeps the low 32 bits of a varint before it undoes the zigzag.
fn sint32(value: u64) -> i32 {
    unzigzag(u64::from(value as u32)) as i32
}
