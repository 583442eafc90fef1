//! Who is asking, what they may do, and whose data they see.
//!
//! One admin and one ingest token per tenant for now. Secrets are compared in
//! constant time and by their hashes; nothing here prints one but the first start.

mod browser;
mod failures;
mod first_start;
mod gate;
mod password;
mod role;
mod secrets;
mod session;
mod tokens;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, header};
use meta::{Meta, MetaError};
use telemetry::TenantId;

use crate::config::Config;

pub use browser::BrowserRules;
pub use first_start::FirstStart;
pub use gate::IngestGate;
pub use role::{Access, Role};
pub use session::{COOKIE, NewSession};

use failures::Failures;
use password::AdminPassword;
use session::Sessions;
use tokens::{Scope, Tokens};

/// The header by which an admin chooses among tenants, as Loki, Tempo and Mimir name it.
pub const TENANT_HEADER: &str = "x-scope-orgid";

/// The one user there is.
pub const ADMIN: &str = "admin";

/// Somebody whose credentials were checked.
#[derive(Clone, Debug)]
pub struct Principal {
    /// A user's name, or what kind of token it was.
    pub user: String,
    /// Whose data this request is about.
    pub tenant: TenantId,
    /// What they may do there.
    pub role: Role,
    /// Whose data they could ask for.
    pub tenants: Arc<[Access]>,
    /// Where the request comes from.
    pub address: IpAddr,
}

