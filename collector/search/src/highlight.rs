//! The colours of a query, also of one that is half typed.

use serde::Serialize;

use crate::lex::{Kind, Lexeme, lex};
use crate::{Number, quantity};

/// A stretch of a query with one colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Token {
    /// Its first character (not byte).
    pub start: usize,
    /// The character behind its last.
    pub end: usize,
    /// What it is.
    pub kind: TokenKind,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// A field's name.
    Field,
    /// `:`, `>=`, `-`, brackets, `|`.
    Operator,
    /// A field's value.
    Value,
    /// Anything in quotes but a field's name: also a regular expression.
    String,
    /// `AND`, `OR`, `NOT`, `TO`, `by`, `as`, `asc`, `desc`.
    Keyword,
    /// A stage or a function; `in` and `exists` too.
    Verb,
    /// A number, with or without a unit.
    Number,
    /// Text to search.
    Text,
}

/// The tokens of any text, in order and without overlap; spaces belong to none.
pub fn tokens(text: &str) -> Vec<Token> {
    let lexemes = lex(text);
    let token = |at: usize| {
        let before = at.checked_sub(1).map(|before| lexemes[before].kind);
        let kind = kind(&lexemes[at], before, lexemes.get(at + 1).map(|next| next.kind));
        Token { start: lexemes[at].span.start, end: lexemes[at].span.end, kind }
    };
    (0..lexemes.len()).map(token).collect()
}

fn kind(lexeme: &Lexeme, before: Option<Kind>, next: Option<Kind>) -> TokenKind {
    match lexeme.kind {
        Kind::Field => TokenKind::Field,
        Kind::Text | Kind::Value if lexeme.quoted => TokenKind::String,
        Kind::Value if is_number(&lexeme.text) => TokenKind::Number,
        Kind::Value => TokenKind::Value,
        Kind::Text => TokenKind::Text,
        Kind::Unclosed | Kind::Regex => TokenKind::String,
        Kind::In | Kind::Exists => TokenKind::Verb,
        Kind::And | Kind::Or | Kind::Not | Kind::To => TokenKind::Keyword,
        Kind::Name => stage_word(lexeme, before == Some(Kind::Pipe), next == Some(Kind::Open)),
        _ => TokenKind::Operator,
    }
}

fn is_number(text: &str) -> bool {
    Number::parse(text).is_some() || quantity::parse(text).is_some()
}

fn stage_word(lexeme: &Lexeme, first: bool, called: bool) -> TokenKind {
    match lexeme.text.as_str() {
        _ if lexeme.quoted => TokenKind::String,
        _ if first => TokenKind::Verb,
        "by" | "as" | "asc" | "desc" => TokenKind::Keyword,
        _ if called => TokenKind::Verb,
        text if text.starts_with(|c: char| c.is_ascii_digit()) => TokenKind::Number,
        _ => TokenKind::Field,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks tokens as `text/kind`, with the first two letters of the kind.
    fn check(query: &str, expected: &str) {
        let chars: Vec<char> = query.chars().collect();
        let shown = tokens(query).into_iter().map(|token| {
            let text: String = chars[token.start..token.end].iter().collect();
            format!("{text}/{}", &format!("{:?}", token.kind).to_lowercase()[..2])
        });
        assert_eq!(shown.collect::<Vec<_>>().join(" "), expected, "{query}");
    }

    #[test]
    fn every_lexeme_has_a_colour() {
        check("service:checkout", "service/fi :/op checkout/va");
        check("severity >= error -conn*", "severity/fi >=/op error/va -/op conn*/te");
        check("\"connection refused\" OR b", "\"connection refused\"/st OR/ke b/te");
        check("x:[1 TO 5}", "x/fi :/op [/op 1/nu TO/ke 5/nu }/op");
        check("x:(a OR \"b\")", "x/fi :/op (/op a/va OR/ke \"b\"/st )/op");
        check("\"my key\":1", "\"my key\"/fi :/op 1/nu");
        check(
            "| stats count() as n by (a, bin(1m))",
            "|/op stats/ve count/ve (/op )/op as/ke n/fi by/ke (/op a/fi ,/op bin/ve (/op 1m/nu )/op )/op",
        );
        check("took>200ms body=~\"a|b\"", "took/fi >/op 200ms/nu body/fi =~/op \"a|b\"/st");
        check(
            "x:in(a, 5) -exists(y)",
            "x/fi :/op in/ve (/op a/va ,/op 5/nu )/op -/op exists/ve (/op y/fi )/op",
        );
        check("'Exact A'* it's co*n?", "'Exact A'*/st it's/te co*n?/te");
        check(
            "| stats p99.9(a) | sort by a desc",
            "|/op stats/ve p99.9/ve (/op a/fi )/op |/op sort/ve by/ke a/fi desc/ke",
        );
        check("* | top 10 a | limit 5", "*/te |/op top/ve 10/nu a/fi |/op limit/ve 5/nu");
    }

    #[test]
    fn half_typed_queries_have_colours() {
        check("", "");
        check("service:", "service/fi :/op");
        check("service: a", "service/fi :/op a/te");
        check("a AND (b \"c", "a/te AND/ke (/op b/te \"c/st");
        check("x:[1 TO", "x/fi :/op [/op 1/nu TO/ke");
        check("x:(a b | st", "x/fi :/op (/op a/va b/va |/op st/ve");
        check(") ] a => b", ")/op ]/op a/fi =>/op b/va");
        check("größe:\"ä\"", "größe/fi :/op \"ä\"/st");
        check("x:in(a, \"b", "x/fi :/op in/ve (/op a/va ,/op \"b/st");
        check("body=~\"a\\\" b", "body/fi =~/op \"a\\\" b/st");
        check("exists(", "exists/ve (/op");
    }

    #[test]
    fn addresses_paths_and_times_are_text() {
        check(
            "http://a/b?c=d 10:17:39 127.0.0.1:80 core::panicking",
            "http://a/b?c=d/te 10:17:39/te 127.0.0.1:80/te core::panicking/te",
        );
    }
}
