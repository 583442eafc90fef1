//! Quantiles: exact of up to 256 numbers, of more within 1 % of the true value.
//!
//! More numbers are counted in buckets whose limits grow by the factor (1 + a) / (1 - a) with a = 1 %, as in
//! DDSketch: the middle of a bucket is within a of all that is in it. Buckets add up, in any order.

use crate::{Number, Quantile};

/// The numbers that a quantile is asked of.
#[derive(Clone, Debug)]
pub(super) enum Sketch {
    Numbers(Vec<Number>),
    Buckets(Box<Buckets>),
}

#[derive(Clone, Debug)]
pub(super) struct Buckets {
    negative: Side,
    zeros: u64,
    positive: Side,
    min: f64,
    max: f64,
}

/// Counts by the logarithm of the number.
#[derive(Clone, Debug, Default)]
struct Side {
    /// Of the first count.
    first: i32,
    counts: Vec<u64>,
    total: u64,
}

/// How many numbers are kept as they are.
const MOST_EXACT: usize = 256;
/// How far a result may be from the true value, as a share of it.
const ERROR: f64 = 0.01;
const GAMMA: f64 = (1.0 + ERROR) / (1.0 - ERROR);
/// By how many buckets a side grows downwards at least.
const STEP: usize = 32;

impl Default for Sketch {
    fn default() -> Self {
        Self::Numbers(Vec::new())
    }
}

impl Sketch {
    /// Adds a finite number; by how many bytes the sketch has grown.
    pub(super) fn add(&mut self, number: Number) -> usize {
        match self {
            Self::Numbers(numbers) if numbers.len() < MOST_EXACT => {
                let before = numbers.capacity();
                numbers.push(number);
                (numbers.capacity() - before) * size_of::<Number>()
            }
            Self::Numbers(_) => self.spill() + self.add(number),
            Self::Buckets(buckets) => buckets.add(number.to_double()),
        }
    }

    pub(super) fn merge(&mut self, other: &Self) -> usize {
        match other {
            Self::Numbers(numbers) => numbers.iter().map(|number| self.add(*number)).sum(),
            Self::Buckets(theirs) => {
                let grown = self.spill();
                let Self::Buckets(own) = self else { return grown };
                own.zeros += theirs.zeros;
                own.min = own.min.min(theirs.min);
                own.max = own.max.max(theirs.max);
                grown + own.negative.merge(&theirs.negative) + own.positive.merge(&theirs.positive)
            }
        }
    }

    /// From numbers to buckets.
    fn spill(&mut self) -> usize {
        let Self::Numbers(numbers) = self else { return 0 };
        let numbers = std::mem::take(numbers);
        let mut buckets = Box::new(Buckets {
            negative: Side::default(),
            zeros: 0,
            positive: Side::default(),
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        });
        let grown: usize = numbers.iter().map(|number| buckets.add(number.to_double())).sum();
        *self = Self::Buckets(buckets);
        size_of::<Buckets>() + grown
    }

    /// The number of the nearest rank; `None` if there is none.
    pub(super) fn quantile(&self, quantile: Quantile) -> Option<Number> {
        match self {
            Self::Numbers(numbers) => {
                let mut sorted = numbers.clone();
                sorted.sort_unstable_by(|a, b| a.total_cmp(*b));
                let rank = quantile.rank(sorted.len() as u64);
                sorted.get(rank as usize - 1).copied()
            }
            Self::Buckets(buckets) => Some(Number::of_double(buckets.quantile(quantile))),
        }
    }
}

impl Buckets {
    fn add(&mut self, number: f64) -> usize {
        self.min = self.min.min(number);
        self.max = self.max.max(number);
        match number {
            n if n > 0.0 => self.positive.add(bucket(n), 1),
            n if n < 0.0 => self.negative.add(bucket(-n), 1),
            _ => {
                self.zeros += 1;
                0
            }
        }
    }

    fn quantile(&self, quantile: Quantile) -> f64 {
        let count = self.negative.total + self.zeros + self.positive.total;
        let mut rank = quantile.rank(count);
        let value = 'found: {
            let falling = self.negative.counts.iter().enumerate().rev();
            for (place, count) in falling {
                if rank <= *count {
                    break 'found -middle(self.negative.first + place as i32);
                }
                rank -= count;
            }
            if rank <= self.zeros {
                break 'found 0.0;
            }
            rank -= self.zeros;
            for (place, count) in self.positive.counts.iter().enumerate() {
                if rank <= *count {
                    break 'found middle(self.positive.first + place as i32);
                }
                rank -= count;
            }
            self.max
        };
        value.clamp(self.min, self.max)
    }
}

/// The bucket of a positive number: it is above `GAMMA` to the power of one less, and not above that of this.
fn bucket(number: f64) -> i32 {
    (number.ln() / GAMMA.ln()).ceil() as i32
}

/// What stands for the numbers of a bucket.
fn middle(bucket: i32) -> f64 {
    (f64::from(bucket) * GAMMA.ln()).exp() * 2.0 / (1.0 + GAMMA)
}

impl Side {
    fn add(&mut self, bucket: i32, count: u64) -> usize {
        let before = self.counts.capacity();
        if self.counts.is_empty() {
            self.first = bucket;
        }
        if bucket < self.first {
            let more = ((self.first - bucket) as usize).max(STEP);
            self.counts.splice(0..0, std::iter::repeat_n(0, more));
            self.first -= more as i32;
        }
        let place = (bucket - self.first) as usize;
        if place >= self.counts.len() {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] += count;
        self.total += count;
        (self.counts.capacity() - before) * size_of::<u64>()
    }

    fn merge(&mut self, other: &Self) -> usize {
        let counts = other.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        counts.map(|(place, count)| self.add(other.first + place as i32, *count)).sum()
    }
}
