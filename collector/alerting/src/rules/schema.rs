//! The file as YAML has it, before anything of it is understood.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::yaml::{self, At, Fault};

/// A text of a file.
pub(super) type Text = At<String>;
/// Names and texts.
pub(super) type Texts = BTreeMap<String, Text>;

/// Defines the structs of a file with an attribute that says what unknown fields are.
macro_rules! schema {
    ($(#[$unknown:meta])*) => {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        $(#[$unknown])*
        pub(super) struct File {
            pub(super) groups: Option<Vec<Group>>,
            /// The Prometheus operator's resources have the groups within.
            pub(super) spec: Option<Spec>,
            #[serde(rename = "apiVersion")]
            pub(super) api_version: Option<serde::de::IgnoredAny>,
            pub(super) kind: Option<serde::de::IgnoredAny>,
            pub(super) metadata: Option<serde::de::IgnoredAny>,
        }

        #[derive(Default, Deserialize)]
        #[serde(default)]
        $(#[$unknown])*
        pub(super) struct Spec {
            pub(super) groups: Option<Vec<Group>>,
        }

        #[derive(Deserialize)]
        $(#[$unknown])*
        pub(super) struct Group {
            pub(super) name: Text,
            #[serde(rename = "type")]
            pub(super) kind: Option<Text>,
            pub(super) interval: Option<Text>,
            pub(super) query_offset: Option<Text>,
            pub(super) window: Option<Text>,
            pub(super) limit: Option<At<i64>>,
            pub(super) labels: Option<Texts>,
            #[serde(default)]
            pub(super) rules: Option<Vec<At<Rule>>>,
        }

        #[derive(Deserialize)]
        $(#[$unknown])*
        pub(super) struct Rule {
            pub(super) record: Option<Text>,
            pub(super) alert: Option<Text>,
            pub(super) expr: Option<Text>,
            #[serde(rename = "for")]
            pub(super) hold: Option<Text>,
            pub(super) keep_firing_for: Option<Text>,
            pub(super) labels: Option<Texts>,
            pub(super) annotations: Option<Texts>,
        }
    };
}

schema!(#[serde(deny_unknown_fields)]);

/// The same file where fields that nobody knows are passed over.
mod lenient {
    use super::{At, Deserialize, Text, Texts};

    schema!();
}

/// Reads a file; `strict` refuses unknown fields.
pub(super) fn read(text: &str, strict: bool) -> Result<Vec<Group>, Fault> {
    let text = first_document(text);
    if strict {
        // A file that says nothing, or `null`, has no groups.
        let file = yaml::parse::<Option<File>>(text)?.unwrap_or_default();
        return Ok(file.spec.map_or(file.groups, |spec| spec.groups).unwrap_or_default());
    }
    let file = yaml::parse::<Option<lenient::File>>(text)?.unwrap_or_default();
    let groups = file.spec.map_or(file.groups, |spec| spec.groups).unwrap_or_default();
    Ok(groups.into_iter().map(Group::from).collect())
}

/// What stands behind a second `---` is not read, as Prometheus does not.
fn first_document(text: &str) -> &str {
    let mut has_content = false;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        let is_mark = bare == "---" || line.starts_with("--- ");
        if has_content && (is_mark || bare == "...") {
            return &text[..at];
        }
        has_content |= !is_mark && !bare.is_empty() && !bare.starts_with(['#', '%']);
        at += line.len();
    }
    text
}

impl From<lenient::Group> for Group {
    fn from(group: lenient::Group) -> Self {
        let rule = |at: At<lenient::Rule>| At { value: at.value.into(), place: at.place };
        Self {
            name: group.name,
            kind: group.kind,
            interval: group.interval,
            query_offset: group.query_offset,
            window: group.window,
            limit: group.limit,
            labels: group.labels,
            rules: group.rules.map(|rules| rules.into_iter().map(rule).collect()),
        }
    }
}

impl From<lenient::Rule> for Rule {
    fn from(rule: lenient::Rule) -> Self {
        Self {
            record: rule.record,
            alert: rule.alert,
            expr: rule.expr,
            hold: rule.hold,
            keep_firing_for: rule.keep_firing_for,
            labels: rule.labels,
            annotations: rule.annotations,
        }
    }
}
