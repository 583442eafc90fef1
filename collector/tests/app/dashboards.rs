//! Dashboards: kept to the letter, with revisions, apart by tenant.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{PASSWORD, Program, error_code, json_of};

async fn post(program: &Program, body: &str) -> reqwest::Response {
    let request =
        program.client.post(program.url("/api/v1/narrows/dashboards")).basic_auth("admin", Some(PASSWORD));
    request.header("content-type", "application/json").body(body.to_owned()).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dashboard_is_kept_to_the_letter() {
    let program = Program::with_config("tenants: [{name: acme, ingest_token: token-of-acme}]\n");
    let text = r#"{"uid":"mine","title":"Mine","unknown":{"b":1.50,"a":[]},"panels":[]}"#;
    let saved =
        json_of(post(&program, &format!(r#"{{"dashboard":{text}}}"#)).await, StatusCode::CREATED).await;
    let response = program
        .get("/api/v1/narrows/dashboards/mine")
        .basic_auth("admin", Some(PASSWORD))
        .send()
        .await
        .unwrap();
    assert!(response.text().await.unwrap().contains(text));
    let list = program.json("/api/v1/narrows/dashboards").await;
    let mine =
        list["dashboards"].as_array().unwrap().iter().find(|row| row["uid"] == "mine").unwrap().clone();
    assert_eq!(
        (&mine["title"], &mine["source"], &mine["revision"]),
        (&json!("Mine"), &json!("saved"), &saved["revision"])
    );

    let stale = post(&program, &format!(r#"{{"dashboard":{text},"revision":99999}}"#)).await;
    assert_eq!(error_code(stale, StatusCode::CONFLICT).await, "conflict");
    let changed =
        post(&program, &format!(r#"{{"dashboard":{text},"revision":{}}}"#, saved["revision"])).await;
    json_of(changed, StatusCode::OK).await;
    let of_acme = program.json_of_tenant("/api/v1/narrows/dashboards", "acme").await;
    assert!(of_acme["dashboards"].as_array().unwrap().iter().all(|row| row["uid"] != "mine"));

    for (body, word) in
        [("{}", "dashboard"), (r#"{"dashboard":[]}"#, "object"), (r#"{"dashboard":{"uid":"x"}}"#, "title")]
    {
        let refused: Value = json_of(post(&program, body).await, StatusCode::BAD_REQUEST).await;
        assert!(refused["error"]["message"].as_str().unwrap().contains(word), "{refused}");
    }
    let delete = program.client.delete(program.url("/api/v1/narrows/dashboards/mine"));
    assert_eq!(
        delete.basic_auth("admin", Some(PASSWORD)).send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    let gone = program
        .get("/api/v1/narrows/dashboards/mine")
        .basic_auth("admin", Some(PASSWORD))
        .send()
        .await
        .unwrap();
    assert_eq!(error_code(gone, StatusCode::NOT_FOUND).await, "not_found");
}
