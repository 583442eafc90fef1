//! The language from outside: what parses and to what, what doesn't and why, what matches, what is counted.
#![allow(clippy::unwrap_used)]

mod docs;
mod forms;
mod functions;
mod matches;
mod mistakes;
mod properties;
mod record;
mod reference;
mod spans;
mod tables;
