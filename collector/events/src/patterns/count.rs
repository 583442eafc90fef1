//! Counts the records of a query by pattern. Each file of rows is counted on its own and then added.

mod of_service;

use std::collections::HashMap;
use std::sync::Arc;

use super::block::NONE;
use super::book::{Book, Member};
use super::outline::Outliner;
use super::parameter::Slots;
use super::{PatternOptions, PatternRow, ServiceRow};
use crate::execute::Buckets;
use crate::key::RowKey;
use of_service::OfService;

/// Records of a file whose values are looked at, per pattern.
const SAMPLED_RECORDS: u64 = 500;
/// Services that are named.
const TOP_SERVICES: usize = 5;

/// Counts by pattern; `P` is where a record is.
#[derive(Clone, Debug)]
pub(crate) struct Tallies<P> {
    pub(crate) book: Arc<Book>,
    options: PatternOptions,
    /// No more than this is held.
    max_memory_bytes: usize,
    tallies: Vec<Option<Box<Tally<P>>>>,
    /// Records of a pattern by the number of their service, which means something in one file only.
    services: HashMap<(u32, u32), u64>,
    /// The same by bucket and severity, where that is asked for.
    of_services: HashMap<(u32, u32), OfService>,
    pub(crate) without_pattern: u64,
    outliner: Outliner,
    size_bytes: usize,
}

#[derive(Clone, Debug)]
struct Tally<P> {
    count: u64,
    severities: [u64; 7],
    counts: Vec<u64>,
    last_seen_ns: i64,
    services: HashMap<String, u64>,
    of_services: HashMap<String, OfService>,
    /// The newest records, newest first.
    examples: Vec<(RowKey, P)>,
    slots: Slots,
}

/// A pattern that was found, with the places of its examples.
pub(crate) struct Found<P> {
    pub(crate) row: PatternRow,
    pub(crate) examples: Vec<(RowKey, P)>,
}

impl<P> Tallies<P> {
    pub(crate) fn new(book: Arc<Book>, options: PatternOptions, max_memory_bytes: usize) -> Self {
        let tallies = std::iter::repeat_with(|| None).take(book.patterns.len()).collect::<Vec<_>>();
        let size_bytes = book.size_bytes() + size_of_val(&*tallies);
        Self {
            book,
            options,
            max_memory_bytes,
            tallies,
            services: HashMap::new(),
            of_services: HashMap::new(),
            without_pattern: 0,
            outliner: Outliner::default(),
            size_bytes,
        }
    }

    /// The pattern of a text, if it has one.
    pub(crate) fn pattern_of(&mut self, text: &str) -> Option<u32> {
        let (outline, _) = self.outliner.outline(text)?;
        self.book.member(outline).map(|member| member.pattern)
    }

    /// Per outline of a block its pattern, or [`NONE`].
    pub(crate) fn patterns_of(&self, outlines: impl Iterator<Item = u64>) -> Vec<u32> {
        outlines.map(|outline| self.book.member(outline).map_or(NONE, |member| member.pattern)).collect()
    }

    /// The bucket of a time, if it lies in one.
    pub(crate) fn bucket_of(&self, time_ns: i64) -> Option<usize> {
        self.options.buckets.of(time_ns)
    }

    /// The bucket of a time, and where it ends: later times up to there are in it too.
    pub(crate) fn bucket_from(&self, time_ns: i64) -> (Option<usize>, i64) {
        let Buckets { start_ns, width_ns, .. } = self.options.buckets;
        let bucket = self.bucket_of(time_ns);
        let end = match bucket {
            Some(bucket) => i128::from(start_ns) + (bucket as i128 + 1) * i128::from(width_ns),
            None if time_ns < start_ns => i128::from(start_ns),
            None => i128::from(i64::MAX),
        };
        (bucket, i64::try_from(end).unwrap_or(i64::MAX))
    }

    /// Counts a record; of no pattern if that is [`NONE`].
    pub(crate) fn add(&mut self, pattern: u32, time_ns: i64, class: usize, bucket: Option<usize>) {
        let Some(place) = self.tallies.get_mut(pattern as usize) else {
            self.without_pattern += 1;
            return;
        };
        let buckets = self.options.buckets.count;
        let tally = place.get_or_insert_with(|| {
            self.size_bytes += size_of::<Tally<P>>() + 8 * buckets;
            Box::new(Tally::new(buckets))
        });
        tally.count += 1;
        tally.severities[class] += 1;
        tally.last_seen_ns = tally.last_seen_ns.max(time_ns);
        if let Some(bucket) = bucket {
            tally.counts[bucket] += 1;
        }
    }

