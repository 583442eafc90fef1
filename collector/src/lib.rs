//! The collector: accepts, stores, searches, serves. The parts are public so
//! that tests and benches can drive them; `main.rs` only wires them.

pub mod api;
pub mod auth;
pub mod check;
pub mod commit;
pub mod config;
pub mod metrics;
pub mod notify;
mod own;
pub mod rules;
pub mod server;
pub mod tail;
pub mod tls;
pub mod ui;
pub mod verdicts;
pub mod why;
