//! Who may send log records could write lines that look like those of the audit log. The
//! collector's own carry a proof, made with a key that never leaves the document store.

use std::sync::Arc;

use meta::Meta;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::secrets::{self, Hash};
use super::{Auth, AuthError, documents};

const KEY: &str = "audit/key";

#[derive(Serialize, Deserialize)]
struct Kept {
    key: String,
}

/// Reads the key, or makes it.
pub(super) async fn open(meta: &Arc<dyn Meta>) -> Result<Hash, AuthError> {
    let (kept, revision) = documents::read::<Kept>(meta, KEY).await?;
    if let Some(key) = kept.and_then(|kept| secrets::from_hex(&kept.key)) {
        return Ok(key);
    }
    let key = secrets::random_bytes()?;
    documents::write(meta, KEY, &Kept { key: secrets::hex(&key) }, revision).await?;
    Ok(key)
}

impl Auth {
    /// What only this collector can say about these fields.
    pub(crate) fn proof(&self, fields: &[&str]) -> String {
        secrets::hex(&proof(&self.audit_key, fields))
    }
}

/// The key stands on both sides of the inner hash, so that nobody can go on where a proof ends.
fn proof(key: &Hash, fields: &[&str]) -> Hash {
    let mut inner = Sha256::new_with_prefix(key);
    for field in fields {
        inner.update((field.len() as u64).to_le_bytes());
        inner.update(field);
    }
    Sha256::new_with_prefix(key).chain_update(inner.finalize()).finalize().into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use meta::SqliteMeta;

    #[tokio::test]
    async fn a_proof_depends_on_every_field_and_the_key_which_stays() {
        let dir = tempfile::tempdir().unwrap();
        let meta: Arc<dyn Meta> = Arc::new(SqliteMeta::open(&dir.path().join("meta.db")).unwrap());
        let key = open(&meta).await.unwrap();
        assert_eq!(open(&meta).await.unwrap(), key);
        let one = proof(&key, &["jo", "user.create"]);
        assert_eq!(proof(&key, &["jo", "user.create"]), one);
        for other in [&["jo", "user.remove"][..], &["jou", "ser.create"], &["jo"], &["jo", "user.create", ""]]
        {
            assert_ne!(proof(&key, other), one, "{other:?}");
        }
        assert_ne!(proof(&secrets::random_bytes().unwrap(), &["jo", "user.create"]), one);
    }
}
