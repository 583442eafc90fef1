//! Bearer tokens, kept as hashes and compared one by one in constant time.

use telemetry::TenantId;

use super::secrets::{self, Hash};
use crate::config::Config;

/// What a token opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Admin,
    Ingest(TenantId),
}

pub(super) struct Tokens(Vec<(Hash, Scope)>);

impl Tokens {
    /// The configured ones, and the one of `default` that the first start made or was given.
    pub(super) fn new(config: &Config, default_token: Hash) -> Self {
        let configured = config.tenants.iter().filter_map(|tenant| {
            let token = tenant.ingest_token.as_ref()?;
            Some((secrets::hash(token.reveal()), Scope::Ingest(tenant.id.clone())))
        });
        let admin = config.admin_token.iter().map(|token| (secrets::hash(token.reveal()), Scope::Admin));
        let mut tokens: Vec<_> = configured.chain(admin).collect();
        if tokens.iter().all(|(hash, _)| *hash != default_token) {
            tokens.push((default_token, Scope::Ingest(TenantId::default_tenant())));
        }
        Self(tokens)
    }

    /// What `token` opens, if it is known.
    pub(super) fn scope(&self, token: &str) -> Option<Scope> {
        let asked = secrets::hash(token);
        let mut found = None;
        // All of them, so that the time does not tell which one it was.
        for (hash, scope) in &self.0 {
            if secrets::same(hash, &asked) {
                found = Some(scope);
            }
        }
        found.cloned()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::commit::RateLimit;
    use crate::config::{Secret, Tenant};

    #[test]
    fn each_token_opens_its_own() {
        let acme = TenantId::new("acme").unwrap();
        let mut config = Config { admin_token: Some(Secret::new("root")), ..Config::default() };
        config.tenants.push(Tenant {
            id: acme.clone(),
            ingest_token: Some(Secret::new("a")),
            ingest: RateLimit::default(),
            alertmanager_config: None,
            rule_files: Vec::new(),
        });
        let tokens = Tokens::new(&config, secrets::hash("d"));
        assert_eq!(tokens.scope("root"), Some(Scope::Admin));
        assert_eq!(tokens.scope("a"), Some(Scope::Ingest(acme)));
        assert_eq!(tokens.scope("d"), Some(Scope::Ingest(TenantId::default_tenant())));
        for unknown in ["", "A", "x"] {
            assert_eq!(tokens.scope(unknown), None, "{unknown}");
        }
    }
}
