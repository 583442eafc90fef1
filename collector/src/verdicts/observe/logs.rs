//! How often each pattern of log records came, per service and step: warnings and worse, work that is told of, and what
//! was never said before. A search counts for all services at once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use bottleneck::{Grid, LogPattern, NodeId};
use events::{Buckets, Order, PatternId, PatternOptions, PatternRow, SearchError, ServiceRow, Snapshot};

use super::traces::Bounds;

/// Patterns of one search.
const MAX_PATTERNS: usize = 1_000;
/// Those of one service that come most often, and those of all services.
const MAX_OF_SERVICE: usize = 200;
const MAX_OF_ALL: usize = 1_500;
/// Patterns have so many buckets at the most.
const MAX_BUCKETS: usize = 1_000;

/// Numbers of OpenTelemetry by class: unset, trace, debug, info, warn, error, fatal.
const NUMBERS: [u8; 7] = [0, 1, 5, 9, 13, 17, 21];

/// Patterns that were found, and what was left out.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) patterns: Vec<LogPattern>,
    pub(super) notes: Vec<String>,
}

/// Reads the patterns of all services that are nodes. `hot_s` is since when something may be new, s since 1970.
pub(super) async fn read(
    snapshots: &[Snapshot],
    grid: Grid,
    hot_s: i64,
    by_name: &HashMap<String, NodeId>,
    bounds: Bounds,
) -> Result<Read, SearchError> {
    let reading = Reading { snapshots, grid, by_name, bounds };
    let mut found = Found::default();
    let rows = reading.patterns("severity>=warn", grid.start_s, &mut found.notes).await?;
    reading.busiest(&mut found, &rows, grid.start_s);
    // Work that is told of and is no longer done says as much as a warning; without it a verdict still has those.
    let below = "(severity<warn OR severity:unset)";
    let rows = reading.patterns(below, grid.start_s, &mut found.notes).await;
    let rows = in_time(rows, &mut found.notes)?;
    reading.busiest(&mut found, &rows, grid.start_s);
    // What is said for the first time may be too rare to be among the busiest of the whole time.
    let new_ns = hot_s.saturating_mul(1_000_000_000);
    let rows = reading.patterns(below, hot_s, &mut found.notes).await;
    let mut rows = in_time(rows, &mut found.notes)?;
    rows.retain(|row| row.first_seen_ns >= new_ns);
    reading.busiest(&mut found, &rows, hot_s);
    Ok(Read { patterns: found.patterns.into_values().collect(), notes: found.notes })
}

/// What was found until now.
#[derive(Default)]
struct Found {
    /// By node, id and severity: what was told of and is an error now is two.
    patterns: BTreeMap<(NodeId, String, u8), LogPattern>,
    notes: Vec<String>,
}

/// Says a thing once.
fn note(notes: &mut Vec<String>, text: &str) {
    if !notes.iter().any(|note| note == text) {
        notes.push(text.to_owned());
    }
}

/// What was found before the time was over is better than nothing.
fn in_time(
    rows: Result<Vec<PatternRow>, SearchError>,
    notes: &mut Vec<String>,
) -> Result<Vec<PatternRow>, SearchError> {
    match rows {
        Err(SearchError::Timeout) => {
            note(notes, "not all log patterns could be read in time");
            Ok(Vec::new())
        }
        read => read,
    }
}

struct Reading<'a> {
    snapshots: &'a [Snapshot],
    grid: Grid,
    by_name: &'a HashMap<String, NodeId>,
    bounds: Bounds,
}

