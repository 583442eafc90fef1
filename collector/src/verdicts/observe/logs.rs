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
    let all = reading.patterns("severity>=warn", grid.start_s).await?;
    reading.class(&mut found, "severity>=warn", all).await?;
    // Work that is told of and is no longer done says as much as a warning; without it a verdict still has those.
    let below = "(severity<warn OR severity:unset)";
    let rows = in_time(reading.patterns(below, grid.start_s).await, &mut found.notes)?;
    reading.class(&mut found, below, rows).await?;
    // What is said for the first time may be too rare to be among the busiest of the whole time.
    let new_ns = hot_s.saturating_mul(1_000_000_000);
    let rows = in_time(reading.patterns(below, hot_s).await, &mut found.notes)?;
    for row in rows {
        if row.first_seen_ns >= new_ns && row.services.len() == 1 {
            reading.add(&mut found.patterns, &row, &row.services[0].0, hot_s);
        }
    }
    Ok(Read { patterns: found.patterns.into_values().collect(), notes: found.notes })
}

/// What was found until now.
#[derive(Default)]
struct Found {
    patterns: BTreeMap<(NodeId, String), LogPattern>,
    notes: Vec<String>,
}

/// What was found before the time was over is better than nothing.
fn in_time(
    rows: Result<Vec<PatternRow>, SearchError>,
    notes: &mut Vec<String>,
) -> Result<Vec<PatternRow>, SearchError> {
    let late = "not all log patterns could be read in time";
    match rows {
        Err(SearchError::Timeout) => {
            if !notes.iter().any(|note| note == late) {
                notes.push(late.to_owned());
            }
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
    /// Patterns of these records, of which `all` are the busiest; those that services share one service after the other.
    async fn class(&self, found: &mut Found, records: &str, all: Vec<PatternRow>) -> Result<(), SearchError> {
        for row in all.iter().filter(|row| row.services.len() == 1) {
            self.add(&mut found.patterns, row, &row.services[0].0, self.grid.start_s);
        }
        let mut shared = self.services_that_share(&all);
        if shared.len() > MAX_SERVICES {
            let (all, most) = (shared.len(), MAX_SERVICES);
            found
                .notes
                .push(format!("of {all} services that log alike the {most} that log most were looked at"));
            shared.truncate(MAX_SERVICES);
        }
        for service in shared {
            let query = format!("{records} service:{}", quoted(&service));
            let rows = in_time(self.patterns(&query, self.grid.start_s).await, &mut found.notes)?;
            for row in rows {
                self.add(&mut found.patterns, &row, &service, self.grid.start_s);
            }
        }
        Ok(())
    }

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
        let options = PatternOptions { limit: MAX_PATTERNS, buckets, examples: 0, by_service: false };
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
        services.into_iter().map(|(service, _)| service.to_owned()).collect()
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_search_that_is_late_costs_its_own_patterns_alone() {
        let mut notes = Vec::new();
        for _ in 0..2 {
            assert!(in_time(Err(SearchError::Timeout), &mut notes).unwrap().is_empty());
        }
        assert_eq!(notes, ["not all log patterns could be read in time"], "said once");
        assert!(in_time(Err(SearchError::Internal("broken".to_owned())), &mut notes).is_err());
        assert!(in_time(Ok(Vec::new()), &mut notes).is_ok() && notes.len() == 1);
    }
}
