//! The line before a document: `{"create":{"_index":"logs-shop","_id":"7"}}`.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::{Fault, Op};
use crate::json_text::{Scalar, Text, told};

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Action<'a> {
    pub(super) op: Op,
    pub(super) index: Option<Cow<'a, str>>,
    pub(super) id: Option<Cow<'a, str>>,
}

/// Parses line `number` (from 1) of a body.
pub(super) fn parse(line: &[u8], number: usize) -> Result<Action<'_>, Fault> {
    let mut deserializer = serde_json::Deserializer::from_slice(line);
    deserializer.disable_recursion_limit();
    let read = deserializer.deserialize_map(ActionReader).and_then(|action| {
        deserializer.end()?;
        Ok(action)
    });
    read.map_err(|error| Fault {
        kind: "illegal_argument_exception",
        reason: format!("malformed action/metadata line [{number}]: {}", told(&error)),
    })
}

struct ActionReader;

impl<'de> Visitor<'de> for ActionReader {
    type Value = Action<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an action: {\"create\":{…}}, {\"index\":{…}}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let name = map.next_key_seed(Text)?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
        let ops = [Op::Index, Op::Create, Op::Update, Op::Delete];
        let op = ops.into_iter().find(|op| op.name() == name).ok_or_else(|| {
            let name: String = name.chars().take(40).collect();
            A::Error::custom(format_args!(
                "unknown action {name:?}, expected index, create, update or delete"
            ))
        })?;
        let action = map.next_value_seed(Metadata(op))?;
        match map.next_key_seed(Text)? {
            None => Ok(action),
            Some(_) => Err(A::Error::custom("more than one action in a line")),
        }
    }
}

struct Metadata(Op);

impl<'de> DeserializeSeed<'de> for Metadata {
    type Value = Action<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Metadata {
    type Value = Action<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with _index and _id")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut action = Action { op: self.0, index: None, id: None };
        while let Some(name) = map.next_key_seed(Text)? {
            match &*name {
                "_index" => action.index = named(&mut map)?,
                "_id" => action.id = named(&mut map)?,
                // _type, routing, pipeline, version and the like say nothing about a log record.
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(action)
    }
}

fn named<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Cow<'de, str>>, A::Error> {
    Ok(Some(map.next_value_seed(Scalar)?).filter(|text| !text.is_empty()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn actions_of_real_clients_are_read() {
        type Case = (&'static str, Op, Option<&'static str>, Option<&'static str>);
        let cases: [Case; 6] = [
            (r#"{"index":{}}"#, Op::Index, None, None),
            (r#"{"create":{"_index":"logs-a","_id":"x"}}"#, Op::Create, Some("logs-a"), Some("x")),
            (
                r#" {"index": {"_index" : "a\u0062", "_type":"_doc","_id":7} } "#,
                Op::Index,
                Some("ab"),
                Some("7"),
            ),
            (r#"{"index":{"_index":"","_id":null}}"#, Op::Index, None, None),
            (r#"{"update":{"_id":"1","pipeline":{"x":[1]}}}"#, Op::Update, None, Some("1")),
            (r#"{"delete":{"_id":"1"}}"#, Op::Delete, None, Some("1")),
        ];
        for (line, op, index, id) in cases {
            let action = parse(line.as_bytes(), 1).unwrap_or_else(|fault| panic!("{line}: {fault}"));
            assert_eq!((action.op, action.index.as_deref(), action.id.as_deref()), (op, index, id), "{line}");
        }
    }

    #[test]
    fn faults_name_the_line() {
        let cases = [
            ("", "EOF while parsing a value at line 1 column 0"),
            (
                "[]",
                "invalid type: sequence, expected an action: {\"create\":{…}}, {\"index\":{…}} at line 1 column 0",
            ),
            (
                "{}",
                "invalid length 0, expected an action: {\"create\":{…}}, {\"index\":{…}} at line 1 column 2",
            ),
            (
                r#"{"message":"x"}"#,
                "unknown action \"message\", expected index, create, update or delete at line 1 column 10",
            ),
            (
                r#"{"index":"x"}"#,
                "invalid type: string \"x\", expected an object with _index and _id at line 1 column 12",
            ),
            (r#"{"index":{},"create":{}}"#, "more than one action in a line at line 1 column 20"),
            (r#"{"index":{}} {"#, "trailing characters at line 1 column 14"),
        ];
        for (line, reason) in cases {
            let fault = parse(line.as_bytes(), 3).unwrap_err();
            assert_eq!(fault.reason, format!("malformed action/metadata line [3]: {reason}"), "{line}");
        }
    }
}
