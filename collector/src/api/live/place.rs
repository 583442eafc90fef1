//! Where a live tail is: per partition the row that it has passed last, as text for
//! clients that come back: `0-2a00003`, with dots between partitions.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use events::RecordId;

/// More partitions than there can be.
const MAX_PARTITIONS: usize = 1024;

/// The `seq` of the last row by partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) BTreeMap<u16, u64>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (partition, seq)) in self.0.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            write!(f, "{dot}{}", RecordId { partition: *partition, seq: *seq })?;
        }
        Ok(())
    }
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let bad = "not a position: pass `position` of the last frame as it is";
        let ids = text.split('.').take(MAX_PARTITIONS + 1).map(str::parse::<RecordId>);
        let ids: Vec<RecordId> = ids.collect::<Result<_, _>>().map_err(|_| bad)?;
        if ids.len() > MAX_PARTITIONS {
            return Err(bad);
        }
        Ok(Self(ids.into_iter().map(|id| (id.partition, id.seq)).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_print_and_parse() {
        let place = Place(BTreeMap::from([(0, 0x2a_00003), (7, 0), (65_535, u64::MAX)]));
        assert_eq!(place.to_string(), "0-2a00003.7-0.65535-ffffffffffffffff");
        assert_eq!(place.to_string().parse(), Ok(place));
        for bad in ["", ".", "0", "0-1.", "0-1,1-1", "x-1", "0-x", &"0-1.".repeat(2000)] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }
}
