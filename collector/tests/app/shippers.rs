//! Loki's and Elasticsearch's endpoints of the real program: from a shipper's request to a search's answer.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{PASSWORD, Program, TOKEN, json_of, now_ns};

/// What the four cases of a search's record are called.
fn of(record: &Value) -> Value {
    json!([record["service"], record["host"], record["severity"], record["body"]])
}

#[tokio::test]
async fn a_loki_push_is_found() {
    let program = Program::start();
    let push = json!({"streams": [{
        "stream": {"app": "shop", "instance": "app-1:9080", "level": "warn", "env": "prod"},
        "values": [[now_ns().to_string(), "the cart is lost", {"trace_id": "5b8efff798038103d269b633813fc60c", "user": "7"}]],
    }]});
    let sent = program.client.post(program.url("/loki/api/v1/push")).json(&push).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::NO_CONTENT);
    let (answer, _) = program.find("service:shop resource.env:prod user:7 severity:warn", 1).await;
    let record = &answer["records"][0];
    assert_eq!(of(record), json!(["shop", "app-1", "warn", "the cart is lost"]));
    assert_eq!(record["trace_id"], "5b8efff798038103d269b633813fc60c");
    let old = json!({"streams": [{"stream": {"app": "shop"}, "values": [["1000000000", "too old"]]}]});
    let sent = program.client.post(program.url("/loki/api/v1/push")).json(&old).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::BAD_REQUEST);
    let reason = sent.text().await.unwrap();
    assert!(reason.starts_with("1 of 1 entries were rejected"), "{reason}");
}

#[tokio::test]
async fn a_document_is_visible_when_a_refresh_is_answered() {
    let program = Program::start();
    let search = "/api/v1/narrows/logs/search?query=elasticsearch.index:logs-shop";
    for round in 1..=20 {
        let document = json!({"message": format!("round {round}"), "service": {"name": "shop", "version": "2"}, "host": "app-1",
            "log": {"level": "error", "file": {"path": "/x"}}});
        let url = program.url("/elasticsearch/logs-shop/_doc?refresh=wait_for");
        let sent = program.client.post(url).json(&document).send().await.unwrap();
        assert_eq!(sent.headers()["x-elastic-product"], "Elasticsearch");
        let answer = json_of(sent, StatusCode::CREATED).await;
        assert_eq!((&answer["_index"], &answer["result"]), (&json!("logs-shop"), &json!("created")));
        let found = program.json(search).await;
        assert_eq!(found["matched"], round, "visible at once");
    }
    let (answer, _) = program.find("log.file.path:\"/x\" service.version:2 severity:error", 20).await;
    assert_eq!(of(&answer["records"][0]), json!(["shop", "app-1", "error", "round 20"]));
}

#[tokio::test]
async fn each_item_of_a_bulk_hears_its_own_fate() {
    let program = Program::start();
    let body = concat!(
        "{\"create\":{\"_index\":\"logs-a\",\"_id\":\"1\"}}\n{\"message\":\"good\"}\n",
        "{\"create\":{}}\n{\"@timestamp\":\"1971-01-01T00:00:00Z\",\"message\":\"older than retention\"}\n",
        "{\"create\":{}}\n{broken\n{\"delete\":{\"_id\":\"1\"}}\n",
    );
    let url = program.url("/elasticsearch/logs-b/_bulk?refresh=true");
    let request = program.client.post(url).header("content-type", "application/x-ndjson").body(body);
    let answer = json_of(request.send().await.unwrap(), StatusCode::OK).await;
    let status = |at: usize, op: &str| answer["items"][at][op]["status"].clone();
    assert_eq!(
        [status(0, "create"), status(1, "create"), status(2, "create"), status(3, "delete")],
        [201, 400, 400, 400].map(Value::from)
    );
    assert!(
        answer["items"][1]["create"]["error"]["reason"].as_str().unwrap().contains("older than"),
        "{answer}"
    );
    let found = program.json("/api/v1/narrows/logs/search?query=elasticsearch.id:1").await;
    assert_eq!(found["matched"], 1);
}

#[tokio::test]
async fn a_token_decides_about_the_tenant_in_every_dialect() {
    let program =
        Program::with_config("require_token: true\ntenants: [{name: acme, ingest_token: token-of-acme}]\n");
    let document = |authorization: &'static str, tenant: Option<&'static str>| {
        let url = program.url("/elasticsearch/logs/_doc?refresh=true");
        let mut request = program.client.post(url).json(&json!({"message": authorization}));
        if !authorization.is_empty() {
            request = request.header("authorization", authorization);
        }
        if let Some(tenant) = tenant {
            request = request.header("x-scope-orgid", tenant);
        }
        async move { request.send().await.unwrap().status() }
    };
    // id:token-of-acme
    let (key, basic) = ("ApiKey aWQ6dG9rZW4tb2YtYWNtZQ==", "Basic aWQ6dG9rZW4tb2YtYWNtZQ==");
    assert_eq!(document(key, None).await, StatusCode::CREATED);
    assert_eq!(document(basic, Some("acme")).await, StatusCode::CREATED);
    assert_eq!(document("Bearer token-of-acme", None).await, StatusCode::CREATED);
    assert_eq!(document(key, Some("default")).await, StatusCode::FORBIDDEN);
    assert_eq!(document("ApiKey d3Jvbmc6d3Jvbmc=", None).await, StatusCode::UNAUTHORIZED);
    assert_eq!(document("", None).await, StatusCode::UNAUTHORIZED);
    let push =
        json!({"streams": [{"stream": {"app": "shop"}, "values": [[now_ns().to_string(), "of default"]]}]});
    let sent = program.client.post(program.url("/loki/api/v1/push")).basic_auth("x", Some(TOKEN)).json(&push);
    assert_eq!(
        sent.header("x-scope-orgid", "default").send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    let nobody = program.client.post(program.url("/loki/api/v1/push")).json(&push).send().await.unwrap();
    assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
    program.find("\"of default\"", 1).await;
    for (tenant, count) in [("acme", 3), ("default", 1)] {
        let found = program.json_of_tenant("/api/v1/narrows/logs/search", tenant).await;
        assert_eq!(found["matched"], count, "{tenant}");
    }
}

#[tokio::test]
async fn the_root_stays_the_ui_s_and_unknown_paths_say_so() {
    let program = Program::start();
    let page = program.get("/").header("accept", "text/html").send().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(!page.headers().contains_key("x-elastic-product"));
    for path in ["/_bulk", "/elasticsearch/_msearch"] {
        let refused = program.client.post(program.url(path)).json(&json!({})).send().await.unwrap();
        assert!(refused.status().is_client_error(), "{path}");
    }
    let search =
        json_of(program.get("/elasticsearch/logs/_search").send().await.unwrap(), StatusCode::NOT_FOUND)
            .await;
    assert_eq!(search["error"]["type"], "resource_not_found_exception");
    assert_eq!(program.get("/loki/api/v1/labels").send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let admin = program.get("/elasticsearch/").basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
    assert_eq!(admin.status(), StatusCode::UNAUTHORIZED, "a login is no ingest token");
}
