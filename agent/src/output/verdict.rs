//! What an answer means for a record: the one place that knows status codes
//! (OTLP, "Failures", and what a broken connection looks like).

use std::error::Error;
use std::time::Duration;

use http::StatusCode;
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

/// What an answer to remote write 2.0 means (its specification, "Retries & Backoff"). `written` is how many samples and
/// histograms it says to have written.
pub(super) fn of_write(
    status: StatusCode,
    after: Option<Duration>,
    written: Option<u64>,
    items: u64,
    message: String,
) -> Verdict {
    let after = after.map(|after| after.min(MAX_RETRY_AFTER));
    let message = if status.is_success() { message } else { format!("{status}: {message}") };
    match (status.as_u16(), written) {
        (200..=299, Some(written)) => Verdict::Taken { rejected: items.saturating_sub(written), message },
        (200..=299, None) => Verdict::Later {
            reason: "no_service",
            after,
            message: "the server does not say what it wrote: it does not know remote write 2.0".to_owned(),
        },
        (400, Some(written)) => Verdict::Taken { rejected: items.saturating_sub(written), message },
        (401 | 403, _) => Verdict::Unauthorized { message },
        // Not a collector, or something in front of one: no fault of the samples.
        (300..=399 | 404 | 405 | 421 | 425 | 426 | 431, _) => {
            Verdict::Later { reason: "no_service", after, message }
        }
        (408, _) => Verdict::Later { reason: "timeout", after, message },
        (413, _) => Verdict::Refused { reason: "too_large", message },
        (415, _) => Verdict::Refused {
            reason: "unsupported",
            message: format!(
                "{message}; the server does not take remote write 2.0: is it a Narrows collector?"
            ),
        },
        (429, _) => Verdict::Later { reason: "throttled", after, message },
        (500..=599, _) => Verdict::Later { reason: "unavailable", after, message },
        _ => Verdict::Refused { reason: "invalid", message },
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
    fn statuses_of_remote_write_have_their_meaning() {
        let of = |status: u16, written| {
            let status = StatusCode::from_u16(status).unwrap();
            match of_write(status, None, written, 10, "x".to_owned()) {
                Verdict::Taken { rejected, .. } => format!("taken {rejected}"),
                Verdict::Refused { reason, .. } => format!("refused {reason}"),
                Verdict::Later { reason, .. } => format!("later {reason}"),
                Verdict::Suspect { .. } => "suspect".to_owned(),
                Verdict::Unauthorized { .. } => "unauthorized".to_owned(),
            }
        };
        let cases = [
            (204, Some(10), "taken 0"),
            (200, Some(7), "taken 3"),
            (204, None, "later no_service"),
            (400, Some(4), "taken 6"),
            (400, None, "refused invalid"),
            (401, None, "unauthorized"),
            (301, None, "later no_service"),
            (302, None, "later no_service"),
            (308, Some(3), "later no_service"),
            (404, None, "later no_service"),
            (421, None, "later no_service"),
            (425, None, "later no_service"),
            (426, None, "later no_service"),
            (431, None, "later no_service"),
            (422, None, "refused invalid"),
            (413, None, "refused too_large"),
            (415, None, "refused unsupported"),
            (429, None, "later throttled"),
            (500, Some(3), "later unavailable"),
            (503, None, "later unavailable"),
        ];
        for (status, written, expected) in cases {
            assert_eq!(of(status, written), expected, "{status}");
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
