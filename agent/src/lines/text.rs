//! A line's bytes as text.

use std::borrow::Cow;

use super::MAX_LINE_BYTES;

/// What was special about a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Only its beginning is there.
    pub(crate) cut: bool,
    /// It had no newline when it was delivered, or is the rest of such a line.
    pub(crate) partial: bool,
    /// Bytes that are not UTF-8 were replaced.
    pub(crate) mended: bool,
}

impl Marks {
    /// Those of both.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            cut: self.cut || other.cut,
            partial: self.partial || other.partial,
            mended: self.mended || other.mended,
        }
    }
}

/// The text of a line without its newline: cut, without a carriage return, in UTF-8.
pub(crate) fn clean(raw: &[u8], mut marks: Marks) -> (Cow<'_, str>, Marks) {
    let raw = trim(raw);
    let kept = &raw[..raw.len().min(MAX_LINE_BYTES)];
    marks.cut |= kept.len() < raw.len();
    match String::from_utf8_lossy(kept) {
        Cow::Borrowed(text) => (Cow::Borrowed(text), marks),
        Cow::Owned(mut text) => {
            // A character that the cut has split is no fault of the line.
            marks.mended |= !(kept.len() < raw.len() && is_split_at_end(kept));
            let end = text.floor_char_boundary(MAX_LINE_BYTES);
            marks.cut |= end < text.len();
            text.truncate(end);
            (Cow::Owned(text), marks)
        }
    }
}

/// Without a carriage return at the end, and without the zeros that a writer leaves before its old offset when its file
/// is truncated under it.
fn trim(raw: &[u8]) -> &[u8] {
    let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
    match raw.first() {
        Some(0) => raw.iter().position(|byte| *byte != 0).map_or(&[], |start| &raw[start..]),
        _ => raw,
    }
}

fn is_split_at_end(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}
