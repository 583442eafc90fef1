//! Loki's and Elasticsearch's endpoints: bad input as one table each, which docs/loki.md and
//! docs/elasticsearch.md show; and what the good answers look like.

use bytes::Bytes;
use http::Method;
use narrows_receive::Limits;
use prost::Message;
use serde_json::{Value, json};
use telemetry::otlp::LogsRequest;

use crate::samples::{gzip, gzip_bomb, noise, zstd};
use crate::support::{Running, start};

const MIB: usize = 1 << 20;

/// `logproto.PushRequest`, by another implementation than ours.
#[derive(Clone, PartialEq, Message)]
struct Push {
    #[prost(message, repeated, tag = "1")]
    streams: Vec<Stream>,
}

#[derive(Clone, PartialEq, Message)]
struct Stream {
    #[prost(string, tag = "1")]
    labels: String,
    #[prost(message, repeated, tag = "2")]
    entries: Vec<Entry>,
    #[prost(uint64, tag = "3")]
    hash: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Entry {
    #[prost(message, tag = "1")]
    timestamp: Option<Timestamp>,
    #[prost(string, tag = "2")]
    line: String,
    #[prost(message, repeated, tag = "3")]
    metadata: Vec<Pair>,
}

#[derive(Clone, PartialEq, Message)]
struct Timestamp {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Pair {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

fn timestamp() -> Timestamp {
    Timestamp { seconds: 1_774_000_000, nanos: 5 }
}

fn stream(labels: &str, lines: usize) -> Stream {
    let metadata = vec![Pair { name: "user".to_owned(), value: "7".to_owned() }];
    let entry = |at: usize| Entry {
        timestamp: Some(timestamp()),
        line: format!("line {at}"),
        metadata: metadata.clone(),
    };
    Stream { labels: labels.to_owned(), entries: (0..lines).map(entry).collect(), hash: 9 }
}

fn snappy(plain: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(plain).unwrap()
}

fn push(streams: Vec<Stream>) -> Vec<u8> {
    snappy(&Push { streams }.encode_to_vec())
}

/// One request and what it may be called in the table.
#[derive(Clone)]
struct Ask {
    method: Method,
    path: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

impl Ask {
    fn new(path: &'static str, content_type: &str, body: impl Into<Bytes>) -> Self {
        let ask = Self { method: Method::POST, path, headers: Vec::new(), body: body.into() };
        ask.with("content-type", content_type).with("authorization", "Bearer default")
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        if !value.is_empty() {
            self.headers.push((name, value.to_owned()));
        }
        self
    }

