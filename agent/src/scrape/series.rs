//! What a target has said: its series by how they are written, so that labels are made once, and
//! those that are gone get a stale marker.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use telemetry::exposition::{Caps, Entry, Format, Label, Parser};
use telemetry::samples::{Exemplar, Metadata, MetricKind, Sample, stale_nan};
use telemetry::{LabelSet, METRIC_NAME};
use xxhash_rust::xxh3::xxh3_64;

use super::job::{Job, Limits};
use super::parcels::{MAX_SERIES_BYTES, Parcels};
use super::relabel::{self, Labels};

/// After so long what a family says about itself is told again.
const TELL_AGAIN: Duration = Duration::from_secs(600);

/// More samples of one scrape are a fault of the target, whatever `sample_limit` says: each takes memory here.
const MAX_SAMPLES: u64 = 1_000_000;

/// Whose samples they are.
pub(super) struct Context<'a> {
    pub(super) job: &'a Job,
    /// Labels of the target.
    pub(super) own: &'a [(String, String)],
    pub(super) external: &'a [(String, String)],
    /// When the scrape began.
    pub(super) time_ms: i64,
}

/// All series of a target.
#[derive(Default)]
pub(super) struct SeriesState {
    series: HashMap<Box<str>, Cached>,
    /// Series of before that may still get a stale marker.
    owed: HashSet<LabelSet>,
    scrape: u64,
    /// What families have told, by hashes of the name and of the text.
    told: HashMap<u64, (u64, Instant)>,
}

struct Cached {
    /// `None` if a rule drops the series.
    labels: Option<LabelSet>,
    /// The scrape that had it last.
    seen: u64,
    /// Whether the last sample's time was the scrape's.
    is_tracked: bool,
    /// Whether a scrape that succeeded had it.
    is_written: bool,
}

/// What a scrape has brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) scraped: u64,
    pub(super) kept: u64,
    pub(super) added: u64,
    /// Samples that repeat a series without a time of their own.
    pub(super) repeated: u64,
}

impl SeriesState {
    /// Reads a body. If that fails nothing of it is kept, and `counts` says how far it came.
    pub(super) fn read(
        &mut self,
        body: &str,
        format: Format,
        context: &Context<'_>,
        out: &mut Parcels,
        counts: &mut Counts,
    ) -> Result<Vec<LabelSet>, String> {
        self.scrape += 1;
        let mut parser = Parser::new(body, format, Caps::default());
        let mut family: Option<Metadata> = None;
        loop {
            match parser.next_entry().map_err(|error| error.to_string())? {
                None => break,
                Some(Entry::Sample(sample)) => {
                    counts.scraped += 1;
                    let labels = self.enter(&parser, &sample, context, counts)?;
                    check_count(counts, context.job.limits.samples)?;
                    let Some((labels, time_ms)) = labels else { continue };
                    if let Some(metadata) = family.take() {
                        self.tell(metadata, format, out);
                    }
                    let exemplar = sample.exemplar.and_then(|exemplar| {
                        let labels =
                            LabelSet::new(parser.exemplar_labels().iter().map(|(n, v)| (&**n, &**v)));
                        let labels =
                            labels.ok().filter(|labels| labels.as_bytes().len() < MAX_SERIES_BYTES)?;
                        let time_ms = exemplar.time_ms.unwrap_or(time_ms);
                        Some(Exemplar { labels, value: exemplar.value, time_ms })
                    });
                    out.sample(&labels, Sample { time_ms, value: sample.value }, exemplar);
                }
                Some(entry) => family = Some(noted(family, entry)),
            }
        }
        Ok(self.sweep(context.time_ms, out))
    }

    /// The labels of a sample and its time; `None` if it is not kept.
    fn enter(
        &mut self,
        parser: &Parser<'_>,
        sample: &telemetry::exposition::Sample<'_>,
        context: &Context<'_>,
        counts: &mut Counts,
    ) -> Result<Option<(LabelSet, i64)>, String> {
        let own_time = sample.time_ms.filter(|_| context.job.honor_timestamps);
        if !self.series.contains_key(sample.series) {
            let labels = labels_of(parser.labels(), context)
                .map_err(|why| format!("line {}: {why}", parser.line()))?;
            counts.added += u64::from(labels.is_some());
            let cached = Cached { labels, seen: 0, is_tracked: false, is_written: false };
            self.series.insert(sample.series.into(), cached);
        }
        let Some(cached) = self.series.get_mut(sample.series) else { return Ok(None) };
        let is_again = std::mem::replace(&mut cached.seen, self.scrape) == self.scrape;
        let Some(labels) = &cached.labels else { return Ok(None) };
        counts.kept += 1;
        if is_again && own_time.is_none() {
            counts.repeated += 1;
            return Ok(None);
        }
        cached.is_tracked = own_time.is_none() || context.job.track_timestamps_staleness;
        Ok(Some((labels.clone(), own_time.unwrap_or(context.time_ms))))
    }

