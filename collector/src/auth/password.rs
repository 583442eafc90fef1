//! The admin's password: argon2id, on a blocking thread, two at a time. What was
//! right once is remembered for a while, since clients of HTTP Basic send it with
//! every request.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{ADMIN, AuthError, secrets};

const REMEMBERED: Duration = Duration::from_secs(300);
const MAX_REMEMBERED: usize = 64;
/// Each takes 19 MiB and some milliseconds of a core.
const AT_ONCE: usize = 2;
/// Who waits longer for a turn is sent away.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longer ones are wrong without a look; hashing them costs.
const MAX_PASSWORD_BYTES: usize = 1024;

pub(super) struct AdminPassword {
    hash: Arc<str>,
    verified: Mutex<HashMap<secrets::Hash, Instant>>,
    /// Keeps the remembered hashes from being of use outside of this process.
    key: [u8; 32],
    at_once: Arc<Semaphore>,
    patience: Duration,
}

/// The right to check one password.
pub(super) struct Turn(#[allow(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl AdminPassword {
    /// Takes the hash in PHC form.
    pub(super) fn new(hash: String) -> Result<Self, AuthError> {
        PasswordHash::new(&hash).map_err(crypto)?;
        let key = secrets::random_bytes()?;
        let at_once = Arc::new(Semaphore::new(AT_ONCE));
        Ok(Self { hash: hash.into(), verified: Mutex::default(), key, at_once, patience: PATIENCE })
    }

    /// Whether this was right a short while ago.
    pub(super) fn is_cached(&self, user: &str, password: &str) -> bool {
        let until = self.verified.lock().get(&self.fingerprint(user, password)).copied();
        until.is_some_and(|until| until > Instant::now())
    }

    /// Waits for a turn to check one, but not for long.
    pub(super) async fn turn(&self) -> Result<Turn, AuthError> {
        let permit = tokio::time::timeout(self.patience, Arc::clone(&self.at_once).acquire_owned()).await;
        permit.map_err(|_| AuthError::Busy)?.map(Turn).map_err(crypto)
    }

    /// Whether it is the admin's password. Another user costs the same time.
    pub(super) async fn verify(&self, turn: Turn, user: &str, password: &str) -> Result<bool, AuthError> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Ok(false);
        }
        let (hash, owned) = (Arc::clone(&self.hash), password.to_owned());
        let work = tokio::task::spawn_blocking(move || {
            let is_right = verify(&hash, &owned);
            // Not before: the work goes on when the client hangs up.
            drop(turn);
            is_right
        });
        let is_right = work.await.map_err(crypto)??;
        let is_admin = is_right && user == ADMIN;
        if is_admin {
            self.remember(user, password);
        }
        Ok(is_admin)
    }

    fn remember(&self, user: &str, password: &str) {
        let (now, mut verified) = (Instant::now(), self.verified.lock());
        verified.retain(|_, until| *until > now);
        if verified.len() < MAX_REMEMBERED {
            verified.insert(self.fingerprint(user, password), now + REMEMBERED);
        }
    }

    fn fingerprint(&self, user: &str, password: &str) -> secrets::Hash {
        let lengths = (user.len() as u64).to_le_bytes();
        Sha256::new()
            .chain_update(self.key)
            .chain_update(lengths)
            .chain_update(user)
            .chain_update(password)
            .finalize()
            .into()
    }
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

    impl AdminPassword {
        async fn check(&self, user: &str, password: &str) -> Result<bool, AuthError> {
            self.verify(self.turn().await?, user, password).await
        }
    }

    #[tokio::test]
    async fn waiting_for_a_turn_ends() {
        let mut password = AdminPassword::new(hash("open sesame").unwrap()).unwrap();
        password.patience = Duration::from_millis(20);
        let turns = [password.turn().await.unwrap(), password.turn().await.unwrap()];
        assert!(matches!(password.check(ADMIN, "open sesame").await, Err(AuthError::Busy)));
        drop(turns);
        assert!(password.check(ADMIN, "open sesame").await.unwrap());
    }

    #[tokio::test]
    async fn hanging_up_does_not_make_room_for_more_work() {
        let password = AdminPassword::new(hash("open sesame").unwrap()).unwrap();
        let turn = password.turn().await.unwrap();
        // Polled once: the work has begun.
        let begun = futures::poll!(std::pin::pin!(password.verify(turn, ADMIN, "guess")));
        assert!(begun.is_pending());
        assert!(password.at_once.available_permits() < AT_ONCE, "the work goes on");
    }

    #[tokio::test]
    async fn right_passwords_are_remembered_and_wrong_ones_are_not() {
        let password = AdminPassword::new(hash("open sesame").unwrap()).unwrap();
        assert!(!password.is_cached(ADMIN, "open sesame"));
        assert!(password.check(ADMIN, "open sesame").await.unwrap());
        assert!(password.is_cached(ADMIN, "open sesame"));
        for (user, text) in [(ADMIN, "open"), ("other", "open sesame"), ("", ""), (ADMIN, &*"x".repeat(2000))]
        {
            assert!(!password.check(user, text).await.unwrap(), "{user} {text}");
            assert!(!password.is_cached(user, text), "{user} {text}");
        }
    }

    #[test]
    fn a_hash_of_another_form_is_refused() {
        assert!(AdminPassword::new("plain".to_owned()).is_err());
    }
}
