//! The ways to receivers that the program has.

use std::sync::Arc;

use alerting::config::AmConfig;
use alerting::message::{BadFile, Texts};
use alerting::receivers::{Deliver, Guard, Receivers};
use alerting::yaml::Fault;
use telemetry::TenantId;

use super::Connect;
use crate::config::Config;

/// Webhooks, mail, Slack and PagerDuty, with links to where people open the UI.
pub(crate) fn connect(config: &Config, own_url: &str) -> Connect {
    let external_url = config.external_url.clone().unwrap_or_else(|| own_url.to_owned());
    let guard = Guard::new(Vec::new());
    Arc::new(move |_: &TenantId, config: &Arc<AmConfig>| {
        let texts = Texts::load(config, &external_url).map_err(faults)?;
        Ok(Arc::new(Receivers::new(texts, guard.clone())) as Arc<dyn Deliver>)
    })
}

fn faults(files: Vec<BadFile>) -> Vec<Fault> {
    let fault = |BadFile { path, line, column, message }: BadFile| {
        let place = if line == 0 { path } else { format!("{path}:{line}:{column}") };
        Fault { place: None, message: format!("template {place}: {message}") }
    };
    files.into_iter().map(fault).collect()
}
