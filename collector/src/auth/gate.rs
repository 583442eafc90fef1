//! Who may send data, and as which tenant. Never blocks: only tokens are known
//! here, no users' passwords.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header};
use receive::{Denied, Gate, RequestHead};
use telemetry::TenantId;

use super::principal::choose_tenant;
use super::{Access, Auth, Role, TENANT_HEADER, now_ns, secrets};

/// The collector's gate for everything that sends.
#[derive(Clone)]
pub struct IngestGate(pub Arc<Auth>);

impl Gate for IngestGate {
    fn admit(&self, head: &RequestHead<'_>) -> Result<TenantId, Denied> {
        self.0.browser.check_write(head.headers)?;
        match head.headers.get(header::AUTHORIZATION) {
            Some(value) => self.0.tenant_of(value.to_str().unwrap_or_default(), head.headers),
            None if head.certified.is_some() => self.0.certified(head),
            None if self.0.is_trusted(head.headers, head.peer) => Ok(TenantId::default_tenant()),
            None => Err(unauthenticated("send the tenant's ingest token: authorization: Bearer <token>")),
        }
    }
}

impl Auth {
    /// The tenant that a client certificate names; it opens ingest and nothing else.
    fn certified(&self, head: &RequestHead<'_>) -> Result<TenantId, Denied> {
        let (Some(named), asked) = (head.certified, head.headers.get(TENANT_HEADER)) else {
            return Err(unauthenticated("there is no client certificate"));
        };
        if !self.tenants.contains(named) {
            let reason =
                format!("the client certificate names the tenant {:?}, which is not there", named.as_str());
            return Err(Denied::Forbidden { reason });
        }
        let asked = asked.map_or(named.as_str().as_bytes(), |asked| asked.as_bytes());
        let access = [Access { tenant: named.clone(), role: Role::Ingest }];
        let chosen =
            choose_tenant(&access, asked).map_err(|error| Denied::Forbidden { reason: error.to_string() });
        chosen.map(|access| access.tenant)
    }

    fn tenant_of(&self, authorization: &str, headers: &HeaderMap) -> Result<TenantId, Denied> {
        let (scheme, rest) = authorization.split_once(' ').unwrap_or((authorization, ""));
        let token = match scheme.to_ascii_lowercase().as_str() {
            "bearer" => rest.trim().to_owned(),
            // Some exporters only know Basic: the password is the token. Elasticsearch's clients write a key's id and
            // the key in the same way.
            "basic" | "apikey" => secrets::basic(rest.trim()).map(|(_, token)| token).unwrap_or_default(),
            _ => return Err(unauthenticated("unknown authorization scheme: use Bearer, Basic or ApiKey")),
        };
        let token = self.tokens.find(&token, now_ns()).map_err(unauthenticated)?;
        if !token.may_ingest() {
            let reason = format!("{} may not send data: its scopes have no `ingest`", token.user());
            return Err(Denied::Forbidden { reason });
        }
        let asked = headers.get(TENANT_HEADER).map(HeaderValue::as_bytes);
        let is_default = |access: &&Access| access.tenant.as_str() == TenantId::DEFAULT;
        let access = match asked {
            Some(asked) => choose_tenant(&token.access, asked)
                .map_err(|error| Denied::Forbidden { reason: error.to_string() })?,
            None => {
                token.access.iter().find(is_default).or(token.access.first()).cloned().ok_or_else(|| {
                    Denied::Forbidden { reason: format!("{} opens no tenant that there is", token.user()) }
                })?
            }
        };
        Ok(access.tenant)
    }

    /// A program on this machine, and not a proxy that speaks for somebody else.
    pub fn is_trusted(&self, headers: &HeaderMap, peer: Option<SocketAddr>) -> bool {
        let forwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
        !self.require_token
            && peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback())
            && !headers.contains_key(TENANT_HEADER)
            && !forwarded.iter().any(|name| headers.contains_key(*name))
    }
}

fn unauthenticated(reason: &str) -> Denied {
    Denied::Unauthenticated { reason: reason.to_owned() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::commit::RateLimit;
    use crate::config::{Config, Secret, Tenant};
    use meta::{Meta, SqliteMeta};

    async fn gate(require_token: bool, dir: &std::path::Path) -> IngestGate {
        let mut config = Config { data: dir.to_owned(), require_token, ..Config::default() };
        config.tenants[0].ingest_token = Some(Secret::new("token-d"));
        config.tenants.push(Tenant {
            id: TenantId::new("acme").unwrap(),
            ingest_token: Some(Secret::new("token-a")),
            ingest: RateLimit::default(),
            alertmanager_config: None,
            rule_files: Vec::new(),
        });
        let meta: Arc<dyn Meta> = Arc::new(SqliteMeta::open(&dir.join("meta.db")).unwrap());
        IngestGate(Auth::open(&config, meta).await.unwrap().0)
    }

    fn admit(gate: &IngestGate, peer: &str, more: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("host", "localhost:7070".parse().unwrap());
        headers
            .extend(more.iter().map(|(name, value)| (Some(name.parse().unwrap()), value.parse().unwrap())));
        verdict(gate, &RequestHead::new(&headers, Some(peer.parse().unwrap())))
    }

    fn verdict(gate: &IngestGate, head: &RequestHead<'_>) -> String {
        match gate.admit(head) {
            Ok(tenant) => tenant.to_string(),
            Err(Denied::Unauthenticated { .. }) => "401".to_owned(),
            Err(Denied::Forbidden { .. }) => "403".to_owned(),
        }
    }

    #[tokio::test]
    async fn loopback_and_tokens_are_admitted() {
        let dir = tempfile::tempdir().unwrap();
        let gate = gate(false, dir.path()).await;
        let (here, there) = ("127.0.0.1:999", "10.0.0.1:999");
        let basic = ("authorization", "Basic eDp0b2tlbi1h"); // x:token-a
        let acme = ("authorization", "Bearer token-a");
        let key = ("authorization", "ApiKey eDp0b2tlbi1h");
        type Case<'a> = (&'a str, &'a [(&'static str, &'a str)], &'a str);
        let cases: [Case<'_>; 14] = [
            (here, &[], "default"),
            ("[::1]:999", &[], "default"),
            (there, &[], "401"),
            (here, &[("x-forwarded-for", "10.0.0.1")], "401"),
            (here, &[("x-scope-orgid", "acme")], "401"),
            (there, &[acme], "acme"),
            (here, &[acme], "acme"),
            (there, &[basic], "acme"),
            (there, &[key], "acme"),
            (there, &[("authorization", "ApiKey token-a")], "401"),
            (there, &[acme, ("x-scope-orgid", "default")], "403"),
            (here, &[("authorization", "Bearer wrong")], "401"),
            (here, &[("authorization", "Digest x")], "401"),
            (here, &[acme, ("origin", "https://evil.example")], "403"),
        ];
        for (peer, headers, expected) in cases {
            assert_eq!(admit(&gate, peer, headers), expected, "{peer} {headers:?}");
        }
    }

    #[tokio::test]
    async fn loopback_needs_a_token_when_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let gate = gate(true, dir.path()).await;
        assert_eq!(admit(&gate, "127.0.0.1:999", &[]), "401");
        assert_eq!(admit(&gate, "127.0.0.1:999", &[("authorization", "Bearer token-d")]), "default");
    }
}
