//! Series as scripts write them: `metric{a="b"} 1+2x3 _ stale {{schema:0 count:1}}`.

use std::collections::HashMap;

use telemetry::samples::{Histogram, ResetHint, Span, stale_nan};
use telemetry::{LabelSet, METRIC_NAME};

use super::Item;
use crate::evaluate::{add_histograms, parse_number};

/// A duration as Prometheus writes it: `1h30m`, `500ms`, `0`.
pub fn parse_duration_ms(text: &str) -> Option<i64> {
    if text == "0" {
        return Some(0);
    }
    let (mut total, mut rest) = (0i64, text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let value: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 7 * 86_400_000,
            "y" => 365 * 86_400_000,
            _ => return None,
        };
        total = total.checked_add(value.checked_mul(unit)?)?;
        rest = &rest[end..];
    }
    (!text.is_empty()).then_some(total)
}

/// A line: labels, then what the series has at each point of the grid.
pub fn parse_series(line: &str) -> Result<(LabelSet, Vec<Item>), String> {
    let (labels, rest) = parse_labels(line)?;
    let mut items = Vec::new();
    let mut rest = rest.trim_start();
    while !rest.is_empty() {
        let end = item_end(rest);
        parse_item(&rest[..end], &mut items).ok_or_else(|| format!("cannot read {:?}", &rest[..end]))?;
        rest = rest[end..].trim_start();
    }
    Ok((labels, items))
}

/// Spaces within `{{…}}` belong to the item.
fn item_end(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ if depth == 0 && c.is_whitespace() => return at,
            _ => {}
        }
    }
    text.len()
}

fn parse_labels(line: &str) -> Result<(LabelSet, &str), String> {
    let end = line.find(|c: char| c == '{' || c.is_whitespace()).unwrap_or(line.len());
    let (name, mut rest) = line.split_at(end);
    let mut labels: Vec<(String, String)> = Vec::new();
    if !name.is_empty() {
        labels.push((METRIC_NAME.into(), name.into()));
    }
    if let Some(inside) = rest.strip_prefix('{').filter(|inside| !inside.starts_with('{')) {
        rest = inside.trim_start();
        while !rest.starts_with('}') {
            let (label, after) = token(rest)?;
            let after = after.trim_start();
            rest = match after.strip_prefix('=') {
                Some(after) => {
                    let (value, after) = token(after.trim_start())?;
                    labels.push((label, value));
                    after
                }
                None => {
                    labels.push((METRIC_NAME.into(), label));
                    after
                }
            };
            rest = rest.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        rest = &rest[1..];
    }
    Ok((LabelSet::new(labels).map_err(|error| error.to_string())?, rest))
}

/// A quoted text, or a bare name.
fn token(text: &str) -> Result<(String, &str), String> {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) else {
        let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':' | '.')));
        let end = end.filter(|end| *end > 0).ok_or_else(|| format!("cannot read labels at {text:?}"))?;
        return Ok((text[..end].to_owned(), &text[end..]));
    };
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\\' if quote != '`' && !escaped => escaped = true,
            _ if c == quote && !escaped => {
                let end = at + c.len_utf8();
                let value = unquote(&text[..end]).ok_or_else(|| format!("bad text {:?}", &text[..end]))?;
                return Ok((value, &text[end..]));
            }
            _ => escaped = false,
        }
    }
    Err(format!("no end of the text {text:?}"))
}

/// What is in quotes; the escapes of Go as far as scripts use them.
pub(super) fn unquote(text: &str) -> Option<String> {
    let quote = text.chars().next()?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    if quote == '`' {
        return Some(inner.to_owned());
    }
    let mut result = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            result.push(c);
            continue;
        }
        match chars.next()? {
            'n' => result.push('\n'),
            't' => result.push('\t'),
            'r' => result.push('\r'),
            'x' => result.push(hex(&mut chars, 2)?),
            'u' => result.push(hex(&mut chars, 4)?),
            'U' => result.push(hex(&mut chars, 8)?),
            other => result.push(other),
        }
    }
    Some(result)
}

fn hex(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let text: String = chars.take(digits).collect();
    char::from_u32(u32::from_str_radix(&text, 16).ok()?)
}

