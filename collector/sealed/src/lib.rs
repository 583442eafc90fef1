//! What both engines do with immutable files in a blob store, whatever is in the files:
//! [`Upload`] puts one there while it is written, [`Cache`] keeps what was read of them.

mod cache;
mod upload;

pub use cache::{Cache, CacheKey};
pub use upload::{PART_BYTES, Upload, UploadError};
