//! A query as text that parses back to an equal query.

use std::fmt::{Display, Formatter, Result, Write};
use std::ops::Bound;

use crate::lex::{Kind, Operator, lex};
use crate::parse::bin;
use crate::{
    Expr, Field, FieldMatch, Function, Group, NumberRange, Query, SeverityRange, SortKey, Stage, Stats, Test,
    TextMatch, ValueSet, Wildcard,
};

impl Display for Query {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        write!(out, "{}", self.filter)?;
        let computed = self.aggregation().is_some();
        self.stages.iter().try_for_each(|stage| {
            out.write_str(" | ")?;
            write_stage(out, stage, computed)
        })
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
        if self.has_wildcards() {
            return write_wildcard_text(out, self.text());
        }
        if self.is_exact() {
            write_quoted(out, self.text(), '\'')?;
        } else {
            let bare = self.text().chars().all(is_plain)
                && !is_keyword(self.text())
                && !self.text().starts_with('-');
            write_word(out, self.text(), bare)?;
        }
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
            Test::In(set) => write!(out, ":in({set})"),
            Test::Wildcard(wildcard) => write_wildcard(out, self.field == Field::Body, wildcard),
            Test::Regex(regex) => write!(out, "=~\"{}\"", regex.pattern()),
            Test::Range(range) => write!(out, "{range}"),
            Test::Quantity(range) => write!(out, "{range}"),
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
        write_range(out, &self.low, &self.high)
    }
}

/// A range with its operator, or its brackets.
pub(crate) fn write_range<T: Display>(out: &mut Formatter<'_>, low: &Bound<T>, high: &Bound<T>) -> Result {
    match (low, high) {
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

impl Display for ValueSet {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        for (index, literal) in self.values().iter().enumerate() {
            out.write_str(if index > 0 { ", " } else { "" })?;
            write_value(out, literal.text())?;
        }
        Ok(())
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
        write_stage(out, self, false)
    }
}

/// A stage; behind `stats` columns may be named by their functions.
fn write_stage(out: &mut Formatter<'_>, stage: &Stage, computed: bool) -> Result {
    match stage {
        Stage::Stats(stats) => write!(out, "{stats}"),
        Stage::Top(top) => {
            write!(out, "top {} ", top.count)?;
            write_stage_word(out, &top.field.name())
        }
        Stage::Sort(keys) => {
            out.write_str("sort by ")?;
            listed(out, keys, |out, SortKey { name, descending }| {
                write_column(out, name, computed)?;
                out.write_str(if *descending { " desc" } else { "" })
            })
        }
        Stage::Fields(names) => {
            out.write_str("fields ")?;
            listed(out, names, |out, name| write_column(out, name, computed))
        }
        Stage::Limit(count) => write!(out, "limit {count}"),
        Stage::Patterns => out.write_str("patterns"),
    }
}

impl Display for Stats {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        out.write_str("stats ")?;
        listed(out, &self.measures, |out, measure| {
            write!(out, "{}", measure.function)?;
            match &measure.name {
                Some(name) => {
                    out.write_str(" as ")?;
                    write_stage_word(out, name)
                }
                None => Ok(()),
            }
        })?;
        if self.by.is_empty() {
            return Ok(());
        }
        out.write_str(" by (")?;
        listed(out, &self.by, |out, group| match group {
            Group::Field(field) => write_stage_word(out, &field.name()),
            Group::Bin { width_ns } => write!(out, "bin({})", bin::print(*width_ns)),
        })?;
        out.write_char(')')
    }
}

impl Display for Function {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        write!(out, "{}(", self.name())?;
        if let Some(field) = self.field() {
            write_stage_word(out, &field.name())?;
        }
        out.write_char(')')
    }
}

fn listed<T>(
    out: &mut Formatter<'_>,
    items: &[T],
    write: impl Fn(&mut Formatter<'_>, &T) -> Result,
) -> Result {
    for (index, item) in items.iter().enumerate() {
        out.write_str(if index > 0 { ", " } else { "" })?;
        write(out, item)?;
    }
    Ok(())
}

/// Bare where that is read as text again, else as a value of the body's.
fn write_wildcard_text(out: &mut Formatter<'_>, pattern: &str) -> Result {
    let lexemes = lex(pattern);
    let bare = matches!(lexemes.as_slice(), [one] if one.kind == Kind::Text && !one.quoted);
    if bare {
        return out.write_str(pattern);
    }
    let lexemes = lex(&format!("body:{pattern}"));
    let value = matches!(lexemes.as_slice(), [name, _, value]
        if name.text == "body" && value.kind == Kind::Value && !value.quoted);
    if value { write!(out, "body:{pattern}") } else { write!(out, "body:({pattern})") }
}

/// Behind `:`, where the value does not make something else of it.
fn write_wildcard(out: &mut Formatter<'_>, body: bool, wildcard: &Wildcard) -> Result {
    let pattern = wildcard.pattern();
    let lexemes = lex(&format!("x:{pattern}"));
    let has = matches!(lexemes.as_slice(), [name, has, value]
        if name.text == "x" && has.kind == Kind::Operator(Operator::Has) && value.kind == Kind::Value);
    write!(out, "{}{pattern}", if has && !body { ':' } else { '=' })
}

/// A column's name, as it is computed where that is plain.
fn write_column(out: &mut Formatter<'_>, name: &str, computed: bool) -> Result {
    let call = name.strip_suffix(')').filter(|_| computed).and_then(|name| name.split_once('('));
    let plain = |(function, field): (&str, &str)| match field {
        "" => function == "count",
        field => {
            let function = Field::named(field).and_then(|field| Function::named(function, field));
            is_bare_stage_word(field) && function.is_some_and(|function| function.column() == name)
        }
    };
    if call.is_some_and(plain) {
        return out.write_str(name);
    }
    write_stage_word(out, name)
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
    write_word(out, word, is_bare_stage_word(word))
}

fn is_bare_stage_word(word: &str) -> bool {
    is_bare_name(word) && !matches!(word, "by" | "as" | "asc" | "desc")
}

fn write_word(out: &mut Formatter<'_>, word: &str, bare: bool) -> Result {
    if bare && !word.is_empty() { out.write_str(word) } else { write_quoted(out, word, '"') }
}

fn write_quoted(out: &mut Formatter<'_>, text: &str, quote: char) -> Result {
    out.write_char(quote)?;
    for c in text.chars() {
        if c == quote || c == '\\' {
            out.write_char('\\')?;
        }
        out.write_char(c)?;
    }
    out.write_char(quote)
}

fn is_bare_name(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '@'));
    begins && name.chars().all(is_plain) && !is_keyword(name) && name != "_exists_"
}

/// Means itself in any word, wherever that stands.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | '@')
}

fn is_keyword(word: &str) -> bool {
    matches!(word, "AND" | "OR" | "NOT")
}
