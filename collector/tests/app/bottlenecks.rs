//! Verdicts, from spans to the page: a small shop whose stock slows down.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use alerting::message::Texts;
use alerting::receivers::{Guard, Receivers};
use axum::body::Body;
use bytes::Bytes;
use meta::{Meta, SqliteMeta};
use narrows_collector::api::{self, Addresses, App, Parts, Peer};
use narrows_collector::auth::{Auth, IngestGate};
use narrows_collector::commit::{FileJournals, Store, StoreOptions, local_blobs};
use narrows_collector::config::{Config, Secret, Tenant};
use narrows_collector::metrics::Metrics;
use narrows_collector::notify::{Connect, Notifier};
use narrows_collector::verdicts::{Explain, Verdicts, look};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use receive::Sink;
use reqwest::StatusCode;
use serde_json::{Value, json};
use telemetry::{Batch, Signal, TenantId};
use tower::ServiceExt;

use crate::harness::{PASSWORD, Program, attribute, error_code, json_of, now_ns, output, text};
use crate::roles::{PASSWORD_OF_USERS, add_user};
use crate::traces::{of_service, send};

pub(crate) const S: i64 = 1_000_000_000;
pub(crate) const MS: u64 = 1_000_000;
/// Requests in 10 s.
const REQUESTS: u64 = 20;

/// The requests of ten seconds: the edge asks the stock, and the stock its database. `extra_ms` is what the stock takes
/// longer itself, `edge_ms` what the edge does.
fn step(end_s: i64, extra_ms: u64, edge_ms: u64) -> ExportTraceServiceRequest {
    let (mut edge, mut stock) = (Vec::new(), Vec::new());
    for n in 0..REQUESTS {
        let end_ns = u64::try_from(end_s).unwrap() * 1_000_000_000 - n * 450 * MS - 1;
        let seed = u64::try_from(end_s).unwrap() * 1_000 + n;
        // A little noise, the same in each run.
        let noise = seed.wrapping_mul(6_364_136_223_846_793_005) >> 62;
        let stock_ms = 10 + noise + extra_ms;
        let (mut at, trace) = (end_ns, [seed.to_be_bytes(), seed.rotate_left(17).to_be_bytes()].concat());
        let mut span = |id: u8, parent: u8, name: &str, kind: i32, ms: u64| {
            let made = Span {
                trace_id: trace.clone(),
                span_id: [&seed.to_be_bytes()[1..], &[id]].concat(),
                parent_span_id: if parent == 0 {
                    Vec::new()
                } else {
                    [&seed.to_be_bytes()[1..], &[parent]].concat()
                },
                name: name.to_owned(),
                kind,
                start_time_unix_nano: at - ms * MS,
                end_time_unix_nano: at,
                ..Span::default()
            };
            at -= MS;
            made
        };
        edge.push(span(1, 0, "POST /orders", 2, stock_ms + 10 + edge_ms));
        edge.push(span(2, 1, "POST /reserve", 3, stock_ms + 4));
        stock.push(span(3, 2, "POST /reserve", 2, stock_ms));
        let database = [
            ("db.system.name", "postgresql"),
            ("db.namespace", "shop"),
            ("db.query.text", "UPDATE stock SET sold = sold + 1 WHERE sku = $1"),
        ];
        let attributes = database.map(|(key, value)| attribute(key, text(value))).to_vec();
        stock.push(Span { attributes, ..span(4, 3, "UPDATE stock", 3, 4) });
    }
    ExportTraceServiceRequest { resource_spans: vec![of_service("edge", edge), of_service("stock", stock)] }
}

/// A collector in this process whose time is what a test says.
pub(crate) struct Shop {
    store: Arc<Store>,
    app: Arc<App>,
    router: axum::Router,
    clock: Arc<AtomicI64>,
    tenant: TenantId,
}

