//! One rule at one time.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use promql::{Point, Value};
use telemetry::samples::{Histogram, stale_nan};
use telemetry::{LabelSet, METRIC_NAME};

use super::active::{Active, AlertState, Next};
use super::expression::Expression;
use super::file::{Action, Alerting, Group, Rule, RuleText};
use super::{ALERTS, ALERTS_FOR_STATE, Context, RuleSample};
use crate::labels::ALERT_NAME;
use crate::template::{self, prometheus};

/// The label that says how far an alert is.
const ALERT_STATE: &str = "alertstate";

/// Whether the last evaluation of a rule worked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// There was none yet.
    #[default]
    Unknown,
    /// It did.
    Ok,
    /// Why it did not.
    Failed(String),
}

/// A rule and what it remembers between evaluations.
#[derive(Clone, Debug)]
pub struct RuleState {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Its alerts, by their labels.
    pub active: HashMap<LabelSet, Active>,
    /// How the last evaluation went.
    pub health: Health,
    /// When it was, Unix milliseconds.
    pub last_evaluation_ms: Option<i64>,
    /// How long it took.
    pub took: Duration,
    /// Whether the state of a process before is taken over; alerts are written from then on.
    pub is_restored: bool,
    /// Until when alerts that begin may be those of a process before, whose data came late.
    pub(super) late_until_ms: Option<i64>,
    /// Series that the last evaluation wrote.
    pub(super) written: HashSet<LabelSet>,
}

/// An element of what a rule's expression gives.
type Element = (LabelSet, Point);

impl RuleState {
    /// One that was not evaluated yet.
    pub fn new(rule: Arc<Rule>, is_restored: bool) -> Self {
        Self {
            rule,
            active: HashMap::new(),
            health: Health::Unknown,
            last_evaluation_ms: None,
            took: Duration::ZERO,
            is_restored,
            late_until_ms: None,
            written: HashSet::new(),
        }
    }

    /// Evaluates the rule. What is to be written: its series, and stale markers for those that have ended.
    pub(super) fn evaluate(
        &mut self,
        group: &Group,
        context: &Context<'_>,
    ) -> Result<Vec<RuleSample>, String> {
        self.last_evaluation_ms = Some(context.time_ms);
        let rule = Arc::clone(&self.rule);
        let at_ms = context.time_ms - group.query_offset_ms.unwrap_or(context.query_offset_ms);
        let samples = elements(&rule, group, context, at_ms).and_then(|elements| match &rule.action {
            Action::Record => record(&rule, group, elements, at_ms),
            Action::Alert(alerting) => self.alert(alerting, group, context, elements, at_ms),
        });
        match samples {
            Ok(samples) => {
                self.health = Health::Ok;
                Ok(self.with_ends(samples, at_ms))
            }
            Err(reason) => {
                self.health = Health::Failed(reason.clone());
                Err(reason)
            }
        }
    }

    /// Adds stale markers for the series that the evaluation before wrote and this one did not.
    fn with_ends(&mut self, mut samples: Vec<RuleSample>, at_ms: i64) -> Vec<RuleSample> {
        let before = std::mem::take(&mut self.written);
        self.written = samples.iter().map(|sample| sample.labels.clone()).collect();
        let ended = before.into_iter().filter(|labels| !self.written.contains(labels));
        samples.extend(ended.map(|labels| stale(labels, at_ms)));
        samples
    }

    fn alert(
        &mut self,
        alerting: &Alerting,
        group: &Group,
        context: &Context<'_>,
        elements: Vec<Element>,
        at_ms: i64,
    ) -> Result<Vec<RuleSample>, String> {
        let mut there = HashMap::with_capacity(elements.len());
        for (series, point) in elements {
            let texts = Texts { context, series: &series, point: &point };
            let labels = alert_labels(&self.rule, &texts)?;
            let annotations = texts.expanded(&alerting.annotations);
            if there.insert(labels, (annotations, value_of(&point))).is_some() {
                return Err(
                    "vector contains metrics with the same labelset after applying alert labels".into()
                );
            }
        }
        for (labels, (annotations, value)) in &mut there {
            self.see(labels, std::mem::take(annotations), *value, context.time_ms);
        }
        let mut samples = Vec::new();
        let mut count = 0;
        let may_be_late = self.may_be_late(context.time_ms);
        self.active.retain(|labels, active| {
            let keep_ms = alerting.keep_firing_for_ms;
            let next = active.step(there.contains_key(labels), context.time_ms, alerting.for_ms, keep_ms);
            if next == Next::Counts {
                count += 1;
                // One that begins soon after a start is looked up first.
                if self.is_restored && !(may_be_late && active.begins_at(context.time_ms)) {
                    samples.extend(alert_samples(labels, active, at_ms));
                }
            }
            next != Next::Goes
        });
        if group.limit > 0 && count > group.limit {
            self.active.clear();
            return Err(format!("exceeded limit of {} with {count} alerts", group.limit));
        }
        Ok(samples)
    }

    /// An element is there: its alert is told the value, or begins.
    fn see(&mut self, labels: &LabelSet, annotations: BTreeMap<String, String>, value: f64, now_ms: i64) {
        if let Some(known) = self.active.get_mut(labels).filter(|known| known.state != AlertState::Inactive) {
            known.value = value;
            known.annotations = annotations;
            return;
        }
        let names = labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let active = Active {
            state: AlertState::Pending,
            labels: names,
            annotations,
            value,
            active_at_ms: now_ms,
            fired_at_ms: None,
            resolved_at_ms: None,
            keep_firing_since_ms: None,
            last_sent_ms: None,
        };
        self.active.insert(labels.clone(), active);
    }
}

