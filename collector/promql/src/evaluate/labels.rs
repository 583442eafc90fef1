//! Functions that change labels and look at no value.

use regex::RegexBuilder;
use telemetry::METRIC_NAME;

use super::annotations::Annotations;
use super::rows::{Row, Steps, bytes_of, merge_equal};
use super::{Context, text};
use crate::QueryError;
use crate::ast::Call;

/// The longest value that a label may get.
const MAX_VALUE_BYTES: usize = 64 << 10;
/// The longest text that is made to see whether it is short enough.
const MAX_EXPANDED_BYTES: usize = 16 << 20;
/// What the regular expression of one call may take when compiled. Calls within calls hold theirs one after another.
const MAX_REGEX_BYTES: usize = 10 << 20;

impl Context<'_> {
    pub(super) fn label_replace(
        &self,
        call: &Call,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<Row>, QueryError> {
        let [target, replacement, source, pattern] = [1, 2, 3, 4].map(|index| text(&call.args[index]));
        check_name(&target, "destination", "label_replace")?;
        let mut rows = self.vector(&call.args[0], steps, notes)?;
        let regex = RegexBuilder::new(&format!("^(?s:{pattern})$")).size_limit(MAX_REGEX_BYTES).build();
        let regex = regex.map_err(|_| {
            QueryError::Execution(format!("invalid regular expression in label_replace(): {pattern}"))
        })?;
        let references = replacement.matches('$').count();
        for (index, row) in rows.iter_mut().enumerate() {
            if index % 64 == 0 {
                self.budget.check()?;
            }
            let source = row.labels.get(&source).unwrap_or_default();
            let Some(groups) = regex.captures(source) else { continue };
            let mut value = String::new();
            if replacement.len().saturating_add(references.saturating_mul(source.len())) > MAX_EXPANDED_BYTES
            {
                return Err(too_long("label_replace"));
            }
            groups.expand(&replacement, &mut value);
            self.set(row, &target, &value, "label_replace")?;
        }
        self.merge_taken(rows)
    }

    pub(super) fn label_join(
        &self,
        call: &Call,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<Row>, QueryError> {
        let (target, separator) = (text(&call.args[1]), text(&call.args[2]));
        let sources: Vec<String> = call.args[3..].iter().map(text).collect();
        for source in &sources {
            check_name(source, "source", "label_join")?;
        }
        check_name(&target, "destination", "label_join")?;
        let mut rows = self.vector(&call.args[0], steps, notes)?;
        for (index, row) in rows.iter_mut().enumerate() {
            if index % 64 == 0 {
                self.budget.check()?;
            }
            let values = sources.iter().map(|source| row.labels.get(source).unwrap_or_default());
            let values: Vec<&str> = values.collect();
            let len: usize = values.iter().map(|value| value.len() + separator.len()).sum();
            if len > MAX_EXPANDED_BYTES {
                return Err(too_long("label_join"));
            }
            let value = values.join(&separator);
            self.set(row, &target, &value, "label_join")?;
        }
        self.merge_taken(rows)
    }

    fn set(&self, row: &mut Row, target: &str, value: &str, function: &str) -> Result<(), QueryError> {
        if value.len() > MAX_VALUE_BYTES {
            return Err(too_long(function));
        }
        let before = row.bytes();
        row.labels = row.labels.with(target, value);
        if target == METRIC_NAME {
            row.drop_name = false;
        }
        self.budget.change(before, row.bytes())
    }

    fn merge_taken(&self, rows: Vec<Row>) -> Result<Vec<Row>, QueryError> {
        let before = bytes_of(&rows);
        let merged = merge_equal(rows)?;
        self.budget.change(before, bytes_of(&merged))?;
        Ok(merged)
    }
}

fn too_long(function: &str) -> QueryError {
    QueryError::Execution(format!(
        "{function}() would make a label value that is longer than {} KiB",
        MAX_VALUE_BYTES >> 10
    ))
}

fn check_name(name: &str, role: &str, function: &str) -> Result<(), QueryError> {
    if name.is_empty() || name.contains('\u{fffd}') {
        return Err(QueryError::Execution(format!("invalid {role} label name in {function}(): {name}")));
    }
    Ok(())
}
