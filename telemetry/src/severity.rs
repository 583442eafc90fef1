//! OpenTelemetry severity numbers (Logs Data Model, "Severity Fields"): 1 to 24
//! in six ranges of four; 0 means unset.

/// The short name of a severity number's range, lower case; `"unset"` for 0 and what is out of range.
pub fn class(number: u8) -> &'static str {
    match number {
        1..=4 => "trace",
        5..=8 => "debug",
        9..=12 => "info",
        13..=16 => "warn",
        17..=20 => "error",
        21..=24 => "fatal",
        _ => "unset",
    }
}

/// The standard short name of a number, as `ERROR` or `ERROR2`; `None` for 0 and what is out of range.
pub fn name(number: u8) -> Option<&'static str> {
    const NAMES: [&str; 24] = [
        "TRACE", "TRACE2", "TRACE3", "TRACE4", "DEBUG", "DEBUG2", "DEBUG3", "DEBUG4", "INFO", "INFO2",
        "INFO3", "INFO4", "WARN", "WARN2", "WARN3", "WARN4", "ERROR", "ERROR2", "ERROR3", "ERROR4", "FATAL",
        "FATAL2", "FATAL3", "FATAL4",
    ];
    usize::from(number).checked_sub(1).and_then(|index| NAMES.get(index)).copied()
}

/// The first number of the range that a word names, in any case: `warning` → 13.
///
/// Knows the words that logging libraries, syslog and people use.
pub fn parse(word: &str) -> Option<u8> {
    let mut lower = [0u8; 11];
    let lower = lower.get_mut(..word.len())?;
    lower.copy_from_slice(word.as_bytes());
    lower.make_ascii_lowercase();
    Some(match &*lower {
        b"trace" | b"finest" | b"finer" | b"verbose" => 1,
        b"debug" | b"fine" | b"dbg" => 5,
        b"info" | b"information" | b"inf" | b"config" => 9,
        b"notice" => 10,
        b"warn" | b"warning" | b"wrn" => 13,
        b"error" | b"err" | b"severe" => 17,
        b"critical" | b"crit" | b"alert" => 18,
        b"fatal" | b"panic" | b"emerg" | b"emergency" => 21,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_the_class_of_its_name() {
        for number in 1..=24 {
            let name = name(number).expect("1 to 24 are named");
            let word = name.trim_end_matches(|c: char| c.is_ascii_digit());
            assert_eq!(word.to_ascii_lowercase(), class(number), "{number}");
            assert_eq!(parse(word).map(class), Some(class(number)), "{number}");
        }
        assert_eq!((class(0), class(25), name(0), name(25)), ("unset", "unset", None, None));
    }

    #[test]
    fn words_of_common_libraries_are_known() {
        let cases =
            [("WARNING", 13), ("Err", 17), ("CRITICAL", 18), ("panic", 21), ("Notice", 10), ("inf", 9)];
        for (word, number) in cases {
            assert_eq!(parse(word), Some(number), "{word}");
        }
        for word in ["", "erroneous", "informational-message", "ERRÖR"] {
            assert_eq!(parse(word), None, "{word}");
        }
    }
}
