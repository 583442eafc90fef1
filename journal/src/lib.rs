//! The durable ordered record. The collector's journal and the agent's disk queue are this one thing: a record is
//! bytes, its offset is a number that grows by one, and an append that returns has been synced.
//!
//! [`Journal`] is the seam. [`FileJournal`] keeps segmented files on a [`Disk`]; [`MemoryJournal`] is the second
//! implementation, which behaves like a stream on a server and exists for tests. [`sim::SimDisk`] is a disk that forgets.
//! Every byte on disk is described in `docs/format/journal.md`. This crate knows no signal, tenant or protocol.

mod disk;
mod error;
mod file;
mod format;
mod journal;
mod log;
mod memory;
mod recover;
mod scan;
mod segment;
pub mod sim;
mod view;
mod writer;

pub use disk::{Disk, DiskFile, OsDisk, append_all, create_dir_synced, is_full};
pub use error::JournalError;
pub use file::{FileJournal, OnDurable, Options, Preamble};
pub use journal::{Entry, Journal};
pub use memory::{MEMORY_RECORD_BYTES, MemoryJournal};
pub use recover::{Damage, Recovery};
