//! Takes secrets out of body and attributes, and leaves what kind it was.

use std::borrow::Cow;

use regex::{Captures, Regex};
use telemetry::otlp::Any;

use crate::config::Pattern;
use crate::draft::Draft;

/// Secrets that are known by their form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KnownSecret {
    /// Payment card numbers with a right check digit.
    Cards,
    /// Bearer tokens, JWTs, API keys of large providers, and values of keys that are named like one.
    Tokens,
    /// In URLs, and values of keys that are named like one.
    Passwords,
    /// E-mail addresses.
    Emails,
}

/// A secret by a pattern of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OwnSecret {
    pub(crate) name: String,
    pub(crate) pattern: Pattern,
    /// May name groups of the pattern, as `$1`.
    pub(crate) replacement: String,
}

/// Everything that is taken out.
#[derive(Debug, Default)]
pub(crate) struct Redaction {
    searches: Vec<Search>,
    /// Names of keys whose values are taken out whole: rule, replacement, names.
    keys: Vec<(&'static str, &'static str, &'static [&'static str])>,
}

#[derive(Debug)]
struct Search {
    rule: Cow<'static, str>,
    regex: Regex,
    with: With,
}

#[derive(Debug)]
enum With {
    /// A template.
    Text(Cow<'static, str>),
    /// `[card]` where the check digit is right.
    Card,
}

/// Rule, expression, replacement. Groups keep what is no secret.
const KNOWN: [(KnownSecret, &str, &str); 8] = [
    (KnownSecret::Cards, r"\b[2-6](?:[ -]?[0-9]){12,18}\b", ""),
    (
        KnownSecret::Tokens,
        r#"(?i)\b(authorization["']?\s*[:=]\s*["']?(?:basic|bearer)|bearer)\s+[a-z0-9._~+/=-]{8,}"#,
        "$1 [token]",
    ),
    (KnownSecret::Tokens, r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*", "[token]"),
    (
        KnownSecret::Tokens,
        r"\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,}|xox[abeprs]-[A-Za-z0-9-]{10,}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|AIza[0-9A-Za-z_-]{35}|glpat-[A-Za-z0-9_-]{20,})",
        "[token]",
    ),
    (
        KnownSecret::Tokens,
        r#"(?i)\b((?:api|access|auth|secret|private)[_-]?(?:key|token)|client[_-]?secret)(["']?\s*[:=]\s*["']?)[^\s"'&,;\[\]]{4,}"#,
        "$1$2[token]",
    ),
    (KnownSecret::Passwords, r"\b([a-z][a-z0-9+.-]*://[^\s/:@]*):[^\s/@]+@", "$1:[password]@"),
    (
        KnownSecret::Passwords,
        r#"(?i)\b(password|passwd|passphrase|pwd)(["']?\s*[:=]\s*["']?)[^\s"'&,;\[\]]+"#,
        "$1$2[password]",
    ),
    (KnownSecret::Emails, r"\b[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}\b", "[email]"),
];

const TOKEN_KEYS: &[&str] = &[
    "authorization",
    "apikey",
    "accesstoken",
    "authtoken",
    "refreshtoken",
    "idtoken",
    "token",
    "secret",
    "clientsecret",
    "secretkey",
    "privatekey",
    "accesskey",
    "cookie",
    "setcookie",
    "xapikey",
];
const PASSWORD_KEYS: &[&str] = &["password", "passwd", "passphrase", "pwd"];

impl KnownSecret {
    /// By its name in the configuration.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "cards" => Self::Cards,
            "tokens" => Self::Tokens,
            "passwords" => Self::Passwords,
            "emails" => Self::Emails,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Cards => "cards",
            Self::Tokens => "tokens",
            Self::Passwords => "passwords",
            Self::Emails => "emails",
        }
    }
}

impl Redaction {
    pub(super) fn new(known: &[KnownSecret], own: &[OwnSecret]) -> Self {
        let mut redaction = Self::default();
        for (kind, expression, replacement) in KNOWN.iter().filter(|(kind, ..)| known.contains(kind)) {
            // Literals above, compiled by a test.
            let Ok(regex) = Regex::new(expression) else { continue };
            let with = match kind {
                KnownSecret::Cards => With::Card,
                _ => With::Text(Cow::Borrowed(replacement)),
            };
            redaction.searches.push(Search { rule: kind.name().into(), regex, with });
        }
        for secret in own {
            let with = With::Text(secret.replacement.clone().into());
            redaction.searches.push(Search {
                rule: secret.name.clone().into(),
                regex: secret.pattern.regex().clone(),
                with,
            });
        }
        for (kind, replacement, keys) in [
            (KnownSecret::Tokens, "[token]", TOKEN_KEYS),
            (KnownSecret::Passwords, "[password]", PASSWORD_KEYS),
        ] {
            if known.contains(&kind) {
                redaction.keys.push((kind.name(), replacement, keys));
            }
        }
        redaction
    }

