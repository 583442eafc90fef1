//! Protobuf bytes as they grow, and where in the JSON text they come from.

use crate::otlp::MAX_DEPTH;
use crate::otlp::wire::{close, open, put_varint};

/// One step of a path.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Member(&'static str),
    Index(usize),
}

/// The output. A reader that fails leaves its path in place, so the path of an error is what stands here.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) out: Vec<u8>,
    pub(super) steps: Vec<Step>,
    open_values: usize,
}

impl Writer {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes), steps: Vec::with_capacity(16), open_values: 0 }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// The number of what stands in a packed field, whose elements have no tags.
    pub(super) const UNTAGGED: u32 = 0;

    /// Appends a tag; `wire` is the wire type.
    pub(super) fn tag(&mut self, number: u32, wire: u8) {
        if number == Self::UNTAGGED {
            return;
        }
        put_varint(&mut self.out, u64::from(number) << 3 | u64::from(wire));
    }

    /// Begins a length-delimited field; `close` takes the mark.
    pub(super) fn open(&mut self, number: u32) -> usize {
        open(&mut self.out, number)
    }

    pub(super) fn close(&mut self, start: usize) {
        close(&mut self.out, start);
    }

    /// The same for a packed field; nothing stays of an empty one.
    pub(super) fn close_packed(&mut self, start: usize) {
        if self.out.len() == start {
            self.out.truncate(start - 2);
        } else {
            self.close(start);
        }
    }

    /// Counts a value that is being read; false when it would stand too deep.
    pub(super) fn enter_value(&mut self) -> bool {
        self.open_values += 1;
        self.open_values <= MAX_DEPTH + 1
    }

    pub(super) fn leave_value(&mut self) {
        self.open_values -= 1;
    }

    /// The path as people write it.
    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.steps {
            match step {
                Step::Member(name) if path.is_empty() => path.push_str(name),
                Step::Member(name) => {
                    path.push('.');
                    path.push_str(name);
                }
                Step::Index(index) => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_every_width_are_written_as_varints() {
        for len in [0, 1, 127, 128, 16_383, 16_384, 2_097_152] {
            let mut writer = Writer::with_capacity(0);
            let start = writer.open(1);
            writer.out.extend((0..len).map(|at| at as u8));
            writer.close(start);
            let mut expected = vec![1 << 3 | 2];
            put_varint(&mut expected, len as u64);
            expected.extend((0..len).map(|at| at as u8));
            assert!(writer.out == expected, "{len}");
        }
    }
}
