//! Silences: who is not told, from when to when, and why. What was in force is never rewritten: a change that would
//! do so ends the old silence and makes a new one.

use std::collections::{BTreeMap, BTreeSet};

use crate::labels::LabelSet;
use crate::matcher::{self, Matcher, Op};

/// How long a silence that has ended stays to be looked at.
pub const RETENTION_MS: i64 = 120 * 3_600_000;
/// A tenant may have so many, ended ones included.
const MAX_SILENCES: usize = 10_000;
/// A silence's texts together.
const MAX_BYTES: usize = 64 << 10;
/// A silence may have so many matchers.
const MAX_MATCHERS: usize = 100;
/// What the compiled regular expressions of a silence may take.
const MAX_REGEX_BYTES: usize = 4 << 20;
/// And those of all silences of a tenant, ended ones included.
const MAX_REGEX_BYTES_OF_ALL: usize = 128 << 20;

/// Alerts that match are not told of.
#[derive(Clone, Debug, PartialEq)]
pub struct Silence {
    /// A UUID.
    pub id: String,
    /// What alerts are like; all must match.
    pub matchers: Vec<Matcher>,
    /// Unix milliseconds.
    pub starts_at_ms: i64,
    /// Unix milliseconds, excluded.
    pub ends_at_ms: i64,
    /// When it was changed last, Unix milliseconds.
    pub updated_at_ms: i64,
    /// Who made it.
    pub created_by: String,
    /// Why.
    pub comment: String,
    /// More that clients want to keep with it.
    pub annotations: LabelSet,
}

/// What a silence does at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It silences.
    Active,
    /// It will.
    Pending,
    /// It did.
    Expired,
}

impl State {
    /// As the API says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Expired => "expired",
        }
    }
}

/// Why a silence cannot be made or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SilenceError {
    /// No silence has this id.
    #[error("silence {0} not found")]
    NotFound(String),
    /// It would make no sense.
    #[error("invalid silence: {0}")]
    Invalid(String),
}

/// The matchers of a new silence, by operator, name and value; no more is compiled than a silence may have.
pub fn matchers(parts: Vec<(Op, String, String)>) -> Result<Vec<Matcher>, SilenceError> {
    if parts.len() > MAX_MATCHERS {
        let why = format!("it has {} matchers, the most is {MAX_MATCHERS}", parts.len());
        return Err(SilenceError::Invalid(why));
    }
    check_size(parts.iter().map(|(_, name, value)| name.len() + value.len()).sum())?;
    let (mut matchers, mut regex_bytes) = (Vec::with_capacity(parts.len()), 0);
    for (at, (op, name, value)) in parts.into_iter().enumerate() {
        let matcher = Matcher::new(op, name, value);
        let matcher =
            matcher.map_err(|error| SilenceError::Invalid(format!("invalid label matcher {at}: {error}")))?;
        regex_bytes += matcher.regex_bytes();
        if regex_bytes > MAX_REGEX_BYTES {
            let why = format!(
                "its regular expressions take more than {MAX_REGEX_BYTES} bytes of memory: repeat less, or [0-9A-Za-z_] instead of \\w"
            );
            return Err(SilenceError::Invalid(why));
        }
        matchers.push(matcher);
    }
    Ok(matchers)
}

fn check_size(size_bytes: usize) -> Result<(), SilenceError> {
    if size_bytes <= MAX_BYTES {
        return Ok(());
    }
    Err(SilenceError::Invalid(format!("it is {size_bytes} bytes long, the most is {MAX_BYTES}")))
}

impl Silence {
    /// What it does at a time.
    pub fn state_at(&self, now_ms: i64) -> State {
        if now_ms >= self.ends_at_ms {
            State::Expired
        } else if now_ms < self.starts_at_ms {
            State::Pending
        } else {
            State::Active
        }
    }

    fn check(&self, now_ms: i64) -> Result<(), SilenceError> {
        let invalid = |why: &str| Err(SilenceError::Invalid(why.to_owned()));
        if self.matchers.is_empty() {
            return invalid("at least one matcher is required");
        }
        if let Some(at) = self.matchers.iter().position(|matcher| matcher.name.is_empty()) {
            return invalid(&format!("matcher {} has no label name", at + 1));
        }
        let of_empty = |matcher: &Matcher| matcher.op.is_equal() && matcher.matches("");
        if self.matchers.iter().all(of_empty) {
            return invalid("at least one matcher must not match the empty string");
        }
        if self.starts_at_ms >= self.ends_at_ms {
            return invalid("start time must be before end time");
        }
        if self.ends_at_ms <= now_ms {
            return invalid("end time can't be in the past");
        }
        let texts = self.matchers.iter().map(|matcher| matcher.name.len() + matcher.value.len());
        let more = self.annotations.iter().map(|(name, value)| name.len() + value.len());
        let size_bytes = texts.chain(more).sum::<usize>() + self.comment.len() + self.created_by.len();
        check_size(size_bytes)
    }

