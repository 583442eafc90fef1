//! What an attacker tries from a web page: planted sessions, forged requests, scripts that
//! are stored in what the collector keeps.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::json;

use crate::harness::{PASSWORD, Program, error_code, json_of, now_ns, record, request, seal};
use crate::roles::{PASSWORD_OF_USERS, add_user};

const SESSION: &str = "/api/v1/narrows/session";

fn call(program: &Program, method: Method, path: &str) -> RequestBuilder {
    program.client.request(method, program.url(path))
}

#[tokio::test]
async fn a_session_that_was_planted_opens_nothing() {
    let program = Program::start();
    add_user(&program, "eve", "default", "viewer").await;
    let eve = program.try_log_in("eve", PASSWORD_OF_USERS).await;
    let eve = eve.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let ids = [eve.as_str(), "narrows_session=chosen-by-eve", "narrows_session="];
    for planted in ids {
        // The victim's browser brings the cookie that eve put there.
        let body = json!({"user": "admin", "password": PASSWORD});
        let login =
            call(&program, Method::POST, SESSION).header("cookie", planted).json(&body).send().await.unwrap();
        assert_eq!(login.status(), StatusCode::NO_CONTENT);
        let set = login.headers()["set-cookie"].to_str().unwrap();
        assert!(!set.starts_with(&format!("{planted};")), "a login has an id of its own");
        let who = program.get(SESSION).header("cookie", planted).send().await.unwrap();
        assert_eq!(who.status(), StatusCode::UNAUTHORIZED, "{planted} is nobody's after the login");
    }
}

#[tokio::test]
async fn requests_that_a_foreign_page_could_send_change_nothing() {
    let program = Program::start();
    let cookie = program.log_in().await;
    let user =
        json!({"name": "eve", "password": PASSWORD_OF_USERS, "roles": {"default": "admin"}}).to_string();
    let own = program.http.as_str();
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], bool);
    let cases: [Case<'_>; 11] = [
        (
            "a foreign Origin",
            &[("origin", "https://evil.example"), ("content-type", "application/json")],
            false,
        ),
        (
            "an Origin of another port",
            &[("origin", "http://127.0.0.1:1"), ("content-type", "application/json")],
            false,
        ),
        ("an opaque Origin", &[("origin", "null"), ("content-type", "application/json")], false),
        ("no Origin", &[("content-type", "application/json")], false),
        ("a foreign site", &[("sec-fetch-site", "cross-site"), ("content-type", "application/json")], false),
        ("a sibling's site", &[("sec-fetch-site", "same-site"), ("content-type", "application/json")], false),
        ("text/plain", &[("origin", own), ("content-type", "text/plain")], false),
        ("a form", &[("origin", own), ("content-type", "application/x-www-form-urlencoded")], false),
        ("a form of parts", &[("origin", own), ("content-type", "multipart/form-data; boundary=x")], false),
        ("two Origins", &[("origin", own), ("origin", "https://evil.example")], false),
        ("the own page", &[("origin", own), ("content-type", "application/json")], true),
    ];
    for (what, headers, passes) in cases {
        let requests = [
            (Method::POST, "/api/v1/narrows/users", user.clone()),
            (
                Method::PUT,
                "/api/v1/narrows/session/password",
                json!({"current": "x", "password": "x"}).to_string(),
            ),
            (Method::POST, "/api/v1/narrows/admin/seal", String::new()),
            (Method::DELETE, "/api/v1/narrows/views/0123456789abcdef", String::new()),
        ];
        for (method, path, body) in requests {
            let request = call(&program, method, path).header("cookie", &cookie).body(body);
            let request =
                headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            let answer = request.send().await.unwrap();
            assert_eq!(
                answer.status() == StatusCode::FORBIDDEN,
                !passes,
                "{what} at {path}: {}",
                answer.status()
            );
        }
        // Prometheus' clients send forms, pages of others do not.
        let delete =
            call(&program, Method::POST, "/api/v1/admin/tsdb/delete_series").header("cookie", &cookie);
        let delete = headers.iter().fold(delete, |request, (name, value)| request.header(*name, *value));
        let status = delete.body("match[]=nothing").send().await.unwrap().status();
        let is_form = what.starts_with("a form");
        assert_eq!(status == StatusCode::FORBIDDEN, !passes && !is_form, "{what} at delete_series: {status}");
    }
    let users = program.json("/api/v1/narrows/users").await;
    assert_eq!(users["users"].as_array().unwrap().len(), 2, "the own page made one: {users}");
    let form =
        call(&program, Method::POST, SESSION).header("content-type", "application/x-www-form-urlencoded");
    let form = form.body(format!("{{\"user\":\"admin\",\"password\":\"{PASSWORD}\"}}")).send().await.unwrap();
    assert_eq!(error_code(form, StatusCode::FORBIDDEN).await, "forbidden", "nobody is logged in by a form");
}

