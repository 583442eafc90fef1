//! How often each pattern of log records came, per step: warnings and worse, and what was never said before.

use std::collections::{BTreeMap, HashMap};

use bottleneck::{Grid, LogPattern, NodeId};
use events::{Buckets, Order, PatternOptions, PatternRow, SearchError, Snapshot};

use super::traces::{Bounds, quoted};

/// Patterns of one search.
const MAX_PATTERNS: usize = 200;
/// So many services are asked one by one where they share patterns.
const MAX_SERVICES: usize = 12;
/// Patterns have so many buckets at the most.
const MAX_BUCKETS: usize = 1_000;

/// Numbers of OpenTelemetry by class: unset, trace, debug, info, warn, error, fatal.
const NUMBERS: [u8; 7] = [0, 1, 5, 9, 13, 17, 21];

/// Reads the patterns of all services that are nodes. `hot_s` is since when something may be new, s since 1970.
pub(super) async fn read(
    snapshots: &[Snapshot],
    grid: Grid,
    hot_s: i64,
    by_name: &HashMap<String, NodeId>,
    bounds: Bounds,
) -> Result<Vec<LogPattern>, SearchError> {
    let reading = Reading { snapshots, grid, by_name, bounds };
    let mut found: BTreeMap<(NodeId, String), LogPattern> = BTreeMap::new();
    let all = reading.patterns("severity>=warn", grid.start_s).await?;
    let shared: Vec<String> = reading.services_that_share(&all);
    for row in all.iter().filter(|row| row.services.len() == 1) {
        reading.add(&mut found, row, &row.services[0].0, grid.start_s);
    }
    for service in shared {
        let query = format!("severity>=warn service:{}", quoted(&service));
        for row in reading.patterns(&query, grid.start_s).await? {
            reading.add(&mut found, &row, &service, grid.start_s);
        }
    }
    // What is said for the first time may be an info.
    let new_ns = hot_s.saturating_mul(1_000_000_000);
    for row in reading.patterns("severity<warn OR severity:unset", hot_s).await? {
        if row.first_seen_ns >= new_ns && row.services.len() == 1 {
            reading.add(&mut found, &row, &row.services[0].0, hot_s);
        }
    }
    Ok(found.into_values().collect())
}

struct Reading<'a> {
    snapshots: &'a [Snapshot],
    grid: Grid,
    by_name: &'a HashMap<String, NodeId>,
    bounds: Bounds,
}

impl Reading<'_> {
    async fn patterns(&self, query: &str, from_s: i64) -> Result<Vec<PatternRow>, SearchError> {
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
        let options = PatternOptions { limit: MAX_PATTERNS, buckets, examples: 0 };
        Ok(events::patterns(self.snapshots, &request, options).await?.patterns)
    }

    /// Those whose part of a pattern is not known from the answer for all.
    fn services_that_share(&self, all: &[PatternRow]) -> Vec<String> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for (service, count) in all.iter().filter(|row| row.services.len() > 1).flat_map(|row| &row.services)
        {
            if self.by_name.contains_key(service) {
                *counts.entry(service).or_default() += count;
            }
        }
        let mut services: Vec<(&str, u64)> = counts.into_iter().collect();
        services.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.cmp(b)));
        services.into_iter().take(MAX_SERVICES).map(|(service, _)| service.to_owned()).collect()
    }

    fn add(
        &self,
        found: &mut BTreeMap<(NodeId, String), LogPattern>,
        row: &PatternRow,
        service: &str,
        from_s: i64,
    ) {
        let Some(node) = self.by_name.get(service).copied() else { return };
        let first = usize::try_from((from_s - self.grid.start_s) / i64::from(self.grid.step_s)).unwrap_or(0);
        let mut counts = vec![0.0; self.grid.steps];
        for (place, count) in counts.iter_mut().skip(first).zip(&row.counts) {
            *place = *count as f64;
        }
        let class = (0..NUMBERS.len()).max_by_key(|class| row.severities[*class]).unwrap_or(0);
        let (id, text) = (row.id.to_string(), row.template.clone());
        let pattern = LogPattern { node, text, severity: NUMBERS[class], counts, id: id.clone() };
        found.insert((node, id), pattern);
    }
}
