//! A query as text that parses back to an equal query.

use std::fmt::{Display, Formatter, Result, Write};
use std::ops::Bound;

use crate::parse::bin;
use crate::{
    Expr, Field, FieldMatch, Group, NumberRange, Query, SeverityRange, Stage, Stats, Test, TextMatch,
};

impl Display for Query {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        write!(out, "{}", self.filter)?;
        self.stages.iter().try_for_each(|stage| write!(out, " | {stage}"))
    }
}

impl Display for Expr {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Self::All => out.write_char('*'),
            Self::And(children) => joined(out, children, " "),
            Self::Or(children) => joined(out, children, " OR "),
            Self::Not(child) => write!(out, "-{}", Operand(child)),
            Self::Text(text) => write!(out, "{text}"),
            Self::Field(asked) => write!(out, "{asked}"),
        }
    }
}

/// An expression inside of another one.
struct Operand<'a>(&'a Expr);

impl Display for Operand<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self.0 {
            Expr::And(_) | Expr::Or(_) => write!(out, "({})", self.0),
            leaf => write!(out, "{leaf}"),
        }
    }
}

impl Display for TextMatch {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let bare =
            self.text().chars().all(is_plain) && !is_keyword(self.text()) && !self.text().starts_with('-');
        write_word(out, self.text(), bare)?;
        if self.is_prefix() { out.write_char('*') } else { Ok(()) }
    }
}

impl Display for FieldMatch {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        write_word(out, &self.field.name(), is_bare_name(&self.field.name()))?;
        // Behind `body:` stands text to search in it.
        let has = if self.field == Field::Body { '=' } else { ':' };
        match &self.test {
            Test::Exists => out.write_str(":*"),
            Test::Equals(literal) => {
                out.write_char(has)?;
                write_value(out, literal.text())
            }
            Test::Prefix(prefix) => {
                out.write_char(has)?;
                write_value(out, prefix)?;
                out.write_char('*')
            }
            Test::Range(range) => write!(out, "{range}"),
            Test::Severity(range) => write!(out, "{range}"),
            Test::Id(id) => {
                let whole = if self.field == Field::TraceId { 32 } else { 16 };
                write!(out, ":{}{}", id.hex(), if id.digits() < whole { "*" } else { "" })
            }
        }
    }
}

impl Display for NumberRange {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match (self.low, self.high) {
            (Bound::Unbounded, Bound::Unbounded) => out.write_str(":*"),
            (Bound::Unbounded, Bound::Included(high)) => write!(out, "<={high}"),
            (Bound::Unbounded, Bound::Excluded(high)) => write!(out, "<{high}"),
            (Bound::Included(low), Bound::Unbounded) => write!(out, ">={low}"),
            (Bound::Excluded(low), Bound::Unbounded) => write!(out, ">{low}"),
            (Bound::Included(low), Bound::Included(high)) => write!(out, ":[{low} TO {high}]"),
            (Bound::Included(low), Bound::Excluded(high)) => write!(out, ":[{low} TO {high}}}"),
            (Bound::Excluded(low), Bound::Included(high)) => write!(out, ":{{{low} TO {high}]"),
            (Bound::Excluded(low), Bound::Excluded(high)) => write!(out, ":{{{low} TO {high}}}"),
        }
    }
}

impl Display for SeverityRange {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let (low, high) = (telemetry::severity::class(self.min), telemetry::severity::class(self.max));
        let (starts_class, ends_class) = (self.min % 4 == 1, self.max > 0 && self.max.is_multiple_of(4));
        match (self.min, self.max) {
            (0, 0) => out.write_str(":unset"),
            (min, max) if min == max => write!(out, ":{min}"),
            _ if starts_class && ends_class && low == high => write!(out, ":{low}"),
            (_, Self::MAX) if starts_class => write!(out, ">={low}"),
            (1, _) if ends_class => write!(out, "<={high}"),
            (min, max) => write!(out, ":[{min} TO {max}]"),
        }
    }
}

impl Display for Stage {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Self::Stats(stats) => write!(out, "{stats}"),
            Self::Top(top) => {
                write!(out, "top {} ", top.count)?;
                write_stage_word(out, &top.field.name())
            }
            Self::Limit(count) => write!(out, "limit {count}"),
        }
    }
}

impl Display for Stats {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        out.write_str("stats ")?;
        for (index, measure) in self.measures.iter().enumerate() {
            write!(out, "{}{}()", if index > 0 { ", " } else { "" }, measure.function.name())?;
            if let Some(name) = &measure.name {
                out.write_str(" as ")?;
                write_stage_word(out, name)?;
            }
        }
        for (index, group) in self.by.iter().enumerate() {
            out.write_str(if index > 0 { ", " } else { " by (" })?;
            match group {
                Group::Field(field) => write_stage_word(out, &field.name())?,
                Group::Bin { width_ns } => write!(out, "bin({})", bin::print(*width_ns))?,
            }
        }
        if self.by.is_empty() { Ok(()) } else { out.write_char(')') }
    }
}

fn joined(out: &mut Formatter<'_>, children: &[Expr], separator: &str) -> Result {
    for (index, child) in children.iter().enumerate() {
        write!(out, "{}{}", if index > 0 { separator } else { "" }, Operand(child))?;
    }
    Ok(())
}

fn write_value(out: &mut Formatter<'_>, value: &str) -> Result {
    let bare = value.chars().all(|c| is_plain(c) || c == ':') && value.starts_with(|c: char| is_plain(c));
    write_word(out, value, bare && !value.starts_with("//"))
}

fn write_stage_word(out: &mut Formatter<'_>, word: &str) -> Result {
    write_word(out, word, is_bare_name(word) && word != "by" && word != "as")
}

fn write_word(out: &mut Formatter<'_>, word: &str, bare: bool) -> Result {
    if bare && !word.is_empty() {
        return out.write_str(word);
    }
    out.write_char('"')?;
    for c in word.chars() {
        if matches!(c, '"' | '\\') {
            out.write_char('\\')?;
        }
        out.write_char(c)?;
    }
    out.write_char('"')
}

fn is_bare_name(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '@'));
    begins && name.chars().all(is_plain) && !is_keyword(name)
}

/// Means itself in any word, wherever that stands.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | '@')
}

fn is_keyword(word: &str) -> bool {
    matches!(word, "AND" | "OR" | "NOT")
}
