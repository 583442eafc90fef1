//! Rule files: from YAML to groups of rules that can be evaluated, or everything that is wrong with them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use telemetry::METRIC_NAME;

use super::expression::Expression;
use super::schema::{self, Text, Texts};
use crate::duration::parse_ms;
use crate::template::{Template, prometheus};
use crate::yaml::{At, Fault, Place};

/// How many rules one file may have.
const MAX_RULES: usize = 20_000;
/// How far a rule over logs looks back unless its group says.
const WINDOW_MS: i64 = 300_000;

/// What a file says.
#[derive(Clone, Debug, Default)]
pub struct RuleFile {
    /// In their order.
    pub groups: Vec<Arc<Group>>,
}

/// Rules that are evaluated together, one after the other.
#[derive(Clone, Debug)]
pub struct Group {
    /// Unique within its file.
    pub name: String,
    /// What its rules ask.
    pub kind: Kind,
    /// Between evaluations; `None`: as the collector is configured.
    pub interval_ms: Option<i64>,
    /// How far back the queries look from the time of the evaluation; `None`: not at all.
    pub query_offset_ms: Option<i64>,
    /// The most series or alerts of one rule; 0 is no limit.
    pub limit: usize,
    /// How much time a search covers, for rules over logs.
    pub window_ms: i64,
    /// In their order.
    pub rules: Vec<Arc<Rule>>,
}

/// What the rules of a group ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Series, in PromQL.
    #[default]
    Promql,
    /// Log records, with a search that has `| stats`.
    Logs,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Of the alert, or of the metric that is recorded.
    pub name: String,
    /// What becomes of the answer.
    pub action: Action,
    /// The question.
    pub expression: Expression,
    /// As it was written.
    pub query: String,
    /// The group's labels and its own.
    pub labels: BTreeMap<String, RuleText>,
    /// Where it stands.
    pub place: Option<Place>,
}

/// What becomes of a rule's answer.
#[derive(Clone, Debug)]
pub enum Action {
    /// Its elements are written as series.
    Record,
    /// Its elements are alerts.
    Alert(Alerting),
}

/// How alerts are made.
#[derive(Clone, Debug)]
pub struct Alerting {
    /// How long an element must be there before the alert fires.
    pub for_ms: i64,
    /// How long an alert goes on firing when its element is gone.
    pub keep_firing_for_ms: i64,
    /// What is said about it.
    pub annotations: BTreeMap<String, RuleText>,
}

/// A text that may be a template.
#[derive(Clone, Debug)]
pub struct RuleText {
    /// As it was written.
    pub text: String,
    /// `None` where nothing is to be expanded.
    pub template: Option<Template>,
}

impl Kind {
    /// As files write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Promql => "promql",
            Self::Logs => "logs",
        }
    }
}

impl Rule {
    /// The alert's settings, if it is one.
    pub fn alerting(&self) -> Option<&Alerting> {
        match &self.action {
            Action::Alert(alerting) => Some(alerting),
            Action::Record => None,
        }
    }

    /// Whether `other` writes the same series: what it knows may be taken over.
    pub fn is_successor_of(&self, other: &Self) -> bool {
        let texts = |rule: &Self| -> Vec<(String, String)> {
            rule.labels.iter().map(|(name, label)| (name.clone(), label.text.clone())).collect()
        };
        self.name == other.name
            && self.alerting().is_some() == other.alerting().is_some()
            && texts(self) == texts(other)
    }
}

/// Reads a file. Fails with all that is wrong with it.
pub fn parse_file(text: &str) -> Result<RuleFile, Vec<Fault>> {
    parse(text, true)
}

/// Reads a file and passes over fields that it should not have.
pub fn parse_file_leniently(text: &str) -> Result<RuleFile, Vec<Fault>> {
    parse(text, false)
}

fn parse(text: &str, strict: bool) -> Result<RuleFile, Vec<Fault>> {
    let groups = schema::read(text, strict).map_err(|fault| vec![fault])?;
    let mut reader = Reader { faults: Vec::new() };
    let mut names = BTreeSet::new();
    let rules: usize = groups.iter().map(|group| group.rules.as_ref().map_or(0, Vec::len)).sum();
    if rules > MAX_RULES {
        reader.refuse(None, format!("the file has {rules} rules; {MAX_RULES} are allowed: split it"));
        return Err(reader.faults);
    }
    let mut read = Vec::new();
    for group in groups {
        let (place, name) = (group.name.place, group.name.value.clone());
        if name.is_empty() {
            reader.refuse(place, "a group needs a name");
        } else if !names.insert(name.clone()) {
            reader.refuse(place, format!("the group {name:?} is in this file twice"));
        }
        read.push(Arc::new(reader.group(group)));
    }
    if reader.faults.is_empty() { Ok(RuleFile { groups: read }) } else { Err(reader.faults) }
}

/// Collects what is wrong.
struct Reader {
    faults: Vec<Fault>,
}

impl Reader {
    fn refuse(&mut self, place: Option<Place>, message: impl Into<String>) {
        self.faults.push(Fault { place, message: message.into() });
    }

