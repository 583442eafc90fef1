//! One segment file: how it is made so that its name appears only when all of it is durable, and what is kept in memory
//! to find records in it.

use crate::format::{HeaderFault, SEGMENT_HEADER_BYTES, SegmentHeader, VERSION};
use crate::scan::{Scan, Step};
use crate::{Disk, DiskFile, Entry, JournalError, append_all};
use bytes::Bytes;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The ending of a segment's name, before it the first offset in 20 digits: names sort as offsets do.
const ENDING: &str = ".segment";
/// The ending while a segment is being made.
const STAGED: &str = ".new";
/// An entry of the sparse index at least every so many bytes.
const INDEX_STRIDE_BYTES: u64 = 64 << 10;
/// What one read from a file asks for.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;

/// A stretch of a segment that holds no good record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hole {
    pub(crate) bytes: Range<u64>,
    pub(crate) offsets: Range<u64>,
}

/// A segment as readers need it. Only durable records count towards `end` and `size_bytes`.
#[derive(Clone)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) header: SegmentHeader,
    pub(crate) end: u64,
    pub(crate) size_bytes: u64,
    /// Some records' (offset, position), rising in both.
    pub(crate) index: Vec<(u64, u64)>,
    pub(crate) holes: Vec<Hole>,
    /// Its header is damaged, so that nothing in it can be read.
    pub(crate) headless: bool,
}

impl Segment {
    pub(crate) fn name(first: u64) -> String {
        format!("{first:020}{ENDING}")
    }

    /// The first offset that a segment's name gives.
    pub(crate) fn parse_name(name: &str) -> Option<u64> {
        let digits = name.strip_suffix(ENDING).filter(|digits| digits.len() == 20)?;
        digits.parse().ok()
    }

    pub(crate) fn is_staged(name: &str) -> bool {
        name.ends_with(STAGED)
    }

    pub(crate) fn new(path: PathBuf, file: Arc<dyn DiskFile>, header: SegmentHeader) -> Self {
        let (end, size_bytes) = (header.first, header.size_bytes());
        Self { path, file, header, end, size_bytes, index: Vec::new(), holes: Vec::new(), headless: false }
    }

    /// Opens the segment `name` and checks its header.
    pub(crate) fn open(disk: &dyn Disk, path: PathBuf, first: u64) -> Result<Self, JournalError> {
        let attempt = |source| JournalError::io("open", &path, source);
        let file = disk.open(&path).map_err(attempt)?;
        match read_header(&*file).map_err(attempt)? {
            Ok(header) if header.first == first => Ok(Self::new(path, file, header)),
            Ok(_) | Err(HeaderFault::Damaged) => {
                Err(JournalError::Damaged { segment: Self::name(first), position: 0, offset: first })
            }
            Err(HeaderFault::Version(version)) => {
                Err(JournalError::Version { segment: Self::name(first), version, known: VERSION })
            }
        }
    }

    /// Remembers where a record lies, if the index has none near it.
    pub(crate) fn note(&mut self, offset: u64, position: u64) {
        if self.index.last().is_none_or(|(_, last)| position - last >= INDEX_STRIDE_BYTES) {
            self.index.push((offset, position));
        }
    }

    /// Good records from `from` on, up to `max_bytes` of them, at least one if there is one.
    pub(crate) fn read(&self, from: u64, max_bytes: usize) -> Result<Vec<Entry>, JournalError> {
        if self.headless {
            return Ok(Vec::new());
        }
        let near = self.index.partition_point(|(offset, _)| *offset <= from);
        let start =
            near.checked_sub(1).map_or((self.header.first, self.header.size_bytes()), |at| self.index[at]);
        let (mut offset, position) = start;
        let chunk_bytes = max_bytes.saturating_add(INDEX_STRIDE_BYTES as usize).min(CHUNK_BYTES);
        let mut scan = Scan::new(&*self.file, self.header.salt, position..self.size_bytes, chunk_bytes);
        let (mut entries, mut bytes) = (Vec::new(), 0);
        loop {
            match scan.next(offset).map_err(|source| JournalError::io("read", &self.path, source))? {
                Step::End => return Ok(entries),
                Step::Bad => match self.holes.iter().find(|hole| hole.bytes.start == scan.position()) {
                    Some(hole) => {
                        scan.skip_to(hole.bytes.end);
                        offset = hole.offsets.end;
                    }
                    None => return Err(self.damaged(scan.position(), offset)),
                },
                Step::Record { body, .. } => {
                    if offset >= from {
                        bytes += body.len();
                        if bytes > max_bytes && !entries.is_empty() {
                            return Ok(entries);
                        }
                        entries.push(Entry { offset, record: body });
                    }
                    offset += 1;
                }
            }
        }
    }

