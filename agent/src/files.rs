//! The file input: finds files by pattern, follows them through rotation and
//! truncation, and turns their lines into log records.
//!
//! One thread does it all ([`Tailer`]), without async: it polls, so that it works alike on every file system and
//! costs nothing per line written.

mod discover;
mod find;
mod glob;
mod position;
mod source;
mod tailer;

pub use glob::Glob;
pub(crate) use tailer::{Control, FileStatus, Tailer, TailerOptions, Timing};

#[cfg(test)]
mod tests;
