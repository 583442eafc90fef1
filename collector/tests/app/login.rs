//! Logging in and out, and being kept out.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::harness::{PASSWORD, Program, error_code, json_of};

const SESSION: &str = "/api/v1/narrows/session";

#[tokio::test]
async fn a_session_begins_survives_a_restart_and_ends() {
    let program = Program::start();
    let response = program.try_log_in("admin", PASSWORD).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    let set = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["narrows_session=", "; HttpOnly", "; SameSite=Strict", "; Path=/", "; Max-Age=604800"] {
        assert!(set.contains(part), "{set}");
    }
    let cookie = set.split(';').next().unwrap().to_owned();

    let program = program.kill_and_restart(|_| {});
    let who = program.get(SESSION).header("cookie", &cookie).send().await.unwrap();
    let tenants = json!([{"name": "default", "role": "admin"}]);
    let expected = json!({"user": "admin", "role": "admin", "tenant": "default", "tenants": tenants});
    assert_eq!(json_of(who, StatusCode::OK).await, expected);

    let out = program.client.delete(program.url(SESSION)).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    assert!(out.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    let who = program.get(SESSION).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(error_code(who, StatusCode::UNAUTHORIZED).await, "bad_credentials");
    let again = program.client.delete(program.url(SESSION)).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_login_begins_a_session_of_its_own() {
    let program = Program::start();
    let first = program.log_in().await;
    let body = json!({"user": "admin", "password": PASSWORD});
    let planted =
        program.client.post(program.url(SESSION)).header("cookie", &first).json(&body).send().await.unwrap();
    let second = planted.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_ne!(first, second);
    let old = program.get(SESSION).header("cookie", &first).send().await.unwrap();
    assert_eq!(old.status(), StatusCode::UNAUTHORIZED, "the session before has ended");
}

#[tokio::test]
async fn nobody_gets_an_error_without_a_browser_dialog() {
    let program = Program::start();
    let response = program.get(SESSION).send().await.unwrap();
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    assert_eq!(error_code(response, StatusCode::UNAUTHORIZED).await, "unauthenticated");
    for cookie in ["narrows_session=", "narrows_session=x", "narrows_session=../../x"] {
        let response = program.get(SESSION).header("cookie", cookie).send().await.unwrap();
        assert_eq!(error_code(response, StatusCode::UNAUTHORIZED).await, "bad_credentials", "{cookie}");
    }
}

#[tokio::test]
async fn guessing_is_slowed_down_and_others_are_not() {
    let program = Program::start();
    for _ in 0..10 {
        let wrong = program.try_log_in("admin", "guess").await;
        assert_eq!(error_code(wrong, StatusCode::UNAUTHORIZED).await, "bad_credentials");
    }
    let refused = program.try_log_in("admin", PASSWORD).await;
    let seconds: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=15).contains(&seconds), "{seconds}");
    assert_eq!(error_code(refused, StatusCode::TOO_MANY_REQUESTS).await, "too_many_failures");
    let other = program.try_log_in("somebody", "guess").await;
    assert_eq!(other.status(), StatusCode::UNAUTHORIZED, "another user has tries of their own");
    let basic = program.get(SESSION).basic_auth("admin", Some("guess")).send().await.unwrap();
    assert_eq!(basic.status(), StatusCode::TOO_MANY_REQUESTS, "the same count for HTTP Basic");
}

