//! Escaping: for HTML as a whole, and by where in an HTML text a value stands (as Go's `html/template`).
//!
//! The scanner reads only what the template itself says, never a value: no value can change what the next one is
//! taken for.

use super::value::Value;

/// What stands for a value that is not safe where it is.
const REFUSED: &str = "ZgotmplZ";

/// `&`, `<`, `>` and both quotes as entities.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '\0' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// For a text within quotes in JavaScript.
pub(super) fn escape_js(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            c if c < ' ' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// As a form sends it: a space is `+`.
pub(crate) fn query_escape(text: &str) -> String {
    percent(text, |byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)).replace("%20", "+")
}

fn percent(text: &str, keeps: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if keeps(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// What a place in an attribute is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attribute {
    Plain,
    Url,
    Script,
    Style,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Text,
    Comment,
    /// Within `<script>`, `<style>`, `<title>`, `<textarea>`: up to its end tag.
    Raw(&'static str),
    /// In a tag, after its name: names of attributes.
    Tag,
    /// The name of a tag.
    TagName(String),
    AttributeName(String),
    /// After `=`.
    BeforeValue(Attribute),
    /// The quote, or none; the value so far.
    Value(Attribute, Option<char>, String),
}

/// Where in an HTML text one is.
#[derive(Debug)]
pub(super) struct Scanner {
    state: State,
    /// The tag whose attributes are read.
    tag: String,
    /// What was not enough to decide (`<!-`, `</scr`).
    pending: String,
}

impl Scanner {
    pub(super) fn new() -> Self {
        Self { state: State::Text, tag: String::new(), pending: String::new() }
    }

    /// Text of the template itself.
    pub(super) fn literal(&mut self, text: &str) {
        for c in text.chars() {
            self.step(c);
        }
    }

    fn step(&mut self, c: char) {
        let state = std::mem::replace(&mut self.state, State::Text);
        self.state = match state {
            State::Text => match c {
                '<' => State::TagName(String::new()),
                _ => State::Text,
            },
            State::Comment => self.until(c, "-->", State::Comment),
            State::Raw(tag) => {
                let end = format!("</{tag}");
                self.pending.push(c.to_ascii_lowercase());
                if self.pending.ends_with(&end) {
                    self.pending.clear();
                    self.tag = format!("/{tag}");
                    State::Tag
                } else {
                    self.shorten(end.len());
                    State::Raw(tag)
                }
            }
            State::TagName(name) => self.tag_name(name, c),
            State::Tag => self.tag(c),
            State::AttributeName(name) => match c {
                '=' => State::BeforeValue(attribute(&name)),
                '>' => self.opened(),
                c if c.is_whitespace() || c == '/' => State::AttributeName(name + " "),
                // Another attribute begins where this one had no value.
                c if name.ends_with(' ') => State::AttributeName(c.to_ascii_lowercase().to_string()),
                c => State::AttributeName(name + &c.to_ascii_lowercase().to_string()),
            },
            State::BeforeValue(kind) => match c {
                '"' | '\'' => State::Value(kind, Some(c), String::new()),
                '>' => self.opened(),
                c if c.is_whitespace() => State::BeforeValue(kind),
                c => State::Value(kind, None, c.to_string()),
            },
            State::Value(kind, quote, mut value) => match quote {
                Some(quote) if c == quote => State::Tag,
                None if c.is_whitespace() => State::Tag,
                None if c == '>' => self.opened(),
                _ => {
                    value.push(c);
                    State::Value(kind, quote, value)
                }
            },
        };
    }

    fn until(&mut self, c: char, end: &str, within: State) -> State {
        self.pending.push(c);
        if self.pending.ends_with(end) {
            self.pending.clear();
            return State::Text;
        }
        self.shorten(end.len());
        within
    }

    fn shorten(&mut self, keep: usize) {
        while self.pending.len() > keep {
            self.pending.remove(0);
        }
    }

    fn tag_name(&mut self, mut name: String, c: char) -> State {
        match c {
            '>' => {
                self.tag = name;
                self.opened()
            }
            c if c.is_whitespace() && name.is_empty() => State::Text,
            c if c.is_whitespace() => {
                self.tag = name;
                State::Tag
            }
            c => {
                name.push(c.to_ascii_lowercase());
                if name == "!--" { State::Comment } else { State::TagName(name) }
            }
        }
    }

    fn tag(&mut self, c: char) -> State {
        match c {
            '>' => self.opened(),
            c if c.is_whitespace() || c == '/' => State::Tag,
            c => State::AttributeName(c.to_ascii_lowercase().to_string()),
        }
    }

    /// After the `>` of a tag.
    fn opened(&mut self) -> State {
        self.pending.clear();
        let raw = ["script", "style", "title", "textarea"].into_iter().find(|raw| self.tag == *raw);
        raw.map_or(State::Text, State::Raw)
    }

    /// A value as it may stand here.
    pub(super) fn value(&mut self, value: &Value) -> String {
        if self.state == State::BeforeValue(Attribute::Plain) || matches!(self.state, State::BeforeValue(_)) {
            let State::BeforeValue(kind) = self.state else { return String::new() };
            self.state = State::Value(kind, None, String::new());
        }
        let text = value.printed();
        match &mut self.state {
            State::Text => match value {
                Value::Html(html) => html.to_string(),
                _ => escape(&text),
            },
            State::Comment => String::new(),
            State::Raw("script") => json(value),
            State::Raw("style") => css(&text),
            State::Raw(_) => escape(&text),
            State::Tag | State::TagName(_) | State::AttributeName(_) | State::BeforeValue(_) => {
                if text.is_empty()
                    || text.chars().any(|c| !c.is_ascii_alphanumeric())
                    || text.starts_with("on")
                {
                    REFUSED.to_owned()
                } else {
                    text
                }
            }
            State::Value(kind, quote, before) => {
                let inner = match kind {
                    Attribute::Plain => text,
                    Attribute::Url => url(before, &text),
                    Attribute::Script => json(value),
                    Attribute::Style => css(&text),
                };
                // A URL that has begun is one whose scheme is decided.
                before.push_str(if inner.is_empty() { "" } else { "x" });
                let escaped = escape(&inner);
                if quote.is_some() { escaped } else { bare(&escaped) }
            }
        }
    }
}

fn attribute(name: &str) -> Attribute {
    let name = name.trim_end();
    match name {
        "href" | "src" | "action" | "formaction" | "poster" | "cite" | "background" | "data" | "manifest"
        | "longdesc" | "usemap" | "codebase" | "classid" | "icon" | "profile" | "archive" | "srcset" => {
            Attribute::Url
        }
        "style" => Attribute::Style,
        name if name.starts_with("on") => Attribute::Script,
        name if name.contains("url") || name.contains("uri") || name.contains("src") => Attribute::Url,
        _ => Attribute::Plain,
    }
}

/// A value in a URL of which `before` is there already.
fn url(before: &str, text: &str) -> String {
    if before.contains(['?', '#']) {
        return percent(text, |byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte));
    }
    let scheme =
        text.split(['/', '?', '#']).next().and_then(|head| head.split_once(':')).map(|(scheme, _)| scheme);
    let is_safe = scheme.is_none_or(|scheme| {
        ["http", "https", "mailto", "tel"].iter().any(|safe| scheme.eq_ignore_ascii_case(safe))
    });
    if before.is_empty() && !is_safe {
        return format!("#{REFUSED}");
    }
    // What is escaped already stays as it is.
    percent(text, |byte| byte.is_ascii_alphanumeric() || b"-_.~!#$&*+,/:;=?@[]%".contains(&byte))
}

/// A value as JavaScript's literal, safe within HTML.
fn json(value: &Value) -> String {
    match value {
        Value::Nil => " null ".to_owned(),
        Value::Bool(truth) => format!(" {truth} "),
        Value::Int(number) => format!(" {number} "),
        Value::Float(number) if number.is_finite() => format!(" {number} "),
        value => {
            let text = escape_js(&value.text()).replace("\\'", "\\u0027").replace("\\\"", "\\u0022");
            format!("\"{text}\"")
        }
    }
}

/// Names, numbers and lengths; nothing that begins anything.
fn css(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let is_plain = text
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, ' ' | '#' | '.' | '%' | '-' | '_' | ',' | '!'));
    if is_plain && !lower.contains("expression") && !lower.contains("binding") && !text.contains("--") {
        return text.to_owned();
    }
    REFUSED.to_owned()
}

/// For an attribute without quotes: also what would end it.
fn bare(escaped: &str) -> String {
    let mut out = String::with_capacity(escaped.len());
    for c in escaped.chars() {
        match c {
            '\t' | '\n' | '\x0c' | '\r' | ' ' | '+' | '=' | '`' => {
                out.push_str(&format!("&#{};", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    if out.is_empty() { REFUSED.to_owned() } else { out }
}
