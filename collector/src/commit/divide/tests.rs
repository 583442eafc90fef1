use super::*;
use bytes::Bytes;
use proptest::prelude::*;
use telemetry::otlp::{RecordFields, RecordsWriter, write_record, write_resource};
use telemetry::{Producer, Signal, TenantId, Value};

const NOW: i64 = 1_700_000_000_000_000_000;
const HOUR: i64 = 3_600_000_000_000;

fn limits(max_record_bytes: usize) -> ItemLimits {
    ItemLimits { retention_ns: Some(24 * HOUR), future_max_ns: HOUR, max_record_bytes }
}

/// (resource, time, body length) per record.
fn batch(records: &[(u8, i64, usize)], with_producer: bool) -> Batch {
    let mut writer = RecordsWriter::default();
    for (index, (resource, time_ns, len)) in records.iter().enumerate() {
        let (mut raw, mut record) = (Vec::new(), Vec::new());
        write_resource(&mut raw, &[("service.name", Value::Str(&format!("s{resource}")))]);
        writer.resource(&raw, "");
        writer.scope(b"", "");
        let body = format!("{index} {}", "x".repeat(*len));
        let fields =
            RecordFields { time_ns: *time_ns as u64, body: Value::Str(&body), ..RecordFields::default() };
        write_record(&mut record, &fields);
        writer.record(&record);
    }
    Batch {
        tenant: TenantId::default_tenant(),
        signal: Signal::Logs,
        producer: with_producer.then(|| Producer::new("host-1", 7, 1, 9).unwrap()),
        received_at_ns: NOW,
        payload: Bytes::from(writer.finish()),
    }
}

fn bodies(batch: &Batch) -> Vec<String> {
    let request = LogsRequest::parse(&batch.payload).unwrap();
    request.records().map(|(_, _, record)| record.body.to_text().into_owned()).collect()
}

fn index_of(body: &str) -> u32 {
    body.split(' ').next().unwrap().parse().unwrap()
}

proptest! {
    /// Every item is in exactly one part or refused exactly once; parts fit; order within a resource stays.
    #[test]
    fn no_item_is_lost_or_doubled(
        records in proptest::collection::vec((0u8..5, -30i64..4, prop_oneof![0usize..100, 900usize..3000]), 0..60),
        partitions in 1u16..4,
    ) {
        let records: Vec<_> = records.into_iter().map(|(r, hours, len)| (r, NOW + hours * HOUR, len)).collect();
        let routes = Routes::new(partitions, []);
        let divided = divide(batch(&records, false), &routes, &limits(2048)).unwrap();
        let mut seen: Vec<u32> = divided.outcome.reasons.iter().map(|rejection| rejection.index).collect();
        for (partition, part) in &divided.parts {
            prop_assert!(partition.number < partitions);
            prop_assert!(part.encode().len() + JOURNAL_HEADER_BYTES <= 2048, "{}", part.encode().len());
            let bodies = bodies(part);
            prop_assert!(!bodies.is_empty());
            prop_assert!(bodies.is_sorted_by_key(|body| index_of(body)));
            seen.extend(bodies.iter().map(|body| index_of(body)));
        }
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..records.len() as u32).collect::<Vec<_>>());
        let refused: u64 = divided.refused.values().sum();
        prop_assert_eq!(divided.outcome.rejected, refused);
        prop_assert_eq!(divided.outcome.accepted + refused, records.len() as u64);
        let out_of_time = records.iter().filter(|(_, time, _)| *time < NOW - 24 * HOUR || *time > NOW + HOUR).count();
        let by_time = [Refusal::TooOld, Refusal::TooFarAhead].map(|r| divided.refused.get(&r).copied().unwrap_or(0));
        prop_assert_eq!(by_time.iter().sum::<u64>(), out_of_time as u64);
    }
}

#[test]
fn a_batch_that_fits_is_passed_on_byte_for_byte() {
    let batch = batch(&[(1, NOW, 10), (2, 0, 10)], false);
    let divided = divide(batch.clone(), &Routes::new(1, []), &limits(MAX_RECORD_BYTES)).unwrap();
    assert_eq!(divided.parts, [(PartitionId::logs(0), batch)]);
}

#[test]
fn a_large_batch_of_a_producer_is_refused_whole() {
    let large = batch(&[(1, NOW, 900), (1, NOW, 900), (1, NOW, 900)], true);
    let error = divide(large, &Routes::new(3, []), &limits(2048)).unwrap_err();
    assert!(matches!(error, SinkError::TooLarge { size_bytes, .. } if size_bytes > 2048), "{error:?}");
}

