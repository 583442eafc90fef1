//! The live tail: every record once and soon, whatever happens meanwhile; and only to
//! who may see it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::{SinkExt, StreamExt};
use http::StatusCode;
use narrows_collector::config::{Config, Secret};
use narrows_collector::server::Collector;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::harness::{PASSWORD, Program, TOKEN, error_code, escape, record, request, seal};

const LIVE: &str = "/api/v1/narrows/live";

struct Live {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Of the last frame.
    position: String,
}

fn admin() -> (&'static str, String) {
    ("authorization", format!("Basic {}", STANDARD.encode(format!("admin:{PASSWORD}"))))
}

impl Live {
    async fn open(program: &Program, query: &str) -> Self {
        Self::open_at(program, query, "").await
    }

    async fn open_at(program: &Program, query: &str, after: &str) -> Self {
        let parameters = format!("query={}&after={after}", escape(query));
        let mut live = Self::connect(program, &parameters, &[admin()]).await.unwrap();
        let hello = live.next().await;
        assert_eq!(hello["type"], "hello", "{hello}");
        live
    }

    /// The status and code of a refusal.
    async fn connect(
        program: &Program,
        parameters: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Self, (StatusCode, Value)> {
        Self::connect_to(&program.http, parameters, headers).await
    }

    async fn connect_to(
        http: &str,
        parameters: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Self, (StatusCode, Value)> {
        let url = format!("{http}{LIVE}?{parameters}").replacen("http", "ws", 1);
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self { socket, position: String::new() }),
            Err(Error::Http(response)) => {
                let body: Value = serde_json::from_slice(response.body().as_deref().unwrap()).unwrap();
                Err((response.status(), body["error"]["code"].clone()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// The next frame that is no pulse.
    async fn next(&mut self) -> Value {
        loop {
            let message = tokio::time::timeout(Duration::from_secs(20), self.socket.next()).await;
            let Message::Text(text) = message.expect("a frame comes").unwrap().unwrap() else { continue };
            let frame: Value = serde_json::from_str(&text).unwrap();
            if let Some(position) = frame["position"].as_str() {
                position.clone_into(&mut self.position);
            }
            if frame["type"] != "pulse" {
                return frame;
            }
        }
    }

    /// Bodies of so many records, none of which may be missing.
    async fn bodies(&mut self, count: usize) -> Vec<String> {
        let mut bodies = Vec::new();
        while bodies.len() < count {
            let frame = self.next().await;
            assert_eq!(
                (&frame["type"], &frame["dropped"], &frame["unread"]),
                (&json!("records"), &json!(0), &json!(0))
            );
            let records = frame["records"].as_array().unwrap().iter();
            bodies.extend(records.map(|record| record["body"].as_str().unwrap().to_owned()));
        }
        bodies
    }

    async fn say(&mut self, what: Value) {
        self.socket.send(Message::text(what.to_string())).await.unwrap();
    }

    /// Nothing comes for a while.
    async fn is_quiet(&mut self) {
        let quiet = tokio::time::timeout(Duration::from_millis(700), self.next()).await;
        assert!(quiet.is_err(), "{quiet:?}");
    }

    /// The error that it tells, and the code that it closes with.
    async fn end(&mut self) -> (Value, u16) {
        let mut error = Value::Null;
        loop {
            let message =
                tokio::time::timeout(Duration::from_secs(20), self.socket.next()).await.expect("it ends");
            match message {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame["type"] == "error" {
                        error = frame["error"]["code"].clone();
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    return (error, frame.map_or(0, |frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                other => panic!("no close frame: {other:?}"),
            }
        }
    }
}

fn numbered(from: usize, count: usize) -> Vec<opentelemetry_proto::tonic::logs::v1::LogRecord> {
    (from..from + count).map(|index| record(&format!("number {index}"))).collect()
}

fn expected(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("number {index}")).collect()
}

#[tokio::test]
async fn records_come_once_in_order_within_a_second_across_seals_and_merges() {
    let program = Program::start();
    program.send(&request("checkout", vec![record("before")])).await;
    let mut live = Live::open(&program, "number -service:other").await;
    let mut bodies = Vec::new();
    for batch in 0..20 {
        program.send(&request("checkout", numbered(batch * 10, 10))).await;
        let acknowledged = Instant::now();
        program.send(&request("other", numbered(0, 10))).await;
        if batch % 4 == 3 {
            seal(&program).await;
        }
        bodies.extend(live.bodies(10).await);
        if batch % 4 != 3 {
            assert!(acknowledged.elapsed() < Duration::from_secs(1), "{:?}", acknowledged.elapsed());
        }
    }
    assert_eq!(bodies, expected(200));
    live.is_quiet().await;
}

#[tokio::test]
async fn a_record_is_as_in_a_search() {
    let program = Program::start();
    let mut live = Live::open(&program, "*").await;
    program.send(&request("checkout", vec![record("once")])).await;
    let frame = live.next().await;
    let (found, _) = program.find("once", 1).await;
    assert_eq!(frame["records"], found["records"]);
    let mut again = Live::connect(&program, "query=severity%3E%3DERROR", &[admin()]).await.unwrap();
    let hello = again.next().await;
    assert_eq!((&hello["type"], hello["query"].is_string()), (&json!("hello"), true));
}

#[tokio::test]
async fn everything_comes_while_much_is_ingested_sealed_and_merged() {
    let program = Program::start();
    let mut live = Live::open(&program, "number").await;
    let ingest = async {
        for batch in 0..60 {
            program.send(&request("checkout", numbered(batch * 10, 10))).await;
            program
                .send(&request("noise", (0..200).map(|index| record(&format!("noise {index}"))).collect()))
                .await;
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    };
    let seals = async {
        for _ in 0..8 {
            seal(&program).await;
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    };
    let (bodies, (), ()) = tokio::join!(live.bodies(600), ingest, seals);
    assert_eq!(bodies, expected(600));
}

#[tokio::test]
async fn who_comes_back_goes_on_where_it_was() {
    let program = Program::start();
    let mut live = Live::open(&program, "number").await;
    program.send(&request("checkout", numbered(0, 10))).await;
    let mut bodies = live.bodies(10).await;
    let position = live.position.clone();
    drop(live);
    program.send(&request("checkout", numbered(10, 700))).await;
    seal(&program).await;
    program.send(&request("checkout", numbered(710, 90))).await;
    program.find("number", 800).await;
    // The second life of the collector has the same places.
    let program = program.kill_and_restart(|_| {});
    let mut live = Live::open_at(&program, "number", &position).await;
    bodies.extend(live.bodies(790).await);
    assert_eq!(bodies, expected(800));
    program.send(&request("checkout", numbered(800, 1))).await;
    assert_eq!(live.bodies(1).await, ["number 800"]);
}

#[tokio::test]
async fn what_is_too_fast_is_counted() {
    let program = Program::start();
    let mut live = Live::open(&program, "*").await;
    let begun = Instant::now();
    for batch in 0..4 {
        program.send(&request("checkout", numbered(batch * 1000, 1000))).await;
    }
    let (mut sent, mut left_out) = (0, 0);
    while sent + left_out < 4000 {
        let frame = live.next().await;
        sent += frame["records"].as_array().unwrap().len();
        left_out += frame["dropped"].as_u64().unwrap() as usize + frame["unread"].as_u64().unwrap() as usize;
    }
    assert_eq!(sent + left_out, 4000);
    let most = 500 * (begun.elapsed().as_secs() as usize + 2);
    assert!((500..=most).contains(&sent), "{sent} of at most {most}");
    let metrics = program.get("/metrics").send().await.unwrap().text().await.unwrap();
    for line in [
        format!("narrows_collector_live_records_total{{outcome=\"sent\"}} {sent}"),
        format!("narrows_collector_live_records_total{{outcome=\"dropped\"}} {left_out}"),
        "narrows_collector_live_connections 1".to_owned(),
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
}

#[tokio::test]
async fn a_slow_reader_slows_nobody() {
    let program = Program::start();
    let mut slow = Live::open(&program, "*").await;
    let mut quick = Live::open(&program, "mark").await;
    let long = "x".repeat(6_000);
    let begun = Instant::now();
    for batch in 0..24u64 {
        let mut records: Vec<_> = (0..500).map(|index| record(&format!("{long} {batch} {index}"))).collect();
        records.push(record("mark"));
        let acknowledged = Instant::now();
        program.send(&request("checkout", records)).await;
        assert!(acknowledged.elapsed() < Duration::from_secs(5), "{:?}", acknowledged.elapsed());
        assert_eq!(quick.bodies(1).await, ["mark"], "others get theirs");
    }
    println!("24 batches of 3 MB in {:?}", begun.elapsed());
    let (mut sent, mut left_out) = (BTreeSet::new(), 0);
    while sent.len() + left_out < 24 * 501 {
        let frame = slow.next().await;
        for record in frame["records"].as_array().unwrap() {
            assert!(sent.insert(record["id"].to_string()), "twice: {}", record["id"]);
        }
        left_out += frame["dropped"].as_u64().unwrap() as usize + frame["unread"].as_u64().unwrap() as usize;
    }
    assert_eq!(sent.len() + left_out, 24 * 501);
    assert!(left_out > 0, "nothing was held up");
}

#[tokio::test]
async fn queries_change_and_pauses_lose_nothing() {
    let program = Program::start();
    let mut live = Live::open(&program, "a").await;
    program.send(&request("checkout", vec![record("a 1"), record("b 1")])).await;
    assert_eq!(live.bodies(1).await, ["a 1"]);
    live.say(json!({"type": "query", "query": "b"})).await;
    assert_eq!(live.next().await["type"], "hello");
    program.send(&request("checkout", vec![record("a 2"), record("b 2")])).await;
    assert_eq!(live.bodies(1).await, ["b 2"]);

    live.say(json!({"type": "pause"})).await;
    live.is_quiet().await;
    let many = (0..900).map(|index| record(&format!("b {index}"))).collect();
    program.send(&request("checkout", many)).await;
    live.is_quiet().await;
    seal(&program).await;
    live.say(json!({"type": "resume"})).await;
    assert_eq!(live.bodies(900).await.len(), 900);

    live.say(json!({"type": "query", "query": "(b"})).await;
    assert_eq!(live.end().await, (json!("bad_query"), 1008));
}

#[tokio::test]
async fn what_cannot_be_followed_is_told() {
    let program = Program::start();
    let long = "x".repeat(20_000);
    for (query, code) in
        [("(a", "bad_query"), ("* | stats count()", "bad_parameter"), ("a | limit 5", "bad_parameter")]
    {
        let mut live =
            Live::connect(&program, &format!("query={}", escape(query)), &[admin()]).await.unwrap();
        assert_eq!(live.end().await, (json!(code), 1008), "{query}");
    }
    for said in ["x", "{}", r#"{"type":"stop"}"#] {
        let mut live = Live::open(&program, "*").await;
        live.socket.send(Message::text(said)).await.unwrap();
        assert_eq!(live.end().await, (json!("bad_request"), 1008), "{said}");
    }
    for parameters in ["after=x".to_owned(), format!("query={long}")] {
        let refused = Live::connect(&program, &parameters, &[admin()]).await.err().unwrap();
        assert_eq!(refused, (StatusCode::BAD_REQUEST, json!("bad_parameter")));
    }
    let plain = program.get(LIVE).basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
    assert_eq!(error_code(plain, reqwest::StatusCode::UPGRADE_REQUIRED).await, "upgrade_required");
}

#[tokio::test]
async fn only_own_pages_and_known_people_are_let_in() {
    let program = Program::start();
    let cookie = ("cookie", program.log_in().await);
    let origin = |text: &str| ("origin", text.to_owned());
    let refused = [
        (vec![], StatusCode::UNAUTHORIZED),
        (vec![("cookie", "narrows_session=x".to_owned())], StatusCode::UNAUTHORIZED),
        (vec![("authorization", "Bearer wrong".to_owned())], StatusCode::UNAUTHORIZED),
        (vec![("authorization", format!("Bearer {TOKEN}"))], StatusCode::FORBIDDEN),
        (vec![cookie.clone(), origin("https://evil.example")], StatusCode::FORBIDDEN),
        (vec![cookie.clone(), origin("null")], StatusCode::FORBIDDEN),
        (vec![cookie.clone(), ("sec-fetch-site", "cross-site".to_owned())], StatusCode::FORBIDDEN),
        (vec![admin(), origin("https://evil.example")], StatusCode::FORBIDDEN),
        (vec![admin(), ("host", "evil.example".to_owned())], StatusCode::FORBIDDEN),
        (vec![admin(), ("x-scope-orgid", "nobody".to_owned())], StatusCode::FORBIDDEN),
    ];
    for (headers, status) in refused {
        let refused = Live::connect(&program, "", &headers).await.err();
        assert_eq!(refused.map(|(status, _)| status), Some(status), "{headers:?}");
    }
    let tenant = Live::connect(&program, "tenant=nobody", &[admin()]).await.err().unwrap();
    assert_eq!(tenant.0, StatusCode::FORBIDDEN);
    let own = [cookie, origin(&program.http), ("sec-fetch-site", "same-origin".to_owned())];
    let mut live = Live::connect(&program, "", &own).await.unwrap();
    assert_eq!(live.next().await["type"], "hello");
}

#[tokio::test]
async fn a_logout_ends_it() {
    let program = Program::start();
    let (cookie, other) = (program.log_in().await, program.log_in().await);
    let mut live = Live::connect(&program, "", &[("cookie", cookie.clone())]).await.unwrap();
    let mut stays = Live::connect(&program, "query=x", &[("cookie", other)]).await.unwrap();
    assert_eq!((&live.next().await["type"], &stays.next().await["type"]), (&json!("hello"), &json!("hello")));
    let begun = Instant::now();
    let out = program.client.delete(program.url("/api/v1/narrows/session")).header("cookie", &cookie);
    assert_eq!(out.send().await.unwrap().status(), reqwest::StatusCode::NO_CONTENT);
    assert_eq!(live.end().await, (json!("bad_credentials"), 1008));
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    program.send(&request("checkout", vec![record("x")])).await;
    assert_eq!(stays.bodies(1).await, ["x"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_s_last_second_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    // Shorter than a configuration file may say.
    let config = Config {
        data: dir.path().join("data"),
        listen: "127.0.0.1:0".parse().unwrap(),
        listen_grpc: "127.0.0.1:0".parse().unwrap(),
        session_lifetime: Duration::from_secs(4),
        admin_password: Some(Secret::new(PASSWORD)),
        ..Config::default()
    };
    let collector = Collector::start(&config).await.unwrap();
    let http = format!("http://{}", collector.http);
    let login = crate::harness::client().post(format!("{http}/api/v1/narrows/session"));
    let login = login.json(&json!({"user": "admin", "password": PASSWORD})).send().await.unwrap();
    let begun = Instant::now();
    let cookie = login.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let mut live = Live::connect_to(&http, "", &[("cookie", cookie)]).await.unwrap();
    assert_eq!(live.next().await["type"], "hello");
    assert_eq!(live.end().await, (json!("bad_credentials"), 1008));
    assert!(begun.elapsed() > Duration::from_secs(2), "{:?}", begun.elapsed());
    drop(live);
    collector.shutdown().await;
}

#[tokio::test]
async fn tenants_get_their_own() {
    let program = Program::with_config("tenants:\n  - {name: acme, ingest_token: token-of-acme}\n");
    let mut default = Live::open(&program, "*").await;
    let by_header = [admin(), ("x-scope-orgid", "acme".to_owned())];
    let mut acme = Live::connect(&program, "", &by_header).await.unwrap();
    let mut page = Live::connect(&program, "tenant=acme", &[admin()]).await.unwrap();
    assert_eq!((&acme.next().await["type"], &page.next().await["type"]), (&json!("hello"), &json!("hello")));
    let sent = program.post_logs(&request("a", vec![record("of acme")])).bearer_auth("token-of-acme");
    assert_eq!(sent.send().await.unwrap().status(), reqwest::StatusCode::OK);
    assert_eq!(
        (acme.bodies(1).await, page.bodies(1).await),
        (vec!["of acme".into()], vec!["of acme".into()])
    );
    default.is_quiet().await;
    program.send(&request("a", vec![record("of default")])).await;
    assert_eq!(default.bodies(1).await, ["of default"]);
    acme.is_quiet().await;
}

#[tokio::test]
async fn a_stop_says_goodbye() {
    let mut program = Program::start();
    let mut live = Live::open(&program, "*").await;
    let begun = Instant::now();
    program.ask_to_stop();
    assert_eq!(live.end().await, (Value::Null, 1001));
    // Answers the close frame.
    assert!(live.socket.next().await.is_none());
    assert!(program.ended().success());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn there_are_no_more_than_sixty_four() {
    let program = Program::start();
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(Live::open(&program, "*").await);
    }
    let refused = Live::connect(&program, "", &[admin()]).await.err().unwrap();
    assert_eq!(refused, (StatusCode::TOO_MANY_REQUESTS, json!("busy")));
    open.pop().unwrap().socket.close(None).await.unwrap();
    let begun = Instant::now();
    while Live::connect(&program, "", &[admin()]).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(5), "the place does not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_pulse_tells_that_it_lives() {
    let program = Program::start();
    let mut live = Live::connect(&program, "", &[admin()]).await.unwrap();
    live.next().await;
    let begun = Instant::now();
    let pulse =
        tokio::time::timeout(Duration::from_secs(8), live.socket.next()).await.unwrap().unwrap().unwrap();
    let pulse: Value = serde_json::from_str(pulse.to_text().unwrap()).unwrap();
    assert_eq!((&pulse["type"], pulse["at"].is_string()), (&json!("pulse"), true));
    assert!(begun.elapsed() > Duration::from_secs(3), "every five seconds");
}
