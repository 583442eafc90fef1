//! What must not be shown.

use std::fmt;
use std::path::PathBuf;

/// A file with a secret may have so much.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A secret, or the file that has it.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// As the configuration gives it.
    Text(String),
    /// Read when it is needed: it may change at any time.
    File(PathBuf),
}

impl Secret {
    /// The value now, without white space around it if it comes from a file.
    pub async fn read(&self) -> Result<String, String> {
        let path = match self {
            Self::Text(text) => return Ok(text.clone()),
            Self::File(path) => path,
        };
        let cannot = |why: &dyn fmt::Display| format!("cannot read {}: {why}", path.display());
        let meta = tokio::fs::metadata(path).await.map_err(|error| cannot(&error))?;
        if meta.len() > MAX_FILE_BYTES {
            return Err(cannot(&"it is larger than 1 MiB"));
        }
        let text = tokio::fs::read_to_string(path).await.map_err(|error| cannot(&error))?;
        Ok(text.trim().to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(…)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}
