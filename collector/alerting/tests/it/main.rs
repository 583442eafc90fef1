//! The crate as others use it.

mod acceptance;
mod config_files;
mod conformance;
mod mail;
mod routing;
mod world;
