//! What follows the filter: `| stage | stage`. A stage is a line in `STAGES` and a function that reads it.

use super::columns::Columns;
use super::{Parsed, Parser, short, suggest, unclosed_quote};
use crate::field::Subject;
use crate::lex::{Kind, Lexeme};
use crate::{Field, ParseError, Stage, Top};

/// Reads what stands behind the stage's name; what it works on has these columns.
type Reader = for<'p, 'a> fn(&'p mut Parser<'a>, &'a Lexeme, &Columns) -> Parsed<Stage>;

const STAGES: [(&str, Reader); 6] = [
    ("stats", |parser, verb, _| parser.stats(verb)),
    ("top", |parser, verb, _| parser.top(verb)),
    ("sort", |parser, verb, columns| parser.sort(verb, columns)),
    ("fields", |parser, verb, columns| parser.fields(verb, columns)),
    ("limit", |parser, verb, _| parser.limit(verb)),
    ("patterns", |_, _, _| Ok(Stage::Patterns)),
];

/// How many values `top` gives, unless it says so.
const TOP_DEFAULT: usize = 10;
/// The most that `top` and `limit` can give.
const MOST_ROWS: usize = 100_000;
/// How many stages a query may have.
const MOST_STAGES: usize = 16;

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
            demand_order(&stages, verb)?;
            self.demand_known(verb)?;
            stages.push(reader(self, verb, &Columns::behind(self.about, &stages))?);
            self.demand_end(verb)?;
        }
        Ok(stages)
    }

    /// Spans have no bodies, and so no patterns.
    fn demand_known(&self, verb: &Lexeme) -> Parsed<()> {
        if self.about == Subject::Logs || verb.text != "patterns" {
            return Ok(());
        }
        Err(ParseError::new(verb.span.clone(), "spans have no patterns")
            .hint("write `top 10 name` for the most frequent operations"))
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
                self.about.named(name)
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

/// What the stage of this verb can follow (see [`crate::Query::stages`]).
fn demand_order(before: &[Stage], verb: &Lexeme) -> Parsed<()> {
    let Some((first, last)) = before.first().zip(before.last()) else { return Ok(()) };
    let verb_text = verb.text.as_str();
    let refuse = |last: &str, hint: &str| {
        Err(ParseError::new(verb.span.clone(), format!("`{verb_text}` cannot follow `{last}`")).hint(hint))
    };
    if before.len() == MOST_STAGES {
        return Err(ParseError::new(
            verb.span.clone(),
            format!("the query has more than {MOST_STAGES} stages"),
        )
        .hint("leave some out"));
    }
    match (first, verb_text) {
        (_, "stats" | "top" | "patterns") => {
            refuse(name(last), "a query has one `stats`, `top` or `patterns`, right behind the filter")
        }
        (Stage::Patterns, "limit") if before.len() == 1 => Ok(()),
        (Stage::Patterns, _) => refuse(name(last), "behind `patterns` stands one `limit`, or nothing"),
        (Stage::Stats(_) | Stage::Top(_), _) => Ok(()),
        _ if before.iter().any(|stage| name(stage) == verb_text) => {
            refuse(name(last), "records have one `sort`, one `fields` and one `limit`")
        }
        (_, "sort") => refuse(name(last), "write `sort` before `fields` and `limit`"),
        _ => Ok(()),
    }
}

fn name(stage: &Stage) -> &'static str {
    match stage {
        Stage::Stats(_) => "stats",
        Stage::Top(_) => "top",
        Stage::Sort(_) => "sort",
        Stage::Fields(_) => "fields",
        Stage::Limit(_) => "limit",
        Stage::Patterns => "patterns",
    }
}
