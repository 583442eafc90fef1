//! Stack traces of Java, .NET, JavaScript, Ruby, PHP, Python, Go and Rust: which
//! line goes on with the one before it.
//!
//! A line that begins like a trace's continuation joins whatever stands before it; what a trace's end looks like is known
//! per language. No regexes: this runs for every line.

/// Inside of what a line stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Trace {
    /// A line like any other.
    #[default]
    Line,
    /// Frames that begin with `at`, `from` or `#0`.
    Frames,
    /// Between `Traceback` and the exception's line.
    Python,
    /// Behind the exception's line: notes, or another exception.
    PythonEnd,
    /// The empty line that may lead to another traceback.
    PythonBlank,
    /// Between the sentence that says so and that traceback.
    PythonChain,
    /// Behind `panic:`.
    Go,
    /// Behind `goroutine 1 [running]:`.
    GoStack,
    /// Behind a header whose message is on the next line.
    RustMessage,
    /// Behind the message.
    Rust,
}

const TRACEBACK: &str = "Traceback (most recent call last):";

/// Where a record stands whose first line this is.
pub(super) fn begin(line: &str) -> Trace {
    let bytes = line.as_bytes();
    match bytes.first() {
        Some(b'p' | b'f' | b'g') if is_go_start(line) => Trace::Go,
        Some(b'g') if is_goroutine(line) => Trace::GoStack,
        Some(b't') if is_rust_start(line) => rust(line),
        _ if line.ends_with(TRACEBACK) => Trace::Python,
        _ => Trace::Line,
    }
}

/// Where the record stands if `line` belongs to it; `first` is the record's text so far.
pub(super) fn next(trace: Trace, line: &str, first: &str) -> Option<Trace> {
    let first_byte = line.as_bytes().first().copied();
    let indented = matches!(first_byte, Some(b' ' | b'\t'));
    match trace {
        Trace::Line | Trace::Frames => frames(trace, line, first, first_byte),
        Trace::Python if indented => Some(Trace::Python),
        Trace::Python => first_byte.map(|_| Trace::PythonEnd),
        Trace::PythonEnd if indented => Some(Trace::PythonEnd),
        Trace::PythonEnd => first_byte.is_none().then_some(Trace::PythonBlank),
        Trace::PythonBlank => is_python_chain(line).then_some(Trace::PythonChain),
        Trace::PythonChain if first_byte.is_none() => Some(Trace::PythonChain),
        Trace::PythonChain => line.trim_start().ends_with(TRACEBACK).then_some(Trace::Python),
        Trace::Go => go(line, indented),
        Trace::GoStack => go_stack(line, indented),
        Trace::RustMessage => first_byte.map(|_| Trace::Rust),
        Trace::Rust => {
            (indented || line.starts_with("note: ") || line == "stack backtrace:").then_some(Trace::Rust)
        }
    }
}

/// Whether a line alone may be the start of a trace whose rest has not been written yet.
pub(super) fn may_go_on(line: &str) -> bool {
    const WORDS: [&[u8]; 8] =
        [b"xception", b"rror", b"ERROR", b"WARN", b"panic", b"Throwable", b"SEVERE", b"FATAL"];
    let bytes = line.as_bytes();
    bytes.first() != Some(&b'{') && WORDS.iter().any(|word| memchr::memmem::find(bytes, word).is_some())
}

fn frames(trace: Trace, line: &str, first: &str, first_byte: Option<u8>) -> Option<Trace> {
    let goes_on = match first_byte? {
        b' ' | b'\t' => is_frame(line.trim_start()),
        b'C' => line.starts_with("Caused by: "),
        b'-' => line.starts_with("--- End of stack trace"),
        b'#' => trace == Trace::Frames && is_numbered(line),
        b'S' => line == "Stack trace:",
        b'.' => is_elided(line),
        b'[' => line.starts_with("[CIRCULAR REFERENCE"),
        _ => false,
    };
    if goes_on {
        return Some(Trace::Frames);
    }
    // The exception of a logger's line stands below it.
    if trace == Trace::Line && !first.contains('\n') {
        let follows = is_exception(line) && !is_exception(first);
        if (follows || line == TRACEBACK || is_goroutine(line)) && may_go_on(first) {
            return Some(match begin(line) {
                Trace::Line => Trace::Frames,
                trace => trace,
            });
        }
    }
    None
}