/// Why nobody is let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// No credentials at all.
    #[error("no credentials were sent")]
    Missing,
    /// A header or cookie that is not what it should be, or is not known.
    #[error("{0}")]
    Bad(&'static str),
    /// Too many wrong tries from there.
    #[error("too many failed logins from {address}")]
    TooMany {
        /// Where they came from.
        address: IpAddr,
        /// When the next try is allowed.
        retry_after: Duration,
    },
    /// More logins than can be checked.
    #[error("too many logins are being checked")]
    Busy,
    /// Known, but not allowed.
    #[error("{0}")]
    Forbidden(String),
    /// The document store failed.
    #[error("cannot read or write logins")]
    Meta(#[from] MetaError),
    /// A file of the data directory failed.
    #[error("cannot {what} {path}")]
    File {
        /// The attempt.
        what: &'static str,
        /// The object.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
    /// No random bytes, or argon2 refused to work.
    #[error("cannot make or check a secret: {0}")]
    Crypto(String),
}

/// Everything that decides about access.
pub struct Auth {
    password: AdminPassword,
    tokens: Tokens,
    sessions: Sessions,
    failures: Failures,
    browser: BrowserRules,
    tenants: Arc<[TenantId]>,
    require_token: bool,
}

impl Principal {
    /// Whether they may do what is about all tenants: an admin of `default`, the tenant of who runs this.
    pub fn is_operator(&self) -> bool {
        self.role_in(&TenantId::default_tenant()) == Some(Role::Admin)
    }

    /// What they may do in a tenant, whichever they ask about.
    pub fn role_in(&self, tenant: &TenantId) -> Option<Role> {
        self.tenants.iter().find(|access| access.tenant == *tenant).map(|access| access.role)
    }

    /// The same somebody, asking about the tenant `name` where one is named: for requests of browsers that
    /// cannot send the header.
    pub fn of_tenant(mut self, name: Option<&str>) -> Result<Self, AuthError> {
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            self.choose(name.as_bytes())?;
        }
        Ok(self)
    }

    fn choose(&mut self, asked: &[u8]) -> Result<(), AuthError> {
        let Access { tenant, role } = choose_tenant(&self.tenants, asked)?;
        (self.tenant, self.role) = (tenant, role);
        Ok(())
    }
}

impl Auth {
    /// Makes or reads the secrets in the data directory, and loads the sessions.
    ///
    /// Also answers what the first start has to tell.
    pub async fn open(config: &Config, meta: Arc<dyn Meta>) -> Result<(Arc<Self>, FirstStart), AuthError> {
        let sessions = Sessions::open(Arc::clone(&meta), config.session_lifetime).await?;
        let found = first_start::run(config, &meta, &sessions).await?;
        let auth = Self {
            password: AdminPassword::new(found.password_hash)?,
            tokens: Tokens::new(config, found.default_token_hash),
            sessions,
            failures: Failures::default(),
            browser: BrowserRules::new(config),
            tenants: config.tenant_ids().into(),
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

    /// Logs somebody in; the old session of the same browser ends.
    pub async fn login(
        &self,
        user: &str,
        password: &str,
        headers: &HeaderMap,
        peer: SocketAddr,
    ) -> Result<NewSession, AuthError> {
        self.check_password(user, password, peer.ip()).await?;
        if let Some(old) = session::cookie(headers) {
            self.sessions.end(old).await?;
        }
        self.sessions.begin(user).await
    }

    /// Ends the session of the cookie, if there is one.
    pub async fn logout(&self, headers: &HeaderMap) -> Result<(), AuthError> {
        match session::cookie(headers) {
            Some(token) => self.sessions.end(token).await,
            None => Ok(()),
        }
    }

    /// Who sent this request, and whose data it is about.
    pub async fn authenticate(&self, headers: &HeaderMap, peer: SocketAddr) -> Result<Principal, AuthError> {
        let mut principal = match headers.get(header::AUTHORIZATION) {
            Some(value) => {
                let text =
                    value.to_str().map_err(|_| AuthError::Bad("the Authorization header is not ASCII"))?;
                self.by_header(text, peer.ip()).await?
            }
            None => self.by_cookie(headers, peer.ip())?,
        };
        if let Some(asked) = headers.get(TENANT_HEADER) {
            principal.choose(asked.as_bytes())?;
        }
        Ok(principal)
    }

    /// The session that a request stands on; `None` if it brought other credentials, which do not end.
    pub fn session_of(headers: &HeaderMap) -> Option<String> {
        let by_cookie = !headers.contains_key(header::AUTHORIZATION);
        by_cookie.then(|| session::cookie(headers).map(str::to_owned))?
    }

    /// Whether a session has not ended.
    pub fn is_session(&self, token: &str) -> bool {
        self.sessions.user(token).is_some()
    }

    async fn by_header(&self, authorization: &str, address: IpAddr) -> Result<Principal, AuthError> {
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
        self.check_password(&user, &password, address).await?;
        Ok(self.admin(user, address))
    }

    /// Unknown tokens are not counted: they cannot be guessed, and a sender with an old one must not
    /// lock out others on its machine.
    fn by_token(&self, token: &str, address: IpAddr) -> Result<Principal, AuthError> {
        match self.tokens.scope(token) {
            Some(Scope::Admin) => Ok(self.admin("token:admin".to_owned(), address)),
            Some(Scope::Ingest(tenant)) => Ok(Principal {
                user: "token:ingest".to_owned(),
                tenants: [Access { tenant: tenant.clone(), role: Role::Ingest }].into(),
                tenant,
                role: Role::Ingest,
                address,
            }),
            None => Err(AuthError::Bad("the token is not known")),
        }
    }

    fn by_cookie(&self, headers: &HeaderMap, address: IpAddr) -> Result<Principal, AuthError> {
        let token = session::cookie(headers).ok_or(AuthError::Missing)?;
        let user = self.sessions.user(token).ok_or(AuthError::Bad("the session has ended: log in again"))?;
        Ok(self.admin(user, address))
    }

    fn admin(&self, user: String, address: IpAddr) -> Principal {
        let access = |tenant: &TenantId| Access { tenant: tenant.clone(), role: Role::Admin };
        let tenants = self.tenants.iter().map(access).collect();
        Principal { user, role: Role::Admin, tenant: TenantId::default_tenant(), tenants, address }
    }

    async fn check_password(&self, user: &str, password: &str, address: IpAddr) -> Result<(), AuthError> {
        if self.password.is_cached(user, password) {
            return Ok(());
        }
        self.failures.check(address, user)?;
        let turn = self.password.turn().await?;
        // Those before us may have used up the tries, or had the same right password.
        if self.password.is_cached(user, password) {
            return Ok(());
        }
        // Counted before the answer is known, so that no two tries are the last one, and a client that hangs
        // up does not try for nothing.
        self.failures.check_and_count(address, user)?;
        if self.password.verify(turn, user, password).await? {
            self.failures.forgive(address, user);
            return Ok(());
        }
        Err(AuthError::Bad("wrong user or password"))
    }
}

fn choose_tenant(tenants: &[Access], asked: &[u8]) -> Result<Access, AuthError> {
    let asked = String::from_utf8_lossy(asked);
    let found = tenants.iter().find(|access| access.tenant.as_str() == asked).cloned();
    found.ok_or_else(|| {
        let asked: String = asked.chars().take(64).collect();
        AuthError::Forbidden(format!("these credentials give no access to the tenant {asked:?}"))
    })
}
