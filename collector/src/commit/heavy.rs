//! Work that takes too long for an async thread.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs `work` where it does not hold up other tasks. On a runtime with one thread, which tests
/// use because everything there happens in a fixed order, it runs in place.
pub(super) fn heavy<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
