//! A span as Zipkin's v2 has it, whatever it was read from.

use std::borrow::Cow;
use std::fmt;

/// One side of a call, or what happened within a service.
#[derive(Clone, Debug, Default)]
pub(super) struct Span<'a> {
    pub(super) trace_id: Id<'a>,
    pub(super) parent_id: Id<'a>,
    pub(super) id: Id<'a>,
    pub(super) kind: Kind,
    pub(super) name: Cow<'a, str>,
    /// µs since 1970; 0 when not given.
    pub(super) timestamp: u64,
    /// µs; 0 when not given.
    pub(super) duration: u64,
    pub(super) local: Endpoint<'a>,
    pub(super) remote: Endpoint<'a>,
    pub(super) annotations: Vec<Annotation<'a>>,
    pub(super) tags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub(super) is_debug: bool,
    pub(super) is_shared: bool,
}

/// What a side's span is; a name that is not known is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    None,
    Client,
    Server,
    Producer,
    Consumer,
}

/// An address in the network and whose it is; "" and 0 when not given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Endpoint<'a> {
    pub(super) service: Cow<'a, str>,
    pub(super) ipv4: Cow<'a, str>,
    pub(super) ipv6: Cow<'a, str>,
    pub(super) port: u16,
}

/// Something that happened.
#[derive(Clone, Debug, Default)]
pub(super) struct Annotation<'a> {
    /// µs since 1970.
    pub(super) timestamp: u64,
    pub(super) value: Cow<'a, str>,
}

/// An id as it was sent.
#[derive(Clone, Debug)]
pub(super) enum Id<'a> {
    /// Hexadecimal digits, which may be fewer than the id has.
    Text(Cow<'a, str>),
    Bytes(&'a [u8]),
}

/// Why a text or bytes are no id.
#[derive(Debug)]
pub(super) enum IdFault {
    Text { digits: usize, sent: String },
    Bytes(usize),
}

impl Default for Id<'_> {
    fn default() -> Self {
        Self::Bytes(&[])
    }
}

impl Id<'_> {
    /// The same without a copy of its text.
    pub(super) fn borrowed(&self) -> Id<'_> {
        match self {
            Self::Text(text) => Id::Text(Cow::Borrowed(text)),
            Self::Bytes(bytes) => Id::Bytes(bytes),
        }
    }
}

impl Annotation<'_> {
    /// The same without a copy of its text.
    pub(super) fn borrowed(&self) -> Annotation<'_> {
        Annotation { timestamp: self.timestamp, value: Cow::Borrowed(&self.value) }
    }
}

impl Endpoint<'_> {
    /// The same without a copy of its texts.
    pub(super) fn borrowed(&self) -> Endpoint<'_> {
        Endpoint {
            service: Cow::Borrowed(&self.service),
            ipv4: Cow::Borrowed(&self.ipv4),
            ipv6: Cow::Borrowed(&self.ipv6),
            port: self.port,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Endpoint::default()
    }
}

impl Id<'_> {
    /// As `N` bytes, filled up with zeros in front; `None` when there is none, or only zeros.
    pub(super) fn read<const N: usize>(&self) -> Result<Option<[u8; N]>, IdFault> {
        let mut id = [0; N];
        match self {
            Self::Text(text) => digits(text, &mut id)?,
            Self::Bytes(bytes) => {
                // A trace's id may have the length of a span's.
                let is_known = [0, 8, N].contains(&bytes.len());
                let tail = N.checked_sub(bytes.len()).filter(|_| is_known);
                let tail = tail.ok_or(IdFault::Bytes(bytes.len()))?;
                id[tail..].copy_from_slice(bytes);
            }
        }
        Ok((id != [0; N]).then_some(id))
    }
}

fn digits(text: &str, id: &mut [u8]) -> Result<(), IdFault> {
    let max = 2 * id.len();
    let fault = || IdFault::Text { digits: max, sent: text.chars().take(60).collect() };
    if text.len() > max {
        return Err(fault());
    }
    for (at, digit) in text.bytes().rev().enumerate() {
        let value = char::from(digit).to_digit(16).ok_or_else(fault)? as u8;
        let byte = id.len() - 1 - at / 2;
        id[byte] |= if at % 2 == 0 { value } else { value << 4 };
    }
    Ok(())
}

impl fmt::Display for IdFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { digits, sent } => {
                write!(f, "{sent:?}, which is not 1 to {digits} hexadecimal digits")
            }
            Self::Bytes(len) => write!(f, "of {len} bytes"),
        }
    }
}
