//! v2 in protobuf: `zipkin.proto3.ListOfSpans`.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::span::{Annotation, Endpoint, Id, Kind, Span};
use super::write::Writer;
use super::{Report, ReportError};
use crate::otlp::DecodeError;
use crate::otlp::wire::{Cursor, Field, Wire};
use crate::room::Room;

/// Reads a list of spans.
pub fn decode_protobuf(raw: &[u8], max_spans: usize, room: Room<'_>) -> Result<Report, ReportError> {
    let mut writer = Writer::new(max_spans, room);
    let mut list = Cursor::new(raw);
    while let Some(field) = list.next().map_err(malformed)? {
        if field.number == 1 {
            let span = span(message(field, "spans").map_err(malformed)?, &mut writer)?;
            writer.take(&[span])?;
        }
    }
    Ok(writer.finish())
}

fn malformed(error: DecodeError) -> ReportError {
    ReportError::Malformed(format!("the body is no zipkin.proto3.ListOfSpans: {error}"))
}

fn span<'a>(raw: &'a [u8], writer: &mut Writer<'_>) -> Result<Span<'a>, ReportError> {
    let (mut span, mut fields) = (Span::default(), Cursor::new(raw));
    while let Some(field) = fields.next().map_err(malformed)? {
        // What a vector of such elements takes while it grows.
        match field.number {
            10 => writer.hold(3 * size_of::<Annotation<'_>>())?,
            11 => writer.hold(6 * size_of::<Cow<'_, str>>())?,
            _ => {}
        }
        member(&mut span, field).map_err(malformed)?;
    }
    Ok(span)
}

fn member<'a>(span: &mut Span<'a>, field: Field<'a>) -> Result<(), DecodeError> {
    match field.number {
        1 => span.trace_id = Id::Bytes(message(field, "trace_id")?),
        2 => span.parent_id = Id::Bytes(message(field, "parent_id")?),
        3 => span.id = Id::Bytes(message(field, "id")?),
        4 => span.kind = Kind::of_number(varint(field, "kind")?),
        5 => span.name = text(field, "name")?,
        6 => span.timestamp = fixed64(field, "timestamp")?,
        7 => span.duration = varint(field, "duration")?,
        8 => span.local = endpoint(message(field, "local_endpoint")?)?,
        9 => span.remote = endpoint(message(field, "remote_endpoint")?)?,
        10 => span.annotations.push(annotation(message(field, "annotations")?)?),
        11 => span.tags.push(tag(message(field, "tags")?)?),
        12 => span.is_debug = varint(field, "debug")? != 0,
        13 => span.is_shared = varint(field, "shared")? != 0,
        _ => {}
    }
    Ok(())
}

fn endpoint(raw: &[u8]) -> Result<Endpoint<'_>, DecodeError> {
    let (mut endpoint, mut fields) = (Endpoint::default(), Cursor::new(raw));
    while let Some(field) = fields.next()? {
        match field.number {
            1 => endpoint.service = text(field, "service_name")?,
            2 => {
                let address = <[u8; 4]>::try_from(message(field, "ipv4")?).map(Ipv4Addr::from);
                endpoint.ipv4 = address.map_or(Cow::Borrowed(""), |address| address.to_string().into());
            }
            3 => {
                let address = <[u8; 16]>::try_from(message(field, "ipv6")?).map(Ipv6Addr::from);
                endpoint.ipv6 = address.map_or(Cow::Borrowed(""), |address| address.to_string().into());
            }
            4 => endpoint.port = u16::try_from(varint(field, "port")?).unwrap_or(0),
            _ => {}
        }
    }
    Ok(endpoint)
}

fn annotation(raw: &[u8]) -> Result<Annotation<'_>, DecodeError> {
    let (mut annotation, mut fields) = (Annotation::default(), Cursor::new(raw));
    while let Some(field) = fields.next()? {
        match field.number {
            1 => annotation.timestamp = fixed64(field, "annotation.timestamp")?,
            2 => annotation.value = text(field, "annotation.value")?,
            _ => {}
        }
    }
    Ok(annotation)
}

fn tag(raw: &[u8]) -> Result<(Cow<'_, str>, Cow<'_, str>), DecodeError> {
    let (mut key, mut value) = (Cow::Borrowed(""), Cow::Borrowed(""));
    let mut fields = Cursor::new(raw);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => key = text(field, "a tag's key")?,
            2 => value = text(field, "a tag's value")?,
            _ => {}
        }
    }
    Ok((key, value))
}

impl Kind {
    fn of_number(number: u64) -> Self {
        match number {
            1 => Self::Client,
            2 => Self::Server,
            3 => Self::Producer,
            4 => Self::Consumer,
            _ => Self::None,
        }
    }
}

fn message<'a>(field: Field<'a>, name: &'static str) -> Result<&'a [u8], DecodeError> {
    match field.wire {
        Wire::Bytes(bytes) => Ok(bytes),
        _ => Err(DecodeError::WireType(name)),
    }
}

fn text<'a>(field: Field<'a>, name: &'static str) -> Result<Cow<'a, str>, DecodeError> {
    let bytes = message(field, name)?;
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| DecodeError::Utf8(name))
}

fn varint(field: Field<'_>, name: &'static str) -> Result<u64, DecodeError> {
    match field.wire {
        Wire::Varint(number) => Ok(number),
        _ => Err(DecodeError::WireType(name)),
    }
}

fn fixed64(field: Field<'_>, name: &'static str) -> Result<u64, DecodeError> {
    match field.wire {
        Wire::Fixed64(number) => Ok(number),
        _ => Err(DecodeError::WireType(name)),
    }
}
