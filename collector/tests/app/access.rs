//! Every route of the OpenAPI description, walked by everybody who should not get
//! anything: nobody, an ingest token, another tenant, another host's page.

use std::collections::BTreeSet;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

use crate::harness::{PASSWORD, Program, TOKEN, error_code, escape, json_of, now_ns, record, request};
use crate::roles::{PASSWORD_OF_USERS, ROUTES, add_token, add_user};
use crate::traces;

/// Routes that anybody may ask, from this machine.
const OPEN: [&str; 10] = [
    "delete /api/v1/narrows/session",
    "get /alertmanager/-/healthy",
    "get /alertmanager/-/ready",
    "post /alertmanager/api/v2/alerts",
    "get /-/healthy",
    "get /-/ready",
    "get /metrics",
    "get /zipkin/health",
    "post /api/v1/narrows/changes",
    "post /api/v1/narrows/session",
];

const TENANTS: &str = "
tenants:
  - {name: acme, ingest_token: token-of-acme}
  - {name: umbrella, ingest_token: token-of-umbrella}
";

async fn description(program: &Program) -> Value {
    program.json("/api/v1/narrows/openapi.json").await
}

pub(crate) fn routes(description: &Value) -> BTreeSet<String> {
    let paths = description["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(move |method| format!("{method} {path}"))
    });
    all.collect()
}

fn call(program: &Program, route: &str, query: &str) -> RequestBuilder {
    let (method, path) = route.split_once(' ').unwrap();
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    program.client.request(method, program.url(&format!("{path}{query}")))
}

#[tokio::test]
async fn the_description_is_whole() {
    let program = Program::start();
    let description = description(&program).await;
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(routes(&description), ROUTES.iter().map(|(route, _)| (*route).to_owned()).collect());
    let mut operations = BTreeSet::new();
    for item in description["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(operations.insert(id.to_owned()), "{id} stands twice");
            assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{id}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2') || status == "101"), "{id}");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(
                    ["query", "path"].iter().any(|place| parameter["in"] == *place)
                        && parameter["description"].is_string(),
                    "{id}: {parameter}"
                );
            }
        }
    }
    let mut references = Vec::new();
    collect_references(&description, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(description.pointer(pointer).is_some(), "{reference} points nowhere");
    }
}

fn collect_references(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| match (key.as_str(), value) {
            ("$ref", Value::String(reference)) => out.push(reference.clone()),
            _ => collect_references(value, out),
        }),
        Value::Array(values) => values.iter().for_each(|value| collect_references(value, out)),
        _ => {}
    }
}

#[tokio::test]
async fn nobody_and_ingest_tokens_get_nothing() {
    let program = Program::start();
    program.send(&request("a", vec![record("x")])).await;
    let id = program.find("*", 1).await.0["records"][0]["id"].clone();
    traces::send(&program, TOKEN, &traces::request(now_ns())).await;
    seal(&program).await;
    for route in routes(&description(&program).await).iter().filter(|route| !OPEN.contains(&route.as_str())) {
        let nobody = call(&program, route, "").send().await.unwrap();
        assert_eq!(error_code(nobody, StatusCode::UNAUTHORIZED).await, "unauthenticated", "{route}");
        for wrong in ["wrong", ""] {
            let unknown = call(&program, route, "").bearer_auth(wrong).send().await.unwrap();
            assert_eq!(unknown.status(), StatusCode::UNAUTHORIZED, "{route}");
        }
        // Who it is, is all that an ingest token is told.
        let expected = if route.ends_with("/session") { StatusCode::OK } else { StatusCode::FORBIDDEN };
        let ingest = call(&program, route, "").bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(ingest.status(), expected, "{route}");
        let admin = rightly(&program, route, id.as_str().unwrap()).await.send().await.unwrap();
        // There is no trace of the id that is asked for, no alert, and no verdict.
        let is_by_id =
            ["{trace_id}", "{fingerprint}", "/bottlenecks/"].iter().any(|part| route.contains(part));
        let is_nothing = is_by_id && admin.status() == StatusCode::NOT_FOUND;
        let is_live = admin.status() == StatusCode::UPGRADE_REQUIRED;
        let is_open = admin.status().is_success() || is_live || is_nothing;
        assert!(is_open, "{route}: {}", admin.status());
    }
}

