//! What is known of a span that waits, in 16 bytes.

use crate::time::MAX_DURATION_NS;

/// Of a caller or a callee, what an edge needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Half {
    /// A callee's service; the edge to outside that a caller is part of until its callee comes.
    pub(crate) id: u32,
    /// In which it ended.
    pub(crate) step: u32,
    /// At most [`MAX_DURATION_NS`].
    pub(crate) duration_ns: u64,
    pub(crate) is_failed: bool,
    /// Whether it sends or processes a message.
    pub(crate) is_message: bool,
}

/// What an entry waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A callee: for its caller.
    Callee = 0,
    /// A caller: 30 s for a callee.
    Fresh = 1,
    /// A caller that has found one: 30 s for others.
    Paired = 2,
    /// A caller that counts as a call to outside.
    Outside = 3,
    /// A caller that counted so, until its callee came.
    Corrected = 4,
}

impl Role {
    pub(crate) const ALL: [Self; 5] =
        [Self::Callee, Self::Fresh, Self::Paired, Self::Outside, Self::Corrected];
}

/// From the lowest bit: duration (47), failed (1), step (16); id (32), role (3), message (1), due (8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry(u64, u64);

impl Entry {
    pub(crate) fn new(half: Half, role: Role, due: u32) -> Self {
        let Half { id, step, duration_ns, is_failed, is_message } = half;
        let first =
            duration_ns.min(MAX_DURATION_NS) | u64::from(is_failed) << 47 | u64::from(step as u16) << 48;
        let flags = (role as u64) << 32 | u64::from(is_message) << 35 | u64::from(due as u8) << 36;
        Self(first, u64::from(id) | flags)
    }

    pub(crate) fn with_role(self, role: Role) -> Self {
        Self(self.0, self.1 & !(7 << 32) | (role as u64) << 32)
    }

    pub(crate) fn role(self) -> Role {
        match (self.1 >> 32) & 7 {
            1 => Role::Fresh,
            2 => Role::Paired,
            3 => Role::Outside,
            4 => Role::Corrected,
            _ => Role::Callee,
        }
    }

    /// `newest` is a step that is not before the entry's, nor 65,536 behind it.
    #[inline]
    pub(crate) fn half(self, newest: u32) -> Half {
        let age = (newest as u16).wrapping_sub((self.0 >> 48) as u16);
        Half {
            id: self.1 as u32,
            step: newest.wrapping_sub(u32::from(age)),
            duration_ns: self.0 & MAX_DURATION_NS,
            is_failed: self.0 >> 47 & 1 == 1,
            is_message: self.1 >> 35 & 1 == 1,
        }
    }

    /// When it is looked at, of the 256 steps up to `last`.
    pub(crate) fn due(self, last: u32) -> u32 {
        last.wrapping_sub(u32::from((last as u8).wrapping_sub((self.1 >> 36) as u8)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_entry_has_all_of_it(
            id: u32, step in 0u32..1 << 30, duration_ns in 0..=MAX_DURATION_NS, is_failed: bool, is_message: bool,
            age in 0u32..65_536, role in 0usize..5, ahead in 0u32..5,
        ) {
            let half = Half { id, step, duration_ns, is_failed, is_message };
            let role = Role::ALL[role];
            let entry = Entry::new(half, Role::Fresh, step + ahead).with_role(role);
            prop_assert_eq!(entry.half(step + age), half);
            prop_assert_eq!(entry.role(), role);
            prop_assert_eq!(entry.due(step + 200), step + ahead);
        }
    }
}
