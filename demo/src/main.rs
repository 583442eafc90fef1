//! A small shop of four services on PostgreSQL, Redis and RabbitMQ, with faults to switch on while it runs: what an
//! observability stack says about it can be held against what was done to it. docs/demo.md says how to use it.
//!
//! One program with roles: each runs as a process of its own and has a control port.

mod args;
mod broker;
mod cache;
mod catalog;
mod checkout;
mod control;
mod database;
mod edge;
mod http;
mod load;
mod neighbour;
mod process;
mod proxy;
mod setup;
mod telemetry;
mod worker;

use clap::Parser;

use args::{Args, Role};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Args { role } = Args::parse();
    match role {
        Role::Setup(options) => setup::run(options).await,
        Role::Edge(options) => edge::run(options).await,
        Role::Catalog(options) => catalog::run(options).await,
        Role::Checkout(options) => checkout::run(options).await,
        Role::Worker(options) => worker::run(options).await,
        Role::Proxy(options) => proxy::run(options).await,
        Role::Neighbour(options) => neighbour::run(options).await,
        Role::Load(options) => load::run(options).await,
    }
}
