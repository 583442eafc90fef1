//! What the crate promises, from outside.
#![allow(clippy::unwrap_used, missing_docs)]

mod conformance;
mod limits;
mod messages;
mod promqltest;
mod roundtrip;
mod semantics;
mod trees;
