//! Puts together what rules and the notifier know of an alert.

use std::collections::BTreeMap;

use alerting::dispatch::Core;
use alerting::labels::{ALERT_NAME, fingerprint};
use alerting::rules::{Action, Active, AlertState, RuleView as RuleState};
use alerting::state::Stored;
use alerting::{Alert, LabelSet};
use serde::Serialize;
use telemetry::TenantId;
use utoipa::ToSchema;

use crate::api::error::ApiError;
use crate::api::{App, time};
use crate::rules::NamedGroup;

/// An alert and what becomes of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AlertView {
    /// 16 hexadecimal digits: what links call it by.
    fingerprint: String,
    /// The label `alertname`.
    name: String,
    labels: LabelSet,
    annotations: LabelSet,
    /// `pending`, `firing` or `resolved`.
    state: &'static str,
    starts_at: String,
    /// When it ended; null while it is there.
    ends_at: Option<String>,
    updated_at: String,
    /// What its expression said last; null where no rule here has raised it.
    value: Option<f64>,
    /// Ids of silences.
    silenced_by: Vec<String>,
    /// Fingerprints of alerts.
    inhibited_by: Vec<String>,
    /// Names of time intervals.
    muted_by: Vec<String>,
    /// Who is told of such alerts.
    receivers: Vec<String>,
    /// Null where no rule here has raised it.
    rule: Option<AlertRule>,
    /// Where the rule's expression compares with a number.
    threshold: Option<Threshold>,
    #[serde(skip)]
    order: (u8, std::cmp::Reverse<i64>),
}

/// What a rule's expression compares with a number.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AlertThreshold)]
pub(crate) struct Threshold {
    /// `>`, `>=`, `<`, `<=`, `==` or `!=`.
    op: &'static str,
    value: f64,
    /// What is compared.
    query: String,
}

/// The rule that has raised an alert.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AlertRule {
    group: String,
    file: String,
    name: String,
    /// `promql` or `logs`.
    r#type: &'static str,
    query: String,
    for_s: f64,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

/// What a rule knows of one of its alerts.
struct Raised {
    active: Active,
    rule: AlertRule,
    threshold: Option<Threshold>,
}

impl AlertView {
    /// What identifies it.
    pub(super) fn labels(&self) -> &LabelSet {
        &self.labels
    }

    /// Adds the verdict that explains it, while it fires.
    fn explain(&mut self, app: &App, tenant: &TenantId) {
        if self.state == "firing" {
            let (labels, annotations) = (self.labels.clone(), std::mem::take(&mut self.annotations));
            let alert = Alert { labels, annotations, ..Alert::default() };
            self.annotations = app.notifier.explained(tenant.as_str(), alert).annotations;
        }
    }
}

/// All that are pending, fire, or ended lately.
pub(super) fn all(app: &App, tenant: &TenantId, now_ms: i64) -> Result<Vec<AlertView>, ApiError> {
    let mut raised = raised(app, tenant);
    let collect = |core: &Core| {
        let mut views = Vec::with_capacity(core.state().alerts.len() + raised.len());
        for stored in core.state().alerts.values() {
            views.push(of_stored(core, stored, raised.remove(&stored.fingerprint), now_ms));
        }
        for (fingerprint, raised) in raised {
            views.extend(of_raised(core, fingerprint, raised, now_ms));
        }
        views
    };
    let mut views = app.notifier.with(tenant, collect).map_err(|_| ApiError::Internal)?;
    views.iter_mut().for_each(|view| view.explain(app, tenant));
    views.sort_by(|a, b| (a.order, &a.fingerprint).cmp(&(b.order, &b.fingerprint)));
    Ok(views)
}

/// One, if anybody knows it.
pub(super) fn one(
    app: &App,
    tenant: &TenantId,
    fingerprint: u64,
    now_ms: i64,
) -> Result<Option<AlertView>, ApiError> {
    let raised = raised(app, tenant).remove(&fingerprint);
    let find = |core: &Core| match (core.state().alerts.get(&fingerprint), raised) {
        (Some(stored), raised) => Some(of_stored(core, stored, raised, now_ms)),
        (None, Some(raised)) => of_raised(core, fingerprint, raised, now_ms),
        (None, None) => None,
    };
    let mut found = app.notifier.with(tenant, find).map_err(|_| ApiError::Internal)?;
    found.iter_mut().for_each(|view| view.explain(app, tenant));
    Ok(found)
}