fn silence() -> Value {
    let matcher = serde_json::json!({"name": "n", "value": "1", "isRegex": false, "isEqual": true});
    serde_json::json!({
        "matchers": [matcher], "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2100-01-01T00:00:00Z",
        "createdBy": "admin", "comment": "a test",
    })
}

/// As the admin, with what the route needs; a live tail needs a handshake, which this is not.
async fn rightly(program: &Program, route: &str, record_id: &str) -> RequestBuilder {
    let view = serde_json::json!({"name": route, "page": "logs", "state": {}});
    let as_admin = |request: RequestBuilder| request.basic_auth("admin", Some(PASSWORD));
    match route {
        "get /api/v1/narrows/logs/context" => as_admin(call(program, route, &format!("?id={record_id}"))),
        "get /api/v1/narrows/logs/values" => as_admin(call(program, route, "?field=service")),
        "put /api/v1/narrows/session/password" => {
            let change = serde_json::json!({"current": PASSWORD, "password": PASSWORD});
            as_admin(call(program, route, "")).json(&change)
        }
        "delete /api/v1/narrows/sessions/{id}" => {
            program.log_in().await;
            let sessions = program.json("/api/v1/narrows/sessions").await;
            let id = sessions["sessions"][0]["id"].as_str().unwrap().to_owned();
            as_admin(call(program, &route.replace("{id}", &id), ""))
        }
        "delete /api/v1/narrows/tokens/{id}" => {
            add_token(program, "one", "default", "read").await;
            let tokens = program.json("/api/v1/narrows/tokens").await;
            let tokens = tokens["tokens"].as_array().unwrap();
            let id = tokens.iter().find(|token| token["name"] == "one").unwrap()["id"].as_str().unwrap();
            as_admin(call(program, &route.replace("{id}", id), ""))
        }
        "post /api/v1/narrows/tokens" => {
            let token =
                serde_json::json!({"name": "a", "scopes": ["read"], "tenants": "*", "expires_at": null});
            as_admin(call(program, route, "")).json(&token)
        }
        "post /api/v1/narrows/users" => {
            let roles = serde_json::json!({"default": "viewer"});
            let user = serde_json::json!({"name": "jo", "password": PASSWORD_OF_USERS, "roles": roles});
            as_admin(call(program, route, "")).json(&user)
        }
        _ if route.contains("/users/{name}") => {
            let name = format!("of-{}", route.len());
            add_user(program, &name, "default", "viewer").await;
            let body = match route.ends_with("/password") {
                true => serde_json::json!({"password": "another password"}),
                false => serde_json::json!({"disabled": true}),
            };
            as_admin(call(program, &route.replace("{name}", &name), "")).json(&body)
        }
        "post /alertmanager/api/v2/silences" => as_admin(call(program, route, "")).json(&silence()),
        _ if route.contains("/silence/{id}") => {
            let made = as_admin(call(program, "post /alertmanager/api/v2/silences", "")).json(&silence());
            let made = json_of(made.send().await.unwrap(), StatusCode::OK).await;
            as_admin(call(program, &route.replace("{id}", made["silenceID"].as_str().unwrap()), ""))
        }
        "get /api/v1/narrows/alerts/{fingerprint}" => {
            as_admin(call(program, &route.replace("{fingerprint}", "00000000000000ff"), ""))
        }
        "post /api/v1/narrows/views" => as_admin(call(program, route, "")).json(&view),
        "post /api/v1/narrows/dashboards" => as_admin(call(program, route, "")).json(&dashboard()),
        _ if route.ends_with("{uid}") => {
            let saved = as_admin(call(program, "post /api/v1/narrows/dashboards", "")).json(&dashboard());
            assert!(saved.send().await.unwrap().status().is_success());
            as_admin(call(program, &route.replace("{uid}", "one"), ""))
        }
        "get /api/v1/label/{name}/values" => as_admin(call(program, &route.replace("{name}", "job"), "")),
        "post /api/v1/narrows/receivers/{name}/test" => {
            as_admin(call(program, &route.replace("{name}", "on-call"), ""))
        }
        "get /api/v1/narrows/services/{service}" => {
            as_admin(call(program, &route.replace("{service}", "shop"), ""))
        }
        "get /jaeger/api/operations" | "get /jaeger/api/traces" => {
            as_admin(call(program, route, "?service=a"))
        }
        _ if route.contains("/jaeger/api/metrics/") => {
            as_admin(call(program, route, "?service=a&quantile=0.5"))
        }
        "post /jaeger/api/transform" => as_admin(call(program, route, "")).json(&serde_json::json!({})),
        "get /zipkin/api/v2/autocompleteValues" => as_admin(call(program, route, "?key=host.name")),
        "get /zipkin/api/v2/traceMany" => as_admin(call(program, route, "?traceIds=1,2")),
        _ if route.contains("{trace_id}") => {
            let route = route.replace("{trace_id}", &"01".repeat(16)).replace("{span_id}", &"03".repeat(8));
            as_admin(call(program, &route, ""))
        }
        _ if route.contains("/zipkin/") => as_admin(call(program, route, "?serviceName=a")),
        _ if route.contains("/series") || route.contains("delete_series") => {
            as_admin(call(program, route, "?match[]=up"))
        }
        _ if route.contains("query_range") => {
            as_admin(call(program, route, "?query=up&start=0&end=9&step=1"))
        }
        _ if route.contains("query") => as_admin(call(program, route, "?query=up")),
        "post /api/v1/narrows/bottlenecks/analyze" => {
            as_admin(call(program, route, "")).json(&serde_json::json!({"service": "nobody"}))
        }
        _ if route.contains("/bottlenecks/{id}") => {
            let route = route.replace("{id}", "v1").replace("{n}", "0");
            as_admin(call(program, &route, "")).json(&serde_json::json!({"answer": "wrong"}))
        }
        _ if route.ends_with("{id}") => {
            let saved = as_admin(call(program, "post /api/v1/narrows/views", "")).json(&view).send().await;
            let saved = json_of(saved.unwrap(), StatusCode::CREATED).await;
            let change = serde_json::json!({"name": "x", "state": {}, "revision": saved["revision"]});
            as_admin(call(program, &route.replace("{id}", saved["id"].as_str().unwrap()), "")).json(&change)
        }
        _ => as_admin(call(program, route, "")),
    }
}