#[test]
fn one_item_over_the_limit_is_refused_with_a_reason_and_the_others_stay() {
    for with_producer in [false, true] {
        let mixed = batch(&[(1, NOW, 10), (1, NOW, 9000), (1, NOW, 10)], with_producer);
        let divided = divide(mixed, &Routes::new(1, []), &limits(2048)).unwrap();
        assert_eq!((divided.outcome.accepted, divided.outcome.rejected), (2, 1));
        assert_eq!(divided.outcome.reasons[0].index, 1);
        assert!(
            divided.outcome.reasons[0].reason.contains("over the limit"),
            "{:?}",
            divided.outcome.reasons
        );
        assert_eq!(divided.parts[0].1.producer.is_some(), with_producer);
    }
}

#[test]
fn old_and_future_items_are_refused_and_missing_times_are_not() {
    let old = NOW - 25 * HOUR;
    let divided = divide(
        batch(&[(1, old, 1), (1, NOW + 2 * HOUR, 1), (1, 0, 1), (1, NOW - 23 * HOUR, 1)], false),
        &Routes::new(1, []),
        &limits(MAX_RECORD_BYTES),
    )
    .unwrap();
    assert_eq!(divided.refused, [(Refusal::TooOld, 1), (Refusal::TooFarAhead, 1)].into());
    assert_eq!(divided.outcome.accepted, 2);
    assert!(divided.outcome.reasons[0].reason.contains("2023-11-13"), "{:?}", divided.outcome.reasons);
    let forever = ItemLimits { retention_ns: None, ..limits(MAX_RECORD_BYTES) };
    let divided = divide(batch(&[(1, 1, 1)], false), &Routes::new(1, []), &forever).unwrap();
    assert_eq!(divided.outcome.rejected, 0);
}

#[test]
fn an_empty_payload_becomes_nothing() {
    assert!(divide(batch(&[], false), &Routes::new(1, []), &limits(2048)).unwrap().parts.is_empty());
}

/// Many empty records under a resource of `resource_bytes`, in scopes of `scope_records` each.
fn under_a_large_resource(resource_bytes: usize, records: usize, scope_records: usize) -> Batch {
    let (mut writer, mut raw) = (RecordsWriter::default(), Vec::new());
    write_resource(&mut raw, &[("text", Value::Str(&"x".repeat(resource_bytes)))]);
    writer.resource(&raw, "");
    for n in 0..records {
        if n % scope_records == 0 {
            writer.scope(b"\x0a\x01s", "");
        }
        writer.record(b"");
    }
    Batch { payload: Bytes::from(writer.finish()), ..batch(&[], false) }
}

fn total_bytes(divided: &Divided) -> usize {
    divided.parts.iter().map(|(_, part)| part.payload.len()).sum()
}

#[test]
fn a_large_resource_is_copied_once_per_part_and_parts_are_full() {
    let large = under_a_large_resource(400 << 10, 200_000, 1000);
    let payload_bytes = large.payload.len();
    let divided = divide(large, &Routes::new(1, []), &limits(MAX_RECORD_BYTES)).unwrap();
    assert_eq!(divided.outcome.accepted, 200_000);
    assert_eq!(divided.parts.len(), 2);
    assert!(total_bytes(&divided) < payload_bytes + (450 << 10));
}

#[test]
fn what_would_become_many_times_its_size_is_refused() {
    // 700 bytes of a part's 786,000 are left for records: hundreds of parts.
    let limit = MAX_RECORD_BYTES - JOURNAL_HEADER_BYTES;
    let large = under_a_large_resource(limit - 1000, 200_000, 1000);
    let payload_bytes = large.payload.len();
    let error = divide(large, &Routes::new(3, []), &limits(MAX_RECORD_BYTES)).unwrap_err();
    let SinkError::TooLarge { size_bytes, limit_bytes } = error else { panic!("{error:?}") };
    assert!(limit_bytes <= 4 * payload_bytes + MAX_RECORD_BYTES);
    assert!(size_bytes <= limit_bytes + MAX_RECORD_BYTES, "it stops there");
}

proptest! {
    /// Heads of all sizes: parts fit, and all of them together stay within the bound.
    #[test]
    fn parts_are_bounded_whatever_the_heads(
        resource_bytes in 0usize..2000, records in 1usize..500, scope_records in 1usize..50, partitions in 1u16..4,
    ) {
        let batch = under_a_large_resource(resource_bytes, records, scope_records);
        let payload_bytes = batch.payload.len();
        match divide(batch, &Routes::new(partitions, []), &limits(2048)) {
            Ok(divided) => {
                prop_assert!(divided.parts.iter().all(|(_, part)| part.encode().len() + JOURNAL_HEADER_BYTES <= 2048));
                prop_assert!(total_bytes(&divided) <= 4 * payload_bytes + 2048);
                prop_assert_eq!(divided.outcome.accepted + divided.outcome.rejected, records as u64);
            }
            Err(SinkError::TooLarge { .. }) => prop_assert!(resource_bytes > 1000, "half a record always fits"),
            Err(error) => prop_assert!(false, "{error:?}"),
        }
    }
}
