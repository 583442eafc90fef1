//! Joins parts of a container's line, then lines of one record, per stream.
//!
//! The joiner sees a piece of a file from the place that is stored for it. What it has not finished is not consumed: it
//! is read again, so that the stored place is always the first byte of the oldest record that was not delivered. Where
//! one stream is further than another, [`Ahead`] says how far: those lines are passed over when they are read again.

use std::borrow::Cow;
use std::collections::VecDeque;

use telemetry::detect::Clock;

use super::container::{STREAMS, Stream, Unwrapped, cri, docker};
use super::text::{Marks, clean};
use super::trace::{self, Trace};
use super::{Format, LineOptions, MAX_LINE_BYTES, Multiline};
use crate::draft::Attributes;

/// Per stream: its lines that begin before this offset are delivered.
pub(crate) type Ahead = [u64; STREAMS];

/// A line of a file, without its newline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    pub(crate) raw: &'a [u8],
    /// Where it begins.
    pub(crate) start: u64,
    /// Where the next one begins.
    pub(crate) end: u64,
    pub(crate) marks: Marks,
}

/// A finished record's text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Joined<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) stream: Stream,
    /// The container's time of its first part; 0 without.
    pub(crate) time_ns: u64,
    pub(crate) marks: Marks,
    pub(crate) attributes: Attributes<'a>,
    /// How many lines of the file it is made of, and their bytes.
    pub(crate) lines: u32,
    pub(crate) raw_bytes: u64,
    /// How many of these lines were empty and at its end.
    pub(crate) empty: u32,
    first: u64,
    end: u64,
}

/// A record that may go on.
#[derive(Debug)]
struct Open<'a> {
    joined: Joined<'a>,
    /// Lines of the text, empty ones that are held back included.
    text_lines: u32,
    /// Empty lines at the end, which count only if something follows.
    blanks: u32,
    trace: Trace,
    /// The last line's last part is missing.
    midline: bool,
    /// Where the last line begins in the text.
    last_line: usize,
    /// With patterns: its first line is a start.
    started: bool,
}

/// See the module's head.
pub(crate) struct Joiner<'a, 'o> {
    options: &'o LineOptions,
    clock: Clock<'o>,
    ahead: Ahead,
    open: [Option<Open<'a>>; STREAMS],
    /// The next record goes on with one that has reached its bounds.
    carried: bool,
    done: VecDeque<Joined<'a>>,
}

impl<'a, 'o> Joiner<'a, 'o> {
    pub(crate) fn new(options: &'o LineOptions, clock: Clock<'o>, ahead: Ahead) -> Self {
        Self { options, clock, ahead, open: [None, None, None], carried: false, done: VecDeque::new() }
    }

    /// Takes the next line.
    pub(crate) fn line(&mut self, line: Line<'a>) {
        let (text, marks) = clean(line.raw, line.marks);
        let unwrapped = self.unwrap(text);
        let slot = unwrapped.stream as usize;
        if line.start < self.ahead[slot] {
            return;
        }
        // A line without the wrapping between others that have it: what came before is over.
        if unwrapped.stream == Stream::Bare {
            self.finish(Stream::Stdout as usize);
            self.finish(Stream::Stderr as usize);
        }
        let unwrapped = match self.continued(unwrapped, &line, marks) {
            Some(unwrapped) => unwrapped,
            None => return,
        };
        self.finish(slot);
        let alone = self.is_alone(&unwrapped);
        self.open[slot] = Some(self.begin(unwrapped, &line, marks));
        if alone {
            self.finish(slot);
        }
    }

    /// Takes a line that is cut or the rest of one: nothing is joined with it.
    pub(crate) fn alone(&mut self, line: Line<'a>) {
        self.flush();
        let (text, marks) = clean(line.raw, line.marks);
        let open = self.begin(Unwrapped { text, ..Unwrapped::default() }, &line, marks);
        self.open[Stream::Bare as usize] = Some(open);
        self.finish(Stream::Bare as usize);
    }

