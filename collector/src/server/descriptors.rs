//! The process's open files, shared out: a connection that takes the last one would
//! make the journal fail, and with it all ingest.

use rustix::process::{Resource, Rlimit};

/// What journals, sealed files, the document store and the process itself get.
const STORAGE: usize = 256;
/// And for each partition: its journal's segments, files of a seal, files of a merge.
const PARTITION: usize = 8;
/// What each port gets however few there are.
const FEWEST: usize = 16;

/// Raises our limit of open files to what we may have; answers it, `None` where there is none.
pub(super) fn raise_limit() -> Option<u64> {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    if raised.current == limit.current {
        return limit.current;
    }
    match rustix::process::setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised.current,
        Err(error) => {
            tracing::warn!(%error, limit = limit.current, "cannot raise the limit of open files");
            limit.current
        }
    }
}

/// How many connections each of the two ports may have open: those that are `wanted`, or fewer if `limit`
/// leaves too little for the storage of so many partitions.
pub(super) fn connections(limit: Option<u64>, wanted: usize, partitions: u16) -> usize {
    let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) else { return wanted };
    let storage = STORAGE + PARTITION * usize::from(partitions);
    let share = limit.saturating_sub(storage) / 2;
    if share >= wanted {
        return wanted;
    }
    let connections = share.max(FEWEST).min(wanted);
    tracing::warn!(limit, connections, wanted, "the limit of open files leaves each port fewer connections");
    connections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storage_comes_first() {
        assert_eq!(connections(None, 1024, 1), 1024);
        assert_eq!(connections(Some(20_000), 1024, 1), 1024);
        assert_eq!(connections(Some(20_000), 3, 1), 3);
        assert_eq!(connections(Some(1024), 1024, 1), (1024 - 256 - 8) / 2);
        assert_eq!(connections(Some(1024), 1024, 64), (1024 - 256 - 512) / 2);
        assert_eq!(connections(Some(64), 1024, 1), FEWEST);
        assert_eq!(connections(Some(64), 4, 1), 4);
    }

    #[test]
    fn the_limit_is_the_highest_we_may_have() {
        let raised = raise_limit();
        let limit = rustix::process::getrlimit(Resource::Nofile);
        assert_eq!((raised, limit.current), (limit.maximum, limit.maximum));
    }
}
