//! Bearer tokens, looked up by their SHA-256: those of the configuration, and those that
//! admins make. What is kept of a token opens nothing, and what the time of a look-up tells
//! about a hash helps nobody.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use meta::Meta;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use telemetry::TenantId;
use utoipa::ToSchema;

use super::secrets::{self, Hash};
use super::{Access, AccountError, AuthError, Role, Roles, documents};
use crate::config::Config;

const PREFIX: &str = "api-tokens/";
const MAX_TOKENS: usize = 1000;
/// Every token that is made begins with this, so that scanners of repositories find lost ones.
const MARK: &str = "nrw_";
const NEVER: i64 = i64::MIN;

/// What a token opens; each but the first opens what those before it do, down to `read`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Sending data.
    Ingest,
    /// What a viewer may.
    Read,
    /// What an editor may.
    Write,
    /// What an admin may, and sending data.
    Admin,
}

/// A token, as others may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Stays the same.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it opens.
    pub scopes: Vec<Scope>,
    /// In which tenants; `None` is all of them.
    pub tenants: Option<Vec<String>>,
    /// ns since 1970; `None` for those of the configuration.
    pub created_at_ns: Option<i64>,
    /// Who made it.
    pub created_by: String,
    /// ns since 1970.
    pub expires_at_ns: Option<i64>,
    /// ns since 1970.
    pub last_used_at_ns: Option<i64>,
    /// It is of the configuration or the first start: it cannot be removed here.
    pub configured: bool,
}

/// A token to be.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What people call it.
    pub name: String,
    /// What it opens.
    pub scopes: Vec<Scope>,
    /// In which tenants; `None` is all of them.
    pub tenants: Option<Vec<String>>,
    /// ns since 1970.
    pub expires_at_ns: Option<i64>,
    /// Who makes it.
    pub created_by: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    name: String,
    sha256: String,
    scopes: Vec<Scope>,
    /// Missing: all of them.
    #[serde(default)]
    tenants: Option<Vec<String>>,
    created_at_ns: Option<i64>,
    created_by: String,
    expires_at_ns: Option<i64>,
    #[serde(default)]
    last_used_at_ns: Option<i64>,
}

/// A token in memory.
pub(super) struct Token {
    id: String,
    kept: Kept,
    configured: bool,
    pub(super) hash: Hash,
    pub(super) access: Arc<[Access]>,
    last_used_at_ns: AtomicI64,
    /// What of it is stored.
    noted_at_ns: AtomicI64,
}

/// All tokens.
pub(super) struct Tokens {
    meta: Arc<dyn Meta>,
    tenants: Arc<[TenantId]>,
    known: RwLock<HashMap<Hash, Arc<Token>>>,
    /// Held while documents are written.
    writing: tokio::sync::Mutex<()>,
}

impl Tokens {
    /// The configured ones, that of `default` which the first start made or was given, and those that were made.
    pub(super) async fn open(
        config: &Config,
        default_token: Hash,
        meta: Arc<dyn Meta>,
        tenants: Arc<[TenantId]>,
    ) -> Result<Self, AuthError> {
        let mut known = HashMap::new();
        for (key, _) in meta.list(PREFIX).await? {
            let (Some(kept), _) = documents::read::<Kept>(&meta, &key).await? else { continue };
            let hash = secrets::from_hex(&kept.sha256).ok_or_else(|| AuthError::Document {
                key: key.clone(),
                reason: "sha256 is no hash".to_owned(),
            })?;
            let id = key.strip_prefix(PREFIX).unwrap_or_default().to_owned();
            known.insert(hash, Arc::new(Token::new(id, kept, hash, false, &tenants)));
        }
        for (hash, id, kept) in configured(config, default_token) {
            known.insert(hash, Arc::new(Token::new(id, kept, hash, true, &tenants)));
        }
        Ok(Self { meta, tenants, known: RwLock::new(known), writing: tokio::sync::Mutex::default() })
    }

