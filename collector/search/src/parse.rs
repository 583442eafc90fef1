//! Lexemes to a query, by recursive descent. Total: any text gives a query or an error that points at its place.

use std::ops::Range;

use crate::field::Subject;
use crate::lex::{Kind, Lexeme, lex};
use crate::{ParseError, Query};

mod amount;
pub(crate) mod bin;
mod columns;
mod filter;
mod name;
mod special;
mod stages;
mod stats;
mod value;

pub(crate) use stats::MOST_FUNCTIONS;

type Parsed<T> = Result<T, ParseError>;

/// How large a query may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the text.
    pub query_bytes: usize,
    /// How deep parentheses and negations nest; the stack grows with it.
    pub depth: usize,
    /// How many conditions it has.
    pub terms: usize,
}

impl Default for Limits {
    /// 8 KiB, 64 levels, 1,024 conditions.
    fn default() -> Self {
        Self { query_bytes: 8 << 10, depth: 64, terms: 1_024 }
    }
}

/// Reads a query of at most the default size.
pub fn parse(text: &str) -> Parsed<Query> {
    parse_within(text, &Limits::default())
}

/// Reads a query.
pub fn parse_within(text: &str, limits: &Limits) -> Parsed<Query> {
    parse_about(Subject::Logs, text, limits)
}

/// Reads a query for spans of at most the default size.
pub fn parse_spans(text: &str) -> Parsed<Query> {
    parse_spans_within(text, &Limits::default())
}

/// Reads a query for spans: names mean a span's fields, and what spans don't have is refused.
pub fn parse_spans_within(text: &str, limits: &Limits) -> Parsed<Query> {
    parse_about(Subject::Spans, text, limits)
}

fn parse_about(subject: Subject, text: &str, limits: &Limits) -> Parsed<Query> {
    if text.len() > limits.query_bytes {
        return Err(too_long(text, limits.query_bytes));
    }
    let lexemes = lex(text);
    let end = text.chars().count();
    let mut parser =
        Parser { about: subject, lexemes: &lexemes, at: 0, end, limits, depth: 0, terms: 0, regexes: 0 };
    let filter = parser.filter()?;
    let stages = parser.stages()?;
    Ok(Query { filter, stages })
}

fn too_long(text: &str, limit: usize) -> ParseError {
    let kept = text.char_indices().take_while(|(at, c)| at + c.len_utf8() <= limit).count();
    let message = format!("the query is longer than {limit} bytes");
    ParseError::new(kept..text.chars().count(), message).hint("search for less, or in several steps")
}

struct Parser<'a> {
    about: Subject,
    lexemes: &'a [Lexeme],
    at: usize,
    /// How many characters the query has.
    end: usize,
    limits: &'a Limits,
    depth: usize,
    terms: usize,
    regexes: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Lexeme> {
        self.lexemes.get(self.at)
    }

    fn peek_kind(&self) -> Option<Kind> {
        self.peek().map(|lexeme| lexeme.kind)
    }

    fn next(&mut self) -> Option<&'a Lexeme> {
        let lexeme = self.peek();
        self.at += usize::from(lexeme.is_some());
        lexeme
    }

    /// The next lexeme, if it is of this kind.
    fn take(&mut self, kind: Kind) -> Option<&'a Lexeme> {
        self.peek().filter(|lexeme| lexeme.kind == kind).inspect(|_| self.at += 1)
    }

    /// Where something is missing: right behind what was read last.
    fn here(&self) -> Range<usize> {
        let end = self.at.checked_sub(1).map_or(0, |last| self.lexemes[last].span.end);
        end..end
    }

    /// Guards a step down.
    fn nested<T>(&mut self, span: &Range<usize>, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == self.limits.depth {
            let message = format!("the query nests deeper than {} levels", self.limits.depth);
            return Err(
                ParseError::new(span.clone(), message).hint("leave out parentheses that change nothing")
            );
        }
        self.depth += 1;
        let parsed = inner(self);
        self.depth -= 1;
        parsed
    }

    /// Guards a condition.
    fn count_term(&mut self, span: &Range<usize>) -> Parsed<()> {
        self.terms += 1;
        if self.terms > self.limits.terms {
            let message = format!("the query has more than {} conditions", self.limits.terms);
            return Err(ParseError::new(span.clone(), message).hint("search for less, or in several steps"));
        }
        Ok(())
    }
}

fn unclosed_quote(lexeme: &Lexeme) -> ParseError {
    let quote = lexeme.span.start..lexeme.span.start + 1;
    let hint = match lexeme.single {
        true => "add a `'`; to search for one, put the text in `\"`",
        false => "add a `\"`; inside of quotes write `\\\"` for one",
    };
    ParseError::new(quote, "this quote is never closed").hint(hint)
}

/// A text for a message, shortened.
fn short(text: &str) -> String {
    const MOST: usize = 40;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain(['…']).collect()
}

/// "did you mean `x`? " and what there is.
fn suggest(unknown: &str, known: &[&str]) -> String {
    let list = known.join(", ");
    let near = known.iter().map(|name| (distance(unknown, name), name)).min();
    match near {
        Some((distance, name)) if distance <= 2 && distance < name.len() => {
            format!("did you mean `{name}`? there are: {list}")
        }
        _ => format!("there are: {list}"),
    }
}

/// How many characters must be changed, added or left out (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, c) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, d) in b.iter().enumerate() {
            let changed = diagonal + usize::from(c != *d);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
