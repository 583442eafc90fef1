//! The Narrows agent: collects log records and metrics on a host, queues them on disk and
//! forwards them to a collector.
//!
//! Files, standard input, journald, syslog (`sources`), the host itself (`host`), its servers (`integrations`), targets (`scrape`) and OTLP (`otlp`) → `process` → `queue` → `output`. A line is durable in the queue together with the place
//! behind it in its file, so that it is delivered exactly once; what the queue numbers, the collector recognises.

mod batch;
pub mod config;
mod draft;
mod feed;
mod files;
mod host;
mod integrations;
mod journald;
mod lines;
mod metrics;
mod otlp;
mod output;
mod process;
mod queue;
mod report;
mod run;
mod scrape;
mod sources;
mod status;
mod stdin;
mod syslog;
mod test_pipeline;
mod tls;

pub use run::{Signals, run};
pub use scrape::check_metrics;
pub use test_pipeline::test_pipeline;
