//! The waiting spans' bytes in a state: by key, a column after the other, since keys do not pack and the others do.

use super::half::{Entry, Half, Role};
use super::{FRESH_STEPS, Pairing, SHARDS, shard_of};
use crate::bytes::{Reader, put_uint};
use crate::state::Packer;
use crate::time::MAX_DURATION_NS;

/// Columns behind the keys.
const COLUMNS: usize = 5;

impl Pairing {
    /// Appends its bytes.
    pub(crate) fn encode(&self, out: &mut Packer) {
        let open = &mut out.open;
        put_uint(open, u64::from(self.newest));
        put_uint(open, u64::from(self.floor));
        put_uint(open, self.lapsed.len() as u64);
        for (service, count) in &self.lapsed {
            put_uint(open, u64::from(*service));
            put_uint(open, *count);
        }
        for shard in &self.shards {
            let mut entries: Vec<(u64, Entry)> = shard.iter().map(|(key, entry)| (*key, *entry)).collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            self.encode_entries(&mut out.open, &entries);
            out.pass();
        }
        let more: Vec<(u64, Entry)> =
            self.more.iter().flat_map(|(key, more)| more.iter().map(|entry| (*key, *entry))).collect();
        self.encode_entries(&mut out.open, &more);
    }

    fn encode_entries(&self, out: &mut Vec<u8>, entries: &[(u64, Entry)]) {
        put_uint(out, entries.len() as u64);
        let mut before = 0;
        for (key, _) in entries {
            put_uint(out, key - before);
            before = *key;
        }
        for column in 0..COLUMNS {
            for (_, entry) in entries {
                put_uint(out, self.number(*entry, column));
            }
        }
    }

    fn number(&self, entry: Entry, column: usize) -> u64 {
        let half = entry.half(self.newest);
        let last = self.last_due();
        match column {
            0 => entry.role() as u64 | u64::from(half.is_failed) << 3 | u64::from(half.is_message) << 4,
            1 => u64::from(half.id),
            2 => u64::from(self.newest.wrapping_sub(half.step)),
            3 => half.duration_ns,
            _ => u64::from(last.wrapping_sub(entry.due(last))),
        }
    }

    /// No caller is due later.
    pub(super) fn last_due(&self) -> u32 {
        self.newest.saturating_add(FRESH_STEPS)
    }

    /// Reads what `encode` wrote.
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        let mut pairing = Self { newest: reader.uint32()?, floor: reader.uint32()?, ..Self::default() };
        for _ in 0..reader.count()? {
            pairing.lapsed.insert(reader.uint32()?, reader.uint()?);
        }
        for shard in 0..SHARDS {
            let entries = pairing.decode_entries(reader)?;
            pairing.shards[shard].reserve(entries.len());
            for (key, entry) in entries {
                if shard_of(key) != shard || pairing.shards[shard].insert(key, entry).is_some() {
                    return None;
                }
                pairing.len += 1;
                if matches!(entry.role(), Role::Fresh | Role::Paired) {
                    pairing.due.entry(entry.due(pairing.last_due())).or_default().push(key);
                }
            }
        }
        for (key, entry) in pairing.decode_entries(reader)? {
            pairing.more.entry(key).or_default().push(entry);
            pairing.len += 1;
        }
        Some(pairing)
    }

    fn decode_entries(&self, reader: &mut Reader<'_>) -> Option<Vec<(u64, Entry)>> {
        let count = reader.count()?;
        let (mut keys, mut key) = (Vec::with_capacity(count), 0u64);
        for _ in 0..count {
            key = key.checked_add(reader.uint()?)?;
            keys.push(key);
        }
        let mut columns: [Vec<u64>; COLUMNS] = Default::default();
        for column in &mut columns {
            *column = (0..count).map(|_| reader.uint()).collect::<Option<_>>()?;
        }
        let [flags, ids, ages, durations, dues] = columns;
        let entry = |at: usize| {
            let role = *Role::ALL.get(usize::try_from(flags[at] & 7).ok()?)?;
            let age = u32::from(u16::try_from(ages[at]).ok()?);
            let half = Half {
                id: u32::try_from(ids[at]).ok()?,
                step: self.newest.checked_sub(age)?,
                duration_ns: Some(durations[at]).filter(|duration| *duration <= MAX_DURATION_NS)?,
                is_failed: flags[at] & 8 != 0,
                is_message: flags[at] & 16 != 0,
            };
            let due = self.last_due().checked_sub(u32::from(u8::try_from(dues[at]).ok()?))?;
            Some((keys[at], Entry::new(half, role, due)))
        };
        (0..count).map(entry).collect()
    }
}
