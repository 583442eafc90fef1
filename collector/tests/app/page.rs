//! The UI's files, or the page that says how to build them.

use reqwest::StatusCode;

use crate::harness::{Program, error_code};

#[tokio::test]
async fn pages_come_with_their_policy() {
    let program = Program::start();
    for path in ["/", "/logs?query=x", "/some/deep/page"] {
        let response = program.get(path).header("accept-encoding", "br, gzip").send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let headers = response.headers();
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["cache-control"], "no-cache");
        assert!(headers["content-type"].to_str().unwrap().starts_with("text/html"));
    }
    let missing = program.get("/assets/no-such.js").send().await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    let api = program.get("/api/v2/nothing").send().await.unwrap();
    assert_eq!(error_code(api, StatusCode::NOT_FOUND).await, "not_found");
}

#[tokio::test]
async fn a_built_ui_is_packed_and_asked_for_once_and_a_missing_one_says_how_to_build_it() {
    let program = Program::start();
    let dist = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/dist");
    if !dist.join("index.html").exists() {
        let page = program.get("/").send().await.unwrap().text().await.unwrap();
        assert!(page.contains("make ui"), "{page}");
        return;
    }
    let response = program.get("/").send().await.unwrap();
    let tag = response.headers()["etag"].clone();
    let known = program.get("/").header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    assert!(known.bytes().await.unwrap().is_empty());
    if dist.join("index.html.br").exists() {
        let packed = program.get("/").header("accept-encoding", "br").send().await.unwrap();
        assert_eq!(packed.headers()["content-encoding"], "br");
        assert_ne!(packed.headers()["etag"], tag, "another form is another entity");
    }
    let assets = std::fs::read_dir(dist.join("assets")).unwrap().map(|entry| entry.unwrap().file_name());
    let script = assets.map(|name| name.into_string().unwrap()).find(|name| name.ends_with(".js")).unwrap();
    let response = program.get(&format!("/assets/{script}")).send().await.unwrap();
    assert!(response.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/javascript"));
}
