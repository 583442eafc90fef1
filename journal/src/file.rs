//! The journal on a disk. Hops of an append: [`FileJournal::append`] → queue → `Writer::commit_group` → `Log::commit`
//! (one write, one sync) → reply.

use crate::format::RECORD_HEADER_BYTES;
use crate::log::Log;
use crate::recover::{Recovery, recover};
use crate::view::View;
use crate::writer::{Pending, QUEUE_RECORDS, Writer};
use crate::{Disk, Entry, Journal, JournalError};
use bytes::Bytes;
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// What a new segment shall begin with. Called by the writer when it starts one, after [`OnDurable`] has seen all
/// records of the segments before it.
pub type Preamble = Box<dyn Fn() -> Vec<u8> + Send + Sync>;

/// Told of every record, in order, when it has become durable and before its append returns. Called by the writer:
/// it must be quick.
pub type OnDurable = Box<dyn Fn(&Entry) + Send + Sync>;

/// How a journal is kept.
pub struct Options {
    /// A segment that would grow past this is followed by a new one.
    pub segment_bytes: u64,
    /// The largest record that is accepted, with its header.
    pub max_record_bytes: usize,
    /// What every segment begins with, so that the ones before it can go. Empty if `None`.
    pub preamble: Option<Preamble>,
    /// See [`OnDurable`].
    pub on_durable: Option<OnDurable>,
    /// Goes on past records that were durable and are damaged now, instead of refusing to open.
    pub accept_damage: bool,
    /// No writer thread: the task that appends writes and syncs, too. Concurrent appends of one task still form groups.
    /// Everything then happens in a fixed order, for tests on [`crate::sim::SimDisk`].
    pub inline: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            max_record_bytes: 768 << 10,
            preamble: None,
            on_durable: None,
            accept_damage: false,
            inline: false,
        }
    }
}

/// A journal in segmented files in one directory. The directory must have one owner; the caller sees to that.
///
/// Dropping it waits for the group that is being written.
pub struct FileJournal {
    view: Arc<View>,
    max_record_bytes: usize,
    /// `None` only while dropping: it ends the writer.
    queue: Option<mpsc::Sender<Pending>>,
    driver: Driver,
}

enum Driver {
    Thread(Option<JoinHandle<()>>),
    Inline(Mutex<Writer>),
}

impl FileJournal {
    /// Opens the journal in `directory`, or makes a new one there. Reads every record once. Blocks.
    pub fn open(
        disk: Arc<dyn Disk>,
        directory: PathBuf,
        options: Options,
    ) -> Result<(Self, Recovery), JournalError> {
        let (segments, recovery) = recover(&*disk, &directory, &options)?;
        let newest = segments[segments.len() - 1].clone();
        let view = Arc::new(View::new(disk, directory, segments, recovery.end));
        let (max_record_bytes, inline) = (options.max_record_bytes, options.inline);
        let (queue, pending) = mpsc::channel(QUEUE_RECORDS);
        let writer = Writer::new(Log::new(view.clone(), options, &newest), pending);
        let driver = if inline { Driver::Inline(Mutex::new(writer)) } else { Driver::start(writer, &view)? };
        Ok((Self { view, max_record_bytes, queue: Some(queue), driver }, recovery))
    }

    /// Why the journal accepts nothing more, if that is so.
    pub fn failed(&self) -> Option<JournalError> {
        let ended = self.queue.as_ref().is_none_or(mpsc::Sender::is_closed);
        self.view.check().err().or(ended.then_some(JournalError::Stopped))
    }

    fn is_inline(&self) -> bool {
        matches!(self.driver, Driver::Inline(_))
    }

    /// Runs blocking work off the async threads, or right here if everything shall happen in a fixed order.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&View) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        if self.is_inline() {
            return work(&self.view);
        }
        let view = self.view.clone();
        tokio::task::spawn_blocking(move || work(&view)).await.unwrap_or(Err(JournalError::Stopped))
    }
}

impl Driver {
    fn start(writer: Writer, view: &View) -> Result<Self, JournalError> {
        let thread = std::thread::Builder::new().name("journal".into()).spawn(move || writer.run());
        let thread =
            thread.map_err(|source| JournalError::io("start a writer for", &view.directory, source))?;
        Ok(Self::Thread(Some(thread)))
    }
}

#[async_trait::async_trait]
impl Journal for FileJournal {
    async fn append(&self, record: Bytes) -> Result<u64, JournalError> {
        let size_bytes = record.len() + RECORD_HEADER_BYTES;
        if size_bytes > self.max_record_bytes {
            return Err(JournalError::TooLarge { size_bytes, limit_bytes: self.max_record_bytes });
        }
        let queue = self.queue.as_ref().ok_or(JournalError::Stopped)?;
        let (reply, answer) = oneshot::channel();
        queue.send(Pending { record, reply }).await.map_err(|_| JournalError::Stopped)?;
        if let Driver::Inline(writer) = &self.driver {
            tokio::task::yield_now().await; // lets the task's other appends join the group
            writer.lock().run_queued();
        }
        answer.await.unwrap_or(Err(JournalError::Stopped))
    }

    async fn read(&self, from: u64, max_bytes: usize) -> Result<Vec<Entry>, JournalError> {
        match self.view.read_ring(from, max_bytes) {
            Some(entries) => Ok(entries),
            None => self.blocking(move |view| view.read_files(from, max_bytes)).await,
        }
    }

    async fn wait(&self, offset: u64) {
        self.view.wait(offset).await;
    }

    async fn truncate(&self, before: u64) -> Result<(), JournalError> {
        self.blocking(move |view| view.truncate(before)).await
    }

    fn start(&self) -> u64 {
        self.view.start()
    }

    fn end(&self) -> u64 {
        self.view.end()
    }

    fn size_bytes(&self) -> u64 {
        self.view.size_bytes()
    }
}

impl Drop for FileJournal {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Driver::Thread(thread) = &mut self.driver {
            // A writer that panicked has told every append so by dropping its reply.
            let _panicked = thread.take().map(JoinHandle::join);
        }
    }
}
