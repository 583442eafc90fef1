//! Blocks of bodies come back as they were, whatever their bytes.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::format::BlockMeta;
use super::*;

/// Builds a block of these bodies and reads it again.
fn round_trip(bodies: &[String], level: i32) -> (Vec<u8>, Arc<SignatureTable>) {
    let (mut table, mut block, mut masked) =
        (TableBuilder::default(), BodyBuilder::default(), Masked::default());
    let (mut statistics, mut hashes) = (StatisticsBuilder::default(), Vec::new());
    for body in bodies {
        match table.mask(body, 3, &mut masked) {
            Some(signature) => block.push_masked(&table, signature, &masked, body, Some(&mut hashes)),
            None => block.push_raw(Body::Text(body)),
        }
    }
    let section = block.encode(level);
    statistics.push_block(&block);
    let read = Arc::new(SignatureTable::decode(&table.encode(level), bodies.len() as u64).unwrap());
    let column = SignatureBodies::decode(&section, bodies.len(), &read).unwrap();
    let mut scratch = Vec::new();
    for (row, body) in bodies.iter().enumerate() {
        assert_eq!(column.get(row, &mut scratch), Body::Text(body));
    }
    let blocks = [BlockMeta { rows: bodies.len() as u32, ..BlockMeta::default() }];
    let known = Statistics::decode(&statistics.encode(), &blocks, &read).unwrap();
    assert!(known.agree(0, column.codes()));
    assert_eq!(known.totals(&read).iter().sum::<u64>(), bodies.len() as u64);
    copies_equal(bodies, &column, &read);
    (section, read)
}

/// Another split's block, with its signatures numbered backwards and one left out.
fn copies_equal(bodies: &[String], column: &SignatureBodies, read: &Arc<SignatureTable>) {
    let (mut table, mut block) = (TableBuilder::default(), BodyBuilder::default());
    let mut numbers = vec![None; read.len()];
    for number in (1..read.len() as u32).rev() {
        numbers[number as usize] = table.intern(read.signature(number));
    }
    let mut scratch = Vec::new();
    for row in 0..bodies.len() {
        if !block.copy(&table, column, row, &numbers, None) {
            block.push_raw(column.get(row, &mut scratch));
        }
    }
    let copy = Arc::new(SignatureTable::decode(&table.encode(3), bodies.len() as u64).unwrap());
    let copied = SignatureBodies::decode(&block.encode(3), bodies.len(), &copy).unwrap();
    for (row, body) in bodies.iter().enumerate() {
        assert_eq!(copied.get(row, &mut scratch), Body::Text(body));
    }
}

fn body() -> impl Strategy<Value = String> {
    prop_oneof![
        (any::<u32>(), any::<u8>()).prop_map(|(id, n)| format!("request req-{id:08x} took {n}ms")),
        (0..40u8, 0..40u8).prop_map(|(a, b)| format!("at {a:02}:{b:02} of {a} by {}", b % 3)),
        (any::<u64>(), any::<u32>())
            .prop_map(|(a, b)| format!("id {a} of {a:x} at {}", std::net::Ipv4Addr::from(b))),
        any::<u128>().prop_map(|id| format!("trace {id:032x} {}", id % 7)),
        "[a-c]{1,3}[0-9][a-z]{1,9} [xy]",
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn blocks_come_back(bodies in vec(body(), 1..120), level in 1..4) {
        round_trip(&bodies, level);
    }

    #[test]
    fn any_bytes_decode_or_fail_without_panic(bodies in vec(body(), 1..60), at: u16, byte: u8, any: Vec<u8>) {
        let (mut section, table) = round_trip(&bodies, 1);
        let at = usize::from(at) % section.len();
        section[at] = byte;
        if let Ok(column) = SignatureBodies::decode(&section, bodies.len(), &table) {
            let mut scratch = Vec::new();
            (0..bodies.len()).for_each(|row| drop(format!("{:?}", column.get(row, &mut scratch))));
        }
        let _bodies = SignatureBodies::decode(&any, bodies.len(), &table);
        let _table = SignatureTable::decode(&any, 1 << 20);
        let _statistics = Statistics::decode(&any, &[BlockMeta { rows: 9, ..BlockMeta::default() }], &table);
    }
}

#[test]
fn times_and_ids_cost_what_they_should() {
    let bodies: Vec<String> = (0..4096u32)
        .map(|n| {
            format!("at {:02}:{:02}: job {n} of {:08x}", n / 60 % 24, n % 60, n.wrapping_mul(2_654_435_761))
        })
        .collect();
    let (section, table) = round_trip(&bodies, 3);
    assert!(table.len() <= 4, "zeros before numbers make no signatures: {}", table.len());
    assert!(section.len() < 4096 * 6, "{} bytes", section.len());
}

#[test]
fn text_without_templates_stays_as_it_is() {
    let words = |n: u32| {
        (0..6)
            .map(|place| format!("{:c<1$}", "", (n >> (5 * place) & 31) as usize))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let (mut table, mut masked, mut raw) = (TableBuilder::default(), Masked::default(), 0);
    for n in 0..40_000u32 {
        raw += usize::from(table.mask(&words(n.wrapping_mul(2_654_435_761)), 0, &mut masked).is_none());
    }
    assert!(raw > 30_000 && table.len() <= 8192, "{raw} raw, {} signatures", table.len());
    assert_eq!(table.mask(&words(7), 0, &mut masked), None, "the stream's bodies stay as they are");
    assert!(table.mask("another stream", 1, &mut masked).is_some(), "other streams are not concerned");
    let mut fresh = TableBuilder::default();
    for n in 0..40_000u32 {
        fresh.mask(&words(n % 2000), 0, &mut masked);
    }
    assert!(fresh.mask("another stream", 0, &mut masked).is_some(), "repeated bodies are fine");
}

#[test]
fn signatures_that_no_body_has_are_refused() {
    for (signature, sound) in [
        (vec![b'x'; 4096], true),
        (vec![b'x'; 4097], false),
        ([0xf8, b' '].repeat(255), true),
        ([0xf8, b' '].repeat(256), false),
    ] {
        let mut table = TableBuilder::default();
        table.intern(&signature).unwrap();
        assert_eq!(SignatureTable::decode(&table.encode(1), 1).is_ok(), sound, "{} bytes", signature.len());
    }
}

/// A text's width is cut at 255: its bytes are what a block is full of.
#[test]
fn copied_texts_count_with_all_their_bytes() {
    let body = "x".repeat(400_000);
    let bodies = vec![body.clone(); 3];
    let (section, read) = round_trip(&bodies, 1);
    let column = SignatureBodies::decode(&section, 3, &read).unwrap();
    let (mut table, mut block) = (TableBuilder::default(), BodyBuilder::default());
    let numbers = [table.intern(read.signature(0))];
    for row in 0..200 {
        assert!(block.copy(&table, &column, row % 3, &numbers, None));
        assert_eq!(block.is_too_large(), (row + 1) * body.len() > MAX_RAW_BYTES, "{row}");
    }
}