impl Reading<'_> {
    /// Takes the busiest patterns of each service that is a node, counted since `from_s`.
    fn busiest(&self, found: &mut Found, rows: &[PatternRow], from_s: i64) {
        let mut of_nodes: BTreeMap<NodeId, Vec<Share<'_>>> = BTreeMap::new();
        for pattern in rows {
            for counted in &pattern.of_services {
                if let Some(node) = self.by_name.get(&counted.service).copied() {
                    of_nodes.entry(node).or_default().push(Share { node, pattern, counted });
                }
            }
        }
        let (mut count, mut ranked) = (0, Vec::new());
        for mut own in of_nodes.into_values() {
            count += own.len();
            own.sort_by_key(Share::order);
            ranked.extend(own.into_iter().take(MAX_OF_SERVICE).enumerate());
        }
        // A service that logs little is not left out for one that logs much.
        ranked.sort_by_key(|(rank, share)| (*rank, share.order()));
        ranked.truncate(MAX_OF_ALL);
        if ranked.len() < count {
            let most = ranked.len();
            let text = format!("of {count} log patterns of services the {most} busiest were looked at");
            note(&mut found.notes, &text);
        }
        for (_, share) in ranked {
            self.add(&mut found.patterns, &share, from_s);
        }
    }

    /// Patterns of what a query finds since `from_s`, with their services.
    async fn patterns(
        &self,
        query: &str,
        from_s: i64,
        notes: &mut Vec<String>,
    ) -> Result<Vec<PatternRow>, SearchError> {
        let query =
            search::parse(query).map_err(|error| SearchError::Internal(format!("{query}: {error}")))?;
        let (start_s, end_s) = (from_s.max(self.grid.start_s), self.grid.time_s(self.grid.steps));
        let count = usize::try_from((end_s - start_s) / i64::from(self.grid.step_s)).unwrap_or(0);
        if count == 0 || count > MAX_BUCKETS {
            return Ok(Vec::new());
        }
        let ns = 1_000_000_000;
        let request = events::Request {
            query,
            start_ns: start_s * ns,
            end_ns: end_s * ns,
            order: Order::Newest,
            limit: 0,
            cursor: None,
            deadline: Some(self.bounds.deadline),
            max_memory_bytes: self.bounds.memory_bytes,
        };
        let buckets = Buckets { start_ns: start_s * ns, width_ns: i64::from(self.grid.step_s) * ns, count };
        let options = PatternOptions { limit: MAX_PATTERNS, buckets, examples: 0, by_service: true };
        match events::patterns(self.snapshots, &request, options).await {
            Ok(found) => Ok(found.patterns),
            // Whose a pattern is that one service alone has is known without.
            Err(SearchError::TooLarge { .. }) => {
                note(notes, "log patterns that services share are left out: there are too many");
                let options = PatternOptions { by_service: false, ..options };
                let found = events::patterns(self.snapshots, &request, options).await?;
                Ok(found.patterns.into_iter().map(of_one_service).collect())
            }
            Err(error) => Err(error),
        }
    }

    fn add(
        &self,
        found: &mut BTreeMap<(NodeId, String, u8), LogPattern>,
        Share { node, pattern, counted }: &Share<'_>,
        from_s: i64,
    ) {
        let first = usize::try_from((from_s - self.grid.start_s) / i64::from(self.grid.step_s)).unwrap_or(0);
        let mut counts = vec![0.0; self.grid.steps];
        let own = counts.iter_mut().skip(first + counted.first_bucket);
        own.zip(&counted.counts).for_each(|(place, count)| *place = *count as f64);
        let class = (0..NUMBERS.len()).max_by_key(|class| counted.severities[*class]).unwrap_or(0);
        let (id, text, severity) = (pattern.id.to_string(), pattern.template.clone(), NUMBERS[class]);
        let pattern = LogPattern { node: *node, text, severity, counts, id: id.clone() };
        found.insert((*node, id, severity), pattern);
    }
}

/// What a node has of a pattern.
struct Share<'a> {
    node: NodeId,
    pattern: &'a PatternRow,
    counted: &'a ServiceRow,
}

impl Share<'_> {
    /// The busiest first.
    fn order(&self) -> (Reverse<u64>, PatternId) {
        (Reverse(self.counted.severities.iter().sum()), self.pattern.id)
    }
}

/// A pattern that was not counted by service, where only one has it.
fn of_one_service(row: PatternRow) -> PatternRow {
    let of_services = match &row.services[..] {
        [(service, _)] => vec![ServiceRow {
            service: service.clone(),
            severities: row.severities,
            first_bucket: 0,
            counts: row.counts.clone(),
        }],
        _ => Vec::new(),
    };
    PatternRow { of_services, ..row }
}

#[cfg(test)]
mod tests;
