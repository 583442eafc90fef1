//! A field, its operator and its value, as a condition of the field's own kind: number, severity, id, text.

use std::ops::{Bound, Range};

use super::amount::{Amount, range_of};
use super::filter::{body_text, demand_short, unexpected};
use super::special::existence;
use super::{Parsed, Parser, short, suggest, unclosed_quote};
use crate::field::Subject as About;
use crate::lex::{Kind, Lexeme, Operator};
use crate::{Expr, Field, FieldMatch, IdMatch, Literal, ParseError, SeverityRange, SpanField, Test};

/// A field as the query names it, and how it is compared.
pub(super) struct Subject<'a> {
    about: About,
    pub(super) field: Field,
    pub(super) name: &'a str,
    /// The name is in quotes.
    quoted: bool,
    pub(super) operator: Operator,
    /// The operator as it is written.
    pub(super) sign: &'a str,
    /// Of name and operator.
    span: Range<usize>,
}

/// The ends of `[a TO b]`, as lexemes.
struct Ends<'a> {
    low: &'a Lexeme,
    high: &'a Lexeme,
    low_included: bool,
    high_included: bool,
    span: Range<usize>,
}

impl<'a> Parser<'a> {
    /// Everything behind a field's name.
    pub(super) fn field(&mut self, name: &'a Lexeme) -> Parsed<Expr> {
        if name.star || (name.text.contains('*') && !name.quoted) {
            return Err(ParseError::new(name.span.clone(), "`*` cannot stand in the name of a field")
                .hint("write `*` alone for every record, or put it in quotes to search for it"));
        }
        let field = self.about.named(name)?;
        let Some(operator) = self.next() else { return Err(unexpected(name)) };
        let subject = Subject::new(self.about, field, name, operator)?;
        match self.peek() {
            Some(open) if open.kind == Kind::Open && subject.reaches(open) => {
                self.at += 1;
                subject.demand_plain("a list of values", open)?;
                let (list, negated) = subject.of_list();
                let any = self.nested(&open.span, |parser| parser.group(open, Some(&list)))?;
                Ok(if negated { any.not() } else { any })
            }
            Some(value) if is_value(value.kind) => {
                self.at += 1;
                self.condition(&subject, value)
            }
            _ => Err(subject.no_value()),
        }
    }

    /// One value of a list, with an operator of its own if it has one.
    pub(super) fn listed(&mut self, lexeme: &'a Lexeme, list: &Subject<'a>) -> Parsed<Expr> {
        if !matches!(lexeme.kind, Kind::Operator(_)) {
            return self.condition(list, lexeme);
        }
        let subject = list.with_operator(lexeme)?;
        match self.next() {
            Some(value) if is_value(value.kind) => self.condition(&subject, value),
            _ => Err(ParseError::new(lexeme.span.clone(), format!("`{}` has no value", subject.sign))),
        }
    }

    fn condition(&mut self, subject: &Subject<'a>, value: &'a Lexeme) -> Parsed<Expr> {
        self.count_term(&value.span)?;
        let condition = match value.kind {
            Kind::In => {
                subject.demand_plain("a set of values", value)?;
                self.set(subject)
            }
            Kind::Regex => {
                self.regexes += 1;
                subject.regex(value, self.regexes)
            }
            Kind::OpenRange => {
                subject.demand_plain("a range", value)?;
                let ends = self.ends(value)?;
                subject.in_range(&ends)
            }
            Kind::Unclosed => Err(unclosed_quote(value)),
            _ => subject.compared(value),
        };
        let negated = matches!(subject.operator, Operator::NotEqual | Operator::NotMatches);
        condition.map(|condition| if negated { condition.not() } else { condition })
    }

    /// `a TO b]`, behind the opening bracket.
    fn ends(&mut self, open: &Lexeme) -> Parsed<Ends<'a>> {
        let incomplete = |span: Range<usize>| {
            ParseError::new(span, "this range is not complete")
                .hint("write `[1 TO 5]`, `{1 TO 5}` to leave out the ends, or `*` for an open end")
        };
        let mut ends = Vec::new();
        for expected in [Kind::Value, Kind::To, Kind::Value, Kind::CloseRange] {
            let Some(lexeme) = self.peek() else { return Err(incomplete(open.span.start..self.end)) };
            match lexeme.kind {
                Kind::Unclosed => return Err(unclosed_quote(lexeme)),
                kind if kind == expected => ends.push(lexeme),
                _ => return Err(incomplete(open.span.start..lexeme.span.end)),
            }
            self.at += 1;
        }
        let &[low, _, high, close] = ends.as_slice() else { return Err(incomplete(open.span.clone())) };
        let (low_included, high_included) = (open.text == "[", close.text == "]");
        Ok(Ends { low, high, low_included, high_included, span: open.span.start..close.span.end })
    }
}