#[tokio::test]
async fn guessing_all_at_once_gives_no_more_tries() {
    let program = Program::start();
    let tries = futures::future::join_all((0..40).map(|_| program.try_log_in("admin", "guess"))).await;
    let count = |status| tries.iter().filter(|response| response.status() == status).count();
    let (wrong, refused) = (count(StatusCode::UNAUTHORIZED), count(StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(wrong + refused, 40);
    assert!((1..=10).contains(&wrong), "{wrong} were tried");
    assert!(tries.iter().all(|response| response.status() != StatusCode::TOO_MANY_REQUESTS
        || response.headers().contains_key("retry-after")));
}

#[tokio::test]
async fn the_right_password_all_at_once_is_let_in() {
    let program = Program::start();
    let tries = futures::future::join_all((0..40).map(|_| program.try_log_in("admin", PASSWORD))).await;
    assert!(tries.iter().all(|response| response.status() == StatusCode::NO_CONTENT));
}

#[tokio::test]
async fn malformed_logins_are_refused_without_an_echo() {
    let program = Program::start();
    let bodies = [
        "",
        "{}",
        "[]",
        "{\"user\":\"admin\"}",
        "{\"user\":\"admin\",\"password\":5}",
        "{\"user\":\"admin\",\"password\":\"hunter2\",\"more\":1}",
    ];
    for body in bodies {
        let request = program.client.post(program.url(SESSION)).header("content-type", "application/json");
        let response = request.body(body).send().await.unwrap();
        let shown = json_of(response, StatusCode::BAD_REQUEST).await.to_string();
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let long = json!({"user": "admin", "password": "x".repeat(100_000)});
    let response = program.client.post(program.url(SESSION)).json(&long).send().await.unwrap();
    assert_eq!(error_code(response, StatusCode::BAD_REQUEST).await, "bad_request");
}

#[tokio::test]
async fn foreign_pages_cannot_log_in_or_change_anything() {
    let program = Program::start();
    let cookie = program.log_in().await;
    let foreign = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("origin", "null")];
    for (name, value) in foreign {
        let body = json!({"user": "admin", "password": PASSWORD});
        let login =
            program.client.post(program.url(SESSION)).header(name, value).json(&body).send().await.unwrap();
        assert_eq!(error_code(login, StatusCode::FORBIDDEN).await, "forbidden", "{name}: {value}");
        let logout =
            program.client.delete(program.url(SESSION)).header("cookie", &cookie).header(name, value);
        assert_eq!(error_code(logout.send().await.unwrap(), StatusCode::FORBIDDEN).await, "forbidden");
        let seal = program.client.post(program.url("/api/v1/narrows/admin/seal")).header("cookie", &cookie);
        let seal = seal.header(name, value).send().await.unwrap();
        assert_eq!(error_code(seal, StatusCode::FORBIDDEN).await, "forbidden");
    }
    let own = program.client.post(program.url("/api/v1/narrows/admin/seal")).header("cookie", &cookie);
    let own =
        own.header("origin", &program.http).header("sec-fetch-site", "same-origin").send().await.unwrap();
    assert_eq!(own.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_wrong_password_is_noted_on_every_way_in() {
    let program = Program::start();
    let ways = [
        (Method::GET, SESSION),
        (Method::GET, "/-/ready"),
        (Method::GET, "/metrics"),
        (Method::GET, "/api/v1/narrows/tenants"),
        (Method::POST, "/alertmanager/api/v2/alerts"),
        (Method::POST, "/api/v1/narrows/changes"),
    ];
    for (method, path) in &ways {
        let request = program.client.request(method.clone(), program.url(path)).body("[]");
        let response = request.basic_auth("admin", Some("guess")).send().await.unwrap();
        let expected = if *path == "/-/ready" { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        assert_eq!(response.status(), expected, "{path}");
    }
    program.find("scope:audit outcome:failed actor:admin", ways.len() as u64).await;
}

#[tokio::test]
async fn behind_a_proxy_that_ends_tls_the_cookie_goes_by_tls_alone() {
    let program = Program::with_config("external_url: https://obs.example.org/\n");
    let login = program.try_log_in("admin", PASSWORD).await;
    let out = program.client.delete(program.url(SESSION)).send().await.unwrap();
    for response in [login, out] {
        let set = response.headers()["set-cookie"].to_str().unwrap();
        assert!(set.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{set}");
        assert!(
            !response.headers().contains_key("strict-transport-security"),
            "the proxy decides about its host"
        );
    }
}

#[tokio::test]
async fn a_guesser_behind_a_proxy_locks_nobody_else_behind_it_out() {
    let program = Program::with_config("trusted_proxies: [127.0.0.0/8]\n");
    let log_in = async |from: &str, password: &str| {
        let body = json!({"user": "admin", "password": password});
        let request = program.client.post(program.url(SESSION)).header("x-forwarded-for", from);
        request.json(&body).send().await.unwrap()
    };
    for n in 0..10 {
        // What the guesser makes up stands before what the proxy says.
        let wrong = log_in(&format!("10.0.0.{n}, 203.0.113.7"), "guess").await;
        assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(log_in("203.0.113.7", PASSWORD).await.status(), StatusCode::TOO_MANY_REQUESTS);
    let other = log_in("203.0.113.8", PASSWORD).await;
    assert_eq!(other.status(), StatusCode::NO_CONTENT);
    let cookie = other.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    let sessions = program.get("/api/v1/narrows/sessions").header("cookie", cookie).send().await.unwrap();
    assert_eq!(json_of(sessions, StatusCode::OK).await["sessions"][0]["address"], "203.0.113.8");
}
