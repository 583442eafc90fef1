//! What somebody may do with a tenant's data. Each role may do what those below it may.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use telemetry::TenantId;
use utoipa::ToSchema;

/// What somebody may do, in one tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Send data, and nothing else.
    Ingest,
    /// Read everything.
    Viewer,
    /// And change what people share: views, dashboards, silences.
    Editor,
    /// And change who may do what, and delete data.
    Admin,
}

/// A tenant, and what somebody may do there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Whose data.
    pub tenant: TenantId,
    /// What may be done with it.
    pub role: Role,
}

/// Roles by the tenant's name; `*` is every tenant, also one that comes later. Of two the higher counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Roles(pub BTreeMap<String, Role>);

impl Role {
    /// As it is spelled everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Admin => "admin",
        }
    }
}

impl Roles {
    /// Stands for every tenant.
    pub const EVERY: &str = "*";

    /// The same role in every tenant.
    pub fn everywhere(role: Role) -> Self {
        Self([(Self::EVERY.to_owned(), role)].into())
    }

    /// The role in every tenant, also in one that comes later.
    pub fn every(&self) -> Option<Role> {
        self.0.get(Self::EVERY).copied()
    }

    /// What they are in those tenants that there are.
    pub fn access(&self, tenants: &[TenantId]) -> Arc<[Access]> {
        let every = self.every();
        let role = |tenant: &TenantId| self.0.get(tenant.as_str()).copied().max(every);
        tenants
            .iter()
            .filter_map(|tenant| Some(Access { tenant: tenant.clone(), role: role(tenant)? }))
            .collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_higher_of_two_roles_counts() {
        let tenants = ["default", "acme", "umbrella"].map(|name| TenantId::new(name).unwrap());
        type Case<'a> = (&'a [(&'a str, Role)], [Option<Role>; 3]);
        let cases: [Case<'_>; 4] = [
            (&[], [None; 3]),
            (&[("*", Role::Admin)], [Some(Role::Admin); 3]),
            (&[("acme", Role::Editor), ("gone", Role::Admin)], [None, Some(Role::Editor), None]),
            (
                &[("*", Role::Editor), ("acme", Role::Admin), ("umbrella", Role::Viewer)],
                [Some(Role::Editor), Some(Role::Admin), Some(Role::Editor)],
            ),
        ];
        for (roles, expected) in cases {
            let access = Roles(roles.iter().map(|(name, role)| ((*name).to_owned(), *role)).collect())
                .access(&tenants);
            let found = tenants
                .each_ref()
                .map(|one| access.iter().find(|access| access.tenant == *one).map(|a| a.role));
            assert_eq!(found, expected, "{roles:?}");
        }
        assert!(Role::Ingest < Role::Viewer && Role::Viewer < Role::Editor && Role::Editor < Role::Admin);
    }
}
