//! Who may write, and as which tenant.

use std::net::SocketAddr;
use std::sync::Arc;

use ::http::HeaderMap;
use telemetry::TenantId;

/// Admits or denies a request by its head, before a byte of its body is read.
pub trait Gate: Send + Sync + 'static {
    /// The tenant that the request writes to. Called once per request; must not block.
    fn admit(&self, head: &RequestHead<'_>) -> Result<TenantId, Denied>;
}

/// What a gate sees. Over HTTP/2 `host` is in `headers` too, taken from `:authority`.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// Headers, or gRPC metadata.
    pub headers: &'a HeaderMap,
    /// The other end of the connection, where the server was told.
    pub peer: Option<SocketAddr>,
    /// The tenant that the connection's client certificate names, where there is one.
    pub certified: Option<&'a TenantId>,
}

/// In a request's extensions: the tenant that the connection's client certificate names. The server that has checked
/// the certificate puts it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertifiedTenant(pub TenantId);

impl<'a> RequestHead<'a> {
    /// Of a connection without a client certificate.
    pub fn new(headers: &'a HeaderMap, peer: Option<SocketAddr>) -> Self {
        Self { headers, peer, certified: None }
    }
}

/// Why a request may not write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No credentials, or ones that are not known.
    #[error("{reason}")]
    Unauthenticated {
        /// What to send instead.
        reason: String,
    },
    /// Whoever it is, this is not allowed.
    #[error("{reason}")]
    Forbidden {
        /// What rule was broken, echoing the offending value.
        reason: String,
    },
}

impl<G: Gate> Gate for Arc<G> {
    fn admit(&self, head: &RequestHead<'_>) -> Result<TenantId, Denied> {
        (**self).admit(head)
    }
}
