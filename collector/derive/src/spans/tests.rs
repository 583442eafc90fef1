#![allow(clippy::unwrap_used)]

mod exact;
