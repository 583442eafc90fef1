//! A regular expression as a DFA that is fed byte by byte: over an FST, or over sorted strings of which each shares
//! a prefix with the one before.

use regex_automata::Anchored;
use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::{primitives::StateID, start};

/// A DFA larger than this is not built; determinising takes a few milliseconds until then.
const MOST_BYTES: usize = 512 << 10;

/// A condition on a whole text.
#[derive(Clone, Debug)]
pub(super) struct Automaton {
    dfa: dense::DFA<Vec<u32>>,
    start: At,
}

/// How far a text has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// It passes, whatever follows.
    Passed,
    /// It fails, whatever follows.
    Failed,
    Open(StateID),
}

impl Automaton {
    /// None if the expression needs what a DFA does not have (Unicode word boundaries), or too large a one.
    pub(super) fn new(pattern: &str) -> Option<Self> {
        let config = dense::Config::new()
            .start_kind(StartKind::Unanchored)
            .dfa_size_limit(Some(MOST_BYTES))
            .determinize_size_limit(Some(2 * MOST_BYTES));
        let nfa = thompson::Config::new().nfa_size_limit(Some(2 * MOST_BYTES));
        let dfa = dense::Builder::new().configure(config).thompson(nfa).build(pattern).ok()?;
        let start = dfa.start_state(&start::Config::new().anchored(Anchored::No)).ok()?;
        let mut automaton = Self { dfa, start: At::Failed };
        automaton.start = automaton.at(start);
        Some(automaton)
    }

    pub(super) fn start_at(&self) -> At {
        self.start
    }

    pub(super) fn step(&self, at: At, byte: u8) -> At {
        match at {
            At::Open(state) => self.at(self.dfa.next_state(state, byte)),
            decided => decided,
        }
    }

    /// Whether a text that ends here passes.
    pub(super) fn passes(&self, at: At) -> bool {
        match at {
            At::Open(state) => self.dfa.is_match_state(self.dfa.next_eoi_state(state)),
            decided => decided == At::Passed,
        }
    }

    fn at(&self, state: StateID) -> At {
        if self.dfa.is_match_state(state) {
            At::Passed
        } else if self.dfa.is_dead_state(state) {
            At::Failed
        } else {
            At::Open(state)
        }
    }
}

impl fst::Automaton for &Automaton {
    type State = At;

    fn start(&self) -> At {
        self.start_at()
    }

    fn is_match(&self, at: &At) -> bool {
        self.passes(*at)
    }

    fn can_match(&self, at: &At) -> bool {
        *at != At::Failed
    }

    fn will_always_match(&self, at: &At) -> bool {
        *at == At::Passed
    }

    fn accept(&self, at: &At, byte: u8) -> At {
        self.step(*at, byte)
    }
}