    fn group(&mut self, group: schema::Group) -> Group {
        let kind = match group.kind.as_ref().map(|kind| kind.value.as_str()) {
            None | Some("promql") => Kind::Promql,
            Some("logs") => Kind::Logs,
            Some(other) => {
                let place = group.kind.as_ref().and_then(|kind| kind.place);
                self.refuse(place, format!("type is promql or logs, not {other:?}"));
                Kind::Promql
            }
        };
        if let (Kind::Promql, Some(window)) = (kind, &group.window) {
            self.refuse(
                window.place,
                "window is for groups of type logs; in PromQL a range says it: foo[5m]",
            );
        }
        let limit = group.limit.map_or(0, |limit| {
            usize::try_from(limit.value).unwrap_or_else(|_| {
                self.refuse(limit.place, "limit cannot be less than 0");
                0
            })
        });
        let labels = self.label_texts(group.labels.unwrap_or_default());
        let window_ms = self.duration("window", group.window.as_ref()).unwrap_or(WINDOW_MS);
        if window_ms == 0 {
            self.refuse(group.window.as_ref().and_then(|window| window.place), "window must be above 0");
        }
        let rules = group.rules.unwrap_or_default();
        let name = group.name.value.clone();
        Group {
            kind,
            interval_ms: self.duration("interval", group.interval.as_ref()).filter(|ms| *ms > 0),
            query_offset_ms: self.duration("query_offset", group.query_offset.as_ref()),
            limit,
            window_ms,
            rules: rules.into_iter().map(|rule| Arc::new(self.rule(kind, &labels, rule))).collect(),
            name,
        }
    }

    fn rule(&mut self, kind: Kind, group_labels: &BTreeMap<String, RuleText>, at: At<schema::Rule>) -> Rule {
        let At { value: rule, place } = at;
        let (name, action) = self.action(&rule, place);
        let query = rule.expr.as_ref().map_or(String::new(), |expr| expr.value.clone());
        let expression = self.expression(kind, rule.expr.as_ref(), place);
        let is_alert = matches!(action, Action::Alert(_));
        let mut labels = group_labels.clone();
        let own = rule.labels.unwrap_or_default();
        labels.extend(if is_alert { self.templates(own, "label") } else { self.label_texts(own) });
        Rule { name, action, expression, query, labels, place }
    }

    fn action(&mut self, rule: &schema::Rule, place: Option<Place>) -> (String, Action) {
        let set = |text: &Option<Text>| text.as_ref().is_some_and(|text| !text.value.is_empty());
        match (set(&rule.record), set(&rule.alert)) {
            (true, true) => self.refuse(place, "only one of record and alert can be set"),
            (false, false) => self.refuse(place, "one of record and alert must be set"),
            _ => {}
        }
        if let Some(alert) = rule.alert.as_ref().filter(|alert| !alert.value.is_empty()) {
            let annotations = rule.annotations.as_ref().map(clone_texts).unwrap_or_default();
            let alerting = Alerting {
                for_ms: self.duration("for", rule.hold.as_ref()).unwrap_or(0),
                keep_firing_for_ms: self
                    .duration("keep_firing_for", rule.keep_firing_for.as_ref())
                    .unwrap_or(0),
                annotations: self.templates(annotations, "annotation"),
            };
            return (alert.value.clone(), Action::Alert(alerting));
        }
        let unwanted = [("for", rule.hold.as_ref()), ("keep_firing_for", rule.keep_firing_for.as_ref())];
        for (field, text) in unwanted {
            if let Some(text) = text {
                self.refuse(text.place, format!("a recording rule has no {field}"));
            }
        }
        if rule.annotations.as_ref().is_some_and(|annotations| !annotations.is_empty()) {
            self.refuse(place, "a recording rule has no annotations");
        }
        let name = rule.record.as_ref().map_or("", |record| record.value.as_str());
        if name.contains(['{', '}']) {
            let place = rule.record.as_ref().and_then(|record| record.place);
            self.refuse(place, format!("{name:?} is no name of a metric: labels belong into labels or expr"));
        }
        (name.to_owned(), Action::Record)
    }

    fn expression(&mut self, kind: Kind, expr: Option<&Text>, rule: Option<Place>) -> Expression {
        let Some(expr) = expr.filter(|expr| !expr.value.trim().is_empty()) else {
            self.refuse(rule, "the rule needs an expr");
            return Expression::nothing();
        };
        match Expression::parse(kind, &expr.value) {
            Ok(expression) => expression,
            Err(message) => {
                self.refuse(expr.place, format!("could not parse expression: {message}"));
                Expression::nothing()
            }
        }
    }

    fn duration(&mut self, field: &str, text: Option<&Text>) -> Option<i64> {
        let text = text?;
        let ms = parse_ms(text.value.trim());
        if ms.is_none() {
            let message = format!("{field} is a duration such as 5m or 1h30m, not {:?}", text.value);
            self.refuse(text.place, message);
        }
        ms
    }

    /// Labels that are taken as they stand.
    fn label_texts(&mut self, texts: Texts) -> BTreeMap<String, RuleText> {
        self.check_names(&texts, "label");
        texts.into_iter().map(|(name, text)| (name, RuleText { text: text.value, template: None })).collect()
    }

    /// Texts that are expanded for each alert.
    fn templates(&mut self, texts: Texts, what: &str) -> BTreeMap<String, RuleText> {
        self.check_names(&texts, what);
        let templates = prometheus::templates();
        let mut read = BTreeMap::new();
        for (name, text) in texts {
            let template = match text.value.contains("{{").then(|| templates.parse(&text.value)) {
                None => None,
                Some(Ok(template)) => Some(template),
                Some(Err(error)) => {
                    self.refuse(text.place, format!("{what} {name:?}: {error}"));
                    None
                }
            };
            read.insert(name, RuleText { text: text.value, template });
        }
        read
    }

    fn check_names(&mut self, texts: &Texts, what: &str) {
        for (name, text) in texts {
            if name.is_empty() || (what == "label" && name == METRIC_NAME) {
                self.refuse(text.place, format!("{name:?} cannot be the name of a {what}"));
            }
        }
    }
}

fn clone_texts(texts: &Texts) -> Texts {
    texts
        .iter()
        .map(|(name, text)| (name.clone(), At { value: text.value.clone(), place: text.place }))
        .collect()
}
