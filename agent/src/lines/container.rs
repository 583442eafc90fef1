//! What container runtimes write around lines: CRI (Kubernetes' "CRI log
//! format") and Docker's json-file. Both cut long lines into parts of 16 KiB.

use std::borrow::Cow;

use telemetry::detect::{Clock, moment};
use telemetry::otlp::Any;

use crate::draft::Attributes;

/// Where a program has written a line to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Not said: the line is not wrapped.
    #[default]
    Bare,
    /// Its standard output.
    Stdout,
    /// Its standard error.
    Stderr,
}

/// How many streams there are.
pub(crate) const STREAMS: usize = 3;

impl Stream {
    /// Its name in `log.iostream`.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Bare => None,
            Self::Stdout => Some("stdout"),
            Self::Stderr => Some("stderr"),
        }
    }

    fn parse(name: &str) -> Option<Self> {
        match name {
            "stdout" => Some(Self::Stdout),
            "stderr" => Some(Self::Stderr),
            _ => None,
        }
    }
}

/// A line, or a part of one, out of its wrapping.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Unwrapped<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) stream: Stream,
    pub(crate) time_ns: u64,
    /// The next part belongs to the same line.
    pub(crate) is_part: bool,
    pub(crate) attributes: Attributes<'a>,
}

/// `2026-11-25T10:17:39.912345678Z stdout F message`
pub(crate) fn cri<'a>(line: &'a str, clock: &Clock<'_>) -> Option<Unwrapped<'a>> {
    let bytes = line.as_bytes();
    if bytes.get(10) != Some(&b'T') || !bytes[0].is_ascii_digit() {
        return None;
    }
    let (time, rest) = line.split_once(' ')?;
    let (stream, rest) = rest.split_once(' ')?;
    let stream = Stream::parse(stream)?;
    let (tags, text) = rest.split_once(' ').unwrap_or((rest, ""));
    // Tags are separated by colons; the first says whether the line ends here.
    let is_part = match tags.split(':').next()? {
        "P" => true,
        "F" => false,
        _ => return None,
    };
    let time_ns = moment(time, clock)?;
    Some(Unwrapped { text: Cow::Borrowed(text), stream, time_ns, is_part, attributes: Vec::new() })
}

/// `{"log":"message\n","stream":"stdout","time":"2026-11-25T10:17:39.912345678Z"}`, perhaps with `attrs`. Unless a
/// file is known to be Docker's (`asked`), all three must be there.
pub(crate) fn docker<'a>(line: &'a str, clock: &Clock<'_>, asked: bool) -> Option<Unwrapped<'a>> {
    let mut scan = Scan { rest: line };
    scan.expect("{")?;
    let mut found = Unwrapped::default();
    let (mut log, mut timed) = (None, false);
    loop {
        let key = scan.string()?;
        scan.expect(":")?;
        match &*key {
            "log" => log = Some(scan.string()?),
            "stream" => found.stream = Stream::parse(&scan.string()?)?,
            "time" => {
                found.time_ns = moment(&scan.string()?, clock)?;
                timed = true;
            }
            "attrs" => scan.attributes(&mut found.attributes)?,
            _ => return None,
        }
        if scan.expect(",").is_none() {
            break;
        }
    }
    scan.expect("}")?;
    let complete = asked || (timed && found.stream != Stream::Bare);
    if !complete || !scan.rest.trim_start().is_empty() {
        return None;
    }
    let text = log?;
    let end = text.strip_suffix('\n').map(str::len);
    found.is_part = end.is_none();
    found.text = match (text, end) {
        (Cow::Borrowed(text), Some(end)) => Cow::Borrowed(&text[..end]),
        (Cow::Owned(mut text), Some(end)) => {
            text.truncate(end);
            Cow::Owned(text)
        }
        (text, None) => text,
    };
    // A program on Windows ends lines with both.
    if !found.is_part && found.text.ends_with('\r') {
        found.text.to_mut().pop();
    }
    Some(found)
}

/// As much of JSON as Docker writes. Control characters inside of strings are taken as they are.
struct Scan<'a> {
    rest: &'a str,
}

impl<'a> Scan<'a> {
    fn expect(&mut self, what: &str) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(what)?;
        Some(())
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.expect("\"")?;
        let bytes = self.rest.as_bytes();
        let end = memchr::memchr2(b'"', b'\\', bytes)?;
        if bytes[end] == b'"' {
            let text = &self.rest[..end];
            self.rest = &self.rest[end + 1..];
            return Some(Cow::Borrowed(text));
        }
        let mut text = String::with_capacity(self.rest.len().min(1 << 12));
        loop {
            let end = memchr::memchr2(b'"', b'\\', self.rest.as_bytes())?;
            let (before, from) = self.rest.split_at(end);
            text.push_str(before);
            if let Some(rest) = from.strip_prefix('"') {
                self.rest = rest;
                return Some(Cow::Owned(text));
            }
            self.rest = &from[1..];
            text.push(self.escape()?);
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Option<char> {
        let kind = self.rest.chars().next()?;
        self.rest = &self.rest[kind.len_utf8()..];
        Some(match kind {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            '"' | '\\' | '/' => kind,
            'u' => self.unicode()?,
            _ => return None,
        })
    }

    /// Four hexadecimal digits, or a pair of surrogates; half a pair is replaced.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let before = self.rest;
        if let Some(rest) = self.rest.strip_prefix("\\u") {
            self.rest = rest;
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                return char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
            }
        }
        self.rest = before;
        Some(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.rest.get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.rest = &self.rest[4..];
        u32::from_str_radix(digits, 16).ok()
    }

    /// Labels and variables that `--log-opt` asks for: an object of strings.
    fn attributes(&mut self, attributes: &mut Attributes<'a>) -> Option<()> {
        self.expect("{")?;
        if self.expect("}").is_some() {
            return Some(());
        }
        loop {
            let key = self.string()?;
            self.expect(":")?;
            attributes.push((key, Any::Str(self.string()?)));
            if self.expect(",").is_none() {
                return self.expect("}");
            }
        }
    }
}
