//! Where time goes. Pure: it reads nothing and has never heard of a protocol or a store.

mod critical_path;

pub use critical_path::{PathSpan, Section};
