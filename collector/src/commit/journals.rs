//! Opening the journals by name, whatever they stand on.

use std::path::PathBuf;
use std::sync::Arc;

use journal::{Disk, FileJournal, Journal, JournalError, Options};

/// Makes and opens journals, each with its partition's name: `logs-0`.
pub trait Journals: Send + Sync {
    /// Opens a journal, or makes an empty one. May block.
    fn open(&self, name: &str) -> Result<Arc<dyn Journal>, JournalError>;

    /// The names of those that exist.
    fn existing(&self) -> Result<Vec<String>, JournalError>;
}

/// Journals in files: a directory with one directory each.
pub struct FileJournals {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    accept_damage: bool,
    inline: bool,
    segment_bytes: u64,
}

impl FileJournals {
    /// Journals under `directory`.
    pub fn new(disk: Arc<dyn Disk>, directory: PathBuf) -> Self {
        let segment_bytes = Options::default().segment_bytes;
        Self { disk, directory, accept_damage: false, inline: false, segment_bytes }
    }

    /// Goes on past damaged records; see [`Options::accept_damage`].
    pub fn accept_damage(self, accept_damage: bool) -> Self {
        Self { accept_damage, ..self }
    }

    /// No threads, for tests on a simulated disk; see [`Options::inline`].
    pub fn inline(self, segment_bytes: u64) -> Self {
        Self { inline: true, segment_bytes, ..self }
    }
}

impl Journals for FileJournals {
    fn open(&self, name: &str) -> Result<Arc<dyn Journal>, JournalError> {
        let options = Options {
            accept_damage: self.accept_damage,
            inline: self.inline,
            segment_bytes: self.segment_bytes,
            max_record_bytes: super::divide::MAX_RECORD_BYTES,
            ..Options::default()
        };
        let (journal, recovery) =
            FileJournal::open(Arc::clone(&self.disk), self.directory.join(name), options)?;
        if recovery.torn_bytes > 0 {
            tracing::warn!(
                journal = name,
                torn_bytes = recovery.torn_bytes,
                "a crash had left the journal's end half written; it was cut, nothing acknowledged is lost"
            );
        }
        for damage in &recovery.damage {
            tracing::error!(journal = name, ?damage, "records of the journal are lost");
        }
        Ok(Arc::new(journal))
    }

    fn existing(&self) -> Result<Vec<String>, JournalError> {
        match self.disk.list(&self.directory) {
            Ok(names) => Ok(names),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(JournalError::Io {
                attempt: "list",
                path: self.directory.clone(),
                source: Arc::new(error),
            }),
        }
    }
}
