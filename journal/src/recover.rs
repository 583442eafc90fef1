//! Opening a journal: which records of the files count.
//!
//! Every record carries the offset that was durable when it was written, and so does every segment header. Let D be the
//! highest such mark found. A record below D was durable once: if it is bad now, that is damage, and opening stops unless
//! asked to go on. At or past D lies at most one group that may never have been synced: the first bad byte there is
//! where the last crash tore it, and it is cut. What is kept of that group may be known to the page cache only, so the
//! newest segment is copied to a new file, which is synced before it takes the old one's place.

use crate::format::{RECORD_HEADER_BYTES, SegmentHeader};
use crate::scan::{Scan, Step};
use crate::segment::{CHUNK_BYTES, Hole, Segment, Staged};
use crate::{Disk, JournalError, Options, create_dir_synced};
use bytes::Bytes;
use std::io;
use std::ops::Range;
use std::path::Path;

/// What was found when a journal was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// The lowest offset that can be read.
    pub start: u64,
    /// The offset that the next append gets.
    pub end: u64,
    /// What was cut from the end, because a crash had left it half written. None of it was acknowledged.
    pub torn_bytes: u64,
    /// What the newest segment begins with; see [`Options::preamble`]. A segment that replaces one whose header was
    /// damaged begins with nothing, and then this is the preamble of the newest one before it that has one.
    pub preamble: Vec<u8>,
    /// Where the segment with the preamble begins: the preamble knows of every record below this offset and of none from
    /// it on. If no segment has one, this is the start.
    pub preamble_offset: u64,
    /// What is missing, if [`Options::accept_damage`] was set.
    pub damage: Vec<Damage>,
}

/// Durable records that cannot be read any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file's name.
    pub segment: String,
    /// Where in the file the bad stretch is; empty if the bytes are missing.
    pub bytes: Range<u64>,
    /// Which records are missing.
    pub offsets: Range<u64>,
}

/// Finds all segments of `directory` and makes the newest one ready to be appended to.
pub(crate) fn recover(
    disk: &dyn Disk,
    directory: &Path,
    options: &Options,
) -> Result<(Vec<Segment>, Recovery), JournalError> {
    let firsts = list(disk, directory)?;
    let mut segments = Vec::with_capacity(firsts.len());
    let (mut durable, mut file_bytes) = (0, 0);
    for (at, first) in firsts.iter().enumerate() {
        let mut segment = open_segment(disk, directory, *first, options.accept_damage)?;
        file_bytes = segment.size_bytes;
        let next_segment = firsts.get(at + 1).copied();
        let mark = if segment.headless {
            lose(&mut segment, next_segment)
        } else {
            scan(&mut segment, next_segment)?
        };
        durable = durable.max(mark);
        segments.push(segment);
    }
    let Some(newest) = segments.last_mut() else {
        return create(disk, directory, options);
    };
    cut_torn_tail(newest, durable);
    let damage = judge(&segments, options.accept_damage)?;
    let torn_bytes = finish(disk, directory, &mut segments, durable, file_bytes)?;
    let source = segments.iter().rev().find(|segment| !segment.header.preamble.is_empty());
    let recovery = Recovery {
        start: firsts[0],
        end: segments[segments.len() - 1].end,
        torn_bytes,
        preamble: source.map_or_else(Vec::new, |segment| segment.header.preamble.to_vec()),
        preamble_offset: source.map_or(firsts[0], |segment| segment.header.first),
        damage,
    };
    Ok((segments, recovery))
}

/// The first offsets of the segments, oldest first. Unfinished files are removed. A process that died may have left
/// changes of the directory, and of its parent, unsynced; they are durable when this returns.
fn list(disk: &dyn Disk, directory: &Path) -> Result<Vec<u64>, JournalError> {
    create_dir_synced(disk, directory).map_err(|source| JournalError::io("create", directory, source))?;
    let names = disk.list(directory).map_err(|source| JournalError::io("list", directory, source))?;
    for name in names.iter().filter(|name| Segment::is_staged(name)) {
        let path = directory.join(name);
        disk.remove(&path).map_err(|source| JournalError::io("remove", &path, source))?;
    }
    disk.sync_dir(directory).map_err(|source| JournalError::io("sync", directory, source))?;
    Ok(names.iter().filter_map(|name| Segment::parse_name(name)).collect())
}

fn create(
    disk: &dyn Disk,
    directory: &Path,
    options: &Options,
) -> Result<(Vec<Segment>, Recovery), JournalError> {
    let preamble = options.preamble.as_ref().map_or_else(Vec::new, |preamble| preamble());
    let segment = start_segment(disk, directory, 1, preamble.clone().into())?;
    let recovery =
        Recovery { start: 1, end: 1, torn_bytes: 0, preamble, preamble_offset: 1, damage: Vec::new() };
    Ok((vec![segment], recovery))
}

fn start_segment(
    disk: &dyn Disk,
    directory: &Path,
    first: u64,
    preamble: Bytes,
) -> Result<Segment, JournalError> {
    let header = SegmentHeader { salt: rand::random(), first, durable: first, preamble };
    Staged::write(disk, directory, header, None)
        .and_then(|staged| staged.publish(disk, directory))
        .map_err(|source| JournalError::io("start a segment in", directory, source))
}

