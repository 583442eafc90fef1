//! Users, passwords, sessions, tokens and tenants over their lives; and what the audit log
//! says of them.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::{PASSWORD, Program, TOKEN, error_code, json_of, now_ns, record, request};
use crate::roles::{PASSWORD_OF_USERS, add_token, add_user};

const SESSION: &str = "/api/v1/narrows/session";
const TENANTS: &str =
    "tenants: [{name: acme, ingest_token: token-of-acme, ingest_records_per_second: 100}]\n";

fn call(program: &Program, method: Method, path: &str) -> RequestBuilder {
    program.client.request(method, program.url(&format!("/api/v1/narrows/{path}")))
}

/// As the admin of all.
fn root(program: &Program, method: Method, path: &str) -> RequestBuilder {
    call(program, method, path).basic_auth("admin", Some(PASSWORD))
}

fn cookie_of(response: &Response) -> String {
    response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

/// Logs in; the cookie.
async fn log_in(program: &Program, user: &str, password: &str) -> String {
    let response = program.try_log_in(user, password).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT, "{user}");
    cookie_of(&response)
}

async fn status_of(program: &Program, cookie: &str) -> StatusCode {
    program.get(SESSION).header("cookie", cookie).send().await.unwrap().status()
}

#[tokio::test]
async fn a_user_is_made_changed_and_removed() {
    let program = Program::with_config(TENANTS);
    add_user(&program, "jo", "acme", "viewer").await;
    let cookie = log_in(&program, "jo", PASSWORD_OF_USERS).await;
    let who =
        json_of(program.get(SESSION).header("cookie", &cookie).send().await.unwrap(), StatusCode::OK).await;
    let tenants = json!([{"name": "acme", "role": "viewer"}]);
    assert_eq!(who, json!({"user": "jo", "role": "viewer", "tenant": "acme", "tenants": tenants}));
    let users = program.json("/api/v1/narrows/users").await;
    assert_eq!(users["users"][0]["roles"], json!({"*": "admin"}), "{users}");
    assert_eq!(users["users"][1]["roles"], json!({"acme": "viewer"}), "{users}");

    // Roles, `disabled` and a new password each end the sessions; the same roles again do not.
    let changes = [
        ("users/jo", json!({"roles": {"acme": "viewer"}, "disabled": false}), false),
        ("users/jo", json!({"roles": {"acme": "editor", "default": "viewer"}}), true),
        ("users/jo", json!({"disabled": true}), true),
        ("users/jo", json!({"disabled": false}), true),
        ("users/jo/password", json!({"password": PASSWORD_OF_USERS}), true),
    ];
    for (path, change, ends) in changes {
        let is_disabled = change["disabled"] == true;
        let cookie = if change == json!({"disabled": false}) {
            String::new()
        } else {
            log_in(&program, "jo", PASSWORD_OF_USERS).await
        };
        let changed = root(&program, Method::PUT, path).json(&change).send().await.unwrap();
        assert!(changed.status().is_success(), "{change}: {}", changed.text().await.unwrap());
        let expected = if ends { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
        assert_eq!(status_of(&program, &cookie).await, expected, "{change}");
        let again = program.try_log_in("jo", PASSWORD_OF_USERS).await.status();
        assert_eq!(again == StatusCode::UNAUTHORIZED, is_disabled, "{change}");
        let basic = program.get(SESSION).basic_auth("jo", Some(PASSWORD_OF_USERS)).send().await.unwrap();
        assert_eq!(basic.status() == StatusCode::UNAUTHORIZED, is_disabled, "{change}");
    }
    let cookie = log_in(&program, "jo", PASSWORD_OF_USERS).await;
    let removed = root(&program, Method::DELETE, "users/jo").send().await.unwrap();
    assert_eq!(removed.status(), StatusCode::NO_CONTENT);
    assert_eq!(status_of(&program, &cookie).await, StatusCode::UNAUTHORIZED);
    // One of the same name is somebody else.
    add_user(&program, "jo", "acme", "viewer").await;
    assert_eq!(status_of(&program, &cookie).await, StatusCode::UNAUTHORIZED);
    let program = program.kill_and_restart_with_config();
    assert_eq!(status_of(&program, &cookie).await, StatusCode::UNAUTHORIZED);
    log_in(&program, "jo", PASSWORD_OF_USERS).await;
}

#[tokio::test]
async fn what_is_no_user_is_refused() {
    let program = Program::start();
    add_user(&program, "jo", "default", "viewer").await;
    let user = |name: &str, password: &str, roles: Value| json!({"name": name, "password": password, "roles": roles});
    let viewer = || json!({"default": "viewer"});
    let cases = [
        (user("ann", "elevenchars", viewer()), StatusCode::BAD_REQUEST, "bad_request"),
        (user("ann", &"x".repeat(1025), viewer()), StatusCode::BAD_REQUEST, "bad_request"),
        (user("Ann", PASSWORD_OF_USERS, viewer()), StatusCode::BAD_REQUEST, "bad_request"),
        (user("token:x", PASSWORD_OF_USERS, viewer()), StatusCode::BAD_REQUEST, "bad_request"),
        (user("ann", PASSWORD_OF_USERS, json!({})), StatusCode::BAD_REQUEST, "bad_request"),
        (
            user("ann", PASSWORD_OF_USERS, json!({"default": "ingest"})),
            StatusCode::BAD_REQUEST,
            "bad_request",
        ),
        (user("ann", PASSWORD_OF_USERS, json!({"default": "root"})), StatusCode::BAD_REQUEST, "bad_request"),
        (
            user("ann", PASSWORD_OF_USERS, json!({"nowhere": "viewer"})),
            StatusCode::BAD_REQUEST,
            "bad_request",
        ),
        (user("jo", PASSWORD_OF_USERS, viewer()), StatusCode::CONFLICT, "exists"),
        (json!({"name": "ann"}), StatusCode::BAD_REQUEST, "bad_request"),
    ];
    for (body, status, code) in cases {
        let answer = root(&program, Method::POST, "users").json(&body).send().await.unwrap();
        let text = answer.headers()["content-type"].to_str().unwrap().to_owned();
        assert_eq!(
            (error_code(answer, status).await.as_str(), text.as_str()),
            (code, "application/json"),
            "{body}"
        );
    }
    for (method, path, body, status, code) in [
        (Method::PUT, "users/admin", json!({"disabled": true}), StatusCode::CONFLICT, "last_admin"),
        (Method::PUT, "users/admin", json!({"roles": {}}), StatusCode::CONFLICT, "last_admin"),
        (Method::DELETE, "users/admin", json!({}), StatusCode::CONFLICT, "fixed"),
        (Method::PUT, "users/nobody", json!({"disabled": true}), StatusCode::NOT_FOUND, "not_found"),
        (
            Method::PUT,
            "users/admin/password",
            json!({"password": "a new password"}),
            StatusCode::FORBIDDEN,
            "forbidden",
        ),
        (
            Method::PUT,
            "users/jo/password",
            json!({"password": "short"}),
            StatusCode::BAD_REQUEST,
            "bad_request",
        ),
    ] {
        let answer = root(&program, method, path).json(&body).send().await.unwrap();
        assert_eq!(error_code(answer, status).await, code, "{path} {body}");
    }
}

#[tokio::test]
async fn an_own_password_is_changed_under_a_new_session() {
    let program = Program::start();
    add_user(&program, "jo", "default", "viewer").await;
    let (mine, other) =
        (log_in(&program, "jo", PASSWORD_OF_USERS).await, log_in(&program, "jo", PASSWORD_OF_USERS).await);
    let change = |cookie: &str, current: &str, password: &str| {
        let body = json!({"current": current, "password": password});
        let request = call(&program, Method::PUT, "session/password").json(&body).header("cookie", cookie);
        request.header("origin", &program.http).send()
    };
    let wrong = change(&mine, "not the password", "another password").await.unwrap();
    assert_eq!(error_code(wrong, StatusCode::UNAUTHORIZED).await, "bad_credentials");
    let short = change(&mine, PASSWORD_OF_USERS, "short").await.unwrap();
    assert_eq!(error_code(short, StatusCode::BAD_REQUEST).await, "bad_request");
    let changed = change(&mine, PASSWORD_OF_USERS, "another password").await.unwrap();
    assert_eq!(changed.status(), StatusCode::NO_CONTENT);
    let new = cookie_of(&changed);
    assert_ne!(new, mine);
    for (cookie, expected) in
        [(&mine, StatusCode::UNAUTHORIZED), (&other, StatusCode::UNAUTHORIZED), (&new, StatusCode::OK)]
    {
        assert_eq!(status_of(&program, cookie).await, expected);
    }
    assert_eq!(program.try_log_in("jo", PASSWORD_OF_USERS).await.status(), StatusCode::UNAUTHORIZED);
    log_in(&program, "jo", "another password").await;
    let token = add_token(&program, "t", "default", "admin").await;
    let body = json!({"current": "another password", "password": "yet another one"});
    let by_token = call(&program, Method::PUT, "session/password").json(&body).bearer_auth(token);
    assert_eq!(by_token.send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_first_admin_s_own_password_outlives_what_the_start_was_given() {
    let program = Program::start();
    let body = json!({"current": PASSWORD, "password": "another password"});
    let changed = root(&program, Method::PUT, "session/password").json(&body).send().await.unwrap();
    assert_eq!(changed.status(), StatusCode::NO_CONTENT);
    assert!(!program.dir.path().join("data/admin-password").exists(), "it would say what is no more");
    // The same variable as before, then none, then another one.
    let program = program.kill_and_restart(|_| {});
    log_in(&program, "admin", "another password").await;
    assert_eq!(program.try_log_in("admin", PASSWORD).await.status(), StatusCode::UNAUTHORIZED);
    let program = program.kill_and_restart(|command| {
        command.env_remove("NARROWS_ADMIN_PASSWORD");
    });
    log_in(&program, "admin", "another password").await;
    let program = program.kill_and_restart(|command| {
        command.env("NARROWS_ADMIN_PASSWORD", "the way back in");
    });
    log_in(&program, "admin", "the way back in").await;
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let program = Program::with_config(TENANTS);
    add_user(&program, "jo", "default", "viewer").await;
    add_user(&program, "al", "acme", "admin").await;
    let (first, second) =
        (log_in(&program, "jo", PASSWORD_OF_USERS).await, log_in(&program, "jo", PASSWORD_OF_USERS).await);
    let admin = program.log_in().await;
    let list = async |cookie: &str| {
        let answer = call(&program, Method::GET, "sessions").header("cookie", cookie).send().await.unwrap();
        let answer = json_of(answer, StatusCode::OK).await;
        assert!(!answer.to_string().contains(&cookie["narrows_session=".len()..]), "{answer}");
        answer["sessions"].as_array().unwrap().clone()
    };
    let own = list(&first).await;
    assert_eq!(own.len(), 2, "one's own: {own:?}");
    assert_eq!(own.iter().filter(|session| session["current"] == true).count(), 1);
    assert_eq!(list(&admin).await.len(), 3);
    let al = log_in(&program, "al", PASSWORD_OF_USERS).await;
    assert_eq!(list(&al).await.len(), 1, "an admin of another tenant");
    let other = own.iter().find(|session| session["current"] == false).unwrap()["id"].as_str().unwrap();
    let end = async |cookie: &str, id: &str| {
        let request = call(&program, Method::DELETE, &format!("sessions/{id}")).header("cookie", cookie);
        request.header("origin", &program.http).send().await.unwrap().status()
    };
    assert_eq!(end(&al, other).await, StatusCode::NOT_FOUND);
    assert_eq!(end(&first, other).await, StatusCode::NO_CONTENT);
    assert_eq!(end(&first, other).await, StatusCode::NOT_FOUND);
    assert_eq!(status_of(&program, &second).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status_of(&program, &first).await, StatusCode::OK);
}

#[tokio::test]
async fn tokens_open_what_their_scopes_say_until_they_are_taken_back() {
    let program = Program::with_config(TENANTS);
    let token = json!({"name": "of both", "scopes": ["read", "ingest"], "tenants": ["default", "acme"]});
    let made = root(&program, Method::POST, "tokens").json(&token).send().await.unwrap();
    let made = json_of(made, StatusCode::CREATED).await;
    let (id, text) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    assert_eq!(made["scopes"], json!(["ingest", "read"]));
    let send = async |tenant: &str| {
        let sent = program.post_logs(&request("a", vec![record("by a token")])).bearer_auth(text);
        sent.header("x-scope-orgid", tenant).send().await.unwrap().status()
    };
    let read = async |tenant: &str| {
        let asked = program.get("/api/v1/narrows/status").bearer_auth(text).header("x-scope-orgid", tenant);
        asked.send().await.unwrap().status()
    };
    for tenant in ["default", "acme"] {
        assert_eq!((send(tenant).await, read(tenant).await), (StatusCode::OK, StatusCode::OK), "{tenant}");
    }
    assert_eq!((send("other").await, read("other").await), (StatusCode::FORBIDDEN, StatusCode::FORBIDDEN));
    let only_read = add_token(&program, "reads", "default", "read").await;
    let sent = program.post_logs(&request("a", vec![record("x")])).bearer_auth(&only_read);
    assert_eq!(sent.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    // As the password of Basic, where clients know nothing else.
    let sent = program.post_logs(&request("a", vec![record("x")])).basic_auth("any", Some(text));
    assert_eq!(sent.send().await.unwrap().status(), StatusCode::OK);

    let listed = program.json("/api/v1/narrows/tokens").await;
    let names: Vec<_> =
        listed["tokens"].as_array().unwrap().iter().map(|token| token["name"].clone()).collect();
    assert_eq!(names, ["ingest:acme", "ingest:default", "of both", "reads"]);
    assert!(!listed.to_string().contains(text) && !listed.to_string().contains(TOKEN), "{listed}");
    assert!(listed["tokens"][2]["last_used_at"].is_string() && listed["tokens"][0]["configured"] == true);
    let configured = listed["tokens"][0]["id"].as_str().unwrap();
    let refused = root(&program, Method::DELETE, &format!("tokens/{configured}")).send().await.unwrap();
    assert_eq!(error_code(refused, StatusCode::CONFLICT).await, "fixed");

    let program = program.kill_and_restart_with_config();
    let asked = || program.get("/api/v1/narrows/status").bearer_auth(text);
    assert_eq!(asked().send().await.unwrap().status(), StatusCode::OK);
    let removed = root(&program, Method::DELETE, &format!("tokens/{id}")).send().await.unwrap();
    assert_eq!(removed.status(), StatusCode::NO_CONTENT);
    assert_eq!(asked().send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let sent = program.post_logs(&request("a", vec![record("x")])).bearer_auth(text);
    assert_eq!(sent.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn tokens_expire_and_what_is_no_token_is_refused() {
    let program = Program::start();
    let soon = format!("{}", now_ns() / 1_000_000_000 + 2);
    let token = json!({"name": "short", "scopes": ["read"], "tenants": "*", "expires_at": soon});
    let made = root(&program, Method::POST, "tokens").json(&token).send().await.unwrap();
    let made = json_of(made, StatusCode::CREATED).await;
    assert_eq!(made["tenants"], "*");
    let asked = || program.get("/api/v1/narrows/status").bearer_auth(made["token"].as_str().unwrap()).send();
    assert_eq!(asked().await.unwrap().status(), StatusCode::OK);
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(error_code(asked().await.unwrap(), StatusCode::UNAUTHORIZED).await, "bad_credentials");
    for (name, scopes, tenants, expires_at) in [
        ("", json!(["read"]), json!("*"), Value::Null),
        (" a", json!(["read"]), json!("*"), Value::Null),
        ("a", json!([]), json!("*"), Value::Null),
        ("a", json!(["root"]), json!("*"), Value::Null),
        ("a", json!(["read"]), json!([]), Value::Null),
        ("a", json!(["read"]), json!("default"), Value::Null),
        ("a", json!(["read"]), json!(["nowhere"]), Value::Null),
        ("a", json!(["read"]), json!("*"), json!("yesterday")),
        ("a", json!(["read"]), json!("*"), json!("1")),
    ] {
        let body = json!({"name": name, "scopes": scopes, "tenants": tenants, "expires_at": expires_at});
        let answer = root(&program, Method::POST, "tokens").json(&body).send().await.unwrap();
        assert_eq!(error_code(answer, StatusCode::BAD_REQUEST).await, "bad_request", "{body}");
    }
}

#[tokio::test]
async fn tenants_are_told_to_who_may_read_them() {
    let program = Program::with_config(TENANTS);
    add_user(&program, "jo", "acme", "viewer").await;
    let sent = program.post_logs(&request("a", vec![record("x")])).bearer_auth("token-of-acme");
    assert_eq!(sent.send().await.unwrap().status(), StatusCode::OK);
    let all = program.json("/api/v1/narrows/tenants").await;
    let names: Vec<_> =
        all["tenants"].as_array().unwrap().iter().map(|tenant| tenant["name"].clone()).collect();
    assert_eq!(names, ["default", "acme"]);
    assert!(all["total_bytes"].is_u64());
    let own = call(&program, Method::GET, "tenants").basic_auth("jo", Some(PASSWORD_OF_USERS));
    let own = json_of(own.send().await.unwrap(), StatusCode::OK).await;
    assert_eq!((own["tenants"].as_array().unwrap().len(), &own["total_bytes"]), (1, &Value::Null));
    let acme = &own["tenants"][0];
    assert_eq!(
        (&acme["name"], &acme["role"], &acme["retention"]),
        (&json!("acme"), &json!("viewer"), &json!("15d"))
    );
    assert_eq!(acme["limits"]["ingest_records_per_second"], 100);
    for key in ["logs_bytes", "series_bytes", "traces_bytes", "records", "active_series"] {
        assert!(acme["storage"][key].is_u64(), "{key}: {acme}");
    }
}

/// Reads the audit log until it has a line of this action.
async fn audit(program: &Program, tenant: &str, action: &str) -> Vec<Value> {
    for _ in 0..200 {
        let answer = program.json_of_tenant("/api/v1/narrows/audit?limit=1000", tenant).await;
        let lines = answer["records"].as_array().unwrap().clone();
        if lines.iter().any(|line| line["action"] == *action) {
            return lines;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{action} is not in the audit log");
}

#[tokio::test]
async fn every_change_is_in_the_audit_log_and_no_secret() {
    let program = Program::with_config(TENANTS);
    add_user(&program, "jo", "acme", "admin").await;
    let token = add_token(&program, "t", "acme", "read").await;
    let cookie = log_in(&program, "jo", PASSWORD_OF_USERS).await;
    for (user, password) in [("jo", "a wrong password"), ("a password typed as the name", "x")] {
        assert_eq!(program.try_log_in(user, password).await.status(), StatusCode::UNAUTHORIZED);
    }
    let as_jo = |method: Method, path: &str| {
        call(&program, method, path).header("cookie", &cookie).header("origin", &program.http)
    };
    let view = as_jo(Method::POST, "views").json(&json!({"name": "v", "page": "logs", "state": {}}));
    assert_eq!(view.send().await.unwrap().status(), StatusCode::CREATED);
    let dashboard =
        as_jo(Method::POST, "dashboards").json(&json!({"dashboard": {"uid": "one", "title": "One"}}));
    assert_eq!(dashboard.send().await.unwrap().status(), StatusCode::CREATED);
    let deleted = program.client.post(program.url("/api/v1/admin/tsdb/delete_series?match[]=up"));
    let deleted = deleted.header("cookie", &cookie).header("origin", &program.http).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    let out = as_jo(Method::DELETE, "session").send().await.unwrap();
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    let clean = program.client.post(program.url("/api/v1/admin/tsdb/clean_tombstones"));
    let clean = clean.basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
    assert_eq!(clean.status(), StatusCode::NO_CONTENT);

    let lines = audit(&program, "default", "series.clean").await;
    let told: Vec<[&str; 4]> = lines
        .iter()
        .rev()
        .map(|line| ["actor", "action", "outcome", "tenant"].map(|key| line[key].as_str().unwrap()))
        .collect();
    let expected = [
        ["admin", "user.create", "ok", "default"],
        ["admin", "token.create", "ok", "default"],
        ["jo", "session.begin", "ok", "default"],
        ["jo", "session.begin", "failed", "default"],
        ["unknown", "session.begin", "failed", "default"],
        ["jo", "view.create", "ok", "acme"],
        ["jo", "dashboard.create", "ok", "acme"],
        ["jo", "series.delete", "ok", "acme"],
        ["jo", "session.end", "ok", "default"],
        ["admin", "series.clean", "ok", "default"],
    ];
    assert_eq!(told, expected);
    assert!(lines.iter().all(|line| line["address"] == "127.0.0.1" && line["at"].is_string()), "{lines:?}");
    let found = program.json("/api/v1/narrows/logs/search?query=scope:audit&limit=1000").await;
    assert_eq!(found["matched"], expected.len(), "the Logs page has them, too");
    for secret in
        [PASSWORD_OF_USERS, PASSWORD, &token, "typed", "wrong password", &cookie["narrows_session=".len()..]]
    {
        assert!(!found.to_string().contains(secret), "{secret} in {found}");
    }
    let of_acme = audit(&program, "acme", "series.delete").await;
    assert_eq!(of_acme.len(), 3, "what was about the tenant: {of_acme:?}");
}

#[tokio::test]
async fn a_line_that_somebody_sends_is_none_of_the_audit_log() {
    use crate::harness::{attribute, text};
    let program = Program::start();
    add_user(&program, "jo", "default", "viewer").await;
    let lines = audit(&program, "default", "user.create").await;
    let genuine = program.json("/api/v1/narrows/logs/search?query=scope:audit").await["records"][0].clone();
    let forge = |proof: &str| {
        let mut forged = record("admin user.create user/eve");
        let fields = ["actor", "action", "object", "address", "outcome", "tenant"];
        forged.attributes = fields.map(|key| attribute(key, text(lines[0][key].as_str().unwrap()))).to_vec();
        forged.attributes[2] = attribute("object", text("user/eve"));
        forged.attributes.push(attribute("proof", text(proof)));
        let mut sent = request("narrows", vec![forged]);
        sent.resource_logs[0].scope_logs[0].scope.as_mut().unwrap().name = "audit".to_owned();
        sent
    };
    program.send(&forge("")).await;
    program.send(&forge(genuine["attributes"]["proof"].as_str().unwrap())).await;
    program.find("scope:audit", 3).await;
    let answer = program.json("/api/v1/narrows/audit").await;
    assert_eq!(answer["records"].as_array().unwrap().len(), 1, "{answer}");
    assert!(answer["forged"].as_u64().unwrap() >= 1 && !answer.to_string().contains("eve"), "{answer}");
}
