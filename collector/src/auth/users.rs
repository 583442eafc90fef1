//! Users: one document each, all of them in memory, too. This process is the only one that
//! writes them. A change that must end a user's sessions draws a new generation; sessions
//! of another one have ended, whether they have been removed yet or not.

use std::collections::HashMap;
use std::sync::Arc;

use meta::Meta;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use telemetry::TenantId;

use super::{ADMIN, Access, AccountError, AuthError, Role, Roles, documents, secrets};

const PREFIX: &str = "users/";
const MAX_USERS: usize = 1000;
const MAX_NAME_BYTES: usize = 64;

/// A user, as others may see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// What they log in with; stays the same.
    pub name: String,
    /// What they may do.
    pub roles: Roles,
    /// They are not let in.
    pub disabled: bool,
    /// ns since 1970; `None` for the first admin.
    pub created_at_ns: Option<i64>,
}

/// What is kept of a user.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    /// argon2id in PHC form.
    pub(super) password_hash: String,
    #[serde(default)]
    pub(super) roles: Roles,
    #[serde(default)]
    pub(super) disabled: bool,
    #[serde(default)]
    pub(super) created_at_ns: Option<i64>,
    /// Drawn with each change that ends sessions; 0 before the first.
    #[serde(default)]
    pub(super) generation: u64,
    /// Of the password that a start was given: it counts again only when it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) given_hash: Option<String>,
}

/// A user in memory.
pub(super) struct Known {
    pub(super) user: User,
    pub(super) password_hash: Arc<str>,
    pub(super) generation: u64,
    pub(super) access: Arc<[Access]>,
    kept: Kept,
    revision: u64,
}

/// All users.
pub(super) struct Users {
    meta: Arc<dyn Meta>,
    tenants: Arc<[TenantId]>,
    known: RwLock<HashMap<String, Arc<Known>>>,
    /// Held from looking to writing, so that two admins do not demote each other.
    writing: tokio::sync::Mutex<()>,
}

impl Users {
    /// Loads all of them.
    pub(super) async fn open(meta: Arc<dyn Meta>, tenants: Arc<[TenantId]>) -> Result<Self, AuthError> {
        let users = Self { meta, tenants, known: RwLock::default(), writing: tokio::sync::Mutex::default() };
        for (key, _) in users.meta.list(PREFIX).await? {
            let name = key.strip_prefix(PREFIX).unwrap_or_default().replace('=', "@");
            users.load(&name).await?;
        }
        Ok(users)
    }

    /// The user of this name.
    pub(super) fn get(&self, name: &str) -> Option<Arc<Known>> {
        self.known.read().get(name).cloned()
    }

    /// Whether a session or password of this generation still opens anything.
    pub(super) fn is_good(&self, name: &str, generation: u64) -> bool {
        let known = self.known.read();
        known.get(name).is_some_and(|known| known.generation == generation && !known.user.disabled)
    }

