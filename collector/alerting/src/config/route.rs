//! The tree of routes: who is told of which alerts, grouped how, and how often.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::fields::{Fields, Reader};
use super::matchers;
use crate::labels::LabelSet;
use crate::matcher::Matcher;
use crate::timing::TimeInterval;
use crate::yaml::Place;
use crate::yaml::tree::Item;

/// Routes may be nested so deep.
const MAX_DEPTH: usize = 64;

/// A node of the tree. What it inherits is written out here, so nobody needs its parent.
#[derive(Clone, Debug)]
pub struct Route {
    /// The name of who is told.
    pub receiver: String,
    /// What makes alerts of one message.
    pub group_by: GroupBy,
    /// What an alert must be like: those of this node alone, sorted.
    pub matchers: Vec<Matcher>,
    /// Whether the next siblings are tried, too, after this one took an alert.
    pub continue_: bool,
    /// How long a new group waits for more alerts.
    pub group_wait: Duration,
    /// How long a group waits until it tells of a change.
    pub group_interval: Duration,
    /// After how long the same is told again.
    pub repeat_interval: Duration,
    /// Names of times in which it does not tell; not inherited.
    pub mute_time_intervals: Vec<String>,
    /// Names of times outside of which it does not tell; not inherited.
    pub active_time_intervals: Vec<String>,
    /// Labels of the route itself, for templates; with those of its parents.
    pub labels: LabelSet,
    /// Tried in order.
    pub routes: Vec<Self>,
}

/// What makes alerts of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// Each set of labels is a group (`...`).
    All,
    /// The values of these labels.
    Labels(BTreeSet<String>),
}

/// Names that routes may use.
pub(super) struct Names<'a> {
    pub(super) receivers: HashMap<&'a str, ()>,
    pub(super) intervals: &'a BTreeMap<String, Vec<TimeInterval>>,
}

/// The root, if there is one and it is right.
pub(super) fn root(fields: &mut Fields<'_>, names: &Names<'_>) -> Option<Route> {
    let Some(mut map) = fields.map("route") else {
        fields.fault_at("route", "is missing: every file has a root route with a receiver");
        return None;
    };
    let default = Route {
        receiver: String::new(),
        group_by: GroupBy::Labels(BTreeSet::new()),
        matchers: Vec::new(),
        continue_: false,
        group_wait: Duration::from_secs(30),
        group_interval: Duration::from_secs(300),
        repeat_interval: Duration::from_secs(4 * 3600),
        mute_time_intervals: Vec::new(),
        active_time_intervals: Vec::new(),
        labels: LabelSet::new(),
        routes: Vec::new(),
    };
    for key in ["match", "match_re", "matchers", "mute_time_intervals", "active_time_intervals"] {
        if map.item(key).is_some_and(is_filled) {
            map.fault_at(key, "the root route takes every alert at any time and has none");
        }
    }
    if map.filled("receiver").is_none() {
        map.fault_at("receiver", "the root route must name a receiver");
    }
    if map.flag("continue") == Some(true) {
        map.fault_at("continue", "the root route has nothing to continue with");
    }
    Some(route(map, &default, names, 0))
}

fn is_filled(item: &Item) -> bool {
    use crate::yaml::tree::Node;
    match &item.node {
        Node::List(items) => !items.is_empty(),
        Node::Map(entries) => !entries.is_empty(),
        _ => true,
    }
}

fn route(mut map: Fields<'_>, parent: &Route, names: &Names<'_>, depth: usize) -> Route {
    let labels = map.labels("labels");
    if labels.keys().any(String::is_empty) {
        map.fault_at("labels", "a label has no name");
    }
    let mut matchers = matchers::read(&mut map, "match", "match_re", "matchers");
    matchers.sort();
    let mut route = Route {
        receiver: receiver(&mut map, names).unwrap_or_else(|| parent.receiver.clone()),
        group_by: group_by(&mut map).unwrap_or_else(|| parent.group_by.clone()),
        matchers,
        continue_: map.flag("continue").unwrap_or(false),
        group_wait: map.duration("group_wait").unwrap_or(parent.group_wait),
        group_interval: interval(&mut map, "group_interval").unwrap_or(parent.group_interval),
        repeat_interval: interval(&mut map, "repeat_interval").unwrap_or(parent.repeat_interval),
        mute_time_intervals: times(&mut map, "mute_time_intervals", names),
        active_time_intervals: times(&mut map, "active_time_intervals", names),
        labels: parent.labels.clone().into_iter().chain(labels).collect(),
        routes: Vec::new(),
    };
    if depth == MAX_DEPTH {
        map.fault_at("routes", "routes are nested too deep; 64 levels is the most");
    } else {
        let children = map.maps("routes");
        route.routes =
            children.into_iter().map(|child| self::route(child, &route, names, depth + 1)).collect();
    }
    map.finish();
    route
}

fn receiver(map: &mut Fields<'_>, names: &Names<'_>) -> Option<String> {
    let name = map.filled("receiver")?;
    if !names.receivers.contains_key(name.as_str()) {
        map.fault_at("receiver", &format!("there is no receiver {name:?} under receivers"));
    }
    Some(name)
}

fn group_by(map: &mut Fields<'_>) -> Option<GroupBy> {
    map.item("group_by")?;
    let texts = map.texts("group_by");
    let (all, labels): (Vec<_>, Vec<_>) = texts.into_iter().partition(|text| text == "...");
    if !all.is_empty() && !labels.is_empty() {
        map.fault_at("group_by", "\"...\" stands for all labels and stands alone");
    }
    let count = labels.len();
    let labels: BTreeSet<String> = labels.into_iter().collect();
    if labels.contains("") {
        map.fault_at("group_by", "a label has no name");
    }
    if labels.len() < count {
        map.fault_at("group_by", "a label is given twice");
    }
    Some(if all.is_empty() { GroupBy::Labels(labels) } else { GroupBy::All })
}

fn interval(map: &mut Fields<'_>, key: &'static str) -> Option<Duration> {
    let interval = map.duration(key)?;
    if interval.is_zero() {
        map.fault_at(key, "cannot be zero");
    }
    Some(interval)
}

fn times(map: &mut Fields<'_>, key: &'static str, names: &Names<'_>) -> Vec<String> {
    let times = map.texts(key);
    for name in &times {
        if !names.intervals.contains_key(name) {
            map.fault_at(key, &format!("there is no {name:?} under time_intervals"));
        }
    }
    times
}

/// `time_intervals`, and `mute_time_intervals` as they were called before.
pub(super) fn time_intervals(fields: &mut Fields<'_>) -> BTreeMap<String, Vec<TimeInterval>> {
    let mut named = BTreeMap::new();
    for key in ["mute_time_intervals", "time_intervals"] {
        for mut map in fields.maps(key) {
            let name = map.filled("name");
            if name.is_none() {
                map.fault_at("name", "is missing");
            }
            let reader = map.reader();
            let items = map.list("time_intervals");
            let times: Vec<_> = items.iter().filter_map(|item| time_interval(reader, item)).collect();
            let name = name.unwrap_or_default();
            if named.insert(name.clone(), times).is_some() && !name.is_empty() {
                map.fault_at("name", &format!("{name:?} is given twice"));
            }
            map.finish();
        }
    }
    named
}

fn time_interval(reader: &Reader<'_>, item: &Item) -> Option<TimeInterval> {
    let place: Option<Place> = item.place;
    match serde_json::from_value(item.to_json(true)) {
        Ok(interval) => Some(interval),
        Err(error) => {
            reader.fault(place, format!("time_intervals: {error}"));
            None
        }
    }
}
