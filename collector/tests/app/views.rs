//! Saved views: made, listed, changed, deleted; names, revisions and caps.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::{PASSWORD, Program, error_code, json_of};

const VIEWS: &str = "/api/v1/narrows/views";

async fn ask(program: &Program, method: Method, path: &str, body: &Value) -> Response {
    let request = program.client.request(method, program.url(path)).basic_auth("admin", Some(PASSWORD));
    request.json(body).send().await.unwrap()
}

async fn save(program: &Program, name: &str) -> Value {
    let body = json!({"name": name, "page": "logs", "state": {"query": name}});
    json_of(ask(program, Method::POST, VIEWS, &body).await, StatusCode::CREATED).await
}

#[tokio::test]
async fn a_view_is_kept_changed_and_deleted() {
    let program = Program::start();
    let saved = save(&program, "Fehler über alles").await;
    let mut fields: Vec<_> = saved.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["created_at", "id", "name", "page", "revision", "state", "updated_at"]);
    let other = save(&program, "another").await;

    let program = program.kill_and_restart(|_| {});
    let listed = program.json(&format!("{VIEWS}?page=logs")).await;
    assert_eq!(listed["views"], json!([saved, other]), "by name; both survive");
    assert_eq!(program.json(&format!("{VIEWS}?page=traces")).await["views"], json!([]));

    let path = format!("{VIEWS}/{}", saved["id"].as_str().unwrap());
    let change =
        |name: &str, revision: &Value| json!({"name": name, "state": {"a": [1]}, "revision": revision});
    let changed = ask(&program, Method::PUT, &path, &change("new", &saved["revision"])).await;
    let changed = json_of(changed, StatusCode::OK).await;
    assert_eq!(
        (&changed["name"], &changed["state"], &changed["id"]),
        (&json!("new"), &json!({"a": [1]}), &saved["id"])
    );
    assert_eq!(changed["created_at"], saved["created_at"]);
    assert!(changed["revision"].as_u64() > saved["revision"].as_u64());
    let stale = ask(&program, Method::PUT, &path, &change("newer", &saved["revision"])).await;
    assert_eq!(error_code(stale, StatusCode::CONFLICT).await, "conflict");
    let taken = ask(&program, Method::PUT, &path, &change("another", &changed["revision"])).await;
    assert_eq!(error_code(taken, StatusCode::CONFLICT).await, "exists");

    assert_eq!(ask(&program, Method::DELETE, &path, &json!(null)).await.status(), StatusCode::NO_CONTENT);
    for method in [Method::DELETE, Method::PUT] {
        let gone = ask(&program, method, &path, &change("x", &changed["revision"])).await;
        assert_eq!(error_code(gone, StatusCode::NOT_FOUND).await, "not_found");
    }
    assert_eq!(program.json(VIEWS).await["views"], json!([other]));
}

#[tokio::test]
async fn names_are_taken_once_even_at_once() {
    let program = Program::start();
    let body = json!({"name": "the same", "page": "logs", "state": {}});
    let tries = (0..8).map(|_| ask(&program, Method::POST, VIEWS, &body));
    let tries = futures::future::join_all(tries).await;
    let created = tries.iter().filter(|response| response.status() == StatusCode::CREATED).count();
    let refused = tries.iter().filter(|response| response.status() == StatusCode::CONFLICT).count();
    assert_eq!((created, refused), (1, 7));
    let elsewhere = json!({"name": "the same", "page": "traces", "state": {}});
    assert_eq!(ask(&program, Method::POST, VIEWS, &elsewhere).await.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn what_is_no_view_is_refused() {
    let program = Program::start();
    let full = "x".repeat(16 << 10);
    let bodies = [
        json!(null),
        json!({"name": "x", "page": "logs"}),
        json!({"name": "x", "page": "logs", "state": []}),
        json!({"name": "x", "page": "logs", "state": {}, "more": 1}),
        json!({"name": "", "page": "logs", "state": {}}),
        json!({"name": " x", "page": "logs", "state": {}}),
        json!({"name": "a\nb", "page": "logs", "state": {}}),
        json!({"name": "ä".repeat(101), "page": "logs", "state": {}}),
        json!({"name": "x", "page": "", "state": {}}),
        json!({"name": "x", "page": "../x", "state": {}}),
        json!({"name": "x", "page": "logs", "state": {"a": full}}),
        json!({"name": "x", "page": "logs", "state": {"a": "x".repeat(70 << 10)}}),
    ];
    for body in &bodies {
        let refused = ask(&program, Method::POST, VIEWS, body).await;
        let shown: String = body.to_string().chars().take(60).collect();
        assert_eq!(error_code(refused, StatusCode::BAD_REQUEST).await, "bad_request", "{shown}");
    }
    for id in ["x", "..%2F..%2Fusers%2Fadmin", "0000000000000000"] {
        let unknown = ask(&program, Method::DELETE, &format!("{VIEWS}/{id}"), &json!(null)).await;
        assert_eq!(error_code(unknown, StatusCode::NOT_FOUND).await, "not_found", "{id}");
    }
    let largest =
        json!({"name": "ä".repeat(100), "page": "logs", "state": {"a": "x".repeat((16 << 10) - 8)}});
    assert_eq!(ask(&program, Method::POST, VIEWS, &largest).await.status(), StatusCode::CREATED);
    let foreign = program.client.post(program.url(VIEWS)).basic_auth("admin", Some(PASSWORD));
    let foreign = foreign.header("origin", "https://evil.example").json(&largest).send().await.unwrap();
    assert_eq!(error_code(foreign, StatusCode::FORBIDDEN).await, "forbidden");
}

#[tokio::test]
async fn there_are_no_more_than_five_hundred() {
    let program = Program::start();
    for turn in 0..500 {
        save(&program, &format!("view {turn}")).await;
    }
    let body = json!({"name": "one more", "page": "logs", "state": {}});
    let refused = ask(&program, Method::POST, VIEWS, &body).await;
    assert_eq!(error_code(refused, StatusCode::UNPROCESSABLE_ENTITY).await, "too_many_views");
}
