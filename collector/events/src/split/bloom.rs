//! A block's filter of rare values: words with digits, trace ids. "No" is certain,
//! "yes" is wrong in about one of forty cases.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// A reader takes any number of bits. With 10, 1 of 100 values is found that is not there; with 8, 1 of 40.
const BITS_PER_VALUE: usize = 8;
const PROBES: u32 = 7;

/// Hash of a folded word.
pub(crate) fn word_hash(word: &str) -> u64 {
    xxh3_64(word.as_bytes())
}

/// Hash of a trace id.
pub(crate) fn trace_hash(id: &[u8; 16]) -> u64 {
    xxh3_64_with_seed(id, 1)
}

/// The filter's bits for these hashes; sorts them and drops doubles. Empty if there are none.
pub(crate) fn build(hashes: &mut Vec<u64>) -> Vec<u8> {
    hashes.sort_unstable();
    hashes.dedup();
    if hashes.is_empty() {
        return Vec::new();
    }
    let mut bytes = vec![0u8; (hashes.len() * BITS_PER_VALUE).div_ceil(8)];
    let bits = bytes.len() as u64 * 8;
    for hash in hashes {
        for bit in probes(*hash, bits) {
            bytes[(bit / 8) as usize] |= 1 << (bit % 8);
        }
    }
    bytes
}

/// Whether a value with this hash may be in the filter.
pub(crate) fn may_contain(filter: &[u8], hash: u64) -> bool {
    let bits = filter.len() as u64 * 8;
    bits > 0 && probes(hash, bits).all(|bit| filter[(bit / 8) as usize] & 1 << (bit % 8) != 0)
}

/// Double hashing; the high half of the product maps a hash onto `bits` without a division.
fn probes(hash: u64, bits: u64) -> impl Iterator<Item = u64> {
    let step = hash.rotate_left(32) | 1;
    let mut at = hash;
    (0..PROBES).map(move |_| {
        let bit = ((u128::from(at) * u128::from(bits)) >> 64) as u64;
        at = at.wrapping_add(step);
        bit
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contains_what_was_added_and_little_else() {
        for count in [1usize, 10, 1_000, 20_000] {
            let mut hashes: Vec<u64> = (0..count).map(|n| word_hash(&format!("req-{n}"))).collect();
            let filter = build(&mut hashes.clone());
            assert!(hashes.iter().all(|hash| may_contain(&filter, *hash)), "{count}");
            hashes = (0..20_000).map(|n| word_hash(&format!("other-{n}"))).collect();
            let wrong = hashes.iter().filter(|hash| may_contain(&filter, **hash)).count();
            assert!(wrong < 20_000 / 25, "{count}: {wrong}");
        }
        assert!(!may_contain(&build(&mut Vec::new()), 7));
    }

    #[test]
    fn words_and_traces_do_not_share_hashes() {
        assert_ne!(word_hash("0123456789abcdef"), trace_hash(b"0123456789abcdef"));
    }
}
