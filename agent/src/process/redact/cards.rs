//! Payment card numbers within runs of digits: what stands before or behind them may be digits, too.

/// The run without its cards, and how many there were. A card begins and ends where a group of digits does.
pub(super) fn replace(run: &str) -> (String, u64) {
    let groups = groups(run);
    let (mut out, mut copied, mut found, mut at) = (String::new(), 0, 0, 0);
    while at < groups.len() {
        let last = (at..groups.len()).rev().find(|last| is_card(run, &groups[at..=*last], groups.len()));
        let Some(last) = last else {
            at += 1;
            continue;
        };
        out.push_str(&run[copied..groups[at].0]);
        out.push_str("[card]");
        (copied, found, at) = (groups[last].1, found + 1, last + 1);
    }
    out.push_str(&run[copied..]);
    (out, found)
}

/// Where groups of digits begin and end.
fn groups(run: &str) -> Vec<(usize, usize)> {
    let (mut groups, mut start) = (Vec::new(), 0);
    for (at, _) in run.match_indices([' ', '-']) {
        groups.push((start, at));
        start = at + 1;
    }
    groups.push((start, run.len()));
    groups
}

/// A known issuer, the length that it uses, and Luhn's check digit (ISO/IEC 7812-1). Out of a longer run only groups as
/// they stand on cards: else a list of small numbers would be one too often.
fn is_card(run: &str, window: &[(usize, usize)], of: usize) -> bool {
    let len: usize = window.iter().map(|(start, end)| end - start).sum();
    if !(13..=19).contains(&len) {
        return false;
    }
    let is_part = window.len() > 1 && window.len() < of;
    if is_part && (window[0].1 - window[0].0 != 4 || window.iter().any(|(start, end)| end - start < 3)) {
        return false;
    }
    let text = &run[window[0].0..window[window.len() - 1].1];
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let prefix = digits.iter().take(4).fold(0, |number, digit| number * 10 + digit);
    let known = match prefix {
        4000..=4999 => matches!(digits.len(), 13 | 16 | 19),
        5100..=5599 | 2221..=2720 => digits.len() == 16,
        3400..=3499 | 3700..=3799 => digits.len() == 15,
        3000..=3059 | 3600..=3699 | 3800..=3999 => digits.len() == 14,
        3528..=3589 | 6011 | 6440..=6599 | 6200..=6299 => (16..=19).contains(&digits.len()),
        5000..=5099 | 5600..=5899 | 6300..=6399 | 6700..=6799 => (13..=19).contains(&digits.len()),
        _ => false,
    };
    known && luhn(&digits)
}

fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| match index % 2 {
            0 => *digit,
            _ if *digit > 4 => digit * 2 - 9,
            _ => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}