fn dashboard() -> Value {
    serde_json::json!({"dashboard": {"uid": "one", "title": "One"}})
}

#[tokio::test]
async fn another_host_is_refused_everywhere() {
    let program = Program::start();
    let others = ["get /", "get /assets/x.js", "post /v1/logs"];
    for route in ROUTES.iter().map(|(route, _)| *route).chain(others) {
        let request = call(&program, route, "").basic_auth("admin", Some(PASSWORD));
        let request = request.header("content-type", "application/json");
        let status = request.header("host", "evil.example:7070").send().await.unwrap().status();
        assert_eq!(status, StatusCode::FORBIDDEN, "{route}");
    }
}

#[tokio::test]
async fn names_of_the_configuration_are_known_everywhere() {
    let program = Program::with_config("allowed_hosts: [obs.example.org]\n");
    let status = program.get("/api/v1/narrows/status").basic_auth("admin", Some(PASSWORD));
    let status = status.header("host", "obs.example.org").send().await.unwrap();
    assert_eq!(status.status(), StatusCode::OK);
    let sent = program.post_logs(&request("a", vec![record("x")])).header("host", "OBS.example.org:443");
    let sent = sent.header("origin", "https://obs.example.org").send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::OK);
}

#[tokio::test]
async fn tokens_are_required_where_that_is_asked_for() {
    let program = Program::with_config("require_token: true\n");
    let sent = program.post_logs(&request("a", vec![record("x")]));
    assert_eq!(sent.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let metrics = program.get("/metrics").send().await.unwrap();
    assert_eq!(metrics.status(), StatusCode::UNAUTHORIZED);
    let sent = program.post_logs(&request("a", vec![record("x")])).bearer_auth(TOKEN);
    assert_eq!(sent.send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(program.json("/api/v1/narrows/status").await["otlp"]["token_required"], true);
}

#[tokio::test]
async fn an_admin_token_opens_everything() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("token"), "token-of-the-admin\n").unwrap();
    let program =
        Program::with_config(&format!("admin_token_file: {}\n", dir.path().join("token").display()));
    let status =
        program.get("/api/v1/narrows/status").bearer_auth("token-of-the-admin").send().await.unwrap();
    assert_eq!(status.status(), StatusCode::OK);
}

