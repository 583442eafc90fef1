//! The Narrows agent: collects log records on a host, queues them on disk and
//! forwards them to a collector.
//!
//! Files (`files`) and OTLP (`otlp`) → `queue` → `output`. A line is durable in the queue together with the place
//! behind it in its file, so that it is delivered exactly once; what the queue numbers, the collector recognises.

pub mod config;
mod detect;
mod files;
mod host;
mod metrics;
mod otlp;
mod output;
mod queue;
mod run;
mod status;

pub use run::run;
