//! `narrows-collector check-alertmanager-config`: what is wrong with a file, and what of it has no effect here.

use std::path::Path;

use alerting::config;
use alerting::message::Texts;
use alerting::yaml::Fault;

/// What a file has: lines that say what of it has no effect. Fails with a line for each fault.
pub fn alertmanager_config(path: &Path) -> Result<Vec<String>, Vec<String>> {
    let name = path.display();
    let line = |fault: &Fault| match fault.place {
        Some(place) => format!("{name}:{}:{}: {}", place.line, place.column, fault.message),
        None => format!("{name}: {}", fault.message),
    };
    let lines = |faults: &[Fault]| faults.iter().map(line).collect::<Vec<_>>();
    let text = std::fs::read_to_string(path)
        .map_err(|error| vec![format!("{name}: cannot read the file: {error}")])?;
    let directory = path.parent().unwrap_or(Path::new("."));
    let config = config::parse(&text, directory).map_err(|faults| lines(&faults))?;
    let texts = Texts::load(&config, "http://localhost");
    let texts = texts.map_err(|files| files.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    match lines(&texts.check(&config)) {
        broken if broken.is_empty() => Ok(lines(&config.notes)),
        broken => Err(broken),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Vec<String>, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yml");
        std::fs::write(&path, text).unwrap();
        std::fs::write(folder.path().join("bad.tmpl"), "x\n{{ define").unwrap();
        let short = |lines: Vec<String>| {
            let prefix = format!("{}/", folder.path().display());
            lines.into_iter().map(|line| line.replace(&prefix, "")).collect::<Vec<_>>()
        };
        alertmanager_config(&path).map(short).map_err(short)
    }

    #[test]
    fn faults_and_what_has_no_effect_are_told_with_their_places() {
        let base = "route: {receiver: a}\nreceivers:\n- name: a\n";
        assert_eq!(check(base), Ok(vec![]));
        let notes = check(&format!("{base}  opsgenie_configs:\n  - {{api_key: k}}\n")).unwrap();
        assert_eq!(
            notes,
            ["a.yml:5:5: receivers[0].opsgenie_configs[0]: opsgenie is read, but not sent yet"]
        );
        let faults = check(&format!("{base}what: 1\n")).unwrap_err();
        assert_eq!(faults, ["a.yml:4:1: unknown key \"what\""]);
        let faults = check(&format!("{base}templates: ['*.tmpl']\n")).unwrap_err();
        assert!(faults[0].starts_with("bad.tmpl:2:"), "{faults:?}");
        let faults =
            check(&format!("{base}  webhook_configs:\n  - {{url: '{{{{ nope }}}}'}}\n")).unwrap_err();
        assert!(faults[0].starts_with("a.yml:5:5: a: webhook 0: url is no template: "), "{faults:?}");
        let path = Path::new("/nowhere/a.yml");
        assert!(
            alertmanager_config(path).unwrap_err()[0].starts_with("/nowhere/a.yml: cannot read the file")
        );
    }

    #[test]
    fn the_file_to_fill_in_is_right() {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/alertmanager.yml"));
        assert_eq!(alertmanager_config(path), Ok(vec![]));
    }
}
