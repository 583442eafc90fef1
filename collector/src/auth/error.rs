//! Why somebody is not let in, and why an account is not changed.

use std::net::IpAddr;
use std::time::Duration;

use meta::MetaError;

/// Why nobody is let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// No credentials at all.
    #[error("no credentials were sent")]
    Missing,
    /// A header or cookie that is not what it should be, or is not known.
    #[error("{0}")]
    Bad(&'static str),
    /// A password that does not open anything.
    #[error("wrong user or password")]
    WrongPassword {
        /// The user, if there is one of that name: what was typed instead could be a password.
        known: Option<String>,
    },
    /// Too many wrong tries from there.
    #[error("too many failed logins from {address}")]
    TooMany {
        /// Where they came from.
        address: IpAddr,
        /// When the next try is allowed.
        retry_after: Duration,
    },
    /// More logins than can be checked.
    #[error("too many logins are being checked")]
    Busy,
    /// Known, but not allowed.
    #[error("{0}")]
    Forbidden(String),
    /// The document store failed.
    #[error("cannot read or write logins")]
    Meta(#[from] MetaError),
    /// A file of the data directory failed.
    #[error("cannot {what} {path}")]
    File {
        /// The attempt.
        what: &'static str,
        /// The object.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A document of the store is not what it should be.
    #[error("the document {key} cannot be read: {reason}")]
    Document {
        /// Its key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No random bytes, or argon2 refused to work.
    #[error("cannot make or check a secret: {0}")]
    Crypto(String),
}

/// Why a user, token or session is not made, changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// What was sent is not what it should be.
    #[error("{0}")]
    Invalid(String),
    /// No such thing, or none that concerns who asks.
    #[error("there is no {what} {name}")]
    Unknown {
        /// `user`, `token` or `session`.
        what: &'static str,
        /// Its name or id.
        name: String,
    },
    /// The name is taken.
    #[error("there is a user {0} already")]
    Exists(String),
    /// Nobody would be left who may do everything.
    #[error("{0} is the last one who may do everything, in all tenants")]
    LastAdmin(String),
    /// It is made by the configuration or the first start.
    #[error("{0}")]
    Fixed(String),
    /// As many as there may be.
    #[error("there are {most} {what} already: no more are kept")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The most of them.
        most: usize,
    },
    /// Not allowed, or the store failed.
    #[error(transparent)]
    Auth(#[from] AuthError),
}

impl From<MetaError> for AccountError {
    fn from(error: MetaError) -> Self {
        Self::Auth(error.into())
    }
}
