//! The identity of a series: its labels, in one canonical spelling, so that equal sets
//! are equal bytes everywhere (journal, head, segments, query results).
//!
//! Canonical bytes: per label the name and the value, each as a varint of its length and
//! its UTF-8; sorted by name, byte by byte; no name twice, no empty name, no empty value
//! (in Prometheus' data model an empty value is an absent label).

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::otlp::wire::put_varint;

/// The label that holds a metric's name.
pub const METRIC_NAME: &str = "__name__";

/// A series' labels. Cheap to clone; equality and hash are those of the canonical bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LabelSet(Arc<[u8]>);

/// Why labels are no label set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// A name of no characters.
    #[error("a label has an empty name")]
    EmptyName,
    /// Two labels of one name.
    #[error("the label {0:?} stands twice")]
    Twice(String),
}

/// The labels of a set in order, borrowed. Also an iterator over them.
#[derive(Clone, Copy)]
pub struct Labels<'a>(&'a [u8]);

impl LabelSet {
    /// Sorts and checks; labels with an empty value are left out.
    pub fn new<N: AsRef<str>, V: AsRef<str>>(
        labels: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, LabelError> {
        let labels: Vec<(N, V)> = labels.into_iter().collect();
        let mut pairs: Vec<(&str, &str)> = labels.iter().map(|(n, v)| (n.as_ref(), v.as_ref())).collect();
        let mut bytes = Vec::new();
        canonical(&mut pairs, &mut bytes, |_| {})?;
        Ok(Self(bytes.into()))
    }

    /// The set without labels.
    pub fn empty() -> Self {
        Self(Arc::from([]))
    }

    /// Of bytes that are canonical already, as [`LabelSet::as_bytes`] or a samples payload has them.
    pub fn of_canonical(bytes: &[u8]) -> Self {
        Self(Arc::from(bytes))
    }

    /// The canonical bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The labels in order.
    pub fn iter(&self) -> Labels<'_> {
        Labels(&self.0)
    }

    /// The value of a label; `None` is the same as an empty one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().value(name)
    }

    /// The metric's name, if it has one.
    pub fn metric(&self) -> Option<&str> {
        self.get(METRIC_NAME)
    }

    /// Whether there are no labels.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A stable hash of the canonical bytes: the same on every machine and in every version.
    pub fn hash64(&self) -> u64 {
        xxh3_64(&self.0)
    }

    /// The labels for which `keep` says yes.
    pub fn filtered(&self, mut keep: impl FnMut(&str) -> bool) -> Self {
        let mut bytes = Vec::with_capacity(self.0.len());
        for (name, value) in self.iter() {
            if keep(name) {
                put_label(&mut bytes, name, value);
            }
        }
        Self(bytes.into())
    }

    /// The same with one label set to `value`, or without it if that is empty.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut bytes = Vec::with_capacity(self.0.len() + name.len() + value.len() + 4);
        let mut rest = self.iter().peekable();
        while let Some((before, its)) = rest.next_if(|(before, _)| *before < name) {
            put_label(&mut bytes, before, its);
        }
        if !value.is_empty() {
            put_label(&mut bytes, name, value);
        }
        rest.filter(|(after, _)| *after != name).for_each(|(after, its)| put_label(&mut bytes, after, its));
        Self(bytes.into())
    }
}

impl<'a> Labels<'a> {
    /// Of canonical bytes.
    pub fn of_canonical(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes of the labels that are left.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The value of a label.
    pub fn value(self, name: &str) -> Option<&'a str> {
        let mut rest = self.0;
        loop {
            let (its_name, after) = text_bytes(rest)?;
            let (value, after) = text_bytes(after)?;
            match its_name.cmp(name.as_bytes()) {
                Ordering::Less => rest = after,
                Ordering::Equal => return std::str::from_utf8(value).ok(),
                Ordering::Greater => return None,
            }
        }
    }

    /// An owned copy.
    pub fn to_set(self) -> LabelSet {
        LabelSet::of_canonical(self.0)
    }
}

