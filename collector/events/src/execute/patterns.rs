//! Reads heads and splits for the pattern list: everything stored once, for the patterns; then the records of
//! the query, to count them.

mod services;
mod splits;
mod stored;

use std::sync::Arc;

use search::{Cell, Column, ColumnKind, Number, Row, Table};
use tokio::task::spawn_blocking;

use super::collect::{Place, Sink};
use super::plan::class_of;
use super::rows::HeadView;
use super::run;
use super::scan::{CancelOnDrop, Limits, Stop};
use super::{Answer, Buckets, Explain, Request};
use crate::SearchError;
use crate::key::RowKey;
use crate::partition::{Pinned, Snapshot};
use crate::patterns::block::NONE;
use crate::patterns::count::{Found, Tallies};
use crate::patterns::{PatternAnswer, PatternOptions, PatternRow};
use crate::split::{ReadError, SplitReader};
use services::Services;
use splits::{block_outlines, with_text};
use stored::Heads;
pub(super) use stored::{Stored, book};

/// No list has more buckets.
const MAX_BUCKETS: usize = 1000;
/// Pairs of a pattern and a service that a block counts in an array.
const MAX_PAIR_COUNTS: usize = 1 << 14;
/// Newest rows of a split among whose blocks bodies are read only to look at values.
const SAMPLED_ROWS: u64 = 128 << 10;
/// Rows of the stage `patterns`, without and with a `limit`.
const DEFAULT_TABLE_ROWS: usize = 100;
const MAX_TABLE_ROWS: usize = 10_000;
/// Longer examples are cut.
const MAX_EXAMPLE_BYTES: usize = 4 << 10;

/// The patterns of the records that a query finds; its stages do not count.
pub async fn patterns(
    snapshots: &[Snapshot],
    request: &Request,
    options: PatternOptions,
) -> Result<PatternAnswer, SearchError> {
    Ok(list(snapshots, request, options).await?.0)
}

/// The same, and what it cost.
async fn list(
    snapshots: &[Snapshot],
    request: &Request,
    mut options: PatternOptions,
) -> Result<(PatternAnswer, Explain), SearchError> {
    options.buckets.count = options.buckets.count.min(MAX_BUCKETS);
    let limits = Limits::of(request);
    let _guard = CancelOnDrop(limits.clone());
    let Stored { book, mut warnings, work } = book(snapshots, request, &limits).await?;
    let tallies = Tallies::new(book, options, request.max_memory_bytes);
    let sink = Sink::Patterns(Box::new(Gather::Tallies(tallies, Services::default())));
    let gathered = run::gather(snapshots, request, sink, &limits).await?;
    let mut explain = gathered.partial.explain;
    explain.merge(&Explain { patterns: Some(work), ..Explain::default() });
    let mut answer = PatternAnswer {
        patterns: Vec::new(),
        total_patterns: 0,
        matched: gathered.partial.matched,
        searched_rows: gathered.partial.searched,
        without_pattern: 0,
        buckets: options.buckets,
        partial: false,
        warnings: Vec::new(),
    };
    add_warnings(&mut warnings, gathered.warnings);
    if let Sink::Patterns(gather) = gathered.partial.sink
        && let Gather::Tallies(tallies, _) = *gather
    {
        limits.check_size(tallies.size_bytes(), "patterns")?;
        answer.without_pattern = tallies.without_pattern;
        let read = spawn_blocking(move || finish(tallies, &limits)).await;
        let (patterns, total, unread) = read.map_err(|error| SearchError::Internal(error.to_string()))??;
        (answer.patterns, answer.total_patterns) = (patterns, total);
        add_warnings(&mut warnings, unread);
    }
    answer.partial = !warnings.is_empty();
    answer.warnings = warnings;
    Ok((answer, explain))
}

/// The answer of the stage `patterns`: id, template, records, first and last time, the most frequent first.
pub(super) async fn table(snapshots: &[Snapshot], request: &Request) -> Result<Answer, SearchError> {
    let limit = request.query.limit().unwrap_or(DEFAULT_TABLE_ROWS).min(MAX_TABLE_ROWS);
    let buckets = Buckets::covering(request.start_ns, request.end_ns, 1);
    let options = PatternOptions { limit, buckets, examples: 0, by_service: false };
    let (found, explain) = list(snapshots, request, options).await?;
    let column = |name: &str, kind| Column { name: name.to_owned(), kind };
    let columns = vec![
        column("pattern", ColumnKind::String),
        column("template", ColumnKind::String),
        column("count", ColumnKind::Number),
        column("first_seen", ColumnKind::Time),
        column("last_seen", ColumnKind::Time),
    ];
    let row = |row: &PatternRow| {
        let count = i64::try_from(row.count).unwrap_or(i64::MAX);
        vec![
            Cell::Text(row.id.to_string()),
            Cell::Text(row.template.clone()),
            Cell::Number(Number::Int(count)),
            Cell::Time(row.first_seen_ns),
            Cell::Time(row.last_seen_ns),
        ]
    };
    let rows = found.patterns.iter().map(row).collect();
    Ok(Answer {
        table: Some(Table { columns, rows }),
        matched: found.matched,
        searched_rows: found.searched_rows,
        partial: found.partial,
        warnings: found.warnings,
        explain,
        ..Answer::default()
    })
}

