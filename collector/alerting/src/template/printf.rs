//! Go's `fmt.Sprintf`, for the values that templates have.

use super::number::{fixed, general, scientific};
use super::value::Value;

/// The widest field and the most digits that are made.
const MAX_WIDTH: usize = 1_000;

/// Flags, width and precision of one verb.
#[derive(Clone, Copy, Default)]
struct Spec {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// Writes values as a format says; what does not fit is told in the text, as Go does.
pub(super) fn sprintf(format: &str, args: &[Value]) -> String {
    let mut printer = Printer { args, next: 0, reordered: false, out: String::new() };
    let mut rest = format;
    while let Some(percent) = rest.find('%') {
        printer.out.push_str(&rest[..percent]);
        rest = printer.verb(&rest[percent + 1..]);
    }
    printer.out.push_str(rest);
    printer.extra();
    printer.out
}

struct Printer<'a> {
    args: &'a [Value],
    next: usize,
    /// Whether arguments were chosen by number: then none is too many.
    reordered: bool,
    out: String,
}

impl Printer<'_> {
    /// One verb; what is behind it.
    fn verb<'f>(&mut self, text: &'f str) -> &'f str {
        let mut spec = Spec::default();
        let flags = text.find(|c| !matches!(c, '-' | '+' | '#' | ' ' | '0')).unwrap_or(text.len());
        for flag in text[..flags].chars() {
            match flag {
                '-' => spec.minus = true,
                '+' => spec.plus = true,
                '#' => spec.sharp = true,
                ' ' => spec.space = true,
                _ => spec.zero = true,
            }
        }
        let mut rest = self.index(&text[flags..]);
        (spec.width, rest) = self.count(rest, &mut spec.minus);
        if let Some(after) = rest.strip_prefix('.') {
            let mut ignored = false;
            rest = self.index(after);
            let (precision, after) = self.count(rest, &mut ignored);
            spec.precision = Some(precision.unwrap_or(0));
            rest = after;
        }
        rest = self.index(rest);
        let Some(verb) = rest.chars().next() else {
            self.out.push_str("%!(NOVERB)");
            return rest;
        };
        if verb == '%' {
            self.out.push('%');
        } else if let Some(value) = self.args.get(self.next) {
            self.next += 1;
            let written = write(value, verb, spec);
            self.out.push_str(&written);
        } else {
            self.out.push_str(&format!("%!{verb}(MISSING)"));
        }
        &rest[verb.len_utf8()..]
    }

    /// `[2]`: which argument is the next.
    fn index<'f>(&mut self, text: &'f str) -> &'f str {
        let chosen = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let Some((number, rest)) = chosen.and_then(|(n, rest)| Some((n.parse::<usize>().ok()?, rest))) else {
            return text;
        };
        self.next = number.wrapping_sub(1);
        self.reordered = true;
        rest
    }

    /// A width or precision: digits, or `*` for the next argument.
    fn count<'f>(&mut self, text: &'f str, minus: &mut bool) -> (Option<usize>, &'f str) {
        if let Some(rest) = text.strip_prefix('*') {
            let number = match self.args.get(self.next) {
                Some(Value::Int(number)) => *number,
                _ => 0,
            };
            self.next += 1;
            *minus |= number < 0;
            return (Some((number.unsigned_abs() as usize).min(MAX_WIDTH)), rest);
        }
        let length = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let number = text[..length].parse::<usize>().ok().map(|number| number.min(MAX_WIDTH));
        (number, &text[length..])
    }

    fn extra(&mut self) {
        let Some(extra) = self.args.get(self.next..).filter(|extra| !extra.is_empty() && !self.reordered)
        else {
            return;
        };
        let extra: Vec<String> = extra
            .iter()
            .map(|value| match value {
                Value::Nil => "<nil>".to_owned(),
                value => format!("{}={}", value.type_name(), value.text()),
            })
            .collect();
        self.out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
}

fn write(value: &Value, verb: char, spec: Spec) -> String {
    match verb {
        'T' => return pad(value.type_name().to_owned(), spec),
        'v' if spec.sharp => return pad(go_syntax(value), spec),
        _ => {}
    }
    // For `%+v` the plus is about the names of fields, not about signs.
    let names = verb == 'v' && spec.plus;
    let spec = Spec { plus: spec.plus && verb != 'v', ..spec };
    let written = match value {
        Value::Nil if verb == 'v' => Some(pad("<nil>".into(), spec)),
        Value::Nil => return format!("%!{verb}(<nil>)"),
        Value::Bool(truth) if matches!(verb, 't' | 'v') => Some(pad(truth.to_string(), spec)),
        Value::Bool(_) => None,
        Value::Int(number) => integer(*number, verb, spec),
        Value::Float(number) => float(*number, verb, spec),
        Value::Str(text) | Value::Html(text) => string(text, verb, spec),
        Value::Duration(ns) if !matches!(verb, 'v' | 's' | 'q') => integer(*ns, verb, spec),
        Value::Duration(_) | Value::Time(_) | Value::Zoned(_) => string(&value.text(), verb, spec),
        Value::List(items) => Some(sequence(items.iter().map(|item| write(item, verb, spec)), "[", "]")),
        Value::Map(map) => {
            let pairs = map.iter().map(|(name, value)| {
                format!("{}:{}", string(name, verb, spec).unwrap_or_default(), write(value, verb, spec))
            });
            Some(sequence(pairs, "map[", "]"))
        }
        Value::Struct(of) => {
            let fields = of.fields.iter().map(|(name, value)| {
                let name = if names { format!("{name}:") } else { String::new() };
                format!("{name}{}", write(value, verb, spec))
            });
            Some(sequence(fields, "{", "}"))
        }
    };
    written.unwrap_or_else(|| format!("%!{verb}({}={})", value.type_name(), value.text()))
}

