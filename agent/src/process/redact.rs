//! Takes secrets out of body and attributes, and leaves what kind it was.

mod cards;
mod forms;

use std::borrow::Cow;

use regex::{Captures, Regex};
use telemetry::otlp::Any;

use crate::config::Pattern;
use crate::draft::{Attributes, Draft};
use forms::{KNOWN, PASSWORD_KEYS, TOKEN_KEYS};

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
    /// `[token]` in the second group's place, unless that is a word.
    Bearer,
}

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
                KnownSecret::Tokens if replacement.is_empty() => With::Bearer,
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
        self.attributes(&mut draft.attributes, count);
    }

    /// Goes over attributes.
    pub(super) fn attributes(&self, attributes: &mut Attributes<'_>, count: &mut dyn FnMut(&str, u64)) {
        for (key, value) in attributes {
            self.entry(key, value, count);
        }
    }

    fn entry(&self, key: &str, value: &mut Any<'_>, count: &mut dyn FnMut(&str, u64)) {
        // Whether there is a password is no secret.
        if !matches!(value, Any::Empty | Any::Bool(_))
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
                if let Some(redacted) = self.text(text, count) {
                    *text = Cow::Owned(redacted);
                }
            }
            // Text in a wrong encoding is searched, too; what is no text around a secret may be lost with it.
            Any::Bytes(bytes) => {
                if let Some(redacted) = self.text(&String::from_utf8_lossy(bytes), count) {
                    *bytes = Cow::Owned(redacted.into_bytes());
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

    /// The text without the secrets; `None` if there were none.
    pub(super) fn text(&self, text: &str, count: &mut dyn FnMut(&str, u64)) -> Option<String> {
        let mut redacted = None;
        for search in &self.searches {
            if let Some((without, found)) = search.replace(redacted.as_deref().unwrap_or(text)) {
                redacted = Some(without);
                count(&search.rule, found);
            }
        }
        redacted
    }

    /// By how the key's last part ends, whatever its case and separators.
    fn secret_key(&self, key: &str) -> Option<(&'static str, &'static str)> {
        if self.keys.is_empty() || key.len() > 64 {
            return None;
        }
        let last = key.rsplit('.').next().unwrap_or(key);
        let plain: String =
            last.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        let found = self.keys.iter().find(|(_, _, names)| names.iter().any(|name| plain.ends_with(name)));
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
                let (without, cards) = cards::replace(&captures[0]);
                found += cards;
                without
            }),
            With::Bearer => self.regex.replace_all(text, |captures: &Captures<'_>| {
                let is_token = forms::is_token(&captures[2]);
                found += u64::from(is_token);
                if is_token { format!("{} [token]", &captures[1]) } else { captures[0].to_owned() }
            }),
        };
        (found > 0).then(|| (redacted.into_owned(), found))
    }
}
