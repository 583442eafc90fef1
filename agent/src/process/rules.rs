//! Rules: drop, keep, sample, rename, set.

use telemetry::otlp::Any;
use xxhash_rust::xxh3::xxh3_64;

use super::{Condition, Context};
use crate::config::Scalar;
use crate::draft::Draft;

/// Carries the share of records that a sample rule keeps: one record stands for 1 / rate.
const SAMPLING_RATE: &str = "sampling.rate";

/// One rule of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    /// For counters.
    pub(crate) name: String,
    pub(crate) when: Condition,
    pub(crate) action: Action,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// Records that match go no further.
    Drop,
    /// Only records that match go further.
    Keep,
    /// Of records that match this share goes further, by their trace or their body.
    Sample(f64),
    /// Attributes that match get other names.
    Rename(Vec<(String, String)>),
    /// Attributes get these values.
    Set(Vec<(String, Scalar)>),
}

impl Rule {
    /// Whether the record goes further.
    pub(super) fn apply(&self, draft: &mut Draft<'_>, context: &Context) -> bool {
        let holds = self.when.holds(draft, context);
        match &self.action {
            Action::Drop => !holds,
            Action::Keep => holds,
            _ if !holds => true,
            Action::Sample(rate) => sample(draft, *rate),
            Action::Rename(names) => {
                for (key, _) in &mut draft.attributes {
                    if let Some((_, new)) = names.iter().find(|(old, _)| old == key) {
                        *key = new.clone().into();
                    }
                }
                true
            }
            Action::Set(values) => {
                values.iter().for_each(|(key, value)| set(draft, key, Any::from_value(value.as_value())));
                true
            }
        }
    }
}

/// The same records on every host and after every restart: all of a trace's, or equal lines.
fn sample(draft: &mut Draft<'_>, rate: f64) -> bool {
    let hash = match (&draft.trace_id, &draft.body) {
        (Some(id), _) => xxh3_64(id),
        (None, Any::Str(text)) => xxh3_64(text.as_bytes()),
        (None, body) => xxh3_64(format!("{body:?}").as_bytes()),
    };
    // 53 bits: what a double holds.
    let place = (hash >> 11) as f64 / (1u64 << 53) as f64;
    if place >= rate {
        return false;
    }
    // Rules one behind the other look at the same hash: the smaller share is what is left.
    let before = match draft.get(SAMPLING_RATE) {
        Some(Any::Double(before)) => *before,
        _ => 1.0,
    };
    set(draft, SAMPLING_RATE, Any::Double(rate.min(before)));
    true
}

fn set(draft: &mut Draft<'_>, key: &str, value: Any<'_>) {
    let value = match value {
        Any::Str(text) => Any::Str(text.into_owned().into()),
        Any::Bool(bit) => Any::Bool(bit),
        Any::Int(number) => Any::Int(number),
        Any::Double(number) => Any::Double(number),
        // A setting is a plain value.
        Any::Empty | Any::Bytes(_) | Any::Array(_) | Any::Map(_) => Any::Empty,
    };
    match draft.attributes.iter_mut().find(|(known, _)| known == key) {
        Some((_, old)) => *old = value,
        None => draft.add(key.to_owned(), value),
    }
}
