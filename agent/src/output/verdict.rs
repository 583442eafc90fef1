//! What an answer means for a record: the one place that knows status codes
//! (OTLP, "Failures", and what a broken connection looks like).

use std::error::Error;
use std::time::Duration;

use tonic::{Code, Status};

use super::wire;

/// No collector is left alone for longer, whatever it asks for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// A record's fate, as far as one try has shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is durable there; some records may have been refused.
    Taken { rejected: u64, message: String },
    /// Sending it again is pointless.
    Refused { reason: &'static str, message: String },
    /// To be sent again, not before `after`.
    Later { reason: &'static str, after: Option<Duration>, message: String },
    /// The server failed over it: its fault, or the record's.
    Suspect { message: String },
    /// Our token is missing, wrong, or for something else; or the address is no collector's.
    Unauthorized { message: String },
}

/// Reads a status. What this side made of a broken connection or a timeout says nothing about the record.
pub(super) fn of(status: &Status) -> Verdict {
    let after = retry_after(status);
    let message = describe(status);
    let later = |reason| Verdict::Later { reason, after, message: message.clone() };
    if status.source().is_some() {
        return later("connection");
    }
    match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => Verdict::Unauthorized { message },
        Code::Unavailable => later("unavailable"),
        Code::ResourceExhausted if after.is_some() => later("throttled"),
        Code::ResourceExhausted => Verdict::Refused { reason: "too_large", message },
        Code::Cancelled | Code::DeadlineExceeded => later("timeout"),
        Code::Aborted | Code::OutOfRange | Code::DataLoss => later("retryable"),
        // Not a collector, or one without this service: no fault of the record.
        Code::Unimplemented | Code::NotFound => later("no_service"),
        Code::Internal | Code::Unknown | Code::Ok => Verdict::Suspect { message },
        Code::InvalidArgument | Code::FailedPrecondition | Code::AlreadyExists => {
            Verdict::Refused { reason: "invalid", message }
        }
    }
}

/// From the details, else from a `retry-after` header in seconds. However long it is: that there is one says that the
/// record may be sent again.
fn retry_after(status: &Status) -> Option<Duration> {
    let after = wire::retry_delay(status.details()).or_else(|| {
        let seconds = status.metadata().get("retry-after")?.to_str().ok()?.parse().ok()?;
        Some(Duration::from_secs(seconds))
    });
    after.map(|after| after.min(MAX_RETRY_AFTER))
}

fn describe(status: &Status) -> String {
    let mut text = format!("{:?}: {}", status.code(), status.message());
    let mut source = status.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_meaning_that_otlp_gives_them() {
        let retryable = [
            Code::Cancelled,
            Code::DeadlineExceeded,
            Code::Aborted,
            Code::OutOfRange,
            Code::Unavailable,
            Code::DataLoss,
        ];
        for code in retryable {
            assert!(matches!(of(&Status::new(code, "x")), Verdict::Later { .. }), "{code:?}");
        }
        for code in [Code::InvalidArgument, Code::ResourceExhausted, Code::FailedPrecondition] {
            assert!(matches!(of(&Status::new(code, "x")), Verdict::Refused { .. }), "{code:?}");
        }
        for code in [Code::Unauthenticated, Code::PermissionDenied] {
            assert!(matches!(of(&Status::new(code, "x")), Verdict::Unauthorized { .. }), "{code:?}");
        }
        for code in [Code::Internal, Code::Unknown] {
            assert!(matches!(of(&Status::new(code, "x")), Verdict::Suspect { .. }), "{code:?}");
        }
    }

    #[test]
    fn a_broken_connection_is_never_the_records_fault() {
        let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert!(matches!(
            of(&Status::from_error(Box::new(broken))),
            Verdict::Later { reason: "connection", .. }
        ));
    }

    #[test]
    fn a_retry_after_header_counts() {
        let mut status = Status::new(Code::ResourceExhausted, "slow down");
        status.metadata_mut().insert("retry-after", "7".parse().expect("plain ASCII"));
        let Verdict::Later { after, .. } = of(&status) else { panic!("{:?}", of(&status)) };
        assert_eq!(after, Some(Duration::from_secs(7)));
    }

    #[test]
    fn no_delay_is_longer_than_an_hour() {
        let hour = Some(Duration::from_secs(3600));
        let mut header = Status::new(Code::ResourceExhausted, "slow down");
        header.metadata_mut().insert("retry-after", "9000".parse().expect("plain ASCII"));
        // RetryInfo of 2³¹ - 1 seconds.
        let info =
            b"\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x08\x0a\x06\x08\xff\xff\xff\xff\x07";
        let details = [&[0x1a, info.len() as u8], &info[..]].concat();
        let detailed = Status::with_details(Code::ResourceExhausted, "slow down", details.into());
        for status in [header, detailed] {
            let Verdict::Later { after, .. } = of(&status) else { panic!("{:?}", of(&status)) };
            assert_eq!(after, hour);
        }
    }
}