    /// The token of this text, if it is known and has not expired; notes that it was used.
    pub(super) fn find(&self, text: &str, now_ns: i64) -> Result<Arc<Token>, &'static str> {
        let found = self.known.read().get(&secrets::hash(text)).cloned();
        let token = found.ok_or("the token is not known")?;
        if token.has_expired(now_ns) {
            return Err("the token has expired");
        }
        token.last_used_at_ns.fetch_max(now_ns, Ordering::Relaxed);
        Ok(token)
    }

    /// Whether a token still opens something.
    pub(super) fn is_good(&self, hash: &Hash, now_ns: i64) -> bool {
        self.known.read().get(hash).is_some_and(|token| !token.has_expired(now_ns))
    }

    /// All of them: those of the configuration, then by name.
    pub(super) fn all(&self) -> Vec<ApiToken> {
        let mut all: Vec<ApiToken> = self.known.read().values().map(|token| token.view()).collect();
        all.sort_by(|a, b| (!a.configured, &a.name, &a.id).cmp(&(!b.configured, &b.name, &b.id)));
        all
    }

    /// Makes one; its text is told here and never again.
    pub(super) async fn create(
        &self,
        new: NewToken,
        now_ns: i64,
    ) -> Result<(ApiToken, String), AccountError> {
        let _turn = self.writing.lock().await;
        if self.known.read().values().filter(|token| !token.configured).count() >= MAX_TOKENS {
            return Err(AccountError::TooMany { what: "tokens", most: MAX_TOKENS });
        }
        let text = format!("{MARK}{}", secrets::random_token()?);
        let (hash, id) = (secrets::hash(&text), secrets::random_id()?);
        let kept = Kept {
            name: new.name,
            sha256: secrets::hex(&hash),
            scopes: new.scopes,
            tenants: new.tenants,
            created_at_ns: Some(now_ns),
            created_by: new.created_by,
            expires_at_ns: new.expires_at_ns,
            last_used_at_ns: None,
        };
        documents::write(&self.meta, &key(&id), &kept, 0).await?;
        let token = Arc::new(Token::new(id, kept, hash, false, &self.tenants));
        self.known.write().insert(hash, Arc::clone(&token));
        Ok((token.view(), text))
    }

    /// Takes one back: from now on it opens nothing.
    pub(super) async fn remove(&self, id: &str) -> Result<(), AccountError> {
        let _turn = self.writing.lock().await;
        let found = self.known.read().values().find(|token| token.id == id).cloned();
        let token = found.ok_or_else(|| AccountError::Unknown { what: "token", name: short(id) })?;
        if token.configured {
            let name = &token.kept.name;
            return Err(AccountError::Fixed(format!(
                "{name} is of the configuration: it is taken out there"
            )));
        }
        // It must be gone from the store first: it would come back with the next start.
        let (_, revision) = documents::read::<Kept>(&self.meta, &key(id)).await?;
        if revision != 0 {
            self.meta.delete(&key(id), revision).await?;
        }
        self.known.write().remove(&token.hash);
        Ok(())
    }

    /// Stores when tokens were used last, of those for which that has changed.
    pub(super) async fn note_use(&self) -> Result<(), AuthError> {
        let _turn = self.writing.lock().await;
        let used: Vec<Arc<Token>> = self
            .known
            .read()
            .values()
            .filter(|token| !token.configured && token.is_newly_used())
            .cloned()
            .collect();
        for token in used {
            let last = token.last_used_at_ns.load(Ordering::Relaxed);
            let (kept, revision) = documents::read::<Kept>(&self.meta, &key(&token.id)).await?;
            let Some(kept) = kept else { continue };
            let kept = Kept { last_used_at_ns: Some(last), ..kept };
            documents::write(&self.meta, &key(&token.id), &kept, revision).await?;
            token.noted_at_ns.store(last, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Token {
    fn new(id: String, kept: Kept, hash: Hash, configured: bool, tenants: &[TenantId]) -> Self {
        let role = role_of(&kept.scopes);
        let roles = match &kept.tenants {
            None => Roles::everywhere(role),
            Some(names) => Roles(names.iter().map(|name| (name.clone(), role)).collect()),
        };
        let last = kept.last_used_at_ns.unwrap_or(NEVER);
        Self {
            id,
            configured,
            hash,
            access: roles.access(tenants),
            last_used_at_ns: AtomicI64::new(last),
            noted_at_ns: AtomicI64::new(last),
            kept,
        }
    }

    /// Who it is, where people read it.
    pub(super) fn user(&self) -> String {
        format!("token:{}", self.kept.name)
    }

    /// What it opens in every tenant, also in one that comes later.
    pub(super) fn every(&self) -> Option<Role> {
        self.kept.tenants.is_none().then(|| role_of(&self.kept.scopes))
    }

    /// Whether it may send data.
    pub(super) fn may_ingest(&self) -> bool {
        self.kept.scopes.iter().any(|scope| matches!(scope, Scope::Ingest | Scope::Admin))
    }

    fn has_expired(&self, now_ns: i64) -> bool {
        self.kept.expires_at_ns.is_some_and(|at| at <= now_ns)
    }

    fn is_newly_used(&self) -> bool {
        self.last_used_at_ns.load(Ordering::Relaxed) > self.noted_at_ns.load(Ordering::Relaxed)
    }

    fn view(&self) -> ApiToken {
        let last = self.last_used_at_ns.load(Ordering::Relaxed);
        ApiToken {
            id: self.id.clone(),
            name: self.kept.name.clone(),
            scopes: self.kept.scopes.clone(),
            tenants: self.kept.tenants.clone(),
            created_at_ns: self.kept.created_at_ns,
            created_by: self.kept.created_by.clone(),
            expires_at_ns: self.kept.expires_at_ns,
            last_used_at_ns: (last != NEVER).then_some(last),
            configured: self.configured,
        }
    }
}

/// The highest role among the scopes.
fn role_of(scopes: &[Scope]) -> Role {
    let roles = scopes.iter().map(|scope| match scope {
        Scope::Ingest => Role::Ingest,
        Scope::Read => Role::Viewer,
        Scope::Write => Role::Editor,
        Scope::Admin => Role::Admin,
    });
    roles.max().unwrap_or(Role::Ingest)
}

/// Those of the configuration. That of `default` is made at the first start, where none is given.
fn configured(config: &Config, default_token: Hash) -> Vec<(Hash, String, Kept)> {
    let of_tenant = |hash: Hash, tenant: &TenantId| {
        let kept = of_configuration(format!("ingest:{tenant}"), &hash, Scope::Ingest, Some(tenant));
        (hash, format!("configured-ingest-{tenant}"), kept)
    };
    let tenants = config.tenants.iter().filter_map(|tenant| {
        let token = tenant.ingest_token.as_ref()?;
        Some(of_tenant(secrets::hash(token.reveal()), &tenant.id))
    });
    let mut all: Vec<_> = tenants.collect();
    if all.iter().all(|(hash, ..)| *hash != default_token) {
        all.push(of_tenant(default_token, &TenantId::default_tenant()));
    }
    all.extend(config.admin_token.iter().map(|token| {
        let hash = secrets::hash(token.reveal());
        let kept = of_configuration("admin".to_owned(), &hash, Scope::Admin, None);
        (hash, "configured-admin".to_owned(), kept)
    }));
    all
}

fn of_configuration(name: String, hash: &Hash, scope: Scope, tenant: Option<&TenantId>) -> Kept {
    Kept {
        name,
        sha256: secrets::hex(hash),
        scopes: vec![scope],
        tenants: tenant.map(|tenant| vec![tenant.to_string()]),
        created_at_ns: None,
        created_by: "the configuration".to_owned(),
        expires_at_ns: None,
        last_used_at_ns: None,
    }
}

fn key(id: &str) -> String {
    format!("{PREFIX}{id}")
}

fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
