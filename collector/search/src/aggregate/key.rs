//! A group's key as bytes, so that a record of a known group allocates nothing.
//!
//! One cell after another: a tag, then nothing (null), 8 bytes little endian (integer, double, time), or the
//! length as u32 and the bytes (text).

use telemetry::Value;

use super::severity_cell;
use crate::{Cell, Field, Group, Number, Row, SpanField};

const NULL: u8 = 0;
const TEXT: u8 = 1;
const INT: u8 = 2;
const DOUBLE: u8 = 3;
const TIME: u8 = 4;

/// Appends a record's cell in the column of a group.
pub(super) fn encode_group<R: Row>(out: &mut Vec<u8>, group: &Group, row: &R) {
    match group {
        Group::Bin { width_ns } => {
            let time = row.time_ns();
            fixed(out, TIME, time.saturating_sub(time.rem_euclid(*width_ns)).to_le_bytes());
        }
        Group::Field(Field::Severity) => encode(out, &severity_cell(row.severity())),
        Group::Field(Field::TraceId) => id(out, row.trace_id().as_ref().map(|id| &id[..])),
        Group::Field(Field::SpanId) => id(out, row.span_id().as_ref().map(|id| &id[..])),
        Group::Field(Field::Span(SpanField::ParentId)) => {
            id(out, row.parent_id().as_ref().map(|id| &id[..]));
        }
        Group::Field(Field::Pattern) => {
            id(out, row.pattern().map(u64::to_be_bytes).as_ref().map(|id| &id[..]));
        }
        Group::Field(field) => value(out, row.field(field).unwrap_or_default()),
    }
}

/// Appends a cell.
pub(super) fn encode(out: &mut Vec<u8>, cell: &Cell) {
    match cell {
        Cell::Null => out.push(NULL),
        Cell::Text(content) => text(out, content),
        Cell::Number(number) => self::number(out, *number),
        Cell::Time(time) => fixed(out, TIME, time.to_le_bytes()),
    }
}

/// The cells of a key; stops at what `encode` does not write.
pub(super) fn decode(mut key: &[u8]) -> impl Iterator<Item = Cell> {
    std::iter::from_fn(move || {
        let (tag, rest) = key.split_first()?;
        let (cell, rest) = match *tag {
            NULL => (Cell::Null, rest),
            TEXT => {
                let (len, rest) = rest.split_first_chunk()?;
                let (content, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
                (Cell::Text(String::from_utf8_lossy(content).into_owned()), rest)
            }
            tag => {
                let (bits, rest) = rest.split_first_chunk()?;
                (
                    match tag {
                        INT => Cell::Number(Number::Int(i64::from_le_bytes(*bits))),
                        DOUBLE => Cell::Number(Number::of_double(f64::from_le_bytes(*bits))),
                        _ => Cell::Time(i64::from_le_bytes(*bits)),
                    },
                    rest,
                )
            }
        };
        key = rest;
        Some(cell)
    })
}

/// Numbers by value, whatever their type; everything else by its text.
pub(super) fn value(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Empty => out.push(NULL),
        Value::Int(int) => number(out, Number::Int(int)),
        Value::Double(double) => number(out, Number::of_double(double)),
        other => text(out, &other.to_text()),
    }
}

fn number(out: &mut Vec<u8>, number: Number) {
    match number {
        Number::Int(int) => fixed(out, INT, int.to_le_bytes()),
        // A caller's cell may hold a whole number as a double.
        Number::Double(double) => match Number::of_double(double) {
            Number::Int(int) => fixed(out, INT, int.to_le_bytes()),
            Number::Double(double) => fixed(out, DOUBLE, double.to_le_bytes()),
        },
    }
}

fn id(out: &mut Vec<u8>, id: Option<&[u8]>) {
    match id {
        Some(id) => text(out, &crate::row::hex(id)),
        None => out.push(NULL),
    }
}

fn text(out: &mut Vec<u8>, content: &str) {
    fixed(out, TEXT, (content.len() as u32).to_le_bytes());
    out.extend_from_slice(content.as_bytes());
}

fn fixed<const N: usize>(out: &mut Vec<u8>, tag: u8, bytes: [u8; N]) {
    out.push(tag);
    out.extend_from_slice(&bytes);
}
