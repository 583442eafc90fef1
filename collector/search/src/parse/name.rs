//! What the name of a field means, in a query for logs and in one for spans.

use super::{Parsed, short};
use crate::field::Subject;
use crate::lex::Lexeme;
use crate::{Field, ParseError};

/// What spans don't have, and what to write instead.
const NOT_OF_SPANS: [(&str, &str); 4] = [
    ("severity", "write `status:error` for spans that failed"),
    ("body", "text without a field is searched in a span's name and status message; or write `name:`"),
    ("pattern", "write `name:`, or ask the logs"),
    ("event_name", "write `event:` and the name of an event"),
];

impl Subject {
    /// What the name of a field means.
    pub(super) fn named(self, name: &Lexeme) -> Parsed<Field> {
        let field = match self {
            Self::Logs => Field::named(&name.text),
            Self::Spans => Field::of_span(&name.text),
        };
        field.ok_or_else(|| self.no_field(name, &name.text))
    }

    /// Why a name is none.
    pub(super) fn no_field(self, name: &Lexeme, text: &str) -> ParseError {
        let known = NOT_OF_SPANS.iter().find(|(field, _)| *field == text && self == Self::Spans);
        if let Some((field, hint)) = known {
            let message = format!("spans have no `{field}`");
            let attribute = format!("for an attribute of this name, `attributes.{field}`");
            return ParseError::new(name.span.clone(), message).hint(format!("{hint}; {attribute}"));
        }
        ParseError::new(name.span.clone(), format!("`{}` names no field", short(text)))
            .hint("write the attribute's name, as in `attributes.http.method`")
    }
}