#[tokio::test]
async fn two_tenants_never_see_each_other() {
    let program = Program::with_config(TENANTS);
    for tenant in ["acme", "umbrella"] {
        let records = (0..20).map(|index| record(&format!("marker-{tenant} {index}"))).collect();
        let sent = program.post_logs(&request(&format!("service-{tenant}"), records));
        let sent = sent.bearer_auth(format!("token-of-{tenant}"));
        let sent = sent.header("narrows-producer", format!("agent-of-{tenant};1;1;1")).send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::OK);
        let name = format!("marker-{tenant}");
        let view = serde_json::json!({"name": name, "page": "logs", "state": {"query": name}});
        let saved = of_tenant(&program, "post /api/v1/narrows/views", "", tenant).json(&view).send().await;
        assert_eq!(saved.unwrap().status(), StatusCode::CREATED);
    }
    for sealed in [false, true] {
        if sealed {
            let seal = call(&program, "post /api/v1/narrows/admin/seal", "?merge=true")
                .basic_auth("admin", Some(PASSWORD));
            assert_eq!(seal.send().await.unwrap().status(), StatusCode::OK);
        }
        wait_for_all(&program).await;
        for (tenant, other) in
            [("acme", "umbrella"), ("umbrella", "acme"), ("default", "acme"), ("default", "umbrella")]
        {
            let root = |request: RequestBuilder| {
                request.basic_auth("admin", Some(PASSWORD)).header("x-scope-orgid", tenant)
            };
            walk(&program, tenant, other, &root).await;
            reach(&program, tenant, other).await;
        }
    }
}