    fn token(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    fn encoded(self, encoding: &str) -> Self {
        self.with("content-encoding", encoding)
    }

    fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    async fn send(&self, running: &Running) -> Reply {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}{}", running.http, self.path);
        let mut request = client.request(self.method.clone(), url).body(self.body.clone());
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        Reply { status, headers, text }
    }
}

struct Reply {
    status: u16,
    headers: http::HeaderMap,
    text: String,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

fn loki_protobuf() -> Ask {
    Ask::new(
        "/loki/api/v1/push",
        "application/x-protobuf",
        push(vec![stream(r#"{app="shop", level="warn"}"#, 2)]),
    )
}

fn loki_json() -> Ask {
    let body = json!({"streams": [{
        "stream": {"app": "shop", "level": "warn"},
        "values": [["1774000000000000005", "line 0", {"user": "7"}], ["1774000000000000005", "line 1", {"user": "7"}]],
    }]});
    Ask::new("/loki/api/v1/push", "application/json", body.to_string())
}

const DOCUMENT: &str = r#"{"@timestamp":"2026-03-20T09:46:40Z","message":"line","log":{"level":"warn"}}"#;

fn bulk() -> Ask {
    let body = format!("{{\"create\":{{\"_index\":\"logs-shop\"}}}}\n{DOCUMENT}\n").repeat(2);
    Ask::new("/elasticsearch/_bulk", "application/x-ndjson", body)
}

fn doc() -> Ask {
    Ask::new("/elasticsearch/logs-shop/_doc", "application/json", DOCUMENT)
}

/// Rows of one table: what is sent, and the status, with `Retry-After` where there is one.
type Row = (&'static str, &'static str, Ask, &'static str);

/// What is the same for every endpoint.
fn common(endpoint: &'static str, good: fn() -> Ask, created: &'static str) -> Vec<Row> {
    let plain = good().body.clone();
    vec![
        ("two good records, or one", endpoint, good(), created),
        ("the same, gzip", endpoint, good().body(gzip(&plain)).encoded("gzip"), created),
        ("gzip cut at the end", endpoint, good().body(gzip(&plain)[..20].to_vec()).encoded("gzip"), "400"),
        ("plain bytes that claim to be gzip", endpoint, good().encoded("gzip"), "400"),
        ("too large, plain", endpoint, good().body(noise(4 * MIB + 1)), "413"),
        ("too large, compressed", endpoint, good().body(noise(MIB + 1)).encoded("gzip"), "413"),
        ("gzip bomb (1 : 1000)", endpoint, good().body(gzip_bomb(64)).encoded("gzip"), "413"),
        ("content type application/xml", endpoint, good().with("content-type", "application/xml"), "415"),
        ("encoding br", endpoint, good().encoded("br"), "415"),
        ("no token", endpoint, good().with("authorization", ""), "401"),
        ("wrong token", endpoint, good().token("wrong"), "401"),
        ("token that may not write", endpoint, good().token("reader"), "403"),
        ("foreign Origin", endpoint, good().with("origin", "https://evil.example"), "403"),
        ("Host that is not allowed", endpoint, good().with("host", "rebound.example:7070"), "403"),
        ("text/plain", endpoint, good().with("content-type", "text/plain"), "403"),
        ("bad producer header", endpoint, good().with("narrows-producer", "host-1;zz;1;1"), "400"),
        ("DELETE", endpoint, Ask { method: Method::DELETE, ..good() }, "405"),
        ("tenant over its limit", endpoint, good().token("throttled"), "429, retry after 3 s"),
        ("disk full or failed", endpoint, good().token("unavailable"), "503, retry after 1 s"),
    ]
}

fn loki_rows() -> Vec<Row> {
    let (raw, text) = ("Loki protobuf", "Loki JSON");
    let mut rows = common(raw, loki_protobuf, "204");
    rows.extend(common(text, loki_json, "204"));
    let bomb = || {
        let mut bomb = snappy(&vec![0; 8 * MIB]);
        bomb.truncate(MIB);
        bomb
    };
    let streams = |labels: &str, count: usize| loki_protobuf().body(push(vec![stream(labels, 1); count]));
    let labels = |count: usize| {
        format!("{{{}}}", (0..count).map(|at| format!("l{at}=\"v\"")).collect::<Vec<_>>().join(","))
    };
    rows.extend([
        ("no content type", raw, loki_protobuf().with("content-type", ""), "204"),
        ("Content-Encoding: snappy", raw, loki_protobuf().encoded("snappy"), "204"),
        ("deflate", text, loki_json().body(deflate(&loki_json().body)).encoded("deflate"), "204"),
        ("an empty body", raw, loki_protobuf().body(""), "204"),
        ("an empty body", text, loki_json().body(""), "400"),
        (
            "protobuf without snappy",
            raw,
            loki_protobuf().body(Push { streams: vec![stream("{}", 2)] }.encode_to_vec()),
            "400",
        ),
        ("malformed", raw, loki_protobuf().body(snappy(&[0x0f; 64])), "400"),
        ("malformed", text, loki_json().body(r#"{"streams":[}"#), "400"),
        ("snappy bomb (1 : 20)", raw, loki_protobuf().body(bomb()), "413"),
        ("labels that cannot be parsed", raw, streams("{app=shop}", 1), "400"),
        ("a stream with 129 labels", raw, streams(&labels(129), 1), "400"),
        ("a stream with 128 labels", raw, streams(&labels(128), 1), "204"),
        ("101 streams", raw, streams("{}", 101), "400"),
        ("1,001 entries", raw, loki_protobuf().body(push(vec![stream("{}", 1001)])), "400"),
        (
            "times that are no numbers",
            text,
            loki_json().body(r#"{"streams":[{"values":[["now","x"]]}]}"#),
            "400",
        ),
        ("a record older than retention", raw, loki_protobuf().token("picky"), "400"),
        ("batch refused by the store", raw, loki_protobuf().token("refused"), "400"),
        ("batch too large for the journal", raw, loki_protobuf().token("toolarge"), "413"),
    ]);
    rows
}

fn deflate(plain: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn elasticsearch_rows() -> Vec<Row> {
    let (many, one) = ("_bulk", "_doc");
    let mut rows = common(many, bulk, "200");
    rows.extend(common(one, doc, "201"));
    let after = |line: &str| {
        let good = String::from_utf8(bulk().body.to_vec()).unwrap();
        bulk().body(format!("{good}{line}\n"))
    };
    rows.extend([
        ("no content type", many, bulk().with("content-type", ""), "415"),
        ("the same, zstd", many, bulk().body(zstd(&bulk().body)).encoded("zstd"), "200"),
        ("compatible-with=8", many, bulk().with("content-type", "application/vnd.elasticsearch+x-ndjson; compatible-with=8"), "200"),
        ("an empty body", many, bulk().body(""), "400"),
        ("an empty body", one, doc().body(""), "400"),
        ("no newline at the end", many, bulk().body(bulk().body.trim_ascii_end().to_vec()), "200"),
        ("a document that is no JSON", many, after("{\"index\":{\"_index\":\"x\"}}\n{broken"), "200, items 201 201 400"),
        ("a document that is no object", many, after("{\"index\":{\"_index\":\"x\"}}\n7"), "200, items 201 201 400"),
        ("a document that is no JSON", one, doc().body("{broken"), "400"),
        ("update and delete", many, after("{\"delete\":{\"_index\":\"x\",\"_id\":\"1\"}}\n{\"update\":{\"_index\":\"x\",\"_id\":\"1\"}}\n{}"), "200, items 201 201 400 400"),
        ("no index anywhere", many, after("{\"index\":{}}\n{}"), "200, items 201 201 400"),
        ("an action that is none", many, after("{\"message\":\"x\"}"), "400"),
        ("an action without its document", many, after("{\"index\":{}}"), "400"),
        ("values nested 65 levels deep", many, after(&format!("{{\"index\":{{\"_index\":\"x\"}}}}\n{{\"a\":{}{}}}", "[".repeat(65), "]".repeat(65))), "200, items 201 201 400"),
        ("a document with 1,025 members", many, after(&format!("{{\"index\":{{\"_index\":\"x\"}}}}\n{{{}}}", (0..1025).map(|at| format!("\"m{at}\":1")).collect::<Vec<_>>().join(","))), "200, items 201 201 400"),
        ("1,001 items", many, bulk().body("{\"create\":{\"_index\":\"x\"}}\n{}\n".repeat(1001)), "400"),
        ("a record older than retention", many, bulk().token("picky"), "200, items 400 201"),
        ("a record older than retention", one, doc().token("picky"), "400"),
        ("batch refused by the store", many, bulk().token("refused"), "200, items 400 400"),
        ("refresh=perhaps", one, Ask { path: "/elasticsearch/a/_doc?refresh=perhaps", ..doc() }, "400"),
        ("filter_path with 17 steps", many, Ask { path: "/elasticsearch/_bulk?filter_path=**.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*", ..bulk() }, "400"),
        ("a search", many, Ask { path: "/elasticsearch/logs-shop/_search", ..bulk() }, "404"),
    ]);
    rows
}

fn limits() -> Limits {
    Limits {
        max_compressed_bytes: MIB,
        max_decompressed_bytes: 4 * MIB,
        max_streams: 100,
        max_items: 1000,
        ..Limits::default()
    }
}

/// The statuses of a bulk answer's items, where one is not 201.
fn items(reply: &Reply) -> String {
    let body = reply.json();
    let statuses: Vec<_> = body["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| {
            let (_, item) = item.as_object().unwrap().iter().next().unwrap();
            assert_eq!(item["status"] == 201, item.get("error").is_none(), "{item}");
            item["status"].to_string()
        })
        .collect();
    let has_errors = statuses.iter().any(|status| status != "201");
    assert_eq!(body["errors"], has_errors, "{body}");
    if has_errors { format!(", items {}", statuses.join(" ")) } else { String::new() }
}

/// Sends each row, checks what `check` says about the answer's shape, and that the page documents it.
async fn walk(rows: Vec<Row>, page: &str, name: &str, check: fn(&Reply)) {
    let running = start(limits()).await;
    let (mut lines, mut failures) = (Vec::new(), Vec::new());
    for (input, endpoint, ask, expected) in rows {
        let before = running.sink.batches.lock().len();
        let reply = ask.send(&running).await;
        let stored = running.sink.batches.lock().len() - before;
        check(&reply);
        let retry = match reply.header("retry-after") {
            "" => String::new(),
            seconds => format!(", retry after {seconds} s"),
        };
        let items = if reply.status == 200 { items(&reply) } else { String::new() };
        let got = format!("{}{retry}{items}", reply.status);
        lines.push(format!("| {input} | {endpoint} | {got} |"));
        let may_be_stored = reply.status < 300 || input.contains("older than retention");
        if got != expected || (!may_be_stored && stored > 0) {
            failures.push(format!("{input} at {endpoint}: {got}, {stored} batches, {}", reply.text));
        }
    }
    println!("| input | endpoint | status |\n|---|---|---|\n{}", lines.join("\n"));
    assert!(failures.is_empty(), "{failures:#?}");
    let missing: Vec<_> = lines.iter().filter(|line| !page.contains(line.as_str())).collect();
    assert!(missing.is_empty(), "{name} lacks {missing:#?}");
    let counts = running.server.counts();
    assert_eq!(counts.requests as usize, lines.len());
    assert_eq!(counts.in_flight_bytes, 0, "every lease was given back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bad_input_gets_its_status_at_loki_s_endpoint() {
    let page = include_str!("../../../docs/loki.md");
    walk(loki_rows(), page, "docs/loki.md", |reply| {
        if reply.status == 204 {
            assert_eq!((reply.text.as_str(), reply.header("content-type")), ("", ""));
        } else {
            assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
            assert!(reply.text.trim().len() > 10, "a reason: {}", reply.text);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bad_input_gets_its_status_at_elasticsearch_s_endpoints() {
    let page = include_str!("../../../docs/elasticsearch.md");
    walk(elasticsearch_rows(), page, "docs/elasticsearch.md", |reply| {
        assert_eq!(reply.header("x-elastic-product"), "Elasticsearch");
        assert_eq!(reply.header("allow"), if reply.status == 405 { "POST, PUT" } else { "" });
        assert_eq!(reply.header("www-authenticate").is_empty(), reply.status != 401);
        let body = reply.json();
        if reply.status >= 300 {
            assert_eq!(body["status"], reply.status, "{body}");
            let reason = body["error"]["reason"].as_str().or(body["error"].as_str());
            assert!(reason.is_some_and(|reason| reason.len() > 10), "{body}");
            let cause = &body["error"]["root_cause"][0]["type"];
            assert!(
                body["error"].is_string() || cause.is_string() && *cause == body["error"]["type"],
                "{body}"
            );
        }
    })
    .await;
}

/// The records that the sink has, as body, severity and resource.
fn stored(running: &Running) -> Vec<Value> {
    let batches = running.sink.batches.lock();
    let of_batch = |payload: &Bytes| {
        let request = LogsRequest::parse(payload).unwrap();
        let show = |(resource, _, record): (
            telemetry::otlp::ResourceLogs<'_>,
            _,
            telemetry::otlp::LogRecord<'_>,
        )| {
            json!([
                record.body.to_text(),
                record.severity_number,
                record.time_ns,
                resource.resource.attributes().to_json()
            ])
        };
        request.records().map(show).collect::<Vec<_>>()
    };
    batches.iter().flat_map(|batch| of_batch(&batch.payload)).collect()
}

#[tokio::test]
async fn what_loki_s_clients_send_is_what_the_sink_gets() {
    let running = start(limits()).await;
    for ask in [loki_protobuf(), loki_json()] {
        assert_eq!(ask.send(&running).await.status, 204);
    }
    let resource = json!({"app": "shop", "level": "warn", "service.name": "shop"});
    let expected: Vec<_> = [0, 1, 0, 1]
        .map(|at| json!([format!("line {at}"), 13, 1_774_000_000_000_000_005_u64, resource]))
        .to_vec();
    assert_eq!(stored(&running), expected);
}

#[tokio::test]
async fn a_bulk_is_cut_into_batches_and_every_item_keeps_its_own_status() {
    let running = start(Limits::default()).await;
    let line = |at: usize| format!("{{\"create\":{{\"_index\":\"logs-a\"}}}}\n{{\"message\":\"m{at}\"}}\n");
    let body: String = (0..2500).map(line).collect();
    let reply = bulk().body(body.clone()).token("picky").send(&running).await;
    let answer = reply.json();
    let refused: Vec<_> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .filter(|(_, item)| item["create"]["status"] == 400)
        .map(|(at, _)| at)
        .collect();
    assert_eq!(refused, [0, 1000, 2000], "the sink refuses the first of each batch");
    assert_eq!(running.sink.batches.lock().len(), 3);
    let counts = running.server.counts();
    assert_eq!((counts.accepted_records, counts.rejected_records), (2497, 3));
}

#[tokio::test]
async fn shippers_hear_what_they_must_hear() {
    let running = start(limits()).await;
    let cases = [
        ("GET", "/elasticsearch", "/version/number", json!("8.19.0")),
        ("GET", "/elasticsearch/", "/tagline", json!("You Know, for Search")),
        ("GET", "/elasticsearch/", "/version/build_flavor", json!("default")),
        ("GET", "/elasticsearch/_cluster/health?wait_for_status=yellow", "/status", json!("green")),
        ("GET", "/elasticsearch/_license?human=false", "/license/status", json!("active")),
        ("GET", "/elasticsearch/_xpack", "/license/type", json!("basic")),
        ("GET", "/elasticsearch/_nodes/http", "/nodes", json!({})),
        ("GET", "/elasticsearch/_ilm/policy/beats", "/beats/policy/phases", json!({})),
        ("PUT", "/elasticsearch/_ilm/policy/beats", "/acknowledged", json!(true)),
        ("GET", "/elasticsearch/_index_template/beats", "/index_templates/0/name", json!("beats")),
        ("PUT", "/elasticsearch/_index_template/beats", "/acknowledged", json!(true)),
        ("GET", "/elasticsearch/_component_template/x", "/component_templates/0/name", json!("x")),
        ("GET", "/elasticsearch/_template/logstash", "/logstash/order", json!(0)),
        ("GET", "/elasticsearch/_data_stream/logs-a", "/data_streams/0/name", json!("logs-a")),
        ("PUT", "/elasticsearch/_data_stream/logs-a/_lifecycle", "/acknowledged", json!(true)),
        ("GET", "/elasticsearch/_ingest/pipeline/p", "/p/processors", json!([])),
        ("PUT", "/elasticsearch/%3Clogs-%7Bnow%2Fd%7D-1%3E", "/index", json!("<logs-{now/d}-1>")),
        ("GET", "/elasticsearch/logs", "/logs/aliases", json!({})),
        ("POST", "/elasticsearch/_refresh", "/_shards/failed", json!(0)),
        ("POST", "/elasticsearch/logs/_refresh", "/_shards/failed", json!(0)),
    ];
    for (method, path, pointer, expected) in cases {
        let ask = Ask { method: method.parse().unwrap(), ..Ask::new(path, "application/json", "{}") };
        let ask = ask.with("accept", "application/vnd.elasticsearch+json; compatible-with=8");
        let reply = ask.send(&running).await;
        assert_eq!(
            (reply.status, reply.json().pointer(pointer)),
            (200, Some(&expected)),
            "{method} {path}: {}",
            reply.text
        );
        assert_eq!(reply.header("x-elastic-product"), "Elasticsearch", "{path}");
        assert_eq!(
            reply.header("content-type"),
            "application/vnd.elasticsearch+json;compatible-with=8",
            "{path}"
        );
    }
    for path in
        ["/elasticsearch/", "/elasticsearch/_cat/health", "/elasticsearch/_template/x", "/elasticsearch/logs"]
    {
        let reply = Ask { method: Method::HEAD, ..Ask::new(path, "", "") }.send(&running).await;
        assert_eq!((reply.status, reply.text.as_str()), (200, ""), "{path}");
        assert_eq!(reply.header("x-elastic-product"), "Elasticsearch", "{path}");
    }
    let cat =
        Ask { method: Method::GET, ..Ask::new("/elasticsearch/_cat/health", "", "") }.send(&running).await;
    assert!(
        cat.text.contains(" green ") && cat.header("content-type").starts_with("text/plain"),
        "{}",
        cat.text
    );
    let nobody = Ask { method: Method::GET, ..Ask::new("/elasticsearch/", "", "") }.with("authorization", "");
    let nobody = nobody.send(&running).await;
    assert_eq!((nobody.status, nobody.header("x-elastic-product")), (401, "Elasticsearch"));
}
