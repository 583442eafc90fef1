//! What to do about a cause, in words.

use crate::CauseKind;

/// The next steps, the first one first.
pub(super) fn of(kind: CauseKind, subkind: Option<&str>) -> Vec<String> {
    let texts: &[&str] = match (kind, subkind) {
        (CauseKind::CpuSaturation, _) => &[
            "Profile the service's CPU in an exemplar's time",
            "Add instances, or CPUs, until the work per request is back",
        ],
        (CauseKind::CpuThrottling, _) => {
            &["Raise the CPU quota of the container", "Undo the change of the quota, if there was one"]
        }
        (CauseKind::NoisyNeighbour, _) => &[
            "Stop the process, or move it to another host",
            "Give the service CPUs of its own, or the process a quota",
        ],
        (CauseKind::MemoryPressure, _) => &[
            "Raise the memory limit, or stop what uses the memory",
            "Look at swap and major page faults of the host",
        ],
        (CauseKind::MemoryLeak, _) => &[
            "Restart the service to win time",
            "Compare heap profiles before and after; look at what was deployed last",
        ],
        (CauseKind::GcPressure, _) => {
            &["Raise the heap, or look for what allocates", "Compare allocation profiles of before and since"]
        }
        (CauseKind::DiskSaturation, _) => &[
            "Find the process that reads or writes most",
            "Move it, limit it, or give the server a faster disk",
        ],
        (CauseKind::DiskFull, _) => {
            &["Free space on the file system", "Look at what grew since: logs, WAL, temporary files"]
        }
        (CauseKind::NetworkLatency, Some("host")) => {
            &["Look at the host's network: interface, route, neighbours", "Move the service to another host"]
        }
        (CauseKind::NetworkLatency, _) => &[
            "Look at what lies between the two: proxy, balancer, route, DNS, TLS",
            "Measure the round trip from host to host",
        ],
        (CauseKind::PacketLoss, Some("bandwidth")) => &[
            "Find what sends most through the interface",
            "Raise the bandwidth, or send less: compress, page",
        ],
        (CauseKind::PacketLoss, _) => {
            &["Look at errors and drops of the interfaces on the way", "Move the service to another host"]
        }
        (CauseKind::PoolExhaustion, _) => &[
            "Raise the pool's size, as far as the server takes it",
            "Look for connections that are held long or never given back",
        ],
        (CauseKind::LockContention, _) => &[
            "Look at what the program locks on this path, and how long",
            "Take calls and slow work out of the locked part",
        ],
        (CauseKind::DbLock, _) => &[
            "Find the blocking session (pg_blocking_pids) and end it",
            "Make the transaction shorter; lock rows in one order",
        ],
        (CauseKind::SlowStatement, Some("missing_index")) => {
            &["EXPLAIN (ANALYZE, BUFFERS) the statement", "Create the index that the condition needs"]
        }
        (CauseKind::SlowStatement, _) => &[
            "EXPLAIN (ANALYZE, BUFFERS) the statement",
            "ANALYZE its tables; look at its plan before and since",
        ],
        (CauseKind::NPlusOne, _) => &[
            "Read all rows with one statement, or in batches",
            "Undo the flag or the change that brought the loop",
        ],
        (CauseKind::RetryStorm, _) => {
            &["Retry with growing pauses and a budget", "Look at why the calls fail in the first place"]
        }
        (CauseKind::CacheMissStorm, _) => &[
            "Look at evictions, flushes and times to live of the cache",
            "Let one request fill a key while others wait",
        ],
        (CauseKind::QueueBacklog, Some("no_consumer")) => &[
            "Start what takes messages from the queue; look into its log for why it left",
            "Look whether the queue has room until then",
        ],
        (CauseKind::QueueBacklog, _) => {
            &["Add consumers", "Look at what each message waits for in the consumer"]
        }
        (CauseKind::BadDeploy, _) => &["Go back to the version before", "Compare exemplars of both versions"],
        (CauseKind::TrafficSurge, _) => {
            &["Add capacity at the narrow resource", "Limit the rate at the edge until it is there"]
        }
        (CauseKind::DependencyDown, _) => {
            &["Look whether the dependency runs and its port answers", "Answer without it, or fail fast"]
        }
        (CauseKind::DependencySlow, Some("timeout")) => &[
            "Look at the dependency; its calls end by a timeout",
            "Lower the timeout, and answer without it",
        ],
        (CauseKind::DependencySlow, _) => {
            &["Look at the dependency's own figures at this time", "Set a timeout, and answer without it"]
        }
        (CauseKind::HotKey, _) => {
            &["Look at what this key holds that others do not", "Limit it, cache it, or split it"]
        }
        (CauseKind::Unexplained, _) => {
            &["Compare a slow exemplar with a fast one", "Profile the service in the time of the symptom"]
        }
    };
    texts.iter().map(|text| (*text).to_owned()).collect()
}
