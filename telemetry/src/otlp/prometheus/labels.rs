//! The labels of series: those of a resource and scope, which all their points share,
//! and those of a point.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Deref;
use std::rc::Rc;

use super::Mapping;
use super::names::label_name;
use crate::otlp::{Resource, Scope};
use crate::samples::cut;
use crate::value::KeyValues;

const SERVICE_NAME: &str = "service.name";
const SERVICE_NAMESPACE: &str = "service.namespace";
const SERVICE_INSTANCE_ID: &str = "service.instance.id";

/// A label, and the key that it was.
#[derive(Clone, Debug)]
pub(super) struct Label<'a> {
    pub(super) name: Rc<str>,
    pub(super) value: Text<'a>,
    key: &'a str,
}

/// A value that is cheap to clone, however long it is: every point of a resource has it.
#[derive(Clone, Debug)]
pub(super) enum Text<'a> {
    Borrowed(&'a str),
    Shared(Rc<str>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Shared(text) => text,
        }
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::Borrowed(text),
            Cow::Owned(text) => Self::Shared(Rc::from(text)),
        }
    }
}

/// So many translations are kept, of keys that are no longer: a request may have a new key in each point.
const MAX_KEPT_NAMES: usize = 4096;
const MAX_KEPT_KEY_BYTES: usize = 256;

/// The names of labels that were translated before.
#[derive(Debug, Default)]
pub(super) struct Names<'a>(HashMap<&'a str, Rc<str>>);

/// What the points of a scope share.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared<'a> {
    /// `job` and `instance`: they stand over a point's own.
    pub(super) identity: Vec<Label<'a>>,
    /// Promoted attributes and the scope: a point's own stand over them.
    defaults: Vec<Label<'a>>,
    /// One label more than a series may have is enough to refuse all of them.
    max_defaults: usize,
}

impl<'a> Names<'a> {
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&mut self, key: &'a str) -> Rc<str> {
        let is_full = self.0.len() >= MAX_KEPT_NAMES && !self.0.contains_key(key);
        if is_full || key.len() > MAX_KEPT_KEY_BYTES {
            return Rc::from(label_name(key));
        }
        let name = self.0.entry(key).or_insert_with(|| Rc::from(label_name(key)));
        Rc::clone(name)
    }

    /// One label per name, in order; of keys that become one name the values are joined in the keys' order.
    /// A key without a character and a value without one are no label. No more than `max` are read: an error is told
    /// whatever the others would become.
    pub(super) fn labels(
        &mut self,
        attributes: KeyValues<'a>,
        max: usize,
        into: &mut Vec<Label<'a>>,
    ) -> Result<(), String> {
        for (key, value) in attributes.iter() {
            let (name, value) = (self.get(key), Text::from(value.to_text()));
            if name.is_empty() || value.is_empty() {
                continue;
            }
            if into.len() == max {
                return Err(format!("it has more than {max} attributes, {:?} the first too many", cut(key)));
            }
            into.push(Label { name, value, key });
        }
        into.sort_by(|a, b| a.name.cmp(&b.name).then(a.key.cmp(b.key)));
        into.dedup_by(|next, first| {
            let is_same = next.name == first.name;
            // A key that stands twice is the sender's fault: the first value counts, as everywhere in OTLP.
            if is_same && next.key != first.key {
                first.value = Text::Shared(Rc::from(format!("{};{}", &*first.value, &*next.value)));
                first.key = next.key;
            }
            is_same
        });
        Ok(())
    }
}

impl<'a> Shared<'a> {
    /// What a resource gives to all of its series.
    pub(super) fn of_resource(resource: &Resource<'a>, mapping: &'a Mapping, names: &mut Names<'a>) -> Self {
        let attributes = resource.attributes();
        let text = |key| attributes.get(key).map(|value| value.to_text()).filter(|text| !text.is_empty());
        let mut shared = Self { max_defaults: mapping.limits.max_labels + 1, ..Self::default() };
        let job = match (text(SERVICE_NAMESPACE), text(SERVICE_NAME)) {
            (Some(namespace), Some(name)) => Some(Cow::Owned(format!("{namespace}/{name}"))),
            (None, name) => name,
            (Some(_), None) => None,
        };
        let identity = [("job", job), ("instance", text(SERVICE_INSTANCE_ID))];
        for (key, value) in identity {
            shared.identity.extend(value.map(|value| Label {
                name: Rc::from(key),
                value: value.into(),
                key,
            }));
        }
        for key in &mapping.promoted {
            shared.add_default(names.get(key), text(key));
        }
        shared
    }

    /// The same with what a scope adds.
    pub(super) fn with_scope(&self, scope: &Scope<'a>, schema_url: &'a str) -> Self {
        let mut shared = self.clone();
        let own = [("name", scope.name), ("version", scope.version), ("schema_url", schema_url)];
        for (key, value) in own {
            shared.add_default(Rc::from(format!("otel_scope_{key}")), Some(Cow::Borrowed(value)));
        }
        for (key, value) in scope.attributes().iter() {
            let name = label_name(&format!("otel_scope_{key}"));
            shared.add_default(Rc::from(name), Some(value.to_text()));
        }
        shared
    }

    /// The first of a name counts.
    fn add_default(&mut self, name: Rc<str>, value: Option<Cow<'a, str>>) {
        let Some(value) = value.filter(|value| !value.is_empty()) else { return };
        let has_room = self.defaults.len() < self.max_defaults;
        if has_room && !name.is_empty() && self.defaults.iter().all(|label| label.name != name) {
            self.defaults.push(Label { name, value: value.into(), key: "" });
        }
    }

    /// Adds what the points share to a point's own labels.
    pub(super) fn complete(&self, own: &mut Vec<Label<'a>>) {
        own.retain(|label| self.identity.iter().all(|other| other.name != label.name));
        let count = own.len();
        for label in &self.defaults {
            let is_free = |other: &Label<'_>| other.name != label.name;
            if own[..count].iter().all(is_free) && self.identity.iter().all(is_free) {
                own.push(label.clone());
            }
        }
        own.extend(self.identity.iter().cloned());
    }

    /// The labels of `target_info`: the identity and all attributes that are not in it; `None` when there is
    /// nothing to tell or nothing to tell it of.
    pub(super) fn target_info(
        &self,
        resource: &Resource<'a>,
        max_labels: usize,
        names: &mut Names<'a>,
    ) -> Result<Option<Vec<Label<'a>>>, String> {
        if self.identity.is_empty() {
            return Ok(None);
        }
        let mut labels = Vec::new();
        // The three that are the identity go.
        names.labels(resource.attributes(), max_labels + 3, &mut labels)?;
        labels.retain(|label| ![SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_INSTANCE_ID].contains(&label.key));
        labels.retain(|label| self.identity.iter().all(|other| other.name != label.name));
        if labels.is_empty() {
            return Ok(None);
        }
        labels.extend(self.identity.iter().cloned());
        Ok(Some(labels))
    }
}