fn is_value(kind: Kind) -> bool {
    matches!(kind, Kind::Value | Kind::OpenRange | Kind::In | Kind::Regex | Kind::Unclosed)
}

impl<'a> Subject<'a> {
    fn new(about: About, field: Field, name: &'a Lexeme, sign: &'a Lexeme) -> Parsed<Self> {
        let Kind::Operator(operator) = sign.kind else { return Err(unexpected(sign)) };
        let span = name.span.start..sign.span.end;
        let (name, quoted) = (&name.text, name.quoted);
        let subject = Self { about, field, name, quoted, operator, sign: &sign.text, span };
        subject.demand_known(sign)
    }

    fn with_operator(&self, sign: &'a Lexeme) -> Parsed<Self> {
        let Kind::Operator(operator) = sign.kind else { return Err(unexpected(sign)) };
        let (field, span) = (self.field.clone(), sign.span.clone());
        Self { field, operator, sign: &sign.text, span, ..*self }.demand_known(sign)
    }

    /// `:` has to touch what it is about.
    fn reaches(&self, open: &Lexeme) -> bool {
        self.operator != Operator::Has || self.span.end == open.span.start
    }

    /// For each value of a list: `!=` excludes the list as a whole.
    fn of_list(self) -> (Self, bool) {
        let negated = self.operator == Operator::NotEqual;
        let operator = if negated { Operator::Equal } else { self.operator };
        (Self { operator, ..self }, negated)
    }

    fn demand_known(self, sign: &Lexeme) -> Parsed<Self> {
        if self.operator != Operator::Unknown {
            return Ok(self);
        }
        let hint = match self.sign {
            "==" | ":=" | ":==" => "write `=`; ",
            "<>" | ":!=" => "write `!=`; ",
            "=<" | "=>" => "write `<=` or `>=`; ",
            "~" | ":~" | "~=" | ":=~" => "write `=~`; ",
            _ => "",
        };
        Err(ParseError::new(sign.span.clone(), format!("`{}` is not an operator", self.sign)).hint(format!(
            "{hint}there are: : = != < <= > >= =~ !~; put text with such characters in quotes"
        )))
    }

    /// `:`, `=` and `!=` take ranges and lists; the others take one value.
    fn demand_plain(&self, what: &str, value: &Lexeme) -> Parsed<()> {
        match self.operator {
            Operator::Has | Operator::Equal | Operator::NotEqual => Ok(()),
            _ => Err(ParseError::new(
                value.span.clone(),
                format!("`{}` takes one value, not {what}", self.sign),
            )
            .hint(format!("write `{}:` before {what}", short(self.name)))),
        }
    }

    fn no_value(&self) -> ParseError {
        let text = short(&format!("{}{}", self.name, self.sign));
        let hint = match self.operator {
            Operator::Has => "write it without a space before it; to search for the text, put it in quotes",
            _ => "to search for the text, put it in quotes",
        };
        ParseError::new(self.span.clone(), format!("`{text}` has no value")).hint(hint)
    }

    /// Two values of a list side by side.
    pub(super) fn no_connective(&self, next: &Lexeme) -> ParseError {
        ParseError::new(next.span.clone(), format!("`AND` or `OR` is missing before `{}`", short(&next.text)))
            .hint(format!("write `{}:(a OR b)`; a value with spaces needs quotes", short(self.name)))
    }