#[tokio::test]
async fn a_script_that_was_stored_is_text_wherever_it_is_told() {
    let program = Program::start();
    let script = "<script>alert(document.cookie)</script><img src=x onerror=alert(1)>";
    let mut sent = request(script, vec![record(script)]);
    sent.resource_logs[0].scope_logs[0].log_records[0].severity_text = script.to_owned();
    program.send(&sent).await;
    let (found, _) = program.find("alert", 1).await;
    assert_eq!(found["records"][0]["body"], script, "it is kept as it came");
    let saved = json!({"name": script, "page": "logs", "state": {"query": script}});
    let saved = call(&program, Method::POST, "/api/v1/narrows/views").json(&saved);
    let saved = saved.basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
    json_of(saved, StatusCode::CREATED).await;
    seal(&program).await;
    let (id, from) = (found["records"][0]["id"].as_str().unwrap().to_owned(), now_ns() / 1_000_000_000 - 600);
    let paths = [
        "/api/v1/narrows/logs/search?query=*".to_owned(),
        "/api/v1/narrows/logs/facets?query=*".to_owned(),
        "/api/v1/narrows/logs/patterns?query=*".to_owned(),
        "/api/v1/narrows/logs/values?field=service".to_owned(),
        format!("/api/v1/narrows/logs/context?id={id}"),
        format!("/api/v1/narrows/logs/export?query=*&start={from}"),
        format!("/api/v1/narrows/logs/export?query=*&format=csv&start={from}"),
        "/api/v1/narrows/views".to_owned(),
        // What is refused is echoed.
        format!(
            "/api/v1/narrows/logs/search?query={}",
            crate::harness::escape(&format!("severity>={script}"))
        ),
        format!("/api/v1/narrows/logs/search?start={}", crate::harness::escape(script)),
        format!("/api/v1/query?query={}", crate::harness::escape(script)),
        format!("/jaeger/api/traces?service=x&limit={}", crate::harness::escape(script)),
        format!("/api/{}", crate::harness::escape(script)),
    ];
    for path in &paths {
        let answer = program.get(path).basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
        let header =
            |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let kind = header("content-type");
        let is_data = ["application/json", "application/x-ndjson", "text/csv"]
            .iter()
            .any(|data| kind.starts_with(data));
        assert!(is_data, "{path}: {kind}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        let policy = header("content-security-policy");
        let runs_nothing = policy.contains("default-src 'none'") || policy.contains("script-src 'self'");
        assert!(runs_nothing && !policy.contains("script-src 'unsafe-inline'"), "{path}: {policy}");
        if path.contains("export") {
            assert!(header("content-disposition").starts_with("attachment"), "{path}");
        }
    }
    let page = program.get("/logs").send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!page.text().await.unwrap().contains("alert("));
}

#[tokio::test]
async fn guessing_at_users_tells_nothing() {
    let program = Program::start();
    add_user(&program, "jo", "default", "viewer").await;
    let mut answers = Vec::new();
    let mut took = Vec::new();
    for user in ["jo", "nobody", "jo", "nobody", "jo", "nobody"] {
        let begun = std::time::Instant::now();
        let wrong = program.try_log_in(user, "a wrong password").await;
        took.push(begun.elapsed());
        answers.push(json_of(wrong, StatusCode::UNAUTHORIZED).await);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let best = |from: usize| took.iter().skip(from).step_by(2).min().unwrap().as_secs_f64();
    let (known, unknown) = (best(0), best(1));
    // Without the work for unknown users it is a hundred times faster.
    assert!(unknown > known / 4.0 && known > unknown / 4.0, "{known} s for a user, {unknown} s for nobody");
}
