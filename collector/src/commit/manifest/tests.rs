use super::*;
use crate::commit::windows::Decision;
use events::SplitRef;
use proptest::prelude::*;
use telemetry::{Producer, TenantId};

/// Must open for ever: the bytes of version 1.
const VERSION_1: &[u8] = include_bytes!("fixture-v1.manifest");

fn split(name: &str, tenant: &str, rows: u64) -> SealedFile {
    SealedFile::Split(SplitRef {
        name: name.into(),
        tenant: tenant.to_owned(),
        rows,
        size_bytes: 4096,
        min_time_ns: -5,
        max_time_ns: 1_700_000_000_000_000_000,
        min_seq: 1 << 20,
        max_seq: 41 << 20 | 7,
        format: 1,
        indexed: rows > 5,
    })
}

fn sample() -> Manifest {
    let mut windows = Windows::default();
    let (acme, default) = (TenantId::new("acme").unwrap(), TenantId::default_tenant());
    for seq in [1, 2, 3] {
        windows.decide(
            &default,
            Some(&Producer::new("host-1", 7, seq, 9).unwrap()),
            1_700_000_000_000_000_000,
        );
    }
    for (seq, run) in [(5000, 1), (9000, 2), (8999, 1)] {
        windows.decide(
            &acme,
            Some(&Producer::new("host-2", 8, seq, run).unwrap()),
            1_700_000_000_000_000_100,
        );
    }
    Manifest {
        epoch: 3,
        sealed_offset: 41,
        files: vec![split("logs/0/a", "acme", 10), split("logs/0/b", "default", 3)],
        windows,
        aside: vec![Aside { offset: 17, reason: "the engine panicked: no".to_owned() }],
        aside_total: 1,
        duplicates: 4,
        ..Manifest::empty(PartitionId::logs(2))
    }
}

#[test]
fn version_1_opens_for_ever() {
    let manifest = Manifest::decode(VERSION_1).unwrap();
    assert_eq!(manifest, sample());
    let mut windows = manifest.windows;
    let resend = Producer::new("host-1", 7, 2, 9).unwrap();
    assert_eq!(windows.decide(&TenantId::default_tenant(), Some(&resend), 0), Decision::Duplicate);
}

#[test]
fn what_is_written_today_is_version_1() {
    assert_eq!(&sample().encode()[..], VERSION_1);
}

#[test]
fn every_flipped_or_missing_byte_is_noticed() {
    let raw = sample().encode();
    for at in 0..raw.len() {
        assert!(Manifest::decode(&raw[..at]).is_err(), "cut at {at}");
        let mut flipped = raw.to_vec();
        flipped[at] ^= 0x20;
        assert!(Manifest::decode(&flipped).is_err(), "flipped at {at}");
    }
}

#[test]
fn a_newer_version_is_named() {
    let mut raw = sample().encode().to_vec();
    raw[8] = 2;
    assert_eq!(Manifest::decode(&raw), Err(ManifestError::Version(2)));
    assert_eq!(Manifest::decode(b"something else"), Err(ManifestError::Magic));
}

/// Bits that no writer writes would become others when they are written again.
#[test]
fn a_window_without_its_highest_seq_or_with_needless_bits_is_refused() {
    let mut manifest = sample();
    for bits in [vec![0], vec![0b0110], vec![0b1110]] {
        let window = manifest.windows.windows.values_mut().find(|window| window.highest == 3).unwrap();
        window.bits = bits;
        let mut raw = manifest.encode().to_vec();
        if let Some(at) = raw.len().checked_sub(4).filter(|_| manifest == sample()) {
            // Full windows are written without bits: put them there by hand.
            let count = at - 4 - (4 + 8 + 2 + 23) - 1;
            raw[count] = 1;
            raw.splice(count + 1..count + 1, 0b1110u64.to_le_bytes());
            let end = raw.len() - 4;
            let checksum = crc32c::crc32c(&raw[..end]).to_le_bytes();
            raw[end..].copy_from_slice(&checksum);
        }
        assert!(matches!(Manifest::decode(&raw), Err(ManifestError::Malformed(_))));
    }
}

proptest! {
    #[test]
    fn manifests_decode_to_themselves(
        seqs in proptest::collection::vec((0u8..4, 1u64..9000, 1u64..4, 0i64..1000), 0..200),
        files in 0usize..5,
        offset: u64,
    ) {
        let mut windows = Windows::default();
        for (id, seq, run, at) in seqs {
            let producer = Producer::new(&format!("p{id}"), 1, seq, run).unwrap();
            windows.decide(&TenantId::default_tenant(), Some(&producer), at);
        }
        let files = (0..files).map(|n| split(&format!("f{n}"), "default", n as u64)).collect();
        let manifest = Manifest { sealed_offset: offset, files, windows, ..Manifest::empty(PartitionId::logs(0)) };
        prop_assert_eq!(Manifest::decode(&manifest.encode()).unwrap(), manifest);
    }

    #[test]
    fn any_bytes_decode_or_fail_without_panic(bytes: Vec<u8>) {
        let mut raw = b"NARROWSM\x01".to_vec();
        raw.extend(&bytes);
        raw.extend(crc32c::crc32c(&raw).to_le_bytes());
        let _outcome = Manifest::decode(&raw);
    }
}
