//! The proofs of the commit contract (docs/adr/0001-the-commit-contract.md): the real store and
//! engine on a disk that forgets, on a journal that reorders, on documents whose outcome is unknown;
//! against a naive model. `NARROWS_HISTORIES=n` runs n random histories per kind instead of the default.
#![allow(clippy::unwrap_used)]

mod blobs;
mod crashes;
mod damage;
mod derived;
mod documents;
mod fencing;
mod history;
mod house;
mod limits;
mod load;
mod memory;
mod model;
mod points;
mod query;
mod streams;
mod world;
