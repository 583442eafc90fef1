//! Where alerts go once a rule has raised them.

use async_trait::async_trait;

use crate::alert::Alert;

/// Takes alerts in.
#[async_trait]
pub trait AlertSink: Send + Sync {
    /// Returns when they are durable: whoever raised them need not send them again for the sake of safety.
    async fn receive(&self, tenant: &str, alerts: Vec<Alert>) -> Result<(), SinkError>;
}

/// Why alerts were not taken. They may be sent again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("alerts were not taken: {0}")]
pub struct SinkError(pub String);
