//! Chooses a form for each series and writes the page.

use telemetry::samples::is_stale;

use super::kind;
use crate::encode::bits::Frame;
use crate::encode::bytes::{put_varint, put_zigzag, varint_len, zigzag};
use crate::encode::decimal::Decimal;
use crate::encode::pcodec::{Chunk, WORTHWHILE};

/// pco must win this share of the bytes over bit-packing, which is read twice as fast.
const PCO_GAIN_PERCENT: usize = 2;

/// What one series has become.
enum Form {
    Raw(Vec<f64>),
    Same(f64),
    /// `page` is its page in the chunk of integers, if it is there.
    Decimal {
        decimal: Decimal,
        frame: Frame,
        page: Option<Vec<u8>>,
    },
    /// Its page in the chunk of floats.
    Float(Vec<u8>),
}

struct Plan {
    form: Form,
    /// Positions and values that the form leaves out.
    exceptions: Vec<(usize, f64)>,
}

/// Appends a page. Its reader must know how many values each series has.
pub fn encode_page(series: &[&[f64]], out: &mut Vec<u8>) {
    let mut plans: Vec<Plan> = series.iter().map(|values| plan(values)).collect();
    let integers = compress_decimals(&mut plans);
    let floats = compress_floats(&mut plans);
    put_varint(out, integers.len() as u64);
    put_varint(out, floats.len() as u64);
    plans.iter().for_each(|plan| write_header(plan, out));
    out.extend_from_slice(&integers);
    out.extend_from_slice(&floats);
    plans.iter().for_each(|plan| write_body(plan, out));
}

fn plan(values: &[f64]) -> Plan {
    if let Some((first, rest)) = values.split_first()
        && rest.iter().all(|value| value.to_bits() == first.to_bits())
        && Decimal::of(&values[..1]).is_none()
    {
        return Plan { form: Form::Same(*first), exceptions: Vec::new() };
    }
    if let Some(decimal) = Decimal::of(values) {
        let exceptions = decimal.exceptions.iter().map(|index| (*index, values[*index])).collect();
        let frame = Frame::of(&decimal.steps);
        return Plan { form: Form::Decimal { decimal, frame, page: None }, exceptions };
    }
    let stale = values.iter().enumerate().filter(|(_, value)| is_stale(**value));
    let exceptions: Vec<_> = stale.map(|(index, value)| (index, *value)).collect();
    let rest: Vec<f64> = values.iter().copied().filter(|value| !is_stale(*value)).collect();
    match rest.split_first() {
        Some((first, others)) if others.iter().all(|value| value.to_bits() == first.to_bits()) => {
            Plan { form: Form::Same(*first), exceptions }
        }
        _ => Plan { form: Form::Raw(rest), exceptions },
    }
}

/// Moves the decimals into one chunk if that is smaller; returns its table.
fn compress_decimals(plans: &mut [Plan]) -> Vec<u8> {
    let mut pooled = Vec::new();
    let mut lens = Vec::new();
    let mut packed_len = 0;
    for plan in &*plans {
        if let Form::Decimal { decimal, frame, .. } = &plan.form
            && !frame.is_flat()
        {
            pooled.extend_from_slice(&decimal.steps);
            lens.push(decimal.steps.len());
            packed_len += frame.header_len() + frame.body_len(decimal.steps.len());
        }
    }
    // A reset among small steps makes all of them wide; a table of bins does not mind.
    let has_outliers = || {
        let apart: usize = pooled.iter().map(|step| varint_len(zigzag(*step))).sum();
        packed_len * 2 > apart * 3
    };
    if pooled.len() < WORTHWHILE && !(pooled.len() >= WORTHWHILE / 8 && has_outliers()) {
        return Vec::new();
    }
    let Some(chunk) = Chunk::of_integers(&pooled, lens) else {
        return Vec::new();
    };
    if total_len(&chunk) * 100 >= packed_len * (100 - PCO_GAIN_PERCENT) {
        return Vec::new();
    }
    let mut pages = chunk.pages.into_iter();
    for plan in plans {
        if let Form::Decimal { frame, page, .. } = &mut plan.form
            && !frame.is_flat()
        {
            *page = pages.next();
        }
    }
    chunk.table
}

/// Moves what is not decimal into one chunk if that is smaller; returns its table.
fn compress_floats(plans: &mut [Plan]) -> Vec<u8> {
    let mut pooled = Vec::new();
    let mut lens = Vec::new();
    for plan in &*plans {
        if let Form::Raw(values) = &plan.form
            && !values.is_empty()
        {
            pooled.extend_from_slice(values);
            lens.push(values.len());
        }
    }
    if pooled.len() < WORTHWHILE {
        return Vec::new();
    }
    let Some(chunk) = Chunk::of_floats(&pooled, lens) else {
        return Vec::new();
    };
    if total_len(&chunk) >= pooled.len() * 8 {
        return Vec::new();
    }
    let mut pages = chunk.pages.into_iter();
    for plan in plans {
        if let Form::Raw(values) = &plan.form
            && !values.is_empty()
            && let Some(page) = pages.next()
        {
            plan.form = Form::Float(page);
        }
    }
    chunk.table
}

fn total_len(chunk: &Chunk) -> usize {
    chunk.size() + chunk.pages.iter().map(|page| varint_len(page.len() as u64)).sum::<usize>()
}

fn write_header(plan: &Plan, out: &mut Vec<u8>) {
    let mut tag = match &plan.form {
        Form::Raw(_) => kind::RAW,
        Form::Same(_) => kind::SAME,
        Form::Decimal { decimal, page, .. } => {
            let kind = if page.is_some() { kind::DECIMAL_PCO } else { kind::DECIMAL };
            kind | decimal.exponent << kind::EXPONENT_SHIFT
        }
        Form::Float(_) => kind::FLOAT_PCO,
    };
    if !plan.exceptions.is_empty() {
        tag |= kind::HAS_EXCEPTIONS;
    }
    out.push(tag);
    if !plan.exceptions.is_empty() {
        write_exceptions(&plan.exceptions, out);
    }
    match &plan.form {
        Form::Raw(_) => {}
        Form::Same(value) => out.extend_from_slice(&value.to_bits().to_le_bytes()),
        Form::Float(page) => put_varint(out, page.len() as u64),
        Form::Decimal { decimal, frame, page } => {
            put_zigzag(out, decimal.first);
            put_varint(out, decimal.gcd);
            match page {
                Some(page) => put_varint(out, page.len() as u64),
                None if decimal.gcd > 0 => frame.write_header(out),
                None => {}
            }
        }
    }
}

/// The distance from the previous one, and whether it is the stale marker: most are.
fn write_exceptions(exceptions: &[(usize, f64)], out: &mut Vec<u8>) {
    put_varint(out, exceptions.len() as u64);
    let mut next = 0;
    for (index, value) in exceptions {
        put_varint(out, ((index - next) as u64) << 1 | u64::from(is_stale(*value)));
        if !is_stale(*value) {
            out.extend_from_slice(&value.to_bits().to_le_bytes());
        }
        next = index + 1;
    }
}

fn write_body(plan: &Plan, out: &mut Vec<u8>) {
    match &plan.form {
        Form::Raw(values) => {
            for value in values {
                out.extend_from_slice(&value.to_bits().to_le_bytes());
            }
        }
        Form::Same(_) => {}
        Form::Decimal { page: Some(page), .. } | Form::Float(page) => out.extend_from_slice(page),
        Form::Decimal { decimal, frame, page: None } => frame.pack(&decimal.steps, out),
    }
}
