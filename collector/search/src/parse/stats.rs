//! `stats count() as n, … by (field, bin(1m))`; the parentheses behind `by` may be left out.

use super::{Parsed, Parser, bin, short, suggest, unclosed_quote};
use crate::lex::{Kind, Lexeme};
use crate::{Field, Function, Group, Measure, ParseError, Quantile, Stage, Stats};

const HOW: &str = "write `stats count() by (service, bin(1m))`";
/// How many functions one `stats` may have.
pub(crate) const MOST_FUNCTIONS: usize = 16;

impl<'a> Parser<'a> {
    pub(super) fn stats(&mut self, verb: &'a Lexeme) -> Parsed<Stage> {
        let mut measures = vec![self.measure(verb)?];
        while let Some(comma) = self.take(Kind::Comma) {
            measures.push(self.measure(comma)?);
            if measures.len() > MOST_FUNCTIONS {
                let message = format!("`stats` has more than {MOST_FUNCTIONS} functions");
                let span = comma.span.end..self.here().end;
                return Err(ParseError::new(span, message).hint("ask in several queries"));
            }
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
        let function = self.function(name)?;
        let name = match self.keyword("as") {
            Some(r#as) => Some(self.column_name(r#as)?),
            None => None,
        };
        Ok(Measure { function, name })
    }

    /// A function with what stands in its parentheses.
    pub(super) fn function(&mut self, name: &'a Lexeme) -> Parsed<Function> {
        let known = name.text == "quantile" || Function::named(&name.text, Field::Body).is_some();
        if !known {
            let message = format!("unknown function `{}`", short(&name.text));
            return Err(
                ParseError::new(name.span.clone(), message).hint(suggest(&name.text, &Function::NAMES))
            );
        }
        let arguments = self.arguments(name)?;
        let function = match (name.text.as_str(), arguments.as_slice()) {
            ("count", []) => Some(Function::Count),
            ("quantile", [share, field]) => {
                let Some(quantile) = Quantile::share(&share.text) else {
                    let message = format!("`{}` is no share", short(&share.text));
                    return Err(ParseError::new(share.span.clone(), message).hint(
                        "write one from 0 to 1 with at most six decimals, as in `quantile(0.95, took)`",
                    ));
                };
                Some(Function::Quantile(quantile, self.about.named(field)?))
            }
            ("quantile", _) => None,
            (other, [field]) => Function::named(other, self.about.named(field)?),
            _ => None,
        };
        if let Some(function) = &function {
            self.demand_values(name, function)?;
        }
        function.ok_or_else(|| {
            let message = match name.text.as_str() {
                "count" => "takes one field, or nothing",
                "quantile" => "takes a share and a field",
                _ => "takes one field",
            };
            let span = name.span.start..self.here().end;
            ParseError::new(span, format!("`{}` {message}", name.text)).hint(how(&name.text))
        })
    }

    /// Ids can be counted, no more.
    fn demand_values(&self, name: &Lexeme, function: &Function) -> Parsed<()> {
        if !function.field().is_some_and(Field::is_id)
            || matches!(function, Function::CountOf(_) | Function::Distinct(_))
        {
            return Ok(());
        }
        let field = function.field().map(Field::name).unwrap_or_default();
        let message = format!("`{field}` is no value for `{}`", name.text);
        Err(ParseError::new(name.span.start..self.here().end, message)
            .hint("of ids there are count and distinct"))
    }

    /// Names between parentheses and commas.
    fn arguments(&mut self, function: &Lexeme) -> Parsed<Vec<&'a Lexeme>> {
        let error = |parser: &Self, message: &str| {
            let span = function.span.start..parser.here().end;
            Err(ParseError::new(span, format!("`{}` {message}", function.text)).hint(how(&function.text)))
        };
        if self.take(Kind::Open).is_none() {
            return error(self, "has no parentheses");
        }
        let mut arguments = Vec::new();
        if self.take(Kind::Close).is_some() {
            return Ok(arguments);
        }
        loop {
            match self.peek() {
                Some(name) if name.kind == Kind::Name => arguments.push(name),
                Some(quote) if quote.kind == Kind::Unclosed => return Err(unclosed_quote(quote)),
                Some(other) if matches!(other.kind, Kind::Comma | Kind::Close) => {
                    return error(self, "has an empty place in its parentheses");
                }
                _ => return error(self, "has a `(` that is never closed"),
            }
            self.at += 1;
            match self.peek_kind() {
                Some(Kind::Close) => break,
                Some(Kind::Comma) => self.at += 1,
                Some(Kind::Name) => return Err(self.no_comma()),
                _ => return error(self, "has a `(` that is never closed"),
            }
        }
        self.at += 1;
        Ok(arguments)
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

    pub(super) fn no_comma(&self) -> ParseError {
        let (span, text) =
            self.peek().map_or((self.here(), ""), |next| (next.span.clone(), next.text.as_str()));
        ParseError::new(span, format!("a comma is missing before `{}`", short(text))).hint(HOW)
    }

    /// A word like `as` or `by`.
    pub(super) fn keyword(&mut self, word: &str) -> Option<&'a Lexeme> {
        let next = self.peek().filter(|next| next.kind == Kind::Name && !next.quoted && next.text == word);
        self.at += usize::from(next.is_some());
        next
    }
}

/// How to write a function.
fn how(function: &str) -> String {
    match function {
        "count" => "write `count()` or `count(field)`".to_owned(),
        "quantile" => "write `quantile(0.95, field)`".to_owned(),
        other => format!("write `{other}(field)`"),
    }
}

fn is_bin(group: &Group) -> bool {
    matches!(group, Group::Bin { .. })
}

fn duplicate_column(stats: &Stats) -> Option<String> {
    let mut names = std::collections::HashSet::new();
    stats.columns().find(|name| !names.insert(name.clone()))
}
