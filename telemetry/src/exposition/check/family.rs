//! One family: its samples are checked as they come, its buckets when a group of them is over.

use std::collections::HashSet;

use crate::exposition::{Label, Sample, parse_float};
use crate::samples::MetricKind;

type Group = Vec<(String, String)>;

pub(super) struct Family {
    pub(super) name: String,
    pub(super) kind: Option<MetricKind>,
    pub(super) has_help: bool,
    pub(super) has_unit_line: bool,
    pub(super) has_unit: bool,
    group: Option<Group>,
    group_seconds: Option<f64>,
    groups: HashSet<Group>,
    buckets: Buckets,
}

/// What one histogram has said so far.
#[derive(Default)]
struct Buckets {
    bound: Option<f64>,
    value: f64,
    count: Option<f64>,
    has_sum: bool,
    has_gauge_sum: bool,
    has_negative_bound: bool,
    has_negative_gauge_sum: bool,
    has_any: bool,
}

impl Family {
    pub(super) fn new(name: &str, kind: Option<MetricKind>) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            has_help: false,
            has_unit_line: false,
            has_unit: false,
            group: None,
            group_seconds: None,
            groups: HashSet::new(),
            buckets: Buckets::default(),
        }
    }

    pub(super) fn has_samples(&self) -> bool {
        self.group.is_some()
    }

    /// What the names of its samples end with.
    pub(super) fn suffixes(&self) -> &'static [&'static str] {
        match self.kind.unwrap_or_default() {
            MetricKind::Counter => &["_total", "_created"],
            MetricKind::Summary => &["", "_sum", "_count", "_created"],
            MetricKind::Histogram => &["_count", "_sum", "_bucket", "_created"],
            MetricKind::GaugeHistogram => &["_gcount", "_gsum", "_bucket"],
            MetricKind::Info => &["_info"],
            MetricKind::Unknown | MetricKind::Gauge | MetricKind::StateSet => &[""],
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        name.strip_prefix(self.name.as_str()).is_some_and(|suffix| self.suffixes().contains(&suffix))
    }

    pub(super) fn sample(
        &mut self,
        name: &str,
        labels: &[Label<'_>],
        sample: &Sample<'_>,
    ) -> Result<(), String> {
        let kind = self.kind.unwrap_or_default();
        let suffix = name.get(self.name.len()..).unwrap_or_default();
        let label = |key: &str| labels.iter().find(|(name, _)| name == key).map(|(_, value)| &**value);
        check_labels(labels)?;
        if kind == MetricKind::StateSet && label(&self.name).is_none() {
            return Err(format!("a stateset's sample needs the label {:?}", self.name));
        }
        let is_summary = kind == MetricKind::Summary && suffix.is_empty();
        if is_summary && !label("quantile").and_then(bound).is_some_and(|at| (0.0..=1.0).contains(&at)) {
            return Err("a summary's quantile must be a number from 0 to 1".to_owned());
        }
        let le = if suffix == "_bucket" { label("le").and_then(bound) } else { Some(0.0) };
        let Some(le) = le else { return Err("a bucket's le must be a number".to_owned()) };
        check_value(kind, suffix, sample)?;
        self.enter(group(labels, kind, suffix, &self.name), sample)?;
        if matches!(kind, MetricKind::Histogram | MetricKind::GaugeHistogram) {
            self.buckets.take(suffix, le, sample.value)?;
        }
        Ok(())
    }

    /// Samples of a group stand together, and their times do not go back.
    fn enter(&mut self, group: Group, sample: &Sample<'_>) -> Result<(), String> {
        let is_same = self.group.as_ref() == Some(&group);
        if !is_same && self.groups.contains(&group) {
            return Err("samples of one group do not stand together".to_owned());
        }
        if is_same {
            if sample.seconds.is_some() != self.group_seconds.is_some() {
                return Err("some samples of a group have a time and some have none".to_owned());
            }
            if self.group_seconds > sample.seconds && self.kind != Some(MetricKind::Info) {
                return Err("times of a group go back".to_owned());
            }
        }
        if !is_same || self.group_seconds != sample.seconds {
            std::mem::take(&mut self.buckets).check()?;
        }
        self.groups.insert(group.clone());
        self.group = Some(group);
        self.group_seconds = sample.seconds;
        Ok(())
    }

    pub(super) fn close(&self) -> Result<(), String> {
        if self.has_unit && matches!(self.kind, Some(MetricKind::Info | MetricKind::StateSet)) {
            return Err(format!("{:?} can have no unit", self.name));
        }
        self.buckets.check()
    }
}

impl Buckets {
    fn take(&mut self, suffix: &str, le: f64, value: f64) -> Result<(), String> {
        self.has_any = true;
        match suffix {
            "_bucket" => {
                self.has_negative_bound |= le < 0.0;
                if self.bound.is_some_and(|before| le <= before) {
                    return Err("buckets are out of order".to_owned());
                }
                if value < self.value {
                    return Err("a bucket holds less than the one before".to_owned());
                }
                (self.bound, self.value) = (Some(le), value);
            }
            "_count" | "_gcount" => self.count = Some(value),
            "_sum" => self.has_sum = true,
            "_gsum" => {
                self.has_gauge_sum = true;
                self.has_negative_gauge_sum |= value < 0.0;
            }
            _ => {}
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let faults = [
            (self.bound != Some(f64::INFINITY), "the bucket le=\"+Inf\" is missing"),
            (self.count.is_some_and(|count| count != self.value), "the count is not that of the last bucket"),
            ((self.has_sum || self.has_gauge_sum) && self.count.is_none(), "there is a sum without a count"),
            (self.count.is_some() && !self.has_sum && !self.has_gauge_sum, "there is a count without a sum"),
            (self.has_negative_bound && self.has_sum, "there is a sum, though a bound is negative"),
            (
                self.has_negative_gauge_sum && !self.has_negative_bound,
                "the sum is negative, though no bound is",
            ),
        ];
        match faults.iter().find(|(is_wrong, _)| self.has_any && *is_wrong) {
            Some((_, fault)) => Err((*fault).to_owned()),
            None => Ok(()),
        }
    }
}

fn check_labels(labels: &[Label<'_>]) -> Result<(), String> {
    let mut names = HashSet::new();
    match labels.iter().find(|(name, _)| !names.insert(name)) {
        Some((name, _)) => Err(format!("the label {name:?} stands twice")),
        None => Ok(()),
    }
}

fn check_value(kind: MetricKind, suffix: &str, sample: &Sample<'_>) -> Result<(), String> {
    let value = sample.value;
    let is_whole = value.fract() == 0.0 || value.is_nan();
    let counts = ["_total", "_sum", "_count", "_bucket", "_gcount"];
    let faults = [
        (kind == MetricKind::StateSet && value != 0.0 && value != 1.0, "a stateset's value must be 0 or 1"),
        (kind == MetricKind::Info && value != 1.0, "an info's value must be 1"),
        (kind == MetricKind::Summary && suffix.is_empty() && value < 0.0, "a quantile must not be negative"),
        ((counts.contains(&suffix) || suffix == "_gsum") && value.is_nan(), "a count must not be NaN"),
        (counts.contains(&suffix) && value < 0.0, "a count must not be negative"),
        (["_bucket", "_count", "_gcount"].contains(&suffix) && !is_whole, "a count must be a whole number"),
        (
            sample.exemplar.is_some() && !may_have_exemplar(kind, suffix),
            "only buckets and totals have exemplars",
        ),
    ];
    match faults.iter().find(|(is_wrong, _)| *is_wrong) {
        Some((_, fault)) => Err((*fault).to_owned()),
        None => Ok(()),
    }
}

fn may_have_exemplar(kind: MetricKind, suffix: &str) -> bool {
    match kind {
        MetricKind::Histogram | MetricKind::GaugeHistogram => suffix == "_bucket",
        MetricKind::Counter => suffix == "_total",
        _ => false,
    }
}

/// The labels without those that tell samples of one group apart.
fn group(labels: &[Label<'_>], kind: MetricKind, suffix: &str, family: &str) -> Group {
    let own = match (kind, suffix) {
        (MetricKind::Info, _) => return Group::new(),
        (MetricKind::Summary, "") => "quantile",
        (MetricKind::StateSet, _) => family,
        (MetricKind::Histogram | MetricKind::GaugeHistogram, "_bucket") => "le",
        _ => "",
    };
    let kept = labels.iter().filter(|(name, _)| name != own);
    let mut group: Group = kept.map(|(name, value)| (name.to_string(), value.to_string())).collect();
    group.sort();
    group
}

/// A bound; infinity has one spelling.
fn bound(text: &str) -> Option<f64> {
    parse_float(text)
        .filter(|bound| !bound.is_nan() && (bound.is_finite() || text == "+Inf" || text == "-Inf"))
}
