//! Logins: 256 random bits in a cookie. Only their hash is kept, in meta, so that
//! a login survives a restart and a copy of the store opens nothing.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, header};
use meta::{Meta, MetaError};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use super::secrets::{self, Hash};
use super::{AuthError, documents};

/// The cookie's name.
pub const COOKIE: &str = "narrows_session";

const PREFIX: &str = "sessions/";
/// A user's session that ends first makes room for a new one.
const MAX_OF_USER: usize = 100;
/// Where there are more in all, whoever has the most makes room: nobody logs others out by logging in.
const MAX_SESSIONS: usize = 1000;

/// A login that has just begun.
#[derive(Debug)]
pub struct NewSession {
    /// What the cookie holds.
    pub token: String,
    /// How long it is good for.
    pub lifetime: Duration,
}

/// A session, as others may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// The first digits of its hash: a name, no secret.
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// Seconds since 1970; `None` for one of a version that did not keep it.
    pub created_s: Option<u64>,
    /// Seconds since 1970.
    pub expires_s: u64,
    /// Where it began; empty for one of a version that did not keep it.
    pub address: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Session {
    user: String,
    /// The user's when it began: with another one it has ended.
    #[serde(default)]
    generation: u64,
    #[serde(default)]
    created_s: Option<u64>,
    expires_s: u64,
    #[serde(default)]
    address: String,
    #[serde(skip)]
    revision: u64,
}

/// Whose session a cookie names.
pub(super) struct Found {
    pub(super) hash: Hash,
    pub(super) user: String,
    pub(super) generation: u64,
}

/// All sessions. This process is the only one that writes them.
pub(super) struct Sessions {
    meta: Arc<dyn Meta>,
    lifetime: Duration,
    live: RwLock<HashMap<Hash, Session>>,
}

impl Sessions {
    /// Loads what is still good: `is_good` knows the generations of the users.
    pub(super) async fn open(
        meta: Arc<dyn Meta>,
        lifetime: Duration,
        is_good: impl Fn(&str, u64) -> bool,
    ) -> Result<Self, AuthError> {
        let mut live = HashMap::new();
        for (key, revision) in meta.list(PREFIX).await? {
            let hash = key.strip_prefix(PREFIX).and_then(secrets::from_hex);
            let body = meta.get(&key).await?.map(|document| document.body).unwrap_or_default();
            let session = serde_json::from_slice::<Session>(&body)
                .ok()
                .filter(|session| session.expires_s > now_s() && is_good(&session.user, session.generation));
            match (hash, session) {
                (Some(hash), Some(session)) => drop(live.insert(hash, Session { revision, ..session })),
                _ => meta.delete(&key, revision).await?,
            }
        }
        Ok(Self { meta, lifetime, live: RwLock::new(live) })
    }

    /// Begins a session with an id of its own; it stands in the store when this returns.
    pub(super) async fn begin(
        &self,
        user: &str,
        generation: u64,
        address: IpAddr,
    ) -> Result<NewSession, AuthError> {
        self.make_room(user).await?;
        let token = secrets::random_token()?;
        let (hash, now) = (secrets::hash(&token), now_s());
        let mut session = Session {
            user: user.to_owned(),
            generation,
            created_s: Some(now),
            expires_s: now + self.lifetime.as_secs(),
            address: address.to_canonical().to_string(),
            revision: 0,
        };
        session.revision = documents::write(&self.meta, &key(&hash), &session, 0).await?;
        self.live.write().insert(hash, session);
        Ok(NewSession { token, lifetime: self.lifetime })
    }

    /// Whose session this is, if it has not ended by itself.
    pub(super) fn find(&self, token: &str) -> Option<Found> {
        // Looked up by its hash: what the time tells about a hash helps nobody.
        self.find_hash(secrets::hash(token))
    }

    /// The same by its hash.
    pub(super) fn find_hash(&self, hash: Hash) -> Option<Found> {
        let live = self.live.read();
        let session = live.get(&hash).filter(|session| session.expires_s > now_s())?;
        Some(Found { hash, user: session.user.clone(), generation: session.generation })
    }

