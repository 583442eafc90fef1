//! How much room the disk has. Polled, so that a request costs no system call.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::options::PressureLimits;

/// A file system's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// All bytes.
    pub total_bytes: u64,
    /// Bytes that this process may still write.
    pub free_bytes: u64,
}

/// Asks for the space.
pub type FreeSpace = Arc<dyn Fn() -> io::Result<Space> + Send + Sync>;

impl Space {
    /// Whether so little is free that nothing more is accepted.
    pub fn is_low(&self, limits: &PressureLimits) -> bool {
        let share = (self.total_bytes as f64 * limits.min_free_share) as u64;
        self.free_bytes < limits.min_free_bytes.max(share)
    }
}

/// The space of the file system that holds `directory`.
pub fn of_directory(directory: &Path) -> FreeSpace {
    let directory = directory.to_owned();
    Arc::new(move || {
        let stat = rustix::fs::statvfs(&directory)?;
        Ok(Space {
            total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
            free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
        })
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn low_is_below_one_gib_or_two_percent() {
        let limits = PressureLimits {
            lag_bytes: 0,
            journal_bytes: 0,
            head_bytes: 0,
            min_free_bytes: 1 << 30,
            min_free_share: 0.02,
        };
        let low = |total_gib: u64, free_mib: u64| {
            Space { total_bytes: total_gib << 30, free_bytes: free_mib << 20 }.is_low(&limits)
        };
        assert!(low(10, 1023) && !low(10, 1024));
        assert!(low(1000, 19 * 1024) && !low(1000, 21 * 1024));
    }

    #[test]
    fn this_directory_has_space() {
        let space = of_directory(Path::new("."))().unwrap();
        assert!(space.total_bytes > 0 && space.free_bytes <= space.total_bytes);
        assert!(of_directory(Path::new("/no/such/directory"))().is_err());
    }
}
