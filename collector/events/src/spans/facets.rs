//! Counts the values of fields among matching spans, as [`crate::facets`] does for logs.

use std::borrow::Cow;

use search::{Field, Row};
use telemetry::Value;

use super::gather::{Gathered, Sink, gather};
use super::query::off_runtime;
use super::view::{Columns, SpanView};
use super::{Request, Snapshot};
use crate::execute::FieldCounts;
use crate::execute::scan::CancelOnDrop;
use crate::{FacetOptions, Facets, SearchError};

/// Counts the values of fields among a query's spans; its stages do not count.
pub async fn facets(
    snapshots: &[Snapshot],
    request: &Request,
    fields: &[Field],
    limit: usize,
) -> Result<Facets, SearchError> {
    let limits = request.limits();
    let _guard = CancelOnDrop(limits.clone());
    let options = FacetOptions { fields: fields.to_vec(), limit, prefix: String::new() };
    let sink = Counts { fields: fields.to_vec(), counts: FieldCounts::new(&options), options };
    let gathered = gather(snapshots, request, sink, &limits).await?;
    let Gathered { sink, matched, warnings, .. } = gathered;
    let facets = off_runtime(move || sink.counts.finish(limit)).await?;
    Ok(Facets { facets, matched, partial: !warnings.is_empty(), warnings })
}

/// A row of which one field is known, and nothing else is asked for.
struct One<'a>(Option<Value<'a>>);

impl Row for One<'_> {
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

struct Counts {
    fields: Vec<Field>,
    counts: FieldCounts,
    options: FacetOptions,
}

impl Sink for Counts {
    const STOPS_EARLY: bool = false;

    fn fields(&self) -> Vec<Field> {
        self.fields.clone()
    }

    fn fork(&self) -> Self {
        let (fields, options) = (self.fields.clone(), self.options.clone());
        Self { fields, counts: FieldCounts::new(&options), options }
    }

    fn take<V: SpanView>(&mut self, view: &V) -> Result<(), SearchError> {
        self.counts.add(view);
        Ok(())
    }

    /// Values that many rows share are looked at once.
    fn take_block(&mut self, columns: &Columns, rows: &[u32]) -> Result<(), SearchError> {
        let mut of_rows = Vec::new();
        for (place, field) in self.fields.iter().enumerate() {
            match columns.tally(field, rows) {
                Some(tally) => {
                    tally
                        .into_iter()
                        .for_each(|(value, count)| self.counts.add_to(place, &One(value), count));
                }
                None => of_rows.push(place),
            }
        }
        for view in columns.views(rows) {
            of_rows.iter().for_each(|place| self.counts.add_to(*place, &view, 1));
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) -> Result<(), SearchError> {
        self.counts.merge(other.counts);
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        self.counts.size_bytes()
    }
}
