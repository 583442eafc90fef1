//! Durations of many calls: native histograms put together, and their quantiles as PromQL's `histogram_quantile` has them.

use telemetry::samples::{Histogram, Span};

/// More buckets are made coarser, until they are not.
const MAX_BUCKETS: usize = 2_048;

/// Buckets of one schema without gaps. Durations are not negative: negative buckets are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Durations {
    schema: i8,
    /// Index of the first bucket.
    first: i32,
    counts: Vec<f64>,
    zero_count: f64,
    zero_threshold: f64,
}

impl Durations {
    /// Adds what was observed. Says how many bytes it has grown by. Histograms of custom bounds have no place here.
    pub(crate) fn add(&mut self, other: &Histogram) -> usize {
        let is_usable = (-4..=8).contains(&other.schema) && other.count > 0.0 && other.count.is_finite();
        if !is_usable {
            return 0;
        }
        let before = self.counts.capacity();
        self.add_zero(other.zero_count, other.zero_threshold);
        if let Some((low, high)) = bounds(&other.positive_spans) {
            let shift = self.make_room(other.schema, low, high);
            let mut index = 0i32;
            let mut counts = other.positive_counts.iter();
            for span in &other.positive_spans {
                index = index.saturating_add(span.offset);
                for count in counts.by_ref().take(span.len as usize) {
                    self.put(coarser(index, shift), *count);
                    index = index.saturating_add(1);
                }
            }
        }
        self.counts.capacity().saturating_sub(before) * size_of::<f64>()
    }

    /// Adds all of another.
    pub(super) fn join(&mut self, other: &Self) {
        self.add_zero(other.zero_count, other.zero_threshold);
        if other.counts.is_empty() {
            return;
        }
        let shift = self.make_room(other.schema, other.first, other.last());
        for (index, count) in (other.first..).zip(&other.counts) {
            self.put(coarser(index, shift), *count);
        }
    }

    fn add_zero(&mut self, count: f64, threshold: f64) {
        self.zero_count += count;
        self.zero_threshold = self.zero_threshold.max(threshold);
    }

    fn put(&mut self, index: i32, count: f64) {
        // Room was made for it.
        if let Some(bucket) = self.counts.get_mut((index - self.first) as usize) {
            *bucket += count;
        }
    }

    fn last(&self) -> i32 {
        self.first.saturating_add(self.counts.len() as i32 - 1)
    }

    /// Makes room for buckets of a schema; says by how many schemas they have to be made coarser.
    fn make_room(&mut self, schema: i8, low: i32, high: i32) -> u32 {
        if self.counts.is_empty() {
            (self.schema, self.first) = (schema, low);
        }
        let mut target = self.schema.min(schema);
        loop {
            let (own, its) = ((self.schema - target) as u32, (schema - target) as u32);
            let (mut first, mut last) = (coarser(low, its), coarser(high, its));
            if !self.counts.is_empty() {
                first = first.min(coarser(self.first, own));
                last = last.max(coarser(self.last(), own));
            }
            let len = i64::from(last) - i64::from(first) + 1;
            if len <= MAX_BUCKETS as i64 {
                self.lay_out(own, first, len as usize);
                return its;
            }
            target -= 1;
        }
    }

    /// Moves the buckets to where `first` is the first of `len`.
    fn lay_out(&mut self, shift: u32, first: i32, len: usize) {
        let fits = shift == 0 && first == self.first;
        if fits {
            self.counts.resize(len, 0.0);
            return;
        }
        let mut counts = vec![0.0; len];
        for (index, count) in (self.first..).zip(&self.counts) {
            counts[(coarser(index, shift) - first) as usize] += count;
        }
        (self.schema, self.first, self.counts) = (self.schema - shift as i8, first, counts);
    }

    /// A quantile in ns; `None` without observations.
    pub(crate) fn quantile_ns(&self, q: f64) -> Option<u64> {
        let total = self.zero_count + self.counts.iter().sum::<f64>();
        if total <= 0.0 {
            return None;
        }
        // From the end that is nearer, as PromQL does: it decides in which of two buckets a rank between them lies.
        let seconds = if q < 0.5 {
            self.at_rank(q * total, self.buckets(), |fraction| fraction)
        } else {
            self.at_rank((1.0 - q) * total, self.buckets().rev(), |fraction| 1.0 - fraction)
        };
        seconds.map(to_ns)
    }

    /// Those with observations, ascending: bounds and count.
    fn buckets(&self) -> impl DoubleEndedIterator<Item = (f64, f64, f64)> {
        let zero = (0.0, self.zero_threshold, self.zero_count);
        let filled = (0..self.counts.len()).map(|at| {
            let index = self.first.saturating_add(at as i32);
            (self.bound(index - 1).max(self.zero_threshold), self.bound(index), self.counts[at])
        });
        std::iter::once(zero).chain(filled).filter(|(.., count)| *count > 0.0)
    }

    fn at_rank(
        &self,
        rank: f64,
        buckets: impl Iterator<Item = (f64, f64, f64)>,
        place: impl Fn(f64) -> f64,
    ) -> Option<f64> {
        let (mut passed, mut found) = (0.0, None);
        for (lower, upper, count) in buckets {
            let fraction = place(((rank - passed) / count).clamp(0.0, 1.0));
            let is_around_zero = lower == 0.0;
            let value =
                if is_around_zero { upper * fraction } else { lower * (upper / lower).powf(fraction) };
            found = Some(value);
            passed += count;
            if passed >= rank {
                break;
            }
        }
        found
    }

