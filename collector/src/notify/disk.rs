//! The durable side: a journal of changes and a file of the state, in `DATA/notify/`. The state is written when the
//! journal has grown, and the journal is cut behind it; a start reads the state and replays what came after.
//! Layout: docs/format/notify.md.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alerting::state::{Change, State, decode_change, decode_state, encode_change};
use bytes::Bytes;
use journal::{Disk, Entry, FileJournal, Journal, JournalError, Options, append_all, create_dir_synced};

use super::error::NotifyError;

/// What the state's file begins with.
const MAGIC: &[u8; 8] = b"NRWNOTIF";
/// Magic and checksum.
const HEADER_BYTES: usize = 12;
const NAME: &str = "state";
const NEW_NAME: &str = "state.new";
const SEGMENT_BYTES: u64 = 4 << 20;
/// The state is written when the journal is so large: a start replays no more than that and one segment.
const JOURNAL_BYTES: u64 = 16 << 20;
/// A group of 100,000 alerts in one entry, or a post's worth of alerts.
const MAX_RECORD_BYTES: usize = 8 << 20;
/// How much is read at once in a replay.
const READ_BYTES: usize = 1 << 20;

/// Told of every change when it is durable, in order, with its offset.
pub(super) type OnChange = Box<dyn Fn(u64, &[u8]) + Send + Sync>;

pub(super) struct NotifyDisk {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    journal: FileJournal,
}

/// How it is opened.
pub(super) struct DiskOptions {
    pub(super) accept_damage: bool,
    /// See [`journal::Options::inline`].
    pub(super) inline: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    pub(super) tenants: BTreeMap<String, State>,
    /// The offset of the first change that is not in them.
    pub(super) offset: u64,
}

impl NotifyDisk {
    /// Opens `directory`, or makes it, and reads everything in it. Blocks, but for the replay.
    pub(super) async fn open(
        disk: Arc<dyn Disk>,
        directory: &Path,
        options: DiskOptions,
        on_change: OnChange,
    ) -> Result<(Self, Replayed), NotifyError> {
        let failed = |source| NotifyError::State { attempt: "create", path: directory.to_owned(), source };
        create_dir_synced(&*disk, directory).map_err(failed)?;
        let mut replayed = read_state(&*disk, &directory.join(NAME), options.accept_damage)?;
        let journal_options = Options {
            segment_bytes: SEGMENT_BYTES,
            max_record_bytes: MAX_RECORD_BYTES,
            accept_damage: options.accept_damage,
            inline: options.inline,
            on_durable: Some(Box::new(move |entry: &Entry| on_change(entry.offset, &entry.record))),
            ..Options::default()
        };
        let (journal, recovery) =
            FileJournal::open(Arc::clone(&disk), directory.join("journal"), journal_options)?;
        for damage in &recovery.damage {
            tracing::error!(?damage, "alerts, silences or notes of notifications are lost");
        }
        let this = Self { disk, directory: directory.to_owned(), journal };
        this.replay(&mut replayed, options.accept_damage).await?;
        Ok((this, replayed))
    }

    async fn replay(&self, replayed: &mut Replayed, accept_damage: bool) -> Result<(), NotifyError> {
        replayed.offset = replayed.offset.max(self.journal.start());
        loop {
            let entries = self.journal.read(replayed.offset, READ_BYTES).await?;
            let Some(last) = entries.last() else { return Ok(()) };
            let next = last.offset + 1;
            for Entry { offset, record } in entries {
                match decode_change(&record) {
                    Ok((tenant, change)) => {
                        replayed.tenants.entry(tenant).or_default().apply(change);
                    }
                    Err(source) if accept_damage => {
                        tracing::error!(offset, error = %source, "a change of notifications is left out");
                    }
                    Err(source) => return Err(NotifyError::Record { offset, source }),
                }
            }
            replayed.offset = next;
        }
    }

    /// Returns when the change is durable and `OnChange` has seen it.
    pub(super) async fn append(&self, tenant: &str, change: &Change) -> Result<(), JournalError> {
        let record = Bytes::from(encode_change(tenant, change));
        self.journal.append(record).await.map(drop)
    }

    /// Whether the state should be written.
    pub(super) fn has_grown(&self) -> bool {
        self.journal.size_bytes() > JOURNAL_BYTES
    }

    /// Whether anything was written that is not in a state up to `offset`.
    pub(super) fn failed(&self) -> Option<JournalError> {
        self.journal.failed()
    }

    /// Writes the state with all changes below `offset` applied, and cuts the journal. Blocks, but for the cut.
    pub(super) async fn write_state(&self, bytes: Vec<u8>, offset: u64) -> Result<(), NotifyError> {
        let (disk, directory) = (Arc::clone(&self.disk), self.directory.clone());
        let write = move || write_state(&*disk, &directory, &bytes);
        let written = tokio::task::spawn_blocking(write).await;
        let written = written.unwrap_or_else(|_| Err(io::Error::other("the task that writes it is gone")));
        let path = self.directory.join(NAME);
        written.map_err(|source| NotifyError::State { attempt: "write", path, source })?;
        Ok(self.journal.truncate(offset).await?)
    }
}

/// A new file, synced, in place of the old one.
fn write_state(disk: &dyn Disk, directory: &Path, body: &[u8]) -> io::Result<()> {
    let (new, path) = (directory.join(NEW_NAME), directory.join(NAME));
    match disk.remove(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = disk.create(&new)?;
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(MAGIC);
    header[8..].copy_from_slice(&crc32c::crc32c(body).to_le_bytes());
    append_all(&*file, &mut [IoSlice::new(&header), IoSlice::new(body)])?;
    file.sync_data()?;
    disk.rename(&new, &path)?;
    disk.sync_dir(directory)
}

/// Nothing where there is no file. One that is damaged ends the start, unless that was accepted by name.
fn read_state(disk: &dyn Disk, path: &Path, accept_damage: bool) -> Result<Replayed, NotifyError> {
    let failed = |source| NotifyError::State { attempt: "read", path: path.to_owned(), source };
    let bytes = match disk.open(path).and_then(|file| read_whole(&*file)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Replayed::default()),
        Err(error) => return Err(failed(error)),
    };
    match parse_state(&bytes) {
        Ok((offset, tenants)) => Ok(Replayed { tenants, offset }),
        Err(why) if accept_damage => {
            tracing::error!(path = %path.display(), why, "alerts and silences are lost: their file is damaged");
            Ok(Replayed::default())
        }
        Err(why) => Err(NotifyError::Damaged { path: path.to_owned(), why }),
    }
}

fn parse_state(bytes: &[u8]) -> Result<(u64, BTreeMap<String, State>), String> {
    let (header, body) = bytes.split_at_checked(HEADER_BYTES).ok_or("it is cut short")?;
    if &header[..8] != MAGIC {
        return Err("it begins with something else".to_owned());
    }
    if header[8..] != crc32c::crc32c(body).to_le_bytes() {
        return Err("its checksum is wrong".to_owned());
    }
    decode_state(body).map_err(|error| error.to_string())
}

fn read_whole(file: &dyn journal::DiskFile) -> io::Result<Vec<u8>> {
    let size_bytes = usize::try_from(file.size_bytes()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; size_bytes];
    let mut read = 0;
    while read < size_bytes {
        match file.read_at(&mut bytes[read..], read as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => read += more,
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