    pub(super) fn is_empty(&self) -> bool {
        self.searches.is_empty()
    }

    /// Goes over body and attributes; tells `count` what was found, by rule.
    pub(super) fn apply(&self, draft: &mut Draft<'_>, count: &mut dyn FnMut(&str, u64)) {
        if self.is_empty() {
            return;
        }
        self.value(&mut draft.body, count);
        for (key, value) in &mut draft.attributes {
            self.entry(key, value, count);
        }
    }

    fn entry(&self, key: &str, value: &mut Any<'_>, count: &mut dyn FnMut(&str, u64)) {
        if matches!(value, Any::Str(_) | Any::Int(_) | Any::Array(_))
            && let Some((rule, replacement)) = self.secret_key(key)
        {
            *value = Any::Str(Cow::Borrowed(replacement));
            return count(rule, 1);
        }
        self.value(value, count);
    }

    fn value(&self, value: &mut Any<'_>, count: &mut dyn FnMut(&str, u64)) {
        match value {
            Any::Str(text) => {
                for search in &self.searches {
                    if let Some((redacted, found)) = search.replace(text) {
                        *text = Cow::Owned(redacted);
                        count(&search.rule, found);
                    }
                }
            }
            // A card number may be a number, too.
            Any::Int(number) if *number >= 1_000_000_000_000 => {
                let text = number.to_string();
                let found = self.searches.iter().filter(|search| matches!(search.with, With::Card));
                for search in found {
                    if let Some((redacted, found)) = search.replace(&text) {
                        *value = Any::Str(Cow::Owned(redacted));
                        return count(&search.rule, found);
                    }
                }
            }
            Any::Array(values) => values.iter_mut().for_each(|value| self.value(value, count)),
            Any::Map(entries) => entries.iter_mut().for_each(|(key, value)| self.entry(key, value, count)),
            _ => {}
        }
    }

    /// By the key's last part, whatever its case and separators.
    fn secret_key(&self, key: &str) -> Option<(&'static str, &'static str)> {
        if self.keys.is_empty() || key.len() > 64 {
            return None;
        }
        let last = key.rsplit('.').next().unwrap_or(key);
        let plain: String =
            last.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        let found = self.keys.iter().find(|(_, _, names)| names.contains(&plain.as_str()));
        found.map(|(rule, replacement, _)| (*rule, *replacement))
    }
}

impl Search {
    /// The text without the secrets, and how many there were; `None` if there were none.
    fn replace(&self, text: &str) -> Option<(String, u64)> {
        if !self.regex.is_match(text) {
            return None;
        }
        let mut found = 0;
        let redacted = match &self.with {
            With::Text(template) => self.regex.replace_all(text, |captures: &Captures<'_>| {
                found += 1;
                let mut out = String::new();
                captures.expand(template, &mut out);
                out
            }),
            With::Card => self.regex.replace_all(text, |captures: &Captures<'_>| {
                let is_card = is_card(&captures[0]);
                found += u64::from(is_card);
                if is_card { "[card]".to_owned() } else { captures[0].to_owned() }
            }),
        };
        (found > 0).then(|| (redacted.into_owned(), found))
    }
}

/// A known issuer, the length that it uses, and Luhn's check digit (ISO/IEC 7812-1).
fn is_card(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let prefix = digits.iter().take(4).fold(0, |number, digit| number * 10 + digit);
    let known = match prefix {
        4000..=4999 => matches!(digits.len(), 13 | 16 | 19),
        5100..=5599 | 2221..=2720 => digits.len() == 16,
        3400..=3499 | 3700..=3799 => digits.len() == 15,
        3000..=3059 | 3600..=3699 | 3800..=3999 => digits.len() == 14,
        3528..=3589 | 6011 | 6440..=6599 | 6200..=6299 => (16..=19).contains(&digits.len()),
        5000..=5099 | 5600..=5899 | 6300..=6399 | 6700..=6799 => (13..=19).contains(&digits.len()),
        _ => false,
    };
    known && luhn(&digits)
}

fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| match index % 2 {
            0 => *digit,
            _ if *digit > 4 => digit * 2 - 9,
            _ => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}
