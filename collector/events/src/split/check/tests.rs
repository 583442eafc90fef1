//! Splits with bytes changed, some with checksums to match.

use proptest::prelude::*;
use proptest::sample::Index;

use super::super::format::{Column, Footer, Section, TAIL_BYTES, TAIL_MAGIC};
use super::*;

const SPLIT: &[u8] = include_bytes!("../../../tests/fixtures/split-v1.split");

/// Its bytes before the footer, and the footer.
fn taken_apart() -> (Vec<u8>, Footer) {
    let (front, tail) = SPLIT.split_at(SPLIT.len() - TAIL_BYTES);
    let footer_len = u32::from_le_bytes(tail[..4].try_into().unwrap()) as usize;
    let (body, footer) = front.split_at(front.len() - footer_len);
    (body.to_vec(), Footer::decode(footer).unwrap())
}

/// The blob with this footer and checksum.
fn with_footer(body: &[u8], footer: &[u8]) -> Vec<u8> {
    let (len, crc) = ((footer.len() as u32).to_le_bytes(), crc32c::crc32c(footer).to_le_bytes());
    [body, footer, &len, &crc, TAIL_MAGIC].concat()
}

fn sections(footer: &mut Footer) -> Vec<&mut Section> {
    let blocks = footer.blocks.iter_mut().flat_map(|block| block.sections.iter_mut());
    let pages = footer.index.iter_mut().flat_map(|file| file.pages.iter_mut());
    blocks.chain(std::iter::once(&mut footer.streams)).chain(pages).collect()
}

#[test]
fn a_sound_split_passes_and_a_cut_one_does_not() {
    assert_eq!(check_split(SPLIT), Ok(30));
    for len in [0, 1, 15, 16, SPLIT.len() / 2, SPLIT.len() - 1] {
        assert!(check_split(&SPLIT[..len]).is_err(), "{len}");
    }
}

#[test]
fn every_flipped_byte_is_found() {
    let (body, footer) = taken_apart();
    let named = sections(&mut footer.clone()).iter().map(|section| section.len as usize).sum::<usize>();
    assert_eq!(HEAD_MAGIC.len() + named, body.len(), "every byte is in a section");
    for at in 0..SPLIT.len() {
        let mut bytes = SPLIT.to_vec();
        bytes[at] ^= 1;
        assert!(check_split(&bytes).is_err(), "byte {at}");
    }
}

type Lie = fn(&mut Footer);

#[test]
fn a_footer_that_lies_is_found() {
    let (body, footer) = taken_apart();
    let lies: [(&str, Lie); 8] = [
        ("times", |footer| footer.blocks[1].max_time_ns += 1),
        ("severities", |footer| footer.blocks[0].severities[1] += 1),
        ("streams", |footer| footer.blocks[0].streams = None),
        ("order", |footer| footer.blocks.reverse()),
        ("filter", |footer| footer.blocks[0].sections[Column::Bloom as usize] = Section::default()),
        ("index", |footer| footer.index[0].len = u64::from(u32::MAX)),
        ("rows", |footer| footer.rows += 1),
        ("less rows", |footer| {
            footer.blocks.pop();
            footer.rows = footer.blocks.iter().map(|block| u64::from(block.rows)).sum();
        }),
    ];
    for (what, lie) in lies {
        let mut lying = footer.clone();
        lie(&mut lying);
        assert!(check_split(&with_footer(&body, &lying.encode())).is_err(), "{what}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_bytes_are_checked_without_panic(bytes: Vec<u8>) {
        let _checked = check_split(&bytes);
        let _checked = check(with_footer(HEAD_MAGIC, &bytes).into());
    }

    /// `check` itself, without the net for panics: a footer that a hostile writer made.
    #[test]
    fn a_changed_footer_with_a_good_checksum_does_not_panic(changes: Vec<(Index, u8)>) {
        let (body, footer) = taken_apart();
        let mut footer = footer.encode();
        for (at, byte) in changes.into_iter().take(4) {
            let at = at.index(footer.len());
            footer[at] = byte;
        }
        let _checked = check(with_footer(&body, &footer).into());
    }

    /// The same for what stands in sections.
    #[test]
    fn a_changed_section_with_a_good_checksum_does_not_panic(
        which: Index,
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..4),
    ) {
        let (mut body, mut footer) = taken_apart();
        let mut sections = sections(&mut footer);
        sections.retain(|section| section.len > 0);
        let section = which.get_mut(&mut sections);
        let range = section.offset as usize..section.offset as usize + section.len as usize;
        for (at, byte) in changes {
            body[range.clone()][at.index(range.len())] = byte;
        }
        section.crc = crc32c::crc32c(&body[range]);
        let _checked = check_split(&with_footer(&body, &footer.encode()));
    }
}
