//! Conditions on labels as Alertmanager writes them: `severity="page"`, `{a="b",c=~"d|e"}`.
//!
//! Two syntaxes are in use. The newer one takes any UTF-8 name, in quotes where needed, and is tried first; what
//! it refuses is tried as the classic one ([`classic`]), and where the two read a text differently, the classic
//! meaning stands, so that no file changes its meaning here.

mod classic;
mod lexer;

use std::fmt;

use regex::{Regex, RegexBuilder};

use crate::labels::LabelSet;
use lexer::{Kind, Lexer, Token};

/// What one compiled regular expression may take, tried from the least: so it is known about how much it does.
const REGEX_BYTES: [usize; 5] = [4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20];
/// What it may take more while it is used, at the most.
const MAX_CACHE_BYTES: usize = 2 << 20;
/// A text of matchers may be so long.
const MAX_TEXT_BYTES: usize = 64 << 10;

/// How a label's value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`, the whole value
    Regex,
    /// `!~`, the whole value
    NotRegex,
}

/// A condition on one label; a label that is not there has the value "".
#[derive(Clone, Debug)]
pub struct Matcher {
    /// The label's name.
    pub name: String,
    /// How its value is compared.
    pub op: Op,
    /// With what: text or a regular expression.
    pub value: String,
    regex: Option<Compiled>,
}

#[derive(Clone, Debug)]
struct Compiled {
    regex: Regex,
    /// It takes no more; one of [`REGEX_BYTES`].
    size_bytes: usize,
}

/// Why a text is no matcher, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatcherError {
    /// Where in the text, in characters from 1; 0 is the text as a whole.
    pub column: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

impl std::error::Error for MatcherError {}

impl fmt::Display for MatcherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            0 => f.write_str(&self.message),
            column => write!(f, "column {column}: {}", self.message),
        }
    }
}

impl MatcherError {
    fn new(column: usize, message: impl Into<String>) -> Self {
        Self { column, message: message.into() }
    }
}

impl Op {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Regex => "=~",
            Self::NotRegex => "!~",
        }
    }

    /// Whether the value is a regular expression.
    pub fn is_regex(self) -> bool {
        matches!(self, Self::Regex | Self::NotRegex)
    }

    /// Whether a value that compares makes the matcher match.
    pub fn is_equal(self) -> bool {
        matches!(self, Self::Equal | Self::Regex)
    }

    /// From the two flags of Alertmanager's API.
    pub fn from_flags(is_equal: bool, is_regex: bool) -> Self {
        match (is_equal, is_regex) {
            (true, false) => Self::Equal,
            (false, false) => Self::NotEqual,
            (true, true) => Self::Regex,
            (false, true) => Self::NotRegex,
        }
    }
}

impl Matcher {
    /// Compiles the value if it is a regular expression.
    pub fn new(op: Op, name: impl Into<String>, value: impl Into<String>) -> Result<Self, MatcherError> {
        let (name, value) = (name.into(), value.into());
        let regex = op.is_regex().then(|| anchored(&value)).transpose()?;
        Ok(Self { name, op, value, regex })
    }

    /// `name="value"`.
    pub fn equal(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), op: Op::Equal, value: value.into(), regex: None }
    }

    /// Whether a value of the label is as wanted.
    pub fn matches(&self, value: &str) -> bool {
        let same = match &self.regex {
            Some(compiled) => compiled.regex.is_match(value),
            None => self.value == value,
        };
        same == self.op.is_equal()
    }

    /// Whether these labels are as wanted.
    pub fn matches_set(&self, labels: &LabelSet) -> bool {
        self.matches(labels.get(&self.name).map_or("", String::as_str))
    }

    /// What its compiled regular expression takes at the most; the text does not show it, as `\w{20}` is close to 1 MiB.
    pub fn regex_bytes(&self) -> usize {
        self.regex.as_ref().map_or(0, |compiled| compiled.size_bytes)
    }

    fn key(&self) -> (&str, &str, Op) {
        (&self.name, &self.value, self.op)
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Matcher {}

impl PartialOrd for Matcher {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Matcher {
    /// By name, value, operator: the order in which group keys list them.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() || self.name.contains(lexer::is_reserved) {
            return write!(f, "{}{}{}", quote(&self.name), self.op.as_str(), quote(&self.value));
        }
        let value = self.value.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"");
        write!(f, "{}{}\"{value}\"", self.name, self.op.as_str())
    }
}

/// Whether labels are as all matchers want; of none they always are.
pub fn all_match(matchers: &[Matcher], labels: &LabelSet) -> bool {
    matchers.iter().all(|matcher| matcher.matches_set(labels))
}

/// `{a="b",c=~"d"}`, as group keys have them.
pub fn write_all(matchers: &[Matcher]) -> String {
    let written: Vec<String> = matchers.iter().map(ToString::to_string).collect();
    format!("{{{}}}", written.join(","))
}

/// Reads a list of matchers, with or without braces around it; an empty one is fine.
pub fn parse(text: &str) -> Result<Vec<Matcher>, MatcherError> {
    check_length(text)?;
    either(parse_utf8(text), classic::parse_all(text))
}

/// Reads exactly one matcher, without braces.
pub fn parse_one(text: &str) -> Result<Matcher, MatcherError> {
    check_length(text)?;
    if text.starts_with('{') || text.ends_with('}') {
        return Err(MatcherError::new(1, "one matcher is wanted here, without braces"));
    }
    let utf8 = parse_utf8(text).and_then(|mut all| match (all.pop(), all.len()) {
        (Some(only), 0) => Ok(only),
        (_, others) => Err(MatcherError::new(0, format!("one matcher is wanted here, not {}", others + 1))),
    });
    either(utf8, classic::parse_one(text))
}

