//! The few protobuf messages that come back from a collector: partial success
//! and google.rpc details. Malformed ones read as absent.

use std::time::Duration;

/// `Export…ServiceResponse.partial_success`: how many were rejected, and the message.
pub(super) fn partial_success(response: &[u8]) -> (u64, String) {
    let Some(partial) = message(response, 1) else { return (0, String::new()) };
    let rejected = fields(partial).find_map(|field| match field {
        (1, Wire::Varint(count)) => Some(count),
        _ => None,
    });
    // A negative count is nonsense and reads as none.
    let rejected = rejected.filter(|count| i64::try_from(*count).is_ok()).unwrap_or(0);
    (rejected, message(partial, 2).map(|text| String::from_utf8_lossy(text).into_owned()).unwrap_or_default())
}

/// The delay of the `google.rpc.RetryInfo` among a `google.rpc.Status`'s details.
pub(super) fn retry_delay(status: &[u8]) -> Option<Duration> {
    let details = fields(status).filter_map(|field| match field {
        (3, Wire::Bytes(any)) => Some(any),
        _ => None,
    });
    let is_retry_info =
        |any: &&[u8]| message(any, 1).is_some_and(|url| url.ends_with(b"google.rpc.RetryInfo"));
    let info = details.filter(is_retry_info).find_map(|any| message(any, 2))?;
    let delay = message(info, 1).unwrap_or_default();
    let number = |wanted| {
        fields(delay).find_map(|field| match field {
            (number, Wire::Varint(value)) if number == wanted => Some(value),
            _ => None,
        })
    };
    let seconds = number(1).filter(|seconds| *seconds < 1 << 31).unwrap_or(0);
    let nanos = number(2).filter(|nanos| *nanos < 1_000_000_000).unwrap_or(0);
    Some(Duration::new(seconds, nanos as u32))
}

#[derive(Clone, Copy)]
enum Wire<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Fixed,
}

fn message(bytes: &[u8], wanted: u64) -> Option<&[u8]> {
    fields(bytes).find_map(|field| match field {
        (number, Wire::Bytes(bytes)) if number == wanted => Some(bytes),
        _ => None,
    })
}

/// The fields until the end or the first malformed one.
fn fields(mut bytes: &[u8]) -> impl Iterator<Item = (u64, Wire<'_>)> {
    std::iter::from_fn(move || {
        let tag = varint(&mut bytes)?;
        let wire = match tag & 7 {
            0 => Wire::Varint(varint(&mut bytes)?),
            1 => take(&mut bytes, 8).map(|_| Wire::Fixed)?,
            2 => {
                let len = varint(&mut bytes)?;
                Wire::Bytes(take(&mut bytes, usize::try_from(len).ok()?)?)
            }
            5 => take(&mut bytes, 4).map(|_| Wire::Fixed)?,
            _ => return None,
        };
        Some((tag >> 3, wire))
    })
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for index in 0..10 {
        let byte = *bytes.get(index)?;
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            *bytes = &bytes[index + 1..];
            return Some(value);
        }
    }
    None
}

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_success_is_read() {
        assert_eq!(partial_success(&[]), (0, String::new()));
        assert_eq!(partial_success(b"\x0a\x00"), (0, String::new()));
        assert_eq!(partial_success(b"\x0a\x08\x08\x96\x01\x12\x03old"), (150, "old".to_owned()));
        assert_eq!(partial_success(b"\x0a\x05\x12\x03old"), (0, "old".to_owned()));
        assert_eq!(
            partial_success(b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
            (0, String::new())
        );
    }

    #[test]
    fn retry_info_is_found_among_details() {
        let mut info = vec![0x0a, 0x06, 0x08, 0x05, 0x10, 0x80, 0x94, 0x23];
        let mut any = b"\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12".to_vec();
        any.push(info.len() as u8);
        any.append(&mut info);
        let mut status = b"\x08\x0e\x12\x02no\x1a\x06\x0a\x04type\x1a".to_vec();
        status.push(any.len() as u8);
        status.append(&mut any);
        assert_eq!(retry_delay(&status), Some(Duration::new(5, 576_000)));
        assert_eq!(retry_delay(b"\x08\x0e"), None);
        assert_eq!(retry_delay(&status[..status.len() - 3]), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            partial_success(&bytes);
            retry_delay(&bytes);
        }
    }
}
