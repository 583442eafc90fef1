//! The servers over real sockets: by hand-made requests and by real clients.
#![allow(clippy::unwrap_used, missing_docs)]

mod bad_input;
mod clients;
mod metrics;
mod pressure;
mod samples;
mod shippers;
mod support;
mod traces;
mod zipkin;
