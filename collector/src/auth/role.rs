//! What somebody may do with a tenant's data. Each role may do what those below it may.

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

/// A tenant, and what somebody may do there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Whose data.
    pub tenant: TenantId,
    /// What may be done with it.
    pub role: Role,
}