fn add_warnings(warnings: &mut Vec<String>, more: Vec<String>) {
    for warning in more {
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
}

/// What a scan gathers for patterns.
#[derive(Clone)]
pub(super) enum Gather {
    /// The outlines of the heads' rows.
    Outlines(Heads),
    /// Counts by pattern.
    Tallies(Tallies<Place>, Services),
}

impl Gather {
    pub(super) fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::Outlines(own), Self::Outlines(other)) => own.merge(other),
            (Self::Tallies(own, _), Self::Tallies(other, _)) => own.merge(other),
            _ => {}
        }
    }

    /// Memory that it holds.
    pub(super) fn size_bytes(&self) -> usize {
        match self {
            Self::Outlines(heads) => heads.size_bytes(),
            Self::Tallies(tallies, services) => tallies.size_bytes() + services.size_bytes(),
        }
    }

    pub(super) fn head_row(&mut self, partition: u16, view: &HeadView<'_>) {
        let (text, time_ns) = (view.body(), view.time_ns());
        let (tallies, services) = match self {
            Self::Outlines(heads) => return heads.push((partition, view.chunk.offset), &text, time_ns),
            Self::Tallies(tallies, services) => (tallies, services),
        };
        let pattern = tallies.pattern_of(&text).unwrap_or(NONE);
        let (bucket, class) = (tallies.bucket_of(time_ns), class_of(view.severity()));
        tallies.add(pattern, time_ns, class, bucket);
        let service = services.number(view);
        tallies.add_service(pattern, service, 1);
        tallies.add_of_service((pattern, service), class, bucket);
        if tallies.wants_example(pattern, time_ns) {
            let key = RowKey { time_ns, partition, seq: view.chunk.seq(view.row) };
            tallies.add_example(pattern, key, || Place::Head(view.chunk.clone(), view.row as u32));
        }
        if tallies.wants_values(pattern) {
            tallies.add_values(pattern, &text);
        }
    }

    /// Ends a split or a piece of the head.
    pub(super) fn end_file(&mut self) {
        match self {
            Self::Outlines(heads) => heads.end_piece(),
            Self::Tallies(tallies, services) => {
                let services = std::mem::take(services);
                tallies.end_file(|number| services.name(number));
            }
        }
    }

    /// Takes rows of a block, ascending.
    pub(super) fn rows(&mut self, at: BlockPlace<'_>, rows: &[u32], limits: &Limits) -> Result<(), Stop> {
        let Self::Tallies(tallies, services) = self else { return Ok(()) };
        services.read(at.split, limits)?;
        let outlines = block_outlines(at.split, at.block)?;
        let patterns = tallies.patterns_of(outlines.outlines.iter().map(|seen| seen.id));
        let pattern_of = |row: u32| match outlines.rows[row as usize] {
            NONE => NONE,
            outline => patterns[outline as usize],
        };
        let (times, severities) = (at.split.times(at.block)?, at.split.severities(at.block)?.expand());
        let streams = at.split.row_streams(at.block)?.expand();
        // Times ascend: a bucket is looked up once for the rows in it.
        let (mut bucket, mut bucket_end) = (None, i64::MIN);
        let mut by_service: Vec<(u32, u32)> = Vec::with_capacity(rows.len());
        for row in rows {
            let (pattern, time_ns) = (pattern_of(*row), times[*row as usize]);
            if time_ns >= bucket_end {
                (bucket, bucket_end) = tallies.bucket_from(time_ns);
            }
            let class = class_of(severities[*row as usize]);
            let key = (pattern, services.of_stream(streams[*row as usize]));
            tallies.add(pattern, time_ns, class, bucket);
            tallies.add_of_service(key, class, bucket);
            by_service.push(key);
        }
        count_pairs(&by_service, |(pattern, service), count| tallies.add_service(pattern, service, count));
        Ok(show(tallies, at, rows, pattern_of)?)
    }
}