    /// Marks what the scrape did not have any more; returns it.
    fn sweep(&mut self, time_ms: i64, out: &mut Parcels) -> Vec<LabelSet> {
        let scrape = self.scrape;
        let mut gone: HashSet<LabelSet> = std::mem::take(&mut self.owed);
        self.series.retain(|_, cached| {
            let is_seen = cached.seen == scrape;
            if !is_seen && cached.is_written {
                gone.extend(cached.labels.take());
            }
            cached.is_written = is_seen && cached.is_tracked;
            is_seen
        });
        if self.told.len() > self.series.len() {
            // Some of the families are gone. The others tell again what they are.
            self.told.clear();
        }
        if !gone.is_empty() {
            for labels in self.series.values().filter_map(|cached| cached.labels.as_ref()) {
                gone.remove(labels);
            }
        }
        mark(gone.into_iter().collect(), time_ms, out)
    }

    /// Nothing could be scraped, or the target is gone: every series is marked.
    pub(super) fn end(&mut self, time_ms: i64, out: &mut Parcels) -> Vec<LabelSet> {
        self.carry_over();
        mark(std::mem::take(&mut self.owed).into_iter().collect(), time_ms, out)
    }

    /// Labels are to be made anew; what is not among them then gets its marker.
    pub(super) fn carry_over(&mut self) {
        let written = self.series.drain().filter(|(_, cached)| cached.is_written);
        self.owed.extend(written.filter_map(|(_, cached)| cached.labels));
    }

    /// These did not reach the queue: they are marked with the next scrape.
    pub(super) fn owe(&mut self, labels: Vec<LabelSet>) {
        self.owed.extend(labels);
    }

    fn tell(&mut self, mut metadata: Metadata, format: Format, out: &mut Parcels) {
        // OpenMetrics names a counter's family without what its metric ends with.
        let is_bare = metadata.kind == MetricKind::Counter && !metadata.family.ends_with("_total");
        if format == Format::OpenMetrics && is_bare {
            metadata.family.push_str("_total");
        }
        let name = xxh3_64(metadata.family.as_bytes());
        let text = [metadata.help.as_str(), metadata.unit.as_str(), metadata.kind.as_str()].join("\0");
        let text = xxh3_64(text.as_bytes());
        let is_known =
            self.told.get(&name).is_some_and(|(told, at)| *told == text && at.elapsed() < TELL_AGAIN);
        if !is_known {
            self.told.insert(name, (text, Instant::now()));
            out.metadata(&metadata);
        }
    }
}

/// While reading: a body that is too much is not kept up to its end.
fn check_count(counts: &Counts, limit: u64) -> Result<(), String> {
    if limit > 0 && counts.kept > limit {
        return Err(format!("there are more samples than the sample_limit of {limit}"));
    }
    if counts.scraped > MAX_SAMPLES {
        return Err(format!("there are more than {MAX_SAMPLES} samples, the most that one target may have"));
    }
    Ok(())
}

fn mark(gone: Vec<LabelSet>, time_ms: i64, out: &mut Parcels) -> Vec<LabelSet> {
    for labels in &gone {
        out.sample(labels, Sample { time_ms, value: stale_nan() }, None);
    }
    gone
}

/// What is known of a family with one line more.
fn noted(family: Option<Metadata>, entry: Entry<'_>) -> Metadata {
    let (Entry::Help { family: name, .. }
    | Entry::Type { family: name, .. }
    | Entry::Unit { family: name, .. }) = &entry
    else {
        return family.unwrap_or_default();
    };
    let same = family.filter(|family| family.family == **name);
    let mut metadata = same.unwrap_or_else(|| Metadata { family: name.to_string(), ..Metadata::default() });
    match entry {
        Entry::Help { text, .. } => metadata.help = text.chars().take(1024).collect(),
        Entry::Type { kind, .. } => metadata.kind = kind,
        Entry::Unit { unit, .. } => unit.clone_into(&mut metadata.unit),
        Entry::Sample(_) => {}
    }
    metadata
}

