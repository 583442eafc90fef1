//! Trace and span ids as other protocols write them: hexadecimal text.

/// `N` bytes out of twice as many digits; zeros are no id (W3C Trace Context).
pub(crate) fn parse<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut id = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in id.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    (id != [0; N]).then_some(id)
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_ids_are_ids() {
        assert_eq!(parse::<2>("0aF1"), Some([0x0a, 0xf1]));
        for bad in ["", "0af", "0af12", "0ag1", "0000", "+1-1", "ä1"] {
            assert_eq!(parse::<2>(bad), None, "{bad}");
        }
    }
}