/// Counts equal pairs: in an array if their numbers are small, else by order.
fn count_pairs(pairs: &[(u32, u32)], mut then: impl FnMut((u32, u32), u64)) {
    let known = || pairs.iter().filter(|(pattern, _)| *pattern != NONE);
    let width = known().map(|(_, service)| *service as usize + 1).max().unwrap_or(0);
    let height = known().map(|(pattern, _)| *pattern as usize + 1).max().unwrap_or(0);
    if width * height <= MAX_PAIR_COUNTS {
        let mut counts = vec![0u32; width * height];
        known().for_each(|(pattern, service)| counts[*pattern as usize * width + *service as usize] += 1);
        for (at, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            then(((at / width) as u32, (at % width) as u32), u64::from(count));
        }
        return;
    }
    let mut pairs: Vec<(u32, u32)> = known().copied().collect();
    pairs.sort_unstable();
    pairs.chunk_by(|a, b| a == b).for_each(|run| then(run[0], run.len() as u64));
}

/// A block and where it is.
#[derive(Clone, Copy)]
pub(super) struct BlockPlace<'a> {
    pub(super) partition: u16,
    pub(super) pinned: &'a Arc<Pinned>,
    pub(super) split: &'a SplitReader,
    pub(super) block: usize,
}

/// Takes examples and looks at values, newest rows first.
fn show(
    tallies: &mut Tallies<Place>,
    at: BlockPlace<'_>,
    rows: &[u32],
    pattern_of: impl Fn(u32) -> u32,
) -> Result<(), ReadError> {
    let times = at.split.times(at.block)?;
    let (mut seqs, mut bodies, mut scratch) = (None, None, Vec::new());
    let meta = at.split.block(at.block);
    let newest = u64::from(meta.first_row) + u64::from(meta.rows) + SAMPLED_ROWS > at.split.footer.rows;
    for row in rows.iter().rev() {
        let (pattern, time_ns) = (pattern_of(*row), times[*row as usize]);
        if tallies.wants_example(pattern, time_ns) {
            let seqs = match &seqs {
                Some(seqs) => seqs,
                None => seqs.insert(at.split.seqs(at.block)?),
            };
            let key = RowKey { time_ns, partition: at.partition, seq: seqs[*row as usize] };
            tallies.add_example(pattern, key, || Place::Split(at.pinned.clone(), at.block as u32, *row));
        }
        if newest && tallies.wants_values(pattern) {
            let bodies = match &bodies {
                Some(bodies) => bodies,
                None => bodies.insert(at.split.bodies(at.block)?),
            };
            let body = bodies.get(*row as usize, &mut scratch);
            with_text(body, |text| tallies.add_values(pattern, text));
        }
    }
    Ok(())
}

/// The rows of the answer, how many patterns there are, and what could not be read.
type Finished = (Vec<crate::patterns::PatternRow>, u64, Vec<String>);

fn finish(tallies: Tallies<Place>, limits: &Limits) -> Result<Finished, SearchError> {
    let (found, total) = tallies.finish();
    let mut wanted: Vec<(usize, RowKey, Place)> = Vec::new();
    let mut patterns = Vec::with_capacity(found.len());
    for (at, Found { row, examples }) in found.into_iter().enumerate() {
        wanted.extend(examples.into_iter().map(|(key, place)| (at, key, place)));
        patterns.push(row);
    }
    // Rows of one block are read together.
    wanted.sort_unstable_by_key(|(_, key, _)| (key.partition, std::cmp::Reverse(*key)));
    let mut warnings = Vec::new();
    for (at, key, place) in wanted {
        limits.check()?;
        match text_at(&place) {
            Ok(text) => patterns[at].examples.push((key, text)),
            Err((split, error)) => {
                split.note(&error);
                let warning = format!("split {} is left out: {error}", split.listed().name);
                add_warnings(&mut warnings, vec![warning]);
            }
        }
    }
    for pattern in &mut patterns {
        pattern.examples.sort_unstable_by_key(|(key, _)| std::cmp::Reverse(*key));
    }
    Ok((patterns, total, warnings))
}

/// The body of a record, cut where it is very long.
fn text_at(place: &Place) -> Result<String, (&Arc<Pinned>, ReadError)> {
    let shown = |text: &str| text[..text.floor_char_boundary(MAX_EXAMPLE_BYTES)].to_owned();
    match place {
        Place::Head(chunk, row) => Ok(shown(&chunk.record(*row as usize).body.to_text())),
        Place::Split(pinned, block, row) => {
            let bodies = pinned.open().and_then(|split| split.bodies(*block as usize));
            let bodies = bodies.map_err(|error| (pinned, error))?;
            Ok(with_text(bodies.get(*row as usize, &mut Vec::new()), shown))
        }
    }
}
