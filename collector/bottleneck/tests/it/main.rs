//! The analysis against its invariants and against published traces.

mod crisp;
mod properties;
