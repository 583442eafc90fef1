//! The functions that Go's templates have of their own. `and`, `or` and `tmpl` are the evaluator's, which need not
//! evaluate everything, or need the named templates.

use std::cmp::Ordering;
use std::sync::Arc;

use super::html;
use super::printf::sprintf;
use super::value::Value;

/// Their names.
const NAMES: &[&str] = &[
    "and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or", "print",
    "printf", "println", "slice", "tmpl", "urlquery",
];

/// Whether there is one of that name.
pub(super) fn is_builtin(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Calls one. `None` if there is none of that name.
pub(super) fn call(name: &str, args: &[Value]) -> Option<Result<Value, String>> {
    Some(match name {
        "not" => exactly(name, args, 1).map(|()| Value::Bool(!args[0].is_true())),
        "len" => exactly(name, args, 1).and_then(|()| length(&args[0])),
        "index" => index(args),
        "slice" => slice(args),
        "print" => Ok(print(args).into()),
        "println" => Ok(println(args).into()),
        "printf" => match args.split_first() {
            Some((Value::Str(format) | Value::Html(format), rest)) => Ok(sprintf(format, rest).into()),
            Some((other, _)) => Err(format!("printf needs a format, found a {}", other.type_name())),
            None => Err("wrong number of args for printf: want at least 1 got 0".into()),
        },
        "html" => Ok(html::escape(&print_args(args)).into()),
        "js" => Ok(html::escape_js(&print_args(args)).into()),
        "urlquery" => Ok(html::query_escape(&print_args(args)).into()),
        "call" => Err("call: no value of these templates is a function".into()),
        "eq" => equal_any(args).map(Value::Bool),
        "ne" => two(name, args).and_then(|(a, b)| Ok(Value::Bool(!equal(a, b)?))),
        "lt" => two(name, args).and_then(|(a, b)| Ok(Value::Bool(order(a, b)? == Some(Ordering::Less)))),
        "le" => two(name, args).and_then(|(a, b)| {
            Ok(Value::Bool(matches!(order(a, b)?, Some(Ordering::Less | Ordering::Equal))))
        }),
        "gt" => two(name, args).and_then(|(a, b)| Ok(Value::Bool(order(a, b)? == Some(Ordering::Greater)))),
        "ge" => two(name, args).and_then(|(a, b)| {
            Ok(Value::Bool(matches!(order(a, b)?, Some(Ordering::Greater | Ordering::Equal))))
        }),
        _ => return None,
    })
}

/// Refuses another number of arguments.
pub(super) fn exactly(name: &str, args: &[Value], wanted: usize) -> Result<(), String> {
    match args.len() == wanted {
        true => Ok(()),
        false => Err(format!("wrong number of args for {name}: want {wanted} got {}", args.len())),
    }
}

fn two<'v>(name: &str, args: &'v [Value]) -> Result<(&'v Value, &'v Value), String> {
    exactly(name, args, 2)?;
    Ok((&args[0], &args[1]))
}

fn length(value: &Value) -> Result<Value, String> {
    let length = match value {
        Value::Str(text) | Value::Html(text) => text.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        other => return Err(format!("len of type {}", other.type_name())),
    };
    Ok(Value::Int(length as i64))
}

fn index(args: &[Value]) -> Result<Value, String> {
    let (first, keys) = args.split_first().ok_or("wrong number of args for index: want at least 1 got 0")?;
    let mut value = first.clone();
    for key in keys {
        value = match (&value, key) {
            (Value::Map(_), Value::Str(name)) => value.field(name).unwrap_or_default(),
            (Value::Map(_), other) => {
                return Err(format!("value has type {}; should be string", other.type_name()));
            }
            (Value::List(list), Value::Int(at)) => {
                let item = usize::try_from(*at).ok().and_then(|at| list.get(at));
                item.cloned().ok_or_else(|| format!("index out of range: {at}"))?
            }
            (Value::Str(text), Value::Int(at)) => {
                let byte = usize::try_from(*at).ok().and_then(|at| text.as_bytes().get(at));
                Value::Int(i64::from(*byte.ok_or_else(|| format!("index out of range: {at}"))?))
            }
            (Value::List(_) | Value::Str(_), other) => {
                return Err(format!("cannot index slice/array with type {}", other.type_name()));
            }
            (Value::Nil, _) => return Err("index of nil pointer".into()),
            (other, _) => return Err(format!("can't index item of type {}", other.type_name())),
        };
    }
    Ok(value)
}

