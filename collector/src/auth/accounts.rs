//! Changing users, passwords, sessions and tokens. Whether who asks may do it was decided
//! before; here is what holds for everybody.

use std::net::IpAddr;

use super::{
    ADMIN, AccountError, ApiToken, Auth, AuthError, NewSession, NewToken, Principal, Roles, SessionView,
    User, first_start, now_ns, password,
};

impl Auth {
    /// All users by name.
    pub fn users(&self) -> Vec<User> {
        self.users.all()
    }

    /// The user of this name.
    pub fn user(&self, name: &str) -> Result<User, AccountError> {
        let known = self.users.get(name).map(|known| known.user.clone());
        known.ok_or_else(|| AccountError::Unknown { what: "user", name: name.chars().take(64).collect() })
    }

    /// Makes a user who can log in when this returns.
    pub async fn create_user(&self, name: &str, text: &str, roles: Roles) -> Result<User, AccountError> {
        password::check(text).map_err(AccountError::Invalid)?;
        let hash = self.passwords.hash(text).await?;
        self.users.create(name, hash, roles, now_ns()).await
    }

    /// Changes roles or `disabled`; all sessions of the user end if that changes anything.
    ///
    /// `roles` makes the new ones of those that there are, at the moment of the change.
    pub async fn change_user(
        &self,
        name: &str,
        roles: impl FnOnce(&User) -> Result<Roles, AccountError>,
        disabled: Option<bool>,
    ) -> Result<User, AccountError> {
        let changed = self.users.change(name, |user, kept| {
            kept.roles = roles(user)?;
            kept.disabled = disabled.unwrap_or(kept.disabled);
            Ok(())
        });
        let user = changed.await?;
        self.clean_sessions().await;
        Ok(user)
    }

    /// Gives a user another password; all their sessions end.
    pub async fn set_password(&self, name: &str, text: &str) -> Result<(), AccountError> {
        password::check(text).map_err(AccountError::Invalid)?;
        let hash = self.passwords.hash(text).await?;
        let changed = self.users.change(name, |_, kept| {
            if name == ADMIN {
                kept.given_hash.get_or_insert_with(|| kept.password_hash.clone());
            }
            kept.password_hash = hash;
            Ok(())
        });
        changed.await?;
        if name == ADMIN {
            first_start::forget_password(&self.data);
        }
        self.clean_sessions().await;
        Ok(())
    }

    /// Somebody gives themselves another password. All their sessions end; where the request stood on one, a new
    /// one begins.
    pub async fn set_own_password(
        &self,
        principal: &Principal,
        current: &str,
        text: &str,
    ) -> Result<Option<NewSession>, AccountError> {
        if !principal.is_user() {
            let message = "a token has no password: log in as a user".to_owned();
            return Err(AuthError::Forbidden(message).into());
        }
        password::check(text).map_err(AccountError::Invalid)?;
        // As a login is: a stolen session must not be a way to guess at the password.
        self.check_password(&principal.user, current, principal.address).await?;
        self.set_password(&principal.user, text).await?;
        if !principal.is_by_cookie() {
            return Ok(None);
        }
        Ok(Some(self.begin_session(&principal.user, principal.address).await?))
    }

    /// Removes a user; their sessions end. Tokens that they made stay.
    pub async fn remove_user(&self, name: &str) -> Result<(), AccountError> {
        self.users.remove(name).await?;
        self.clean_sessions().await;
        Ok(())
    }

    /// All sessions that have not ended, the newest first.
    pub fn sessions(&self) -> Vec<SessionView> {
        self.sessions.all(|user, generation| self.users.is_good(user, generation))
    }

    /// Ends the session of this id.
    pub async fn end_session(&self, id: &str) -> Result<(), AccountError> {
        if self.sessions.end_id(id).await? {
            return Ok(());
        }
        Err(AccountError::Unknown { what: "session", name: id.chars().take(64).collect() })
    }

    /// All tokens: those of the configuration, then by name.
    pub fn tokens(&self) -> Vec<ApiToken> {
        self.tokens.all()
    }

    /// Makes a token; its text is told here and never again.
    pub async fn create_token(&self, new: NewToken) -> Result<(ApiToken, String), AccountError> {
        self.tokens.create(new, now_ns()).await
    }

    /// Takes a token back: from now on it opens nothing.
    pub async fn remove_token(&self, id: &str) -> Result<(), AccountError> {
        self.tokens.remove(id).await
    }

    async fn begin_session(&self, name: &str, address: IpAddr) -> Result<NewSession, AccountError> {
        let known = self.users.get(name);
        let generation = known.map_or(0, |known| known.generation);
        Ok(self.sessions.begin(name, generation, address).await?)
    }

    /// They have ended already, with the change of the user: what is left is to tidy up.
    async fn clean_sessions(&self) {
        let outcome = self.sessions.clean(|user, generation| self.users.is_good(user, generation)).await;
        if let Err(error) = outcome {
            tracing::warn!(%error, "cannot remove sessions that have ended");
        }
    }
}
