//! Somebody whose credentials were checked, and the tenant that their request is about.

use std::net::IpAddr;
use std::sync::Arc;

use telemetry::TenantId;

use super::secrets::Hash;
use super::{Access, AuthError, Role, Roles};

/// Somebody whose credentials were checked.
#[derive(Clone, Debug)]
pub struct Principal {
    /// A user's name, or `token:` and a token's.
    pub user: String,
    /// Whose data this request is about.
    pub tenant: TenantId,
    /// What they may do there.
    pub role: Role,
    /// Whose data they could ask for.
    pub tenants: Arc<[Access]>,
    /// Where the request comes from.
    pub address: IpAddr,
    /// What they are in every tenant, also in one that comes later.
    pub(super) every: Option<Role>,
    pub(super) credential: Credential,
}

/// What was shown, to see whether it still opens anything.
#[derive(Clone, Debug)]
pub(super) enum Credential {
    Session(Hash),
    /// The user's password of this generation.
    Password(u64),
    Token(Hash),
}

/// Who somebody is, before it is known which tenant they ask about.
pub(super) struct Identity {
    pub(super) user: String,
    pub(super) tenants: Arc<[Access]>,
    pub(super) every: Option<Role>,
    pub(super) address: IpAddr,
    pub(super) credential: Credential,
}

impl Identity {
    /// Asks about the tenant of this name; without one about `default`, or the first that is theirs.
    pub(super) fn asking(self, tenant: Option<&[u8]>) -> Result<Principal, AuthError> {
        let Self { user, tenants, every, address, credential } = self;
        let is_default = |access: &&Access| access.tenant.as_str() == TenantId::DEFAULT;
        let Access { tenant, role } = match tenant {
            Some(name) => choose_tenant(&tenants, name)?,
            None => tenants.iter().find(is_default).or(tenants.first()).cloned().ok_or_else(|| {
                AuthError::Forbidden(format!("{user} has no role in any tenant: an admin gives one"))
            })?,
        };
        Ok(Principal { user, tenant, role, tenants, address, every, credential })
    }
}

impl Principal {
    /// The same somebody, asking about the tenant `name` where one is named: for requests of browsers that
    /// cannot send the header.
    pub fn of_tenant(mut self, name: Option<&str>) -> Result<Self, AuthError> {
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            Access { tenant: self.tenant, role: self.role } = choose_tenant(&self.tenants, name.as_bytes())?;
        }
        Ok(self)
    }

    /// What they may do in a tenant, whichever they ask about.
    pub fn role_in(&self, tenant: &TenantId) -> Option<Role> {
        self.tenants.iter().find(|access| access.tenant == *tenant).map(|access| access.role)
    }

    /// Whether they may do what is about all tenants: an admin of `default`, the tenant of who runs this.
    pub fn is_operator(&self) -> bool {
        self.role_in(&TenantId::default_tenant()) == Some(Role::Admin)
    }

    /// Whether they are an admin of every tenant, also of one that comes later.
    pub fn administers_all(&self) -> bool {
        self.every == Some(Role::Admin)
    }

    /// Whether they may give and take what is under this name of `Roles`: a tenant's, or `*`.
    pub fn administers(&self, name: &str) -> bool {
        let is_admin = |access: &Access| access.tenant.as_str() == name && access.role == Role::Admin;
        self.administers_all() || self.tenants.iter().any(is_admin)
    }

    /// Whether everything that these roles open is theirs to give and take.
    pub fn administers_whole(&self, roles: &Roles) -> bool {
        roles.0.keys().all(|name| self.administers(name))
    }

    /// Whether a browser sent the credentials by itself.
    pub fn is_by_cookie(&self) -> bool {
        matches!(self.credential, Credential::Session(_))
    }

    /// The id of the session that the request stands on.
    pub fn session_id(&self) -> Option<String> {
        match &self.credential {
            Credential::Session(hash) => Some(super::session::id(hash)),
            Credential::Password(_) | Credential::Token(_) => None,
        }
    }

    /// Whether it is a user, and no token.
    pub fn is_user(&self) -> bool {
        !matches!(self.credential, Credential::Token(_))
    }
}

pub(super) fn choose_tenant(tenants: &[Access], asked: &[u8]) -> Result<Access, AuthError> {
    let asked = String::from_utf8_lossy(asked);
    let found = tenants.iter().find(|access| access.tenant.as_str() == asked).cloned();
    found.ok_or_else(|| {
        let asked: String = asked.chars().take(64).collect();
        AuthError::Forbidden(format!("these credentials give no access to the tenant {asked:?}"))
    })
}
