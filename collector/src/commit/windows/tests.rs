use super::*;
use proptest::prelude::*;
use std::collections::HashSet;

fn producer(seq: u64, run: u64) -> Producer {
    Producer::new("host-1", 7, seq, run).unwrap()
}

fn tenant() -> TenantId {
    TenantId::default_tenant()
}

proptest! {
    /// A producer that keeps its promise (fewer than WIDTH in flight) is applied exactly once per seq.
    #[test]
    fn every_seq_is_fresh_once(steps in proptest::collection::vec((0u64..1024, 1u64..40, 0usize..3), 1..400)) {
        let (mut windows, mut applied, mut lowest) = (Windows::default(), HashSet::new(), 1u64);
        for (ahead, advance, resends) in steps {
            let seq = lowest + ahead;
            for _ in 0..=resends {
                let fresh = applied.insert(seq);
                let decision = windows.decide(&tenant(), Some(&producer(seq, 1)), 0);
                prop_assert_eq!(decision == Decision::Fresh, fresh, "seq {}", seq);
            }
            // What is now below `lowest` was acknowledged, hence applied.
            for seq in lowest..lowest + advance {
                windows.decide(&tenant(), Some(&producer(seq, 1)), 0);
                applied.insert(seq);
            }
            lowest += advance;
        }
    }

    #[test]
    fn sweeping_changes_no_decision(steps in proptest::collection::vec((0u8..4, 1u64..50, 0i64..9, any::<bool>()), 1..200)) {
        let (mut swept, mut kept) = (Windows::default(), Windows::default());
        for (id, seq, days, sweep) in steps {
            let producer = Producer::new(&format!("p{id}"), 1, seq, 1).unwrap();
            let decisions = [&mut swept, &mut kept].map(|windows| {
                windows.clock_ns += days * LIFE_NS / 7;
                windows.decide(&tenant(), Some(&producer), 0)
            });
            prop_assert_eq!(decisions[0], decisions[1]);
            if sweep {
                swept.sweep();
            }
        }
        kept.sweep();
        swept.sweep();
        prop_assert_eq!(swept, kept);
    }
}

#[test]
fn what_is_below_the_window_was_applied() {
    let mut windows = Windows::default();
    for (seq, expected) in [
        (1, Decision::Fresh),
        (WIDTH + 1, Decision::Fresh),
        (1, Decision::Duplicate),
        (2, Decision::Fresh),
        (2, Decision::Duplicate),
        (3 * WIDTH, Decision::Fresh),
        (2 * WIDTH, Decision::Duplicate),
        (2 * WIDTH + 1, Decision::Fresh),
    ] {
        assert_eq!(windows.decide(&tenant(), Some(&producer(seq, 1)), 0), expected, "{seq}");
    }
}

#[test]
fn tenants_ids_and_epochs_have_windows_of_their_own() {
    let mut windows = Windows::default();
    let other = TenantId::new("other").unwrap();
    let fresh = |windows: &mut Windows, tenant: &TenantId, id: &str, epoch| {
        windows.decide(tenant, Some(&Producer::new(id, epoch, 1, 1).unwrap()), 0) == Decision::Fresh
    };
    assert!(fresh(&mut windows, &tenant(), "a", 1));
    assert!(fresh(&mut windows, &other, "a", 1));
    assert!(fresh(&mut windows, &tenant(), "b", 1));
    assert!(fresh(&mut windows, &tenant(), "a", 2));
    assert!(!fresh(&mut windows, &tenant(), "a", 1));
}

#[test]
fn a_restart_is_no_error_and_two_live_senders_are() {
    let returns = |runs: &[u64]| {
        let mut windows = Windows::default();
        for (seq, run) in (1..).zip(runs) {
            windows.decide(&tenant(), Some(&producer(seq, *run)), 0);
        }
        windows.iter().map(|(_, window)| window.returns).sum::<u32>()
    };
    assert_eq!(returns(&[1, 1, 2, 2, 3, 3]), 0);
    assert_eq!(returns(&[1, 2, 1]), 1);
    assert_eq!(returns(&[1, 2, 1, 2]), 2);
}

#[test]
fn identical_batches_without_a_producer_are_all_kept() {
    let mut windows = Windows::default();
    for _ in 0..3 {
        assert_eq!(windows.decide(&tenant(), None, 5), Decision::Fresh);
    }
    assert_eq!((windows.iter().count(), windows.newest_ns()), (0, 5));
}

/// Batches without a producer come all the time, from `from_ns` to `to_ns`.
fn pass(windows: &mut Windows, from_ns: i64, to_ns: i64) {
    (from_ns..=to_ns).step_by(STEP_NS as usize / 2).for_each(|at| {
        windows.decide(&tenant(), None, at);
    });
}

#[test]
fn a_window_is_forgotten_after_seven_days_of_received_time() {
    let mut windows = Windows::default();
    windows.decide(&tenant(), Some(&producer(1, 1)), NOW);
    pass(&mut windows, NOW, NOW + LIFE_NS);
    assert_eq!(windows.decide(&tenant(), Some(&producer(1, 1)), NOW + LIFE_NS), Decision::Duplicate);
    pass(&mut windows, NOW + LIFE_NS, NOW + 2 * LIFE_NS + STEP_NS);
    let later = NOW + 2 * LIFE_NS + STEP_NS;
    assert_eq!(windows.decide(&tenant(), Some(&producer(1, 1)), later), Decision::Fresh);
}

const NOW: i64 = 1_700_000_000_000_000_000;

/// The system clock goes 10 years ahead and comes back.
#[test]
fn a_clock_that_was_far_ahead_once_forgets_no_window() {
    let mut windows = Windows::default();
    let mut decide = |seq, at| windows.decide(&tenant(), Some(&producer(seq, 1)), at);
    let ahead = NOW + 500 * LIFE_NS;
    assert_eq!(decide(1, NOW), Decision::Fresh);
    assert_eq!(decide(1, ahead), Decision::Duplicate, "used before");
    assert_eq!(decide(2, ahead), Decision::Fresh);
    assert_eq!(decide(2, NOW + 1), Decision::Duplicate, "used while it was ahead");
    assert_eq!(decide(3, NOW + 2), Decision::Fresh);
    assert_eq!(decide(3, NOW + 3), Decision::Duplicate, "used afterwards");
    assert_eq!(windows.newest_ns(), NOW + 3, "what people see is the time again");
}

/// It would be no better if nothing expired until that year.
#[test]
fn after_a_clock_was_far_ahead_windows_still_expire() {
    let mut windows = Windows::default();
    windows.decide(&tenant(), None, NOW + 500 * LIFE_NS);
    windows.decide(&tenant(), Some(&producer(1, 1)), NOW);
    pass(&mut windows, NOW, NOW + LIFE_NS + 2 * STEP_NS);
    windows.sweep();
    assert_eq!(windows.iter().count(), 0);
}

#[test]
fn batches_that_overtake_each_other_do_not_speed_the_clock_up() {
    let mut windows = Windows::default();
    windows.decide(&tenant(), None, NOW);
    let before = windows.clock_ns;
    for n in 0..10_000 {
        windows.decide(&tenant(), None, NOW + n * 1_000_000 - (n % 2) * 60_000_000_000);
    }
    assert!(windows.clock_ns - before < 10_000 * 1_000_000);
}

#[test]
fn a_queue_that_sent_little_takes_little_room() {
    let mut windows = Windows::default();
    (1..=60).for_each(|seq| {
        windows.decide(&tenant(), Some(&producer(seq, 1)), NOW);
    });
    let (_, window) = windows.iter().next().unwrap();
    assert_eq!(window.bits.len(), 1);
}