/// Reads the newer syntax only.
pub fn parse_utf8(text: &str) -> Result<Vec<Matcher>, MatcherError> {
    let mut lexer = Lexer::new(text);
    let braced = lexer.peek()?.kind == Kind::Open;
    if braced {
        lexer.next_token()?;
    }
    let mut matchers = Vec::new();
    while matches!(lexer.peek()?.kind, Kind::Quoted | Kind::Unquoted) {
        matchers.push(read_one(&mut lexer)?);
        match lexer.peek()?.kind {
            Kind::Comma => drop(lexer.next_token()?),
            _ => break,
        }
    }
    let last = lexer.next_token()?;
    match (braced, last.kind) {
        (false, Kind::End) => return Ok(matchers),
        (true, Kind::Close) => {}
        (true, _) => return Err(unexpected(&last, "a comma or a closing brace")),
        (false, Kind::Close) => return Err(unexpected(&last, "no closing brace without an opening one")),
        (false, _) if matchers.is_empty() => return Err(unexpected(&last, "a label's name")),
        (false, _) => return Err(unexpected(&last, "a comma or the end")),
    }
    match lexer.next_token()? {
        end if end.kind == Kind::End => Ok(matchers),
        other => Err(unexpected(&other, "nothing after the closing brace")),
    }
}

/// Text as Go's `strconv.Quote` writes it.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    text.chars().for_each(|c| quote_char(c, &mut out));
    out.push('"');
    out
}

fn quote_char(c: char, out: &mut String) {
    let named = match c {
        '"' | '\\' => Some(c),
        '\u{7}' => Some('a'),
        '\u{8}' => Some('b'),
        '\u{c}' => Some('f'),
        '\n' => Some('n'),
        '\r' => Some('r'),
        '\t' => Some('t'),
        '\u{b}' => Some('v'),
        _ => None,
    };
    match (named, c) {
        (Some(named), _) => out.extend(['\\', named]),
        (None, ' '..='~') => out.push(c),
        (None, '\0'..='\u{7f}') => out.push_str(&format!("\\x{:02x}", u32::from(c))),
        // After another character, combining ones are printed as they are.
        (None, _) if !format!("a{c}").escape_debug().to_string().starts_with("a\\u") => out.push(c),
        (None, '\0'..='\u{ffff}') => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        (None, _) => out.push_str(&format!("\\U{:08x}", u32::from(c))),
    }
}

fn read_one(lexer: &mut Lexer<'_>) -> Result<Matcher, MatcherError> {
    let name = lexer.next_token()?;
    let column = name.column;
    let op = lexer.next_token()?;
    let Kind::Op(op) = op.kind else {
        return Err(unexpected(&op, "an operator: '=', '!=', '=~' or '!~'"));
    };
    let value = lexer.next_token()?;
    if !matches!(value.kind, Kind::Quoted | Kind::Unquoted) {
        return Err(unexpected(&value, "a value; an empty one is written \"\""));
    }
    let name = name.text()?;
    if name.is_empty() {
        return Err(MatcherError::new(column, "a label's name cannot be empty"));
    }
    let column = value.column;
    Matcher::new(op, name, value.text()?).map_err(|error| MatcherError { column, ..error })
}

fn unexpected(token: &Token<'_>, wanted: &str) -> MatcherError {
    let found = match token.kind {
        Kind::End => "the end".to_owned(),
        _ => format!("`{}`", shortened(token.raw)),
    };
    MatcherError::new(token.column, format!("expected {wanted}, found {found}"))
}

fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The newer syntax, unless the classic one alone can read it or reads something else.
fn either<T: PartialEq>(
    utf8: Result<T, MatcherError>,
    classic: Result<T, MatcherError>,
) -> Result<T, MatcherError> {
    match (utf8, classic) {
        (Ok(utf8), Ok(classic)) if utf8 != classic => Ok(classic),
        (Err(_), Ok(classic)) => Ok(classic),
        (utf8, _) => utf8,
    }
}

fn check_length(text: &str) -> Result<(), MatcherError> {
    if text.len() <= MAX_TEXT_BYTES {
        return Ok(());
    }
    Err(MatcherError::new(
        0,
        format!("matchers of {} bytes are too long, the most is {MAX_TEXT_BYTES}", text.len()),
    ))
}

fn anchored(pattern: &str) -> Result<Compiled, MatcherError> {
    let mut result = compile(pattern, REGEX_BYTES[0]);
    for size_bytes in &REGEX_BYTES[1..] {
        if !matches!(result, Err(regex::Error::CompiledTooBig(_))) {
            break;
        }
        result = compile(pattern, *size_bytes);
    }
    result.map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        MatcherError::new(0, format!("bad regular expression `{}`: {reason}", shortened(pattern)))
    })
}

fn compile(pattern: &str, size_bytes: usize) -> Result<Compiled, regex::Error> {
    let cache_bytes = (4 * size_bytes).min(MAX_CACHE_BYTES);
    let build =
        |text: &str| RegexBuilder::new(text).size_limit(size_bytes).dfa_size_limit(cache_bytes).build();
    // The pattern alone first: `a)(b` must not become valid by what stands around it.
    let regex = build(pattern).and_then(|_alone| build(&format!("^(?:{pattern})$")))?;
    Ok(Compiled { regex, size_bytes })
}

#[cfg(test)]
mod tests;
