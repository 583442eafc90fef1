//! The secrets of a data directory: made at the first start, read at every other.
//!
//! `admin-password` and `ingest-token` hold them as text for their owner (mode
//! 0600); what is checked against are the hashes in meta. Whoever deletes the
//! files after noting what they say keeps the login.

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use meta::Meta;
use serde::{Deserialize, Serialize};
use telemetry::TenantId;

use super::secrets::{self, Hash};
use super::session::Sessions;
use super::{ADMIN, AuthError, password};
use crate::config::Config;

const PASSWORD_FILE: &str = "admin-password";
const TOKEN_FILE: &str = "ingest-token";
const USER_KEY: &str = "users/admin";
const TOKEN_KEY: &str = "tokens/ingest-default";

/// What has to be told once: what was made just now.
#[derive(Debug, Default)]
pub struct FirstStart {
    /// A line each, for the terminal.
    pub lines: Vec<String>,
}

pub(super) struct Found {
    pub(super) password_hash: String,
    pub(super) default_token_hash: Hash,
    pub(super) first_start: FirstStart,
}

#[derive(Serialize, Deserialize)]
struct User {
    password_hash: String,
}

#[derive(Serialize, Deserialize)]
struct Token {
    sha256: String,
}

/// Reads or makes the admin's password and the ingest token of `default`.
pub(super) async fn run(
    config: &Config,
    meta: &Arc<dyn Meta>,
    sessions: &Sessions,
) -> Result<Found, AuthError> {
    let mut first_start = FirstStart::default();
    let password_hash = admin_password(config, meta, sessions, &mut first_start).await?;
    let default_token_hash = ingest_token(config, meta, &mut first_start).await?;
    Ok(Found { password_hash, default_token_hash, first_start })
}

async fn admin_password(
    config: &Config,
    meta: &Arc<dyn Meta>,
    sessions: &Sessions,
    first_start: &mut FirstStart,
) -> Result<String, AuthError> {
    let path = config.data.join(PASSWORD_FILE);
    let (stored, revision) = read_document::<User>(meta, USER_KEY).await?;
    let kept = read_secret(&path)?;
    let given = config.admin_password.as_ref().map(|secret| secret.reveal().to_owned());
    let text = match (given.or_else(|| kept.clone()), &stored) {
        (Some(text), _) => text,
        (None, Some(user)) => return Ok(user.password_hash.clone()),
        (None, None) => {
            let text = secrets::random_password()?;
            first_start.lines.push(format!("login: {ADMIN} {text} (kept in {})", path.display()));
            text
        }
    };
    if kept.as_deref() != Some(&text) {
        write_secret(&path, &text)?;
    }
    if let Some(user) = stored {
        if password::verify(&user.password_hash, &text)? {
            return Ok(user.password_hash);
        }
        tracing::warn!("the admin's password has changed: all sessions end");
        sessions.end_all().await?;
    }
    let user = User { password_hash: password::hash(&text)? };
    write_document(meta, USER_KEY, &user, revision).await?;
    Ok(user.password_hash)
}

async fn ingest_token(
    config: &Config,
    meta: &Arc<dyn Meta>,
    first_start: &mut FirstStart,
) -> Result<Hash, AuthError> {
    let path = config.data.join(TOKEN_FILE);
    let (stored, revision) = read_document::<Token>(meta, TOKEN_KEY).await?;
    let stored = stored.and_then(|token| secrets::from_hex(&token.sha256));
    let kept = read_secret(&path)?;
    let default = config.tenants.iter().find(|tenant| tenant.id.as_str() == TenantId::DEFAULT);
    let given =
        default.and_then(|tenant| tenant.ingest_token.as_ref()).map(|secret| secret.reveal().to_owned());
    let text = match (given.or_else(|| kept.clone()), stored) {
        (Some(text), _) => text,
        (None, Some(hash)) => return Ok(hash),
        (None, None) => {
            let text = format!("nrw_{}", secrets::random_token()?);
            first_start.lines.push(format!("ingest token: {text} (kept in {})", path.display()));
            text
        }
    };
    if kept.as_deref() != Some(&text) {
        write_secret(&path, &text)?;
    }
    let hash = secrets::hash(&text);
    if stored != Some(hash) {
        write_document(meta, TOKEN_KEY, &Token { sha256: secrets::hex(&hash) }, revision).await?;
    }
    Ok(hash)
}

async fn read_document<T: serde::de::DeserializeOwned>(
    meta: &Arc<dyn Meta>,
    key: &str,
) -> Result<(Option<T>, u64), AuthError> {
    match meta.get(key).await? {
        Some(document) => Ok((serde_json::from_slice(&document.body).ok(), document.revision)),
        None => Ok((None, 0)),
    }
}

async fn write_document<T: Serialize>(
    meta: &Arc<dyn Meta>,
    key: &str,
    value: &T,
    revision: u64,
) -> Result<(), AuthError> {
    let body = serde_json::to_vec(value).map_err(|error| AuthError::Crypto(error.to_string()))?;
    meta.put(key, Bytes::from(body), revision).await?;
    Ok(())
}

fn read_secret(path: &Path) -> Result<Option<String>, AuthError> {
    let failed = |what, source| AuthError::File { what, path: path.display().to_string(), source };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", error)),
    };
    let mode = std::fs::metadata(path).map_err(|error| failed("look at", error))?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "others could read this file: its mode is 0600 again");
        let owner_only = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(path, owner_only).map_err(|error| failed("change the mode of", error))?;
    }
    Ok(Some(text.trim_end().to_owned()).filter(|text| !text.is_empty()))
}

/// Readable by its owner only from its first byte on, and whole or not there.
fn write_secret(path: &Path, text: &str) -> Result<(), AuthError> {
    let failed = |source| AuthError::File { what: "write", path: path.display().to_string(), source };
    let new = path.with_extension("new");
    let write = || {
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(format!("{text}\n").as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        path.parent().map_or(Ok(()), |dir| std::fs::File::open(dir)?.sync_all())
    };
    write().map_err(failed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
