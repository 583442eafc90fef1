//! The protocol servers: bytes of a client in, a checked `Batch` out to one narrow [`Sink`].
//!
//! Who may write is asked of a [`Gate`], how much of [`Limits`]; which status a
//! refusal gets is decided in one file, `problem.rs`. Nothing here knows what a
//! journal, an index or a tenant's settings are.

mod body;
mod browser;
mod budget;
mod elasticsearch;
mod gate;
mod grpc;
mod http;
mod inflate;
mod intake;
mod limits;
mod loki;
mod otlp_http;
mod problem;
mod records;
mod remote_write;
mod reply;
mod server;
mod sink;
mod zipkin;

pub use browser::check_browser_rules;
pub use gate::{CertifiedTenant, Denied, Gate, RequestHead};
pub use grpc::grpc_routes;
pub use http::http_router;
pub use limits::Limits;
pub use server::{Counts, Server};
pub use sink::{Sink, SinkError};