impl Shop {
    pub(crate) async fn open(dir: &Path, now_s: i64) -> Self {
        let acme = TenantId::new("acme").unwrap();
        let mut config =
            Config { data: dir.to_owned(), admin_password: Some(Secret::new(PASSWORD)), ..Config::default() };
        let umbrella = TenantId::new("umbrella").unwrap();
        for id in [acme.clone(), umbrella] {
            let token = Some(Secret::new(format!("token-of-{id}")));
            config.tenants.push(Tenant { id, ingest_token: token, ..config.tenants[0].clone() });
        }
        let meta: Arc<dyn Meta> = Arc::new(SqliteMeta::open(&dir.join("meta.sqlite")).unwrap());
        let journals = FileJournals::new(Arc::new(journal::OsDisk), dir.join("journal"));
        let blobs = local_blobs(&dir.join("blobs")).unwrap();
        let mut options = StoreOptions::new(Arc::new(journals), blobs, Arc::clone(&meta));
        let clock = Arc::new(AtomicI64::new(now_s * S));
        let time = Arc::clone(&clock);
        options.clock = Arc::new(move || time.load(Ordering::Relaxed));
        let store = Store::open(options).await.unwrap();
        let (auth, _) = Auth::open(&config, Arc::clone(&meta)).await.unwrap();
        let connect: Connect =
            Arc::new(|_, _| Ok(Arc::new(Receivers::new(Texts::shipped(""), Guard::new(Vec::new())))));
        let notifier = Notifier::open(&config, Arc::new(journal::OsDisk), connect).await.unwrap();
        let verdicts = Arc::new(Verdicts::new(&config, Arc::clone(&meta), "https://n.example"));
        verdicts.load().await.unwrap();
        notifier.explained_by(Arc::clone(&verdicts) as Arc<dyn Explain>);
        let (auth_of_app, store_of_app, metrics) =
            (Arc::clone(&auth), Arc::clone(&store), Arc::new(Metrics::new()));
        let parts = Parts { auth: auth_of_app, store: store_of_app, meta, metrics, notifier, verdicts };
        let app = App::new(parts, &config.limits, Addresses::default());
        let receiver = receive::Server::new(Arc::clone(&store), IngestGate(auth), receive::Limits::default());
        let router = api::router(&app, receive::http_router(Arc::new(receiver)));
        Self { store, app, router, clock, tenant: acme }
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.clock.load(Ordering::Relaxed) / S
    }

    /// Ten seconds pass, in which the stock is slower by so much.
    async fn pass(&self, extra_ms: u64) {
        self.pass_with(extra_ms, 0).await;
    }

    async fn pass_with(&self, extra_ms: u64, edge_ms: u64) {
        let end_s = self.tick();
        self.append(Signal::Spans, step(end_s, extra_ms, edge_ms).encode_to_vec()).await;
    }

    /// Ten seconds pass; gives the new time, s.
    pub(crate) fn tick(&self) -> i64 {
        let now_s = self.now_s() + 10;
        self.clock.store(now_s * S, Ordering::Relaxed);
        now_s
    }

    /// What comes now.
    pub(crate) async fn append(&self, signal: Signal, payload: Vec<u8>) {
        let batch = Batch {
            tenant: self.tenant.clone(),
            signal,
            producer: None,
            // The bucket before is over then.
            received_at_ns: self.now_s() * S + 1,
            payload: Bytes::from(payload),
        };
        self.store.append(batch).await.unwrap();
    }