impl<'a> Iterator for Labels<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, rest) = text_bytes(self.0)?;
        let (value, rest) = text_bytes(rest)?;
        self.0 = rest;
        Some((std::str::from_utf8(name).ok()?, std::str::from_utf8(value).ok()?))
    }
}

/// Writes the canonical bytes of `labels`, which it sorts if they are not; `end` is told where each label ends.
#[inline]
pub(crate) fn canonical(
    labels: &mut [(&str, &str)],
    out: &mut Vec<u8>,
    mut end: impl FnMut(usize),
) -> Result<(), LabelError> {
    if !labels.is_sorted_by(|a, b| a.0 < b.0) {
        labels.sort_by(|a, b| a.0.cmp(b.0));
    }
    let mut previous = None;
    for &(name, value) in labels.iter() {
        if name.is_empty() {
            return Err(LabelError::EmptyName);
        }
        if previous == Some(name) {
            return Err(LabelError::Twice(name.chars().take(100).collect()));
        }
        previous = Some(name);
        if !value.is_empty() {
            put_label(out, name, value);
            end(out.len());
        }
    }
    Ok(())
}

#[inline]
pub(crate) fn put_label(out: &mut Vec<u8>, name: &str, value: &str) {
    put_text(out, name.as_bytes());
    put_text(out, value.as_bytes());
}

/// A varint of the length, and the bytes.
#[inline]
pub(crate) fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    match text.len() {
        short @ 0..=0x7f => out.push(short as u8),
        long => put_varint(out, long as u64),
    }
    out.extend_from_slice(text);
}

/// Reads what `put_text` wrote.
#[inline]
pub(crate) fn text_bytes(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = match bytes {
        [short @ 0..=0x7f, rest @ ..] => (usize::from(*short), rest),
        _ => long_len(bytes)?,
    };
    rest.split_at_checked(len)
}

#[cold]
fn long_len(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut len = 0u64;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        len |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(len).ok()?, &bytes[index + 1..]));
        }
    }
    None
}

impl PartialOrd for LabelSet {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Label by label: name, then value; a set that ends first comes first.
impl Ord for LabelSet {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

/// As in PromQL: `{__name__="up", job="agent"}`.
impl fmt::Display for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (name, value)) in self.iter().enumerate() {
            write!(f, "{}{name}={value:?}", if index == 0 { "" } else { ", " })?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(*self).finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn labels_are_sorted_and_empty_ones_left_out() {
        let set = LabelSet::new([("job", "a"), ("__name__", "up"), ("zone", "")]).unwrap();
        assert_eq!(set.to_string(), r#"{__name__="up", job="a"}"#);
        assert_eq!((set.metric(), set.get("zone"), set.get("job")), (Some("up"), None, Some("a")));
    }

    #[test]
    fn bad_labels_are_named() {
        assert_eq!(LabelSet::new([("", "x")]), Err(LabelError::EmptyName));
        assert_eq!(LabelSet::new([("a", "x"), ("b", ""), ("a", "y")]), Err(LabelError::Twice("a".into())));
    }

    proptest! {
        #[test]
        fn a_set_is_the_map_that_it_was_made_of(map: BTreeMap<String, String>, name in "[a-c]{1,2}", value in "[x]{0,2}") {
            let map: BTreeMap<String, String> =
                map.into_iter().filter(|(n, v)| !n.is_empty() && !v.is_empty()).collect();
            let set = LabelSet::new(map.iter().rev()).unwrap();
            let read: BTreeMap<String, String> = set.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            prop_assert_eq!(&read, &map);
            let mut with = map.clone();
            with.insert(name.clone(), value.clone());
            with.retain(|_, v| !v.is_empty());
            prop_assert_eq!(set.with(&name, &value), LabelSet::new(&with).unwrap());
            prop_assert_eq!(set.filtered(|n| n != name), LabelSet::new(map.iter().filter(|(n, _)| **n != name)).unwrap());
        }
    }
}
