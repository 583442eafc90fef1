//! The seal document: one small JSON document per partition that names the manifest.
//! Changing it by put-if-revision is the commit, and the only one.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::kind::PartitionId;

/// Keys of seal documents begin with this; the kind and the partition's number follow.
pub(super) const PREFIX: &str = "seal/";

/// What a seal document says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealDocument {
    /// Format version: 1.
    pub version: u32,
    /// Who may commit: grows by one with each new owner.
    pub epoch: u64,
    /// Drawn by each owner, so that it knows its own document after a reply was lost.
    pub owner: String,
    /// The journal offset that the manifest covers.
    pub sealed_offset: u64,
    /// The manifest's blob name; none before the first seal.
    pub manifest: Option<String>,
}

impl SealDocument {
    /// A partition that has nothing yet.
    pub fn empty() -> Self {
        Self { version: 1, epoch: 0, owner: String::new(), sealed_offset: 0, manifest: None }
    }

    /// The key of a partition's document.
    pub fn key(partition: PartitionId) -> String {
        format!("{PREFIX}{}/{}", partition.kind.name(), partition.number)
    }

    /// The partition whose key this is.
    pub fn partition(key: &str) -> Option<PartitionId> {
        let (kind, number) = key.strip_prefix(PREFIX)?.split_once('/')?;
        PartitionId::parse(&format!("{kind}-{number}"))
    }

    /// The document's body.
    pub fn encode(&self) -> Bytes {
        let json = serde_json::json!({
            "version": self.version,
            "epoch": self.epoch,
            "owner": self.owner,
            "sealed_offset": self.sealed_offset,
            "manifest": self.manifest,
        });
        Bytes::from(json.to_string())
    }

    /// Reads a body; the message says what is wrong.
    pub fn decode(body: &[u8]) -> Result<Self, String> {
        let document: Self = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        match document.version {
            1 => Ok(document),
            newer => Err(format!("version {newer}, this build knows 1: run the newer build")),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_document_reads_back() {
        let document =
            SealDocument { epoch: 3, sealed_offset: 77, manifest: Some("m".into()), ..SealDocument::empty() };
        assert_eq!(SealDocument::decode(&document.encode()), Ok(document));
        for id in [PartitionId::logs(12), PartitionId::samples(0)] {
            assert_eq!(SealDocument::partition(&SealDocument::key(id)), Some(id));
        }
        assert_eq!(SealDocument::key(PartitionId::logs(12)), "seal/logs/12");
        assert_eq!(SealDocument::partition("seal/spoons/1"), None);
    }

    #[test]
    fn version_1_opens_for_ever() {
        let body = br#"{"version":1,"epoch":2,"owner":"6f00d1","sealed_offset":41,"manifest":"commit/logs/0/00000002-0000000000000029-00000001.manifest"}"#;
        let document = SealDocument::decode(body).unwrap();
        assert_eq!((document.epoch, document.sealed_offset), (2, 41));
        assert!(document.manifest.unwrap().ends_with("1.manifest"));
    }

    #[test]
    fn newer_and_broken_documents_are_named() {
        assert!(
            SealDocument::decode(br#"{"version":2,"epoch":1,"owner":"","sealed_offset":0,"manifest":null}"#)
                .unwrap_err()
                .contains("version 2")
        );
        assert!(SealDocument::decode(b"{").is_err());
    }
}