fn sequence(items: impl Iterator<Item = String>, open: &str, close: &str) -> String {
    format!("{open}{}{close}", items.collect::<Vec<_>>().join(" "))
}

fn go_syntax(value: &Value) -> String {
    match value {
        Value::Nil => "<nil>".to_owned(),
        Value::Str(text) | Value::Html(text) => quoted(text, false),
        Value::Duration(ns) => ns.to_string(),
        Value::List(items) => {
            format!("[]interface {{}}{{{}}}", items.iter().map(go_syntax).collect::<Vec<_>>().join(", "))
        }
        Value::Map(map) => {
            let pairs =
                map.iter().map(|(name, value)| format!("{}:{}", quoted(name, false), go_syntax(value)));
            format!("map[string]string{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        value => value.text(),
    }
}

fn integer(number: i64, verb: char, spec: Spec) -> Option<String> {
    let magnitude = number.unsigned_abs();
    let (prefix, digits) = match verb {
        'd' | 'v' => ("", magnitude.to_string()),
        'b' => (if spec.sharp { "0b" } else { "" }, format!("{magnitude:b}")),
        'o' => (if spec.sharp { "0" } else { "" }, format!("{magnitude:o}")),
        'O' => ("0o", format!("{magnitude:o}")),
        'x' => (if spec.sharp { "0x" } else { "" }, format!("{magnitude:x}")),
        'X' => (if spec.sharp { "0X" } else { "" }, format!("{magnitude:X}")),
        'U' => ("U+", format!("{magnitude:04X}")),
        'c' => return Some(pad(character(number).to_string(), spec)),
        'q' => return Some(pad(format!("{:?}", character(number)), spec)),
        _ => return None,
    };
    let digits = match spec.precision {
        Some(0) if number == 0 => String::new(),
        Some(precision) => format!("{digits:0>precision$}"),
        None => digits,
    };
    let spec = if spec.precision.is_some() { Spec { zero: false, ..spec } } else { spec };
    Some(signed(sign(number < 0, spec), prefix, &digits, spec))
}

fn character(number: i64) -> char {
    u32::try_from(number).ok().and_then(char::from_u32).unwrap_or('\u{fffd}')
}

fn float(number: f64, verb: char, spec: Spec) -> Option<String> {
    let text = match verb {
        'v' | 'g' => general(number, spec.precision, spec.sharp),
        'G' => general(number, spec.precision, spec.sharp).to_uppercase(),
        'e' => scientific(number, Some(spec.precision.unwrap_or(6))),
        'E' => scientific(number, Some(spec.precision.unwrap_or(6))).to_uppercase(),
        'f' | 'F' => fixed(number, Some(spec.precision.unwrap_or(6))),
        _ => return None,
    };
    if !number.is_finite() {
        // Never padded with zeros, and without a sign unless it is asked for or needed.
        let bare = text.trim_start_matches(['+', '-']).replace("INF", "Inf").replace("NAN", "NaN");
        let sign = if number.is_nan() && !spec.plus && !spec.space { "" } else { sign(number < 0.0, spec) };
        let shown = if number == f64::INFINITY && sign.is_empty() { "+" } else { sign };
        return Some(pad(format!("{shown}{bare}"), Spec { zero: false, ..spec }));
    }
    let is_negative = text.starts_with('-');
    Some(signed(sign(is_negative, spec), "", text.trim_start_matches('-'), spec))
}

fn sign(is_negative: bool, spec: Spec) -> &'static str {
    match (is_negative, spec.plus, spec.space) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        _ => "",
    }
}

/// Zeros stand between the sign and the digits.
fn signed(sign: &str, prefix: &str, digits: &str, spec: Spec) -> String {
    let head = sign.len() + prefix.len();
    match spec.width {
        Some(width) if spec.zero && !spec.minus => {
            format!("{sign}{prefix}{digits:0>width$}", width = width.saturating_sub(head))
        }
        _ => pad(format!("{sign}{prefix}{digits}"), spec),
    }
}

fn string(text: &str, verb: char, spec: Spec) -> Option<String> {
    let cut: String = match spec.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text.to_owned(),
    };
    let separator = if spec.space { " " } else { "" };
    let hex = |upper: bool| {
        let pairs = cut.bytes().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
        pairs.collect::<Vec<_>>().join(separator)
    };
    let written = match verb {
        's' | 'v' => cut,
        'q' if spec.sharp && !cut.contains(['`', '\n', '\t', '\u{7f}']) => format!("`{cut}`"),
        'q' => quoted(&cut, spec.plus),
        'x' => hex(false),
        'X' => hex(true),
        _ => return None,
    };
    Some(pad(written, spec))
}

/// A text in double quotes, as `strconv.Quote` writes it.
pub(super) fn quoted(text: &str, ascii: bool) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if (ascii && !c.is_ascii()) || c.is_control() => match u32::from(c) {
                code if code > 0xffff => out.push_str(&format!("\\U{code:08x}")),
                code => out.push_str(&format!("\\u{code:04x}")),
            },
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn pad(text: String, spec: Spec) -> String {
    let Some(width) = spec.width else { return text };
    match (spec.minus, spec.zero) {
        (true, _) => format!("{text:<width$}"),
        (false, true) => format!("{text:0>width$}"),
        (false, false) => format!("{text:>width$}"),
    }
}
