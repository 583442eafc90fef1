//! The store through its front door: a partition over blobs in memory, driven as the collector drives it.

#![allow(clippy::unwrap_used)]

extern crate narrows_series as series;

mod fixture;
mod life;
mod model;
mod naive;
mod queries;
mod world;
