//! The naive model: a list of what was appended and what is known of each record's fate.

use bytes::Bytes;
use journal::{Entry, JournalError};
use rand::Rng;
use rand::rngs::StdRng;

#[derive(Default)]
pub(crate) struct Model {
    attempts: Vec<Attempt>,
    /// The highest offset that a truncation was asked for.
    truncated: u64,
}

struct Attempt {
    body: Bytes,
    fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    /// Not acknowledged: it may turn up or not.
    Open,
    /// Acknowledged, or seen by a reader: it must stay just there.
    At(u64),
    /// Refused, or missing after a restart: it must never turn up.
    Absent,
}

impl Model {
    /// A new record, unlike all others, and its number.
    pub(crate) fn attempt(&mut self, rng: &mut StdRng) -> (usize, Bytes) {
        let number = self.attempts.len();
        let mut body = format!("{number}:").into_bytes();
        body.extend((0..rng.random_range(0..120)).map(|at| (number * 31 + at) as u8));
        let body = Bytes::from(body);
        self.attempts.push(Attempt { body: body.clone(), fate: Fate::Open });
        (number, body)
    }

    pub(crate) fn appended(&mut self, number: usize, outcome: Result<u64, JournalError>) {
        let fate = &mut self.attempts[number].fate;
        match outcome {
            Ok(offset) => {
                assert!(
                    [Fate::Open, Fate::At(offset)].contains(fate),
                    "{number} was {fate:?}, is now at {offset}"
                );
                *fate = Fate::At(offset);
            }
            Err(JournalError::TooLarge { .. } | JournalError::Full { .. }) => {
                assert_eq!(*fate, Fate::Open, "{number} was refused");
                *fate = Fate::Absent;
            }
            Err(_) => {}
        }
    }

    pub(crate) fn truncating(&mut self, before: u64) {
        self.truncated = self.truncated.max(before);
    }

    /// Holds what can be read against the model. After a restart, what is not there is gone for ever.
    pub(crate) fn check(&mut self, entries: &[Entry], start: u64, end: u64, restarted: bool) {
        assert!(start <= self.truncated.max(1), "starts at {start}, truncated below {}", self.truncated);
        let offsets: Vec<u64> = entries.iter().map(|entry| entry.offset).collect();
        assert_eq!(offsets, (start..end).collect::<Vec<_>>(), "offsets without gaps");
        let mut last = None;
        for Entry { offset, record } in entries {
            let number = number_of(record);
            assert!(last < Some(number), "{number} at {offset} comes after {last:?}");
            last = Some(number);
            let attempt = self.attempts.get_mut(number).expect("a record that nobody appended");
            assert_eq!(attempt.body, *record, "{number} at {offset}");
            assert!(
                [Fate::Open, Fate::At(*offset)].contains(&attempt.fate),
                "{number} at {offset}: {:?}",
                attempt.fate
            );
            attempt.fate = Fate::At(*offset);
        }
        for (number, attempt) in self.attempts.iter_mut().enumerate() {
            match attempt.fate {
                Fate::At(offset) => {
                    assert!(offset < end, "{number} at {offset} is lost: the journal ends at {end}");
                }
                Fate::Open if restarted => attempt.fate = Fate::Absent,
                Fate::Open | Fate::Absent => {}
            }
        }
    }

    /// The record known to be at an offset.
    pub(crate) fn at(&self, offset: u64) -> Option<usize> {
        self.attempts.iter().position(|attempt| attempt.fate == Fate::At(offset))
    }
}

/// Which attempt a record is.
pub(crate) fn number_of(record: &[u8]) -> usize {
    let digits = record.split(|byte| *byte == b':').next().unwrap();
    String::from_utf8_lossy(digits).parse().expect("a record that nobody appended")
}
