//! The crate as others use it.

mod acceptance;
mod config_files;
mod dispatch;
mod routing;
mod world;
