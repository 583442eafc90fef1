//! Names: OpenTelemetry's dots and units become Prometheus' underscores and suffixes
//! (OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility"; strategy
//! UnderscoreEscapingWithSuffixes).

/// What decides on suffixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameKind {
    /// A monotonic sum: `_total`.
    Counter,
    /// A gauge: of unit 1 it is a `_ratio`.
    Gauge,
    /// Anything else: a unit only.
    Other,
}

/// Units in UCUM and the words for them.
const UNITS: [(&str, &str); 27] = [
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tebibytes"),
    ("KBy", "kilobytes"),
    ("kBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("%", "percent"),
    ("1", ""),
];

/// Units behind a stroke.
const PER_UNITS: [(&str, &str); 7] = [
    ("s", "second"),
    ("m", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("w", "week"),
    ("mo", "month"),
    ("y", "year"),
];

/// The family's name; `None` when nothing of `name` can stay.
pub(super) fn metric_name(name: &str, unit: &str, kind: NameKind) -> Option<String> {
    let mut words: Vec<&str> = words(name).collect();
    if words.is_empty() {
        return None;
    }
    let unit_name = unit_name(unit);
    let (main, per) = &unit_name;
    if !main.is_empty() && !words.contains(&main.as_str()) {
        words.push(main);
    }
    if !per.is_empty() && !words.windows(2).any(|pair| pair == ["per", per.as_str()]) {
        words.extend(["per", per]);
    }
    match kind {
        NameKind::Counter => move_to_end(&mut words, "total"),
        NameKind::Gauge if unit == "1" => move_to_end(&mut words, "ratio"),
        _ => {}
    }
    let mut name = words.join("_");
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert(0, '_');
    }
    Some(name)
}

/// The unit in words, as metadata shows it: `bytes_per_second`.
pub(super) fn unit_words(unit: &str) -> String {
    match unit_name(unit) {
        (main, per) if per.is_empty() => main,
        (main, per) if main.is_empty() => format!("per_{per}"),
        (main, per) => format!("{main}_per_{per}"),
    }
}

/// A label's name. A leading digit gets `key_` in front, a leading underscore `key`: what begins with two is
/// Prometheus' own. Runs of what cannot stand in a name are one underscore.
pub(super) fn label_name(key: &str) -> String {
    let mut name = String::with_capacity(key.len() + 4);
    for character in key.chars() {
        if character.is_ascii_alphanumeric() {
            name.push(character);
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    match name.bytes().next() {
        Some(first) if first.is_ascii_digit() => name.insert_str(0, "key_"),
        Some(b'_') => name.insert_str(0, "key"),
        _ => {}
    }
    name
}

/// What stands in front of the stroke of a unit, and behind it. Annotations in braces are no units.
fn unit_name(unit: &str) -> (String, String) {
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    (word_for(main, &UNITS), word_for(per, &PER_UNITS))
}

fn word_for(unit: &str, table: &[(&str, &str)]) -> String {
    let unit = unit.trim();
    if unit.contains(['{', '}']) {
        return String::new();
    }
    match table.iter().find(|(symbol, _)| *symbol == unit) {
        Some((_, word)) => (*word).to_owned(),
        None => words(unit).collect::<Vec<_>>().join("_"),
    }
}

/// The runs of characters that may stand in a metric's name; underscores part them as everything else does.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != ':').filter(|word| !word.is_empty())
}

fn move_to_end<'a>(words: &mut Vec<&'a str>, word: &'a str) {
    words.retain(|other| *other != word);
    words.push(word);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_named_as_prometheus_names_them() {
        use NameKind::{Counter, Gauge, Other};
        let cases = [
            ("system.cpu.time", "s", Counter, "system_cpu_time_seconds_total"),
            ("system.cpu.load_average.1m", "{thread}", Gauge, "system_cpu_load_average_1m"),
            ("system.memory.usage", "By", Other, "system_memory_usage_bytes"),
            ("system.disk.io", "By", Counter, "system_disk_io_bytes_total"),
            ("http.server.request.duration", "s", Other, "http_server_request_duration_seconds"),
            ("system.memory.utilization", "1", Gauge, "system_memory_utilization_ratio"),
            ("cache.ratio.of.hits", "1", Gauge, "cache_of_hits_ratio"),
            ("jobs", "1", Counter, "jobs_total"),
            ("jobs", "1", Other, "jobs"),
            ("http.requests.total", "{request}", Counter, "http_requests_total"),
            ("total.things", "", Counter, "things_total"),
            ("disk.bytes", "By", Other, "disk_bytes"),
            ("network.io", "By/s", Gauge, "network_io_bytes_per_second"),
            ("network.packets", "{packet}/s", Gauge, "network_packets_per_second"),
            ("speed.per.second", "1/s", Gauge, "speed_per_second"),
            ("fan.speed", "{revolution}/min", Gauge, "fan_speed_per_min"),
            ("fan.speed", "rpm", Gauge, "fan_speed_rpm"),
            ("room.temperature", "Cel", Gauge, "room_temperature_celsius"),
            ("battery", "%", Gauge, "battery_percent"),
            ("a..b__c", "", Other, "a_b_c"),
            ("_private", "", Other, "private"),
            ("95th", "", Other, "_95th"),
            ("größe", "", Other, "gr_e"),
            ("job:rate5m", "", Other, "job:rate5m"),
            ("weight", "kg.m/s2", Other, "weight_kg_m_per_s2"),
        ];
        for (name, unit, kind, expected) in cases {
            assert_eq!(metric_name(name, unit, kind).as_deref(), Some(expected), "{name} {unit} {kind:?}");
        }
        assert_eq!(metric_name("ä.ö", "s", Counter), None);
        assert_eq!(metric_name("", "s", Gauge), None);
    }

    #[test]
    fn labels_are_named_as_prometheus_names_them() {
        let cases = [
            ("http.request.method", "http_request_method"),
            ("plain", "plain"),
            ("a--b", "a_b"),
            ("1st", "key_1st"),
            ("_hidden", "key_hidden"),
            ("__name__", "key_name_"),
            ("straße", "stra_e"),
            ("日本", "key_"),
            ("", ""),
        ];
        for (key, expected) in cases {
            assert_eq!(label_name(key), expected, "{key}");
        }
    }

    #[test]
    fn units_read_as_words() {
        let cases = [
            ("By/s", "bytes_per_second"),
            ("{x}/h", "per_hour"),
            ("ms", "milliseconds"),
            ("1", ""),
            ("", ""),
        ];
        for (unit, expected) in cases {
            assert_eq!(unit_words(unit), expected, "{unit}");
        }
    }
}
