//! Scraping, as Prometheus does.

pub(crate) mod job;
pub(crate) mod relabel;
pub(crate) mod wildcard;
