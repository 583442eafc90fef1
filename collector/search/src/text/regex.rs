//! Regular expressions (crate `regex`: linear time), and what an index can know of them.

use std::ops::Range;

use regex_syntax::hir::{Class, Hir, HirKind};

use super::{RequiredWords, fold};
use crate::glob::Fragment;

/// A regular expression: it passes where it is found, in its case, unless it says otherwise.
#[derive(Clone, Debug)]
pub struct RegexMatch {
    pattern: String,
    regex: regex::Regex,
    words: RequiredWords,
}

/// Why a pattern is no regular expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRegex {
    /// What is wrong.
    pub message: String,
    /// Which characters of the pattern are meant.
    pub span: Range<usize>,
}

/// What one compiled expression may take, and the cache of one thread that runs it.
const SIZE_BYTES: usize = 1 << 20;
/// How deep groups and repetitions nest.
const DEPTH: u32 = 64;
/// How many texts a part of a pattern may stand for, to be looked up.
const MOST_TEXTS: usize = 16;
/// The longest of them, together.
const MOST_BYTES: usize = 512;

impl RegexMatch {
    /// Reads a pattern.
    pub fn new(pattern: &str) -> Result<Self, BadRegex> {
        let mut parser = regex_syntax::ParserBuilder::new();
        let hir = parser.nest_limit(DEPTH).build().parse(pattern).map_err(|error| bad(pattern, &error))?;
        let regex = regex::RegexBuilder::new(pattern)
            .size_limit(SIZE_BYTES)
            .dfa_size_limit(SIZE_BYTES)
            .nest_limit(DEPTH)
            .build()
            .map_err(|_| BadRegex {
                message: format!("it needs more than {SIZE_BYTES} bytes"),
                span: 0..pattern.chars().count(),
            })?;
        Ok(Self { pattern: escape_quotes(pattern), regex, words: words_of(&required(&hir)) })
    }

    /// As a query spells it between `"` and `"`.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Whether it is found anywhere in a text.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// Words that every matching text has: those inside of literal text, where both ends are known.
    pub fn words(&self) -> &RequiredWords {
        &self.words
    }
}

fn words_of(literals: &[Vec<String>]) -> RequiredWords {
    let mut required = RequiredWords::default();
    for any in literals {
        if let [text] = any.as_slice() {
            required.learn(&Fragment { text: text.clone(), starts: false, ends: false });
        }
    }
    required
}

impl PartialEq for RegexMatch {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern
    }
}

impl Eq for RegexMatch {}

/// Puts a `\` before each `"` that has none.
fn escape_quotes(pattern: &str) -> String {
    let (mut out, mut chars) = (String::with_capacity(pattern.len()), pattern.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(std::iter::once(c).chain(chars.next())),
            '"' => out.push_str("\\\""),
            _ => out.push(c),
        }
    }
    out
}

fn bad(pattern: &str, error: &regex_syntax::Error) -> BadRegex {
    let (message, span) = match error {
        regex_syntax::Error::Parse(error) => (error.kind().to_string(), Some(error.span())),
        regex_syntax::Error::Translate(error) => (error.kind().to_string(), Some(error.span())),
        other => (other.to_string(), None),
    };
    let chars = |bytes: usize| pattern.char_indices().take_while(|(at, _)| *at < bytes).count();
    let span =
        span.map_or(0..pattern.chars().count(), |span| chars(span.start.offset)..chars(span.end.offset));
    BadRegex { message, span }
}

/// Lists of folded texts, of each of which a match contains one.
fn required(hir: &Hir) -> Vec<Vec<String>> {
    let mut lists = match (exact(hir), hir.kind()) {
        (Some(texts), _) => vec![texts],
        (None, HirKind::Capture(capture)) => required(&capture.sub),
        (None, HirKind::Repetition(repeated)) if repeated.min > 0 => required(&repeated.sub),
        (None, HirKind::Concat(parts)) => required_in_order(parts),
        (None, HirKind::Alternation(branches)) => required_of_one(branches).into_iter().collect(),
        (None, _) => Vec::new(),
    };
    lists.retain(|texts| !texts.is_empty() && texts.iter().all(|text| !text.is_empty()));
    lists
}

/// Of parts side by side: neighbours that stand for few texts are one text, or few.
fn required_in_order(parts: &[Hir]) -> Vec<Vec<String>> {
    let mut lists = Vec::new();
    let mut run = vec![String::new()];
    for part in parts {
        let texts = exact(part);
        match texts.as_ref().and_then(|texts| product(&run, texts)) {
            Some(longer) => run = longer,
            None => {
                lists.push(std::mem::replace(&mut run, texts.unwrap_or_else(|| vec![String::new()])));
                if exact(part).is_none() {
                    lists.extend(required(part));
                }
            }
        }
    }
    lists.push(run);
    lists
}

/// Of alternatives: one text of each, and none at all if one of them demands nothing.
fn required_of_one(branches: &[Hir]) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    for branch in branches {
        let shortest = |texts: &Vec<String>| texts.iter().map(String::len).min().unwrap_or(0);
        texts.extend(required(branch).into_iter().max_by_key(shortest)?);
    }
    texts.sort();
    texts.dedup();
    (texts.len() <= MOST_TEXTS).then_some(texts)
}

/// The folded forms of all texts that a part stands for, if they are few.
fn exact(hir: &Hir) -> Option<Vec<String>> {
    let mut texts = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![String::new()],
        HirKind::Literal(literal) => vec![fold(std::str::from_utf8(&literal.0).ok()?).into_owned()],
        HirKind::Class(Class::Unicode(class)) => {
            let count: u64 =
                class.iter().map(|range| u64::from(range.end()) - u64::from(range.start()) + 1).sum();
            if count > MOST_TEXTS as u64 {
                return None;
            }
            let chars = class.iter().flat_map(|range| range.start()..=range.end());
            chars.map(|c| c.to_lowercase().collect()).collect()
        }
        HirKind::Class(Class::Bytes(_)) | HirKind::Repetition(_) => return None,
        HirKind::Capture(capture) => return exact(&capture.sub),
        HirKind::Concat(parts) => {
            let mut run = vec![String::new()];
            for part in parts {
                run = product(&run, &exact(part)?)?;
            }
            run
        }
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(exact(branch)?);
            }
            all
        }
    };
    texts.sort();
    texts.dedup();
    let size_bytes: usize = texts.iter().map(String::len).sum();
    (texts.len() <= MOST_TEXTS && size_bytes <= MOST_BYTES).then_some(texts)
}

/// Each text with each behind it, if they are few.
fn product(before: &[String], behind: &[String]) -> Option<Vec<String>> {
    if before.len() * behind.len() > MOST_TEXTS {
        return None;
    }
    let texts: Vec<String> =
        before.iter().flat_map(|first| behind.iter().map(move |second| format!("{first}{second}"))).collect();
    (texts.iter().map(String::len).sum::<usize>() <= MOST_BYTES).then_some(texts)
}
