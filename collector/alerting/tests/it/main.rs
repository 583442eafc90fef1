//! The crate as others use it.

mod acceptance;
mod config_files;
mod routing;
mod world;
