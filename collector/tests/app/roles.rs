//! Who may ask what: every route of the OpenAPI description, walked by every role of two
//! tenants. A route that is not in the table here fails the test; docs/access-table.md is
//! made of what was answered (`NARROWS_WRITE_ACCESS_TABLE=1` writes it).

use std::collections::BTreeMap;
use std::path::Path;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::json;

use crate::access::routes;
use crate::harness::{PASSWORD, Program, json_of};

/// What a route takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing.
    Open,
    /// From this machine nothing, else a viewer of `default`.
    Metrics,
    /// What sends data, which on this machine is anybody, or an editor.
    Send,
    /// Any credentials for the tenant.
    Known,
    Viewer,
    Editor,
    Admin,
    /// An admin of `default`.
    Operator,
}

/// Every route, by path.
pub(crate) const ROUTES: &[(&str, Need)] = &[
    ("get /-/healthy", Need::Open),
    ("get /-/ready", Need::Open),
    ("get /alertmanager/-/healthy", Need::Open),
    ("get /alertmanager/-/ready", Need::Open),
    ("get /alertmanager/api/v2/alerts", Need::Viewer),
    ("post /alertmanager/api/v2/alerts", Need::Send),
    ("get /alertmanager/api/v2/alerts/groups", Need::Viewer),
    ("get /alertmanager/api/v2/receivers", Need::Viewer),
    ("delete /alertmanager/api/v2/silence/{id}", Need::Editor),
    ("get /alertmanager/api/v2/silence/{id}", Need::Viewer),
    ("get /alertmanager/api/v2/silences", Need::Viewer),
    ("post /alertmanager/api/v2/silences", Need::Editor),
    ("get /alertmanager/api/v2/status", Need::Viewer),
    ("post /api/v1/admin/tsdb/clean_tombstones", Need::Operator),
    ("put /api/v1/admin/tsdb/clean_tombstones", Need::Operator),
    ("post /api/v1/admin/tsdb/delete_series", Need::Admin),
    ("put /api/v1/admin/tsdb/delete_series", Need::Admin),
    ("get /api/v1/alertmanagers", Need::Viewer),
    ("get /api/v1/alerts", Need::Viewer),
    ("get /api/v1/format_query", Need::Viewer),
    ("post /api/v1/format_query", Need::Viewer),
    ("get /api/v1/label/{name}/values", Need::Viewer),
    ("get /api/v1/labels", Need::Viewer),
    ("post /api/v1/labels", Need::Viewer),
    ("get /api/v1/metadata", Need::Viewer),
    ("post /api/v1/narrows/admin/seal", Need::Operator),
    ("get /api/v1/narrows/alerts", Need::Viewer),
    ("get /api/v1/narrows/alerts/{fingerprint}", Need::Viewer),
    ("get /api/v1/narrows/audit", Need::Admin),
    ("get /api/v1/narrows/bottlenecks", Need::Viewer),
    ("post /api/v1/narrows/bottlenecks/analyze", Need::Viewer),
    ("get /api/v1/narrows/bottlenecks/{id}", Need::Viewer),
    ("get /api/v1/narrows/bottlenecks/{id}/evidence/{n}/data", Need::Viewer),
    ("post /api/v1/narrows/bottlenecks/{id}/feedback", Need::Editor),
    ("get /api/v1/narrows/bottlenecks/{id}/symptom", Need::Viewer),
    ("get /api/v1/narrows/changes", Need::Viewer),
    ("post /api/v1/narrows/changes", Need::Send),
    ("get /api/v1/narrows/dashboards", Need::Viewer),
    ("post /api/v1/narrows/dashboards", Need::Editor),
    ("delete /api/v1/narrows/dashboards/{uid}", Need::Editor),
    ("get /api/v1/narrows/dashboards/{uid}", Need::Viewer),
    ("get /api/v1/narrows/live", Need::Viewer),
    ("get /api/v1/narrows/logs/context", Need::Viewer),
    ("get /api/v1/narrows/logs/explain", Need::Viewer),
    ("get /api/v1/narrows/logs/export", Need::Viewer),
    ("get /api/v1/narrows/logs/facets", Need::Viewer),
    ("get /api/v1/narrows/logs/fields", Need::Viewer),
    ("get /api/v1/narrows/logs/histogram", Need::Viewer),
    ("get /api/v1/narrows/logs/parse", Need::Viewer),
    ("get /api/v1/narrows/logs/patterns", Need::Viewer),
    ("get /api/v1/narrows/logs/search", Need::Viewer),
    ("get /api/v1/narrows/logs/values", Need::Viewer),
    ("get /api/v1/narrows/openapi.json", Need::Viewer),
    ("get /api/v1/narrows/receivers", Need::Viewer),
    ("post /api/v1/narrows/receivers/{name}/test", Need::Editor),
    ("get /api/v1/narrows/rules/problems", Need::Viewer),
    ("get /api/v1/narrows/services", Need::Viewer),
    ("get /api/v1/narrows/services/map", Need::Viewer),
    ("get /api/v1/narrows/services/{service}", Need::Viewer),
    ("delete /api/v1/narrows/session", Need::Open),
    ("get /api/v1/narrows/session", Need::Known),
    ("post /api/v1/narrows/session", Need::Open),
    ("put /api/v1/narrows/session/password", Need::Viewer),
    ("get /api/v1/narrows/sessions", Need::Viewer),
    ("delete /api/v1/narrows/sessions/{id}", Need::Viewer),
    ("get /api/v1/narrows/status", Need::Viewer),
    ("get /api/v1/narrows/tenants", Need::Viewer),
    ("get /api/v1/narrows/tokens", Need::Admin),
    ("post /api/v1/narrows/tokens", Need::Admin),
    ("delete /api/v1/narrows/tokens/{id}", Need::Admin),
    ("get /api/v1/narrows/traces/facets", Need::Viewer),
    ("get /api/v1/narrows/traces/fields", Need::Viewer),
    ("get /api/v1/narrows/traces/points", Need::Viewer),
    ("get /api/v1/narrows/traces/search", Need::Viewer),
    ("get /api/v1/narrows/traces/{trace_id}", Need::Viewer),
    ("get /api/v1/narrows/traces/{trace_id}/spans/{span_id}", Need::Viewer),
    ("get /api/v1/narrows/traces/{trace_id}/view", Need::Viewer),
    ("get /api/v1/narrows/users", Need::Admin),
    ("post /api/v1/narrows/users", Need::Admin),
    ("delete /api/v1/narrows/users/{name}", Need::Admin),
    ("put /api/v1/narrows/users/{name}", Need::Admin),
    ("put /api/v1/narrows/users/{name}/password", Need::Admin),
    ("get /api/v1/narrows/views", Need::Viewer),
    ("post /api/v1/narrows/views", Need::Editor),
    ("delete /api/v1/narrows/views/{id}", Need::Editor),
    ("put /api/v1/narrows/views/{id}", Need::Editor),
    ("get /api/v1/parse_query", Need::Viewer),
    ("post /api/v1/parse_query", Need::Viewer),
    ("get /api/v1/query", Need::Viewer),
    ("post /api/v1/query", Need::Viewer),
    ("get /api/v1/query_exemplars", Need::Viewer),
    ("post /api/v1/query_exemplars", Need::Viewer),
    ("get /api/v1/query_range", Need::Viewer),
    ("post /api/v1/query_range", Need::Viewer),
    ("get /api/v1/rules", Need::Viewer),
    ("get /api/v1/series", Need::Viewer),
    ("post /api/v1/series", Need::Viewer),
    ("get /api/v1/status/buildinfo", Need::Viewer),
    ("get /api/v1/status/config", Need::Viewer),
    ("get /api/v1/status/flags", Need::Viewer),
    ("get /api/v1/status/runtimeinfo", Need::Viewer),
    ("get /api/v1/status/tsdb", Need::Viewer),
    ("get /api/v1/targets", Need::Viewer),
    ("get /jaeger/api/dependencies", Need::Viewer),
    ("get /jaeger/api/metrics/calls", Need::Viewer),
    ("get /jaeger/api/metrics/errors", Need::Viewer),
    ("get /jaeger/api/metrics/latencies", Need::Viewer),
    ("get /jaeger/api/metrics/minstep", Need::Viewer),
    ("get /jaeger/api/operations", Need::Viewer),
    ("get /jaeger/api/services", Need::Viewer),
    ("get /jaeger/api/services/{service}/operations", Need::Viewer),
    ("get /jaeger/api/traces", Need::Viewer),
    ("get /jaeger/api/traces/{trace_id}", Need::Viewer),
    ("post /jaeger/api/transform", Need::Viewer),
    ("get /metrics", Need::Metrics),
    ("get /zipkin/api/v2/autocompleteKeys", Need::Viewer),
    ("get /zipkin/api/v2/autocompleteValues", Need::Viewer),
    ("get /zipkin/api/v2/dependencies", Need::Viewer),
    ("get /zipkin/api/v2/remoteServices", Need::Viewer),
    ("get /zipkin/api/v2/services", Need::Viewer),
    ("get /zipkin/api/v2/spans", Need::Viewer),
    ("get /zipkin/api/v2/trace/{trace_id}", Need::Viewer),
    ("get /zipkin/api/v2/traceMany", Need::Viewer),
    ("get /zipkin/api/v2/traces", Need::Viewer),
    ("get /zipkin/config.json", Need::Viewer),
    ("get /zipkin/health", Need::Open),
];

