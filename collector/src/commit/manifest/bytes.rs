//! The manifest's bytes, as docs/format/manifest.md lays them out. Little-endian;
//! a CRC32C over everything before it stands last.

use std::sync::Arc;

use bytes::Bytes;
use events::SplitRef;
use series::SegmentRef;
use telemetry::TenantId;

use super::{Aside, Manifest};
use crate::commit::engine::SealedFile;
use crate::commit::kind::{Kind, PartitionId};
use crate::commit::windows::{WORDS, Window, WindowKey, Windows};

const MAGIC: &[u8; 8] = b"NARROWSM";
const VERSION: u8 = 1;

/// In place of a number of words: all bits are set up to the highest seq, which is so in nearly every window.
const BITS_FULL: u8 = 0;

/// Why bytes are no manifest.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not begun by a manifest's first bytes.
    #[error("no manifest: it does not begin with NARROWSM")]
    Magic,
    /// Written by a newer program.
    #[error("manifest of version {0}, this build knows 1: run the newer build")]
    Version(u8),
    /// The checksum does not fit.
    #[error("the checksum does not fit: the manifest is damaged")]
    Checksum,
    /// It ends early or holds something that no writer writes.
    #[error("malformed at byte {0}")]
    Malformed(usize),
}

pub(super) fn encode(manifest: &Manifest) -> Bytes {
    // The state is nearly all of it: it is copied once, into room that is there.
    let size_bytes = 256 + manifest.files.len() * 200 + manifest.windows.windows.len() * 128;
    let mut out = Vec::with_capacity(size_bytes + manifest.state.len());
    out.extend(MAGIC);
    out.extend([VERSION, manifest.partition.kind.signal() as u8]);
    out.extend(manifest.partition.number.to_le_bytes());
    out.extend(manifest.epoch.to_le_bytes());
    out.extend(manifest.sealed_offset.to_le_bytes());
    out.extend(manifest.windows.newest_ns.to_le_bytes());
    out.extend(manifest.windows.clock_ns.to_le_bytes());
    out.extend(manifest.duplicates.to_le_bytes());
    out.extend(manifest.aside_total.to_le_bytes());
    put_files(&mut out, &manifest.files);
    put_windows(&mut out, &manifest.windows);
    put_aside(&mut out, &manifest.aside);
    // Logs have no state: the length is 0.
    out.extend((manifest.state.len() as u32).to_le_bytes());
    out.extend(&manifest.state);
    let checksum = crc32c::crc32c(&out);
    out.extend(checksum.to_le_bytes());
    Bytes::from(out)
}

fn put_files(out: &mut Vec<u8>, files: &[SealedFile]) {
    out.extend((files.len() as u32).to_le_bytes());
    for file in files {
        put_text(out, file.name());
        put_text(out, file.tenant());
        match file {
            SealedFile::Split(file) => put_split(out, file),
            SealedFile::Segment(file) => put_segment(out, file),
        }
    }
}

fn put_split(out: &mut Vec<u8>, file: &SplitRef) {
    out.extend(file.rows.to_le_bytes());
    out.extend(file.size_bytes.to_le_bytes());
    out.extend(file.min_time_ns.to_le_bytes());
    out.extend(file.max_time_ns.to_le_bytes());
    out.extend(file.min_seq.to_le_bytes());
    out.extend(file.max_seq.to_le_bytes());
    out.extend([file.format, u8::from(file.indexed)]);
}

fn put_segment(out: &mut Vec<u8>, file: &SegmentRef) {
    let SegmentRef { series, rows, size_bytes, min_time_ms, max_time_ms, min_offset, max_offset, .. } = file;
    for number in [
        *series,
        *rows,
        *size_bytes,
        *min_time_ms as u64,
        *max_time_ms as u64,
        *min_offset,
        *max_offset,
        file.clean_offset,
    ] {
        out.extend(number.to_le_bytes());
    }
    out.push(file.format);
}

fn put_windows(out: &mut Vec<u8>, windows: &Windows) {
    out.extend((windows.windows.len() as u32).to_le_bytes());
    for (key, window) in &windows.windows {
        put_text(out, key.tenant.as_str());
        put_text(out, &key.producer);
        let (received_at, used) = (window.last_received_at_ns as u64, window.used_ns as u64);
        for number in [key.epoch, window.highest, received_at, used, window.run] {
            out.extend(number.to_le_bytes());
        }
        out.push(u8::from(window.previous_run.is_some()));
        out.extend(window.previous_run.unwrap_or(0).to_le_bytes());
        out.extend(window.returns.to_le_bytes());
        if is_full(window) {
            out.push(BITS_FULL);
        } else {
            out.push(window.bits.len() as u8);
            window.bits.iter().for_each(|word| out.extend(word.to_le_bytes()));
        }
    }
}

/// Whether every seq from 1 (or the window's lowest) to the highest was applied.
fn is_full(window: &Window) -> bool {
    (window.lowest()..=window.highest).all(|seq| window.is_applied(seq))
}

fn put_aside(out: &mut Vec<u8>, aside: &[Aside]) {
    out.extend((aside.len() as u32).to_le_bytes());
    for record in aside {
        out.extend(record.offset.to_le_bytes());
        put_text(out, &record.reason);
    }
}

/// A length of two bytes and the text; what is longer is cut at a character.
fn put_text(out: &mut Vec<u8>, text: &str) {
    let text = &text[..text.floor_char_boundary(usize::from(u16::MAX))];
    out.extend((text.len() as u16).to_le_bytes());
    out.extend(text.as_bytes());
}

