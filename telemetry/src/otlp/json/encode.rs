//! Messages as JSON text, led by the same schema as reading. Members stand in the schema's order; a list has its
//! elements in the order of the wire, of any other member the last on the wire counts, as in the protobuf walk.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::schema::{Kind, Member, Schema};
use crate::otlp::wire::{Field, Fields, Wire, unzigzag, varints};
use crate::value::valid_str;

/// Writes one message that was validated before.
pub(super) fn encode(raw: &[u8], schema: &'static Schema) -> String {
    let mut encoder = Encoder { out: String::with_capacity(2 * raw.len()), open: Vec::new() };
    encoder.message(raw, schema);
    encoder.out
}

struct Encoder<'a> {
    out: String,
    /// The known fields of the messages that are open, from outside in: each by its place in its schema.
    open: Vec<(usize, Wire<'a>)>,
}

impl<'a> Encoder<'a> {
    fn message(&mut self, raw: &'a [u8], schema: &'static Schema) {
        let start = self.open.len();
        for Field { number, wire } in Fields::of_valid(raw) {
            if let Some(at) = schema.members.iter().position(|member| member.number == number) {
                self.open.push((at, wire));
            }
        }
        if schema.is_value && self.open.len() > start + 1 {
            // A oneof.
            self.open.drain(start..self.open.len() - 1);
        }
        self.open[start..].sort_by_key(|(at, _)| *at);
        self.out.push('{');
        let (mut next, mut is_first) = (start, true);
        if let Some(member) = schema.members.first().filter(|member| always_named(member))
            && self.open.get(start).is_none_or(|(at, _)| *at != 0)
        {
            let empty = if matches!(member.kind, Kind::Many(_)) { "[]" } else { "\"\"" };
            self.display(format_args!("\"{}\":{empty}", member.name));
            is_first = false;
        }
        while let Some((at, _)) = self.open.get(next).copied() {
            let same = self.open[next..].iter().take_while(|(other, _)| *other == at).count();
            self.member(&schema.members[at], next..next + same, &mut is_first);
            next += same;
        }
        self.out.push('}');
        self.open.truncate(start);
    }

    /// Writes one member, whose fields are `range` of those that are open.
    fn member(&mut self, member: &'static Member, range: std::ops::Range<usize>, is_first: &mut bool) {
        let last = self.open[range.end - 1].1;
        if is_default(last, member) {
            return;
        }
        if !std::mem::replace(is_first, false) {
            self.out.push(',');
        }
        self.text(member.name);
        self.out.push(':');
        match (member.kind, last) {
            (Kind::Many(schema), _) => self.list(schema, range),
            (Kind::One(schema), Wire::Bytes(raw)) => self.message(raw, schema),
            (Kind::Packed(kind), _) => self.packed(*kind, range),
            (kind, wire) => self.scalar(kind, wire),
        }
    }

    fn list(&mut self, schema: &'static Schema, range: std::ops::Range<usize>) {
        self.out.push('[');
        for at in range.clone() {
            if at > range.start {
                self.out.push(',');
            }
            if let Wire::Bytes(raw) = self.open[at].1 {
                self.message(raw, schema);
            }
        }
        self.out.push(']');
    }

    /// Numbers, packed or each in a field of its own.
    fn packed(&mut self, kind: Kind, range: std::ops::Range<usize>) {
        let mut numbers = Vec::new();
        for at in range {
            match self.open[at].1 {
                Wire::Bytes(raw) if matches!(kind, Kind::Uint64) => {
                    numbers.extend(varints(raw).map_while(Result::ok).map(Wire::Varint));
                }
                Wire::Bytes(raw) => {
                    let (eights, _) = raw.as_chunks();
                    numbers.extend(eights.iter().map(|bytes| Wire::Fixed64(u64::from_le_bytes(*bytes))));
                }
                wire => numbers.push(wire),
            }
        }
        self.out.push('[');
        for (at, wire) in numbers.into_iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            self.scalar(kind, wire);
        }
        self.out.push(']');
    }

    fn scalar(&mut self, kind: Kind, wire: Wire<'_>) {
        match (kind, wire) {
            (Kind::Text, Wire::Bytes(bytes)) => self.text(valid_str(bytes)),
            (Kind::Hex(_) | Kind::AnyHex, Wire::Bytes(id)) => {
                self.out.push('"');
                id.iter().for_each(|byte| self.display(format_args!("{byte:02x}")));
                self.out.push('"');
            }
            (_, Wire::Bytes(bytes)) => {
                self.out.push('"');
                STANDARD.encode_string(bytes, &mut self.out);
                self.out.push('"');
            }
            (Kind::Bool, Wire::Varint(bit)) => self.out.push_str(if bit != 0 { "true" } else { "false" }),
            (Kind::Int64, Wire::Varint(bits)) => self.display(format_args!("\"{}\"", bits as i64)),
            (Kind::Sint32, Wire::Varint(bits)) => self.display(format_args!("{}", unzigzag(bits) as i32)),
            (Kind::Enum, Wire::Varint(bits)) => self.display(format_args!("{}", bits as i32)),
            (Kind::Uint32, Wire::Varint(bits)) => self.display(format_args!("{}", bits as u32)),
            (_, Wire::Varint(number)) => self.display(format_args!("\"{number}\"")),
            (Kind::Double, Wire::Fixed64(bits)) => self.double(f64::from_bits(bits)),
            (Kind::Sfixed64, Wire::Fixed64(bits)) => self.display(format_args!("\"{}\"", bits as i64)),
            (_, Wire::Fixed64(number)) => self.display(format_args!("\"{number}\"")),
            (_, Wire::Fixed32(number)) => self.display(format_args!("{number}")),
        }
    }

    /// The three names of protobuf's JSON mapping, or the shortest text that reads as the same.
    fn double(&mut self, number: f64) {
        match number {
            _ if number.is_nan() => self.out.push_str("\"NaN\""),
            f64::INFINITY => self.out.push_str("\"Infinity\""),
            f64::NEG_INFINITY => self.out.push_str("\"-Infinity\""),
            _ => self.display(format_args!("{number:?}")),
        }
    }

    fn display(&mut self, number: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _written = self.out.write_fmt(number);
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c < ' ' || matches!(c, '"' | '\\')) {
            self.out.push_str(&rest[..at]);
            match rest.as_bytes()[at] {
                b'"' => self.out.push_str("\\\""),
                b'\\' => self.out.push_str("\\\\"),
                b'\n' => self.out.push_str("\\n"),
                byte => self.display(format_args!("\\u{byte:04x}")),
            }
            rest = &rest[at + 1..];
        }
        self.out.push_str(rest);
        self.out.push('"');
    }
}

/// An attribute's key, and an array's or map's elements: some readers want them even where there is nothing.
fn always_named(member: &Member) -> bool {
    matches!(member.name, "key" | "values")
}

/// Whether a member is the same when it is not there.
fn is_default(wire: Wire<'_>, member: &Member) -> bool {
    let is_list = matches!(member.kind, Kind::Many(_) | Kind::One(_) | Kind::Packed(_));
    let is_value = member.is_set || is_list || matches!(member.kind, Kind::Base64);
    !is_value
        && !always_named(member)
        && match wire {
            Wire::Varint(number) => number == 0,
            Wire::Fixed64(bits) => bits == 0,
            Wire::Fixed32(bits) => bits == 0,
            Wire::Bytes(bytes) => bytes.is_empty(),
        }
}
