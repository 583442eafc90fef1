#![allow(clippy::unwrap_used)]
//! Round trips of every kind of number, and bytes that nobody wrote.

use proptest::prelude::*;
use telemetry::samples::stale_nan;

use super::*;

fn bits(series: &[Vec<f64>]) -> Vec<Vec<u64>> {
    series.iter().map(|values| values.iter().map(|value| value.to_bits()).collect()).collect()
}

fn encoded(series: &[Vec<f64>]) -> (Vec<u8>, Vec<usize>) {
    let views: Vec<&[f64]> = series.iter().map(Vec::as_slice).collect();
    let mut out = Vec::new();
    encode_page(&views, &mut out);
    (out, series.iter().map(Vec::len).collect())
}

/// Returns the bytes it took.
fn check(series: &[Vec<f64>]) -> usize {
    let (bytes, lens) = encoded(series);
    assert_eq!(bits(&decode_page(&bytes, &lens).unwrap()), bits(series));
    for (index, values) in series.iter().enumerate() {
        let mut out = vec![7.0];
        decode_one(&bytes, &lens, index, &mut out).unwrap();
        assert_eq!(bits(&[out[1..].to_vec()]), bits(std::slice::from_ref(values)), "series {index}");
    }
    bytes.len()
}

/// A value of any class that has a trap in it.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => any::<u64>().prop_map(f64::from_bits),
        4 => (-100_000i64..100_000, 0u8..4).prop_map(|(q, e)| q as f64 / 10f64.powi(e.into())),
        2 => any::<i64>().prop_map(|q| q as f64),
        2 => (-(1i64 << 53) - 4..=-(1 << 53) + 4).prop_map(|q| q as f64),
        2 => ((1i64 << 53) - 4..=(1 << 53) + 4).prop_map(|q| q as f64),
        1 => (0u64..1 << 20).prop_map(f64::from_bits),
        1 => (0u64..1 << 51).prop_map(|payload| f64::from_bits(0x7ff0_0000_0000_0001 | payload)),
        2 => Just(stale_nan()),
        1 => prop::sample::select(vec![
            0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MAX, f64::MIN_POSITIVE, 0.1 + 0.2,
        ]),
    ]
}

/// A series of one mood, with a few strangers.
fn series() -> impl Strategy<Value = Vec<f64>> {
    let decimals = (prop::collection::vec(-500i64..500, 0..400), 0u8..10, any::<i32>(), 1i64..5000).prop_map(
        |(steps, exponent, start, gcd)| {
            let mut q = i64::from(start);
            let power = 10f64.powi(exponent.into());
            steps
                .iter()
                .map(|step| {
                    q += step * gcd;
                    q as f64 / power
                })
                .collect::<Vec<_>>()
        },
    );
    let walk = prop::collection::vec(-1.0f64..1.0, 0..400).prop_map(|steps| {
        steps
            .iter()
            .scan(100.0, |at, step| {
                *at += step;
                Some(*at)
            })
            .collect::<Vec<_>>()
    });
    let same = (value(), 0usize..300).prop_map(|(value, n)| vec![value; n]);
    let wild = prop::collection::vec(value(), 0..300);
    let base = prop_oneof![4 => decimals, 2 => walk, 1 => same, 1 => wild];
    (base, prop::collection::vec((any::<prop::sample::Index>(), value()), 0..4)).prop_map(
        |(mut base, strangers)| {
            for (index, value) in strangers {
                if !base.is_empty() {
                    let at = index.index(base.len());
                    base[at] = value;
                }
            }
            base
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn every_page_comes_back_bit_for_bit(page in prop::collection::vec(series(), 0..17)) {
        check(&page);
    }

    #[test]
    fn damaged_pages_do_not_panic(
        page in prop::collection::vec(series(), 1..6),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
        whole: bool,
    ) {
        let (mut bytes, lens) = encoded(&page);
        for (index, with) in flips {
            let at = index.index(bytes.len());
            bytes[at] ^= with;
        }
        if !whole {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(read) = decode_page(&bytes, &lens) {
            prop_assert_eq!(read.iter().map(Vec::len).collect::<Vec<_>>(), lens.clone());
        }
        for index in 0..=lens.len() {
            let _ = decode_one(&bytes, &lens, index, &mut Vec::new());
        }
    }

    #[test]
    fn bytes_that_nobody_wrote_do_not_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        lens in prop::collection::vec(0usize..1000, 0..20),
    ) {
        let _ = decode_page(&bytes, &lens);
        let _ = decode_one(&bytes, &lens, 0, &mut Vec::new());
    }
}

#[test]
fn a_page_takes_about_as_many_bytes_as_it_should() {
    let counter =
        |seed: u64, n: u64| (0..n).map(|i| (i * 1000 + (i * seed * 2_654_435_761) % 200) as f64).collect();
    let page: Vec<Vec<f64>> = (1..17).map(|seed| counter(seed, 480)).collect();
    let with_pco = check(&page);
    assert!(with_pco < 16 * 480 * 13 / 10, "{with_pco}");
    let mut stale = page.clone();
    stale[3][479] = stale_nan();
    let with_stale = check(&stale);
    assert!(with_stale < with_pco + 16, "{with_stale} after {with_pco}");
    assert!(check(&[vec![1.0; 480]]) <= 6);
    assert!(check(&[vec![f64::NAN; 480]]) <= 12);
    assert!(check(&[(0..480).map(|i| f64::from(i) * 15.0).collect()]) <= 10);
}

#[test]
fn what_a_page_does_not_have_is_damage() {
    let (bytes, lens) = encoded(&[vec![1.0, 2.0]]);
    assert!(decode_one(&bytes, &lens, 1, &mut Vec::new()).is_err());
    assert!(decode_page(&bytes, &[2, 2]).is_err());
    assert!(decode_page(&[], &[1]).is_err());
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(decode_page(&longer, &lens).is_err());
}

#[test]
fn a_reset_among_few_samples_costs_little() {
    let steady: Vec<f64> = (0..120u32).map(|i| f64::from(3_000_000_000 + i * 1000 + i * i % 97)).collect();
    let mut reset = steady.clone();
    reset[60..].iter_mut().for_each(|value| *value -= 3_000_050_000.0);
    let (steady, reset) = (check(&[steady]), check(&[reset]));
    assert!(reset < steady + 80, "{reset} after {steady}");
}

/// Each as a whole series, as one stranger among decimals, and as one among floats.
#[test]
fn values_with_traps_keep_their_bits() {
    let traps = [
        -0.0,
        0.1 + 0.2,
        1e-10,
        1.000_000_000_1,
        9_007_199_254_740_991.0,
        9_007_199_254_740_992.0,
        9_007_199_254_740_994.0,
        -9_007_199_254_740_992.0,
        9_007_199_254_740.993,
        1e22,
        1e23,
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
        -1e-310,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        -f64::NAN,
        stale_nan(),
        f64::from_bits(0x7ff0_0000_0000_0001),
        f64::from_bits(0xfff8_dead_beef_0001),
    ];
    for trap in traps {
        let among = |like: fn(f64) -> f64| {
            let mut values: Vec<f64> = (0..300).map(|i| like(f64::from(i))).collect();
            values[0] = trap;
            values[150] = trap;
            values[299] = trap;
            values
        };
        let (whole, cents, floats) = (among(|i| i), among(|i| (i * 7.0) / 100.0), among(f64::sqrt));
        check(&[vec![trap], vec![trap; 300], vec![trap, 1.0], vec![1.0, trap]]);
        check(&[whole, cents, floats]);
    }
    check(&[traps.to_vec(), traps.repeat(20)]);
}
