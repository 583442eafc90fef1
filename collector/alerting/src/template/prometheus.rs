//! The functions that Prometheus gives to the texts of rules (prometheus.io, "Template reference").

mod numbers;

use std::sync::Arc;

use super::builtin::exactly;
use super::html::query_escape;
use super::value::Value;
use super::{Functions, Templates};

/// Their names.
pub const NAMES: &[&str] = &[
    "args",
    "externalURL",
    "first",
    "graphLink",
    "humanize",
    "humanize1024",
    "humanizeDuration",
    "humanizePercentage",
    "humanizeTimestamp",
    "label",
    "match",
    "now",
    "parseDuration",
    "pathPrefix",
    "query",
    "reReplaceAll",
    "safeHtml",
    "sortByLabel",
    "stripDomain",
    "stripPort",
    "strvalue",
    "tableLink",
    "title",
    "toDuration",
    "toLower",
    "toTime",
    "toUpper",
    "urlQueryEscape",
    "value",
];

/// Variables that every text of a rule has.
pub const VARIABLES: &[(&str, &str)] = &[
    ("labels", "Labels"),
    ("externalLabels", "ExternalLabels"),
    ("externalURL", "ExternalURL"),
    ("value", "Value"),
];

/// What a regular expression of a text may take when compiled.
const MAX_REGEX_BYTES: usize = 1 << 20;

/// What the texts of rules are read with.
pub fn templates() -> Templates {
    Templates::new().with_functions(NAMES).with_variables(VARIABLES)
}

/// What the texts of a rule work on.
pub fn data(labels: Value, external_labels: Value, external_url: &str, value: Value) -> Value {
    Value::structure(
        "template.alertTemplateData",
        vec![
            ("Labels", labels),
            ("ExternalLabels", external_labels),
            ("ExternalURL", external_url.into()),
            ("Value", value),
        ],
    )
}

/// An element of what `query` gives.
pub fn sample(labels: Value, value: f64) -> Value {
    Value::structure("*template.sample", vec![("Labels", labels), ("Value", Value::Float(value))])
}

/// Answers `query`: a list of samples.
pub type Query<'a> = dyn Fn(&str) -> Result<Value, String> + 'a;

/// The functions, for one evaluation.
pub struct RuleFunctions<'a> {
    /// The time of the evaluation, Unix milliseconds.
    pub now_ms: i64,
    /// Where people open the UI; may be empty.
    pub external_url: &'a str,
    /// The store.
    pub query: &'a Query<'a>,
}

impl Functions for RuleFunctions<'_> {
    fn call(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
        Some(match name {
            "query" => text(name, args).and_then(|query| (self.query)(query)),
            "now" => exactly(name, args, 0).map(|()| Value::Float(self.now_ms as f64 / 1000.0)),
            "externalURL" => exactly(name, args, 0).map(|()| self.external_url.into()),
            "pathPrefix" => exactly(name, args, 0).map(|()| path(self.external_url).into()),
            _ => return pure(name, args),
        })
    }
}

/// The functions that need nothing but their arguments. `None` if there is none of that name.
pub fn pure(name: &str, args: &[Value]) -> Option<Result<Value, String>> {
    Some(match name {
        "args" => Ok(numbered(args)),
        "first" => first(args),
        "label" => texts_and(name, args, label_of),
        "value" => {
            one(name, args).and_then(|sample| sample.field("Value").ok_or_else(|| no_sample(name, sample)))
        }
        "strvalue" => one(name, args).and_then(|sample| label_of("__value__", sample)),
        "sortByLabel" => texts_and(name, args, sort_by_label),
        "match" => match args {
            [Value::Str(pattern), Value::Str(text)] => {
                regex(pattern).map(|regex| regex.is_match(text).into())
            }
            _ => Err("match needs a pattern and a text".into()),
        },
        "reReplaceAll" => match args {
            [Value::Str(pattern), Value::Str(with), Value::Str(text)] => {
                regex(pattern).map(|regex| regex.replace_all(text, &**with).into_owned().into())
            }
            _ => Err("reReplaceAll needs a pattern, a replacement and a text".into()),
        },
        "safeHtml" => text(name, args).map(|html| Value::Html(Arc::from(html))),
        "title" => text(name, args).map(|text| title(text).into()),
        "toUpper" => text(name, args).map(|text| text.to_uppercase().into()),
        "toLower" => text(name, args).map(|text| text.to_lowercase().into()),
        "urlQueryEscape" => text(name, args).map(|text| query_escape(text).into()),
        "graphLink" => text(name, args).map(|query| format!("/metrics?q={}", query_escape(query)).into()),
        "tableLink" => {
            text(name, args).map(|query| format!("/metrics?q={}&tab=table", query_escape(query)).into())
        }
        "stripPort" => text(name, args).map(|text| strip_port(text).into()),
        "stripDomain" => text(name, args).map(|text| strip_domain(text).into()),
        _ => return numbers::call(name, args),
    })
}

