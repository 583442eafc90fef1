//! Sums and means of histograms that keep what rounding loses (see `kahan`).

use super::{Buckets, Incompatible, Native, Notes};
use crate::evaluate::kahan;

/// What is collected of several histograms.
#[derive(Clone, Debug)]
pub(crate) struct Total {
    sum: Native,
    /// What rounding took from `sum`.
    rest: Native,
    count: f64,
    is_mean: bool,
    /// The sum would overflow: `sum` is the mean of what was added.
    incremental: bool,
}

impl Total {
    /// Of one histogram; the result is the mean or the sum.
    pub(crate) fn new(first: &Native, is_mean: bool) -> Self {
        let rest = first.without_counts();
        Self { sum: first.clone(), rest, count: 1.0, is_mean, incremental: false }
    }

    /// An estimate, for the memory limit.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + 16 * (self.sum.weight() + self.rest.weight())
    }

    pub(crate) fn add(&mut self, other: &Native) -> Result<Notes, Incompatible> {
        self.count += 1.0;
        if self.is_mean && !self.incremental {
            let mut next = self.clone();
            let notes = next.add_counts(other)?;
            if !next.sum.overflows() {
                *self = next;
                return Ok(notes);
            }
            self.become_incremental(self.count - 1.0);
        }
        if !self.incremental {
            return self.add_counts(other);
        }
        let kept = (self.count - 1.0) / self.count;
        self.sum.multiply(kept);
        self.rest.multiply(kept);
        let mut part = other.clone();
        part.divide(self.count);
        self.add_counts(&part)
    }

    /// As if what `other` has seen came after what this has.
    pub(crate) fn merge(&mut self, mut other: Self) -> Result<Notes, Incompatible> {
        let count = self.count + other.count;
        if self.is_mean {
            let mut sum = self.clone();
            if !self.incremental && !other.incremental {
                let notes = sum.add_both(&other)?;
                if !sum.sum.overflows() {
                    *self = Self { count, ..sum };
                    return Ok(notes);
                }
            }
            self.become_incremental(self.count);
            other.become_incremental(other.count);
            for total in [&mut *self, &mut other] {
                let weight = total.count / count;
                total.sum.multiply(weight);
                total.rest.multiply(weight);
            }
        }
        self.count = count;
        self.add_both(&other)
    }

    fn add_both(&mut self, other: &Self) -> Result<Notes, Incompatible> {
        let notes = self.add_counts(&other.sum)?;
        self.add_counts(&other.rest)?;
        Ok(notes)
    }

    pub(crate) fn finish(mut self) -> Native {
        if self.is_mean && !self.incremental {
            self.sum.divide(self.count);
            self.rest.divide(self.count);
        }
        let hint = self.sum.hint;
        // They are of one kind, since they were made so.
        let _ = self.sum.add(&self.rest);
        self.sum.with_hint(hint)
    }

    fn become_incremental(&mut self, count: f64) {
        if !self.incremental {
            self.incremental = true;
            self.sum.divide(count);
            self.rest.divide(count);
        }
    }

    fn add_counts(&mut self, other: &Native) -> Result<Notes, Incompatible> {
        let (other, notes) = self.sum.align(other)?;
        self.rest.follow(&self.sum);
        let (sum, rest) = (&mut self.sum, &mut self.rest);
        (sum.count, rest.count) = kahan::add(other.count, sum.count, rest.count);
        (sum.sum, rest.sum) = kahan::add(other.sum, sum.sum, rest.sum);
        (sum.zero_count, rest.zero_count) = kahan::add(other.zero_count, sum.zero_count, rest.zero_count);
        add_buckets(&mut sum.positive, &mut rest.positive, &other.positive);
        add_buckets(&mut sum.negative, &mut rest.negative, &other.negative);
        Ok(notes)
    }
}

fn add_buckets(sums: &mut Buckets, rests: &mut Buckets, others: &Buckets) {
    let (mut new_sums, mut new_rests) =
        (Buckets::with_capacity(sums.len()), Buckets::with_capacity(rests.len()));
    let mut columns = [&*sums, &*rests, others].map(|buckets| buckets.iter().copied().peekable());
    loop {
        let next = columns.iter_mut().filter_map(|column| column.peek().map(|(index, _)| *index)).min();
        let Some(index) = next else { break };
        let [sum, rest, other] = columns
            .each_mut()
            .map(|column| column.next_if(|(other, _)| *other == index).map_or(0.0, |(_, count)| count));
        let (sum, rest) = kahan::add(other, sum, rest);
        if sum != 0.0 {
            new_sums.push((index, sum));
        }
        if rest != 0.0 {
            new_rests.push((index, rest));
        }
    }
    (*sums, *rests) = (new_sums, new_rests);
}

impl Native {
    fn without_counts(&self) -> Self {
        Self {
            count: 0.0,
            sum: 0.0,
            zero_count: 0.0,
            positive: Buckets::new(),
            negative: Buckets::new(),
            ..self.clone()
        }
    }

    fn overflows(&self) -> bool {
        let buckets = self.positive.iter().chain(&self.negative);
        let counts = [self.count, self.sum, self.zero_count];
        counts.iter().chain(buckets.map(|(_, count)| count)).any(|count| count.is_infinite())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use telemetry::samples::Histogram;

    fn counted(count: f64) -> Native {
        Native::of(&Histogram { count, sum: -count, ..Histogram::default() })
    }

    fn result(values: &[f64], split: usize, is_mean: bool) -> f64 {
        let all = |values: &[f64]| {
            let mut total = Total::new(&counted(values[0]), is_mean);
            for value in &values[1..] {
                total.add(&counted(*value)).unwrap();
            }
            total
        };
        let mut total = all(&values[..split]);
        if split < values.len() {
            total.merge(all(&values[split..])).unwrap();
        }
        total.finish().count
    }

    #[test]
    fn nothing_is_lost_and_means_do_not_overflow() {
        for split in 1..=4 {
            assert_eq!(result(&[2.0, 1e100, 8.0, -1e100], split, false), 10.0, "split {split}");
            let mean = result(&[f64::MAX, f64::MAX, f64::MAX, 0.0], split, true);
            assert!((mean / f64::MAX - 0.75).abs() < 1e-12, "split {split}: {mean}");
        }
    }
}
