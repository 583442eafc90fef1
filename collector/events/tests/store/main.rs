//! The store from outside: what comes back is what went in, and every answer is
//! the one that a naive scan of the same records gives.
#![allow(clippy::unwrap_used)]

extern crate narrows_events as events;

mod damage;
mod facets;
mod fixture;
mod life;
mod naive;
mod pattern_queries;
mod patterns;
mod queries;
mod records;
mod scan;
mod spans;
mod stages;
mod tail;
mod world;
