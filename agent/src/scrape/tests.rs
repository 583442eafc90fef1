//! Scraping against a server that answers as targets do, well and badly.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use telemetry::Signal;
use telemetry::samples::{Cursor, Entry, is_stale};

use super::*;
use crate::config::prometheus;
use crate::queue::Queue;

/// A target whose n-th answer the test chooses.
async fn serve(answer: impl Fn(u32, &Request) -> Response + Clone + Send + Sync + 'static) -> String {
    let asked = Arc::new(AtomicU32::new(0));
    let router = Router::new().fallback(move |request: Request| {
        let response = answer(asked.fetch_add(1, Ordering::SeqCst), &request);
        async move { response }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(axum::serve(listener, router).into_future());
    address
}

fn text(body: &str) -> Response {
    ([("content-type", "text/plain; version=0.0.4")], body.to_owned()).into_response()
}

fn input(text: &str) -> ScrapeInput {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prometheus.yml");
    std::fs::write(&path, text).unwrap();
    prometheus::load(&path).unwrap()
}

/// One job with a short interval.
pub(super) fn job(address: &str, more: &str) -> ScrapeInput {
    input(&format!(
        "scrape_configs:\n- job_name: j\n  scrape_interval: 250ms\n  scrape_timeout: 250ms\n  \
         static_configs: [{{targets: ['{address}']}}]\n{more}"
    ))
}

/// What the queue takes: `series value` in order of the scrapes, without the durations, with `stale` for markers.
struct Rig {
    scraping: Option<Scraping>,
    queue: Arc<Queue>,
    seen: Vec<String>,
    metadata: Vec<String>,
}

impl Rig {
    async fn start(input: &ScrapeInput) -> Self {
        let (shared, queue) = feed::tests::shared(64 << 20).await;
        let scraping = Some(Scraping::start(Some(input), "agent", &shared));
        Self { scraping, queue, seen: Vec::new(), metadata: Vec::new() }
    }

    /// Reads on until a line that contains `wanted` has come `times` times since the last call.
    async fn until(&mut self, wanted: &str, times: usize) -> Vec<String> {
        let from = self.seen.len();
        let reading = async {
            while self.seen[from..].iter().filter(|line| line.contains(wanted)).count() < times {
                for queued in self.queue.take(1 << 20).await.unwrap() {
                    assert_eq!(queued.batch.signal, Signal::Samples);
                    self.note(&queued.batch.payload);
                    self.queue.settle(queued.offset).await.unwrap();
                }
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(20), reading).await.is_ok();
        assert!(in_time, "{wanted:?} does not come: {:#?}", &self.seen[from..]);
        self.seen[from..].to_vec()
    }

    fn note(&mut self, payload: &[u8]) {
        let mut cursor = Cursor::new(payload).unwrap();
        while let Some(entry) = cursor.next().unwrap() {
            match entry {
                Entry::Metadata(metadata) => {
                    self.metadata.push(format!("{} {}", metadata.family, metadata.kind.as_str()));
                }
                Entry::Series(series) => {
                    let labels = series.labels.to_set();
                    if labels.metric() == Some("scrape_duration_seconds") {
                        continue;
                    }
                    let sample = series.samples[0];
                    let value =
                        if is_stale(sample.value) { "stale".to_owned() } else { sample.value.to_string() };
                    let exemplar = series.exemplars.first();
                    let exemplar =
                        exemplar.map_or(String::new(), |exemplar| format!(" # {}", exemplar.labels));
                    self.seen.push(format!("{labels} {value}{exemplar}"));
                }
                Entry::Delete(_) => panic!("nothing is deleted"),
            }
        }
    }

    fn status(&self) -> ScrapeStatus {
        self.scraping.as_ref().unwrap().view().status()
    }
}

/// How often a line is there.
fn count(lines: &[String], wanted: &str) -> usize {
    lines.iter().filter(|line| line.contains(wanted)).count()
}

#[tokio::test]
async fn a_scrape_brings_its_samples_and_what_is_known_of_itself() {
    let address = serve(|_, request| {
        assert_eq!(request.uri().to_string(), "/x?a=1&a=2&b=c");
        let headers = request.headers();
        assert!(
            headers["accept"].to_str().unwrap().starts_with("application/openmetrics-text;version=1.0.0")
        );
        assert_eq!(headers["x-prometheus-scrape-timeout-seconds"], "0.25");
        text("# HELP a help\n# TYPE a counter\na{job=\"own\",x=\"1\"} 1\nb 2\nc{drop=\"me\"} 3\n")
    })
    .await;
    let more = "  metrics_path: /x\n  params: {b: [c], a: ['1', '2']}\n  \
        relabel_configs: [{target_label: zone, replacement: z}]\n  \
        metric_relabel_configs: [{source_labels: [drop], regex: me, action: drop}, {regex: x, action: labeldrop}]\n\
        global: {external_labels: {cluster: k}}\n";
    let mut rig = Rig::start(&job(&address, more)).await;
    let lines = rig.until("scrape_series_added", 2).await;
    let own = |name: &str| {
        format!("{{__name__=\"{name}\", cluster=\"k\", instance=\"{address}\", job=\"j\", zone=\"z\"}}")
    };
    let expected = [
        format!(
            "{{__name__=\"a\", cluster=\"k\", exported_job=\"own\", instance=\"{address}\", job=\"j\", zone=\"z\"}} 1"
        ),
        format!("{} 2", own("b")),
        format!("{} 1", own("up")),
        format!("{} 3", own("scrape_samples_scraped")),
        format!("{} 2", own("scrape_samples_post_metric_relabeling")),
        format!("{} 2", own("scrape_series_added")),
    ];
    assert_eq!(lines[..6], expected);
    assert!(lines[6..].contains(&format!("{} 0", own("scrape_series_added"))), "{lines:#?}");
    assert_eq!(rig.metadata, ["a counter"], "told once");
    let status = &rig.status().targets[0];
    assert_eq!((status.health, status.samples, status.last_error.clone()), ("up", 2, None));
}

#[tokio::test]
async fn series_that_are_gone_get_a_marker_and_so_does_everything_when_a_scrape_fails() {
    let address = serve(|asked, _| match asked {
        0 => text("a 1\nb 1\nc 1 1000\n"),
        1 => text("a 2\n"),
        2 => text("a 3\nthis is no line\n"),
        3 => axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        _ => text("a 4\n"),
    })
    .await;
    let mut rig = Rig::start(&job(&address, "")).await;
    let lines = rig.until("\"a\", instance=", 4).await;
    let values = |name: &str| {
        let wanted = format!("__name__=\"{name}\"");
        let of = lines.iter().filter(|line| line.contains(&wanted));
        of.map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(values("a"), "1 2 stale 4");
    assert_eq!(values("b"), "1 stale");
    assert_eq!(values("c"), "1", "what has its own time gets no marker");
    assert!(values("up").starts_with("1 1 0 0"), "{lines:#?}");
    assert!(values("scrape_samples_scraped").starts_with("3 1 1 0"), "{lines:#?}");
}

#[tokio::test]
async fn a_target_that_is_gone_ends_and_one_that_stays_goes_on() {
    let (one, two) = (serve(|_, _| text("a 1\n")).await, serve(|_, _| text("a 2\n")).await);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.json");
    let write = |targets: &[&String]| {
        std::fs::write(&file, serde_json::to_vec(&serde_json::json!([{"targets": targets}])).unwrap())
            .unwrap();
    };
    write(&[&one, &two]);
    let config = |rules: &str| {
        input(&format!(
            "scrape_configs:\n- job_name: j\n  scrape_interval: 250ms\n  scrape_timeout: 250ms\n  \
             file_sd_configs: [{{files: ['{}'], refresh_interval: 1s}}]\n{rules}",
            file.display()
        ))
    };
    let mut rig = Rig::start(&config("")).await;
    rig.until("\"a\"", 4).await;
    write(&[&one]);
    let lines = rig.until("stale", 5).await;
    assert!(lines.iter().filter(|line| line.contains("stale")).all(|line| line.contains(&two)), "{lines:#?}");
    let lines = rig.until(&one, 10).await;
    assert_eq!(count(&lines, &two), 0, "{lines:#?}");
    // Other rules: the series of before ends, its target's `up` does not.
    let rules = "  metric_relabel_configs: [{target_label: new, replacement: '1'}]\n";
    rig.scraping.as_ref().unwrap().reload(Some(&config(rules)));
    let lines = rig.until("stale", 1).await;
    assert_eq!(count(&lines, "stale"), 1, "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("stale") && line.contains("__name__=\"a\"")));
    let lines = rig.until("new=\"1\"", 2).await;
    assert_eq!(count(&lines, "stale"), 0, "{lines:#?}");
    rig.scraping.take().unwrap().stop().await.unwrap();
}

#[tokio::test]
async fn packed_open_metrics_behind_a_password_are_read() {
    let address = serve(|_, request| {
        if request.headers().get("authorization").is_none_or(|value| value != "Basic dTpw") {
            return axum::http::StatusCode::UNAUTHORIZED.into_response();
        }
        assert_eq!(request.headers()["x-own"], "1");
        let body = "# TYPE a counter\na_total 1 # {trace_id=\"t\"} 1\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\n# EOF\n";
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(body.as_bytes()).unwrap();
        let headers =
            [("content-type", "application/openmetrics-text; version=1.0.0"), ("content-encoding", "gzip")];
        (headers, packed.finish().unwrap()).into_response()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "p\n").unwrap();
    let more = format!(
        "  basic_auth: {{username: u, password_file: '{}'}}\n  http_headers: {{X-Own: {{values: ['1']}}}}\n",
        file.display()
    );
    let mut rig = Rig::start(&job(&address, &more)).await;
    let lines = rig.until("h_bucket", 1).await;
    assert!(lines[0].ends_with(" 1 # {trace_id=\"t\"}"), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("le=\"1.0\"")), "{lines:#?}");
    assert_eq!(rig.metadata, ["a_total counter", "h histogram"]);
}

#[tokio::test]
async fn what_is_too_much_or_unknown_fails_the_scrape() {
    let cases = [
        ("  sample_limit: 1\n", "text/plain", "a 1\nb 1\n", "sample_limit"),
        // What stands behind the limit is not read.
        ("  sample_limit: 1\n", "text/plain", "a 1\nb 1\nthis is no line\n", "sample_limit"),
        ("  label_limit: 3\n", "text/plain", "a{b=\"1\"} 1\n", "label_limit"),
        (
            "  label_value_length_limit: 30\n",
            "text/plain",
            "a{b=\"0123456789012345678901234567890\"} 1\n",
            "longer than 30",
        ),
        ("  body_size_limit: 3B\n", "text/plain", "a 1\nb 1\n", "body_size_limit"),
        ("  target_limit: 1\n  file_sd_configs: []\n", "text/html", "", "fallback_scrape_protocol"),
        ("", "text/plain", "a{b=\"1\",b=\"2\"} 1\n", "stands twice"),
        ("", "application/openmetrics-text", "a 1\n", "# EOF"),
        ("  fallback_scrape_protocol: PrometheusText0.0.4\n", "text/html", "a{\n", "line 1, column 3"),
    ];
    for (more, media, body, words) in cases {
        let address = serve(move |_, _| ([("content-type", media)], body).into_response()).await;
        let mut rig = Rig::start(&job(&address, more)).await;
        let lines = rig.until("\"up\"", 1).await;
        assert!(lines[0].contains("\"up\"") && lines[0].ends_with(" 0"), "{more}: {lines:#?}");
        let error = async {
            loop {
                if let Some(error) = rig.status().targets[0].last_error.clone() {
                    return error;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let error = tokio::time::timeout(Duration::from_secs(5), error).await.unwrap();
        assert!(error.contains(words), "{more}: {error}");
    }
    let slow = serve(|_, _| text("a 1\n")).await;
    let mut input = job(&slow, "  target_limit: 1\n");
    input.jobs[0].groups[0].targets.push("127.0.0.1:1".to_owned());
    let mut rig = Rig::start(&input).await;
    rig.until("\"up\"", 2).await;
    assert!(rig.seen.iter().filter(|line| line.contains("\"up\"")).all(|line| line.ends_with(" 0")));
}

#[tokio::test]
async fn a_full_queue_skips_scrapes_and_counts_them() {
    let address = serve(|_, _| text("a 1\n")).await;
    let (shared, queue) = feed::tests::shared(8 << 20).await;
    let filler = || crate::queue::Parcel {
        payload: vec![0; crate::queue::MAX_PARCEL_BYTES - 1000].into(),
        items: 1,
        ..Default::default()
    };
    while queue.append(filler(), Some(Duration::ZERO)).await.is_ok() {}
    while queue
        .append(
            crate::queue::Parcel { payload: vec![0; 10].into(), items: 1, ..Default::default() },
            Some(Duration::ZERO),
        )
        .await
        .is_ok()
    {}
    let scraping = Scraping::start(Some(&job(&address, "")), "agent", &shared);
    let skipped = async {
        while shared.metrics.scrapes_skipped.with_label_values(&["queue_full"]).get() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), skipped).await.unwrap();
    let error = scraping.view().status().targets[0].last_error.clone().unwrap();
    assert!(error.contains("not kept"), "{error}");
    assert!(shared.metrics.lost().0 >= 2);
}

#[tokio::test]
async fn redirects_are_followed_unless_they_are_not_to_be() {
    let answer = |_, request: &Request| match request.uri().path() {
        "/metrics" => (axum::http::StatusCode::FOUND, [("location", "/there")]).into_response(),
        _ => text("a 1\n"),
    };
    let address = serve(answer).await;
    let mut rig = Rig::start(&job(&address, "")).await;
    rig.until("\"a\"", 1).await;
    let mut rig = Rig::start(&job(&address, "  follow_redirects: false\n")).await;
    assert!(rig.until("\"up\"", 1).await[0].ends_with(" 0"));
}

#[tokio::test]
async fn another_server_does_not_get_the_secrets_of_the_first() {
    use std::sync::Mutex;
    type Seen = Arc<Mutex<Vec<(bool, bool)>>>;
    let seen: Seen = Arc::default();
    let noted = seen.clone();
    let other = serve(move |_, request| {
        let has = |name: &str| request.headers().contains_key(name);
        noted.lock().unwrap().push((has("authorization"), has("x-api-key")));
        text("a 1\n")
    })
    .await;
    // The same host: only the port is another.
    let there = format!("http://{other}/metrics");
    let kept: Seen = Arc::default();
    let noted = kept.clone();
    let first = serve(move |_, request| {
        if request.uri().path() == "/metrics" {
            return (axum::http::StatusCode::FOUND, [("location", "/here")]).into_response();
        }
        let has = |name: &str| request.headers().contains_key(name);
        noted.lock().unwrap().push((has("authorization"), has("x-api-key")));
        (axum::http::StatusCode::FOUND, [("location", there.as_str())]).into_response()
    })
    .await;
    let more = "  basic_auth: {username: u, password: p}\n  http_headers: {X-Api-Key: {secrets: [s]}}\n";
    let mut rig = Rig::start(&job(&first, more)).await;
    rig.until("\"a\"", 1).await;
    assert_eq!(kept.lock().unwrap()[0], (true, true), "its own redirects have them");
    assert_eq!(seen.lock().unwrap()[0], (false, false));
}

#[tokio::test]
async fn passwords_in_addresses_are_not_shown() {
    let more = "  params: {module: [m], api_token: [hush]}\n  metrics_path: /x\n";
    let mut rig = Rig::start(&job("u:hush@127.0.0.1:1", more)).await;
    rig.until("\"up\"", 1).await;
    let status = rig.status();
    assert_eq!(status.targets[0].url, "http://u:xxxxx@127.0.0.1:1/x?api_token=xxxxx&module=m");
    let shown = serde_json::to_string(&status).unwrap() + &rig.seen.join("");
    assert!(!shown.contains("hush"), "{shown}");
    let scheme = "  relabel_configs: [{target_label: __scheme__, replacement: ftp}]\n";
    let bad = Rig::start(&job("u:hush@127.0.0.1:1", scheme)).await;
    let problem = async {
        while bad.status().problems.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bad.status().problems.join("")
    };
    let problem = tokio::time::timeout(Duration::from_secs(5), problem).await.unwrap();
    assert!(problem.contains("127.0.0.1:1") && !problem.contains("hush"), "{problem}");
}

/// A target behind TLS that wants a certificate of its own authority.
async fn serve_tls() -> String {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let file = |name: &str| format!("{}/tests/fixtures/tls/{name}", env!("CARGO_MANIFEST_DIR"));
    let certificate = |name: &str| CertificateDer::from_pem_file(file(name)).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate("ca.pem")).unwrap();
    let verifier =
        rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            vec![certificate("target.pem")],
            PrivateKeyDer::from_pem_file(file("target.key")).unwrap(),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                let Ok(mut stream) = acceptor.accept(socket).await else { return };
                let mut request = [0; 4096];
                while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                    let answer =
                        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 4\r\n\r\na 1\n";
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn certificates_are_checked_both_ways() {
    let address = serve_tls().await;
    let file = |name: &str| format!("{}/tests/fixtures/tls/{name}", env!("CARGO_MANIFEST_DIR"));
    let own = format!("cert_file: '{}', key_file: '{}'", file("target.pem"), file("target.key"));
    let ca = format!("ca_file: '{}'", file("ca.pem"));
    let cases = [
        (format!("{own}, {ca}, server_name: target.test"), None),
        (format!("{own}, insecure_skip_verify: true"), None),
        (format!("{own}, {ca}"), Some("certificate")),
        (format!("{own}, server_name: target.test"), Some("certificate")),
        (format!("{ca}, server_name: target.test"), Some("")),
        ("ca_file: /no/such/file".to_owned(), Some("cannot read /no/such/file")),
    ];
    for (tls, error) in cases {
        let more = format!("  scheme: https\n  tls_config: {{{tls}}}\n");
        let mut rig = Rig::start(&job(&address, &more)).await;
        let lines = rig.until("\"up\"", 2).await;
        let is_up = lines.iter().any(|line| line.contains("\"up\"") && line.ends_with(" 1"));
        assert_eq!(is_up, error.is_none(), "{tls}: {lines:#?} {:?}", rig.status().targets);
        let said = rig.status().targets[0].last_error.clone().unwrap_or_default();
        assert!(error.is_none_or(|error| !said.is_empty() && said.contains(error)), "{tls}: {said}");
    }
}