fn parse_item(text: &str, items: &mut Vec<Item>) -> Option<()> {
    if let Some(rest) = text.strip_prefix('_') {
        let count = if rest.is_empty() { 1 } else { rest.strip_prefix('x')?.parse().ok()? };
        items.extend(std::iter::repeat_n(Item::Gap, count));
        return Some(());
    }
    if let Some(rest) = text.strip_prefix("stale") {
        let count = if rest.is_empty() { 1 } else { rest.strip_prefix('x')?.parse::<usize>().ok()? + 1 };
        items.extend(std::iter::repeat_n(Item::Float(stale_nan()), count));
        return Some(());
    }
    if text.starts_with("{{") {
        return parse_histograms(text, items);
    }
    let (base, rest) = number(text)?;
    let (step, rest) = if rest.starts_with(['+', '-']) { number(rest)? } else { (0.0, rest) };
    let count = if rest.is_empty() { 0 } else { rest.strip_prefix('x')?.parse::<u64>().ok()? };
    let mut value = base;
    for _ in 0..=count {
        items.push(Item::Float(value));
        value += step;
    }
    Some(())
}

/// A number at the beginning of a text.
fn number(text: &str) -> Option<(f64, &str)> {
    let sign = usize::from(text.starts_with(['+', '-']));
    let body = &text[sign..];
    let length =
        if body.to_ascii_lowercase().starts_with("inf") || body.to_ascii_lowercase().starts_with("nan") {
            3
        } else {
            let mut before = ' ';
            let is_part = |c: char, before: char| {
                c.is_ascii_digit()
                    || c == '.'
                    || c == 'e'
                    || c == 'E'
                    || (matches!(c, '+' | '-') && matches!(before, 'e' | 'E'))
            };
            body.chars().take_while(|c| is_part(*c, std::mem::replace(&mut before, *c))).count()
        };
    Some((parse_number(&text[..sign + length])?, &text[sign + length..]))
}

fn parse_histograms(text: &str, items: &mut Vec<Item>) -> Option<()> {
    let (base, has_hint, rest) = histogram(text)?;
    let (step, rest) = match rest.chars().next() {
        Some(sign @ ('+' | '-')) => {
            let (step, _, rest) = histogram(&rest[1..])?;
            (Some((step, sign == '-')), rest)
        }
        _ => (None, rest),
    };
    let count = if rest.is_empty() { 0 } else { rest.strip_prefix('x')?.parse::<u64>().ok()? };
    let mut current = base;
    for index in 0..=count {
        items.push(Item::Histogram(current.clone(), has_hint));
        if let Some((step, is_less)) = step.as_ref().filter(|_| index < count) {
            current = add_histograms(&current, step, *is_less)?;
        }
    }
    Some(())
}

/// `{{schema:1 sum:2 buckets:[1 2]}}` at the beginning of a text.
fn histogram(text: &str) -> Option<(Histogram, bool, &str)> {
    let (inside, rest) = text.strip_prefix("{{")?.split_once("}}")?;
    let mut histogram = Histogram { is_float: true, ..Histogram::default() };
    let (mut has_hint, mut lists) = (false, HashMap::new());
    let (mut offset, mut negative_offset) = (0, 0);
    let mut fields = inside.trim();
    while !fields.is_empty() {
        let (name, after) = fields.split_once(':')?;
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('[') {
            Some(list) => list.split_once(']')?,
            None => after.split_at(after.find(char::is_whitespace).unwrap_or(after.len())),
        };
        match name.trim() {
            "schema" => histogram.schema = value.parse().ok()?,
            "sum" => histogram.sum = parse_number(value)?,
            "count" => histogram.count = parse_number(value)?,
            "z_bucket" => histogram.zero_count = parse_number(value)?,
            "z_bucket_w" => histogram.zero_threshold = parse_number(value)?,
            "offset" => offset = value.parse().ok()?,
            "n_offset" => negative_offset = value.parse().ok()?,
            "counter_reset_hint" => {
                has_hint = true;
                histogram.reset_hint = match value {
                    "unknown" => ResetHint::Unknown,
                    "reset" => ResetHint::Yes,
                    "not_reset" => ResetHint::No,
                    "gauge" => ResetHint::Gauge,
                    _ => return None,
                };
            }
            list => {
                lists.insert(list, value.split_whitespace().map(parse_number).collect::<Option<Vec<f64>>>()?);
            }
        }
        fields = after.trim_start();
    }
    for (name, list) in lists {
        let span = |offset| vec![Span { offset, len: list.len() as u32 }];
        match name {
            "buckets" => (histogram.positive_spans, histogram.positive_counts) = (span(offset), list),
            "n_buckets" => {
                (histogram.negative_spans, histogram.negative_counts) = (span(negative_offset), list);
            }
            "custom_values" => histogram.custom_values = list,
            _ => return None,
        }
    }
    Some((histogram, has_hint, rest))
}
