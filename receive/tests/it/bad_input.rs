//! Bad input × endpoint, as one table; docs/otlp.md shows what this test prints.

use narrows_receive::Limits;

use crate::samples::{self, gzip, zstd};
use crate::support::{Call, Endpoint, start};

const MIB: usize = 1 << 20;

/// What a row expects, the same over every endpoint: over gRPC the code and when to retry count.
struct Row {
    input: &'static str,
    http_status: u16,
    code: &'static str,
    retry_after_s: Option<u64>,
    call: fn(Endpoint) -> Call,
}

const fn row(input: &'static str, http_status: u16, code: &'static str, call: fn(Endpoint) -> Call) -> Row {
    Row { input, http_status, code, retry_after_s: None, call }
}

fn good(endpoint: Endpoint) -> Call {
    Call::new(endpoint, samples::logs(endpoint, &["one", "two"]))
}

fn token(endpoint: Endpoint, token: &str) -> Call {
    good(endpoint).with("authorization", &format!("Bearer {token}"))
}

/// The good request with one letter of its text replaced by a byte that UTF-8 does not have.
fn not_utf8(endpoint: Endpoint) -> Call {
    let mut call = good(endpoint);
    let at = call.body.windows(3).position(|window| window == b"two").unwrap();
    call.body = [&call.body[..at], &[0xff], &call.body[at + 1..]].concat().into();
    call
}

fn cut(endpoint: Endpoint) -> Call {
    let mut call = good(endpoint);
    call.body.truncate(call.body.len() - 1);
    call
}

