//! Reading and writing JSON documents of the store.

use std::sync::Arc;

use bytes::Bytes;
use meta::Meta;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::AuthError;

/// The document and its revision; `None` and 0 if there is none.
pub(super) async fn read<T: DeserializeOwned>(
    meta: &Arc<dyn Meta>,
    key: &str,
) -> Result<(Option<T>, u64), AuthError> {
    let Some(document) = meta.get(key).await? else { return Ok((None, 0)) };
    let value = serde_json::from_slice(&document.body)
        .map_err(|error| AuthError::Document { key: key.to_owned(), reason: error.to_string() })?;
    Ok((Some(value), document.revision))
}

/// Answers the new revision.
pub(super) async fn write<T: Serialize>(
    meta: &Arc<dyn Meta>,
    key: &str,
    value: &T,
    revision: u64,
) -> Result<u64, AuthError> {
    let body = serde_json::to_vec(value).map_err(|error| AuthError::Crypto(error.to_string()))?;
    Ok(meta.put(key, Bytes::from(body), revision).await?)
}
