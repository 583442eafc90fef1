//! The crate as others use it.

mod config_files;
mod mail;
