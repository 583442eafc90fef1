//! Rows counted by the values of one attribute, without their records.

use std::borrow::Cow;

use search::{Field, Row};
use telemetry::Value;

use super::rows::BlockView;
use crate::split::rest::Attribute;
use crate::split::{ReadError, SplitReader};

/// A row of which one field is known, and nothing else is asked for.
pub(super) struct OneField<'a>(Option<Value<'a>>);

impl Row for OneField<'_> {
    fn time_ns(&self) -> i64 {
        0
    }

    fn severity(&self) -> u8 {
        0
    }

    fn trace_id(&self) -> Option<[u8; 16]> {
        None
    }

    fn span_id(&self) -> Option<[u8; 8]> {
        None
    }

    fn body(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn field(&self, _: &Field) -> Option<Value<'_>> {
        self.0
    }
}

/// Hands on each value that `rows` of a block, which ascend, have in a field, and how many of them have it; false
/// if the field is no attribute, or not one of few values.
pub(super) fn tally<E: From<ReadError>>(
    split: &SplitReader,
    block: usize,
    rows: &[u32],
    field: &Field,
    mut then: impl FnMut(&OneField<'_>, u64) -> Result<(), E>,
) -> Result<bool, E> {
    let (Field::Attribute(path) | Field::Any(path)) = field else { return Ok(false) };
    let Some(Attribute::Coded(coded)) = split.attribute(block, path)? else { return Ok(false) };
    for (given, count) in coded.tally(rows) {
        if let Some(value) = given.value() {
            then(&OneField(Some(value)), count)?;
        } else if matches!(field, Field::Attribute(_)) {
            then(&OneField(None), count)?;
        } else {
            // The resource answers for records without the attribute.
            let (numbers, streams) = (split.row_streams(block)?, split.streams()?);
            let without = coded.select(rows.to_vec(), |given| given.value().is_none());
            for (number, count) in numbers.tally(&without) {
                let view = BlockView { stream: streams.get(*number as usize), ..BlockView::default() };
                then(&OneField(view.field(field)), count)?;
            }
        }
    }
    Ok(true)
}
