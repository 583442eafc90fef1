//! What known secrets look like, and what keys with secrets are called.

use super::KnownSecret;

/// What stands behind a key: its quote if it has one, and the sign. Quotes may be escaped, as of JSON in a string.
macro_rules! sign {
    () => {
        r#"(\\*["']?[ \t]*(?:=>|[:=])[ \t]*)"#
    };
}

/// A value: in quotes up to the closing one, else up to a space or separator; a closing bracket is part of it only if more
/// follows. The opening quote is in one of three groups; what begins with `[` is redacted already.
macro_rules! value {
    ($at_least:literal) => {
        concat!(
            r#"(?:(\\")(?:[^"\\]|\\\\\\?.){"#,
            $at_least,
            r#",}|(")(?:[^"\\\[]|\\.)(?:[^"\\]|\\.)*|(')(?:[^'\\\[]|\\.)(?:[^'\\]|\\.)*"#,
            r#"|[^\s"'&,;\[\](){}\\](?:[^\s"'&,;\])}\\]|[\])}\\][^\s"'&,;\])}\\]){"#,
            $at_least,
            r#",})"#
        )
    };
}

/// Rule, expression, replacement. Groups keep what is no secret.
pub(super) const KNOWN: [(KnownSecret, &str, &str); 10] = [
    (KnownSecret::Cards, r"\b[0-9](?:[ -]?[0-9]){12,}\b", ""),
    (
        KnownSecret::Tokens,
        r#"(?i)\b(authorization\\*["']?\s*[:=]\s*\\*["']?(?:basic|bearer))\s+[a-z0-9._~+/=-]{8,}"#,
        "$1 [token]",
    ),
    (KnownSecret::Tokens, r"(?i)\b(bearer)\s+([a-z0-9._~+/=-]{8,})", ""),
    (KnownSecret::Tokens, r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*", "[token]"),
    (
        KnownSecret::Tokens,
        r"\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,}|xox[abeprs]-[A-Za-z0-9-]{10,}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|AIza[0-9A-Za-z_-]{35}|glpat-[A-Za-z0-9_-]{20,})",
        "[token]",
    ),
    (
        KnownSecret::Tokens,
        concat!(
            r"(?i)((?:api|access|account|auth|private|refresh|secret|session|signing)[_-]?(?:key|token)|client[_-]?secret|(?:\b|_)id[_-]?token)",
            sign!(),
            value!("3")
        ),
        "$1$2$3$4$5[token]",
    ),
    // By themselves these are words: only as a key of a pair or in quotes.
    (
        KnownSecret::Tokens,
        concat!(
            r#"(?i)((?:\b|_)(?:token|secret))((?:[ \t]?=[ \t]?)|(?:\\*["'][ \t]*(?:=>|[:=])[ \t]*))"#,
            value!("3")
        ),
        "$1$2$3$4$5[token]",
    ),
    (KnownSecret::Passwords, r#"\b([a-z][a-z0-9+.-]*://[^\s/:@]*):[^\s/"<>]+@"#, "$1:[password]@"),
    (
        KnownSecret::Passwords,
        concat!(r"(?i)(password|passwd|passphrase|(?:\b|_)pwd)", sign!(), value!("0")),
        "$1$2$3$4$5[password]",
    ),
    (KnownSecret::Emails, r"\b[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}\b", "[email]"),
];

/// Keys end with these, written without separators.
pub(super) const TOKEN_KEYS: &[&str] =
    &["authorization", "apikey", "token", "secret", "secretkey", "privatekey", "accesskey", "cookie"];
pub(super) const PASSWORD_KEYS: &[&str] = &["password", "passwd", "passphrase", "pwd"];

/// Whether what follows `bearer` is more than a word.
pub(super) fn is_token(text: &str) -> bool {
    let word = text.trim_end_matches(['.', '-']);
    word.len() >= 20 || word.bytes().any(|b| !b.is_ascii_alphabetic())
}
