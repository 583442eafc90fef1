//! What is printed, kept and checked over several starts of one data directory.

use std::net::SocketAddr;

use super::*;
use crate::auth::Auth;
use crate::config::Secret;
use http::HeaderMap;
use meta::SqliteMeta;

struct Dir(tempfile::TempDir);

impl Dir {
    async fn start(&self, password: Option<&str>) -> (Arc<Auth>, FirstStart) {
        let mut config = Config { data: self.0.path().to_owned(), ..Config::default() };
        config.admin_password = password.map(Secret::new);
        let meta: Arc<dyn Meta> = Arc::new(SqliteMeta::open(&self.0.path().join("meta.db")).unwrap());
        Auth::open(&config, meta).await.unwrap()
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).unwrap().trim_end().to_owned()
    }
}

fn new_dir() -> Dir {
    Dir(tempfile::tempdir().unwrap())
}

async fn logs_in(auth: &Auth, password: &str) -> bool {
    let peer = SocketAddr::from(([127, 0, 0, 1], 9));
    auth.login(ADMIN, password, &HeaderMap::new(), peer).await.is_ok()
}

#[tokio::test]
async fn secrets_are_told_once_and_kept_for_their_owner() {
    let dir = new_dir();
    let (auth, told) = dir.start(None).await;
    let (password, token) = (dir.text(PASSWORD_FILE), dir.text(TOKEN_FILE));
    assert_eq!(told.lines.len(), 2);
    assert!(told.lines[0].starts_with(&format!("login: admin {password} (kept in ")), "{told:?}");
    assert!(told.lines[1].starts_with(&format!("ingest token: {token} (kept in ")), "{told:?}");
    assert!(logs_in(&auth, &password).await);
    for name in [PASSWORD_FILE, TOKEN_FILE] {
        let mode = std::fs::metadata(dir.0.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let (auth, told) = dir.start(None).await;
    assert!(told.lines.is_empty(), "{told:?}");
    assert!(logs_in(&auth, &password).await);
}

#[tokio::test]
async fn a_given_password_replaces_the_kept_one_and_ends_sessions() {
    let dir = new_dir();
    let (auth, told) = dir.start(Some("first")).await;
    assert_eq!((told.lines.len(), dir.text(PASSWORD_FILE).as_str()), (1, "first"));
    let peer = SocketAddr::from(([127, 0, 0, 1], 9));
    let session = auth.login(ADMIN, "first", &HeaderMap::new(), peer).await.unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("cookie", format!("{}={}", crate::auth::COOKIE, session.token).parse().unwrap());
    let (auth, _) = dir.start(Some("first")).await;
    assert!(auth.authenticate(&headers, peer).await.is_ok(), "a restart keeps sessions");
    let (auth, _) = dir.start(Some("second")).await;
    assert!(auth.authenticate(&headers, peer).await.is_err(), "a new password ends sessions");
    assert!(logs_in(&auth, "second").await && !logs_in(&auth, "first").await);
    assert_eq!(dir.text(PASSWORD_FILE), "second");
}

#[tokio::test]
async fn deleted_files_leave_the_login_and_loose_modes_are_mended() {
    let dir = new_dir();
    let (_, _) = dir.start(Some("first")).await;
    let token = dir.0.path().join(TOKEN_FILE);
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::remove_file(dir.0.path().join(PASSWORD_FILE)).unwrap();
    let (auth, told) = dir.start(None).await;
    assert!(told.lines.is_empty() && logs_in(&auth, "first").await);
    assert_eq!(std::fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o600);
}
