//! Alertmanager's own tests of routes: which receivers get which alerts.

#![allow(clippy::unwrap_used)]

use serde_json::Value as Json;

use crate::config_files::data;
use crate::world::setup;

#[test]
fn conformance_alertmanager_routing() {
    let Some(data) = data() else { return };
    let directory = data.join("cli-routing-testdata");
    let text = std::fs::read_to_string(directory.join("expected_routes.json")).unwrap();
    let cases: Vec<Json> = serde_json::from_str(&text).unwrap();
    for case in &cases {
        let config = std::fs::read_to_string(directory.join(case["config"].as_str().unwrap())).unwrap();
        let tree = &setup(&config).tree;
        let labels = case["labels"].as_object().unwrap();
        let labels = labels.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
        let found = tree.matching(&labels.collect());
        let receivers: Vec<&str> = found.iter().map(|node| tree.node(*node).receiver.as_str()).collect();
        assert_eq!(Json::from(receivers), case["receivers"], "{case}");
    }
    assert!(cases.len() >= 4, "only {} cases", cases.len());
    println!("alertmanager routing: {0} of {0}", cases.len());
}
