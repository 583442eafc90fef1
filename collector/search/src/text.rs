//! The one definition of words and of "the same text": index, matcher and highlighting use nothing else.

use std::borrow::Cow;

mod exact;
mod like;
mod matching;
mod phrase;
mod regex;
mod required;

pub use matching::TextMatch;
pub use regex::{BadRegex, RegexMatch};
pub use required::RequiredWords;

/// Text as it is compared: every character in lower case, one by one. Folding twice changes nothing.
///
/// Borrowed when there is nothing to change.
pub fn fold(text: &str) -> Cow<'_, str> {
    let changes = |c: char| if c.is_ascii() { c.is_ascii_uppercase() } else { lower_differs(c) };
    let Some(start) = text.find(changes) else { return Cow::Borrowed(text) };
    if text.is_ascii() {
        return Cow::Owned(text.to_ascii_lowercase());
    }
    let mut folded = String::with_capacity(text.len() + 8);
    folded.push_str(&text[..start]);
    text[start..].chars().for_each(|c| folded.extend(c.to_lowercase()));
    Cow::Owned(folded)
}

/// The words of folded text, in order: each as long a run of word characters as there is.
pub fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|c| !is_word_char(c)).filter(|word| !word.is_empty())
}

/// Alphanumeric in any script, or `_`.
pub fn is_word_char(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() || c == '_' } else { c.is_alphanumeric() }
}

fn lower_differs(c: char) -> bool {
    let mut lower = c.to_lowercase();
    lower.next() != Some(c) || lower.next().is_some()
}

#[cfg(test)]
mod tests;
