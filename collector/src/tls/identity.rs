//! Whose data a client certificate may send: a URI among its alternative names says it, `narrows://tenant/NAME`. The
//! certificate was checked in the handshake; here it is only read.

use telemetry::TenantId;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

const PREFIX: &str = "narrows://tenant/";

/// The tenant that a certificate names; `None` if it names none. One that names several, or what cannot be a tenant's
/// name, is an error: which is meant would be a guess.
pub(crate) fn tenant_of(certificate: &[u8]) -> Result<Option<TenantId>, String> {
    let parsed = X509Certificate::from_der(certificate);
    let (_, certificate) = parsed.map_err(|error| format!("the client certificate is damaged: {error}"))?;
    let alternatives = certificate.subject_alternative_name();
    let alternatives = alternatives.map_err(|error| format!("the client certificate is damaged: {error}"))?;
    let names = alternatives.iter().flat_map(|extension| &extension.value.general_names);
    let mut tenants = names.filter_map(|name| match name {
        GeneralName::URI(uri) => uri.strip_prefix(PREFIX),
        _ => None,
    });
    match (tenants.next(), tenants.next()) {
        (None, _) => Ok(None),
        (Some(name), None) => TenantId::new(name).map(Some).map_err(|error| error.to_string()),
        (Some(one), Some(two)) => {
            Err(format!("the client certificate names two tenants, {one:?} and {two:?}"))
        }
    }
}