fn slice(args: &[Value]) -> Result<Value, String> {
    let (value, bounds) =
        args.split_first().ok_or("wrong number of args for slice: want at least 1 got 0")?;
    let length = match value {
        Value::Str(text) => text.len(),
        Value::List(list) => list.len(),
        other => return Err(format!("can't slice item of type {}", other.type_name())),
    };
    let mut range = [0, length];
    if bounds.len() > 2 {
        return Err(format!("too many slice indexes: {}", bounds.len()));
    }
    for (slot, bound) in range.iter_mut().zip(bounds) {
        let Value::Int(bound) = bound else {
            return Err(format!("cannot index slice/array with type {}", bound.type_name()));
        };
        let within = usize::try_from(*bound).ok().filter(|bound| *bound <= length);
        *slot = within.ok_or_else(|| format!("index out of range: {bound}"))?;
    }
    let [from, to] = range;
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    Ok(match value {
        Value::List(list) => Value::List(list[from..to].into()),
        other => {
            let bytes = &other.as_str().unwrap_or_default().as_bytes()[from..to];
            String::from_utf8_lossy(bytes).into_owned().into()
        }
    })
}

/// Go puts a space between two values of which neither is a text.
pub(super) fn print(args: &[Value]) -> String {
    let mut out = String::new();
    let mut before: Option<&Value> = None;
    for arg in args {
        let is_text = |value: &Value| matches!(value, Value::Str(_) | Value::Html(_));
        if before.is_some_and(|before| !is_text(before) && !is_text(arg)) {
            out.push(' ');
        }
        out.push_str(&arg.text());
        before = Some(arg);
    }
    out
}

fn println(args: &[Value]) -> String {
    args.iter().map(Value::text).collect::<Vec<_>>().join(" ") + "\n"
}

/// A single text is taken as it is.
fn print_args(args: &[Value]) -> Arc<str> {
    match args {
        [Value::Str(text) | Value::Html(text)] => text.clone(),
        args => print(args).into(),
    }
}

fn equal_any(args: &[Value]) -> Result<bool, String> {
    let (first, others) = args.split_first().ok_or("missing argument for comparison")?;
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        if equal(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal(a: &Value, b: &Value) -> Result<bool, String> {
    match (a, b) {
        (Value::Nil, _) | (_, Value::Nil) => Ok(matches!((a, b), (Value::Nil, Value::Nil))),
        (Value::Map(_) | Value::List(_), _) => Err(format!("non-comparable type {}", a.type_name())),
        (_, Value::Map(_) | Value::List(_)) => Err(format!("non-comparable type {}", b.type_name())),
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        (Value::Struct(a), Value::Struct(b)) if a.name == b.name => Ok(a == b),
        _ => Ok(order(a, b)? == Some(Ordering::Equal)),
    }
}

/// `None` if one is not a number.
fn order(a: &Value, b: &Value) -> Result<Option<Ordering>, String> {
    match (a, b) {
        (Value::Int(a) | Value::Duration(a), Value::Int(b) | Value::Duration(b)) => Ok(Some(a.cmp(b))),
        (Value::Float(a), Value::Float(b)) => Ok(a.partial_cmp(b)),
        (Value::Str(a) | Value::Html(a), Value::Str(b) | Value::Html(b)) => Ok(Some(a.cmp(b))),
        (Value::Time(_) | Value::Zoned(_), Value::Time(_) | Value::Zoned(_)) => {
            Ok(a.moment().map(|m| m.unix_ms).partial_cmp(&b.moment().map(|m| m.unix_ms)))
        }
        (a, b) if std::mem::discriminant(a) == std::mem::discriminant(b) => {
            Err(format!("invalid type for comparison: {}", a.type_name()))
        }
        (a, b) => Err(format!("incompatible types for comparison: {} and {}", a.type_name(), b.type_name())),
    }
}
