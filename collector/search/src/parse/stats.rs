//! `stats count() as n, … by (field, bin(1m))`; the parentheses behind `by` may be left out.

use super::{Parsed, Parser, bin, short, suggest, unclosed_quote};
use crate::lex::{Kind, Lexeme};
use crate::{Function, Group, Measure, ParseError, Stage, Stats};

const HOW: &str = "write `stats count() by (service, bin(1m))`";

impl<'a> Parser<'a> {
    pub(super) fn stats(&mut self, verb: &'a Lexeme) -> Parsed<Stage> {
        let mut measures = vec![self.measure(verb)?];
        while let Some(comma) = self.take(Kind::Comma) {
            measures.push(self.measure(comma)?);
        }
        let by = match self.keyword("by") {
            Some(by) => self.groups(by)?,
            None => Vec::new(),
        };
        let stats = Stats { measures, by };
        match duplicate_column(&stats) {
            Some(name) => {
                let message = format!("two columns are named `{}`", short(&name));
                let span = verb.span.start..self.here().end;
                Err(ParseError::new(span, message).hint("name one of them with `as`, as in `count() as n`"))
            }
            None => Ok(Stage::Stats(stats)),
        }
    }

    /// `count()`, with or without a name; behind `stats` or a comma.
    fn measure(&mut self, behind: &Lexeme) -> Parsed<Measure> {
        let Some(name) = self.take(Kind::Name) else {
            let message = format!("a function is missing behind `{}`", behind.text);
            return Err(ParseError::new(behind.span.clone(), message).hint(HOW));
        };
        let Some((_, function)) = Function::EVERY.iter().find(|(known, _)| *known == name.text) else {
            let message = format!("unknown function `{}`", short(&name.text));
            let known = Function::EVERY.map(|(known, _)| known);
            return Err(ParseError::new(name.span.clone(), message).hint(suggest(&name.text, &known)));
        };
        self.no_arguments(name)?;
        let name = match self.keyword("as") {
            Some(r#as) => Some(self.column_name(r#as)?),
            None => None,
        };
        Ok(Measure { function: *function, name })
    }

    fn no_arguments(&mut self, function: &Lexeme) -> Parsed<()> {
        let message = match (self.take(Kind::Open), self.peek_kind()) {
            (None, _) => "has no parentheses",
            (Some(_), Some(Kind::Close)) => {
                self.at += 1;
                return Ok(());
            }
            (Some(_), Some(Kind::Name)) => "takes nothing in its parentheses",
            (Some(_), _) => "has a `(` that is never closed",
        };
        let span = function.span.start..self.here().end;
        Err(ParseError::new(span, format!("`{}` {message}", function.text))
            .hint(format!("write `{}()`", function.text)))
    }

    fn column_name(&mut self, behind: &Lexeme) -> Parsed<String> {
        match self.peek() {
            Some(name) if name.kind == Kind::Name && !name.text.is_empty() => {
                self.at += 1;
                Ok(name.text.clone())
            }
            Some(quote) if quote.kind == Kind::Unclosed => Err(unclosed_quote(quote)),
            _ => Err(ParseError::new(behind.span.clone(), "`as` has no name behind it")
                .hint("write `count() as n`")),
        }
    }

    fn groups(&mut self, by: &'a Lexeme) -> Parsed<Vec<Group>> {
        let open = self.take(Kind::Open);
        let mut groups = vec![self.group_by(by)?];
        while let Some(comma) = self.take(Kind::Comma) {
            let group = self.group_by(comma)?;
            if groups.contains(&group) || (is_bin(&group) && groups.iter().any(is_bin)) {
                let span = comma.span.end..self.here().end;
                let message =
                    if is_bin(&group) { "there is a `bin` already" } else { "this field is there already" };
                return Err(ParseError::new(span, message).hint("leave it out"));
            }
            groups.push(group);
        }
        match (open, self.peek_kind()) {
            (Some(_), Some(Kind::Close)) => self.at += 1,
            (Some(_), Some(Kind::Name)) => return Err(self.no_comma()),
            (Some(open), _) => {
                return Err(ParseError::new(open.span.clone(), "`(` is never closed").hint("add a `)`"));
            }
            (None, Some(Kind::Name)) => return Err(self.no_comma()),
            (None, _) => {}
        }
        Ok(groups)
    }

    /// A field or `bin(1m)`; behind `by` or a comma.
    fn group_by(&mut self, behind: &'a Lexeme) -> Parsed<Group> {
        let called = self.lexemes.get(self.at + 1).is_some_and(|next| next.kind == Kind::Open);
        match self.peek() {
            Some(name) if called && name.kind == Kind::Name && !name.quoted => {
                self.at += 2;
                self.called(name)
            }
            _ => self.stage_field(behind, HOW).map(Group::Field),
        }
    }

    /// What stands in the parentheses of a function to group by.
    fn called(&mut self, name: &Lexeme) -> Parsed<Group> {
        if name.text != "bin" {
            let message = format!("unknown function `{}` to group by", short(&name.text));
            return Err(ParseError::new(name.span.clone(), message).hint(suggest(&name.text, &["bin"])));
        }
        let width = self.take(Kind::Name);
        let Some((width, _)) = width.zip(self.take(Kind::Close)) else {
            let span = name.span.start..self.here().end;
            return Err(ParseError::new(span, "this `bin` is not complete").hint("write `bin(1m)`"));
        };
        bin::width_ns(&width.text).map(|width_ns| Group::Bin { width_ns }).ok_or_else(|| {
            let message = format!("`{}` is not a length of time", short(&width.text));
            ParseError::new(width.span.clone(), message).hint(bin::HOW)
        })
    }

    fn no_comma(&self) -> ParseError {
        let (span, text) =
            self.peek().map_or((self.here(), ""), |next| (next.span.clone(), next.text.as_str()));
        ParseError::new(span, format!("a comma is missing before `{}`", short(text))).hint(HOW)
    }

    /// The word `as` or `by`.
    fn keyword(&mut self, word: &str) -> Option<&'a Lexeme> {
        let next = self.peek().filter(|next| next.kind == Kind::Name && !next.quoted && next.text == word);
        self.at += usize::from(next.is_some());
        next
    }
}

fn is_bin(group: &Group) -> bool {
    matches!(group, Group::Bin { .. })
}

fn duplicate_column(stats: &Stats) -> Option<String> {
    let mut names: Vec<String> = stats.by.iter().map(Group::column).collect();
    for measure in &stats.measures {
        let name = measure.column();
        if names.contains(&name) {
            return Some(name);
        }
        names.push(name);
    }
    None
}
