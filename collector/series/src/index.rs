//! The label index of a segment: values of labels as sorted dictionaries, and which series have each.
//! Layouts: docs/format/segment-encodings.md.

mod automaton;
mod condition;
mod dictionary;
mod postings;

pub use condition::Condition;
pub use dictionary::{Dictionary, write_dictionary};
pub use postings::{Postings, write_postings};
