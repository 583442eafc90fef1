//! The outlines of a split's rows, by block and in all; the block cache keeps them.

use std::sync::Arc;

use telemetry::otlp::LogRecord;

use crate::cache::Part;
use crate::execute::scan::{Limits, Stop};
use crate::partition::Pinned;
use crate::patterns::block::{BlockOutlines, Collector, NONE, Seen};
use crate::patterns::book::Outlines;
use crate::patterns::outline::Outliner;
use crate::split::bodies::{RAW, SignatureTable};
use crate::split::record::Body;
use crate::split::{ReadError, SplitReader};

/// Where the cache keeps the outlines of a whole split, beside those of its blocks, and those of its signatures.
const WHOLE_SPLIT: u32 = u32::MAX;
const OF_SIGNATURES: u32 = u32::MAX - 1;

/// A body as text.
pub(super) fn with_text<T>(body: Body<'_>, then: impl FnOnce(&str) -> T) -> T {
    match body {
        Body::Text(text) => then(text),
        Body::Raw(field) => then(&LogRecord::of_valid(field).body.to_text()),
    }
}

/// The outlines of a block's rows.
pub(super) fn block_outlines(split: &SplitReader, block: usize) -> Result<Arc<BlockOutlines>, ReadError> {
    if let Some(table) = split.signatures()? {
        return Ok(Arc::new(signed_outlines(split, block, &table)?));
    }
    split.file.cached(Part::Outlines, block as u32, || {
        let (times, bodies) = (split.times(block)?, split.bodies(block)?);
        let (mut collector, mut scratch) = (Collector::default(), Vec::new());
        for (row, time_ns) in times.iter().enumerate() {
            with_text(bodies.get(row, &mut scratch), |text| collector.push(text, *time_ns));
        }
        let outlines = collector.finish();
        let size_bytes = outlines.size_bytes();
        Ok((outlines, size_bytes))
    })
}

/// The same by the rows' signatures: only bodies that have none are read. Not cached: the codes are.
fn signed_outlines(
    split: &SplitReader,
    block: usize,
    table: &SignatureTable,
) -> Result<BlockOutlines, ReadError> {
    let of_signatures = signature_outlines(split, table)?;
    let (times, codes) = (split.times(block)?, split.codes(block, table)?);
    let (mut collector, mut scratch, mut bodies) = (Collector::default(), Vec::new(), None);
    // Per signature the place of its outline, once it is looked up.
    let mut places: Vec<Option<u32>> = vec![None; of_signatures.len()];
    for (row, (code, time_ns)) in codes.iter().zip(times.iter()).enumerate() {
        let Some(signature) = code.checked_sub(RAW + 1).map(|signature| signature as usize) else {
            let bodies = match &bodies {
                Some(bodies) => bodies,
                None => bodies.insert(split.bodies(block)?),
            };
            with_text(bodies.get(row, &mut scratch), |text| collector.push(text, *time_ns));
            continue;
        };
        let place = match places[signature] {
            Some(place) => place,
            None => {
                let seen = of_signatures[signature].as_ref();
                let place = seen.map_or(NONE, |seen| collector.place(seen.clone()));
                *places[signature].insert(place)
            }
        };
        collector.note(place, *time_ns);
    }
    Ok(collector.finish())
}

/// The outline of each signature of a split.
fn signature_outlines(
    split: &SplitReader,
    table: &SignatureTable,
) -> Result<Arc<Vec<Option<Seen>>>, ReadError> {
    split.file.cached(Part::Outlines, OF_SIGNATURES, || {
        let mut outliner = Outliner::default();
        let numbers = 0..table.len() as u32;
        let outlines = numbers.map(|number| Seen::of_signature(&mut outliner, table.signature(number)));
        let outlines: Vec<Option<Seen>> = outlines.collect();
        let size_bytes = outlines.iter().map(|seen| 16 + seen.as_ref().map_or(0, Seen::size_bytes)).sum();
        Ok((outlines, size_bytes))
    })
}

/// Whether nothing has to be read for the outlines of a split.
pub(super) fn are_outlines_kept(split: &Pinned) -> bool {
    split.file.known::<Outlines>(Part::Outlines, WHOLE_SPLIT).is_some()
}

/// The outlines of all rows of a split.
pub(super) fn split_outlines(split: &SplitReader, limits: &Limits) -> Result<Arc<Outlines>, Stop> {
    let mut stopped = None;
    let read = split.file.cached(Part::Outlines, WHOLE_SPLIT, || {
        let mut outlines = Outlines::default();
        for block in 0..split.footer.blocks.len() {
            if let Err(error) = limits.check() {
                stopped = Some(error);
                return Err(ReadError::Damaged("not read to its end".to_owned()));
            }
            block_outlines(split, block)?.outlines.iter().for_each(|seen| outlines.add(seen));
        }
        outlines.end_file();
        let size_bytes = outlines.size_bytes();
        Ok((outlines, size_bytes))
    });
    match stopped {
        Some(error) => Err(Stop::Query(error)),
        None => Ok(read?),
    }
}
