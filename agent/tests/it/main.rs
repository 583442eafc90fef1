//! Drives the real program on ports of its own choice, with a collector that
//! recognises what it has seen, as the real one does.
#![allow(clippy::unwrap_used)]

mod agent;
#[path = "../../../collector/tests/app/certs.rs"]
mod certs;
mod collector;
mod kill;
mod program;
mod programs;
mod scrape;
mod sources;
mod tls;
