//! Groups of alerts, as receivers are told of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use alerting::LabelSet;
use alerting::dispatch::Core;
use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::AmError;
use super::filter::Filter;
use super::wire::{self, GettableAlert, Reference};
use crate::api::error::ErrorBody;
use crate::api::pairs::Pairs;
use crate::api::{App, now_ns};
use crate::auth::Principal;

/// Alerts that one receiver is told of together.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AmAlertGroup)]
pub(crate) struct Group {
    alerts: Vec<GettableAlert>,
    labels: LabelSet,
    receiver: Reference,
    route_labels: LabelSet,
}

/// Groups with alerts that fire now, by labels and receiver.
#[utoipa::path(
    get, path = "/alertmanager/api/v2/alerts/groups", tag = "alertmanager", operation_id = "am_groups",
    params(
        ("active" = Option<bool>, Query, description = "With alerts that somebody is told of; true when not given"),
        ("silenced" = Option<bool>, Query, description = "With silenced ones"),
        ("inhibited" = Option<bool>, Query, description = "With inhibited ones"),
        ("muted" = Option<bool>, Query, description = "With groups that are not told now because of a time"),
        ("filter" = Option<Vec<String>>, Query, description = "A matcher; may be repeated"),
        ("receiver" = Option<String>, Query, description = "A regular expression for the names of receivers"),
        ("receiver_matchers" = Option<Vec<String>>, Query, description = "A matcher of receivers' labels; may be repeated"),
    ),
    responses(
        (status = 200, description = "Groups", body = Vec<Group>),
        (status = 400, description = "A parameter is wrong", body = String),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    pairs: Pairs,
) -> Result<Json<Vec<Group>>, AmError> {
    let filter = Filter::read(&pairs)?;
    let now_ms = now_ns() / 1_000_000;
    Ok(Json(app.notifier.with(&principal.tenant, |core| collect(core, &filter, now_ms))?))
}

fn collect(core: &Core, filter: &Filter, now_ms: i64) -> Vec<Group> {
    let mut views = core.groups(now_ms);
    let mut receivers: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for view in &mut views {
        let wanted = filter.wants_receiver(&view.receiver, &core.setup().receiver_labels);
        view.alerts.retain(|stored| {
            wanted
                && !stored.alert.is_resolved_at(now_ms)
                && filter.wants_labels(&stored.alert.labels)
                && filter.wants_status(&core.status(&stored.alert.labels, now_ms))
        });
        for stored in &view.alerts {
            receivers.entry(stored.fingerprint).or_default().push(view.receiver.clone());
        }
    }
    receivers.values_mut().for_each(|names| names.sort_unstable());
    let mut groups = Vec::new();
    for view in views.into_iter().filter(|view| !view.alerts.is_empty()) {
        if !filter.muted && !view.muted_by.is_empty() {
            continue;
        }
        let alert = |stored: &Arc<alerting::state::Stored>| {
            let status = core.status(&stored.alert.labels, now_ms);
            let names = receivers.get(&stored.fingerprint).cloned().unwrap_or_default();
            wire::alert(stored, status, names, view.muted_by.clone())
        };
        groups.push(Group {
            alerts: view.alerts.iter().map(alert).collect(),
            labels: view.labels.clone(),
            receiver: Reference { name: view.receiver.clone() },
            route_labels: view.route_labels.clone(),
        });
    }
    groups
}