    pub(crate) fn damaged(&self, position: u64, offset: u64) -> JournalError {
        JournalError::Damaged { segment: Self::name(self.header.first), position, offset }
    }
}

/// A segment that is being written under a name that nobody reads.
pub(crate) struct Staged {
    segment: Segment,
    path: PathBuf,
}

impl Staged {
    pub(crate) fn path(directory: &Path, first: u64) -> PathBuf {
        directory.join(Segment::name(first) + STAGED)
    }

    /// Writes the header, and after it the record bytes `tail` of another segment.
    pub(crate) fn write(
        disk: &dyn Disk,
        directory: &Path,
        header: SegmentHeader,
        tail: Option<(&dyn DiskFile, Range<u64>)>,
    ) -> io::Result<Self> {
        let path = Self::path(directory, header.first);
        let file = disk.create(&path)?;
        append_all(&*file, &mut [IoSlice::new(&header.encode())])?;
        if let Some((from, bytes)) = tail {
            copy(from, bytes, &*file)?;
        }
        Ok(Self { segment: Segment::new(directory.join(Segment::name(header.first)), file, header), path })
    }

    /// Makes the file durable, then its name. Only now may a record in it be acknowledged.
    pub(crate) fn publish(self, disk: &dyn Disk, directory: &Path) -> io::Result<Segment> {
        self.segment.file.sync_data()?;
        disk.rename(&self.path, &self.segment.path)?;
        disk.sync_dir(directory)?;
        Ok(self.segment)
    }
}

fn read_header(file: &dyn DiskFile) -> io::Result<Result<SegmentHeader, HeaderFault>> {
    let size_bytes = file.size_bytes()?;
    let mut fixed = [0; SEGMENT_HEADER_BYTES];
    if size_bytes < fixed.len() as u64 {
        return Ok(Err(HeaderFault::Damaged));
    }
    read_exact_at(file, &mut fixed, 0)?;
    let preamble_bytes = u64::from(SegmentHeader::preamble_bytes(&fixed));
    if preamble_bytes > size_bytes - fixed.len() as u64 {
        return Ok(SegmentHeader::decode(&fixed, Bytes::new()).and(Err(HeaderFault::Damaged)));
    }
    let mut preamble = vec![0; preamble_bytes as usize];
    read_exact_at(file, &mut preamble, fixed.len() as u64)?;
    Ok(SegmentHeader::decode(&fixed, preamble.into()))
}

fn read_exact_at(file: &dyn DiskFile, mut buffer: &mut [u8], mut position: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        let read = file.read_at(buffer, position)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        position += read as u64;
        buffer = &mut buffer[read..];
    }
    Ok(())
}

fn copy(from: &dyn DiskFile, bytes: Range<u64>, to: &dyn DiskFile) -> io::Result<()> {
    let mut position = bytes.start;
    let mut buffer = vec![0; CHUNK_BYTES.min((bytes.end - bytes.start) as usize)];
    while position < bytes.end {
        let count = buffer.len().min((bytes.end - position) as usize);
        read_exact_at(from, &mut buffer[..count], position)?;
        append_all(to, &mut [IoSlice::new(&buffer[..count])])?;
        position += count as u64;
    }
    Ok(())
}
