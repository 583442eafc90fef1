//! What families say, and states that earlier builds wrote.

#![allow(clippy::unwrap_used)]

use telemetry::samples::{MetricKind, Writer};
use telemetry::{LabelSet, TenantId};

use super::*;
use crate::wire::{put_bytes, put_float, put_signed, put_varint};

const RECEIVED_S: i64 = 1_700_000_000;

fn metadata(family: &str, help: &str) -> Metadata {
    Metadata {
        family: family.to_owned(),
        help: help.to_owned(),
        unit: help.to_owned(),
        ..Metadata::default()
    }
}

fn apply(carry: &mut Carry, received_s: i64, said: &[Metadata]) {
    let mut writer = Writer::new();
    said.iter().for_each(|metadata| writer.metadata(metadata));
    carry.apply(&mut Head::default(), 1, received_s * 1_000_000_000, &writer.finish()).unwrap();
    carry.end_record();
}

fn bytes(carry: &Carry) -> Vec<u8> {
    let tenant = TenantId::default_tenant();
    encode(1, std::iter::once((&tenant, carry, &Head::default()))).unwrap()
}

#[test]
fn long_texts_are_cut_between_characters() {
    let mut carry = Carry::default();
    apply(
        &mut carry,
        RECEIVED_S,
        &[metadata("up", &"\u{20ac}".repeat(1000)), metadata(&"x".repeat(1025), "")],
    );
    let said: Vec<&Metadata> = carry.families().map(|described| &described.metadata).collect();
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].help.clone(), said[0].unit.clone()), ("\u{20ac}".repeat(341), "\u{20ac}".repeat(21)));
    assert_eq!(carry.left_out.families, 1);
}

#[test]
fn a_tenant_describes_so_many_bytes_and_the_rest_is_counted() {
    let mut carry = Carry::default();
    let name = |number: usize| format!("{number:0900}");
    let many: Vec<Metadata> = (0..20_000).map(|number| metadata(&name(number), &"h".repeat(1024))).collect();
    for some in many.chunks(1000) {
        apply(&mut carry, RECEIVED_S, some);
    }
    let (kept, each) = (carry.families().count(), 900 + 64 + 1024 + 64);
    assert_eq!((kept, carry.left_out.families), (MAX_DESCRIBED_BYTES / each, (20_000 - kept) as u64));
    apply(&mut carry, RECEIVED_S, &[metadata(&name(0), "new")]);
    let recovered = decode(&bytes(&carry)).unwrap().tenants.remove(&TenantId::default_tenant()).unwrap();
    assert_eq!(recovered.described_bytes, carry.described_bytes);
    assert_eq!(
        recovered.families().next().unwrap().metadata.help,
        "new",
        "what is known may say something else"
    );
}

#[test]
fn families_are_forgotten_by_records_and_not_by_seals() {
    let (mut sealed, mut open) = (Carry::default(), Carry::default());
    for step in 0..4400 {
        let said = if step == 0 { vec![metadata("up", "")] } else { vec![metadata("other", "")] };
        for carry in [&mut sealed, &mut open] {
            apply(carry, RECEIVED_S + step * STEP_S, &said);
        }
        sealed.keep(&Head::default());
    }
    assert_eq!((sealed.families().count(), open.families().count()), (1, 1));
    assert_eq!(bytes(&sealed), bytes(&open));
}

/// A state of version 1: one sum of 3, without the time of its newest increase.
fn version_1(labels: &LabelSet) -> Vec<u8> {
    let mut raw = Vec::new();
    put_varint(&mut raw, 7);
    put_varint(&mut raw, 1);
    put_bytes(&mut raw, b"default");
    put_varint(&mut raw, RECEIVED_S as u64);
    put_varint(&mut raw, 1);
    raw.extend(labels.hash64().to_le_bytes());
    put_signed(&mut raw, 30);
    put_varint(&mut raw, 5);
    put_varint(&mut raw, 1);
    put_bytes(&mut raw, labels.as_bytes());
    put_float(&mut raw, 3.0);
    put_varint(&mut raw, 5);
    put_bytes(&mut raw, &[]);
    put_varint(&mut raw, 1);
    put_bytes(&mut raw, b"up");
    raw.push(MetricKind::default() as u8);
    put_bytes(&mut raw, b"");
    put_bytes(&mut raw, b"Whether it is up.");
    put_varint(&mut raw, 5);
    put_varint(&mut raw, 0);
    let mut bytes = vec![1];
    put_varint(&mut bytes, raw.len() as u64);
    bytes.extend(zstd::bulk::compress(&raw, 1).unwrap());
    bytes
}

#[test]
fn a_state_of_version_1_is_read() {
    let labels = LabelSet::new([("__name__", "up")]).unwrap();
    let recovered = decode(&version_1(&labels)).unwrap();
    assert_eq!(recovered.offset, 7);
    let mut carry = recovered.tenants.into_values().next().unwrap();
    assert_eq!(carry.families().next().unwrap().metadata.help, "Whether it is up.");
    assert_eq!(carry.active(&Head::default()), [(labels.hash64(), (RECEIVED_S - 5) * 1000)]);
    let mut writer = Writer::new();
    writer.series_of(&labels, true, &[telemetry::samples::Sample { time_ms: 20, value: 2.0 }], &[], &[]);
    let mut head = Head::default();
    carry.apply(&mut head, 8, RECEIVED_S * 1_000_000_000, &writer.finish()).unwrap();
    let mut values = promql::Values::default();
    head.read(0, (0, 99), &mut Vec::new(), &mut values);
    assert_eq!((values.times_ms, values.values), (vec![20], vec![5.0]));
}