    /// The condition for one value; `!=` is turned round by the caller.
    pub(super) fn compared(&self, value: &Lexeme) -> Parsed<Expr> {
        if self.asks_existence() {
            return existence(self.about, value);
        }
        demand_short(value)?;
        let starts_oddly = value.text.starts_with(['!', '=', '<', '>', '~']) && !value.quoted;
        if starts_oddly {
            let message = format!("`{}` cannot begin a value", &value.text[..1]);
            return Err(ParseError::new(value.span.start..value.span.start + 1, message)
                .hint("put the value in quotes; to exclude it, write `!=` or `-` before the field"));
        }
        let plain = matches!(self.operator, Operator::Has | Operator::Equal | Operator::NotEqual);
        if matches!(self.operator, Operator::Matches | Operator::NotMatches) {
            return Err(ParseError::new(value.span.clone(), "a regex stands in quotes").hint(format!(
                "write `{}{}\"{}\"`",
                short(self.name),
                self.sign,
                short(&value.pattern())
            )));
        }
        if plain && !value.quoted && Test::of_pattern(&value.pattern()) == Test::Exists {
            return Ok(self.test(Test::Exists));
        }
        match (&self.field, plain) {
            (Field::Severity, _) => self.severity(value),
            (Field::TraceId, true) => self.id(value, 32, "trace"),
            (Field::SpanId | Field::Span(SpanField::ParentId), true) => self.id(value, 16, "span"),
            (Field::Span(field), true) if !value.star && !value.has_wildcards() => {
                self.of_span(*field, value)
            }
            (Field::Pattern, true) => self.id(value, 16, "pattern"),
            (Field::Body, true) if self.operator == Operator::Has => body_text(value),
            (_, true) if !value.quoted => Ok(self.test(Test::of_pattern(&value.pattern()))),
            (_, true) if value.star => Ok(self.test(Test::Prefix(value.text.clone()))),
            (_, true) => Ok(self.test(Test::Equals(Literal::new(value.text.as_str())))),
            (_, false) => self.number(value),
        }
    }

    /// A value of a span's own field, as it is written; of some fields not every value makes sense.
    fn of_span(&self, field: SpanField, value: &Lexeme) -> Parsed<Expr> {
        if field == SpanField::Duration {
            let amount = Amount::read(value, self.name)?;
            return Ok(self.test(range_of(&self.field, Bound::Included(amount), Bound::Included(amount))));
        }
        let Some(values) = field.values() else {
            return Ok(self.test(Test::Equals(Literal::new(value.text.as_str()))));
        };
        let text = value.text.to_ascii_lowercase();
        // OTLP's own names, as other tools print them.
        let plain = text.strip_prefix("span_kind_").or(text.strip_prefix("status_code_")).unwrap_or(&text);
        if !values.contains(&plain) {
            let message = format!("`{}` is no `{}` of a span", short(&value.text), self.name);
            return Err(ParseError::new(value.span.clone(), message).hint(suggest(plain, values)));
        }
        Ok(self.test(Test::Equals(Literal::new(plain))))
    }

    /// `_exists_:field`, as Lucene writes it.
    fn asks_existence(&self) -> bool {
        self.name == "_exists_" && !self.quoted && self.operator == Operator::Has
    }

    fn number(&self, value: &Lexeme) -> Parsed<Expr> {
        self.demand_order(&value.span)?;
        let amount = Amount::read(value, self.sign)?;
        let (low, high) = match self.operator {
            Operator::Less => (Bound::Unbounded, Bound::Excluded(amount)),
            Operator::LessEqual => (Bound::Unbounded, Bound::Included(amount)),
            Operator::Greater => (Bound::Excluded(amount), Bound::Unbounded),
            _ => (Bound::Included(amount), Bound::Unbounded),
        };
        Ok(self.test(range_of(&self.field, low, high)))
    }

    fn in_range(&self, ends: &Ends<'_>) -> Parsed<Expr> {
        self.demand_order(&ends.span)?;
        if self.field == Field::Severity {
            return self.severity_range(ends);
        }
        let bound = |value: &Lexeme, included| match (is_open(value), included) {
            (true, _) => Ok(Bound::Unbounded),
            (false, true) => Amount::read(value, "a range").map(Bound::Included),
            (false, false) => Amount::read(value, "a range").map(Bound::Excluded),
        };
        let (low, high) = (bound(ends.low, ends.low_included)?, bound(ends.high, ends.high_included)?);
        if let (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) =
            (low, high)
        {
            let Some(order) = a.compare(b) else { return Err(ends.two_kinds()) };
            if order.is_gt() {
                return Err(ends.backwards());
            }
            if order.is_eq() && !(ends.low_included && ends.high_included) {
                return Err(ends.nothing_inside());
            }
        }
        match (low, high) {
            (Bound::Unbounded, Bound::Unbounded) => Ok(self.test(Test::Exists)),
            _ => Ok(self.test(range_of(&self.field, low, high))),
        }
    }

