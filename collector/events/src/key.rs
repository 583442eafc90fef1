//! The order of rows: by time, then partition, then place in the journal. A key
//! never changes, so cursors and record ids survive seals and merges.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How many bits of a row's `seq` number it inside its batch.
const INDEX_BITS: u32 = 20;

/// How many records of one batch can be numbered.
pub(crate) const MAX_BATCH_ROWS: usize = 1 << INDEX_BITS;

/// A row's place among all rows of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RowKey {
    /// Effective time, ns since 1970.
    pub time_ns: i64,
    /// The partition that holds it.
    pub partition: u16,
    /// Journal offset × 2^20 + index in the batch.
    pub seq: u64,
}

impl RowKey {
    /// The `seq` of record `index` in the batch at journal `offset`.
    pub fn seq(offset: u64, index: u32) -> u64 {
        offset << INDEX_BITS | u64::from(index)
    }

    /// The journal offset that the row came with.
    pub fn offset(&self) -> u64 {
        self.seq >> INDEX_BITS
    }

    /// The record's id for people and links: it stays for as long as the record does.
    pub fn id(&self) -> String {
        RecordId { partition: self.partition, seq: self.seq }.to_string()
    }
}

/// A row's place without its time: what stands in links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordId {
    /// The partition that holds it.
    pub partition: u16,
    /// As [`RowKey::seq`].
    pub seq: u64,
}

impl RecordId {
    /// The journal offset that the row came with.
    pub(crate) fn offset(&self) -> u64 {
        self.seq >> INDEX_BITS
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:x}", self.partition, self.seq)
    }
}

/// A text that is no record's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a record's id, as 0-2a00003")]
pub struct BadId;

impl FromStr for RecordId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let (partition, seq) = text.split_once('-').ok_or(BadId)?;
        let is_hex = seq.bytes().all(|byte| byte.is_ascii_hexdigit());
        let seq = u64::from_str_radix(seq, 16).ok().filter(|_| is_hex);
        Ok(Self { partition: partition.parse().map_err(|_| BadId)?, seq: seq.ok_or(BadId)? })
    }
}

/// Where a page ended: the next one begins behind this row, in the request's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The last row that was given.
    pub after: RowKey,
    /// How many were given on this page and those before it.
    pub returned: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RowKey { time_ns, partition, seq } = self.after;
        write!(f, "{time_ns}.{partition}.{seq:x}.{}", self.returned)
    }
}

/// A cursor that no answer has given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: pass next_cursor of the page before as it is")]
pub struct BadCursor;

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let mut parts = text.split('.');
        let (Some(time), Some(partition), Some(seq), Some(returned), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(BadCursor);
        };
        let time_ns = time.parse().map_err(|_| BadCursor)?;
        let partition = partition.parse().map_err(|_| BadCursor)?;
        let seq = u64::from_str_radix(seq, 16).map_err(|_| BadCursor)?;
        let returned = returned.parse().map_err(|_| BadCursor)?;
        Ok(Self { after: RowKey { time_ns, partition, seq }, returned })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_print_and_parse() {
        for time_ns in [i64::MIN, -1, 0, 1_700_000_000_000_000_000, i64::MAX] {
            let after = RowKey { time_ns, partition: 65_535, seq: RowKey::seq(7, 3) };
            let cursor = Cursor { after, returned: 100 };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
            assert_eq!(cursor.after.offset(), 7);
        }
        for bad in ["", "1", "1.2.3", "1.2.x.4", "1.2.3.4.5", "1.99999.3.4", "1.2.3.x"] {
            assert_eq!(bad.parse::<Cursor>(), Err(BadCursor), "{bad}");
        }
    }

    #[test]
    fn ids_name_partition_and_place() {
        let id = RecordId { partition: 0, seq: RowKey::seq(42, 3) };
        assert_eq!(RowKey { time_ns: 5, partition: 0, seq: id.seq }.id(), "0-2a00003");
        assert_eq!(("0-2a00003".parse(), id.offset()), (Ok(id), 42));
        for bad in ["", "0", "0-", "-5", "0-+5", "0-x", "70000-1", "0-10000000000000000", "0-1-2"] {
            assert_eq!(bad.parse::<RecordId>(), Err(BadId), "{bad}");
        }
    }
}
