//! The ways to receivers that the program has.

use std::collections::HashMap;
use std::sync::Arc;

use alerting::config::AmConfig;
use alerting::message::{BadFile, Texts};
use alerting::receivers::{Deliver, Guard, Outcomes, Receivers};
use alerting::yaml::Fault;
use parking_lot::Mutex;
use telemetry::TenantId;

use super::Connect;
use crate::config::Config;

/// Webhooks, mail, Slack and PagerDuty, with links to where people open the UI.
pub(crate) fn connect(config: &Config, own_url: &str) -> Connect {
    let external_url = config.external_url.clone().unwrap_or_else(|| own_url.to_owned());
    let guard = Guard::new(config.notify_allow.clone());
    // How telling went outlives the configuration by which it was told.
    let outcomes: Mutex<HashMap<TenantId, Arc<Outcomes>>> = Mutex::default();
    Arc::new(move |tenant: &TenantId, config: &Arc<AmConfig>| {
        let texts = Texts::load(config, &external_url).map_err(faults)?;
        let outcomes = Arc::clone(outcomes.lock().entry(tenant.clone()).or_default());
        let receivers = Receivers::of(config, texts, guard.clone(), outcomes);
        for Fault { place, message } in config.notes.iter().chain(receivers.problems()) {
            let (line, column) = place.map_or((0, 0), |place| (place.line, place.column));
            tracing::warn!(%tenant, line, column, message, "of the configuration of receivers");
        }
        Ok(Arc::new(receivers) as Arc<dyn Deliver>)
    })
}

/// What is wrong with the files of templates that a configuration names. Blocks.
pub(super) fn check_templates(config: &AmConfig) -> Result<(), Vec<Fault>> {
    Texts::load(config, "").map(drop).map_err(faults)
}

fn faults(files: Vec<BadFile>) -> Vec<Fault> {
    let fault = |file: BadFile| Fault { place: None, message: format!("template {file}") };
    files.into_iter().map(fault).collect()
}