/// Who asks, always about the tenant acme: the column's head, and how they show who they are.
const WHO: [&str; 9] = [
    "nobody",
    "ingest",
    "viewer",
    "`read`",
    "editor",
    "`write`",
    "admin",
    "admin elsewhere",
    "admin everywhere",
];

const TENANTS: &str = "tenants: [{name: acme, ingest_token: token-of-acme}, {name: umbrella, ingest_token: token-of-umbrella}]\n";

/// What they are to be answered: let in, unknown, or not allowed.
fn expected(need: Need, who: &str) -> &'static str {
    let role = match who {
        "nobody" | "admin elsewhere" => None,
        "ingest" => Some(0),
        "viewer" | "`read`" => Some(1),
        "editor" | "`write`" => Some(2),
        "admin" => Some(3),
        _ => Some(4),
    };
    let least = match need {
        Need::Open => return "yes",
        Need::Metrics | Need::Send if who == "nobody" => return "yes",
        Need::Send if who == "ingest" => return "yes",
        Need::Known => 0,
        Need::Viewer => 1,
        Need::Editor | Need::Send => 2,
        Need::Admin => 3,
        Need::Metrics | Need::Operator => 4,
    };
    match role {
        _ if who == "nobody" => "401",
        Some(role) if role >= least => "yes",
        _ => "403",
    }
}

