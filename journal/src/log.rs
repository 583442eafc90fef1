//! The writer's half of a journal: appends groups of records to the newest segment and syncs them. One thread at a
//! time; what it has made durable it shows to readers through the [`View`].

use crate::format::{RECORD_HEADER_BYTES, RecordHeader, SegmentHeader};
use crate::segment::{Segment, Staged};
use crate::view::View;
use crate::{DiskFile, Entry, JournalError, Options, append_all, is_full};
use bytes::Bytes;
use std::io::{self, IoSlice};
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) struct Log {
    view: Arc<View>,
    options: Options,
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    salt: u32,
    first: u64,
    /// The offset that the next record gets. Everything below it is durable between two commits.
    next: u64,
    size_bytes: u64,
}

impl Log {
    /// Goes on at the end of `tail`, which is the newest segment of the view and durable as a whole.
    pub(crate) fn new(view: Arc<View>, options: Options, tail: &Segment) -> Self {
        Self {
            file: tail.file.clone(),
            path: tail.path.clone(),
            salt: tail.header.salt,
            first: tail.header.first,
            next: tail.end,
            size_bytes: tail.size_bytes,
            view,
            options,
        }
    }

    /// Appends a group and syncs it. When this returns the first offset, all of it is durable; otherwise none of it is
    /// shown to readers.
    pub(crate) fn commit(&mut self, bodies: &[Bytes]) -> Result<u64, JournalError> {
        self.view.check()?;
        let group_bytes: usize = bodies.iter().map(|body| RECORD_HEADER_BYTES + body.len()).sum();
        if self.next > self.first && self.size_bytes + group_bytes as u64 > self.options.segment_bytes {
            self.roll()?;
        }
        if let Err(source) = self.write(bodies) {
            return Err(self.cut_back(source));
        }
        self.file.sync_data().map_err(|source| self.view.fail("sync", &self.path, source))?;
        Ok(self.publish(bodies))
    }

    fn write(&self, bodies: &[Bytes]) -> io::Result<()> {
        let headers: Vec<_> = (self.next..)
            .zip(bodies)
            .map(|(offset, body)| RecordHeader::new(offset, self.next, body).encode(self.salt))
            .collect();
        let mut parts: Vec<_> = headers
            .iter()
            .zip(bodies)
            .flat_map(|(header, body)| [IoSlice::new(header), IoSlice::new(body)])
            .collect();
        append_all(&*self.file, &mut parts)
    }

    fn publish(&mut self, bodies: &[Bytes]) -> u64 {
        let first = self.next;
        let mut positions = Vec::with_capacity(bodies.len());
        for body in bodies {
            positions.push(self.size_bytes);
            self.size_bytes += (RECORD_HEADER_BYTES + body.len()) as u64;
        }
        self.next += bodies.len() as u64;
        if let Some(on_durable) = &self.options.on_durable {
            (first..)
                .zip(bodies)
                .for_each(|(offset, body)| on_durable(&Entry { offset, record: body.clone() }));
        }
        self.view.publish(first, bodies, &positions, self.size_bytes);
        first
    }

    /// After a failed write: removes what was written of the group, if the failure was a full disk. The cut is synced,
    /// so that no crash brings back a record that was refused; if that fails too, the journal stops.
    fn cut_back(&self, source: io::Error) -> JournalError {
        if !is_full(&source) {
            return self.view.fail("write", &self.path, source);
        }
        match self.file.truncate(self.size_bytes).and_then(|()| self.file.sync_data()) {
            Ok(()) => JournalError::Full { path: self.path.clone(), source: Arc::new(source) },
            Err(source) => self.view.fail("cut back", &self.path, source),
        }
    }

    /// Starts a new segment. All records of the old one are durable, so the new one's first offset marks them as such.
    fn roll(&mut self) -> Result<(), JournalError> {
        let preamble = self.options.preamble.as_ref().map_or_else(Vec::new, |preamble| preamble());
        let header = SegmentHeader {
            salt: rand::random(),
            first: self.next,
            durable: self.next,
            preamble: preamble.into(),
        };
        let (disk, directory) = (&*self.view.disk, &self.view.directory);
        let staged = Staged::write(disk, directory, header, None).map_err(|source| self.unstage(source))?;
        let segment = staged
            .publish(disk, directory)
            .map_err(|source| self.view.fail("start a segment in", directory, source))?;
        self.view.push_segment(segment.clone());
        (self.file, self.path) = (segment.file, segment.path);
        (self.salt, self.first, self.size_bytes) =
            (segment.header.salt, self.next, segment.header.size_bytes());
        Ok(())
    }

    /// A full disk while a segment was being prepared harms nothing, if the unfinished file can be removed.
    fn unstage(&self, source: io::Error) -> JournalError {
        let path = Staged::path(&self.view.directory, self.next);
        if !is_full(&source) {
            return self.view.fail("write", &path, source);
        }
        match self.view.disk.remove(&path) {
            Ok(()) => JournalError::Full { path, source: Arc::new(source) },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                JournalError::Full { path, source: Arc::new(source) }
            }
            Err(error) => self.view.fail("remove", &path, error),
        }
    }
}
