#![allow(clippy::unwrap_used)]
//! Against the lists themselves.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn bytes(lists: &[Vec<u32>]) -> Vec<u8> {
    let mut out = Vec::new();
    write_postings(lists.iter().map(Vec::as_slice), &mut out);
    out
}

fn lists() -> impl Strategy<Value = Vec<Vec<u32>>> {
    let scattered = prop::collection::btree_set(any::<u32>(), 0..20);
    let close = prop::collection::btree_set(0u32..3000, 0..400);
    let run =
        (any::<u16>(), 0u32..3000).prop_map(|(start, n)| (u32::from(start)..u32::from(start) + n).collect());
    let one = (0u32..10_000).prop_map(|id| BTreeSet::from([id]));
    let list = prop_oneof![2 => scattered, 2 => close, 1 => run, 4 => one];
    prop::collection::vec(list.prop_map(|list: BTreeSet<u32>| list.into_iter().collect()), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn lists_come_back(lists in lists(), chosen in prop::collection::btree_set(0u32..70, 0..20)) {
        let postings = Postings::open(bytes(&lists).into()).unwrap();
        prop_assert_eq!(postings.len() as usize, lists.len());
        for (index, list) in lists.iter().enumerate() {
            prop_assert_eq!(&postings.get(index as u32).unwrap().iter().collect::<Vec<_>>(), list);
            prop_assert_eq!(postings.len_of(index as u32).unwrap() as usize, list.len());
        }
        prop_assert_eq!(postings.lens().unwrap(), lists.iter().map(|list| list.len() as u32).collect::<Vec<_>>());
        prop_assert!(postings.get(lists.len() as u32).unwrap().is_empty());
        prop_assert_eq!(postings.len_of(lists.len() as u32).unwrap(), 0);
        let expected: RoaringBitmap =
            chosen.iter().filter_map(|index| lists.get(*index as usize)).flatten().copied().collect();
        prop_assert_eq!(postings.union(&chosen.into_iter().collect()).unwrap(), expected);
    }

    #[test]
    fn damaged_bytes_do_not_panic(
        lists in lists(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
        signed: bool,
    ) {
        let mut bytes = bytes(&lists);
        let cut = cut.index(bytes.len());
        prop_assert!(Postings::open(bytes[..cut].to_vec().into()).is_err());
        for (index, with) in flips {
            let at = index.index(bytes.len());
            bytes[at] ^= with;
        }
        if signed {
            let end = bytes.len() - 4;
            let crc = crc32c::crc32c(&bytes[..end]);
            bytes[end..].copy_from_slice(&crc.to_le_bytes());
        }
        let Ok(postings) = Postings::open(bytes.into()) else { return Ok(()) };
        let _ = postings.union(&(0..70).collect());
        let _ = postings.lens();
        let _ = postings.len_of(3);
    }
}

#[test]
fn lists_are_small() {
    let everything: Vec<u32> = (0..100_000).collect();
    let hosts = (0..1000).map(|host| (host..100_000).step_by(1000).collect::<Vec<u32>>());
    let lists: Vec<Vec<u32>> = std::iter::once(everything).chain(hosts).collect();
    let bytes = bytes(&lists);
    assert!(bytes.len() < 2_500, "{}", bytes.len());
    let postings = Postings::open(bytes.into()).unwrap();
    let single: Vec<Vec<u32>> = (0..10_000).map(|id| vec![id]).collect();
    assert!(self::bytes(&single).len() < 500);
    assert_eq!(postings.get(0).unwrap().len(), 100_000);
    assert_eq!(postings.len_of(7).unwrap(), 100);
}
