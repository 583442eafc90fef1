//! Severity words where logging libraries put them: a key, a syslog priority, a
//! glog letter, or one of the first words behind the time.

/// How far into a line a level stands, at the most.
const HEAD_BYTES: usize = 256;
/// How many words behind the time may be the level: thread, process and logger names come before it.
const HEAD_WORDS: usize = 8;

/// Finds the line's level; `after_time` is where its timestamp ends.
pub(super) fn find(line: &str, after_time: usize) -> Option<(u8, &str)> {
    priority(line)
        .or_else(|| glog(line))
        .or_else(|| keyed(line))
        .or_else(|| positioned(head(line, after_time)))
        .or_else(|| positioned(head(line, 0)).filter(|_| after_time > 0))
        .or_else(|| redis(line, after_time))
        .or_else(|| crash(&line[after_time..]))
}

/// What runtimes write when a program ends by what nobody caught: the trace that follows says why, and no level.
fn crash(line: &str) -> Option<(u8, &str)> {
    const BEGINNINGS: [&str; 4] =
        ["Exception in thread ", "Traceback (most recent call last)", "Unhandled exception", "Uncaught "];
    let line = line.trim_start();
    let panicked = line.starts_with("thread '") && line.contains(" panicked at ");
    (panicked || BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))).then_some((17, ""))
}

/// A level's number, for every spelling that libraries use.
pub fn word(text: &str) -> Option<u8> {
    crate::severity::parse(text).or_else(|| {
        let short: [(&str, u8); 7] =
            [("trce", 1), ("dbug", 5), ("fail", 17), ("ftl", 21), ("vrb", 1), ("eror", 17), ("log", 9)];
        short.iter().find(|(known, _)| known.eq_ignore_ascii_case(text)).map(|(_, number)| *number)
    })
}

/// RFC 5424 and 3164: `<PRI>`, severity = PRI mod 8, mapped as the Logs Data Model's appendix B does.
fn priority(line: &str) -> Option<(u8, &str)> {
    const NUMBERS: [u8; 8] = [21, 19, 18, 17, 13, 10, 9, 5];
    let digits = line.strip_prefix('<')?.split_once('>')?.0;
    let value: u8 = (1..=3).contains(&digits.len()).then(|| digits.parse().ok())??;
    (value <= 191).then(|| (NUMBERS[usize::from(value % 8)], ""))
}

/// `E1125 10:17:39.9 …`
fn glog(line: &str) -> Option<(u8, &str)> {
    let bytes = line.as_bytes();
    let number = match bytes.first()? {
        b'I' => 9,
        b'W' => 13,
        b'E' => 17,
        b'F' => 21,
        _ => return None,
    };
    let dated = bytes.get(1..6)?;
    (dated[..4].iter().all(u8::is_ascii_digit) && dated[4] == b' ').then(|| (number, &line[..1]))
}

/// `level=warn`, `lvl=…`, `severity="…"`.
fn keyed(line: &str) -> Option<(u8, &str)> {
    let head = head(line, 0);
    ["level=", "lvl=", "severity="].into_iter().find_map(|key| {
        let at = memchr::memmem::find(head.as_bytes(), key.as_bytes())?;
        let starts_word = at == 0 || matches!(head.as_bytes()[at - 1], b' ' | b'\t' | b',' | b'.' | b'{');
        let value = head[at + key.len()..].trim_start_matches(['"', '\'']);
        let end = value.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(value.len());
        let text = &value[..end];
        word(text).filter(|_| starts_word).map(|number| (number, text))
    })
}

/// One of the first words. A lower-case word counts only where nothing but a level would stand: first, or set off by
/// brackets or a colon behind it.
fn positioned(head: &str) -> Option<(u8, &str)> {
    let words = head.split([' ', '\t', '|']).filter(|word| !word.is_empty());
    words.take(HEAD_WORDS).enumerate().find_map(|(index, raw)| {
        let text = core_of(raw);
        let number = word(text)?;
        let upper = text.bytes().all(|b| b.is_ascii_uppercase());
        let set_off = raw.starts_with(['[', '(', '<']) || raw.ends_with(':');
        let ordinary = !matches!(number, 9 if text.eq_ignore_ascii_case("config") || text.eq_ignore_ascii_case("log"))
            && !text.eq_ignore_ascii_case("fine")
            && !text.eq_ignore_ascii_case("finer");
        (upper || (ordinary && (set_off || index == 0))).then_some((number, text))
    })
}

/// A word without the brackets, colon or other marks around it; of `core:error` (Apache) and `ERROR:root:x`
/// (Python) the part that is a level.
fn core_of(raw: &str) -> &str {
    let text = raw.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if let Some((first, rest)) = text.split_once(':') {
        let last = rest.rsplit(':').next().unwrap_or(rest);
        return if word(first).is_some() {
            first
        } else if raw.starts_with('[') {
            last
        } else {
            text
        };
    }
    text
}

/// `1234:M 25 Nov 2026 10:17:39.912 * Ready`: a mark right behind the time.
fn redis(line: &str, after_time: usize) -> Option<(u8, &str)> {
    let (process, role) = line.get(..after_time)?.split_whitespace().next()?.split_once(':')?;
    if !process.bytes().all(|b| b.is_ascii_digit()) || !matches!(role, "M" | "S" | "C" | "X") {
        return None;
    }
    let number = match line[after_time..].trim_start().split(' ').next()? {
        "." => 5,
        "-" => 9,
        "*" => 10,
        "#" => 13,
        _ => return None,
    };
    Some((number, ""))
}

fn head(line: &str, from: usize) -> &str {
    let rest = line.get(from..).unwrap_or("");
    &rest[..rest.floor_char_boundary(HEAD_BYTES)]
}