    /// All users by name.
    pub(super) fn all(&self) -> Vec<User> {
        let mut all: Vec<User> = self.known.read().values().map(|known| known.user.clone()).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// A new one.
    pub(super) async fn create(
        &self,
        name: &str,
        password_hash: String,
        roles: Roles,
        now_ns: i64,
    ) -> Result<User, AccountError> {
        check_name(name)?;
        let _turn = self.writing.lock().await;
        if self.get(name).is_some() {
            return Err(AccountError::Exists(name.to_owned()));
        }
        if self.known.read().len() >= MAX_USERS {
            return Err(AccountError::TooMany { what: "users", most: MAX_USERS });
        }
        let kept = Kept {
            password_hash,
            roles,
            disabled: false,
            created_at_ns: Some(now_ns),
            generation: secrets::random_number()?,
            given_hash: None,
        };
        self.put(name, kept, 0).await
    }

    /// Changes one, if anything changes; their sessions have ended then.
    pub(super) async fn change(
        &self,
        name: &str,
        change: impl FnOnce(&User, &mut Kept) -> Result<(), AccountError>,
    ) -> Result<User, AccountError> {
        let _turn = self.writing.lock().await;
        let known = self.get(name).ok_or_else(|| unknown(name))?;
        let mut kept = known.kept.clone();
        change(&known.user, &mut kept)?;
        let same = (&kept.roles, kept.disabled) == (&known.user.roles, known.user.disabled);
        if same && *kept.password_hash == *known.password_hash {
            return Ok(known.user.clone());
        }
        let remains = kept.roles.every() == Some(Role::Admin) && !kept.disabled;
        if !remains && !self.others_administer(name) {
            return Err(AccountError::LastAdmin(name.to_owned()));
        }
        if name == ADMIN && kept.roles.every() != Some(Role::Admin) {
            return Err(AccountError::Fixed(format!(
                "{ADMIN} is the first start's user and keeps the role admin everywhere: disable it instead"
            )));
        }
        kept.generation = secrets::random_number()?;
        self.put(name, kept, known.revision).await
    }

    /// Removes one.
    pub(super) async fn remove(&self, name: &str) -> Result<(), AccountError> {
        let _turn = self.writing.lock().await;
        let known = self.get(name).ok_or_else(|| unknown(name))?;
        if name == ADMIN {
            return Err(AccountError::Fixed(format!(
                "{ADMIN} is the first start's user and cannot be removed: disable it instead"
            )));
        }
        if !self.others_administer(name) {
            return Err(AccountError::LastAdmin(name.to_owned()));
        }
        let outcome = self.meta.delete(&key(name), known.revision).await;
        self.load(name).await?;
        Ok(outcome?)
    }

    /// Whether somebody else may do everything.
    fn others_administer(&self, name: &str) -> bool {
        let known = self.known.read();
        let mut others = known.values().filter(|known| known.user.name != name && !known.user.disabled);
        others.any(|known| known.user.roles.every() == Some(Role::Admin))
    }

    async fn put(&self, name: &str, kept: Kept, revision: u64) -> Result<User, AccountError> {
        let outcome = documents::write(&self.meta, &key(name), &kept, revision).await;
        // What is in memory is what is stored, also when it is not known whether the change was made.
        self.load(name).await?;
        outcome?;
        self.get(name).map(|known| known.user.clone()).ok_or_else(|| unknown(name))
    }

    async fn load(&self, name: &str) -> Result<(), AuthError> {
        let (kept, revision) = documents::read::<Kept>(&self.meta, &key(name)).await?;
        let mut known = self.known.write();
        match kept {
            Some(mut kept) => {
                // As the version before kept it.
                if name == ADMIN && kept.roles.0.is_empty() {
                    kept.roles = Roles::everywhere(Role::Admin);
                }
                known.insert(name.to_owned(), Arc::new(Known::of(name, kept, revision, &self.tenants)));
            }
            None => {
                known.remove(name);
            }
        }
        Ok(())
    }
}

impl Known {
    fn of(name: &str, kept: Kept, revision: u64, tenants: &[TenantId]) -> Self {
        let user = User {
            name: name.to_owned(),
            roles: kept.roles.clone(),
            disabled: kept.disabled,
            created_at_ns: kept.created_at_ns,
        };
        Self {
            access: user.roles.access(tenants),
            user,
            password_hash: Arc::from(kept.password_hash.as_str()),
            generation: kept.generation,
            kept,
            revision,
        }
    }
}

/// Document keys have no `@`, and names no `=`.
fn key(name: &str) -> String {
    format!("{PREFIX}{}", name.replace('@', "="))
}

fn unknown(name: &str) -> AccountError {
    AccountError::Unknown { what: "user", name: name.chars().take(64).collect() }
}

fn check_name(name: &str) -> Result<(), AccountError> {
    let safe = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-@".contains(&byte);
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if begins && name.len() <= MAX_NAME_BYTES && name.bytes().all(safe) {
        return Ok(());
    }
    let shown: String = name.chars().take(64).collect();
    Err(AccountError::Invalid(format!(
        "name: 1 to {MAX_NAME_BYTES} of a-z, 0-9 and . _ - @, beginning with a letter or digit, not {shown:?}"
    )))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