    /// Those that have not ended, the newest first.
    pub(super) fn all(&self, is_good: impl Fn(&str, u64) -> bool) -> Vec<SessionView> {
        let (now, live) = (now_s(), self.live.read());
        let good = |session: &Session| session.expires_s > now && is_good(&session.user, session.generation);
        let view = |(hash, session): (&Hash, &Session)| SessionView {
            id: id(hash),
            user: session.user.clone(),
            created_s: session.created_s,
            expires_s: session.expires_s,
            address: session.address.clone(),
        };
        let mut all: Vec<SessionView> = live.iter().filter(|(_, session)| good(session)).map(view).collect();
        all.sort_by(|a, b| (b.created_s, &b.id).cmp(&(a.created_s, &a.id)));
        all
    }

    /// Ends a session; an unknown one has ended already.
    pub(super) async fn end(&self, token: &str) -> Result<(), AuthError> {
        self.remove(secrets::hash(token)).await
    }

    /// Ends the session of this id; `false` if there is none.
    pub(super) async fn end_id(&self, wanted: &str) -> Result<bool, AuthError> {
        let found = self.live.read().keys().find(|hash| id(hash) == wanted).copied();
        let Some(hash) = found else { return Ok(false) };
        self.remove(hash).await?;
        Ok(true)
    }