async fn wait_for_all(program: &Program) {
    for tenant in ["acme", "umbrella"] {
        for _ in 0..200 {
            let answer = program.json_of_tenant("/api/v1/narrows/logs/search?query=*", tenant).await;
            if answer["matched"] == 20 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

fn of_tenant(program: &Program, route: &str, query: &str, tenant: &str) -> RequestBuilder {
    call(program, route, query).basic_auth("admin", Some(PASSWORD)).header("x-scope-orgid", tenant)
}

/// What `other` has under an id is nothing to `tenant`.
async fn reach(program: &Program, tenant: &str, other: &str) {
    let found = program.json_of_tenant("/api/v1/narrows/logs/search?limit=1", other).await;
    let Some(id) = found["records"][0]["id"].as_str() else { return };
    let own = program.json_of_tenant("/api/v1/narrows/logs/search?limit=1000", tenant).await;
    if !own["records"].to_string().contains(&format!("\"{id}\"")) {
        let context = of_tenant(program, "get /api/v1/narrows/logs/context", &format!("?id={id}"), tenant);
        assert_eq!(error_code(context.send().await.unwrap(), StatusCode::NOT_FOUND).await, "not_found");
    }
    let around =
        of_tenant(program, "get /api/v1/narrows/logs/context", &format!("?id={id}&same=none"), other);
    let around = json_of(around.send().await.unwrap(), StatusCode::OK).await.to_string();
    assert!(
        around.contains(&format!("marker-{other}")) && !around.contains(&format!("marker-{tenant} ")),
        "{around}"
    );
    let views = program.json_of_tenant("/api/v1/narrows/views", other).await;
    let view = &views["views"][0];
    let path = format!("/api/v1/narrows/views/{}", view["id"].as_str().unwrap());
    let change = serde_json::json!({"name": "stolen", "state": {}, "revision": view["revision"]});
    for method in ["put", "delete"] {
        let foreign = of_tenant(program, &format!("{method} {path}"), "", tenant).json(&change);
        assert_eq!(error_code(foreign.send().await.unwrap(), StatusCode::NOT_FOUND).await, "not_found");
    }
    assert_eq!(program.json_of_tenant("/api/v1/narrows/views", other).await, views);
}

/// No route tells `tenant` anything of `other`; and those that tell of data tell of `tenant`'s own.
async fn walk(program: &Program, tenant: &str, other: &str, show: &dyn Fn(RequestBuilder) -> RequestBuilder) {
    let (mut seen, marker) = (0, format!("marker-{tenant}"));
    for route in routes(&description(program).await).iter().filter(|route| !route.ends_with("/session")) {
        let stats = escape("* | stats count() by (service)");
        let values = "?query=*&field=body&fields=body,service&limit=100";
        for query in
            [values, "?query=*&limit=1000", &format!("?query=marker-{other}"), &format!("?query={stats}")]
        {
            let request = show(call(program, route, query));
            let text = request.send().await.unwrap().text().await.unwrap();
            let echoed = text.replace(&format!("\"query\":\"marker-{other}\""), "");
            for what in [format!("marker-{other}"), format!("service-{other}"), format!("agent-of-{other}")] {
                assert!(!echoed.contains(&what), "{tenant} sees {what} at {route}{query}: {text}");
            }
            seen += usize::from(text.contains(&marker));
        }
    }
    assert_eq!(seen > 0, tenant != "default", "{tenant} sees its own");
    let expected = if tenant == "default" { 0 } else { 20 };
    // The audit log is of the tenant `default`.
    let query = escape("-scope:audit");
    for path in ["search", "histogram"] {
        let answer =
            program.json_of_tenant(&format!("/api/v1/narrows/logs/{path}?query={query}"), tenant).await;
        assert_eq!(answer["matched"], expected, "{tenant} {path}");
    }
    if tenant != "default" {
        let status = program.json_of_tenant("/api/v1/narrows/status", tenant).await;
        assert_eq!(status["logs"]["records"], expected);
    }
}

#[tokio::test]
async fn readiness_names_nobody_to_nobody() {
    let program = Program::with_config(TENANTS);
    // Two processes that take turns on one queue.
    for (seq, run) in [(1, "a"), (2, "b"), (3, "a")] {
        let sent = program.post_logs(&request("a", vec![record("x")])).bearer_auth("token-of-acme");
        let sent =
            sent.header("narrows-producer", format!("agent-of-acme;1;{seq};{run}")).send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::OK);
    }
    seal(&program).await;
    damage_a_split(&program);
    program.json_of_tenant("/api/v1/narrows/logs/search?query=x", "acme").await;
    let cookie = program.log_in().await;
    let strangers = [
        program.get("/-/ready"),
        program.get("/-/ready").bearer_auth(TOKEN),
        program.get("/-/ready").basic_auth("admin", Some("wrong")),
        program.get("/-/ready").header("cookie", "narrows_session=x"),
    ];
    for stranger in strangers {
        let ready = json_of(stranger.send().await.unwrap(), StatusCode::OK).await;
        let expected = ["sealed files are damaged: 1", "producers are two live agents: 1"];
        assert_eq!(ready, serde_json::json!({"ready": true, "reasons": expected}));
    }
    let admin = program.get("/-/ready").header("cookie", cookie).send().await.unwrap();
    let ready = json_of(admin, StatusCode::OK).await;
    assert!(ready.to_string().contains("agent-of-acme"), "{ready}");
    assert_eq!(ready["damaged"].as_array().unwrap().len(), 1, "{ready}");
}

async fn seal(program: &Program) {
    let seal = call(program, "post /api/v1/narrows/admin/seal", "").basic_auth("admin", Some(PASSWORD));
    assert_eq!(seal.send().await.unwrap().status(), StatusCode::OK);
}

/// The files whose names the store tells; a manifest is none.
fn damage_a_split(program: &Program) {
    let mut folders = vec![program.dir.path().join("data/blobs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "split") {
                let length = std::fs::metadata(&path).unwrap().len();
                std::fs::write(&path, vec![0xAA; length as usize]).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn an_unknown_tenant_is_refused() {
    let program = Program::with_config(TENANTS);
    let request = program
        .get("/api/v1/narrows/status")
        .basic_auth("admin", Some(PASSWORD))
        .header("x-scope-orgid", "nobody");
    assert_eq!(error_code(request.send().await.unwrap(), StatusCode::FORBIDDEN).await, "forbidden");
    let who = program.json("/api/v1/narrows/session").await;
    let admin_of = |name: &str| serde_json::json!({"name": name, "role": "admin"});
    assert_eq!(who["tenants"], serde_json::json!(["default", "acme", "umbrella"].map(admin_of)));
}
