//! Passwords: argon2id, on a blocking thread, two at a time. What was right once is
//! remembered for a while, since clients of HTTP Basic send it with every request.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{AuthError, secrets};

const REMEMBERED: Duration = Duration::from_secs(300);
const MAX_REMEMBERED: usize = 1024;
/// Each takes 19 MiB and some milliseconds of a core.
const AT_ONCE: usize = 2;
/// Who waits longer for a turn is sent away.
const PATIENCE: Duration = Duration::from_secs(5);
/// Shorter ones are guessed too soon.
const MIN_PASSWORD_CHARS: usize = 12;
/// Longer ones are wrong without a look; hashing them costs.
const MAX_PASSWORD_BYTES: usize = 1024;

pub(super) struct Passwords {
    /// What an unknown user's password is held against, so that it takes as long.
    decoy: Arc<str>,
    verified: Mutex<HashMap<secrets::Hash, Instant>>,
    /// Keeps the remembered hashes from being of use outside of this process.
    key: [u8; 32],
    at_once: Arc<Semaphore>,
    patience: Duration,
}

/// The right to check or make one password's hash.
pub(super) struct Turn(#[allow(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Passwords {
    /// None is remembered.
    pub(super) fn new() -> Result<Self, AuthError> {
        let key = secrets::random_bytes()?;
        let decoy = hash(&secrets::random_token()?)?.into();
        let at_once = Arc::new(Semaphore::new(AT_ONCE));
        Ok(Self { decoy, verified: Mutex::default(), key, at_once, patience: PATIENCE })
    }

    /// Whether this was right for that hash a short while ago.
    pub(super) fn is_cached(&self, hash: Option<&Arc<str>>, password: &str) -> bool {
        let Some(hash) = hash else { return false };
        let until = self.verified.lock().get(&self.fingerprint(hash, password)).copied();
        until.is_some_and(|until| until > Instant::now())
    }

    /// Waits for a turn to check one, but not for long.
    pub(super) async fn turn(&self) -> Result<Turn, AuthError> {
        let permit = tokio::time::timeout(self.patience, Arc::clone(&self.at_once).acquire_owned()).await;
        permit.map_err(|_| AuthError::Busy)?.map(Turn).map_err(crypto)
    }

    /// Whether the password is that of the hash. Where there is none it is wrong, after the same time.
    pub(super) async fn verify(
        &self,
        turn: Turn,
        hash: Option<&Arc<str>>,
        password: &str,
    ) -> Result<bool, AuthError> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Ok(false);
        }
        let (held, owned) = (Arc::clone(hash.unwrap_or(&self.decoy)), password.to_owned());
        let work = tokio::task::spawn_blocking(move || {
            let is_right = verify(&held, &owned);
            // Not before: the work goes on when the client hangs up.
            drop(turn);
            is_right
        });
        let is_right = work.await.map_err(crypto)??;
        let Some(hash) = hash.filter(|_| is_right) else { return Ok(false) };
        self.remember(hash, password);
        Ok(true)
    }

    /// The hash of a new password, which was checked.
    pub(super) async fn hash(&self, password: &str) -> Result<String, AuthError> {
        let (turn, owned) = (self.turn().await?, password.to_owned());
        let work = tokio::task::spawn_blocking(move || {
            let made = hash(&owned);
            drop(turn);
            made
        });
        work.await.map_err(crypto)?
    }

    fn remember(&self, hash: &Arc<str>, password: &str) {
        let (now, mut verified) = (Instant::now(), self.verified.lock());
        verified.retain(|_, until| *until > now);
        if verified.len() < MAX_REMEMBERED {
            verified.insert(self.fingerprint(hash, password), now + REMEMBERED);
        }
    }

    /// Of the password under this hash: with another hash it is forgotten. The hash's salt is the user's own.
    fn fingerprint(&self, hash: &str, password: &str) -> secrets::Hash {
        let lengths = (hash.len() as u64).to_le_bytes();
        Sha256::new()
            .chain_update(self.key)
            .chain_update(lengths)
            .chain_update(hash)
            .chain_update(password)
            .finalize()
            .into()
    }
}