    /// Removes those that `is_good` calls ended.
    pub(super) async fn clean(&self, is_good: impl Fn(&str, u64) -> bool) -> Result<(), AuthError> {
        let ended: Vec<Hash> = {
            let live = self.live.read();
            let ended = live.iter().filter(|(_, session)| !is_good(&session.user, session.generation));
            ended.map(|(hash, _)| *hash).collect()
        };
        for hash in ended {
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

    async fn make_room(&self, user: &str) -> Result<(), AuthError> {
        let leaving: Vec<Hash> = {
            let (now, live) = (now_s(), self.live.read());
            let expired = live.iter().filter(|(_, session)| session.expires_s <= now).map(|(hash, _)| *hash);
            expired.chain(in_the_way(&live, user, now)).collect()
        };
        for hash in leaving {
            self.remove(hash).await?;
        }
        Ok(())
    }
}

/// What must end before another session of `user` begins.
fn in_the_way(live: &HashMap<Hash, Session>, user: &str, now_s: u64) -> Option<Hash> {
    let going_on = || live.iter().filter(|(_, session)| session.expires_s > now_s);
    let mut of_user: HashMap<&str, usize> = HashMap::new();
    for (_, session) in going_on() {
        *of_user.entry(&session.user).or_default() += 1;
    }
    let crowd = if of_user.get(user).is_some_and(|count| *count >= MAX_OF_USER) {
        user
    } else if going_on().count() >= MAX_SESSIONS {
        of_user.iter().max_by_key(|(user, count)| (**count, **user)).map(|(user, _)| *user)?
    } else {
        return None;
    };
    let sessions = going_on().filter(|(_, session)| session.user == crowd);
    sessions.min_by_key(|(_, session)| session.expires_s).map(|(hash, _)| *hash)
}

/// The session cookie's value.
pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// What a session is called by: nobody finds the rest of the hash by it.
pub(super) fn id(hash: &Hash) -> String {
    secrets::hex(hash)[..16].to_owned()
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

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    async fn open(dir: &tempfile::TempDir, lifetime: u64) -> Sessions {
        let meta: Arc<dyn Meta> = Arc::new(SqliteMeta::open(&dir.path().join("meta.db")).unwrap());
        Sessions::open(meta, Duration::from_secs(lifetime), |_, generation| generation < 7).await.unwrap()
    }

    #[tokio::test]
    async fn sessions_survive_a_restart_until_they_end() {
        let dir = tempfile::tempdir().unwrap();
        let sessions = open(&dir, 3600).await;
        let one = sessions.begin("admin", 1, HERE).await.unwrap();
        let two = sessions.begin("admin", 1, HERE).await.unwrap();
        let outdated = sessions.begin("admin", 7, HERE).await.unwrap();
        sessions.end(&one.token).await.unwrap();
        sessions.end("unknown").await.unwrap();

        let reopened = open(&dir, 3600).await;
        assert!(reopened.find(&one.token).is_none() && reopened.find(&outdated.token).is_none());
        let found = reopened.find(&two.token).unwrap();
        assert_eq!((found.user.as_str(), found.generation), ("admin", 1));
        let stored = format!("{:?}", reopened.meta.list("").await.unwrap());
        assert!(!stored.contains(&two.token), "the token itself is stored: {stored}");
        assert_eq!(reopened.all(|_, _| true).len(), 1);
        assert!(!reopened.end_id("0123456789abcdef").await.unwrap());
        assert!(reopened.end_id(&id(&found.hash)).await.unwrap());
        assert!(reopened.meta.list(PREFIX).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn those_of_another_generation_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let sessions = open(&dir, 3600).await;
        let (old, new) =
            (sessions.begin("jo", 1, HERE).await.unwrap(), sessions.begin("jo", 2, HERE).await.unwrap());
        sessions.clean(|user, generation| (user, generation) == ("jo", 2)).await.unwrap();
        assert!(sessions.find(&old.token).is_none() && sessions.find(&new.token).is_some());
    }

    #[tokio::test]
    async fn expired_sessions_are_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let sessions = open(&dir, 0).await;
        let session = sessions.begin("admin", 1, HERE).await.unwrap();
        assert!(sessions.find(&session.token).is_none());
        sessions.begin("admin", 1, HERE).await.unwrap();
        assert_eq!(sessions.meta.list(PREFIX).await.unwrap().len(), 1);
        assert!(open(&dir, 0).await.meta.list(PREFIX).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn whoever_has_many_sessions_makes_room_for_more() {
        let dir = tempfile::tempdir().unwrap();
        let sessions = open(&dir, 3600).await;
        let admin = sessions.begin("admin", 1, HERE).await.unwrap();
        for _ in 0..MAX_OF_USER + 3 {
            sessions.begin("jo", 1, HERE).await.unwrap();
        }
        let of = |user: &str| sessions.all(|_, _| true).iter().filter(|session| session.user == user).count();
        assert_eq!((of("jo"), of("admin")), (MAX_OF_USER, 1));
        assert!(sessions.find(&admin.token).is_some());
    }

    #[test]
    fn nobody_logs_others_out() {
        let mut live = HashMap::new();
        let mut add = |user: &str, from: usize, count: usize| {
            for at in from..from + count {
                // The later, the sooner it ends.
                let expires_s = 2_000_000 - at as u64;
                let session = Session { user: user.to_owned(), expires_s, ..nobodys() };
                live.insert(secrets::hash(&at.to_string()), session);
            }
            live.clone()
        };
        let hash = |at: usize| Some(secrets::hash(&at.to_string()));
        let few = add("admin", 0, MAX_OF_USER);
        assert_eq!(in_the_way(&few, "jo", 0), None);
        assert_eq!(in_the_way(&few, "admin", 0), hash(MAX_OF_USER - 1), "the one that ends first");
        assert_eq!(in_the_way(&few, "admin", 2_000_000 - 1), None, "they have ended");
        // Many people: it takes from whoever has the most, not from those who have few.
        for user in 0..9 {
            add(&format!("u{user}"), 100 * (user + 1), 90);
        }
        let full = add("last", 1_500, MAX_SESSIONS - MAX_OF_USER - 9 * 90);
        assert_eq!(full.len(), MAX_SESSIONS);
        assert_eq!(in_the_way(&full, "u3", 0), hash(MAX_OF_USER - 1));
    }

    fn nobodys() -> Session {
        Session {
            user: String::new(),
            generation: 1,
            created_s: None,
            expires_s: 0,
            address: String::new(),
            revision: 0,
        }
    }

    #[tokio::test]
    async fn sessions_of_the_version_before_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let meta = SqliteMeta::open(&dir.path().join("meta.db")).unwrap();
        let body = format!("{{\"user\":\"admin\",\"expires_s\":{}}}", now_s() + 60);
        meta.put(&key(&secrets::hash("x")), body.into(), 0).await.unwrap();
        drop(meta);
        assert_eq!(open(&dir, 60).await.find("x").unwrap().generation, 0);
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        assert_eq!(cookie(&headers), None);
        headers.append(header::COOKIE, "a=1; xnarrows_session=no; narrows_session=yes".parse().unwrap());
        assert_eq!(cookie(&headers), Some("yes"));
    }
}
