//! A filter on the rows of a block: conditions are carried out column by column, each on the
//! rows that those before it left, and a value that many rows share is judged once.

use search::{Expr, Field, FieldMatch, SpanField, SpanRow, Test, lookup};
use telemetry::Value;

use super::split::Block;
use super::view::stream_field;
use crate::split::{ReadError, Stream};

/// Those of `rows`, which ascend, that fulfil the condition.
pub(super) fn select(expr: &Expr, block: &Block, rows: Vec<u32>) -> Result<Vec<u32>, ReadError> {
    if rows.is_empty() {
        return Ok(rows);
    }
    match expr {
        Expr::All => Ok(rows),
        Expr::And(children) => {
            let mut children: Vec<&Expr> = children.iter().collect();
            children.sort_by_key(|child| cost(child));
            children.into_iter().try_fold(rows, |rows, child| select(child, block, rows))
        }
        Expr::Or(children) => {
            let mut left = rows;
            let mut found = Vec::new();
            for child in children {
                let own = select(child, block, left.clone())?;
                left = without(left, &own);
                found.extend(own);
            }
            found.sort_unstable();
            Ok(found)
        }
        Expr::Not(child) => {
            let not = select(child, block, rows.clone())?;
            Ok(without(rows, &not))
        }
        Expr::Text(text) => {
            let (names, messages) = (block.names()?, block.status_messages()?);
            let text_of = |row: u32| SpanRow::text(names.get(row as usize), messages.get(row as usize));
            Ok(rows.into_iter().filter(|row| text.matches(&text_of(*row))).collect())
        }
        Expr::Field(asked) => select_field(expr, asked, block, rows),
    }
}

/// `rows` but for those of `other`, which are among them; both ascend.
fn without(mut rows: Vec<u32>, other: &[u32]) -> Vec<u32> {
    let mut other = other.iter().peekable();
    rows.retain(|row| other.next_if(|next| *next == row).is_none());
    rows
}

fn select_field(
    expr: &Expr,
    asked: &FieldMatch,
    block: &Block,
    mut rows: Vec<u32>,
) -> Result<Vec<u32>, ReadError> {
    let passes = |value: Value<'_>| asked.matches_value(&value);
    let text = |text: &str| !text.is_empty() && passes(Value::Str(text));
    match &asked.field {
        Field::TraceId => {
            let traces = block.traces()?;
            let wanted = |row: u32| id_passes(asked, traces.id(traces.of_row(row as usize)));
            rows.retain(|row| wanted(*row));
            Ok(rows)
        }
        Field::SpanId => {
            let ids = block.span_ids()?;
            rows.retain(|row| id_passes(asked, &ids[*row as usize]));
            Ok(rows)
        }
        Field::Service => {
            let (streams, tables) = (block.streams()?, block.tables()?);
            Ok(streams.select(rows, |stream| text(tables.service(*stream))))
        }
        Field::Host | Field::Scope | Field::Resource(_) => {
            let (streams, tables) = (block.streams()?, block.tables()?);
            let of = |stream: &u32| tables.streams.get(*stream as usize);
            Ok(streams.select(rows, |stream| {
                of(stream).and_then(|stream| stream_field(stream, &asked.field)).is_some_and(passes)
            }))
        }
        Field::Attribute(path) => Ok(block.attribute(path)?.select(rows, |value| passes(*value), |_| false)),
        Field::Any(path) => {
            let (streams, tables) = (block.streams()?, block.tables()?);
            let by_resource =
                |stream: &Stream| lookup(&stream.resource().attributes(), path).is_some_and(passes);
            let of_stream: Vec<bool> = streams
                .values()
                .iter()
                .map(|stream| tables.streams.get(*stream as usize).is_some_and(by_resource))
                .collect();
            let attribute = block.attribute(path)?;
            Ok(attribute.select(rows, |value| passes(*value), |row| of_stream[streams.code(row)]))
        }
        Field::Span(field) => select_own(*field, asked, block, rows),
        Field::Severity | Field::Body | Field::EventName | Field::Pattern => {
            debug_assert!(false, "spans have no such field: {expr}");
            Ok(Vec::new())
        }
    }
}

fn select_own(
    field: SpanField,
    asked: &FieldMatch,
    block: &Block,
    mut rows: Vec<u32>,
) -> Result<Vec<u32>, ReadError> {
    let text = |text: &str| !text.is_empty() && asked.matches_value(&Value::Str(text));
    Ok(match field {
        SpanField::Name => block.names()?.select(rows, text),
        SpanField::Kind => block.kinds()?.select(rows, |kind| text(kind.name())),
        SpanField::Status => block.statuses()?.select(rows, |status| text(status.name())),
        SpanField::StatusMessage => block.status_messages()?.select(rows, text),
        SpanField::Event => block.event_names()?.select(rows, text),
        SpanField::Duration => {
            let durations = block.durations()?;
            let value = |row: u32| Value::Int(SpanRow::duration(durations[row as usize]));
            rows.retain(|row| asked.matches_value(&value(*row)));
            rows
        }
        SpanField::ParentId => {
            let parents = block.parents()?;
            let passes = |row: u32| parents.get(row as usize).is_some_and(|id| id_passes(asked, &id));
            rows.retain(|row| passes(*row));
            rows
        }
        SpanField::Root => {
            let parents = block.parents()?;
            let of = |root: bool| asked.matches_value(&Value::Bool(root));
            let (roots, others) = (of(true), of(false));
            rows.retain(|row| if parents.get(*row as usize).is_none() { roots } else { others });
            rows
        }
    })
}

/// As `FieldMatch::matches` has it for ids.
fn id_passes(asked: &FieldMatch, id: &[u8]) -> bool {
    let is_there = id.iter().any(|byte| *byte != 0);
    match &asked.test {
        Test::Exists => is_there,
        Test::Id(wanted) => is_there && wanted.matches(id),
        _ => false,
    }
}

/// In which order the conditions of an `And` are carried out: columns of few values first.
fn cost(expr: &Expr) -> u8 {
    let Expr::Field(asked) = expr else {
        return match expr {
            Expr::All => 0,
            Expr::Not(child) => cost(child),
            Expr::And(children) | Expr::Or(children) => children.iter().map(cost).max().unwrap_or(0),
            Expr::Text(_) | Expr::Field(_) => 6,
        };
    };
    match &asked.field {
        Field::Service | Field::Host | Field::Scope | Field::Resource(_) => 1,
        Field::Span(SpanField::Name | SpanField::Kind | SpanField::Status) => 1,
        Field::Span(SpanField::Duration) | Field::TraceId => 2,
        Field::Span(SpanField::Root | SpanField::ParentId) | Field::SpanId => 3,
        Field::Attribute(_) | Field::Any(_) => 4,
        _ => 5,
    }
}
