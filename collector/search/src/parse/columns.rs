//! `sort` and `fields`: of records, by the names of fields; of a table, by those of its columns.

use super::{Parsed, Parser, short, suggest, unclosed_quote};
use crate::field::Subject;
use crate::lex::{Kind, Lexeme};
use crate::{ParseError, RecordColumn, SortKey, Stage};

/// The most names in one stage.
const MOST_NAMES: usize = 50;

/// What the stages up to here give.
pub(super) enum Columns {
    Records(Subject),
    Table(Vec<String>),
}

impl Columns {
    /// What these stages give.
    pub(super) fn behind(about: Subject, stages: &[Stage]) -> Self {
        let table = stages.iter().fold(None, |table: Option<Vec<String>>, stage| match (stage, table) {
            (Stage::Stats(stats), _) => Some(stats.columns().collect()),
            (Stage::Top(top), _) => Some(top.columns().into()),
            (Stage::Fields(names), Some(_)) => Some(names.clone()),
            (_, table) => table,
        });
        table.map_or(Self::Records(about), Self::Table)
    }

    /// The column's own name.
    fn resolve(&self, name: &Lexeme, text: String) -> Parsed<String> {
        match self {
            Self::Records(Subject::Logs) => {
                RecordColumn::named(&text).map(|column| column.name()).ok_or_else(|| {
                    ParseError::new(name.span.clone(), format!("`{}` names no field", short(&text)))
                        .hint("write a field's name, as in `service`, or `timestamp`")
                })
            }
            Self::Records(about) => RecordColumn::of_span(&text)
                .map(|column| column.name())
                .ok_or_else(|| about.no_field(name, &text)),
            Self::Table(names) if names.contains(&text) => Ok(text),
            Self::Table(names) => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                Err(ParseError::new(name.span.clone(), format!("there is no column `{}`", short(&text)))
                    .hint(suggest(&text, &names)))
            }
        }
    }
}

impl<'a> Parser<'a> {
    /// `sort by a desc, b`; the `by` may be left out.
    pub(super) fn sort(&mut self, verb: &'a Lexeme, columns: &Columns) -> Parsed<Stage> {
        let behind = self.keyword("by").unwrap_or(verb);
        let keys = self.names(behind, "write `sort by took desc, service`", |parser, name| {
            let name = parser.column(name, columns)?;
            let descending = parser.keyword("desc").is_some();
            if !descending {
                parser.keyword("asc");
            }
            Ok(SortKey { name, descending })
        })?;
        Ok(Stage::Sort(keys))
    }

    /// `fields a, b`.
    pub(super) fn fields(&mut self, verb: &'a Lexeme, columns: &Columns) -> Parsed<Stage> {
        let names = self.names(verb, "write `fields timestamp, service, body`", |parser, name| {
            let first = name.span.start;
            parser.column(name, columns).map(|name| (name, first..parser.here().end))
        })?;
        let twice = (1..names.len()).find(|at| names[..*at].iter().any(|(name, _)| *name == names[*at].0));
        match twice {
            Some(at) => {
                Err(ParseError::new(names[at].1.clone(), "this field is there already").hint("leave it out"))
            }
            None => Ok(Stage::Fields(names.into_iter().map(|(name, _)| name).collect())),
        }
    }

    /// At least one name, with commas between.
    fn names<T>(
        &mut self,
        verb: &'a Lexeme,
        hint: &str,
        read: impl Fn(&mut Self, &'a Lexeme) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let mut behind = verb;
        let mut names = Vec::new();
        loop {
            match self.peek() {
                Some(name) if name.kind == Kind::Name => self.at += 1,
                Some(quote) if quote.kind == Kind::Unclosed => return Err(unclosed_quote(quote)),
                _ => {
                    let message = format!("`{}` has no field behind it", behind.text);
                    return Err(ParseError::new(behind.span.clone(), message).hint(hint));
                }
            }
            let name = &self.lexemes[self.at - 1];
            if names.len() == MOST_NAMES {
                return Err(ParseError::new(
                    name.span.clone(),
                    format!("more than {MOST_NAMES} names in `{}`", verb.text),
                )
                .hint("leave some out"));
            }
            names.push(read(self, name)?);
            match self.take(Kind::Comma) {
                Some(comma) => behind = comma,
                None if self.peek_kind() == Some(Kind::Name) => return Err(self.no_comma()),
                None => return Ok(names),
            }
        }
    }

    /// A column by its name, or as the function that it is computed with.
    fn column(&mut self, name: &'a Lexeme, columns: &Columns) -> Parsed<String> {
        let called = self.peek_kind() == Some(Kind::Open) && !name.quoted;
        let text = match (called, columns) {
            (false, _) => name.text.clone(),
            (true, Columns::Table(_)) => self.function(name)?.column(),
            (true, Columns::Records(_)) => {
                let message = format!("`{}(` is no field", short(&name.text));
                return Err(ParseError::new(name.span.clone(), message)
                    .hint("to sort by a function, write it behind `stats`"));
            }
        };
        columns.resolve(name, text)
    }
}
