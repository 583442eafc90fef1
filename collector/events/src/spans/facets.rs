//! Counts the values of fields among matching spans, as [`crate::facets`] does for logs.

use search::Field;

use super::gather::{Gathered, Sink, gather};
use super::query::off_runtime;
use super::view::SpanView;
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

    fn merge(&mut self, other: Self) -> Result<(), SearchError> {
        self.counts.merge(other.counts);
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        self.counts.size_bytes()
    }
}