    fn unwrap(&self, text: Cow<'a, str>) -> Unwrapped<'a> {
        let plain = |text| Unwrapped { text, ..Unwrapped::default() };
        let Cow::Borrowed(line) = text else {
            // Of a mended line the wrapping is read, too; what it borrows is made its own.
            let found = self.wrapping(&text).map(|found| Unwrapped {
                text: Cow::Owned(found.text.into_owned()),
                stream: found.stream,
                time_ns: found.time_ns,
                is_part: found.is_part,
                attributes: Vec::new(),
            });
            return found.unwrap_or_else(|| plain(text));
        };
        self.wrapping(line).unwrap_or_else(|| plain(Cow::Borrowed(line)))
    }

    fn wrapping<'t>(&self, line: &'t str) -> Option<Unwrapped<'t>> {
        match self.options.format {
            Format::Cri => cri(line, &self.clock),
            Format::Docker => docker(line, &self.clock, true),
            Format::Auto => match line.as_bytes().first()? {
                b'{' if is_docker_likely(line) => docker(line, &self.clock, false),
                b'0'..=b'9' => cri(line, &self.clock),
                _ => None,
            },
            _ => None,
        }
    }

    /// Adds the line to the open record of its stream, or gives it back.
    fn continued(&mut self, line: Unwrapped<'a>, at: &Line<'a>, marks: Marks) -> Option<Unwrapped<'a>> {
        let Some(open) = &mut self.open[line.stream as usize] else { return Some(line) };
        let text_bytes = open.joined.text.len() + open.blanks as usize + 1 + line.text.len();
        let fits = text_bytes <= MAX_LINE_BYTES && open.joined.raw_bytes < 2 * MAX_LINE_BYTES as u64;
        if open.midline {
            if !fits {
                // The rest of the line is a record of its own: nothing is lost.
                open.joined.marks.partial = true;
                return Some(line);
            }
            let text = open.joined.text.to_mut();
            text.push_str(&line.text);
            open.midline = line.is_part;
        } else {
            let Some(trace) = goes_on_with(&self.options.multiline, open, &line.text) else {
                return Some(line);
            };
            if open.text_lines >= self.options.max_lines || !fits {
                self.carried = true;
                return Some(line);
            }
            open.trace = trace;
            open.push_line(&line);
        }
        open.joined.marks = open.joined.marks.and(marks);
        open.joined.lines += 1;
        open.joined.raw_bytes += at.end - at.start;
        open.joined.end = at.end;
        None
    }

    fn begin(&mut self, line: Unwrapped<'a>, at: &Line<'a>, marks: Marks) -> Open<'a> {
        let trace = match self.options.multiline {
            Multiline::Auto => trace::begin(&line.text),
            _ => Trace::Line,
        };
        let carried = std::mem::take(&mut self.carried);
        let started = match &self.options.multiline {
            Multiline::Custom(rules) => {
                carried || rules.start.as_ref().is_none_or(|start| start.is_match(&line.text))
            }
            _ => false,
        };
        let joined = Joined {
            stream: line.stream,
            time_ns: line.time_ns,
            marks,
            attributes: line.attributes,
            lines: 1,
            raw_bytes: at.end - at.start,
            empty: 0,
            first: at.start,
            end: at.end,
            text: line.text,
        };
        Open { joined, text_lines: 1, blanks: 0, trace, midline: line.is_part, last_line: 0, started }
    }

    /// Whether nothing can go on with this line.
    fn is_alone(&self, line: &Unwrapped<'_>) -> bool {
        let plain = matches!(self.options.format, Format::Json | Format::Logfmt | Format::Access);
        let object = plain || line.text.starts_with('{');
        !line.is_part
            && (line.text.is_empty()
                || (object && self.options.multiline == Multiline::Auto)
                || self.options.multiline == Multiline::Off)
    }

    /// Ends the open record of a stream.
    fn finish(&mut self, slot: usize) {
        if let Some(open) = self.open[slot].take() {
            let mut joined = open.joined;
            joined.marks.partial |= open.midline;
            joined.empty = open.blanks;
            self.done.push_back(joined);
        }
    }

    /// At the end of what there is to read: ends what surely is complete.
    pub(crate) fn settle(&mut self) {
        for slot in 0..STREAMS {
            if self.open[slot].as_ref().is_some_and(|open| !may_go_on(&self.options.multiline, open)) {
                self.finish(slot);
            }
        }
    }

    /// Ends everything, the oldest first.
    pub(crate) fn flush(&mut self) {
        let mut slots: Vec<usize> = (0..STREAMS).collect();
        slots.sort_by_key(|slot| self.open[*slot].as_ref().map_or(u64::MAX, |open| open.joined.first));
        slots.into_iter().for_each(|slot| self.finish(slot));
    }

    /// Ends the records whose last line ends where `is_due` says.
    pub(crate) fn flush_due(&mut self, is_due: impl Fn(usize, u64) -> bool) {
        for slot in 0..STREAMS {
            if self.open[slot].as_ref().is_some_and(|open| is_due(slot, open.joined.end)) {
                self.finish(slot);
            }
        }
    }

    /// Where each open record ends so far; 0 for none.
    pub(crate) fn waiting(&self) -> Ahead {
        std::array::from_fn(|slot| self.open[slot].as_ref().map_or(0, |open| open.joined.end))
    }

    /// A finished record, in the order in which they ended.
    pub(crate) fn pop(&mut self) -> Option<Joined<'a>> {
        self.done.pop_front()
    }

    /// From where to read on when everything that was popped is durable, and which lines to pass over then; `end` is
    /// where reading has stopped.
    pub(crate) fn place(&self, end: u64) -> (u64, Ahead) {
        let mut next = [end; STREAMS];
        let waiting = self.done.iter().chain(self.open.iter().flatten().map(|open| &open.joined));
        for joined in waiting {
            let slot = joined.stream as usize;
            next[slot] = next[slot].min(joined.first);
        }
        let offset = next.iter().copied().min().unwrap_or(end);
        let ahead = next.map(|next| if next == offset { 0 } else { next });
        (offset, ahead)
    }
}

