//! Relabelling: rules that change, keep or drop a set of labels, with Prometheus' semantics.

use md5::{Digest, Md5};
use regex::{Regex, RegexBuilder};

/// Labels while they are changed. An empty value is an absent label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Labels(pub(crate) Vec<(String, String)>);

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Replace,
    Keep,
    Drop,
    KeepEqual,
    DropEqual,
    HashMod,
    LabelMap,
    LabelDrop,
    LabelKeep,
    Lowercase,
    Uppercase,
}

impl Action {
    /// By its name, in any case.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "replace" => Self::Replace,
            "keep" => Self::Keep,
            "drop" => Self::Drop,
            "keepequal" => Self::KeepEqual,
            "dropequal" => Self::DropEqual,
            "hashmod" => Self::HashMod,
            "labelmap" => Self::LabelMap,
            "labeldrop" => Self::LabelDrop,
            "labelkeep" => Self::LabelKeep,
            "lowercase" => Self::Lowercase,
            "uppercase" => Self::Uppercase,
            _ => return None,
        })
    }
}

/// One rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) action: Action,
    pub(crate) source_labels: Vec<String>,
    pub(crate) separator: String,
    pub(crate) regex: Regex,
    pub(crate) modulus: u64,
    pub(crate) target_label: String,
    pub(crate) replacement: String,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        let key = |rule: &Self| (rule.action, rule.modulus);
        key(self) == key(other)
            && self.source_labels == other.source_labels
            && self.separator == other.separator
            && self.regex.as_str() == other.regex.as_str()
            && self.target_label == other.target_label
            && self.replacement == other.replacement
    }
}

/// The expression has to match the whole text, newlines included.
pub(crate) fn anchored(pattern: &str) -> Result<Regex, String> {
    // Alone first: a lone `)` must not close the group around it.
    Regex::new(pattern).map_err(|error| error.to_string())?;
    let built = RegexBuilder::new(&format!("^(?s:{pattern})$")).size_limit(4 << 20).build();
    built.map_err(|error| error.to_string())
}

/// Applies rules in order; `false` if one of them says that the labels are to go.
pub(crate) fn apply(rules: &[Rule], labels: &mut Labels) -> bool {
    rules.iter().all(|rule| rule.apply(labels))
}

impl Rule {
    fn apply(&self, labels: &mut Labels) -> bool {
        match self.action {
            Action::Keep => return self.regex.is_match(&self.value(labels)),
            Action::Drop => return !self.regex.is_match(&self.value(labels)),
            Action::KeepEqual => return labels.get(&self.target_label) == self.value(labels),
            Action::DropEqual => return labels.get(&self.target_label) != self.value(labels),
            Action::Replace => self.replace(labels),
            Action::HashMod => {
                let remainder = hash(&self.value(labels)) % self.modulus.max(1);
                labels.set(&self.target_label, &remainder.to_string());
            }
            Action::Lowercase => labels.set(&self.target_label, &self.value(labels).to_lowercase()),
            Action::Uppercase => labels.set(&self.target_label, &self.value(labels).to_uppercase()),
            Action::LabelMap => {
                for (name, value) in labels.clone().0 {
                    if self.regex.is_match(&name) {
                        labels.set(&self.regex.replace(&name, self.replacement.as_str()), &value);
                    }
                }
            }
            Action::LabelDrop => labels.0.retain(|(name, _)| !self.regex.is_match(name)),
            Action::LabelKeep => labels.0.retain(|(name, _)| self.regex.is_match(name)),
        }
        true
    }

    fn replace(&self, labels: &mut Labels) {
        let value = self.value(labels);
        let Some(captures) = self.regex.captures(&value) else { return };
        let (mut target, mut replacement) = (String::new(), String::new());
        captures.expand(&self.target_label, &mut target);
        captures.expand(&self.replacement, &mut replacement);
        if !target.is_empty() {
            labels.set(&target, &replacement);
        }
    }

    fn value(&self, labels: &Labels) -> String {
        let values: Vec<&str> = self.source_labels.iter().map(|name| labels.get(name)).collect();
        values.join(&self.separator)
    }
}

