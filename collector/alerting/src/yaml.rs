//! The one place that knows the YAML library: text into plain structs, with the
//! line and column of every value and of the first fault.

pub(crate) mod tree;

use serde::de::{Deserialize, DeserializeOwned, Deserializer};

/// Where a value stands in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: u64,
    /// From 1.
    pub column: u64,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// `None` where the value is a default.
    pub place: Option<Place>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = serde_saphyr::Spanned::<T>::deserialize(deserializer)?;
        Ok(Self { value: spanned.value, place: place(spanned.referenced) })
    }
}

/// Why text is no such struct.
#[derive(Debug)]
pub struct Fault {
    /// Where, if it has a place.
    pub place: Option<Place>,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Reads one document; an empty text is a struct of defaults.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error.location().and_then(place);
        Fault { place, message: without_place(&error.to_string()) }
    })
}

fn place(location: serde_saphyr::Location) -> Option<Place> {
    let (line, column) = (location.line(), location.column());
    (line > 0).then_some(Place { line, column })
}

/// The library ends its messages with the place, which is shown in front here.
fn without_place(message: &str) -> String {
    let first_line = message.lines().next().unwrap_or(message);
    first_line.split(" at line ").next().unwrap_or(first_line).trim_end_matches(':').to_owned()
}
