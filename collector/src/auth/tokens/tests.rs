//! What tokens open, over their life and over restarts.

use super::*;
use crate::commit::RateLimit;
use crate::config::{Secret, Tenant};
use meta::SqliteMeta;

const SECOND: i64 = 1_000_000_000;

fn config() -> Config {
    let mut config = Config { admin_token: Some(Secret::new("root")), ..Config::default() };
    config.tenants.push(Tenant {
        id: TenantId::new("acme").unwrap(),
        ingest_token: Some(Secret::new("a")),
        ingest: RateLimit::default(),
        rule_files: Vec::new(),
        alertmanager_config: None,
    });
    config
}

async fn open(dir: &tempfile::TempDir) -> Tokens {
    let meta: Arc<dyn Meta> = Arc::new(SqliteMeta::open(&dir.path().join("meta.db")).unwrap());
    let config = config();
    let tenants = config.tenant_ids().into();
    Tokens::open(&config, secrets::hash("d"), meta, tenants).await.unwrap()
}

fn new(scopes: &[Scope], tenants: Option<&[&str]>) -> NewToken {
    NewToken {
        name: "of a test".to_owned(),
        scopes: scopes.to_vec(),
        tenants: tenants.map(|names| names.iter().map(ToString::to_string).collect()),
        expires_at_ns: None,
        created_by: "admin".to_owned(),
    }
}

/// Roles by tenant, and whether it may send.
fn opens(token: &Token) -> (Vec<(String, Role)>, bool) {
    (token.access.iter().map(|one| (one.tenant.to_string(), one.role)).collect(), token.may_ingest())
}

#[tokio::test]
async fn each_configured_token_opens_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let tokens = open(&dir).await;
    let of = |pairs: &[(&str, Role)]| pairs.iter().map(|(name, role)| ((*name).to_owned(), *role)).collect();
    for (text, roles) in [
        ("root", &[("default", Role::Admin), ("acme", Role::Admin)][..]),
        ("a", &[("acme", Role::Ingest)]),
        ("d", &[("default", Role::Ingest)]),
    ] {
        assert_eq!(opens(&tokens.find(text, 0).unwrap()), (of(roles), true), "{text}");
    }
    for unknown in ["", "A", "x"] {
        assert!(tokens.find(unknown, 0).is_err(), "{unknown}");
    }
    let listed = tokens.all();
    assert!(listed.iter().all(|token| token.configured) && listed.len() == 3, "{listed:?}");
    assert!(matches!(tokens.remove("configured-admin").await, Err(AccountError::Fixed(_))));
}

#[tokio::test]
async fn scopes_open_what_they_say() {
    let dir = tempfile::tempdir().unwrap();
    let tokens = open(&dir).await;
    let cases = [
        (vec![Scope::Ingest], Role::Ingest, true),
        (vec![Scope::Read], Role::Viewer, false),
        (vec![Scope::Ingest, Scope::Read], Role::Viewer, true),
        (vec![Scope::Write], Role::Editor, false),
        (vec![Scope::Admin], Role::Admin, true),
    ];
    for (scopes, role, may_ingest) in cases {
        let (_, text) = tokens.create(new(&scopes, Some(&["acme", "gone"])), SECOND).await.unwrap();
        let token = tokens.find(&text, SECOND).unwrap();
        assert_eq!(opens(&token), (vec![("acme".to_owned(), role)], may_ingest), "{scopes:?}");
        assert_eq!(token.every(), None);
    }
    let (_, text) = tokens.create(new(&[Scope::Read], None), SECOND).await.unwrap();
    let token = tokens.find(&text, SECOND).unwrap();
    assert_eq!((opens(&token).0.len(), token.every()), (2, Some(Role::Viewer)));
}

#[tokio::test]
async fn a_token_lives_until_it_expires_or_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let tokens = open(&dir).await;
    let (kept, text) = tokens.create(new(&[Scope::Read], None), SECOND).await.unwrap();
    let expiring = NewToken { expires_at_ns: Some(5 * SECOND), ..new(&[Scope::Read], None) };
    let (_, expiring) = tokens.create(expiring, SECOND).await.unwrap();
    assert!(text.starts_with("nrw_") && text.len() == 47, "{text}");
    assert!(tokens.find(&expiring, 5 * SECOND - 1).is_ok());
    assert_eq!(tokens.find(&expiring, 5 * SECOND).err(), Some("the token has expired"));

    let reopened = open(&dir).await;
    let hash = reopened.find(&text, 9 * SECOND).unwrap().hash;
    assert!(reopened.is_good(&hash, 9 * SECOND));
    reopened.remove(&kept.id).await.unwrap();
    assert!(reopened.find(&text, 9 * SECOND).is_err() && !reopened.is_good(&hash, 9 * SECOND));
    assert!(matches!(reopened.remove(&kept.id).await, Err(AccountError::Unknown { .. })));
    assert!(open(&dir).await.find(&text, 9 * SECOND).is_err(), "and stays so");
    let stored = SqliteMeta::open(&dir.path().join("meta.db")).unwrap();
    for (key, _) in stored.list("").await.unwrap() {
        let body = stored.get(&key).await.unwrap().unwrap().body;
        assert!(!String::from_utf8_lossy(&body).contains(&expiring), "the token itself is stored: {key}");
    }
}

#[tokio::test]
async fn the_last_use_is_stored_when_it_has_changed() {
    let dir = tempfile::tempdir().unwrap();
    let tokens = open(&dir).await;
    let (token, text) = tokens.create(new(&[Scope::Read], None), SECOND).await.unwrap();
    assert_eq!(token.last_used_at_ns, None);
    tokens.find(&text, 3 * SECOND).unwrap();
    let revision = async || documents::read::<Kept>(&tokens.meta, &key(&token.id)).await.unwrap().1;
    let before = revision().await;
    tokens.note_use().await.unwrap();
    let after = revision().await;
    tokens.note_use().await.unwrap();
    assert!(after > before && revision().await == after, "written once");
    let seen = open(&dir).await.all().into_iter().find(|one| one.id == token.id).unwrap();
    assert_eq!(seen.last_used_at_ns, Some(3 * SECOND));
}
