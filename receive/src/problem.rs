//! Everything that can be wrong with a request, and the one table of which status
//! it gets: HTTP and gRPC, retryable or not (OTLP specification, "Failures";
//! retryable over HTTP are 429, 502, 503 and 504 only, over gRPC UNAVAILABLE,
//! DEADLINE_EXCEEDED and a few that are not used here).

use std::time::Duration;

use ::http::StatusCode;
use telemetry::ProducerError;
use tonic::Code;

use crate::gate::Denied;
use crate::sink::SinkError;

/// Why a request is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("{0}")]
    Malformed(String),
    /// What Elasticsearch has a name of its own for.
    #[error(transparent)]
    Elasticsearch(#[from] telemetry::elasticsearch::Fault),
    #[error("{0}")]
    TooMany(String),
    #[error("bad header narrows-producer: {0}")]
    Producer(#[from] ProducerError),
    #[error("the request has more than {limit_bytes} bytes {stage}")]
    BodyTooLarge { stage: &'static str, limit_bytes: usize },
    #[error("the server is busy with other requests; its limit for all together is reached")]
    Busy,
    #[error("the request's body did not arrive within {0:?}")]
    SlowBody(Duration),
    #[error("cannot read the request's body: {0}")]
    Body(String),
    #[error("the content type {0:?} is not taken here; {1}")]
    ContentType(String, &'static str),
    #[error("the encoding {0:?} is not taken here; send identity, gzip or zstd")]
    Encoding(String),
    #[error("the encoding {0:?} is not taken here; send snappy, in its block format")]
    NotSnappy(String),
    #[error("the method {0} is not taken here; send POST")]
    Method(String),
    #[error("{0}")]
    NotServed(String),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error("the server failed on this request")]
    Internal,
}

/// What a client is told besides the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) http: StatusCode,
    pub(crate) grpc: Code,
    /// Set when the same request may be sent again, and when.
    pub(crate) retry_after: Option<Duration>,
    /// The reason's label in counters.
    pub(crate) label: &'static str,
}

/// When to come back after a problem that passes by itself.
const SOON: Duration = Duration::from_secs(1);

impl Problem {
    /// The status table.
    pub(crate) fn verdict(&self) -> Verdict {
        let never = |http, grpc, label| Verdict { http, grpc, retry_after: None, label };
        let later =
            |http, after, label| Verdict { http, grpc: Code::Unavailable, retry_after: Some(after), label };
        match self {
            Self::Malformed(_) => never(StatusCode::BAD_REQUEST, Code::InvalidArgument, "malformed"),
            Self::Elasticsearch(_) => never(StatusCode::BAD_REQUEST, Code::InvalidArgument, "malformed"),
            Self::TooMany(_) => never(StatusCode::BAD_REQUEST, Code::InvalidArgument, "too_many"),
            Self::Producer(_) => never(StatusCode::BAD_REQUEST, Code::InvalidArgument, "producer"),
            Self::Body(_) => never(StatusCode::BAD_REQUEST, Code::InvalidArgument, "body"),
            Self::BodyTooLarge { .. } | Self::Sink(SinkError::TooLarge { .. }) => {
                never(StatusCode::PAYLOAD_TOO_LARGE, Code::ResourceExhausted, "too_large")
            }
            Self::ContentType(..) => {
                never(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::InvalidArgument, "content_type")
            }
            Self::Encoding(_) | Self::NotSnappy(_) => {
                never(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::Unimplemented, "encoding")
            }
            Self::Method(_) => never(StatusCode::METHOD_NOT_ALLOWED, Code::Unimplemented, "method"),
            Self::NotServed(_) => never(StatusCode::NOT_FOUND, Code::Unimplemented, "not_served"),
            Self::Denied(Denied::Unauthenticated { .. }) => {
                never(StatusCode::UNAUTHORIZED, Code::Unauthenticated, "unauthenticated")
            }
            Self::Denied(Denied::Forbidden { .. }) => {
                never(StatusCode::FORBIDDEN, Code::PermissionDenied, "forbidden")
            }
            Self::Sink(SinkError::Refused { .. }) => {
                never(StatusCode::BAD_REQUEST, Code::InvalidArgument, "refused")
            }
            Self::Internal => never(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, "internal"),
            Self::Sink(SinkError::Throttled { retry_after, .. }) => {
                later(StatusCode::TOO_MANY_REQUESTS, *retry_after, "throttled")
            }
            Self::Sink(SinkError::Unavailable { retry_after, .. }) => {
                later(StatusCode::SERVICE_UNAVAILABLE, *retry_after, "unavailable")
            }
            Self::Busy => later(StatusCode::SERVICE_UNAVAILABLE, SOON, "busy"),
            // 408 would say it better, but a client drops data on it: it is not a retryable status of OTLP.
            Self::SlowBody(_) => later(StatusCode::SERVICE_UNAVAILABLE, SOON, "slow_body"),
        }
    }
}

/// `Retry-After` counts whole seconds, and 0 would mean "at once".
pub(crate) fn retry_after_seconds(after: Duration) -> u64 {
    after.as_secs().saturating_add(u64::from(after.subsec_nanos() > 0)).max(1)
}
