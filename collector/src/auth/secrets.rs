//! Making, hashing and comparing secrets.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};

use super::AuthError;

/// SHA-256 of a random secret: enough for what cannot be guessed, unlike a password.
pub(super) type Hash = [u8; 32];

/// 256 random bits as 43 characters that are safe in URLs, headers and shells.
pub(super) fn random_token() -> Result<String, AuthError> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes::<32>()?))
}

/// A password that can be typed: 24 characters of 31, without those that look alike; 118 bits.
pub(super) fn random_password() -> Result<String, AuthError> {
    const ALPHABET: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut password = String::new();
    while password.len() < 24 {
        // A byte at or past the last multiple of 31 would favour the first letters.
        let usable = random_bytes::<32>()?.into_iter().filter(|byte| *byte < 248);
        let letters = usable.map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
        password.extend(letters.take(24 - password.len()));
    }
    Ok(password)
}

pub(super) fn random_bytes<const N: usize>() -> Result<[u8; N], AuthError> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).map_err(|error| AuthError::Crypto(error.to_string()))?;
    Ok(bytes)
}

/// 53 random bits, so that every reader of JSON sees the same number; never 0.
pub(super) fn random_number() -> Result<u64, AuthError> {
    Ok((u64::from_le_bytes(random_bytes()?) >> 11).max(1))
}

/// 64 random bits as 16 hexadecimal digits: a name, no secret.
pub(super) fn random_id() -> Result<String, AuthError> {
    Ok(format!("{:016x}", u64::from_le_bytes(random_bytes()?)))
}

/// The hash under which a token or session is kept.
pub(super) fn hash(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}

/// Lower-case hexadecimal.
pub(super) fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads what `hex` wrote.
pub(super) fn from_hex(text: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(hash)
}

/// User and password of HTTP Basic (RFC 7617).
pub(super) fn basic(credentials: &str) -> Option<(String, String)> {
    let bytes = STANDARD.decode(credentials).or_else(|_| STANDARD_NO_PAD.decode(credentials)).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn random_secrets_have_their_form_and_differ() {
        let (one, two) = (random_token().unwrap(), random_token().unwrap());
        assert_eq!((one.len(), one == two), (43, false));
        let password = random_password().unwrap();
        assert_eq!(password.len(), 24);
        assert!(
            password.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()),
            "{password}"
        );
    }

    #[test]
    fn hashes_go_through_hexadecimal() {
        let one = hash("a");
        assert_eq!(from_hex(&hex(&one)), Some(one));
        assert_ne!(one, hash("b"));
        for text in ["", "00", &"g".repeat(64), &"ä".repeat(32)] {
            assert_eq!(from_hex(text), None, "{text}");
        }
    }

    #[test]
    fn basic_credentials_are_read_or_refused() {
        assert_eq!(basic("YWRtaW46YTpi"), Some(("admin".into(), "a:b".into())));
        for text in ["", "YWRtaW4=", "!!!", "/w=="] {
            assert_eq!(basic(text), None, "{text}");
        }
    }
}
