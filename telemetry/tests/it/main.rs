//! Everything of this crate that is tested from outside.
#![allow(clippy::unwrap_used, missing_docs)]

mod conformance;
mod conformance_traces;
mod exposition;
mod roundtrip;
mod spans;