    /// Notes the number of a record's service.
    pub(crate) fn add_service(&mut self, pattern: u32, service: u32, count: u64) {
        if pattern != NONE {
            *self.services.entry((pattern, service)).or_default() += count;
        }
    }

    /// Counts a record of a pattern and a service for both, where that is asked for. A block may have very many such
    /// pairs: where they are too large the query ends at its next look at its memory, and nothing is added until then.
    pub(crate) fn add_of_service(&mut self, key: (u32, u32), class: usize, bucket: Option<usize>) {
        if !self.options.by_service || key.0 == NONE || self.size_bytes > self.max_memory_bytes {
            return;
        }
        let of_service = self.of_services.entry(key).or_insert_with(|| {
            self.size_bytes += OfService::SIZE_BYTES;
            OfService::default()
        });
        self.size_bytes += of_service.add(class, bucket);
    }

    /// Ends a file of rows: `name` says what the numbers of services stand for.
    pub(crate) fn end_file<'a>(&mut self, name: impl Fn(u32) -> Option<&'a str>) {
        for ((pattern, service), count) in std::mem::take(&mut self.services) {
            let Some(name) = name(service) else { continue };
            let Some(tally) = &mut self.tallies[pattern as usize] else { continue };
            match tally.services.get_mut(name) {
                Some(known) => *known += count,
                None => {
                    self.size_bytes += service_bytes(name);
                    tally.services.insert(name.to_owned(), count);
                }
            }
        }
        for ((pattern, service), of_service) in std::mem::take(&mut self.of_services) {
            self.size_bytes -= of_service.size_bytes();
            let Some(name) = name(service) else { continue };
            let Some(tally) = &mut self.tallies[pattern as usize] else { continue };
            self.size_bytes += tally.join(name, of_service);
        }
    }

    /// Whether a record of that time could be an example.
    pub(crate) fn wants_example(&self, pattern: u32, time_ns: i64) -> bool {
        let Some(Some(tally)) = self.tallies.get(pattern as usize) else { return false };
        tally.examples.len() < self.options.examples
            || tally.examples.last().is_some_and(|(last, _)| time_ns >= last.time_ns)
    }

    /// Takes an example, unless there are newer ones.
    pub(crate) fn add_example(&mut self, pattern: u32, key: RowKey, place: impl FnOnce() -> P) {
        let most = self.options.examples;
        let Some(Some(tally)) = self.tallies.get_mut(pattern as usize) else { return };
        let before = tally.examples.partition_point(|(known, _)| *known > key);
        if before < most {
            let held = tally.examples.len();
            tally.examples.insert(before, (key, place()));
            tally.examples.truncate(most);
            self.size_bytes += (tally.examples.len() - held) * size_of::<(RowKey, P)>();
        }
    }

    /// Whether the values of one more record are looked at.
    pub(crate) fn wants_values(&self, pattern: u32) -> bool {
        let Some(Some(tally)) = self.tallies.get(pattern as usize) else { return false };
        tally.slots.records < SAMPLED_RECORDS && self.size_bytes < self.sample_bytes()
    }

    /// Values are looked at while less memory than this is held.
    fn sample_bytes(&self) -> usize {
        self.max_memory_bytes / 4
    }

    /// Looks at a record's values.
    pub(crate) fn add_values(&mut self, pattern: u32, text: &str) {
        let Some((outline, _)) = self.outliner.outline(text) else { return };
        let Some(Member { holes, .. }) = self.book.member(outline) else { return };
        let Some(Some(tally)) = self.tallies.get_mut(pattern as usize) else { return };
        self.size_bytes += tally.slots.add(text, self.outliner.found(), holes);
    }

    /// Adds what another file has.
    pub(crate) fn merge(&mut self, other: Self) {
        self.without_pattern += other.without_pattern;
        let (most, sample_bytes) = (self.options.examples, self.sample_bytes());
        for (own, other) in self.tallies.iter_mut().zip(other.tallies) {
            let Some(mut other) = other else { continue };
            if self.size_bytes >= sample_bytes {
                other.slots = Slots::default();
            }
            match own {
                Some(own) => self.size_bytes += own.merge(*other, most),
                None => {
                    self.size_bytes += other.size_bytes();
                    *own = Some(other);
                }
            }
        }
    }

    /// Memory that it holds.
    pub(crate) fn size_bytes(&self) -> usize {
        self.size_bytes + 2 * self.services.len() * size_of::<((u32, u32), u64)>()
    }

    /// The most frequent patterns, and how many there are in all.
    pub(crate) fn finish(self) -> (Vec<Found<P>>, u64) {
        let mut found: Vec<(u32, Box<Tally<P>>)> = self
            .tallies
            .into_iter()
            .enumerate()
            .filter_map(|(place, tally)| tally.map(|tally| (place as u32, tally)))
            .collect();
        let total = found.len() as u64;
        let id = |place: u32| self.book.patterns[place as usize].id;
        found.sort_unstable_by_key(|(place, tally)| (std::cmp::Reverse(tally.count), id(*place)));
        found.truncate(self.options.limit);
        let found = found.into_iter().map(|(place, tally)| tally.found(&self.book, place as usize));
        (found.collect(), total)
    }
}

