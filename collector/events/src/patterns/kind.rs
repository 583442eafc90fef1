//! What the values of a slot look like. The kinds are those of signatures, so that a signature says as much of a
//! slot as its bodies do.

use std::net::{IpAddr, SocketAddr};

use super::outline::{Class, class_of_byte, spelled_unit, unit};

/// What a value is, or what all values of a slot are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A decimal number, maybe with sign and fraction.
    Number,
    /// A decimal number, white space, and this unit: `12 KB`.
    Quantity(u8),
    /// 8 to 16 lower-case hexadecimal digits, or 32.
    Hex,
    /// An IP address, maybe with a port.
    Ip,
    /// A lower-case UUID.
    Uuid,
    /// Anything else, or values of several kinds.
    Text,
}

impl Kind {
    /// The kind of a single value.
    pub(crate) fn of(value: &str) -> Self {
        let value = value.strip_prefix('/').unwrap_or(value);
        if number(value).is_some() {
            return Self::Number;
        }
        if let Some((_, unit)) = quantity(value) {
            return Self::Quantity(unit);
        }
        // Neither address nor number is longer: long texts are not looked at.
        if value.len() > 64 || !value.is_ascii() {
            return Self::Text;
        }
        if value.parse::<IpAddr>().is_ok() || value.parse::<SocketAddr>().is_ok() {
            return Self::Ip;
        }
        if is_uuid(value.as_bytes()) {
            return Self::Uuid;
        }
        match matches!(value.len(), 8..=16 | 32) && value.bytes().all(is_hex_digit) {
            true => Self::Hex,
            false => Self::Text,
        }
    }

    /// The kind of a slot that has values of both kinds.
    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (own, other) if own == other => own,
            (Self::Number, Self::Hex) | (Self::Hex, Self::Number) => Self::Hex,
            _ => Self::Text,
        }
    }

    /// As the API names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Number | Self::Quantity(_) => "num",
            Self::Hex => "hex",
            Self::Ip => "ip",
            Self::Uuid => "uuid",
            Self::Text => "text",
        }
    }

    /// Whether every value is a number, or a number with one and the same unit.
    pub(crate) fn has_range(self) -> bool {
        matches!(self, Self::Number | Self::Quantity(_))
    }

    /// The unit that every value has.
    pub(crate) fn unit(self) -> Option<&'static str> {
        match self {
            Self::Quantity(unit) => Some(spelled_unit(unit)),
            _ => None,
        }
    }

    /// What people read in a slot's place, before its unit.
    pub(crate) fn placeholder(self) -> &'static str {
        match self {
            Self::Number | Self::Quantity(_) => "<num>",
            Self::Hex => "<hex>",
            Self::Ip => "<ip>",
            Self::Uuid => "<uuid>",
            Self::Text => "<*>",
        }
    }
}

/// The number that a value is; neither `inf` nor an exponent is one.
pub(crate) fn number(value: &str) -> Option<f64> {
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    let mut parts = digits.split('.');
    let is_whole = |part: &str| part.len() < 20 && part.bytes().all(|byte| byte.is_ascii_digit());
    let sound = parts.by_ref().take(2).all(|part| !part.is_empty() && is_whole(part));
    if !sound || parts.next().is_some() {
        return None;
    }
    value.parse().ok()
}

/// The number and the unit that a value is, white space between them.
pub(crate) fn quantity(value: &str) -> Option<(f64, u8)> {
    let is_space = |byte: &u8| class_of_byte(*byte) == Class::Space;
    let at = value.bytes().position(|byte| is_space(&byte))?;
    let rest = &value.as_bytes()[at..];
    let spaces = rest.iter().take_while(|byte| is_space(byte)).count();
    Some((number(&value[..at])?, unit(&rest[spaces..])?))
}

fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => is_hex_digit(*byte),
        })
}

fn is_hex_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_values() {
        let cases = [
            ("17", Kind::Number),
            ("-1.5", Kind::Number),
            ("+3", Kind::Number),
            ("1.2.3", Kind::Text),
            ("1e5", Kind::Text),
            ("", Kind::Text),
            ("-", Kind::Text),
            ("10.0.0.7", Kind::Ip),
            ("/10.0.0.7:8080", Kind::Ip),
            ("::1", Kind::Ip),
            ("[::1]:80", Kind::Ip),
            ("0x1f", Kind::Text),
            ("5.", Kind::Text),
            ("00000000000000000005", Kind::Text),
            ("DEADBEEF01", Kind::Text),
            ("deadbeef01", Kind::Hex),
            ("deadbe", Kind::Text),
            ("4bf92f35-77b3-4da6-a3ce-929d0e0e4736", Kind::Uuid),
            ("30ms", Kind::Text),
            ("ms", Kind::Text),
            ("30 apples", Kind::Text),
            ("1 2 ms", Kind::Text),
            ("30 ms KB", Kind::Text),
            ("größe", Kind::Text),
        ];
        for (value, kind) in cases {
            assert_eq!(Kind::of(value), kind, "{value}");
        }
        let (ms, spaced, micros) = (Kind::of("-1.5 ms"), Kind::of("30 \n ms"), Kind::of("7 µs"));
        assert_eq!((ms.name(), ms.placeholder(), ms.unit()), ("num", "<num>", Some("ms")));
        assert_eq!((ms.or(spaced), micros.unit(), ms.or(micros)), (ms, Some("µs"), Kind::Text));
        assert_eq!((ms.or(Kind::Number), Kind::Number.or(ms)), (Kind::Text, Kind::Text));
        assert_eq!(quantity("-1.5 ms").map(|(number, _)| number), Some(-1.5));
        assert_eq!(Kind::Number.or(Kind::Hex), Kind::Hex);
        assert_eq!(Kind::Ip.or(Kind::Number), Kind::Text);
    }
}
