//! Alertmanager's own configuration files: those that it loads are loaded, those that it refuses are refused, with
//! line and column.
//!
//! They live outside of the repository, in the directory that `CONFORMANCE_DATA` names. Without it the test says
//! so and passes, unless `NARROWS_CONFORMANCE=required`.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use narrows_alerting::config;

/// What Alertmanager's tests load. Everything else of `config-testdata` they refuse.
const GOOD: [&str; 20] = [
    "conf.empty-fields.yml",
    "conf.good.yml",
    "conf.group-by-all.yml",
    "conf.http-config.good.yml",
    "conf.mattermost-default-webhook-url-file.yml",
    "conf.mattermost-default-webhook-url.yml",
    "conf.opsgenie-default-apikey-file.yml",
    "conf.opsgenie-default-apikey.yml",
    "conf.rocketchat-default-token-file.yml",
    "conf.rocketchat-default-token.yml",
    "conf.slack-default-api-url-file.yml",
    "conf.slack-default-app-token.yml",
    "conf.smtp-no-username-or-password.yml",
    "conf.smtp-password-global-and-local.yml",
    "conf.sns-topic-arn.yml",
    "conf.telegram-default-bot-token-file.yml",
    "conf.telegram-default-bot-token.yml",
    "conf.victorops-default-apikey-file.yml",
    "conf.victorops-default-apikey.yml",
    "conf.wechat-default-api-secret-file.yml",
];

pub(crate) fn data() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.parent()?;
    let named =
        std::env::var_os("CONFORMANCE_DATA").map_or_else(|| "../shared/testdata".into(), PathBuf::from);
    let found = Some(root.join(named).join("03-alertmanager")).filter(|dir| dir.is_dir());
    if found.is_none() {
        let required = std::env::var("NARROWS_CONFORMANCE").is_ok_and(|value| value == "required");
        assert!(
            !required,
            "NARROWS_CONFORMANCE=required, but CONFORMANCE_DATA names no directory with 03-alertmanager"
        );
        eprintln!(
            "\n!!! ALERTMANAGER'S FILES NOT READ: set CONFORMANCE_DATA to a directory with 03-alertmanager !!!\n"
        );
    }
    found
}

/// Whether a file has the outcome that it must have.
fn judge(path: &Path, is_good: bool) -> Result<(), String> {
    let text = std::fs::read_to_string(path).unwrap();
    match (config::parse(&text, path.parent().unwrap()), is_good) {
        (Ok(_), true) => Ok(()),
        (Ok(_), false) => Err("loads".to_owned()),
        (Err(faults), true) => Err(format!("is refused: {faults:?}")),
        (Err(faults), false) => match faults.iter().find(|fault| fault.place.is_none()) {
            None => Ok(()),
            Some(fault) => Err(format!("is refused without a place: {fault:?}")),
        },
    }
}

#[test]
fn conformance_alertmanager_config() {
    let Some(data) = data() else { return };
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(data.join("config-testdata")).unwrap() {
        let path = entry.unwrap().path();
        let is_good = GOOD.contains(&path.file_name().unwrap().to_str().unwrap());
        cases.push((path, is_good));
    }
    assert!(cases.len() > 40, "only {} files in config-testdata", cases.len());
    for name in ["conf.good.yml", "conf.routing.yml", "conf.routing-reverted.yml"] {
        cases.push((data.join("cli-routing-testdata").join(name), true));
    }
    cases.push((data.join("cli-routing-testdata/conf.bad.yml"), false));
    for name in ["doc/examples/simple.yml", "doc/examples/route_labels.yml", "examples/ha/alertmanager.yml"] {
        cases.push((data.join(name), true));
    }
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|(path, is_good)| {
            judge(path, *is_good).err().map(|why| format!("  {}: {why}", path.display()))
        })
        .collect();
    println!("alertmanager config {}/{}\n{}", cases.len() - failures.len(), cases.len(), failures.join("\n"));
    assert!(failures.is_empty(), "{failures:#?}");
}