    fn severity(&self, value: &Lexeme) -> Parsed<Expr> {
        let SeverityRange { min, max } = severity(value)?;
        let nothing = |side: &str| {
            let message = format!("no severity is {side} `{}`", short(&value.text));
            Err(ParseError::new(value.span.clone(), message).hint(SEVERITIES))
        };
        // A record without a severity is neither above nor below one.
        let range = match self.operator {
            Operator::Less if min <= 1 => return nothing("below"),
            Operator::Greater if max == SeverityRange::MAX => return nothing("above"),
            Operator::Less => SeverityRange { min: 1, max: min - 1 },
            Operator::LessEqual => SeverityRange { min: max.min(1), max },
            Operator::Greater => SeverityRange { min: max + 1, max: SeverityRange::MAX },
            Operator::GreaterEqual => SeverityRange { min, max: SeverityRange::MAX },
            _ => SeverityRange { min, max },
        };
        Ok(self.test(Test::Severity(range)))
    }

    fn severity_range(&self, ends: &Ends<'_>) -> Parsed<Expr> {
        let min = match (is_open(ends.low), ends.low_included) {
            (true, _) => 1,
            (false, true) => severity(ends.low)?.min,
            (false, false) => severity(ends.low)?.max + 1,
        };
        let max = match (is_open(ends.high), ends.high_included) {
            (true, _) => SeverityRange::MAX,
            (false, true) => severity(ends.high)?.max,
            (false, false) => severity(ends.high)?.min.checked_sub(1).ok_or_else(|| ends.nothing_inside())?,
        };
        if min > max {
            let both_included = ends.low_included && ends.high_included;
            return Err(if both_included { ends.backwards() } else { ends.nothing_inside() });
        }
        Ok(self.test(Test::Severity(SeverityRange { min, max })))
    }

    fn id(&self, value: &Lexeme, digits: usize, what: &str) -> Parsed<Expr> {
        let fits = |id: &IdMatch| id.digits() == digits || (value.star && id.digits() < digits);
        match IdMatch::new(&value.text).filter(fits) {
            Some(id) => Ok(self.test(Test::Id(id))),
            None => Err(ParseError::new(
                value.span.clone(),
                format!("`{}` is not a {what} id", short(&value.text)),
            )
            .hint(format!("a {what} id is {digits} hexadecimal digits; write `*` behind the first ones"))),
        }
    }

    /// Ids have no order.
    fn demand_order(&self, span: &Range<usize>) -> Parsed<()> {
        let hint = match &self.field {
            field if field.is_id() => {
                format!("write `{}:` and the id, or its first digits and `*`", self.name)
            }
            Field::Span(SpanField::Kind | SpanField::Status | SpanField::Root) => {
                format!("write `{}:` and a value", self.name)
            }
            _ => return Ok(()),
        };
        Err(ParseError::new(span.clone(), format!("`{}` has no order", self.name)).hint(hint))
    }

    pub(super) fn test(&self, test: Test) -> Expr {
        Expr::Field(FieldMatch { field: self.field.clone(), test })
    }
}

impl Ends<'_> {
    fn backwards(&self) -> ParseError {
        let (low, high) = (short(&self.low.text), short(&self.high.text));
        ParseError::new(self.span.clone(), format!("this range runs backwards: {low} is greater than {high}"))
            .hint(format!("write `[{high} TO {low}]`"))
    }

    fn two_kinds(&self) -> ParseError {
        let (low, high) = (short(&self.low.text), short(&self.high.text));
        ParseError::new(self.span.clone(), format!("`{low}` and `{high}` cannot be compared"))
            .hint("write both ends with units of one kind, or both without")
    }

    fn nothing_inside(&self) -> ParseError {
        ParseError::new(self.span.clone(), "nothing lies inside of this range")
            .hint("`{` and `}` leave out the ends, `[` and `]` include them")
    }
}

const SEVERITIES: &str = "there are: trace, debug, info, warn, error, fatal, unset, and the numbers 0 to 24";

fn severity(value: &Lexeme) -> Parsed<SeverityRange> {
    SeverityRange::named(&value.text).filter(|_| !value.star).ok_or_else(|| {
        let star = if value.star { "*" } else { "" };
        let message = format!("`{}{star}` is not a severity", short(&value.text));
        ParseError::new(value.span.clone(), message).hint(SEVERITIES)
    })
}

/// `*` as a range's end.
fn is_open(value: &Lexeme) -> bool {
    value.star && value.text.is_empty() && !value.quoted
}
