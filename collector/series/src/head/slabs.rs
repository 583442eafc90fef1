//! The samples of a head, compressed as they come: per series a chain of small slabs.
//!
//! A sample is a control byte (bits 0–3: how many bytes of the value differ; 4–6: how many
//! low bytes are equal; 7: the step of time changed), the change of the step as a zigzag
//! varint if it did, and the bytes of `value XOR previous` that differ.

const PAYLOAD: usize = 60;
const NONE: u32 = u32::MAX;
const BLOCK_SLABS: usize = 256;

#[derive(Clone, Copy)]
struct Slab {
    bytes: [u8; PAYLOAD],
    next: u32,
}

/// All slabs of a head.
#[derive(Default)]
pub(super) struct Slabs {
    blocks: Vec<Box<[Slab]>>,
    used: usize,
    free: Vec<u32>,
}

/// One series' samples, ascending in time.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    first: u32,
    last: u32,
    at: u8,
    pub(super) count: u32,
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
    step: i64,
    bits: u64,
}

impl Default for Stream {
    fn default() -> Self {
        let (first_ms, last_ms) = (i64::MAX, i64::MIN);
        Self { first: NONE, last: NONE, at: 0, count: 0, first_ms, last_ms, step: 0, bits: 0 }
    }
}

impl Slabs {
    pub(super) fn size_bytes(&self) -> usize {
        self.blocks.len() * BLOCK_SLABS * size_of::<Slab>()
    }

    fn take(&mut self) -> u32 {
        if let Some(free) = self.free.pop() {
            self.slab(free).next = NONE;
            return free;
        }
        if self.used == self.blocks.len() * BLOCK_SLABS {
            let empty = Slab { bytes: [0; PAYLOAD], next: NONE };
            self.blocks.push(vec![empty; BLOCK_SLABS].into_boxed_slice());
        }
        self.used += 1;
        (self.used - 1) as u32
    }

    fn slab(&mut self, index: u32) -> &mut Slab {
        &mut self.blocks[index as usize / BLOCK_SLABS][index as usize % BLOCK_SLABS]
    }

    fn of(&self, index: u32) -> &Slab {
        &self.blocks[index as usize / BLOCK_SLABS][index as usize % BLOCK_SLABS]
    }
}

impl Stream {
    /// Adds a sample; its time must be behind the last.
    pub(super) fn push(&mut self, slabs: &mut Slabs, time_ms: i64, value: f64) {
        let bits = value.to_bits();
        let before = if self.count == 0 { 0 } else { self.last_ms };
        let step = time_ms.wrapping_sub(before);
        let change = step.wrapping_sub(self.step);
        let differs = bits ^ self.bits;
        let (low, len) = match differs {
            0 => (0, 0),
            _ => {
                let low = differs.trailing_zeros() / 8;
                (low, 8 - differs.leading_zeros() / 8 - low)
            }
        };
        let mut out = [0; 24];
        out[0] = len as u8 | (low as u8) << 4 | u8::from(change != 0) << 7;
        let mut end = 1;
        if change != 0 {
            let mut zigzag = ((change << 1) ^ (change >> 63)) as u64;
            while zigzag >= 0x80 {
                out[end] = zigzag as u8 | 0x80;
                zigzag >>= 7;
                end += 1;
            }
            out[end] = zigzag as u8;
            end += 1;
        }
        let bytes = (differs >> (8 * low)).to_le_bytes();
        out[end..end + len as usize].copy_from_slice(&bytes[..len as usize]);
        self.put(slabs, &out[..end + len as usize]);
        self.first_ms = if self.count == 0 { time_ms } else { self.first_ms };
        // The first step is a time, which says nothing of the next.
        self.step = if self.count == 0 { 0 } else { step };
        (self.last_ms, self.bits) = (time_ms, bits);
        self.count += 1;
    }

    /// The bits of the last value.
    pub(super) fn last_bits(&self) -> u64 {
        self.bits
    }

