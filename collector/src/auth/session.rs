//! Logins: 256 random bits in a cookie. Only their hash is kept, in meta, so that
//! a login survives a restart and a copy of the store opens nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, header};
use meta::{Meta, MetaError};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use super::AuthError;
use super::secrets::{self, Hash};

/// The cookie's name.
pub const COOKIE: &str = "narrows_session";

const PREFIX: &str = "sessions/";
/// The session that ends first makes room for a new one.
const MAX_SESSIONS: usize = 1000;

/// A login that has just begun.
#[derive(Debug)]
pub struct NewSession {
    /// What the cookie holds.
    pub token: String,
    /// How long it is good for.
    pub lifetime: Duration,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Session {
    user: String,
    expires_s: u64,
    #[serde(skip)]
    revision: u64,
}

/// All sessions. This process is the only one that writes them.
pub(super) struct Sessions {
    meta: Arc<dyn Meta>,
    lifetime: Duration,
    live: RwLock<HashMap<Hash, Session>>,
}

impl Sessions {
    /// Loads what is still good.
    pub(super) async fn open(meta: Arc<dyn Meta>, lifetime: Duration) -> Result<Self, AuthError> {
        let mut live = HashMap::new();
        for (key, revision) in meta.list(PREFIX).await? {
            let hash = key.strip_prefix(PREFIX).and_then(secrets::from_hex);
            let body = meta.get(&key).await?.map(|document| document.body).unwrap_or_default();
            let session =
                serde_json::from_slice::<Session>(&body).ok().filter(|session| session.expires_s > now_s());
            match (hash, session) {
                (Some(hash), Some(session)) => drop(live.insert(hash, Session { revision, ..session })),
                _ => meta.delete(&key, revision).await?,
            }
        }
        Ok(Self { meta, lifetime, live: RwLock::new(live) })
    }

    /// Begins a session; it stands in the store when this returns.
    pub(super) async fn begin(&self, user: &str) -> Result<NewSession, AuthError> {
        self.make_room().await?;
        let token = secrets::random_token()?;
        let hash = secrets::hash(&token);
        let expires_s = now_s() + self.lifetime.as_secs();
        let mut session = Session { user: user.to_owned(), expires_s, revision: 0 };
        let body = serde_json::to_vec(&session).map_err(|error| AuthError::Crypto(error.to_string()))?;
        session.revision = self.meta.put(&key(&hash), Bytes::from(body), 0).await?;
        self.live.write().insert(hash, session);
        Ok(NewSession { token, lifetime: self.lifetime })
    }

    /// Whose session this is.
    pub(super) fn user(&self, token: &str) -> Option<String> {
        let live = self.live.read();
        // Looked up by its hash: what the time tells about a hash helps nobody.
        let session = live.get(&secrets::hash(token)).filter(|session| session.expires_s > now_s())?;
        Some(session.user.clone())
    }

    /// Ends a session; an unknown one has ended already.
    pub(super) async fn end(&self, token: &str) -> Result<(), AuthError> {
        self.remove(secrets::hash(token)).await
    }

    /// Ends all of them: the password has changed.
    pub(super) async fn end_all(&self) -> Result<(), AuthError> {
        let hashes: Vec<Hash> = self.live.read().keys().copied().collect();
        for hash in hashes {
            self.remove(hash).await?;
        }
        Ok(())
    }

    async fn remove(&self, hash: Hash) -> Result<(), AuthError> {
        let Some(session) = self.live.write().remove(&hash) else { return Ok(()) };
        match self.meta.delete(&key(&hash), session.revision).await {
            Ok(()) | Err(MetaError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn make_room(&self) -> Result<(), AuthError> {
        let leaving: Vec<Hash> = {
            let (now, live) = (now_s(), self.live.read());
            let expired = live.iter().filter(|(_, session)| session.expires_s <= now).map(|(hash, _)| *hash);
            let first = (live.len() >= MAX_SESSIONS)
                .then(|| live.iter().min_by_key(|(_, session)| session.expires_s));
            expired.chain(first.flatten().map(|(hash, _)| *hash)).collect()
        };
        for hash in leaving {
            self.remove(hash).await?;
        }
        Ok(())
    }
}

/// The session cookie's value.
pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

fn key(hash: &Hash) -> String {
    format!("{PREFIX}{}", secrets::hex(hash))
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use meta::SqliteMeta;

    #[tokio::test]
    async fn sessions_survive_a_restart_until_they_end() {
        let dir = tempfile::tempdir().unwrap();
        let meta: Arc<dyn Meta> = Arc::new(SqliteMeta::open(&dir.path().join("meta.db")).unwrap());
        let hour = Duration::from_secs(3600);
        let sessions = Sessions::open(Arc::clone(&meta), hour).await.unwrap();
        let (one, two) = (sessions.begin("admin").await.unwrap(), sessions.begin("admin").await.unwrap());
        sessions.end(&one.token).await.unwrap();
        sessions.end("unknown").await.unwrap();

        let reopened = Sessions::open(Arc::clone(&meta), hour).await.unwrap();
        assert_eq!(reopened.user(&one.token), None);
        assert_eq!(reopened.user(&two.token).as_deref(), Some("admin"));
        let stored = format!("{:?}", meta.list("").await.unwrap());
        assert!(!stored.contains(&two.token), "the token itself is stored: {stored}");
        reopened.end_all().await.unwrap();
        assert!(meta.list(PREFIX).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn expired_sessions_are_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let meta: Arc<dyn Meta> = Arc::new(SqliteMeta::open(&dir.path().join("meta.db")).unwrap());
        let sessions = Sessions::open(Arc::clone(&meta), Duration::ZERO).await.unwrap();
        let session = sessions.begin("admin").await.unwrap();
        assert_eq!(sessions.user(&session.token), None);
        sessions.begin("admin").await.unwrap();
        assert_eq!(meta.list(PREFIX).await.unwrap().len(), 1);
        Sessions::open(Arc::clone(&meta), Duration::ZERO).await.unwrap();
        assert!(meta.list(PREFIX).await.unwrap().is_empty());
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        assert_eq!(cookie(&headers), None);
        headers.append(header::COOKIE, "a=1; xnarrows_session=no; narrows_session=yes".parse().unwrap());
        assert_eq!(cookie(&headers), Some("yes"));
    }
}