fn one<'v>(name: &str, args: &'v [Value]) -> Result<&'v Value, String> {
    exactly(name, args, 1).map(|()| &args[0])
}

fn text<'v>(name: &str, args: &'v [Value]) -> Result<&'v str, String> {
    let value = one(name, args)?;
    value.as_str().ok_or_else(|| format!("{name} needs a text, found a {}", value.type_name()))
}

fn texts_and(
    name: &str,
    args: &[Value],
    work: impl Fn(&str, &Value) -> Result<Value, String>,
) -> Result<Value, String> {
    match args {
        [Value::Str(text), value] => work(text, value),
        _ => Err(format!("{name} needs the name of a label and what to look at")),
    }
}

fn numbered(args: &[Value]) -> Value {
    let named = args.iter().enumerate().map(|(at, arg)| (format!("arg{at}"), arg.clone()));
    Value::Map(Arc::new(named.collect()))
}

fn first(args: &[Value]) -> Result<Value, String> {
    match one("first", args)? {
        Value::List(list) => {
            list.first().cloned().ok_or_else(|| "first() called on vector with no elements".into())
        }
        other => Err(format!("first needs what query gives, found a {}", other.type_name())),
    }
}

fn label_of(label: &str, sample: &Value) -> Result<Value, String> {
    let labels = sample.field("Labels").ok_or_else(|| no_sample("label", sample))?;
    Ok(match labels.field(label) {
        Some(Value::Str(text)) => Value::Str(text),
        _ => "".into(),
    })
}

fn no_sample(name: &str, found: &Value) -> String {
    format!("{name} needs a sample, found a {}", found.type_name())
}

fn sort_by_label(label: &str, list: &Value) -> Result<Value, String> {
    let Value::List(list) = list else {
        return Err(format!("sortByLabel needs what query gives, found a {}", list.type_name()));
    };
    let mut keyed = Vec::with_capacity(list.len());
    for sample in list.iter() {
        keyed.push((label_of(label, sample)?.text(), sample.clone()));
    }
    keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(Value::list(keyed.into_iter().map(|(_, sample)| sample)))
}

fn regex(pattern: &str) -> Result<regex::Regex, String> {
    let built = regex::RegexBuilder::new(pattern).size_limit(MAX_REGEX_BYTES).build();
    built.map_err(|error| format!("bad regular expression {pattern:?}: {error}"))
}

/// The first letter of each word becomes a capital.
fn title(text: &str) -> String {
    let mut before = ' ';
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if before.is_alphanumeric() || before == '_' {
            out.push(c);
        } else {
            out.extend(c.to_uppercase());
        }
        before = c;
    }
    out
}

/// The host and port of `host:port` or `[host]:port`.
fn split_host_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    if let Some(inside) = host.strip_prefix('[') {
        return Some((inside.strip_suffix(']')?, port));
    }
    (!host.contains([':', '[', ']'])).then_some((host, port))
}

fn strip_port(text: &str) -> &str {
    split_host_port(text).map_or(text, |(host, _)| host)
}

fn strip_domain(text: &str) -> String {
    let (host, port) = split_host_port(text).unwrap_or((text, ""));
    if host.parse::<std::net::IpAddr>().is_ok() {
        return text.to_owned();
    }
    let short = host.split('.').next().unwrap_or(host);
    if port.is_empty() { short.to_owned() } else { format!("{short}:{port}") }
}

/// What follows the host in a URL.
fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("", |at| &rest[at..])
}
