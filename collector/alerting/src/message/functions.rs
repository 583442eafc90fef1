//! The functions and methods that templates of messages have (prometheus.io, "Notification template reference"),
//! and a few of our own: `alertLink`, `alertsLink`, `silenceLink`, `mrkdwn`.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use regex::RegexBuilder;

use super::data::{ALERT, NO_TIME_MS, PAIR};
use super::json;
use crate::labels::ALERT_NAME;
use crate::matcher::{self, Matcher};
use crate::template::{Functions, Moment, Value, prometheus};

/// Their names.
pub(super) const NAMES: &[&str] = &[
    "alertLink",
    "alertsLink",
    "append",
    "base64decode",
    "base64encode",
    "date",
    "dict",
    "humanizeDuration",
    "join",
    "list",
    "match",
    "mrkdwn",
    "mustToDate",
    "now",
    "reReplaceAll",
    "routeLabels",
    "safeHtml",
    "safeUrl",
    "silenceLink",
    "since",
    "stringSlice",
    "title",
    "toDate",
    "toJson",
    "toLower",
    "toUpper",
    "trimSpace",
    "tz",
    "urlUnescape",
];

/// What a regular expression of a template may take when compiled.
const MAX_REGEX_BYTES: usize = 1 << 20;

type Called = Result<Value, String>;

/// The functions, for one message.
pub(super) struct MessageFunctions<'a> {
    pub(super) now_ms: i64,
    pub(super) external_url: &'a str,
    pub(super) route_labels: &'a BTreeMap<String, String>,
}

impl Functions for MessageFunctions<'_> {
    fn call(&self, name: &str, args: &[Value]) -> Option<Called> {
        Some(match name {
            "now" => Ok(Value::Time(self.now_ms)),
            "since" => one(name, args).and_then(|at| self.since(at)),
            "routeLabels" => text(name, args).map(|label| self.route_label(label)),
            "alertLink" => one(name, args).and_then(|alert| self.alert_link(alert)),
            "alertsLink" => one(name, args).map(|labels| self.link("alerts?filter=", labels)),
            "silenceLink" => one(name, args).map(|labels| self.link("alerts/silences/new?filter=", labels)),
            _ => return pure(name, args),
        })
    }

    fn method(&self, receiver: &Value, name: &str, args: &[Value]) -> Option<Called> {
        match (receiver, name) {
            (Value::Map(map), "SortedPairs") => Some(Ok(pairs(map))),
            (Value::Map(map), "Names") => Some(Ok(column(&pairs(map), "Name"))),
            (Value::Map(map), "Values") => Some(Ok(column(&pairs(map), "Value"))),
            (Value::Map(map), "Remove") => Some(one(name, args).and_then(|names| remove(map, names))),
            (Value::List(items), "Firing") => Some(Ok(with_status(items, "firing"))),
            (Value::List(items), "Resolved") => Some(Ok(with_status(items, "resolved"))),
            (Value::List(_), "Names") => Some(Ok(column(receiver, "Name"))),
            (Value::List(_), "Values") => Some(Ok(column(receiver, "Value"))),
            (Value::List(items), "Join") => {
                Some(text(name, args).and_then(|separator| joined(separator, items)))
            }
            _ => None,
        }
    }
}

impl MessageFunctions<'_> {
    fn since(&self, at: &Value) -> Called {
        let moment = at.moment().ok_or_else(|| format!("since needs a time, not a {}", at.type_name()))?;
        Ok(Value::Duration(self.now_ms.saturating_sub(moment.unix_ms).saturating_mul(1_000_000)))
    }

    fn route_label(&self, name: &str) -> Value {
        self.route_labels.get(name).map_or("", String::as_str).into()
    }

    fn alert_link(&self, alert: &Value) -> Called {
        let fingerprint = alert.field("Fingerprint").filter(|_| is_alert(alert));
        let fingerprint = fingerprint.ok_or("alertLink needs an alert")?;
        Ok(format!("{}/alerts/{}", self.external_url, fingerprint.text()).into())
    }

    /// A page of ours, for what has these labels.
    fn link(&self, page: &str, labels: &Value) -> Value {
        let Value::Map(labels) = labels else { return format!("{}/alerts", self.external_url).into() };
        let matchers: Vec<Matcher> =
            labels.iter().map(|(name, value)| Matcher::equal(name.as_str(), value.text())).collect();
        let filter: String =
            url::form_urlencoded::byte_serialize(matcher::write_all(&matchers).as_bytes()).collect();
        format!("{}/{page}{filter}", self.external_url).into()
    }
}

fn is_alert(value: &Value) -> bool {
    matches!(value, Value::Struct(of) if of.name == ALERT)
}

