//! As much of Grafana's classic dashboard JSON as keeping one needs: the UI reads the rest.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::MAX_DASHBOARD_BYTES;

const MAX_UID_CHARS: usize = 64;
const MAX_TITLE_CHARS: usize = 500;
const MAX_TAGS: usize = 100;

/// A dashboard and what the list shows of it.
#[derive(Clone, Debug)]
pub(super) struct Classic {
    pub(super) uid: String,
    pub(super) title: String,
    pub(super) tags: Vec<String>,
    pub(super) json: Box<RawValue>,
}

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    uid: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Classic {
    /// Checks a dashboard that is to be kept, and gives it a uid if it has none. The message says what is wrong.
    pub(super) fn new(json: Box<RawValue>) -> Result<Self, String> {
        let classic = Self::read(json)?;
        // With the uid: what is kept must fit, whatever was added to it.
        let size_bytes = classic.json.get().len();
        if size_bytes > MAX_DASHBOARD_BYTES {
            return Err(format!("the dashboard has {size_bytes} bytes, the limit is {MAX_DASHBOARD_BYTES}"));
        }
        Ok(classic)
    }

    /// Reads one that was kept, however large.
    pub(super) fn read(json: Box<RawValue>) -> Result<Self, String> {
        if !json.get().starts_with('{') {
            return Err("the dashboard is no JSON object".to_owned());
        }
        let fields: Fields = serde_json::from_str(json.get())
            .map_err(|error| format!("the dashboard cannot be read: {error}"))?;
        let title = fields.title.unwrap_or_default();
        if title.trim().is_empty() || title.chars().count() > MAX_TITLE_CHARS {
            return Err(format!("title: 1 to {MAX_TITLE_CHARS} characters"));
        }
        let tags: Vec<String> = fields.tags.unwrap_or_default().into_iter().take(MAX_TAGS).collect();
        match fields.uid.filter(|uid| !uid.is_empty()) {
            Some(uid) if is_uid(&uid) => Ok(Self { uid, title, tags, json }),
            Some(uid) => {
                let uid: String = uid.chars().take(MAX_UID_CHARS).collect();
                Err(format!("uid: 1 to {MAX_UID_CHARS} of a-z A-Z 0-9 - _, not {uid:?}"))
            }
            None => {
                let uid = format!("{:016x}", rand::random::<u64>());
                let json = with_uid(&json, &uid)?;
                Ok(Self { uid, title, tags, json })
            }
        }
    }
}

/// Whether it may be part of a key and of a path.
pub(super) fn is_uid(uid: &str) -> bool {
    (1..=MAX_UID_CHARS).contains(&uid.len())
        && uid.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Puts a uid in; the rest stays as it is. One that is empty or null is taken out, so that no name stands twice.
fn with_uid(json: &RawValue, uid: &str) -> Result<Box<RawValue>, String> {
    let mut fields: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(json.get()).map_err(|error| error.to_string())?;
    let text = if fields.contains_key("uid") {
        fields.insert("uid".to_owned(), uid.into());
        serde_json::to_string(&fields).map_err(|error| error.to_string())?
    } else {
        let rest = json.get().strip_prefix('{').unwrap_or_default();
        format!("{{\"uid\":\"{uid}\",{rest}")
    };
    RawValue::from_string(text).map_err(|error| error.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Classic, String> {
        Classic::read(RawValue::from_string(text.to_owned()).unwrap())
    }

    #[test]
    fn a_dashboard_stays_as_it_was_given() {
        let text = r#"{"title":"Host","uid":"host-1","zebra":[1.50,2],"tags":["a"],"panels":[]}"#;
        let classic = read(text).unwrap();
        assert_eq!((classic.uid.as_str(), classic.json.get()), ("host-1", text));
        assert_eq!(classic.tags, ["a"]);
    }

    #[test]
    fn one_without_a_uid_gets_one() {
        for text in [
            r#"{"title":"Host","zebra":1}"#,
            r#"{"uid":"","title":"Host"}"#,
            r#"{"title":"Host","uid":null}"#,
        ] {
            let classic = read(text).unwrap();
            let again = Classic::read(classic.json).unwrap();
            assert!(again.uid == classic.uid && is_uid(&again.uid), "{text}");
        }
    }

    #[test]
    fn the_limit_is_that_of_what_is_kept() {
        let with = |uid: &str, size: usize| {
            let head = format!(r#"{{{uid}"title":"x","pad":""#);
            let text = format!("{head}{}\"}}", "a".repeat(size - head.len() - 2));
            assert_eq!(text.len(), size);
            RawValue::from_string(text).unwrap()
        };
        assert!(Classic::new(with(r#""uid":"x","#, MAX_DASHBOARD_BYTES)).is_ok());
        assert!(Classic::new(with("", MAX_DASHBOARD_BYTES - 10)).unwrap_err().contains("limit"));
        assert!(Classic::read(with("", MAX_DASHBOARD_BYTES + 10)).is_ok(), "what is kept can be read");
    }

    #[test]
    fn what_is_no_dashboard_is_refused() {
        for (text, message) in [
            ("[]", "no JSON object"),
            (r#"{"uid":"x"}"#, "title"),
            (r#"{"title":"x","uid":"a/b"}"#, "a/b"),
            (r#"{"title":"x","tags":7}"#, "cannot be read"),
        ] {
            assert!(read(text).unwrap_err().contains(message), "{text}");
        }
    }
}
