//! Partitions and seals: what "accepted" means on disk.
//!
//! [`Store`] accepts batches into journals (`accept`, `divide`, `route`), applies
//! journal records in order to an engine (`engine`, `partition::apply`, `windows`), seals
//! the engine's head into immutable files under one document per partition
//! (`partition::seal`, `partition::version`, `manifest`, `document`), and reads all
//! of it back after a crash (`partition::open`). The engine knows neither journal nor
//! document; nothing here knows HTTP or a query.
//!
//! The rules, each with a test that fails when it is broken: docs/adr/0001-the-commit-contract.md.

mod accept;
mod blobs;
mod derived;
mod divide;
mod document;
mod engine;
mod error;
mod heavy;
mod journals;
mod kind;
mod lock;
mod manifest;
mod options;
mod partition;
mod route;
mod space;
mod store;
mod windows;

pub use blobs::local_blobs;
pub use divide::{ItemLimits, MAX_RECORD_BYTES, Refusal};
pub use document::SealDocument;
pub use engine::{DamagedFile, SealedFile};
pub use error::CommitError;
pub use journals::{FileJournals, Journals};
pub use kind::{Kind, PartitionId};
pub use lock::DirectoryLock;
pub use manifest::{Aside, Manifest, ManifestError};
pub use options::{
    BeforeApply, Clock, PressureLimits, ProducerLimits, RateLimit, RateLimits, SealLimits, SeriesLimits,
    StoreOptions, system_now_ns,
};
pub use partition::{PartitionStats, ProducerStats};
pub use space::{FreeSpace, Space, of_directory as free_space_of};
pub use store::{BarrierReport, Health, Store, StoreStats, TenantStats};
pub use windows::{Window, WindowKey, Windows};