/// The labels that a series gets here: the target's, what rules make of them, and external ones.
fn labels_of(written: &[Label<'_>], context: &Context<'_>) -> Result<Option<LabelSet>, String> {
    let mut names = HashSet::new();
    if let Some((name, _)) = written.iter().find(|(name, _)| !names.insert(&**name)) {
        return Err(format!("the label {name:?} stands twice"));
    }
    let filled = written.iter().filter(|(_, value)| !value.is_empty());
    let mut labels = Labels(filled.map(|(name, value)| (name.to_string(), value.to_string())).collect());
    merge(&mut labels, context.own, context.job.honor_labels);
    if !relabel::apply(&context.job.metric_relabel, &mut labels) || labels.0.is_empty() {
        return Ok(None);
    }
    if labels.get(METRIC_NAME).is_empty() {
        return Err("the rules leave a series without a name".to_owned());
    }
    check_limits(&labels, &context.job.limits)?;
    for (name, value) in context.external {
        if labels.get(name).is_empty() {
            labels.set(name, value);
        }
    }
    let labels = LabelSet::new(labels.0).map_err(|error| error.to_string())?;
    if labels.as_bytes().len() > MAX_SERIES_BYTES {
        return Err(format!("the labels of a series have more than {MAX_SERIES_BYTES} bytes"));
    }
    Ok(Some(labels))
}

/// Labels of a target win over those of its series, which get another name, unless they are to be honoured.
fn merge(labels: &mut Labels, own: &[(String, String)], is_honoured: bool) {
    let mut conflicts = Vec::new();
    for (name, value) in own {
        let exposed = labels.get(name).to_owned();
        if is_honoured {
            if exposed.is_empty() {
                labels.set(name, value);
            }
            continue;
        }
        if !exposed.is_empty() {
            conflicts.push((name, exposed));
        }
        labels.set(name, value);
    }
    conflicts.sort_by_key(|(name, _)| name.len());
    for (name, value) in conflicts {
        let mut renamed = format!("exported_{name}");
        while !labels.get(&renamed).is_empty() {
            renamed.insert_str(0, "exported_");
        }
        labels.set(&renamed, &value);
    }
}

fn check_limits(labels: &Labels, limits: &Limits) -> Result<(), String> {
    let metric = labels.get(METRIC_NAME).chars().take(100).collect::<String>();
    let over = |count: usize, limit: u64| limit > 0 && count as u64 > limit;
    if over(labels.0.len(), limits.labels) {
        return Err(format!(
            "{metric:?} has {} labels, the label_limit is {}",
            labels.0.len(),
            limits.labels
        ));
    }
    for (name, value) in &labels.0 {
        let shown: String = name.chars().take(100).collect();
        if over(name.len(), limits.label_name_bytes) {
            let limit = limits.label_name_bytes;
            return Err(format!("a label's name of {metric:?} is longer than {limit} bytes: {shown:?}"));
        }
        if over(value.len(), limits.label_value_bytes) {
            let limit = limits.label_value_bytes;
            return Err(format!("the value of {shown:?} of {metric:?} is longer than {limit} bytes"));
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(state: &mut SeriesState, body: &str, out: &mut Parcels) -> (Result<(), String>, Counts) {
        let input = crate::scrape::tests::job("target:1", "");
        let context = Context { job: &input.jobs[0], own: &[], external: &[], time_ms: 1 };
        let mut counts = Counts::default();
        let read = state.read(body, Format::Text, &context, out, &mut counts);
        (read.map(drop), counts)
    }

    #[test]
    fn a_target_has_an_end_whatever_its_limits_are() {
        let body = "a 1\n".repeat(MAX_SAMPLES as usize);
        let (whole, counts) = read(&mut SeriesState::default(), &body, &mut Parcels::default());
        assert_eq!((whole, counts.scraped), (Ok(()), MAX_SAMPLES));
        let (more, counts) =
            read(&mut SeriesState::default(), &(body + "a 1\nthis is no line\n"), &mut Parcels::default());
        assert!(more.unwrap_err().contains("more than 1000000 samples"));
        assert_eq!(counts.scraped, MAX_SAMPLES + 1, "the rest is not read");
    }

    #[test]
    fn families_that_are_gone_are_forgotten() {
        let mut state = SeriesState::default();
        for round in 0..50 {
            let body: String =
                (0..4).map(|at| format!("# TYPE m{round}_{at} gauge\nm{round}_{at} 1\n")).collect();
            read(&mut state, &body, &mut Parcels::default()).0.unwrap();
        }
        assert!(state.told.len() <= 4, "{}", state.told.len());
        for _ in 0..2 {
            read(&mut state, "# TYPE a gauge\na 1\n", &mut Parcels::default()).0.unwrap();
        }
        assert_eq!(state.told.len(), 1);
    }
}
