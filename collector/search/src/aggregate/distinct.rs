//! How many different values: exact up to 1,000, of more by HyperLogLog with 4,096 registers, whose standard
//! error is 1.6 %. Values stand by their 64-bit hashes; the same set of them gives the same result.

/// The different values that were seen.
#[derive(Clone, Debug)]
pub(super) enum Distinct {
    /// In order.
    Hashes(Vec<u64>),
    /// For each beginning of a hash, the most zeros behind it, and one.
    Registers(Box<[u8; REGISTERS]>),
}

const MOST_EXACT: usize = 1_000;
const BITS: u32 = 12;
const REGISTERS: usize = 1 << BITS;
/// The most that a register can hold.
const MOST_ZEROS: usize = (u64::BITS - BITS + 1) as usize;

impl Default for Distinct {
    fn default() -> Self {
        Self::Hashes(Vec::new())
    }
}

impl Distinct {
    /// Adds a value; by how many bytes this has grown.
    pub(super) fn add(&mut self, hash: u64) -> usize {
        match self {
            Self::Hashes(hashes) => {
                let Err(place) = hashes.binary_search(&hash) else { return 0 };
                if hashes.len() == MOST_EXACT {
                    return self.spill() + self.add(hash);
                }
                let before = hashes.capacity();
                hashes.insert(place, hash);
                (hashes.capacity() - before) * size_of::<u64>()
            }
            Self::Registers(registers) => {
                let register = &mut registers[(hash >> (u64::BITS - BITS)) as usize];
                let zeros = (hash << BITS).leading_zeros().min(u64::BITS - BITS) + 1;
                *register = (*register).max(zeros as u8);
                0
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) -> usize {
        match other {
            Self::Hashes(hashes) => hashes.iter().map(|hash| self.add(*hash)).sum(),
            Self::Registers(theirs) => {
                let grown = self.spill();
                if let Self::Registers(own) = self {
                    own.iter_mut().zip(theirs.iter()).for_each(|(own, other)| *own = (*own).max(*other));
                }
                grown
            }
        }
    }

    /// From hashes to registers.
    fn spill(&mut self) -> usize {
        let Self::Hashes(hashes) = self else { return 0 };
        let hashes = std::mem::take(hashes);
        *self = Self::Registers(Box::new([0; REGISTERS]));
        hashes.into_iter().for_each(|hash| {
            self.add(hash);
        });
        REGISTERS
    }

    /// How many there are, or are likely to be.
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Hashes(hashes) => hashes.len() as u64,
            Self::Registers(registers) => estimate(registers).round() as u64,
        }
    }
}

/// Without bias for any number of values: Ertl, "New cardinality estimation algorithms for HyperLogLog
/// sketches" (2017), algorithm 6.
fn estimate(registers: &[u8; REGISTERS]) -> f64 {
    let mut holding = [0u32; MOST_ZEROS + 1];
    registers.iter().for_each(|zeros| holding[usize::from(*zeros)] += 1);
    let m = REGISTERS as f64;
    let share = |zeros: usize| f64::from(holding[zeros]) / m;
    let mut z = m * tau(1.0 - share(MOST_ZEROS));
    for zeros in (1..MOST_ZEROS).rev() {
        z = 0.5 * (z + f64::from(holding[zeros]));
    }
    m * m / (2.0 * std::f64::consts::LN_2 * (z + m * sigma(share(0))))
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if z == before {
            return z / 3.0;
        }
    }
}
