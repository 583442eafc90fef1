//! What follows the filter: `| stage | stage`. A stage is a line in `STAGES` and a function that reads it.

use super::value::named;
use super::{Parsed, Parser, short, suggest, unclosed_quote};
use crate::lex::{Kind, Lexeme};
use crate::{Field, ParseError, Stage, Top};

/// Reads what stands behind the stage's name.
type Reader = for<'p, 'a> fn(&'p mut Parser<'a>, &'a Lexeme) -> Parsed<Stage>;

const STAGES: [(&str, Reader); 3] = [
    ("stats", |parser, verb| parser.stats(verb)),
    ("top", |parser, verb| parser.top(verb)),
    ("limit", |parser, verb| parser.limit(verb)),
];

/// How many values `top` gives, unless it says so.
const TOP_DEFAULT: usize = 10;
/// The most that `top` and `limit` can give.
const MOST_ROWS: usize = 100_000;

impl<'a> Parser<'a> {
    /// Every `| stage` up to the end.
    pub(super) fn stages(&mut self) -> Parsed<Vec<Stage>> {
        let mut stages: Vec<Stage> = Vec::new();
        while let Some(pipe) = self.take(Kind::Pipe) {
            let Some(verb) = self.take(Kind::Name) else { return Err(self.no_stage(pipe)) };
            let Some((_, reader)) = STAGES.iter().find(|(name, _)| *name == verb.text && !verb.quoted) else {
                let message = format!("unknown stage `{}`", short(&verb.text));
                return Err(ParseError::new(verb.span.clone(), message)
                    .hint(suggest(&verb.text, &STAGES.map(|s| s.0))));
            };
            if let Some(before) = stages.last() {
                demand_order(before, verb)?;
            }
            stages.push(reader(self, verb)?);
            self.demand_end(verb)?;
        }
        Ok(stages)
    }

    fn top(&mut self, verb: &'a Lexeme) -> Parsed<Stage> {
        let counted =
            self.peek().filter(|first| first.kind == Kind::Name && first.text.parse::<u64>().is_ok());
        let count = match counted.filter(|first| !first.quoted) {
            Some(_) => self.row_count(verb)?,
            None => TOP_DEFAULT,
        };
        let field = self.stage_field(verb, "write `top 10 service`")?;
        Ok(Stage::Top(Top { count, field }))
    }

    fn limit(&mut self, verb: &'a Lexeme) -> Parsed<Stage> {
        self.row_count(verb).map(Stage::Limit)
    }

    fn row_count(&mut self, verb: &Lexeme) -> Parsed<usize> {
        let hint = format!("write `{} N` with N from 1 to {MOST_ROWS}", verb.text);
        let Some(lexeme) = self.take(Kind::Name) else {
            return Err(ParseError::new(
                verb.span.clone(),
                format!("`{}` has no number behind it", verb.text),
            )
            .hint(hint));
        };
        lexeme.text.parse().ok().filter(|count| (1..=MOST_ROWS).contains(count)).ok_or_else(|| {
            let message = format!("`{}` is not a number of rows", short(&lexeme.text));
            ParseError::new(lexeme.span.clone(), message).hint(hint)
        })
    }

    /// A field's name in a stage.
    pub(super) fn stage_field(&mut self, of: &Lexeme, hint: &str) -> Parsed<Field> {
        match self.peek() {
            Some(name) if name.kind == Kind::Name => {
                self.at += 1;
                named(name)
            }
            Some(quote) if quote.kind == Kind::Unclosed => Err(unclosed_quote(quote)),
            _ => {
                Err(ParseError::new(of.span.clone(), format!("`{}` has no field behind it", of.text))
                    .hint(hint))
            }
        }
    }

    fn no_stage(&self, pipe: &Lexeme) -> ParseError {
        let doubled = self.peek().filter(|next| next.kind == Kind::Pipe && next.span.start == pipe.span.end);
        if let Some(second) = doubled {
            let span = pipe.span.start..second.span.end;
            return ParseError::new(span, "`||` is not an operator").hint("write OR between two conditions");
        }
        let list = STAGES.map(|stage| stage.0).join(", ");
        match self.peek().filter(|next| next.kind == Kind::Unclosed) {
            Some(quote) => unclosed_quote(quote),
            None => ParseError::new(pipe.span.clone(), "`|` has no stage behind it")
                .hint(format!("there are: {list}")),
        }
    }

    /// A stage ends at `|` or at the end of the query.
    fn demand_end(&self, verb: &Lexeme) -> Parsed<()> {
        match self.peek() {
            None => Ok(()),
            Some(lexeme) if lexeme.kind == Kind::Pipe => Ok(()),
            Some(lexeme) if lexeme.kind == Kind::Unclosed => Err(unclosed_quote(lexeme)),
            Some(lexeme) => {
                let message = format!("`{}` has no meaning behind `{}`", short(&lexeme.text), verb.text);
                Err(ParseError::new(lexeme.span.clone(), message).hint("the next stage begins with `|`"))
            }
        }
    }
}

/// One table, then its limit.
fn demand_order(before: &Stage, verb: &Lexeme) -> Parsed<()> {
    let message = match (before, verb.text.as_str()) {
        (Stage::Limit(_), "limit") => "there is a `limit` before this one",
        (Stage::Limit(_), _) => "nothing can follow `limit`",
        (_, "limit") => return Ok(()),
        _ => "there is a `stats` or `top` before this one",
    };
    Err(ParseError::new(verb.span.clone(), message)
        .hint("a query has one `stats` or `top`, then one `limit`"))
}