/// What an alert shows: a histogram has no single value.
fn value_of(point: &Point) -> f64 {
    match point {
        Point::Float(value) => *value,
        Point::Histogram(_) => 0.0,
    }
}

/// The elements of the rule's answer.
fn elements(rule: &Rule, group: &Group, context: &Context<'_>, at_ms: i64) -> Result<Vec<Element>, String> {
    match &rule.expression {
        Expression::Promql(expr) => match context.queries.instant(expr, &rule.query, at_ms)? {
            Value::Vector(vector) => {
                Ok(vector.into_iter().map(|(labels, _, point)| (labels, point)).collect())
            }
            Value::Scalar(_, value) => Ok(vec![(LabelSet::empty(), Point::Float(value))]),
            Value::String(..) | Value::Matrix(_) => Err("rule result is not a vector or scalar".into()),
        },
        Expression::Logs(logs) => {
            let table = context.queries.table(&logs.query, at_ms - group.window_ms, at_ms)?;
            let vector = logs.vector(&table)?;
            Ok(vector.into_iter().map(|(labels, value)| (labels, Point::Float(value))).collect())
        }
    }
}

fn record(rule: &Rule, group: &Group, elements: Vec<Element>, at_ms: i64) -> Result<Vec<RuleSample>, String> {
    if group.limit > 0 && elements.len() > group.limit {
        return Err(format!("exceeded limit of {} with {} series", group.limit, elements.len()));
    }
    let mut seen = HashSet::with_capacity(elements.len());
    let mut samples = Vec::with_capacity(elements.len());
    for (series, point) in elements {
        let mut labels = series.with(METRIC_NAME, &rule.name);
        for (name, label) in &rule.labels {
            labels = labels.with(name, &label.text);
        }
        if !seen.insert(labels.clone()) {
            return Err("vector contains metrics with the same labelset after applying rule labels".into());
        }
        samples.push(RuleSample { labels, time_ms: at_ms, point });
    }
    Ok(samples)
}

fn alert_labels(rule: &Rule, texts: &Texts<'_>) -> Result<LabelSet, String> {
    let mut labels = texts.series.with(METRIC_NAME, "");
    for (name, value) in texts.expanded(&rule.labels) {
        labels = labels.with(&name, &value);
    }
    Ok(labels.with(ALERT_NAME, &rule.name))
}

fn alert_samples(labels: &LabelSet, active: &Active, at_ms: i64) -> [RuleSample; 2] {
    let alerts = labels.with(METRIC_NAME, ALERTS).with(ALERT_STATE, active.state.as_str());
    let since = Point::Float(active.active_at_ms.div_euclid(1000) as f64);
    [
        RuleSample { labels: alerts, time_ms: at_ms, point: Point::Float(1.0) },
        RuleSample { labels: labels.with(METRIC_NAME, ALERTS_FOR_STATE), time_ms: at_ms, point: since },
    ]
}

/// The sample that says that a series has ended.
pub(super) fn stale(labels: LabelSet, time_ms: i64) -> RuleSample {
    RuleSample { labels, time_ms, point: Point::Float(stale_nan()) }
}

/// What the texts of one element are expanded with.
struct Texts<'a> {
    context: &'a Context<'a>,
    series: &'a LabelSet,
    point: &'a Point,
}

impl Texts<'_> {
    /// A text that cannot be expanded becomes the reason, as in Prometheus: the alert is more important.
    fn expanded(&self, texts: &BTreeMap<String, RuleText>) -> BTreeMap<String, String> {
        let mut data = None;
        let mut expanded = BTreeMap::new();
        for (name, text) in texts {
            let value = match &text.template {
                None => text.text.clone(),
                Some(template) => self.render(template, data.get_or_insert_with(|| self.data())),
            };
            expanded.insert(name.clone(), value);
        }
        expanded
    }

    fn data(&self) -> template::Value {
        let value = match self.point {
            Point::Float(value) => template::Value::Float(*value),
            Point::Histogram(histogram) => histogram_text(histogram).into(),
        };
        let external =
            self.context.external_labels.iter().map(|(name, value)| (name.clone(), value.as_str()));
        prometheus::data(
            labels_value(self.series),
            template::Value::map(external),
            self.context.external_url,
            value,
        )
    }

    fn render(&self, template: &template::Template, data: &template::Value) -> String {
        let functions = prometheus::RuleFunctions {
            now_ms: self.context.time_ms,
            external_url: self.context.external_url,
            query: &|text| query(self.context, text),
        };
        template
            .render(data, &functions)
            .unwrap_or_else(|error| format!("<error expanding template: {error}>"))
    }
}

/// What a template's `query` gives.
fn query(context: &Context<'_>, text: &str) -> Result<template::Value, String> {
    let expr = promql::parse(text).map_err(|error| error.to_string())?;
    let value = context.queries.instant(&expr, text, context.time_ms)?;
    let samples = match value {
        Value::Vector(vector) => vector
            .iter()
            .filter_map(|(labels, _, point)| match point {
                Point::Float(value) => Some(prometheus::sample(labels_value(labels), *value)),
                Point::Histogram(_) => None,
            })
            .collect(),
        Value::Scalar(_, value) => vec![prometheus::sample(labels_value(&LabelSet::empty()), value)],
        Value::String(..) | Value::Matrix(_) => return Err("the result is not a vector or scalar".into()),
    };
    Ok(template::Value::list(samples))
}

fn labels_value(labels: &LabelSet) -> template::Value {
    template::Value::map(labels.iter())
}

/// A native histogram in few words.
fn histogram_text(histogram: &Histogram) -> String {
    format!("{{count:{}, sum:{}}}", histogram.count, histogram.sum)
}