    fn regex_bytes(&self) -> usize {
        self.matchers.iter().map(Matcher::regex_bytes).sum()
    }

    /// Whether `next` may take its place without changing what was in force.
    fn may_become(&self, next: &Self, now_ms: i64) -> bool {
        const SECOND_MS: i64 = 1_000;
        if self.matchers != next.matchers {
            return false;
        }
        match self.state_at(now_ms) {
            // Clients send times back with less precision than they got them.
            State::Active => {
                self.starts_at_ms.div_euclid(SECOND_MS) == next.starts_at_ms.div_euclid(SECOND_MS)
            }
            State::Pending => next.starts_at_ms >= now_ms,
            State::Expired => false,
        }
    }

    fn ended(&self, now_ms: i64) -> Self {
        let starts_at_ms = self.starts_at_ms.min(now_ms);
        Self { starts_at_ms, ends_at_ms: now_ms, updated_at_ms: now_ms, ..self.clone() }
    }
}

/// All silences of a tenant.
#[derive(Clone, Debug, Default)]
pub struct Silences {
    by_id: BTreeMap<String, Silence>,
    /// By end and id, so that nobody has to look at ended ones to find those that silence.
    by_end: BTreeSet<(i64, String)>,
    /// What the regular expressions of all take.
    regex_bytes: usize,
}

impl Silences {
    /// One by its id.
    pub fn get(&self, id: &str) -> Option<&Silence> {
        self.by_id.get(id)
    }

    /// Every one, by id.
    pub fn all(&self) -> impl Iterator<Item = &Silence> {
        self.by_id.values()
    }

    /// What must be put to make or change a silence: without an id it is new, and gets `new_id`; so it does where the
    /// one of its id cannot be changed. The last one put is the one that holds now.
    pub fn plan(&self, draft: Silence, new_id: &str, now_ms: i64) -> Result<Vec<Silence>, SilenceError> {
        draft.check(now_ms)?;
        let before = match draft.id.as_str() {
            "" => None,
            id => Some(self.get(id).ok_or_else(|| SilenceError::NotFound(id.to_owned()))?),
        };
        if before.is_some_and(|before| before.may_become(&draft, now_ms)) {
            return Ok(vec![Silence { updated_at_ms: now_ms, ..draft }]);
        }
        if self.by_id.len() >= MAX_SILENCES {
            let why = format!("there are {MAX_SILENCES} silences, the most; ended ones go after 5 days");
            return Err(SilenceError::Invalid(why));
        }
        if self.regex_bytes + draft.regex_bytes() > MAX_REGEX_BYTES_OF_ALL {
            let why = format!(
                "the regular expressions of all silences would take more than {MAX_REGEX_BYTES_OF_ALL} bytes of memory; ended silences go after 5 days"
            );
            return Err(SilenceError::Invalid(why));
        }
        let starts_at_ms = draft.starts_at_ms.max(now_ms);
        let new = Silence { id: new_id.to_owned(), starts_at_ms, updated_at_ms: now_ms, ..draft };
        let ended = before.filter(|before| before.state_at(now_ms) != State::Expired);
        Ok(ended.map(|before| before.ended(now_ms)).into_iter().chain([new]).collect())
    }

    /// What must be put to end a silence; nothing if it has ended.
    pub fn plan_end(&self, id: &str, now_ms: i64) -> Result<Option<Silence>, SilenceError> {
        let silence = self.get(id).ok_or_else(|| SilenceError::NotFound(id.to_owned()))?;
        Ok((silence.state_at(now_ms) != State::Expired).then(|| silence.ended(now_ms)))
    }

    /// Adds or replaces.
    pub fn put(&mut self, silence: Silence) {
        self.remove(&silence.id);
        self.regex_bytes += silence.regex_bytes();
        self.by_end.insert((silence.ends_at_ms, silence.id.clone()));
        self.by_id.insert(silence.id.clone(), silence);
    }

    fn remove(&mut self, id: &str) {
        if let Some(old) = self.by_id.remove(id) {
            self.regex_bytes -= old.regex_bytes();
            self.by_end.remove(&(old.ends_at_ms, old.id));
        }
    }