    fn put(&mut self, slabs: &mut Slabs, mut bytes: &[u8]) {
        if self.last == NONE {
            self.first = slabs.take();
            (self.last, self.at) = (self.first, 0);
        }
        loop {
            let at = usize::from(self.at);
            let now = bytes.len().min(PAYLOAD - at);
            slabs.slab(self.last).bytes[at..at + now].copy_from_slice(&bytes[..now]);
            self.at += now as u8;
            bytes = &bytes[now..];
            if bytes.is_empty() {
                return;
            }
            let next = slabs.take();
            slabs.slab(self.last).next = next;
            (self.last, self.at) = (next, 0);
        }
    }

    /// Appends the samples of a closed range of time to `times` and `values`; `scratch` is overwritten.
    pub(super) fn read(
        &self,
        slabs: &Slabs,
        range: (i64, i64),
        scratch: &mut Vec<u8>,
        times: &mut Vec<i64>,
        values: &mut Vec<f64>,
    ) {
        scratch.clear();
        let mut next = self.first;
        while next != NONE {
            let slab = slabs.of(next);
            scratch.extend_from_slice(&slab.bytes);
            next = slab.next;
        }
        if range.0 <= self.first_ms {
            times.reserve(self.count as usize);
            values.reserve(self.count as usize);
        }
        let (mut at, mut time, mut step, mut bits) = (0, 0i64, 0i64, 0u64);
        for index in 0..self.count {
            let control = scratch[at];
            at += 1;
            if control & 0x80 != 0 {
                let (mut zigzag, mut shift) = (0u64, 0);
                loop {
                    let byte = scratch[at];
                    at += 1;
                    zigzag |= u64::from(byte & 0x7f) << shift;
                    shift += 7;
                    if byte & 0x80 == 0 {
                        break;
                    }
                }
                step = step.wrapping_add((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64));
            }
            time = time.wrapping_add(step);
            step = if index == 0 { 0 } else { step };
            let len = usize::from(control & 0xf);
            if len > 0 {
                let mut bytes = [0; 8];
                bytes[..len].copy_from_slice(&scratch[at..at + len]);
                bits ^= u64::from_le_bytes(bytes) << (8 * u32::from(control >> 4 & 7));
                at += len;
            }
            if time > range.1 {
                return;
            }
            if time >= range.0 {
                times.push(time);
                values.push(f64::from_bits(bits));
            }
        }
    }

    /// Gives its slabs back and is empty.
    pub(super) fn clear(&mut self, slabs: &mut Slabs) {
        let mut next = self.first;
        while next != NONE {
            slabs.free.push(next);
            next = slabs.of(next).next;
        }
        *self = Self::default();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn streams_read_back_bit_for_bit(
            samples in proptest::collection::vec(proptest::collection::btree_map(any::<i64>(), any::<u64>(), 0..60), 1..4),
            range: (i64, i64),
        ) {
            let (mut slabs, mut scratch) = (Slabs::default(), Vec::new());
            let mut streams = vec![Stream::default(); samples.len()];
            let longest = samples.iter().map(|samples| samples.len()).max().unwrap();
            for index in 0..longest {
                for (stream, samples) in streams.iter_mut().zip(&samples) {
                    if let Some((time, bits)) = samples.iter().nth(index) {
                        stream.push(&mut slabs, *time, f64::from_bits(*bits));
                    }
                }
            }
            for (stream, samples) in streams.iter_mut().zip(&samples) {
                let (mut times, mut values) = (Vec::new(), Vec::new());
                stream.read(&slabs, (i64::MIN, i64::MAX), &mut scratch, &mut times, &mut values);
                let read: Vec<(i64, u64)> = times.into_iter().zip(values.iter().map(|v| v.to_bits())).collect();
                prop_assert_eq!(read, samples.iter().map(|(t, v)| (*t, *v)).collect::<Vec<_>>());
                let (mut times, mut values) = (Vec::new(), Vec::new());
                stream.read(&slabs, range, &mut scratch, &mut times, &mut values);
                let read: Vec<(i64, u64)> = times.into_iter().zip(values.iter().map(|v| v.to_bits())).collect();
                let within = samples.iter().filter(|(t, _)| range.0 <= **t && **t <= range.1);
                prop_assert_eq!(read, within.map(|(t, v)| (*t, *v)).collect::<Vec<_>>());
                stream.clear(&mut slabs);
            }
            let used = slabs.used;
            let free = slabs.free.len();
            prop_assert_eq!(used, free, "every slab comes back");
        }
    }
}
