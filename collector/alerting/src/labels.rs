//! Labels of alerts, and what identifies an alert among others.

use std::collections::BTreeMap;

/// Names and values, by name.
pub type LabelSet = BTreeMap<String, String>;

/// The name of the rule that an alert is of.
pub const ALERT_NAME: &str = "alertname";

/// What Alertmanager's API and links call an alert by: FNV-1a, 64 bits, over each name, 0xFF, value, 0xFF in order
/// of the names (prometheus/common, `model.LabelSet.Fingerprint`).
pub fn fingerprint(labels: &LabelSet) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let bytes =
        labels.iter().flat_map(|(name, value)| name.bytes().chain([0xff]).chain(value.bytes()).chain([0xff]));
    bytes.fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_depend_on_every_label() {
        let set = |pairs: &[(&str, &str)]| -> LabelSet {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        // Of no labels it is FNV's offset.
        assert_eq!(fingerprint(&set(&[])), 0xcbf2_9ce4_8422_2325);
        let one = fingerprint(&set(&[("a", "b"), ("c", "d")]));
        for other in [&[("a", "b")][..], &[("a", "b"), ("c", "e")], &[("ab", ""), ("c", "d")]] {
            assert_ne!(fingerprint(&set(other)), one, "{other:?}");
        }
    }
}
