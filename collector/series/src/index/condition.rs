//! A matcher made ready for dictionaries: what a lookup can answer is found out once, a DFA is built at most once.

use std::sync::OnceLock;

use promql::Matcher;
use regex_syntax::hir::{Class, Hir, HirKind};
use telemetry::samples::MatchOp;

use super::automaton::Automaton;

/// An alternation of more texts than this is left to the DFA.
const MOST_TEXTS: usize = 1024;

/// A condition on a label, to be asked of many dictionaries.
#[derive(Debug)]
pub struct Condition {
    matcher: Matcher,
    test: Test,
    automaton: OnceLock<Option<Automaton>>,
}

/// What passes, before a negation.
#[derive(Debug, PartialEq)]
pub(super) enum Test {
    /// These, sorted, each once.
    Texts(Vec<String>),
    /// All that begin so; `proper`: but not the prefix itself.
    Prefix { prefix: String, proper: bool },
    /// Of those that begin so, the ones that the expression matches.
    Scan { prefix: String },
}

impl Condition {
    /// Of a matcher.
    pub fn of(matcher: &Matcher) -> Self {
        let test = match matcher.op() {
            MatchOp::Equal | MatchOp::NotEqual => Test::Texts(vec![matcher.value().to_owned()]),
            MatchOp::Matches | MatchOp::NotMatches => test(matcher.value()),
        };
        Self { matcher: matcher.clone(), test, automaton: OnceLock::new() }
    }

    /// What it was made of.
    pub fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    pub(super) fn test(&self) -> &Test {
        &self.test
    }

    pub(super) fn is_negated(&self) -> bool {
        matches!(self.matcher.op(), MatchOp::NotEqual | MatchOp::NotMatches)
    }

    /// Whether a text passes before the negation.
    pub(super) fn passes(&self, text: &str) -> bool {
        self.matcher.matches(text) != self.is_negated()
    }

    pub(super) fn automaton(&self) -> Option<&Automaton> {
        // As `Matcher` writes it: what passes there passes here.
        let build = || Automaton::new(&format!("^(?s:{})$", self.matcher.value()));
        self.automaton.get_or_init(build).as_ref()
    }
}

/// What of an expression can be answered by lookups.
fn test(pattern: &str) -> Test {
    let everything = Test::Scan { prefix: String::new() };
    // One that is well formed only between the matcher's anchors (`a)|(b`) is scanned for.
    let alone = regex_syntax::parse(pattern).is_ok();
    let Some(whole) = regex_syntax::parse(&format!("(?s:{pattern})")).ok().filter(|_| alone) else {
        return everything;
    };
    if let Some(mut texts) = texts(&whole) {
        texts.sort_unstable();
        texts.dedup();
        return Test::Texts(texts);
    }
    let mut prefix = String::new();
    let parts = match whole.kind() {
        HirKind::Concat(parts) => parts.as_slice(),
        _ => std::slice::from_ref(&whole),
    };
    for (index, part) in parts.iter().enumerate() {
        match part.kind() {
            HirKind::Literal(literal) => match str::from_utf8(&literal.0) {
                Ok(text) => prefix.push_str(text),
                Err(_) => return everything,
            },
            HirKind::Repetition(repetition) if index + 1 == parts.len() => {
                let open = repetition.max.is_none() && repetition.min <= 1 && is_any(&repetition.sub);
                return match open {
                    true => Test::Prefix { prefix, proper: repetition.min == 1 },
                    false => Test::Scan { prefix },
                };
            }
            _ => break,
        }
    }
    Test::Scan { prefix }
}

/// Any one character.
fn is_any(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().map(|range| (range.start(), range.end())).eq([('\0', char::MAX)])
        }
        HirKind::Capture(capture) => is_any(&capture.sub),
        _ => false,
    }
}

/// All texts that an expression matches as a whole, if they are few.
fn texts(hir: &Hir) -> Option<Vec<String>> {
    let found = match hir.kind() {
        HirKind::Empty => vec![String::new()],
        HirKind::Literal(literal) => vec![str::from_utf8(&literal.0).ok()?.to_owned()],
        HirKind::Capture(capture) => texts(&capture.sub)?,
        HirKind::Class(Class::Unicode(class)) => {
            let count: usize = class.ranges().iter().map(|range| range.len()).sum();
            let characters = class.ranges().iter().flat_map(|range| range.start()..=range.end());
            (count <= 16).then(|| characters.map(String::from).collect())?
        }
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(texts(part)?);
                if all.len() > MOST_TEXTS {
                    return None;
                }
            }
            all
        }
        HirKind::Concat(parts) => {
            let mut all = vec![String::new()];
            for part in parts {
                let ends = texts(part)?;
                if all.len() * ends.len() > MOST_TEXTS {
                    return None;
                }
                all = all
                    .iter()
                    .flat_map(|start| ends.iter().map(move |end| format!("{start}{end}")))
                    .collect();
            }
            all
        }
        HirKind::Repetition(repetition) if repetition.min == 0 && repetition.max == Some(1) => {
            let mut all = texts(&repetition.sub)?;
            all.push(String::new());
            all
        }
        _ => return None,
    };
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lookups_can_answer_is_found() {
        let listed = |all: &[&str]| Test::Texts(all.iter().map(|text| (*text).to_owned()).collect());
        let prefix = |prefix: &str, proper| Test::Prefix { prefix: prefix.to_owned(), proper };
        let scan = |prefix: &str| Test::Scan { prefix: prefix.to_owned() };
        let cases = [
            ("", listed(&[""])),
            ("a", listed(&["a"])),
            ("b|a|b", listed(&["a", "b"])),
            ("(a|b)c?", listed(&["a", "ac", "b", "bc"])),
            ("(?i)ok", listed(&["OK", "Ok", "oK", "oK", "ok", "oK"])),
            ("5[0-3]", listed(&["50", "51", "52", "53"])),
            ("node\\.x", listed(&["node.x"])),
            (".*", prefix("", false)),
            (".+", prefix("", true)),
            ("node_.*", prefix("node_", false)),
            ("node_.+", prefix("node_", true)),
            ("5..", scan("5")),
            ("node_.*_total", scan("node_")),
            (".*_total", scan("")),
            ("a|b.*", scan("")),
            ("a)|(b", scan("")),
            ("^a$", scan("")),
        ];
        for (pattern, expected) in cases {
            let expected = match (pattern, expected) {
                // The Kelvin sign folds to k.
                ("(?i)ok", _) => {
                    let mut all = vec!["OK", "Ok", "O\u{212a}", "oK", "ok", "o\u{212a}"];
                    all.sort_unstable();
                    listed(&all)
                }
                (_, expected) => expected,
            };
            assert_eq!(test(pattern), expected, "{pattern}");
        }
    }
}