/// The rules for a new password; the message does not echo it.
pub(super) fn check(password: &str) -> Result<(), String> {
    if password.chars().count() < MIN_PASSWORD_CHARS {
        return Err(format!("password: at least {MIN_PASSWORD_CHARS} characters"));
    }
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(format!("password: at most {MAX_PASSWORD_BYTES} bytes"));
    }
    Ok(())
}

/// A new hash with a random salt. Takes some milliseconds.
pub(super) fn hash(password: &str) -> Result<String, AuthError> {
    let hash: PasswordHash = Argon2::default().hash_password(password.as_bytes()).map_err(crypto)?;
    Ok(hash.to_string())
}

/// Takes some milliseconds.
pub(super) fn verify(hash: &str, password: &str) -> Result<bool, AuthError> {
    let hash = PasswordHash::new(hash).map_err(crypto)?;
    Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

fn crypto(error: impl std::fmt::Display) -> AuthError {
    AuthError::Crypto(error.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    impl Passwords {
        async fn check(&self, hash: Option<&Arc<str>>, password: &str) -> Result<bool, AuthError> {
            self.verify(self.turn().await?, hash, password).await
        }
    }

    fn sesame() -> Arc<str> {
        hash("open sesame").unwrap().into()
    }

    #[tokio::test]
    async fn waiting_for_a_turn_ends() {
        let (mut passwords, hash) = (Passwords::new().unwrap(), sesame());
        passwords.patience = Duration::from_millis(20);
        let turns = [passwords.turn().await.unwrap(), passwords.turn().await.unwrap()];
        assert!(matches!(passwords.check(Some(&hash), "open sesame").await, Err(AuthError::Busy)));
        drop(turns);
        assert!(passwords.check(Some(&hash), "open sesame").await.unwrap());
    }

    #[tokio::test]
    async fn hanging_up_does_not_make_room_for_more_work() {
        let (passwords, hash) = (Passwords::new().unwrap(), sesame());
        let turn = passwords.turn().await.unwrap();
        // Polled once: the work has begun.
        let begun = futures::poll!(std::pin::pin!(passwords.verify(turn, Some(&hash), "guess")));
        assert!(begun.is_pending());
        assert!(passwords.at_once.available_permits() < AT_ONCE, "the work goes on");
    }

    #[tokio::test]
    async fn right_passwords_are_remembered_and_wrong_ones_are_not() {
        let (passwords, hash, other) = (Passwords::new().unwrap(), sesame(), sesame());
        assert!(!passwords.is_cached(Some(&hash), "open sesame"));
        assert!(passwords.check(Some(&hash), "open sesame").await.unwrap());
        assert!(passwords.is_cached(Some(&hash), "open sesame"));
        assert!(!passwords.is_cached(Some(&other), "open sesame"), "a changed hash is checked anew");
        for (hash, text) in [(Some(&hash), "open"), (None, "open sesame"), (Some(&hash), &*"x".repeat(2000))]
        {
            assert!(!passwords.check(hash, text).await.unwrap(), "{text}");
            assert!(!passwords.is_cached(hash, text), "{text}");
        }
    }

    #[tokio::test]
    async fn an_unknown_user_costs_the_same_work() {
        let (passwords, hash) = (Passwords::new().unwrap(), sesame());
        let parameters = |hash: &str| hash.rsplitn(3, '$').last().unwrap().to_owned();
        assert_eq!(parameters(&passwords.decoy), parameters(&hash), "as much memory, as many rounds");
    }

    #[test]
    fn new_passwords_are_long_enough_and_not_too_long() {
        for (password, fits) in [
            ("", false),
            ("elevenchars", false),
            ("twelve chars", true),
            ("ääääääääääää", true),
            ("äääääää", false),
            (&*"x".repeat(1024), true),
            (&*"x".repeat(1025), false),
        ] {
            let checked = check(password);
            assert_eq!(checked.is_ok(), fits, "{password}");
            assert!(checked.err().is_none_or(|message| password.is_empty() || !message.contains(password)));
        }
    }

    #[test]
    fn a_hash_of_another_form_is_refused() {
        assert!(verify("plain", "plain").is_err());
    }
}
