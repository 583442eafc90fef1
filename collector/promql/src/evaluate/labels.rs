//! Functions that change labels and look at no value.

use regex::Regex;
use telemetry::METRIC_NAME;

use super::annotations::Annotations;
use super::rows::{Row, Steps, merge_equal};
use super::{Context, text};
use crate::QueryError;
use crate::ast::Call;

impl Context<'_> {
    pub(super) fn label_replace(
        &self,
        call: &Call,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<Row>, QueryError> {
        let [target, replacement, source, pattern] = [1, 2, 3, 4].map(|index| text(&call.args[index]));
        let regex = Regex::new(&format!("^(?s:{pattern})$")).map_err(|_| {
            QueryError::Execution(format!("invalid regular expression in label_replace(): {pattern}"))
        })?;
        check_name(&target, "destination", "label_replace")?;
        let mut rows = self.vector(&call.args[0], steps, notes)?;
        for row in &mut rows {
            let Some(groups) = regex.captures(row.labels.get(&source).unwrap_or_default()) else { continue };
            let mut value = String::new();
            groups.expand(&replacement, &mut value);
            self.set(row, &target, &value)?;
        }
        merge_equal(rows)
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
        for row in &mut rows {
            let values = sources.iter().map(|source| row.labels.get(source).unwrap_or_default());
            let value = values.collect::<Vec<_>>().join(&separator);
            self.set(row, &target, &value)?;
        }
        merge_equal(rows)
    }

    /// Sets a label. Whoever takes the row over gives its memory back with the label.
    fn set(&self, row: &mut Row, target: &str, value: &str) -> Result<(), QueryError> {
        let before = row.bytes();
        row.labels = row.labels.with(target, value);
        if target == METRIC_NAME {
            row.drop_name = false;
        }
        self.budget.resize(before, row.bytes())
    }
}

fn check_name(name: &str, role: &str, function: &str) -> Result<(), QueryError> {
    if name.is_empty() || name.contains('\u{fffd}') {
        return Err(QueryError::Execution(format!("invalid {role} label name in {function}(): {name}")));
    }
    Ok(())
}
