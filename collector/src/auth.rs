//! Who is asking, what they may do, and whose data they see.
//!
//! Users log in (a session) or send their password; programs send tokens. Roles are per
//! tenant. Secrets are compared by their hashes; nothing here prints one but the first start.

mod accounts;
mod browser;
mod documents;
mod error;
mod failures;
mod first_start;
mod gate;
mod password;
mod principal;
mod proof;
mod role;
mod secrets;
mod session;
mod tokens;
mod users;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, header};
use meta::Meta;
use telemetry::TenantId;
use tokio::sync::watch;

use crate::config::Config;

pub use browser::BrowserRules;
pub use error::{AccountError, AuthError};
pub use first_start::FirstStart;
pub use gate::IngestGate;
pub use principal::Principal;
pub use role::{Access, Role, Roles};
pub use session::{COOKIE, NewSession, SessionView};
pub use tokens::{ApiToken, NewToken, Scope};
pub use users::User;

use failures::Failures;
use password::Passwords;
use principal::{Credential, Identity};
use session::Sessions;
use tokens::Tokens;
use users::{Known, Users};

/// The header by which an admin chooses among tenants, as Loki, Tempo and Mimir name it.
pub const TENANT_HEADER: &str = "x-scope-orgid";

/// The user that the first start makes.
pub const ADMIN: &str = "admin";

/// How often it is stored when tokens were used last.
const NOTE_EVERY: Duration = Duration::from_secs(60);

/// Everything that decides about access.
pub struct Auth {
    data: PathBuf,
    audit_key: secrets::Hash,
    users: Users,
    passwords: Passwords,
    tokens: Tokens,
    sessions: Sessions,
    failures: Failures,
    browser: BrowserRules,
    tenants: Arc<[TenantId]>,
    require_token: bool,
}

impl Auth {
    /// Makes or reads the secrets in the data directory, and loads users, tokens and sessions.
    ///
    /// Also answers what the first start has to tell.
    pub async fn open(config: &Config, meta: Arc<dyn Meta>) -> Result<(Arc<Self>, FirstStart), AuthError> {
        let found = first_start::run(config, &meta).await?;
        let tenants: Arc<[TenantId]> = config.tenant_ids().into();
        let audit_key = proof::open(&meta).await?;
        let users = Users::open(Arc::clone(&meta), Arc::clone(&tenants)).await?;
        let tokens =
            Tokens::open(config, found.default_token_hash, Arc::clone(&meta), Arc::clone(&tenants)).await?;
        let is_good = |user: &str, generation| users.is_good(user, generation);
        let sessions = Sessions::open(meta, config.session_lifetime, is_good).await?;
        let auth = Self {
            data: config.data.clone(),
            audit_key,
            users,
            passwords: Passwords::new()?,
            tokens,
            sessions,
            failures: Failures::default(),
            browser: BrowserRules::new(config),
            tenants,
            require_token: config.require_token,
        };
        Ok((Arc::new(auth), found.first_start))
    }

    /// The rules about `Host` and `Origin`.
    pub fn browser(&self) -> &BrowserRules {
        &self.browser
    }

    /// The tenants of the configuration, `default` first.
    pub fn tenants(&self) -> &[TenantId] {
        &self.tenants
    }

    /// Whether ingest needs a token even from this machine.
    pub fn require_token(&self) -> bool {
        self.require_token
    }