    /// The upper bound of a bucket, s.
    fn bound(&self, index: i32) -> f64 {
        (f64::from(index) * (-f64::from(self.schema)).exp2()).exp2()
    }
}

/// Index of the bucket that holds bucket `index` when the schema is lower by `shift`.
fn coarser(index: i32, shift: u32) -> i32 {
    if shift == 0 { index } else { (index.saturating_sub(1) >> shift.min(31)) + 1 }
}

/// The first and the last index of buckets.
fn bounds(spans: &[Span]) -> Option<(i32, i32)> {
    let (mut index, mut bounds) = (0i32, None::<(i32, i32)>);
    for span in spans {
        index = index.saturating_add(span.offset);
        let end = index.saturating_add(i32::try_from(span.len).unwrap_or(i32::MAX));
        if end > index {
            let first = bounds.map_or(index, |(first, _)| first.min(index));
            bounds = Some((first, end - 1));
        }
        index = end;
    }
    bounds
}

fn to_ns(seconds: f64) -> u64 {
    // Saturates.
    (seconds * 1e9).round() as u64
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use promql::testing::MemoryStore;
    use promql::{Evaluation, Limits, Point, Value};
    use proptest::prelude::*;
    use telemetry::LabelSet;

    use super::*;

    fn histogram(schema: i8, zeros: u8, buckets: &[(i32, u8)]) -> Histogram {
        let (mut positive_spans, mut positive_counts, mut next) = (Vec::new(), Vec::new(), 0);
        let sorted: std::collections::BTreeMap<i32, u8> = buckets.iter().copied().collect();
        for (index, count) in sorted {
            positive_spans.push(Span { offset: index - next, len: 1 });
            positive_counts.push(f64::from(count));
            next = index + 1;
        }
        let count = f64::from(zeros) + positive_counts.iter().sum::<f64>();
        let (zero_threshold, zero_count) = (1e-9, f64::from(zeros));
        Histogram {
            schema,
            count,
            sum: count,
            zero_threshold,
            zero_count,
            positive_spans,
            positive_counts,
            ..Histogram::default()
        }
    }

    /// What PromQL says of the sum of all.
    fn asked(all: &[Histogram], q: f64) -> Option<f64> {
        let mut store = MemoryStore::default();
        for (n, one) in all.iter().enumerate() {
            let labels = LabelSet::new([("__name__", "h".to_owned()), ("n", n.to_string())]).unwrap();
            store.add_histogram(&labels, 0, one.clone());
        }
        let text = format!("histogram_quantile({q}, sum(h))");
        let evaluation = Evaluation {
            querier: &store,
            limits: Limits::default(),
            lookback_ms: 1_000,
            default_step_ms: 1_000,
            text: &text,
        };
        match promql::instant(&evaluation, &promql::parse(&text).unwrap(), 0).unwrap().value {
            Value::Vector(found) => found.into_iter().find_map(|(_, _, point)| match point {
                Point::Float(value) => (!value.is_nan()).then_some(value),
                Point::Histogram(_) => None,
            }),
            other => panic!("{other:?}"),
        }
    }

    fn one() -> impl Strategy<Value = Histogram> {
        // Indexes that are durations of a µs to a day; at finer schemas they would be made coarser.
        let bucket = |schema: i8| {
            let scale = f64::from(schema).exp2();
            ((-20.0 * scale) as i32..=(17.0 * scale) as i32, 1..9u8)
        };
        (-2i8..=5).prop_flat_map(move |schema| {
            (Just(schema), 0..3u8, proptest::collection::vec(bucket(schema), 1..12))
                .prop_map(|(schema, zeros, buckets)| histogram(schema, zeros, &buckets))
        })
    }

    proptest! {
        #[test]
        fn quantiles_are_those_of_promql(
            all in proptest::collection::vec(one(), 1..6), split in 0..6usize,
            q in prop_oneof![Just(0.5), Just(0.95), Just(0.99), 0.0..=1.0f64],
        ) {
            // Some are put together first, as threads do it.
            let (mut left, mut right) = (Durations::default(), Durations::default());
            for (n, one) in all.iter().enumerate() {
                if n < split { left.add(one) } else { right.add(one) };
            }
            left.join(&right);
            let (ours, theirs) = (left.quantile_ns(q).unwrap() as f64, asked(&all, q).unwrap() * 1e9);
            prop_assert!((ours - theirs).abs() <= theirs * 1e-6 + 1.0, "{ours} {theirs} {left:?}");
        }
    }

    #[test]
    fn without_observations_there_is_no_quantile() {
        let mut durations = Durations::default();
        assert_eq!(durations.quantile_ns(0.5), None);
        let custom = Histogram { schema: -53, count: 1.0, ..Histogram::default() };
        for none in
            [Histogram::default(), custom, Histogram { count: f64::NAN, ..histogram(3, 0, &[(1, 1)]) }]
        {
            durations.add(&none);
        }
        assert_eq!((durations.quantile_ns(0.5), &durations), (None, &Durations::default()));
    }

    #[test]
    fn buckets_far_apart_take_no_more_room_than_they_may() {
        let mut durations = Durations::default();
        durations.add(&histogram(8, 0, &[(-200_000, 1), (200_000, 1)]));
        durations.add(&histogram(8, 0, &[(i32::MIN + 2, 1)]));
        durations.add(&histogram(8, 0, &[(i32::MAX - 2, 1)]));
        assert!(durations.counts.len() <= MAX_BUCKETS, "{}", durations.counts.len());
        assert_eq!(durations.counts.iter().sum::<f64>(), 4.0);
    }
}