/// Those that need nothing but their arguments.
fn pure(name: &str, args: &[Value]) -> Option<Called> {
    Some(match name {
        "humanizeDuration" | "match" | "reReplaceAll" | "safeHtml" | "title" | "toLower" | "toUpper" => {
            return prometheus::pure(name, args);
        }
        "trimSpace" => text(name, args).map(|text| text.trim().into()),
        "safeUrl" => text(name, args).map(Value::from),
        "urlUnescape" => text(name, args).and_then(unescape),
        "mrkdwn" => text(name, args).map(|text| mrkdwn(text).into()),
        "stringSlice" | "list" => Ok(Value::list(args.iter().cloned())),
        "append" => append(args),
        "dict" => dict(args),
        "join" => match args {
            [separator, Value::List(items)] => joined(&separator.text(), items),
            _ => Err("join needs a separator and a list".into()),
        },
        "date" => match args {
            [Value::Str(layout), at] => date(layout, at),
            _ => Err("date needs a layout and a time".into()),
        },
        "tz" => match args {
            [Value::Str(zone), at] => in_zone(zone, at),
            _ => Err("tz needs a zone and a time".into()),
        },
        "toDate" | "mustToDate" => to_date(name, args),
        "toJson" => one(name, args).map(|value| json::write(value).into()),
        "base64encode" => text(name, args).map(|text| URL_SAFE.encode(text).into()),
        "base64decode" => text(name, args).and_then(|text| {
            let bytes = URL_SAFE.decode(text).map_err(|error| format!("base64decode: {error}"))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned().into())
        }),
        _ => return None,
    })
}

fn one<'a>(name: &str, args: &'a [Value]) -> Result<&'a Value, String> {
    match args {
        [only] => Ok(only),
        _ => Err(format!("wrong number of args for {name}: want 1 got {}", args.len())),
    }
}

fn text<'a>(name: &str, args: &'a [Value]) -> Result<&'a str, String> {
    let only = one(name, args)?;
    only.as_str().ok_or_else(|| format!("{name} needs a text, not a {}", only.type_name()))
}

/// By name, `alertname` first.
fn pairs(map: &BTreeMap<String, Value>) -> Value {
    let pair = |(name, value): (&String, &Value)| {
        Value::structure(PAIR, vec![("Name", name.as_str().into()), ("Value", value.clone())])
    };
    let (first, others): (Vec<_>, Vec<_>) = map.iter().partition(|(name, _)| *name == ALERT_NAME);
    Value::list(first.into_iter().chain(others).map(pair))
}

fn column(pairs: &Value, field: &str) -> Value {
    let Value::List(items) = pairs else { return Value::Nil };
    Value::list(items.iter().filter_map(|pair| pair.field(field)))
}

fn remove(map: &BTreeMap<String, Value>, names: &Value) -> Called {
    let Value::List(names) = names else { return Err("Remove needs a list of names".into()) };
    let is_left = |name: &String| !names.iter().any(|gone| gone.as_str() == Some(name));
    let left = map.iter().filter(|(name, _)| is_left(name));
    Ok(Value::Map(Arc::new(left.map(|(name, value)| (name.clone(), value.clone())).collect())))
}

fn with_status(alerts: &[Value], status: &str) -> Value {
    let has = |alert: &&Value| alert.field("Status").is_some_and(|own| own.as_str() == Some(status));
    Value::list(alerts.iter().filter(has).cloned())
}

fn joined(separator: &str, items: &[Value]) -> Called {
    let texts: Vec<String> = items.iter().map(Value::text).collect();
    Ok(texts.join(separator).into())
}

fn append(args: &[Value]) -> Called {
    match args.split_first() {
        Some((Value::List(items), more)) => Ok(Value::list(items.iter().chain(more).cloned())),
        _ => Err("append needs a list".into()),
    }
}

fn dict(args: &[Value]) -> Called {
    if !args.len().is_multiple_of(2) {
        return Err("dict requires an even number of arguments".into());
    }
    let pair = |pair: &[Value]| {
        let name = pair[0].as_str().ok_or("dict keys must be strings")?;
        Ok::<_, String>((name.to_owned(), pair[1].clone()))
    };
    Ok(Value::Map(Arc::new(args.chunks(2).map(pair).collect::<Result<_, _>>()?)))
}

fn unescape(text: &str) -> Called {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next(), rest.next()]
                    .map(|digit| digit.and_then(|digit| char::from(digit).to_digit(16)));
                let [Some(high), Some(low)] = digits else {
                    return Err("urlUnescape: invalid URL escape".into());
                };
                bytes.push((high * 16 + low) as u8);
            }
            byte => bytes.push(byte),
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned().into())
}

