//! The caps on what is counted.

/// Every cap. What is over one is counted under `__other__`, or in a series that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Tenants; the spans of others are counted as not derived.
    pub max_tenants: usize,
    /// Services of a tenant.
    pub max_services: usize,
    /// Operations of a service.
    pub max_operations: usize,
    /// Peers of a service, of each type.
    pub max_peers: usize,
    /// Operations by kind and status, and edges, of all tenants together.
    pub max_subjects: usize,
    /// Longest name of a service, an operation, a peer.
    pub max_name_bytes: usize,
    /// Spans that wait for their other half; each takes about 30 to 55 bytes.
    pub max_waiting: usize,
    /// What the last 15 minutes may take; the oldest are given up before.
    pub max_window_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_tenants: 1000,
            max_services: 1000,
            max_operations: 200,
            max_peers: 100,
            max_subjects: 200_000,
            max_name_bytes: 200,
            max_waiting: 2_500_000,
            max_window_bytes: 96 << 20,
        }
    }
}
