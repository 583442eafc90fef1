//! The analysis against its invariants and against published traces.

mod crisp;
mod localise;
mod properties;
mod shop;
mod verdicts;