/// A user of one tenant, and a token of it.
pub(crate) async fn add_user(program: &Program, name: &str, tenant: &str, role: &str) {
    let user = json!({"name": name, "password": PASSWORD_OF_USERS, "roles": {tenant: role}});
    let made = as_root(program, program.client.post(program.url("/api/v1/narrows/users")).json(&user));
    json_of(made.send().await.unwrap(), StatusCode::CREATED).await;
}

/// Answers the token's text.
pub(crate) async fn add_token(program: &Program, name: &str, tenant: &str, scope: &str) -> String {
    let token = json!({"name": name, "scopes": [scope], "tenants": [tenant]});
    let made = as_root(program, program.client.post(program.url("/api/v1/narrows/tokens")).json(&token));
    let made = json_of(made.send().await.unwrap(), StatusCode::CREATED).await;
    made["token"].as_str().unwrap().to_owned()
}

pub(crate) const PASSWORD_OF_USERS: &str = "twelve characters";

fn as_root(_: &Program, request: RequestBuilder) -> RequestBuilder {
    request.basic_auth("admin", Some(PASSWORD))
}

#[tokio::test]
async fn every_route_lets_in_who_it_should() {
    let program = Program::with_config(TENANTS);
    for role in ["viewer", "editor", "admin"] {
        add_user(&program, &format!("{role}-of-acme"), "acme", role).await;
    }
    add_user(&program, "admin-of-umbrella", "umbrella", "admin").await;
    let read = add_token(&program, "read", "acme", "read").await;
    let write = add_token(&program, "write", "acme", "write").await;
    let show = |who: &str, request: RequestBuilder| {
        let user = |name: &str| (name.to_owned(), Some(PASSWORD_OF_USERS));
        let (name, password) = match who {
            "nobody" => return request,
            "ingest" => return request.bearer_auth("token-of-acme"),
            "`read`" => return request.bearer_auth(&read),
            "`write`" => return request.bearer_auth(&write),
            "admin elsewhere" => user("admin-of-umbrella"),
            "admin everywhere" => ("admin".to_owned(), Some(PASSWORD)),
            role => user(&format!("{role}-of-acme")),
        };
        request.basic_auth(name, password)
    };
    let described = routes(&program.json("/api/v1/narrows/openapi.json").await);
    let known: BTreeMap<&str, Need> = ROUTES.iter().copied().collect();
    let mut table = HEAD.to_owned();
    table.push_str(&format!("| route | {} |\n|---|{}\n", WHO.join(" | "), "---|".repeat(WHO.len())));
    for (route, need) in ROUTES {
        assert!(described.contains(*route), "{route} is not described: take it out of ROUTES");
        let (method, path) = route.split_once(' ').unwrap();
        let prefixed = format!("/prometheus{path}");
        let is_prometheus = path.starts_with("/api/v1/") && !path.starts_with("/api/v1/narrows/");
        let mut cells = Vec::new();
        for who in WHO {
            let expected = expected(*need, who);
            for path in [path, &prefixed].into_iter().take(1 + usize::from(is_prometheus)) {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let mut request = program.client.request(method, program.url(path));
                // Nobody asks about a tenant: with the header this machine is not trusted as such.
                if who != "nobody" {
                    request = request.header("x-scope-orgid", "acme");
                }
                let status = show(who, request).send().await.unwrap().status();
                let answered = match status {
                    StatusCode::UNAUTHORIZED => "401",
                    StatusCode::FORBIDDEN => "403",
                    // What is wrong with the request itself is found behind the door.
                    _ => "yes",
                };
                assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{route}, {who}");
                assert_eq!(answered, expected, "{route} at {path}, {who}: {status}");
            }
            cells.push(expected);
        }
        table.push_str(&format!("| `{} {path}` | {} |\n", method.to_uppercase(), cells.join(" | ")));
    }
    for route in &described {
        assert!(known.contains_key(route.as_str()), "{route} is new: say in ROUTES what it takes");
    }
    check_document(&table);
}

const HEAD: &str = "# Who may ask what

Made by the test `roles::every_route_lets_in_who_it_should`, which asks every route of the OpenAPI description in the name of
each role, about the tenant `acme`: a viewer, editor and admin of it, tokens with the scopes `read` and `write` for it, an
ingest token of it, an admin of another tenant, and the admin of all tenants. `yes`: let in; 401: nobody is known; 403: known,
and not allowed. `/metrics` is open to programs on the collector's own machine, and so is sending alerts, unless
`require_token: true`. Prometheus' API is the same under `/prometheus`. What the words mean: [access.md](access.md).

";

fn check_document(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/access-table.md");
    if std::env::var_os("NARROWS_WRITE_ACCESS_TABLE").is_some() {
        std::fs::write(&path, table).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == table,
        "docs/access-table.md is not what was answered: NARROWS_WRITE_ACCESS_TABLE=1 cargo nextest run \
         -p narrows-collector roles:: writes it"
    );
}