/// Slack takes these three for its own.
fn mrkdwn(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn date(layout: &str, at: &Value) -> Called {
    let moment = at.moment().ok_or_else(|| format!("date needs a time, not a {}", at.type_name()))?;
    Ok(moment.format(layout).into())
}

fn in_zone(name: &str, at: &Value) -> Called {
    let unix_ms = at.moment().ok_or_else(|| format!("tz needs a time, not a {}", at.type_name()))?.unix_ms;
    let zone = match name {
        "" | "UTC" => TimeZone::UTC,
        _ => TimeZone::get(name).map_err(|_| format!("unknown time zone {name}"))?,
    };
    let instant = Timestamp::from_millisecond(unix_ms).map_err(|error| error.to_string())?;
    let offset = zone.to_offset_info(instant);
    let moment =
        Moment { unix_ms, offset_s: offset.offset().seconds(), zone: Arc::from(offset.abbreviation()) };
    Ok(Value::Zoned(Arc::new(moment)))
}

/// A text as Go's layout says it, in UTC; what is no such text is Go's zero time, or an error.
fn to_date(name: &str, args: &[Value]) -> Called {
    let [Value::Str(layout), Value::Str(text)] = args else {
        return Err(format!("{name} needs a layout and a text"));
    };
    match (parse_date(layout, text), name) {
        (Some(unix_ms), _) => Ok(Value::Time(unix_ms)),
        (None, "toDate") => Ok(Value::Time(NO_TIME_MS)),
        (None, _) => Err(format!("parsing time {text:?} as {layout:?}: it is no such time")),
    }
}

/// The parts of Go's reference time that dates are written with.
const LAYOUT: [(&str, &str); 17] = [
    ("2006", r"(?<year>\d{4})"),
    ("January", r"(?<month_name>[A-Z][a-z]{2,8})"),
    ("Jan", r"(?<month_name>[A-Z][a-z]{2})"),
    ("Monday", "[A-Z][a-z]{5,8}"),
    ("Mon", "[A-Z][a-z]{2}"),
    ("MST", "(?:UTC|GMT)"),
    ("Z07:00", r"(?<zone>Z|[+-]\d{2}:?\d{2})"),
    ("-07:00", r"(?<zone>[+-]\d{2}:?\d{2})"),
    ("-0700", r"(?<zone>[+-]\d{2}:?\d{2})"),
    ("01", r"(?<month>\d{2})"),
    ("02", r"(?<day>\d{2})"),
    ("15", r"(?<hour>\d{2})"),
    ("04", r"(?<minute>\d{2})"),
    ("05", r"(?<second>\d{2})(?:\.\d+)?"),
    ("_2", r" ?(?<day>\d{1,2})"),
    ("1", r"(?<month>\d{1,2})"),
    ("2", r"(?<day>\d{1,2})"),
];

fn parse_date(layout: &str, text: &str) -> Option<i64> {
    let (mut pattern, mut rest) = (String::from("^"), layout);
    while let Some(c) = rest.chars().next() {
        if let Some((part, regex)) = LAYOUT.iter().find(|(part, _)| rest.starts_with(part)) {
            pattern.push_str(regex);
            rest = &rest[part.len()..];
        } else {
            pattern.push_str(&regex::escape(&rest[..c.len_utf8()]));
            rest = &rest[c.len_utf8()..];
        }
    }
    pattern.push('$');
    let regex = RegexBuilder::new(&pattern).size_limit(MAX_REGEX_BYTES).build().ok()?;
    let found = regex.captures(text)?;
    let number = |name: &str| found.name(name).map(|part| part.as_str().trim().parse::<i16>());
    let part = |name: &str, default: i8| -> Option<i8> {
        number(name).map_or(Some(default), |value| i8::try_from(value.ok()?).ok())
    };
    let month = match found.name("month_name") {
        Some(name) => month_named(name.as_str())?,
        None => part("month", 1)?,
    };
    let year = number("year").unwrap_or(Ok(0)).ok()?;
    let civil = jiff::civil::DateTime::new(
        year,
        month,
        part("day", 1)?,
        part("hour", 0)?,
        part("minute", 0)?,
        part("second", 0)?,
        0,
    );
    let ahead_ms = found.name("zone").map_or(Some(0), |zone| offset_ms(zone.as_str()))?;
    Some(civil.ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond() - ahead_ms)
}

fn month_named(name: &str) -> Option<i8> {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    NAMES.iter().position(|known| name.starts_with(known)).and_then(|at| i8::try_from(at + 1).ok())
}

/// `+01:00`, `-0530`, `Z`.
fn offset_ms(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    let minutes = digits.get(..2)?.parse::<i64>().ok()? * 60 + digits.get(2..)?.parse::<i64>().ok()?;
    Some(if zone.starts_with('-') { -minutes } else { minutes } * 60_000)
}
