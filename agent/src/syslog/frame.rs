//! Messages out of a TCP stream (RFC 6587): octet counting where a length stands
//! first, else lines. A message over the limit is cut; the rest of it is passed over.

/// A message's bytes, and whether they are all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) bytes: Vec<u8>,
    pub(crate) cut: bool,
}

/// Cuts a stream into messages.
#[derive(Debug)]
pub(crate) struct Framer {
    max_bytes: usize,
    buffer: Vec<u8>,
    /// So many bytes of a counted message that was cut are passed over.
    skip: usize,
    /// The rest of a line that was cut is passed over.
    skip_line: bool,
}

/// `99999999 `: more digits are no length.
const MAX_LENGTH_DIGITS: usize = 8;

impl Framer {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { max_bytes, buffer: Vec::new(), skip: 0, skip_line: false }
    }

    /// Adds bytes and takes the messages that are complete.
    pub(crate) fn push(&mut self, bytes: &[u8], out: &mut Vec<Frame>) {
        self.buffer.extend_from_slice(bytes);
        let buffer = std::mem::take(&mut self.buffer);
        let mut rest = &buffer[..];
        while !rest.is_empty() {
            let used = self.next(rest, out);
            if used == 0 {
                break;
            }
            rest = &rest[used..];
        }
        self.buffer = rest.to_vec();
    }

    /// What is left when the stream ends.
    pub(crate) fn finish(&mut self) -> Option<Frame> {
        let bytes = std::mem::take(&mut self.buffer);
        let bytes = match length(&bytes) {
            Some((_, at)) => bytes[at..].to_vec(),
            None => bytes,
        };
        (!bytes.is_empty() && self.skip == 0 && !self.skip_line).then_some(Frame { bytes, cut: true })
    }

    /// How many bytes were used; 0 if there are not enough.
    fn next(&mut self, rest: &[u8], out: &mut Vec<Frame>) -> usize {
        if self.skip > 0 {
            let used = self.skip.min(rest.len());
            self.skip -= used;
            return used;
        }
        if self.skip_line {
            let end = memchr::memchr(b'\n', rest);
            self.skip_line = end.is_none();
            return end.map_or(rest.len(), |end| end + 1);
        }
        // Between messages: an empty line, or the newline that some senders put behind a counted message.
        if matches!(rest[0], b'\n' | b'\r' | 0) {
            return 1;
        }
        match length(rest) {
            Some((len, at)) => self.counted(rest, len, at, out),
            None if may_be_length(rest) => 0,
            None => self.line(rest, out),
        }
    }

    fn counted(&mut self, rest: &[u8], len: usize, at: usize, out: &mut Vec<Frame>) -> usize {
        let kept = len.min(self.max_bytes);
        if rest.len() < at + kept {
            return 0;
        }
        out.push(Frame { bytes: rest[at..at + kept].to_vec(), cut: kept < len });
        self.skip = len - kept;
        at + kept
    }

    fn line(&mut self, rest: &[u8], out: &mut Vec<Frame>) -> usize {
        match memchr::memchr2(b'\n', 0, rest) {
            Some(end) => {
                let kept = end.min(self.max_bytes);
                out.push(Frame { bytes: rest[..kept].to_vec(), cut: kept < end });
                end + 1
            }
            None if rest.len() > self.max_bytes => {
                out.push(Frame { bytes: rest[..self.max_bytes].to_vec(), cut: true });
                self.skip_line = true;
                self.max_bytes
            }
            None => 0,
        }
    }
}

/// `123 <`: the length and where its message begins.
fn length(rest: &[u8]) -> Option<(usize, usize)> {
    let digits = rest.iter().take(MAX_LENGTH_DIGITS + 1).take_while(|b| b.is_ascii_digit()).count();
    let valid = (1..=MAX_LENGTH_DIGITS).contains(&digits) && rest[0] != b'0';
    if !valid || rest.get(digits) != Some(&b' ') || rest.get(digits + 1).is_some_and(|b| *b != b'<') {
        return None;
    }
    rest.get(digits + 1)?;
    let len = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    Some((len, digits + 1))
}

/// Whether the bytes could still become a length.
fn may_be_length(rest: &[u8]) -> bool {
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    (1..=MAX_LENGTH_DIGITS).contains(&digits)
        && rest[0] != b'0'
        && (rest.len() == digits || (rest.len() == digits + 1 && rest[digits] == b' '))
}
