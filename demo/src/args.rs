//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// A shop to break.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) role: Role,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// Makes the tables and fills them.
    Setup(Setup),
    /// The gateway.
    Edge(Edge),
    /// Products and prices: PostgreSQL and Redis.
    Catalog(Catalog),
    /// Orders: asks the catalog, writes to PostgreSQL, publishes to RabbitMQ.
    Checkout(Checkout),
    /// Fulfils orders that RabbitMQ brings.
    Worker(Worker),
    /// Stands between checkout and catalog and can be slow.
    Proxy(Proxy),
    /// Somebody else's program on the same host, which can be greedy.
    Neighbour(Neighbour),
    /// Customers.
    Load(Load),
}

#[derive(Debug, Parser)]
pub(crate) struct Setup {
    #[arg(long)]
    pub(crate) database: String,
    /// Products.
    #[arg(long, default_value_t = 300_000)]
    pub(crate) products: i32,
}

/// What all services have.
#[derive(Clone, Debug, Parser)]
pub(crate) struct Common {
    /// Where faults are switched.
    #[arg(long)]
    pub(crate) control: SocketAddr,
    /// OTLP/gRPC.
    #[arg(long, default_value = "http://127.0.0.1:4317")]
    pub(crate) otlp: String,
    /// `service.version`.
    #[arg(long, default_value = "1.0.0")]
    pub(crate) version: String,
}

#[derive(Debug, Parser)]
pub(crate) struct Edge {
    #[command(flatten)]
    pub(crate) common: Common,
    #[arg(long)]
    pub(crate) listen: SocketAddr,
    #[arg(long)]
    pub(crate) catalog: String,
    #[arg(long)]
    pub(crate) checkout: String,
}

#[derive(Debug, Parser)]
pub(crate) struct Catalog {
    #[command(flatten)]
    pub(crate) common: Common,
    #[arg(long)]
    pub(crate) listen: SocketAddr,
    #[arg(long)]
    pub(crate) database: String,
    #[arg(long)]
    pub(crate) redis: String,
}

#[derive(Debug, Parser)]
pub(crate) struct Checkout {
    #[command(flatten)]
    pub(crate) common: Common,
    #[arg(long)]
    pub(crate) listen: SocketAddr,
    #[arg(long)]
    pub(crate) database: String,
    /// The catalog, or what stands before it.
    #[arg(long)]
    pub(crate) catalog: String,
    #[arg(long)]
    pub(crate) rabbitmq: String,
}

#[derive(Debug, Parser)]
pub(crate) struct Worker {
    #[command(flatten)]
    pub(crate) common: Common,
    #[arg(long)]
    pub(crate) database: String,
    #[arg(long)]
    pub(crate) rabbitmq: String,
}

#[derive(Debug, Parser)]
pub(crate) struct Proxy {
    #[arg(long)]
    pub(crate) control: SocketAddr,
    #[arg(long)]
    pub(crate) listen: SocketAddr,
    #[arg(long)]
    pub(crate) to: SocketAddr,
}

#[derive(Debug, Parser)]
pub(crate) struct Neighbour {
    #[arg(long)]
    pub(crate) control: SocketAddr,
}

#[derive(Debug, Parser)]
pub(crate) struct Load {
    #[arg(long)]
    pub(crate) control: SocketAddr,
    /// The edge's URL.
    #[arg(long)]
    pub(crate) edge: String,
    /// Requests a second.
    #[arg(long, default_value_t = 30.0)]
    pub(crate) rate: f64,
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// A JSON line per second: what customers saw.
    #[arg(long)]
    pub(crate) figures: PathBuf,
}
