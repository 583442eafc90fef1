//! The secrets of a data directory: made at the first start, read at every other.
//!
//! `admin-password` and `ingest-token` hold them as text for their owner (mode
//! 0600); what is checked against are the hashes in meta. Whoever deletes the
//! files after noting what they say keeps the login.

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use meta::Meta;
use serde::{Deserialize, Serialize};
use telemetry::TenantId;

use super::secrets::{self, Hash};
use super::users::Kept;
use super::{ADMIN, AuthError, Role, Roles, documents, password};
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
    pub(super) default_token_hash: Hash,
    pub(super) first_start: FirstStart,
}

#[derive(Serialize, Deserialize)]
struct Token {
    sha256: String,
}

/// Reads or makes the admin's password and the ingest token of `default`.
pub(super) async fn run(config: &Config, meta: &Arc<dyn Meta>) -> Result<Found, AuthError> {
    let mut first_start = FirstStart::default();
    admin_password(config, meta, &mut first_start).await?;
    let default_token_hash = ingest_token(config, meta, &mut first_start).await?;
    Ok(Found { default_token_hash, first_start })
}

/// The user `admin`, as it is kept. A password that the environment or the file gives counts when it is another
/// one than they gave before: one that was changed since by its owner stays.
async fn admin_password(
    config: &Config,
    meta: &Arc<dyn Meta>,
    first_start: &mut FirstStart,
) -> Result<(), AuthError> {
    let path = config.data.join(PASSWORD_FILE);
    let (stored, revision) = documents::read::<Kept>(meta, USER_KEY).await?;
    let kept = read_secret(&path)?;
    let given = config.admin_password.as_ref().map(|secret| secret.reveal().to_owned());
    let text = match (given.or_else(|| kept.clone()), &stored) {
        (Some(text), Some(user)) => {
            let known = user.given_hash.as_ref().unwrap_or(&user.password_hash);
            if password::verify(known, &text)? {
                return Ok(());
            }
            tracing::warn!("the admin's password has changed: all their sessions end");
            text
        }
        (Some(text), None) => text,
        (None, Some(_)) => return Ok(()),
        (None, None) => {
            let text = secrets::random_password()?;
            first_start.lines.push(format!("login: {ADMIN} {text} (kept in {})", path.display()));
            text
        }
    };
    if let Err(message) = password::check(&text) {
        tracing::warn!("the admin's password is weak: {message}");
    }
    if kept.as_deref() != Some(&text) {
        write_secret(&path, &text)?;
    }
    let hash = password::hash(&text)?;
    let user = Kept {
        password_hash: hash.clone(),
        // Whoever may give the password may do everything.
        roles: Roles::everywhere(Role::Admin),
        disabled: false,
        created_at_ns: stored.as_ref().and_then(|user| user.created_at_ns),
        generation: secrets::random_number()?,
        given_hash: Some(hash),
    };
    documents::write(meta, USER_KEY, &user, revision).await?;
    Ok(())
}

/// The file says nothing any more once the password was changed by its owner.
pub(super) fn forget_password(data: &Path) {
    let path = data.join(PASSWORD_FILE);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, path = %path.display(), "cannot remove the file with the password of before");
        }
        _ => {}
    }
}

async fn ingest_token(
    config: &Config,
    meta: &Arc<dyn Meta>,
    first_start: &mut FirstStart,
) -> Result<Hash, AuthError> {
    let path = config.data.join(TOKEN_FILE);
    let (stored, revision) = documents::read::<Token>(meta, TOKEN_KEY).await?;
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
        documents::write(meta, TOKEN_KEY, &Token { sha256: secrets::hex(&hash) }, revision).await?;
    }
    Ok(hash)
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