pub(super) fn decode(raw: &[u8]) -> Result<Manifest, ManifestError> {
    if !raw.starts_with(MAGIC) {
        return Err(ManifestError::Magic);
    }
    match raw.get(8) {
        Some(&VERSION) => {}
        Some(&version) => return Err(ManifestError::Version(version)),
        None => return Err(ManifestError::Malformed(8)),
    }
    let Some((body, checksum)) = raw.split_last_chunk::<4>() else { return Err(ManifestError::Checksum) };
    if crc32c::crc32c(body) != u32::from_le_bytes(*checksum) {
        return Err(ManifestError::Checksum);
    }
    let mut reader = Reader { bytes: body, at: 9 };
    let manifest = reader.manifest()?;
    if reader.at != body.len() {
        return Err(ManifestError::Malformed(reader.at));
    }
    Ok(manifest)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

type Read<T> = Result<T, ManifestError>;

impl<'a> Reader<'a> {
    fn manifest(&mut self) -> Read<Manifest> {
        let [signal] = self.array()?;
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.signal() as u8 == signal) else {
            return self.malformed();
        };
        let number = u16::from_le_bytes(self.array()?);
        let mut manifest = Manifest::empty(PartitionId { kind, number });
        manifest.epoch = self.u64()?;
        manifest.sealed_offset = self.u64()?;
        let (newest_ns, clock_ns) = (self.i64()?, self.i64()?);
        manifest.duplicates = self.u64()?;
        manifest.aside_total = self.u64()?;
        manifest.files = match kind {
            Kind::Logs | Kind::Spans => self.many(|reader| reader.split().map(SealedFile::Split))?,
            Kind::Samples => self.many(|reader| reader.segment().map(SealedFile::Segment))?,
        };
        let windows = self.many(Self::window)?;
        manifest.windows = Windows { clock_ns, newest_ns, windows: windows.into_iter().collect() };
        manifest.aside =
            self.many(|reader| Ok(Aside { offset: reader.u64()?, reason: reader.text()?.to_owned() }))?;
        let state_bytes = self.u32()?;
        manifest.state = Bytes::copy_from_slice(self.take(state_bytes as usize)?);
        Ok(manifest)
    }

    fn split(&mut self) -> Read<SplitRef> {
        Ok(SplitRef {
            name: self.text()?.to_owned(),
            tenant: self.text()?.to_owned(),
            rows: self.u64()?,
            size_bytes: self.u64()?,
            min_time_ns: self.i64()?,
            max_time_ns: self.i64()?,
            min_seq: self.u64()?,
            max_seq: self.u64()?,
            format: self.array::<1>()?[0],
            indexed: self.array::<1>()? == [1],
        })
    }

    fn segment(&mut self) -> Read<SegmentRef> {
        Ok(SegmentRef {
            name: self.text()?.to_owned(),
            tenant: self.text()?.to_owned(),
            series: self.u64()?,
            rows: self.u64()?,
            size_bytes: self.u64()?,
            min_time_ms: self.i64()?,
            max_time_ms: self.i64()?,
            min_offset: self.u64()?,
            max_offset: self.u64()?,
            clean_offset: self.u64()?,
            format: self.array::<1>()?[0],
        })
    }

    fn window(&mut self) -> Read<(WindowKey, Window)> {
        let (tenant, producer) = (self.tenant()?, Arc::from(self.text()?));
        let key = WindowKey { tenant, producer, epoch: self.u64()? };
        let (highest, last_received_at_ns, used_ns) = (self.u64()?, self.i64()?, self.i64()?);
        let run = self.u64()?;
        let (has_previous, previous) = (self.array::<1>()? == [1], self.u64()?);
        let returns = u32::from_le_bytes(self.array()?);
        let previous_run = has_previous.then_some(previous);
        let mut window = Window::empty(highest, last_received_at_ns, run);
        (window.previous_run, window.returns, window.used_ns) = (previous_run, returns, used_ns);
        match self.array::<1>()? {
            [BITS_FULL] => (window.lowest()..=highest).for_each(|seq| window.set(seq)),
            [words] if usize::from(words) <= WORDS => {
                window.bits = (0..words).map(|_| self.u64()).collect::<Read<_>>()?;
                window.trim();
                if !window.is_applied(highest) || is_full(&window) {
                    return self.malformed();
                }
            }
            _ => return self.malformed(),
        }
        Ok((key, window))
    }

    fn many<T>(&mut self, read: impl Fn(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let count = self.u32()?;
        // No capacity by a count that the bytes may not hold.
        (0..count).map(|_| read(self)).collect()
    }

    fn tenant(&mut self) -> Read<TenantId> {
        let at = self.at;
        TenantId::new(self.text()?).map_err(|_| ManifestError::Malformed(at))
    }

    fn text(&mut self) -> Read<&'a str> {
        let at = self.at;
        let len = usize::from(u16::from_le_bytes(self.array()?));
        std::str::from_utf8(self.take(len)?).map_err(|_| ManifestError::Malformed(at))
    }

    fn u32(&mut self) -> Read<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Read<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Read<i64> {
        self.array().map(i64::from_le_bytes)
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let at = self.at;
        self.take(N)?.try_into().map_err(|_| ManifestError::Malformed(at))
    }

    fn take(&mut self, len: usize) -> Read<&'a [u8]> {
        let end = self.at.checked_add(len).ok_or(ManifestError::Malformed(self.at))?;
        let taken = self.bytes.get(self.at..end).ok_or(ManifestError::Malformed(self.at))?;
        self.at = end;
        Ok(taken)
    }

    fn malformed<T>(&self) -> Read<T> {
        Err(ManifestError::Malformed(self.at))
    }
}