    /// Stores when tokens were used last, once a minute and at the end, until `stop` says so.
    pub async fn note_tokens(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            // An error means that the server is gone.
            let stopped = tokio::time::timeout(NOTE_EVERY, stop.wait_for(|stop| *stop)).await.is_ok();
            if let Err(error) = self.tokens.note_use().await {
                tracing::warn!(%error, "cannot note when tokens were used");
            }
            if stopped {
                return;
            }
        }
    }

    /// Logs somebody in, always with a session of its own; the old one of the same browser ends.
    pub async fn login(
        &self,
        user: &str,
        password: &str,
        headers: &HeaderMap,
        peer: SocketAddr,
    ) -> Result<NewSession, AuthError> {
        let known = self.check_password(user, password, peer.ip()).await?;
        if let Some(old) = session::cookie(headers) {
            self.sessions.end(old).await?;
        }
        self.sessions.begin(user, known.generation, peer.ip()).await
    }

    /// Ends the session of the cookie, if there is one; answers whose it was.
    pub async fn logout(&self, headers: &HeaderMap) -> Result<Option<String>, AuthError> {
        let Some(token) = session::cookie(headers) else { return Ok(None) };
        let user = self.sessions.find(token).map(|found| found.user);
        self.sessions.end(token).await?;
        Ok(user)
    }

    /// Who sent this request, and whose data it is about. Handlers ask the `App`, which notes wrong passwords.
    pub(crate) async fn authenticate(
        &self,
        headers: &HeaderMap,
        peer: SocketAddr,
    ) -> Result<Principal, AuthError> {
        let identity = match headers.get(header::AUTHORIZATION) {
            Some(value) => {
                let text =
                    value.to_str().map_err(|_| AuthError::Bad("the Authorization header is not ASCII"))?;
                self.by_header(text, peer.ip()).await?
            }
            None => self.by_cookie(headers, peer.ip())?,
        };
        identity.asking(headers.get(TENANT_HEADER).map(http::HeaderValue::as_bytes))
    }

    /// Whether a browser says by its cookie who it is; it may not be so any more.
    pub fn has_cookie(&self, headers: &HeaderMap) -> bool {
        session::cookie(headers).is_some()
    }

    /// Whether what somebody showed before still opens the tenant that they asked about: for what lasts.
    pub fn still_holds(&self, principal: &Principal) -> bool {
        match &principal.credential {
            Credential::Session(hash) => {
                let found = self.sessions.find_hash(*hash);
                found.is_some_and(|found| self.users.is_good(&found.user, found.generation))
            }
            Credential::Password(generation) => self.users.is_good(&principal.user, *generation),
            Credential::Token(hash) => self.tokens.is_good(hash, now_ns()),
        }
    }

    async fn by_header(&self, authorization: &str, address: IpAddr) -> Result<Identity, AuthError> {
        let (scheme, rest) = authorization.split_once(' ').unwrap_or((authorization, ""));
        let credentials = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.by_token(credentials, address);
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return Err(AuthError::Bad("unknown Authorization scheme: use Bearer or Basic"));
        }
        let (user, password) =
            secrets::basic(credentials).ok_or(AuthError::Bad("malformed Basic credentials"))?;
        let known = self.check_password(&user, &password, address).await?;
        Ok(identity(&known, address, Credential::Password(known.generation)))
    }

    /// Unknown tokens are not counted: they cannot be guessed, and a sender with an old one must not
    /// lock out others on its machine.
    fn by_token(&self, token: &str, address: IpAddr) -> Result<Identity, AuthError> {
        let token = self.tokens.find(token, now_ns()).map_err(AuthError::Bad)?;
        Ok(Identity {
            user: token.user(),
            tenants: Arc::clone(&token.access),
            every: token.every(),
            address,
            credential: Credential::Token(token.hash),
        })
    }

    fn by_cookie(&self, headers: &HeaderMap, address: IpAddr) -> Result<Identity, AuthError> {
        let token = session::cookie(headers).ok_or(AuthError::Missing)?;
        let ended = || AuthError::Bad("the session has ended: log in again");
        let found = self.sessions.find(token).ok_or_else(ended)?;
        let known = self.users.get(&found.user).ok_or_else(ended)?;
        if known.user.disabled || known.generation != found.generation {
            return Err(ended());
        }
        Ok(identity(&known, address, Credential::Session(found.hash)))
    }

    async fn check_password(
        &self,
        user: &str,
        password: &str,
        address: IpAddr,
    ) -> Result<Arc<Known>, AuthError> {
        let known = self.users.get(user);
        let hash = known.as_ref().filter(|known| !known.user.disabled).map(|known| &known.password_hash);
        let wrong = || AuthError::WrongPassword { known: known.as_ref().map(|_| user.to_owned()) };
        if self.passwords.is_cached(hash, password) {
            return known.clone().ok_or_else(wrong);
        }
        self.failures.check(address, user)?;
        let turn = self.passwords.turn().await?;
        // Those before us may have used up the tries, or had the same right password.
        if self.passwords.is_cached(hash, password) {
            return known.clone().ok_or_else(wrong);
        }
        // Counted before the answer is known, so that no two tries are the last one, and a client that hangs
        // up does not try for nothing.
        self.failures.check_and_count(address, user)?;
        if self.passwords.verify(turn, hash, password).await? {
            self.failures.forgive(address, user);
            return known.clone().ok_or_else(wrong);
        }
        Err(wrong())
    }
}

fn identity(known: &Known, address: IpAddr, credential: Credential) -> Identity {
    Identity {
        user: known.user.name.clone(),
        tenants: Arc::clone(&known.access),
        every: known.user.roles.every(),
        address,
        credential,
    }
}

/// Now, ns since 1970.
fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