/// Memory of a service that a pattern has.
fn service_bytes(name: &str) -> usize {
    2 * (size_of::<(String, u64)>() + name.len())
}

impl<P> Tally<P> {
    fn new(buckets: usize) -> Self {
        Self {
            count: 0,
            severities: [0; 7],
            counts: vec![0; buckets],
            last_seen_ns: i64::MIN,
            services: HashMap::new(),
            of_services: HashMap::new(),
            examples: Vec::new(),
            slots: Slots::default(),
        }
    }

    /// Adds what another file has, all but `most` examples; gives the memory that it takes.
    fn merge(&mut self, other: Self, most: usize) -> usize {
        self.count += other.count;
        self.last_seen_ns = self.last_seen_ns.max(other.last_seen_ns);
        self.severities.iter_mut().zip(other.severities).for_each(|(own, other)| *own += other);
        self.counts.iter_mut().zip(other.counts).for_each(|(own, other)| *own += other);
        let mut size = 0;
        for (service, count) in other.services {
            let new = service_bytes(&service);
            let known = self.services.entry(service).or_insert_with(|| {
                size += new;
                0
            });
            *known += count;
        }
        size += other.of_services.into_iter().map(|(name, other)| self.join(&name, other)).sum::<usize>();
        let held = self.examples.len();
        self.examples.extend(other.examples);
        self.examples.sort_by_key(|(key, _)| std::cmp::Reverse(*key));
        self.examples.truncate(most);
        size += self.examples.len().saturating_sub(held) * size_of::<(RowKey, P)>();
        size + self.slots.merge(other.slots)
    }

    /// Adds what a service has of it elsewhere; gives the memory that it takes.
    fn join(&mut self, name: &str, other: OfService) -> usize {
        match self.of_services.get_mut(name) {
            Some(known) => known.merge(&other),
            None => {
                let size = service_bytes(name) + other.size_bytes();
                self.of_services.insert(name.to_owned(), other);
                size
            }
        }
    }

    fn size_bytes(&self) -> usize {
        let of_service = |(name, one): (&String, &OfService)| service_bytes(name) + one.size_bytes();
        let of_services = self.of_services.iter().map(of_service).sum::<usize>();
        let services = self.services.keys().map(|name| service_bytes(name)).sum::<usize>();
        let examples = self.examples.len() * size_of::<(RowKey, P)>();
        size_of::<Self>()
            + 8 * self.counts.len()
            + services
            + of_services
            + examples
            + self.slots.size_bytes()
    }

    fn found(self, book: &Book, place: usize) -> Found<P> {
        let pattern = &book.patterns[place];
        let mut services: Vec<(String, u64)> = self.services.into_iter().collect();
        services.sort_unstable_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
        services.truncate(TOP_SERVICES);
        let of_services = self.of_services.into_iter().map(|(service, one)| one.row(service));
        let mut of_services: Vec<ServiceRow> = of_services.collect();
        of_services.sort_unstable_by(|a, b| a.service.cmp(&b.service));
        let row = PatternRow {
            id: pattern.id,
            template: pattern.template.clone(),
            count: self.count,
            severities: self.severities,
            counts: self.counts,
            first_seen_ns: pattern.first_seen_ns,
            last_seen_ns: self.last_seen_ns,
            services,
            of_services,
            examples: Vec::new(),
            sampled_records: self.slots.records,
            parameters: self.slots.rows(),
        };
        Found { row, examples: self.examples }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