/// Behind white space.
fn is_frame(text: &str) -> bool {
    match text.as_bytes().first() {
        // Java, .NET, JavaScript: a place in brackets or behind a colon. `at noon` is none.
        Some(b'a') => text.starts_with("at ") && text.contains(['(', ':', '/']),
        Some(b'f') => text.strip_prefix("from ").is_some_and(|place| place.contains(':')),
        Some(b'C') => text.starts_with("Caused by: "),
        Some(b'S') => text.starts_with("Suppressed: "),
        Some(b'.') => is_elided(text),
        Some(b'-') => text.starts_with("---> ") || text.starts_with("--- End of "),
        Some(b't') => text.starts_with("thrown in "),
        Some(b'[') => text.starts_with("[CIRCULAR REFERENCE"),
        _ => false,
    }
}

/// `... 12 more`, `... 3 common frames omitted`
fn is_elided(text: &str) -> bool {
    let Some((count, rest)) = text.strip_prefix("... ").and_then(|rest| rest.split_once(' ')) else {
        return false;
    };
    count.bytes().all(|b| b.is_ascii_digit())
        && (rest.starts_with("more") || rest.starts_with("common frames"))
}

/// PHP: `#0 /srv/app.php(3): f()`
fn is_numbered(line: &str) -> bool {
    let digits = line.bytes().skip(1).take_while(u8::is_ascii_digit).count();
    digits > 0 && line.as_bytes().get(1 + digits) == Some(&b' ')
}

/// `java.lang.IllegalStateException: why`: a dotted name that ends as exceptions do.
fn is_exception(line: &str) -> bool {
    let end = line
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '$')))
        .unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let named = ["Exception", "Error", "Throwable", "Fault"].iter().any(|suffix| name.ends_with(suffix));
    named && (rest.is_empty() || rest.starts_with(':')) && (name.contains('.') || !rest.is_empty())
}

fn is_python_chain(line: &str) -> bool {
    let text = line.trim_start_matches([' ', '|']);
    text.starts_with("During handling of the above exception, another exception occurred:")
        || text.starts_with("The above exception was the direct cause of the following exception:")
}

fn is_go_start(line: &str) -> bool {
    line.starts_with("panic: ") || line.starts_with("fatal error: ")
}

/// `goroutine 18 [running]:`
fn is_goroutine(line: &str) -> bool {
    line.strip_prefix("goroutine ").is_some_and(|rest| rest.contains(" [") && rest.ends_with(':'))
}

fn go(line: &str, indented: bool) -> Option<Trace> {
    if is_goroutine(line) {
        return Some(Trace::GoStack);
    }
    let signal = line.starts_with("[signal ") || line.starts_with("[recovered");
    (indented || signal || line.is_empty() || is_go_start(line)).then_some(Trace::Go)
}

fn go_stack(line: &str, indented: bool) -> Option<Trace> {
    // A function's name has no space before its bracket; a log line has.
    let call = line.find(['(', ' ']).is_some_and(|at| line.as_bytes()[at] == b'(') && line.ends_with(')');
    let known = line.starts_with("created by ")
        || line.starts_with("exit status ")
        || line.starts_with("...additional frames elided")
        || line.starts_with("runtime stack:")
        || is_register(line);
    (indented || line.is_empty() || call || known || is_goroutine(line)).then_some(Trace::GoStack)
}

/// `rax    0x0`
fn is_register(line: &str) -> bool {
    line.split_once(' ').is_some_and(|(name, value)| {
        (2..=6).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric())
            && value.trim_start().starts_with("0x")
    })
}

fn is_rust_start(line: &str) -> bool {
    line.starts_with("thread '") && line.contains(" panicked at ")
}

/// Since Rust 1.73 the message is on the line below the place.
fn rust(line: &str) -> Trace {
    if line.ends_with(':') { Trace::RustMessage } else { Trace::Rust }
}