/// Alerts of the rules that run here, by fingerprint.
fn raised(app: &App, tenant: &TenantId) -> BTreeMap<u64, Raised> {
    let mut raised = BTreeMap::new();
    for group in app.rules.snapshot(tenant) {
        for state in &group.view.rules {
            let Some(rule) = rule(&group, state) else { continue };
            let found = state.rule.expression.threshold(&state.rule.query);
            let threshold = found.filter(|found| found.value.is_finite()).map(|found| Threshold {
                op: found.op.as_str(),
                value: found.value,
                query: found.query,
            });
            for active in &state.active {
                let (rule, threshold) = (rule.clone(), threshold.clone());
                raised
                    .insert(fingerprint(&active.labels), Raised { active: active.clone(), rule, threshold });
            }
        }
    }
    raised
}

fn rule(group: &NamedGroup, state: &RuleState) -> Option<AlertRule> {
    let Action::Alert(alerting) = &state.rule.action else { return None };
    let text = |(name, text): (&String, &alerting::rules::RuleText)| (name.clone(), text.text.clone());
    Some(AlertRule {
        group: group.view.group.name.clone(),
        file: group.file.clone(),
        name: state.rule.name.clone(),
        r#type: group.view.group.kind.as_str(),
        query: state.rule.query.clone(),
        for_s: alerting.for_ms as f64 / 1_000.0,
        labels: state.rule.labels.iter().map(text).collect(),
        annotations: alerting.annotations.iter().map(text).collect(),
    })
}

/// One that was sent to the notifier. A pending one of the same labels begins anew.
fn of_stored(core: &Core, stored: &Stored, raised: Option<Raised>, now_ms: i64) -> AlertView {
    let is_over = stored.alert.is_resolved_at(now_ms);
    let is_pending = raised.as_ref().is_some_and(|raised| raised.active.state == AlertState::Pending);
    let state = match (is_over, is_pending) {
        (true, true) => "pending",
        (true, false) => "resolved",
        (false, _) => "firing",
    };
    let starts_at_ms = match &raised {
        Some(raised) if state == "pending" => raised.active.active_at_ms,
        _ => stored.alert.starts_at_ms,
    };
    let mut view = view(core, &stored.alert, stored.fingerprint, state, starts_at_ms, now_ms);
    view.ends_at = (state == "resolved").then(|| at(stored.alert.ends_at_ms));
    view.updated_at = at(stored.updated_at_ms);
    with_rule(view, raised)
}

/// One that only a rule knows.
fn of_raised(core: &Core, fingerprint: u64, raised: Raised, now_ms: i64) -> Option<AlertView> {
    let state = match raised.active.state {
        AlertState::Pending => "pending",
        AlertState::Firing => "firing",
        AlertState::Inactive => return None,
    };
    let alert = Alert {
        labels: raised.active.labels.clone(),
        annotations: raised.active.annotations.clone(),
        ..Alert::default()
    };
    let starts_at_ms = raised.active.fired_at_ms.unwrap_or(raised.active.active_at_ms);
    Some(with_rule(view(core, &alert, fingerprint, state, starts_at_ms, now_ms), Some(raised)))
}

fn view(
    core: &Core,
    alert: &Alert,
    fingerprint: u64,
    state: &'static str,
    starts_at_ms: i64,
    now_ms: i64,
) -> AlertView {
    let status = core.status(&alert.labels, now_ms);
    let mut receivers: Vec<String> =
        core.receivers_of(&alert.labels).into_iter().map(str::to_owned).collect();
    receivers.dedup();
    let place = ["firing", "pending", "resolved"].iter().position(|one| *one == state).unwrap_or_default();
    AlertView {
        fingerprint: format!("{fingerprint:016x}"),
        name: alert.labels.get(ALERT_NAME).cloned().unwrap_or_default(),
        labels: alert.labels.clone(),
        annotations: alert.annotations.clone(),
        state,
        starts_at: at(starts_at_ms),
        ends_at: None,
        updated_at: at(now_ms),
        value: None,
        silenced_by: status.silenced_by,
        inhibited_by: status.inhibited_by.iter().map(|one| format!("{one:016x}")).collect(),
        muted_by: core.muted_by(&alert.labels, now_ms),
        receivers,
        rule: None,
        threshold: None,
        order: (u8::try_from(place).unwrap_or_default(), std::cmp::Reverse(starts_at_ms)),
    }
}

fn with_rule(mut view: AlertView, raised: Option<Raised>) -> AlertView {
    if let Some(Raised { active, rule, threshold }) = raised {
        // JSON has no infinity.
        view.value = Some(active.value).filter(|value| value.is_finite());
        view.rule = Some(rule);
        view.threshold = threshold;
    }
    view
}

fn at(time_ms: i64) -> String {
    time::format(time_ms.saturating_mul(1_000_000))
}