    /// All buckets but the newest, which is not over, are in the series.
    async fn settle(&self) {
        self.store.wait_visible().await;
        let name = telemetry::samples::MatchOp::Equal;
        let matchers = [promql::Matcher::new("__name__", name, "narrows_red_calls").unwrap()];
        let end_ms = (self.now_s() - 10) * 1_000;
        for _ in 0..1_000 {
            let series = self.store.series(&self.tenant);
            let select = promql::Select { matchers: &matchers, start_ms: end_ms, end_ms };
            let found = promql::Querier::select(&series, &select).unwrap();
            let mut values = promql::Values::default();
            let is_there = (0..found.len()).any(|at| {
                found.read(at, &mut values).unwrap();
                !values.times_ms.is_empty()
            });
            if is_there {
                return self.store.wait_samples_visible().await;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the bucket that ended at {end_ms} does not come");
    }

    pub(crate) async fn look(&self) {
        self.settle().await;
        look(&self.app, &self.tenant, self.now_s()).await;
    }

    async fn call(&self, method: &str, path: &str, tenant: &str, body: Option<Value>) -> (StatusCode, Value) {
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("authorization", format!("Basic {}", base64(&format!("admin:{PASSWORD}"))))
            .header("x-scope-orgid", tenant)
            .header("content-type", "application/json")
            .extension(Peer(peer))
            .extension(axum::extract::ConnectInfo(peer));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let response = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 64 << 20).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", &format!("/api/v1/narrows/{path}"), "acme", None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }
}

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

pub(crate) fn ids(list: &Value) -> Vec<String> {
    list["verdicts"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verdict_opens_is_revised_survives_and_closes() {
    let dir = tempfile::tempdir().unwrap();
    let start_s = now_ns() as i64 / S / 10 * 10 - 7_200;
    let shop = Shop::open(dir.path(), start_s).await;
    for _ in 0..90 {
        shop.pass(0).await;
    }
    shop.look().await;
    let calm = shop.get("bottlenecks?state=all").await;
    assert_eq!(ids(&calm), Vec::<String>::new(), "nothing is wrong");
    // This shop's clock is two hours behind: a look of then is too long ago.
    assert_eq!((&calm["looked_at_s"], &calm["watch"]), (&json!(shop.now_s()), &json!("late")));

    // From here on the stock takes 80 ms more. A minute after, at the latest, it is said.
    let onset_s = shop.now_s();
    for _ in 0..6 {
        shop.pass(80).await;
        shop.look().await;
    }
    let open = shop.get("bottlenecks").await;
    assert_eq!(ids(&open).len(), 1, "{open}");
    let (id, verdict) = (ids(&open)[0].clone(), open["verdicts"][0]["verdict"].clone());
    assert_eq!(verdict["culprit"]["entity"]["service"], "stock", "{verdict}");
    assert_eq!(
        (&verdict["symptom"]["service"], &verdict["symptom"]["operation"]),
        (&json!("edge"), &json!("POST /orders"))
    );
    let contribution = verdict["culprit"]["contribution"].as_f64().unwrap();
    assert!((contribution - 80.0).abs() < 8.0, "{contribution}");
    let said_s = verdict["window"]["onset_s"].as_i64().unwrap();
    assert!((said_s - onset_s).abs() <= 20, "{said_s} {onset_s}");
    assert!(open["verdicts"][0]["opened_s"].as_i64().unwrap() - onset_s <= 60, "{open}");
    assert!(verdict["data_quality"]["traces"].as_u64().unwrap() > 30, "{verdict}");

    // It goes on: revisions, which never change.
    let first = shop.get(&format!("bottlenecks/{id}?rev=1")).await;
    for _ in 0..6 {
        shop.pass(80).await;
        shop.look().await;
    }
    let one = shop.get(&format!("bottlenecks/{id}")).await;
    let revisions = one["revisions"].as_array().unwrap();
    assert!(revisions.len() >= 3 && one["rev"] == revisions.len(), "{one}");
    assert_eq!(shop.get(&format!("bottlenecks/{id}?rev=1")).await, {
        let mut first = first.clone();
        first["revisions"] = one["revisions"].clone();
        first
    });
    assert_eq!(ids(&shop.get("bottlenecks?state=all").await), std::slice::from_ref(&id), "it is one verdict");

    // Alerts carry it.
    let alert = json!([{"labels": {"alertname": "Slow", "service": "edge"}}, {"labels": {"alertname": "Slow", "service": "else"}}]);
    let (status, body) = shop.call("POST", "/alertmanager/api/v2/alerts", "acme", Some(alert)).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let alerts = shop.get("alerts").await;
    let annotations = |service: &str| {
        let found =
            alerts["alerts"].as_array().unwrap().iter().find(|one| one["labels"]["service"] == service);
        found.unwrap()["annotations"].clone()
    };
    assert_eq!(annotations("edge")["verdict_id"], *id);
    assert_eq!(annotations("edge")["verdict_url"], format!("https://n.example/bottlenecks/{id}"));
    assert_eq!(annotations("else"), json!({}));
    assert_eq!(shop.get(&format!("bottlenecks/{id}")).await["alerts"].as_array().unwrap().len(), 1);

    // Its charts.
    let symptom = shop.get(&format!("bottlenecks/{id}/symptom")).await;
    let values: Vec<f64> = symptom["value"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
    assert!(values.iter().any(|ms| *ms < 25.0) && values.iter().any(|ms| *ms > 95.0), "{symptom}");
    let threshold = symptom["threshold"].as_f64().unwrap();
    assert!((22.0..60.0).contains(&threshold) && symptom["p95"].is_array(), "{symptom}");
    let evidence = one["verdict"]["evidence"].as_array().unwrap();
    let asked = evidence.iter().position(|one| one["query"].is_string()).unwrap_or(0);
    let data = shop.get(&format!("bottlenecks/{id}/evidence/{asked}/data")).await;
    assert_eq!(data["evidence"], evidence[asked]);
    // What is charted is what is said, in its unit.
    let own = shop.get(&format!("bottlenecks/{id}/evidence/0/data")).await;
    let charted: Vec<f64> =
        own["series"][0]["values"].as_array().unwrap().iter().filter_map(|at| at[1].as_f64()).collect();
    for (said, charted) in
        [(&own["evidence"]["baseline"], charted[5]), (&own["evidence"]["now"], charted[charted.len() - 1])]
    {
        let said = said.as_f64().unwrap();
        assert!((said / charted - 1.0).abs() < 0.15, "{said} ms, {charted} ms: {}", own["evidence"]);
    }
    // Of the revision that is shown, whichever is the newest meanwhile.
    let of_first = shop.get(&format!("bottlenecks/{id}/evidence/0/data?rev=1")).await;
    assert_eq!(of_first["evidence"], first["verdict"]["evidence"][0]);
    assert_ne!(of_first["evidence"], evidence[0], "they are told apart");
    let of_first = shop.get(&format!("bottlenecks/{id}/symptom?rev=1")).await;
    assert!(of_first["times"].as_array().unwrap().len() > 30, "{of_first}");
    for path in ["evidence/99/data", "evidence/0/data?rev=99", "symptom?rev=99"] {
        let path = format!("/api/v1/narrows/bottlenecks/{id}/{path}");
        assert_eq!(shop.call("GET", &path, "acme", None).await.0, StatusCode::NOT_FOUND, "{path}");
    }

    // The same question has the same answer, to the letter.
    let question =
        json!({"service": "edge", "operation": "POST /orders", "from": onset_s, "to": shop.now_s() - 10});
    let analyze = async |tenant: &str| {
        shop.call("POST", "/api/v1/narrows/bottlenecks/analyze", tenant, Some(question.clone())).await
    };
    let (status, answer) = analyze("acme").await;
    assert_eq!(
        (status, &answer["culprit"]["entity"]["service"]),
        (StatusCode::OK, &json!("stock")),
        "{answer}"
    );
    assert_eq!(analyze("acme").await.1, answer);

    // Nobody else sees it.
    for tenant in ["umbrella", "default"] {
        let (_, list) = shop.call("GET", "/api/v1/narrows/bottlenecks?state=all", tenant, None).await;
        assert_eq!(list, json!({"verdicts": [], "watch": "on", "looked_at_s": null}));
        let path = format!("/api/v1/narrows/bottlenecks/{id}");
        for (method, path, body) in [
            ("GET", path.clone(), None),
            ("GET", format!("{path}/symptom"), None),
            ("POST", format!("{path}/feedback"), Some(json!({"answer": "wrong"}))),
        ] {
            assert_eq!(shop.call(method, &path, tenant, body).await.0, StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(analyze(tenant).await.0, StatusCode::NOT_FOUND);
    }

    // Feedback stays, whatever comes.
    let feedback = json!({"answer": "correct", "actual": "a lock"});
    let path = format!("/api/v1/narrows/bottlenecks/{id}/feedback");
    let (status, said) = shop.call("POST", &path, "acme", Some(feedback)).await;
    assert_eq!((status, &said["feedback"]["by"]), (StatusCode::OK, &json!("admin")));
    assert_eq!(
        shop.call("POST", &path, "acme", Some(json!({"answer": "maybe"}))).await.0,
        StatusCode::BAD_REQUEST
    );

    // A restart, and the symptom goes on.
    let now_s = shop.now_s();
    Arc::clone(&shop.store).shutdown().await;
    drop(shop);
    let shop = Shop::open(dir.path(), now_s).await;
    assert_eq!(ids(&shop.get("bottlenecks").await), std::slice::from_ref(&id));
    for _ in 0..3 {
        shop.pass(80).await;
        shop.look().await;
    }
    let after = shop.get(&format!("bottlenecks/{id}")).await;
    assert!(after["rev"].as_u64() > one["rev"].as_u64() && after["closed_s"].is_null(), "{after}");
    assert_eq!(after["feedback"]["actual"], "a lock");

    // It is over.
    let over_s = shop.now_s();
    for _ in 0..14 {
        shop.pass(0).await;
        shop.look().await;
    }
    assert_eq!(ids(&shop.get("bottlenecks").await), Vec::<String>::new());
    let closed = shop.get("bottlenecks?state=closed").await;
    assert_eq!(ids(&closed), [id], "{closed}");
    let closed = &closed["verdicts"][0];
    // The mean of three steps is high a little longer; then it must have been usual for a minute.
    let closed_s = closed["closed_s"].as_i64().unwrap();
    assert!(closed_s - over_s >= 80, "closed too early: {} s", closed_s - over_s);
    assert_eq!(
        (&closed["verdict"]["state"], &closed["feedback"]["answer"]),
        (&json!("closed"), &json!("correct"))
    );
    assert_eq!(closed["verdict"]["culprit"]["entity"]["service"], "stock");
    let alerts = shop.get("alerts").await;
    assert!(!alerts.to_string().contains("verdict_id"), "what is over explains nothing: {alerts}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_back_for_another_reason_is_another_verdict() {
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::open(dir.path(), now_ns() as i64 / S / 10 * 10 - 7_200).await;
    for _ in 0..90 {
        shop.pass(0).await;
    }
    let follow = async |steps: usize, stock_ms: u64, edge_ms: u64| {
        for _ in 0..steps {
            shop.pass_with(stock_ms, edge_ms).await;
            shop.look().await;
        }
    };
    let named = |list: &Value| -> Vec<(String, bool)> {
        let all = list["verdicts"].as_array().unwrap().iter();
        let named = all.map(|one| {
            let service = one["verdict"]["culprit"]["entity"]["service"].as_str().unwrap();
            (service.to_owned(), one["closed_s"].is_null())
        });
        named.collect()
    };
    follow(8, 80, 0).await;
    // Away for 50 s, and back for the same reason.
    follow(5, 0, 0).await;
    follow(8, 80, 0).await;
    let list = shop.get("bottlenecks?state=all").await;
    assert_eq!(named(&list), [("stock".to_owned(), true)], "{list}");

    let away_s = shop.now_s();
    follow(5, 0, 0).await;
    let back_s = shop.now_s();
    follow(7, 0, 80).await;
    let list = shop.get("bottlenecks?state=all").await;
    assert_eq!(named(&list), [("edge".to_owned(), true), ("stock".to_owned(), false)], "{list}");
    let (edge, stock) = (&list["verdicts"][0], &list["verdicts"][1]);
    let onset_s = edge["verdict"]["window"]["onset_s"].as_i64().unwrap();
    assert!((onset_s - back_s).abs() <= 20, "{onset_s} {back_s}");
    let contribution = edge["verdict"]["culprit"]["contribution"].as_f64().unwrap();
    assert!((contribution - 80.0).abs() < 8.0, "compared with what was usual before both: {contribution}");
    assert!(edge["opened_s"].as_i64().unwrap() - back_s <= 60, "{edge}");
    let until_s = stock["verdict"]["window"]["hot"]["to_s"].as_i64().unwrap();
    assert!((away_s - 20..=back_s).contains(&until_s), "it is of its own time: {stock}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_away_is_not_explained_anew() {
    for is_asked in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::open(dir.path(), now_ns() as i64 / S / 10 * 10 - 7_200).await;
        for _ in 0..90 {
            shop.pass(0).await;
        }
        for _ in 0..12 {
            shop.pass(80).await;
            shop.look().await;
        }
        let id = ids(&shop.get("bottlenecks").await)[0].clone();
        let mut revisions = Vec::new();
        // Its mean of 30 s is high a little longer; a minute later, or five where nobody asks, it is over.
        for _ in 0..7 {
            if is_asked {
                shop.pass(0).await;
                shop.look().await;
            } else {
                shop.tick();
                look(&shop.app, &shop.tenant, shop.now_s()).await;
            }
            let kept = shop.get(&format!("bottlenecks/{id}")).await;
            assert!(kept["closed_s"].is_null(), "{kept}");
            revisions.push(kept["rev"].as_u64().unwrap());
        }
        assert_eq!(revisions[2], revisions[6], "{is_asked}: {revisions:?}");
    }
}

fn why(program: &Program, args: &[&str]) -> (i32, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_narrows-collector"));
    for name in ["CONFIG", "DATA", "LISTEN", "LISTEN_GRPC", "RETENTION", "ADMIN_PASSWORD", "INGEST_TOKEN"] {
        command.env_remove(format!("NARROWS_{name}"));
    }
    command.env("NARROWS_ADMIN_PASSWORD", PASSWORD).arg("why").args(args).args(["--url", &program.http]);
    let output = tokio::task::block_in_place(|| output(&mut command));
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_says_why() {
    let program = Program::with_config(
        "own_metrics: false\nshipped_rules: false\nverdicts: {interval: 5s}\ntenants: [{name: acme, ingest_token: of-acme}]\n",
    );
    let (code, text) = why(&program, &["--tenant", "acme"]);
    assert_eq!((code, text.as_str()), (0, "no verdict is open\n"));
    assert_eq!(why(&program, &["--tenant", "acme", "--json"]), (0, String::new()), "no line is no JSON");
    let then = why(&program, &["--tenant", "acme", "--at", "1700000000"]);
    assert_eq!(then, (0, "no verdict was open then\n".to_owned()));
    let end_s = now_ns() as i64 / S / 10 * 10;
    for n in (0..84).rev() {
        let extra_ms = if n < 9 { 80 } else { 0 };
        send(&program, "of-acme", &step(end_s - n * 10, extra_ms, 0)).await;
    }
    let mut said = String::new();
    for _ in 0..90 {
        said = why(&program, &["--tenant", "acme"]).1;
        if said.contains("stock") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(said.contains("symptom     edge POST /orders") && said.contains("culprit     stock"), "{said}");
    assert!(said.contains(&format!("{}/bottlenecks/v", program.http)), "{said}");
    let list = program.json_of_tenant("/api/v1/narrows/bottlenecks", "acme").await;
    let id = list["verdicts"][0]["id"].as_str().unwrap().to_owned();
    let metrics = program.get("/metrics").send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("narrows_verdicts_open{tenant=\"acme\"} 1"), "{metrics}");
    // About a time without a verdict the question is put anew.
    let before = (end_s - 200).to_string();
    let (code, quiet) = why(&program, &["edge", "--tenant", "acme", "--at", &before, "--json"]);
    assert_eq!(
        (code, serde_json::from_str::<Value>(&quiet).unwrap()["state"].clone()),
        (0, json!("quiet")),
        "{quiet}"
    );
    let (code, none) = why(&program, &["nobody", "--tenant", "acme"]);
    assert!(code != 0 && none.contains("not_found"), "{none}");
    let (code, none) = why(&program, &["--at", "soon"]);
    assert!(code != 0 && none.contains("--at"), "{none}");
    let program = program.kill_and_restart_with_config();
    let list = program.json_of_tenant("/api/v1/narrows/bottlenecks?state=all", "acme").await;
    assert_eq!(list["verdicts"][0]["id"], *id, "{list}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_told_and_listed_for_their_own_tenant_alone() {
    let program =
        Program::with_config("own_metrics: false\ntenants: [{name: acme, ingest_token: of-acme}]\n");
    let post = async |token: &str, body: Value| {
        let request = program.client.post(program.url("/api/v1/narrows/changes")).bearer_auth(token);
        request.json(&body).send().await.unwrap()
    };
    let now_s = now_ns() as i64 / S;
    let change =
        json!({"service": "catalog", "kind": "deploy", "text": "catalog 1.0.0 → 1.1.0", "time": now_s - 60});
    let told = json_of(post("of-acme", change).await, StatusCode::CREATED).await;
    assert_eq!((&told["by"], &told["kind"]), (&json!("ingest"), &json!("deploy")));
    let flag = json!({"host": "app-1", "kind": "flag", "text": "list on"});
    json_of(post("of-acme", flag).await, StatusCode::CREATED).await;
    for (body, code) in [(json!({"kind": "deploy", "text": "x"}), "bad_request"), (json!([]), "bad_request")]
    {
        assert_eq!(error_code(post("of-acme", body).await, StatusCode::BAD_REQUEST).await, code);
    }
    assert_eq!(error_code(post("wrong", json!({})).await, StatusCode::UNAUTHORIZED).await, "unauthenticated");
    let mut listed = Value::Null;
    for _ in 0..200 {
        listed = program.json_of_tenant("/api/v1/narrows/changes", "acme").await;
        if listed["changes"].as_array().unwrap().len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let texts: Vec<&Value> = listed["changes"].as_array().unwrap().iter().map(|one| &one["text"]).collect();
    assert_eq!(texts, ["catalog 1.0.0 → 1.1.0", "list on"], "{listed}");
    assert_eq!(listed["changes"][0]["service"], "catalog");
    assert_eq!(program.json_of_tenant("/api/v1/narrows/changes", "default").await, json!({"changes": []}));
    let range = format!("/api/v1/narrows/changes?start={}&end={}", now_s - 600, now_s - 30);
    assert_eq!(program.json_of_tenant(&range, "acme").await["changes"].as_array().unwrap().len(), 1);
    // They are log records, too.
    let found = program.json_of_tenant("/api/v1/narrows/logs/search?query=scope:change", "acme").await;
    assert_eq!(found["matched"], 2, "{found}");
}

#[tokio::test]
async fn somebody_who_says_who_they_are_is_not_taken_for_this_machine() {
    let program =
        Program::with_config("own_metrics: false\ntenants: [{name: acme, ingest_token: of-acme}]\n");
    let mut cookies = Vec::new();
    for (name, role) in [("jo", "editor"), ("vi", "viewer")] {
        add_user(&program, name, "acme", role).await;
        let login = program.try_log_in(name, PASSWORD_OF_USERS).await;
        cookies.push(login.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned());
    }
    let post = async |path: &str, body: &Value, cookie: &str, more: &[(&str, &str)]| {
        let request = program.client.post(program.url(path)).json(body).header("cookie", cookie);
        let with =
            |request: reqwest::RequestBuilder, (name, value): &(&str, &str)| request.header(*name, *value);
        more.iter().fold(request, with).send().await.unwrap()
    };
    let page = [("origin", program.http.as_str()), ("sec-fetch-site", "same-origin")];
    let (changes, alerts) = ("/api/v1/narrows/changes", "/alertmanager/api/v2/alerts");
    let change = json!({"service": "catalog", "kind": "deploy", "text": "1 → 2"});
    let alert = json!([{"labels": {"alertname": "Disk"}}]);

    let told = json_of(post(changes, &change, &cookies[0], &page).await, StatusCode::CREATED).await;
    assert_eq!(told["by"], "jo");
    assert_eq!(post(alerts, &alert, &cookies[0], &page).await.status(), StatusCode::OK);
    for (path, body) in [(changes, &change), (alerts, &alert)] {
        let status =
            async |cookie: &str, more: &[(&str, &str)]| post(path, body, cookie, more).await.status();
        assert_eq!(status(&cookies[1], &page).await, StatusCode::FORBIDDEN, "{path}: a viewer");
        assert_eq!(status(&cookies[0], &[]).await, StatusCode::FORBIDDEN, "{path}: of no page");
        let foreign = [("origin", "https://evil.example")];
        assert_eq!(status(&cookies[0], &foreign).await, StatusCode::FORBIDDEN, "{path}: of a foreign page");
        assert_eq!(status("narrows_session=ended", &page).await, StatusCode::UNAUTHORIZED, "{path}: ended");
    }
    let mut listed = Value::Null;
    for _ in 0..200 {
        listed = program.json_of_tenant(changes, "acme").await;
        if listed["changes"].as_array().unwrap().len() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(listed["changes"][0]["by"], "jo", "{listed}");
    assert_eq!(program.json_of_tenant(changes, "default").await, json!({"changes": []}));
    assert_eq!(program.json_of_tenant(alerts, "acme").await.as_array().unwrap().len(), 1);
    assert_eq!(program.json_of_tenant(alerts, "default").await, json!([]));
}
