//! Two tenants with the same kinds of everything: what is of one is in no answer to the
//! other's people and tokens, whatever they ask for, also by its id.

use prost::Message;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use telemetry::samples::{Sample, Writer};

use crate::access::routes;
use crate::harness::{PASSWORD, Program, escape, json_of, now_ns, record, request, seal};
use crate::roles::{PASSWORD_OF_USERS, add_token, add_user};
use crate::traces::{of_service, span};

const TENANTS: [&str; 2] = ["acme", "umbrella"];
const CONFIG: &str = "tenants: [{name: acme, ingest_token: token-of-acme}, {name: umbrella, ingest_token: token-of-umbrella}]\n";

/// What a tenant has, by the placeholders of paths.
struct Owned {
    tenant: &'static str,
    /// Placeholder, and what stands for it.
    ids: Vec<(&'static str, String)>,
    view: Value,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_one_tenant_is_in_an_answer_to_the_other() {
    let program = Program::with_config(CONFIG);
    let mut owned = Vec::new();
    for (index, tenant) in TENANTS.into_iter().enumerate() {
        owned.push(fill(&program, tenant, index as u8 + 1).await);
    }
    let described = routes(&program.json("/api/v1/narrows/openapi.json").await);
    for sealed in [false, true] {
        if sealed {
            seal(&program).await;
        }
        wait_for_all(&program).await;
        for (own, other) in [(&owned[0], &owned[1]), (&owned[1], &owned[0])] {
            for role in ["viewer", "admin"] {
                let user = format!("{role}-of-{}", own.tenant);
                let token =
                    add_token(&program, &user, own.tenant, if role == "viewer" { "read" } else { role })
                        .await;
                let by_password =
                    |request: RequestBuilder| request.basic_auth(&user, Some(PASSWORD_OF_USERS));
                let by_token = |request: RequestBuilder| request.bearer_auth(&token);
                walk(&program, &described, own, other, &by_password).await;
                walk(&program, &described, own, other, &by_token).await;
            }
        }
    }
    reach(&program, &owned[0], &owned[1]).await;
}

/// Records, spans, samples, a view, a dashboard, users and tokens, all with the tenant's mark.
async fn fill(program: &Program, tenant: &'static str, number: u8) -> Owned {
    let (token, mark) = (format!("token-of-{tenant}"), format!("mark-{tenant}"));
    let records = (0..5).map(|index| record(&format!("{mark} {index}"))).collect();
    let sent = program.post_logs(&request(&mark, records)).bearer_auth(&token);
    let sent = sent.header("narrows-producer", format!("{mark}-agent;1;1;1"));
    assert_eq!(sent.send().await.unwrap().status(), StatusCode::OK);
    let spans = vec![span(number, number, 0, &mark, 2, now_ns() - 60_000_000_000, (0, 100))];
    let traces = opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest {
        resource_spans: vec![of_service(&mark, spans)],
    };
    let sent = program.client.post(program.url("/v1/traces")).bearer_auth(&token);
    let sent = sent.header("content-type", "application/x-protobuf").body(traces.encode_to_vec());
    assert_eq!(sent.send().await.unwrap().status(), StatusCode::OK);
    write_series(program, &token, &mark).await;
    for role in ["viewer", "admin"] {
        add_user(program, &format!("{role}-of-{tenant}"), tenant, role).await;
    }
    add_user(program, &mark, tenant, "editor").await;
    add_token(program, &mark, tenant, "ingest").await;
    let view = json!({"name": mark, "page": "logs", "state": {"query": mark}});
    let view = create(program, "views", tenant, &view).await;
    let dashboard = json!({"dashboard": {"uid": mark, "title": mark, "tags": [mark]}});
    create(program, "dashboards", tenant, &dashboard).await;
    let owned = |name: &str| name.to_owned();
    let ids = vec![
        ("{trace_id}", format!("{number:02x}").repeat(16)),
        ("{span_id}", format!("{number:02x}").repeat(8)),
        ("{service}", mark.clone()),
        ("{uid}", mark.clone()),
        ("{id}", view["id"].as_str().unwrap().to_owned()),
        ("{name}", owned("job")),
    ];
    Owned { tenant, ids, view }
}

async fn write_series(program: &Program, token: &str, mark: &str) {
    let mut writer = Writer::new();
    let metric = format!("of_{}", mark.replace('-', "_"));
    let time_ms = i64::try_from(now_ns() / 1_000_000).unwrap();
    let labels = [("__name__", metric.as_str()), ("job", mark), ("host", mark)];
    writer.series(&mut labels.to_vec(), false, &[Sample { time_ms, value: 1.0 }], &[], &[]).unwrap();
    let body = telemetry::remote_write::encode_v2(&writer.finish()).unwrap();
    let request = program.client.post(program.url("/api/v1/write")).bearer_auth(token);
    let request = request
        .header("content-type", "application/x-protobuf;proto=io.prometheus.write.v2.Request")
        .header("content-encoding", "snappy")
        .header("x-prometheus-remote-write-version", "2.0.0");
    let sent = request.body(snap::raw::Encoder::new().compress_vec(&body).unwrap()).send().await.unwrap();
    assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
}

async fn create(program: &Program, what: &str, tenant: &str, body: &Value) -> Value {
    let request = program.client.post(program.url(&format!("/api/v1/narrows/{what}"))).json(body);
    let request = request.basic_auth("admin", Some(PASSWORD)).header("x-scope-orgid", tenant);
    json_of(request.send().await.unwrap(), StatusCode::CREATED).await
}

async fn wait_for_all(program: &Program) {
    for tenant in TENANTS {
        for path in ["logs/search?query=*", "traces/search"] {
            for _ in 0..200 {
                let answer = program.json_of_tenant(&format!("/api/v1/narrows/{path}"), tenant).await;
                let found = answer["records"].as_array().or(answer["traces"].as_array()).unwrap().len();
                if found > 0 {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
    }
}

/// Every route that reads, with what finds the most, and with what the other tenant has in its place.
async fn walk(
    program: &Program,
    described: &std::collections::BTreeSet<String>,
    own: &Owned,
    other: &Owned,
    show: &dyn Fn(RequestBuilder) -> RequestBuilder,
) {
    let (mine, theirs) = (format!("mark-{}", own.tenant), format!("mark-{}", other.tenant));
    // Where names of metrics have no hyphen; and what the routes of users and tokens tell.
    let hidden = [
        theirs.clone(),
        theirs.replace('-', "_"),
        format!("-of-{}", other.tenant),
        format!("\"{}\"", other.tenant),
    ];
    let everything = escape("{job=~\".+\"}");
    let range =
        format!("start={}&end={}&step=15", now_ns() / 1_000_000_000 - 600, now_ns() / 1_000_000_000 + 1);
    let queries = [
        "?query=*&limit=100&field=body&fields=body,service,host".to_owned(),
        format!("?query={everything}&match[]={everything}&{range}"),
        format!(
            "?service={theirs}&serviceName={theirs}&key=host.name&quantile=0.5&traceIds={}",
            other.ids[0].1
        ),
    ];
    let mut seen = 0;
    for route in described.iter().filter(|route| route.starts_with("get ")) {
        for ids in [&own.ids, &other.ids] {
            let path =
                ids.iter().fold(route["get ".len()..].to_owned(), |path, (name, id)| path.replace(name, id));
            for query in &queries {
                let answer = show(program.get(&format!("{path}{query}"))).send().await.unwrap();
                let status = answer.status();
                let text = answer.text().await.unwrap();
                assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{path}{query}: {text}");
                // What was asked for may be echoed: in an error, or where it is the answer's name.
                let echoed = path.contains(&theirs) || query.contains(&theirs);
                let text = if echoed {
                    text.replace(&format!("\"{theirs}\""), "").replace(&format!(" {theirs}\""), "")
                } else {
                    text
                };
                for what in &hidden {
                    assert!(
                        !text.contains(what.as_str()),
                        "{} sees {what} at {path}{query}: {text}",
                        own.tenant
                    );
                }
                seen += usize::from(text.contains(&mine));
            }
        }
    }
    assert!(seen > 20, "{} sees its own: {seen}", own.tenant);
}

/// What the other has is not changed by its id, not even by an admin.
async fn reach(program: &Program, own: &Owned, other: &Owned) {
    let admin = format!("admin-of-{}", own.tenant);
    let show = |request: RequestBuilder| request.basic_auth(&admin, Some(PASSWORD_OF_USERS));
    let view = other.view["id"].as_str().unwrap();
    let change = json!({"name": "taken", "state": {}, "revision": other.view["revision"]});
    let theirs = format!("mark-{}", other.tenant);
    let tokens = program.json("/api/v1/narrows/tokens").await;
    let token = tokens["tokens"].as_array().unwrap().iter().find(|token| token["name"] == *theirs).unwrap();
    let token = token["id"].as_str().unwrap();
    let password = json!({"password": "another password"});
    let client = &program.client;
    let url = |path: &str| program.url(&format!("/api/v1/narrows/{path}"));
    for request in [
        client.put(url(&format!("views/{view}"))).json(&change),
        client.delete(url(&format!("views/{view}"))),
        client.delete(url(&format!("dashboards/{theirs}"))),
        client.put(url(&format!("users/{theirs}"))).json(&json!({"disabled": true})),
        client.put(url(&format!("users/{theirs}"))).json(&json!({"roles": {own.tenant: "viewer"}})),
        client.put(url(&format!("users/{theirs}/password"))).json(&password),
        client.put(url("users/admin/password")).json(&password),
        client.delete(url(&format!("users/{theirs}"))),
        client.delete(url(&format!("tokens/{token}"))),
    ] {
        let answer = show(request).send().await.unwrap();
        let place = answer.url().path().to_owned();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{place}: {}", answer.text().await.unwrap());
    }
    // Nor are roles and tokens made that reach beyond what is theirs.
    for (path, body) in [
        ("users", json!({"name": "x", "password": PASSWORD_OF_USERS, "roles": {"*": "viewer"}})),
        ("users", json!({"name": "x", "password": PASSWORD_OF_USERS, "roles": {other.tenant: "viewer"}})),
        ("users", json!({"name": "x", "password": PASSWORD_OF_USERS, "roles": {"default": "viewer"}})),
        ("tokens", json!({"name": "x", "scopes": ["read"], "tenants": "*"})),
        ("tokens", json!({"name": "x", "scopes": ["ingest"], "tenants": [own.tenant, other.tenant]})),
    ] {
        let answer = show(client.post(url(path)).json(&body)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{body}: {}", answer.text().await.unwrap());
    }
}