fn open_segment(
    disk: &dyn Disk,
    directory: &Path,
    first: u64,
    accept_damage: bool,
) -> Result<Segment, JournalError> {
    let path = directory.join(Segment::name(first));
    let mut segment = match Segment::open(disk, path.clone(), first) {
        Err(JournalError::Damaged { .. }) if accept_damage => {
            let file = disk.open(&path).map_err(|source| JournalError::io("open", &path, source))?;
            let header = SegmentHeader { salt: 0, first, durable: first, preamble: Bytes::new() };
            Segment { headless: true, ..Segment::new(path.clone(), file, header) }
        }
        opened => opened?,
    };
    segment.size_bytes =
        segment.file.size_bytes().map_err(|source| JournalError::io("read", &path, source))?;
    Ok(segment)
}

/// Makes one hole of a segment whose header is damaged. How many records it held is known from the next segment only;
/// the newest is taken to have held as many as can be, so that no offset is given twice. Returns the durable mark.
fn lose(segment: &mut Segment, next_segment: Option<u64>) -> u64 {
    let first = segment.header.first;
    let most = segment.size_bytes / RECORD_HEADER_BYTES as u64;
    let end = next_segment.unwrap_or(first + most + 1);
    segment.holes.push(Hole { bytes: 0..segment.size_bytes, offsets: first..end });
    if next_segment.is_some() { first } else { end }
}

/// Walks over a segment that ends where the next one begins, and notes its records and holes. Returns the highest
/// durable mark in it.
fn scan(segment: &mut Segment, next_segment: Option<u64>) -> Result<u64, JournalError> {
    let path = segment.path.clone();
    let attempt = |source| JournalError::io("read", &path, source);
    let file = segment.file.clone();
    let bytes = segment.header.size_bytes()..segment.size_bytes;
    let mut scan = Scan::new(&*file, segment.header.salt, bytes, CHUNK_BYTES);
    let mut durable = segment.header.durable;
    let mut expected = segment.header.first;
    while next_segment.is_none_or(|next| expected < next) {
        match scan.next(expected).map_err(attempt)? {
            Step::Record { position, durable: mark, .. } => {
                segment.note(expected, position);
                durable = durable.max(mark);
                expected += 1;
                segment.end = expected;
            }
            Step::Bad => {
                let from = scan.position();
                let most = (segment.size_bytes - from) / RECORD_HEADER_BYTES as u64;
                let found =
                    scan.search(expected..next_segment.unwrap_or(expected + most + 1)).map_err(attempt)?;
                durable = durable.max(found.durable);
                let next = found.next.or(next_segment).unwrap_or(expected);
                segment.holes.push(Hole { bytes: from..scan.position(), offsets: expected..next });
                expected = next;
                if found.next.is_none() {
                    break;
                }
            }
            Step::End => {
                if let Some(next) = next_segment {
                    segment
                        .holes
                        .push(Hole { bytes: scan.position()..scan.position(), offsets: expected..next });
                }
                break;
            }
        }
    }
    segment.size_bytes = scan.position();
    Ok(durable)
}

/// Ends the newest segment at the first bad byte that is not below the durable mark. If records below it are missing at
/// the end of the file, their offsets are not given again.
fn cut_torn_tail(newest: &mut Segment, durable: u64) {
    if let Some(at) = newest.holes.iter().position(|hole| hole.offsets.start >= durable) {
        let torn = newest.holes.swap_remove(at);
        newest.holes.truncate(at);
        newest.index.retain(|(_, position)| *position < torn.bytes.start);
        newest.end = torn.offsets.start;
        newest.size_bytes = torn.bytes.start;
    }
    if newest.end < durable {
        let size_bytes = newest.size_bytes;
        match newest.holes.last_mut().filter(|hole| hole.bytes.end == size_bytes) {
            Some(hole) => hole.offsets.end = durable,
            None => newest.holes.push(Hole { bytes: size_bytes..size_bytes, offsets: newest.end..durable }),
        }
        newest.end = durable;
    }
}

/// All holes that are left are damage.
fn judge(segments: &[Segment], accept_damage: bool) -> Result<Vec<Damage>, JournalError> {
    let mut damage = Vec::new();
    for segment in segments {
        for Hole { bytes, offsets } in &segment.holes {
            if !accept_damage {
                return Err(segment.damaged(bytes.start, offsets.start));
            }
            let name = Segment::name(segment.header.first);
            damage.push(Damage { segment: name, bytes: bytes.clone(), offsets: offsets.clone() });
        }
    }
    Ok(damage)
}

/// Makes everything that was kept durable, and the newest segment one that can be appended to. Returns what was cut.
fn finish(
    disk: &dyn Disk,
    directory: &Path,
    segments: &mut Vec<Segment>,
    durable: u64,
    file_bytes: u64,
) -> Result<u64, JournalError> {
    let Some(newest) = segments.last_mut() else { return Ok(0) };
    let torn_bytes = file_bytes - newest.size_bytes;
    if newest.headless {
        // What the lost one began with is lost, too. An older preamble would be taken for one that knows of all records
        // before this segment.
        let first = newest.end;
        segments.push(start_segment(disk, directory, first, Bytes::new())?);
    } else if newest.end > durable || torn_bytes > 0 {
        *newest = copy(disk, directory, newest)
            .map_err(|source| JournalError::io("copy the tail of", &newest.path, source))?;
    }
    Ok(torn_bytes)
}

fn copy(disk: &dyn Disk, directory: &Path, old: &Segment) -> io::Result<Segment> {
    let header = SegmentHeader { durable: old.end, ..old.header.clone() };
    let records = header.size_bytes()..old.size_bytes;
    let new =
        Staged::write(disk, directory, header, Some((&*old.file, records)))?.publish(disk, directory)?;
    Ok(Segment { file: new.file, header: new.header, ..old.clone() })
}
