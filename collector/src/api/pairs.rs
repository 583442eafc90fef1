//! A query string whose names may stand several times, as those of Jaeger's and Zipkin's APIs do.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::params::short;

/// Names and values, in order.
pub(super) struct Pairs(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Pairs {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::read(parts.uri.query().unwrap_or_default()))
    }
}

impl Pairs {
    pub(super) fn read(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes());
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The first that is given and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let given = self.0.iter().find(|(its, value)| its == name && !value.is_empty());
        given.map(|(_, value)| value.as_str())
    }

    /// All values under a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(its, _)| its == name).map(|(_, value)| value.as_str())
    }

    /// A whole number from 0 on; the message says what stands there instead.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, String> {
        let read = |text: &str| text.parse().map_err(|_| format!("{:?} is not a whole number", short(text)));
        self.get(name).map(read).transpose()
    }
}

/// A trace's id of up to 32 hexadecimal digits; leading zeros may be left out. Zeros are no id.
pub(super) fn trace_id(text: &str) -> Result<[u8; 16], String> {
    let is_hex = (1..=32).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    let id = Some(text).filter(|_| is_hex).and_then(|text| u128::from_str_radix(text, 16).ok());
    let id = id.filter(|id| *id != 0);
    id.map(u128::to_be_bytes)
        .ok_or_else(|| format!("{:?} is not a trace id of 1 to 32 hexadecimal digits", short(text)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_may_repeat_and_empty_values_are_none() {
        let pairs = Pairs::read("tag=a%3A1&limit=&tag=b:2+3&n=7&m=-1");
        assert_eq!(pairs.all("tag").collect::<Vec<_>>(), ["a:1", "b:2 3"]);
        assert_eq!(
            (pairs.get("limit"), pairs.number("n"), pairs.number("limit")),
            (None, Ok(Some(7)), Ok(None))
        );
        assert!(pairs.number("m").unwrap_err().contains("\"-1\""));
    }

    #[test]
    fn trace_ids_are_hexadecimal() {
        assert_eq!(trace_id("ab").unwrap()[14..], [0, 0xab]);
        assert_eq!(trace_id(&"f".repeat(32)), Ok([255; 16]));
        for text in ["", "0", "+1", "xyz", &"f".repeat(33), "0x1"] {
            assert!(trace_id(text).is_err(), "{text}");
        }
    }
}
