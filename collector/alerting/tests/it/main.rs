//! The crate as others use it.

mod acceptance;
mod config_files;
mod conformance;
mod dispatch;
mod mail;
mod routing;
mod world;