/// The last eight bytes of the MD5 sum.
fn hash(text: &str) -> u64 {
    let sum: [u8; 16] = Md5::digest(text.as_bytes()).into();
    sum[8..].iter().fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

impl Labels {
    /// The value, empty if there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(its, _)| its == name).map_or("", |(_, value)| value)
    }

    /// Sets a label, or removes it if the value is empty.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        match self.0.iter().position(|(its, _)| its == name) {
            Some(at) if value.is_empty() => {
                self.0.remove(at);
            }
            Some(at) => value.clone_into(&mut self.0[at].1),
            None if value.is_empty() => {}
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rule(action: Action, source: &[&str], regex: &str, target: &str, replacement: &str) -> Rule {
        Rule {
            action,
            source_labels: source.iter().map(|name| (*name).to_owned()).collect(),
            separator: ";".to_owned(),
            regex: anchored(regex).unwrap(),
            modulus: 1000,
            target_label: target.to_owned(),
            replacement: replacement.to_owned(),
        }
    }

    /// `a=foo b=bar c=baz` after the rules, or `-`.
    fn check(rules: &[Rule], expected: &str) {
        let pairs = [("a", "foo"), ("b", "bar"), ("c", "baz")];
        let mut labels = Labels(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec());
        let kept = apply(rules, &mut labels);
        labels.0.sort();
        let text: Vec<String> = labels.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(if kept { text.join(" ") } else { "-".to_owned() }, expected, "{rules:?}");
    }

    #[test]
    fn every_action_does_what_prometheus_does() {
        use Action::*;
        let cases = [
            (rule(Replace, &["a"], "f(.*)", "d", "ch${1}-ch${1}"), "a=foo b=bar c=baz d=choo-choo"),
            (rule(Replace, &["a", "b"], "f(.*);(.*)r", "a", "b${1}${2}m"), "a=boobam b=bar c=baz"),
            (rule(Replace, &["a"], "oo", "d", "x"), "a=foo b=bar c=baz"),
            (rule(Replace, &["a"], "(.*)", "b", ""), "a=foo c=baz"),
            (rule(Replace, &["x"], "(.*)", "d", "static"), "a=foo b=bar c=baz d=static"),
            (rule(Replace, &["a"], "(f).*", "${1}x", "$1$$1"), "a=foo b=bar c=baz fx=f$1"),
            (rule(Replace, &["a"], "foo", "$1", "x"), "a=foo b=bar c=baz"),
            (rule(Keep, &["a"], "f.*", "", ""), "a=foo b=bar c=baz"),
            (rule(Keep, &["a"], "oo", "", ""), "-"),
            (rule(Drop, &["a"], ".*o.*", "", ""), "-"),
            (rule(Drop, &["x"], ".+", "", ""), "a=foo b=bar c=baz"),
            (rule(KeepEqual, &["a"], "(.*)", "b", ""), "-"),
            (rule(DropEqual, &["a"], "(.*)", "a", ""), "-"),
            (rule(DropEqual, &["a"], "(.*)", "b", ""), "a=foo b=bar c=baz"),
            (rule(HashMod, &["c"], "(.*)", "d", ""), "a=foo b=bar c=baz d=976"),
            (rule(LabelMap, &[], "(b|c)", "", "new_$1"), "a=foo b=bar c=baz new_b=bar new_c=baz"),
            (rule(LabelDrop, &[], "(b.*)", "", ""), "a=foo c=baz"),
            (rule(LabelKeep, &[], "(a|c)", "", ""), "a=foo c=baz"),
            (rule(Uppercase, &["a", "b"], "(.*)", "d", ""), "a=foo b=bar c=baz d=FOO;BAR"),
            (rule(Lowercase, &["a"], "(.*)", "a", ""), "a=foo b=bar c=baz"),
        ];
        for (rule, expected) in cases {
            check(&[rule], expected);
        }
        let chain = [rule(Replace, &["a"], "(.*)", "tmp", "$1"), rule(Drop, &["tmp"], "foo", "", "")];
        check(&chain, "-");
    }

    #[test]
    fn a_pattern_matches_whole_texts_only() {
        assert!(anchored("a|b").unwrap().is_match("b") && !anchored("a|b").unwrap().is_match("ab"));
        assert!(anchored(".*").unwrap().is_match("a\nb"));
        assert!(anchored("abc(def").is_err() && anchored("a)|(b").is_err());
    }
}