impl<'a> Open<'a> {
    fn push_line(&mut self, line: &Unwrapped<'a>) {
        self.text_lines += 1;
        self.midline = line.is_part;
        if line.text.is_empty() && !line.is_part {
            self.blanks += 1;
            return;
        }
        let text = self.joined.text.to_mut();
        (0..=self.blanks).for_each(|_| text.push('\n'));
        self.blanks = 0;
        self.last_line = text.len();
        text.push_str(&line.text);
    }
}

/// Whether a line belongs to the open record, and where that then stands.
fn goes_on_with(multiline: &Multiline, open: &Open<'_>, line: &str) -> Option<Trace> {
    match multiline {
        Multiline::Off => None,
        Multiline::Auto => trace::next(open.trace, line, &open.joined.text),
        Multiline::Custom(rules) => {
            let last = &open.joined.text[open.last_line..];
            let unfinished = rules.unfinished.as_ref().is_some_and(|pattern| pattern.is_match(last));
            let goes_on = match (&rules.start, &rules.continuation) {
                (_, Some(pattern)) => open.started && pattern.is_match(line),
                (Some(start), None) => open.started && !start.is_match(line),
                (None, None) => false,
            };
            (unfinished || goes_on).then_some(Trace::Line)
        }
    }
}

/// Whether it is worth to wait for the next line.
fn may_go_on(multiline: &Multiline, open: &Open<'_>) -> bool {
    if open.midline {
        return true;
    }
    match multiline {
        Multiline::Off => false,
        Multiline::Auto => {
            open.text_lines > 1 || open.trace != Trace::Line || trace::may_go_on(&open.joined.text)
        }
        Multiline::Custom(rules) => {
            let last = &open.joined.text[open.last_line..];
            let unfinished = rules.unfinished.as_ref().is_some_and(|pattern| pattern.is_match(last));
            let has_rule = rules.start.is_some() || rules.continuation.is_some();
            unfinished || (has_rule && open.started)
        }
    }
}

/// Docker's keys, before the line is taken apart.
fn is_docker_likely(line: &str) -> bool {
    let bytes = line.as_bytes();
    line.trim_start_matches(['{', ' ']).starts_with("\"log\"")
        && memchr::memmem::find(bytes, b"\"stream\"").is_some()
}