fn malformed(endpoint: Endpoint) -> Call {
    match endpoint {
        Endpoint::HttpJson => Call::new(endpoint, br#"{"resourceLogs":[}"#.to_vec()),
        _ => Call::new(endpoint, vec![0x0f; 64]),
    }
}

fn cut_gzip(endpoint: Endpoint) -> Call {
    let mut packed = gzip(&good(endpoint).body);
    packed.truncate(packed.len() - 4);
    Call::new(endpoint, packed).encoded("gzip")
}

fn other_signal(endpoint: Endpoint) -> Call {
    let mut call = good(endpoint);
    call.path = match endpoint {
        Endpoint::Grpc => {
            "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export".to_owned()
        }
        _ => "/v1development/profiles".to_owned(),
    };
    call
}

fn get(endpoint: Endpoint) -> Call {
    Call { method: http::Method::GET, ..good(endpoint) }
}

fn host(endpoint: Endpoint) -> Call {
    Call { host: Some("rebound.example:7070".to_owned()), ..good(endpoint) }
}

const ROWS: &[Row] = &[
    row("two good records", 200, "OK", good),
    row("the same, gzip", 200, "OK", |e| Call::new(e, gzip(&good(e).body)).encoded("gzip")),
    row("the same, zstd", 200, "OK", |e| Call::new(e, zstd(&good(e).body)).encoded("zstd")),
    row("an empty body", 200, "OK", |e| Call::new(e, Vec::new())),
    row("a request without records", 200, "OK", |e| Call::new(e, samples::logs(e, &[]))),
    row("malformed", 400, "INVALID_ARGUMENT", malformed),
    row("cut at the end", 400, "INVALID_ARGUMENT", cut),
    row("text that is not UTF-8", 400, "INVALID_ARGUMENT", not_utf8),
    row("values nested 64 levels deep", 200, "OK", |e| Call::new(e, samples::nested(e, 64))),
    row("values nested 65 levels deep", 400, "INVALID_ARGUMENT", |e| Call::new(e, samples::nested(e, 65))),
    row("values nested 10,000 levels deep", 400, "INVALID_ARGUMENT", |e| {
        Call::new(e, samples::nested(e, 10_000))
    }),
    row("gzip cut at the end", 400, "INVALID_ARGUMENT", cut_gzip),
    row("plain bytes that claim to be gzip", 400, "INVALID_ARGUMENT", |e| good(e).encoded("gzip")),
    row("plain bytes that claim to be zstd", 400, "INVALID_ARGUMENT", |e| good(e).encoded("zstd")),
    row("too large, plain", 413, "RESOURCE_EXHAUSTED", |e| Call::new(e, samples::noise(4 * MIB + 1))),
    row("too large, compressed", 413, "RESOURCE_EXHAUSTED", |e| {
        Call::new(e, samples::noise(MIB + 1)).encoded("gzip")
    }),
    row("gzip bomb (1 : 1000)", 413, "RESOURCE_EXHAUSTED", |e| {
        Call::new(e, samples::gzip_bomb(64)).encoded("gzip")
    }),
    row("zstd bomb (1 : 10,000)", 413, "RESOURCE_EXHAUSTED", |e| {
        Call::new(e, samples::zstd_bomb(64)).encoded("zstd")
    }),
    row("content type application/xml", 415, "INVALID_ARGUMENT", |e| {
        good(e).with("content-type", "application/xml")
    }),
    row("no content type", 415, "INVALID_ARGUMENT", |e| good(e).with("content-type", "")),
    row("encoding br", 415, "UNIMPLEMENTED", |e| good(e).encoded("br")),
    row("no token", 401, "UNAUTHENTICATED", |e| good(e).with("authorization", "")),
    row("wrong token", 401, "UNAUTHENTICATED", |e| token(e, "wrong")),
    row("token that may not write", 403, "PERMISSION_DENIED", |e| token(e, "reader")),
    row("foreign Origin", 403, "PERMISSION_DENIED", |e| good(e).with("origin", "https://evil.example")),
    row("Origin: null", 403, "PERMISSION_DENIED", |e| good(e).with("origin", "null")),
    row("Host that is not allowed", 403, "PERMISSION_DENIED", host),
    row("text/plain", 403, "PERMISSION_DENIED", |e| good(e).with("content-type", "text/plain")),
    row("bad producer header", 400, "INVALID_ARGUMENT", |e| {
        good(e).with("narrows-producer", "host-1;zz;1;1")
    }),
    row("GET", 405, "UNIMPLEMENTED", get),
    row("profiles", 404, "UNIMPLEMENTED", other_signal),
    row("a record with too many attributes", 200, "OK", |e| Call::new(e, samples::with_attributes(e, 1025))),
    row("tenant over its limit", 429, "UNAVAILABLE", |e| token(e, "throttled")).retry(3),
    row("disk full or failed", 503, "UNAVAILABLE", |e| token(e, "unavailable")).retry(1),
    row("batch too large for the journal", 413, "RESOURCE_EXHAUSTED", |e| token(e, "toolarge")),
    row("batch refused by the store", 400, "INVALID_ARGUMENT", |e| token(e, "refused")),
];

impl Row {
    const fn retry(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }
}

fn limits() -> Limits {
    Limits { max_compressed_bytes: MIB, max_decompressed_bytes: 4 * MIB, ..Limits::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bad_input_gets_its_status_at_every_endpoint() {
    let running = start(limits()).await;
    let (mut lines, mut failures) = (Vec::new(), Vec::new());
    for row in ROWS {
        for endpoint in Endpoint::ALL {
            let call = (row.call)(endpoint);
            let before = running.sink.batches.lock().len();
            let answer = call.send(&running).await;
            let code = code_name(answer.code);
            let status = match endpoint {
                Endpoint::Grpc => format!("grpc-status {}", answer.code),
                _ => answer.http_status.to_string(),
            };
            let retry =
                answer.retry_after_s.map_or(String::new(), |seconds| format!(", retry after {seconds} s"));
            lines.push(format!("| {} | {} | {status} | {code}{retry} |", row.input, endpoint.name()));
            let is_right_status = endpoint == Endpoint::Grpc || answer.http_status == row.http_status;
            let stored = running.sink.batches.lock().len() - before;
            if !is_right_status || code != row.code || answer.retry_after_s != row.retry_after_s {
                failures.push(format!("{} at {}: {answer:?}", row.input, endpoint.name()));
            } else if code == "OK" && stored > 1 || code != "OK" && (stored > 0 || answer.message.is_empty())
            {
                failures.push(format!(
                    "{} at {}: {stored} batches stored, {answer:?}",
                    row.input,
                    endpoint.name()
                ));
            }
        }
    }
    println!("| input | endpoint | status | code |\n|---|---|---|---|\n{}", lines.join("\n"));
    assert!(failures.is_empty(), "{failures:#?}");
    let documented = include_str!("../../../docs/otlp.md");
    let missing: Vec<_> = lines.iter().filter(|line| !documented.contains(line.as_str())).collect();
    assert!(missing.is_empty(), "docs/otlp.md lacks {missing:#?}");
    let counts = running.server.counts();
    assert_eq!(counts.requests as usize, lines.len());
    let refused: u64 = counts.refused_requests.values().sum();
    assert_eq!(refused as usize, lines.iter().filter(|line| !line.contains("| OK")).count());
    assert_eq!(counts.in_flight_bytes, 0, "every lease was given back");
}

#[tokio::test]
async fn refusals_say_how_to_do_it_right() {
    let running = start(limits()).await;
    let answer = get(Endpoint::HttpJson).send(&running).await;
    assert_eq!(answer.header("allow").as_deref(), Some("POST"));
    let answer = good(Endpoint::HttpProtobuf).with("authorization", "").send(&running).await;
    assert_eq!(answer.header("www-authenticate").as_deref(), Some("Bearer"));
    assert_eq!(answer.header("content-type").as_deref(), Some("application/x-protobuf"));
    for endpoint in [Endpoint::HttpProtobuf, Endpoint::Grpc] {
        let answer = good(endpoint).encoded("br").send(&running).await;
        let name = if endpoint == Endpoint::Grpc { "grpc-accept-encoding" } else { "accept-encoding" };
        assert_eq!(answer.header(name).as_deref(), Some("identity,gzip,zstd"));
    }
    let answer = good(Endpoint::Grpc).with("content-type", "application/xml").send(&running).await;
    assert_eq!(answer.http_status, 415);
    let answer = other_signal(Endpoint::HttpJson).send(&running).await;
    assert_eq!(
        answer.message,
        "/v1development/profiles is not taken; send logs to /v1/logs, metrics to /v1/metrics, traces to /v1/traces"
    );
    let answer = malformed(Endpoint::HttpJson).send(&running).await;
    assert!(answer.message.contains("at resourceLogs[0] (line 1, column 18)"), "{}", answer.message);
}

#[tokio::test]
async fn unknown_services_are_unimplemented() {
    let running = start(limits()).await;
    let paths = [
        "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
        "/opentelemetry.proto.collector.logs.v1.LogsService/Import",
        "/grpc.health.v1.Health/Check",
    ];
    for path in paths {
        let call = Call { path: path.to_owned(), ..good(Endpoint::Grpc) };
        let answer = call.send(&running).await;
        assert_eq!((answer.http_status, code_name(answer.code)), (200, "UNIMPLEMENTED"), "{path}");
        assert!(
            answer.message.contains("is not taken; send logs to opentelemetry.proto."),
            "{}",
            answer.message
        );
    }
}

#[tokio::test]
async fn calls_that_are_framed_wrong_are_refused() {
    let running = start(limits()).await;
    let call = good(Endpoint::Grpc);
    let message = crate::support::frame(0, &call.body);
    let compressed = crate::support::frame(1, &gzip(&call.body));
    let cases = [
        (bytes::Bytes::new(), "the call ends before its message"),
        (message.slice(..3), "the call ends before its message"),
        (message.slice(..20), "the call ends inside its message"),
        ([&message[..], &message[..]].concat().into(), "the call has more than one message"),
        (compressed, "the message is flagged as compressed, but grpc-encoding names no encoding"),
        (crate::support::frame(2, &call.body), "the message's compression flag is neither 0 nor 1"),
    ];
    for (frames, message) in cases {
        let answer = call.send_frames(&running, frames).await;
        assert_eq!((code_name(answer.code), answer.message.as_str()), ("INVALID_ARGUMENT", message));
    }
    let plain = crate::support::frame(0, &call.body);
    let answer = call.encoded("gzip").send_frames(&running, plain).await;
    assert_eq!(answer.code, 0, "a single message may be plain although the call declares an encoding");
}

/// The number's name in google.rpc.Code.
fn code_name(code: i32) -> &'static str {
    match code {
        0 => "OK",
        3 => "INVALID_ARGUMENT",
        7 => "PERMISSION_DENIED",
        8 => "RESOURCE_EXHAUSTED",
        12 => "UNIMPLEMENTED",
        13 => "INTERNAL",
        14 => "UNAVAILABLE",
        16 => "UNAUTHENTICATED",
        _ => "another code",
    }
}