    /// The ids of those that silence such an alert now.
    pub fn silencing(&self, labels: &LabelSet, now_ms: i64) -> Vec<String> {
        let matching = self.active(now_ms).filter(|silence| matcher::all_match(&silence.matchers, labels));
        let mut ids: Vec<String> = matching.map(|silence| silence.id.clone()).collect();
        ids.sort_unstable();
        ids
    }

    /// Whether any silences such an alert now.
    pub fn is_silenced(&self, labels: &LabelSet, now_ms: i64) -> bool {
        self.active(now_ms).any(|silence| matcher::all_match(&silence.matchers, labels))
    }

    fn active(&self, now_ms: i64) -> impl Iterator<Item = &Silence> {
        let not_ended = self.by_end.range((now_ms.saturating_add(1), String::new())..);
        let silences = not_ended.filter_map(|(_, id)| self.by_id.get(id));
        silences.filter(move |silence| silence.state_at(now_ms) == State::Active)
    }

    /// Forgets those that ended long ago.
    pub fn collect_garbage(&mut self, now_ms: i64) {
        let is_old = |ends_at_ms: i64| ends_at_ms.saturating_add(RETENTION_MS) <= now_ms;
        let old = self.by_end.iter().take_while(|(ends_at_ms, _)| is_old(*ends_at_ms));
        let old: Vec<String> = old.map(|(_, id)| id.clone()).collect();
        old.iter().for_each(|id| self.remove(id));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn draft(id: &str, matchers: &str, from: i64, to: i64) -> Silence {
        Silence {
            id: id.to_owned(),
            matchers: matcher::parse(matchers).unwrap(),
            starts_at_ms: from,
            ends_at_ms: to,
            updated_at_ms: 0,
            created_by: "someone".to_owned(),
            comment: "why".to_owned(),
            annotations: LabelSet::new(),
        }
    }

    /// `id: from..to`, of what a plan puts.
    fn planned(silences: &Silences, draft: Silence, now: i64) -> String {
        let plan = match silences.plan(draft, "new", now) {
            Ok(plan) => plan,
            Err(error) => return error.to_string(),
        };
        let one =
            |silence: &Silence| format!("{}: {}..{}", silence.id, silence.starts_at_ms, silence.ends_at_ms);
        plan.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn what_was_in_force_is_not_rewritten() {
        let mut silences = Silences::default();
        silences.put(draft("active", "a=b", 1_000, 9_000));
        silences.put(draft("pending", "a=b", 6_000, 9_000));
        silences.put(draft("expired", "a=b", 1_000, 4_000));
        let cases = [
            (draft("", "a=b", 0, 9_000), "new: 5000..9000"),
            (draft("", "a=b", 7_000, 9_000), "new: 7000..9000"),
            (draft("active", "a=b", 1_000, 8_000), "active: 1000..8000"),
            (draft("active", "a=b", 1_999, 8_000), "active: 1999..8000"),
            (draft("active", "a=b", 2_000, 8_000), "active: 1000..5000, new: 5000..8000"),
            (draft("active", "a=c", 1_000, 8_000), "active: 1000..5000, new: 5000..8000"),
            (draft("pending", "a=b", 7_000, 8_000), "pending: 7000..8000"),
            (draft("pending", "a=b", 4_000, 8_000), "pending: 5000..5000, new: 5000..8000"),
            (draft("expired", "a=b", 1_000, 8_000), "new: 5000..8000"),
            (draft("none", "a=b", 1_000, 8_000), "silence none not found"),
            (draft("", "", 0, 9_000), "invalid silence: at least one matcher is required"),
            (
                draft("", "a=~\".*\",b=\"\"", 0, 9_000),
                "invalid silence: at least one matcher must not match the empty string",
            ),
            (draft("", "a!=b", 0, 9_000), "new: 5000..9000"),
            (draft("", "a=b", 9_000, 9_000), "invalid silence: start time must be before end time"),
            (draft("", "a=b", 0, 5_000), "invalid silence: end time can't be in the past"),
        ];
        for (draft, expected) in cases {
            let shown = format!("{draft:?}");
            assert_eq!(planned(&silences, draft, 5_000), expected, "{shown}");
        }
    }

    #[test]
    fn ended_ones_stay_for_a_while() {
        let mut silences = Silences::default();
        silences.put(draft("s", "a=~\"b|c\"", 1_000, 9_000));
        let labels: LabelSet = [("a".to_owned(), "c".to_owned())].into();
        let silencing = |silences: &Silences, at| silences.silencing(&labels, at);
        assert_eq!(silencing(&silences, 999), Vec::<String>::new());
        assert_eq!(silencing(&silences, 1_000), ["s"]);
        assert!(!silences.is_silenced(&LabelSet::new(), 1_000));
        let ended = silences.plan_end("s", 5_000).unwrap().unwrap();
        silences.put(ended);
        assert_eq!(silences.get("s").unwrap().state_at(5_000), State::Expired);
        assert!(!silences.is_silenced(&labels, 5_000));
        assert_eq!(silences.plan_end("s", 6_000).unwrap(), None);
        assert!(silences.plan_end("t", 6_000).is_err());
        silences.collect_garbage(5_000 + RETENTION_MS - 1);
        assert!(silences.get("s").is_some());
        silences.collect_garbage(5_000 + RETENTION_MS);
        assert!(silences.get("s").is_none());
    }

    #[test]
    fn only_as_much_is_compiled_as_a_silence_may_have() {
        let many = |count: usize, value: &str| {
            let parts = (0..count).map(|_| (Op::Regex, "a".to_owned(), value.to_owned())).collect();
            matchers(parts).map(|made| made.len()).map_err(|error| error.to_string())
        };
        assert_eq!(many(MAX_MATCHERS, "b|c.*"), Ok(MAX_MATCHERS));
        assert_eq!(many(2, r"\w+-\w+"), Ok(2));
        let cases = [
            (MAX_MATCHERS + 1, "b", "it has 101 matchers, the most is 100"),
            (5_500, r"\w{20}", "it has 5500 matchers, the most is 100"),
            (MAX_MATCHERS, r"\w{20}", "its regular expressions take more than 4194304 bytes"),
            (2, &"b".repeat(MAX_BYTES), "bytes long"),
            (1, "(", "invalid label matcher 0: bad regular expression"),
            (1, r"\w{40}", "exceeds size limit of 1048576"),
        ];
        for (count, value, expected) in cases {
            let error = many(count, value).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_regular_expressions_of_all_silences_together_are_bounded() {
        let big = Silence {
            matchers: matchers(vec![(Op::Regex, "a".to_owned(), r"\w{20}".to_owned()); 4]).unwrap(),
            ..draft("", "a=b", 0, 9_000)
        };
        let (mut silences, each) = (Silences::default(), big.regex_bytes());
        for id in 0..MAX_REGEX_BYTES_OF_ALL / each {
            silences.put(silences.plan(big.clone(), &id.to_string(), 5_000).unwrap().remove(0));
        }
        let refused = silences.plan(big.clone(), "x", 5_000).unwrap_err().to_string();
        assert!(refused.contains("of all silences"), "{refused}");
        // One that is there may be changed and ended, and others have nothing to do with it.
        let changed = Silence { id: "0".to_owned(), starts_at_ms: 5_000, ends_at_ms: 8_000, ..big.clone() };
        silences.put(silences.plan(changed, "x", 5_000).unwrap().remove(0));
        silences.put(silences.plan_end("0", 5_000).unwrap().unwrap());
        assert_eq!(planned(&silences, draft("", "a=b", 0, 9_000), 5_000), "new: 5000..9000");
        silences.collect_garbage(5_000 + RETENTION_MS);
        assert_eq!(silences.regex_bytes, MAX_REGEX_BYTES_OF_ALL - each);
        let now = 9_000 + RETENTION_MS;
        silences.collect_garbage(now);
        assert_eq!((silences.regex_bytes, silences.by_end.len()), (0, 0));
        assert!(silences.plan(Silence { ends_at_ms: now + 1, ..big }, "x", now).is_ok());
    }

    #[test]
    fn those_that_silence_are_found_by_their_end() {
        let mut silences = Silences::default();
        for (id, from, to) in [("d", 0, 9_000), ("b", 0, 5_001), ("c", 0, 5_000), ("a", 5_001, 9_000)] {
            silences.put(draft(id, "a=b", from, to));
        }
        let labels: LabelSet = [("a".to_owned(), "b".to_owned())].into();
        assert_eq!(silences.silencing(&labels, 5_000), ["b", "d"]);
        // What is put again has its new end alone.
        silences.put(draft("d", "a=b", 0, 4_000));
        assert_eq!(silences.silencing(&labels, 5_000), ["b"]);
        assert!(silences.is_silenced(&labels, 5_000) && !silences.is_silenced(&LabelSet::new(), 5_000));
    }
}
