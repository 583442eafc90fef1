//! Telling a receiver: one message by one way, once. Who calls retries, and decides when.

mod client;
mod email;
mod guard;
mod oauth2;
mod outcomes;
mod pagerduty;
mod slack;
mod smtp;
#[cfg(test)]
mod tests;
mod tls;
mod webhook;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use url::Url;

use crate::config::{AmConfig, Integration, Key, Settings};
use crate::message::{Message, Texts};
use crate::template::TemplateError;
use crate::yaml::Fault;
use client::{Answer, Clients};
use smtp::Mail;

pub use guard::{Cidr, Found, Guard, Lookup};
pub use outcomes::{Outcome, Outcomes};

/// Tells a message by one way, or says why that failed.
#[async_trait]
pub trait Deliver: Send + Sync {
    /// Returns once the other side has taken it. To cancel, drop it.
    async fn deliver(&self, integration: &Integration, message: &Message) -> Result<(), Failure>;

    /// How telling a receiver by one way has gone.
    fn outcome(&self, _receiver: &str, _integration: &Integration) -> Option<Outcome> {
        None
    }

    /// What will keep messages from being sent, as far as it can be known before.
    fn problems(&self) -> &[Fault] {
        &[]
    }
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whether it may be taken later as it is.
    pub retry: bool,
    /// How long the other side wants to be left alone.
    pub retry_after: Option<Duration>,
    /// What happened, without secrets.
    pub reason: String,
}

impl Failure {
    /// It may be taken later.
    pub fn again(reason: impl Into<String>) -> Self {
        Self { retry: true, retry_after: None, reason: reason.into() }
    }

    /// It will not be taken however often it is sent.
    pub fn never(reason: impl Into<String>) -> Self {
        Self { retry: false, retry_after: None, reason: reason.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Failure {}

/// The ways that this program tells by: webhooks, mail, Slack and PagerDuty.
pub struct Receivers {
    texts: Arc<Texts>,
    guard: Guard,
    clients: Clients,
    outcomes: Arc<Outcomes>,
    problems: Vec<Fault>,
}

impl fmt::Debug for Receivers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receivers").field("guard", &self.guard).finish_non_exhaustive()
    }
}

/// What goes to a server.
struct Request {
    url: Url,
    body: String,
}

/// What is handed over: made of templates, before anybody is connected to.
enum Prepared {
    Http(Request),
    Mail(Mail),
}

/// A message with more alerts is written beside the async threads.
const MANY_ALERTS: usize = 32;

impl Receivers {
    /// With these templates, and what may be reached.
    pub fn new(texts: Texts, guard: Guard) -> Self {
        Self {
            texts: Arc::new(texts),
            clients: Clients::new(guard.clone()),
            guard,
            outcomes: Arc::default(),
            problems: Vec::new(),
        }
    }

    /// For a configuration: its texts are looked through for what will not work. `outcomes` outlive it.
    pub fn of(config: &AmConfig, texts: Texts, guard: Guard, outcomes: Arc<Outcomes>) -> Self {
        let problems = texts.check(config);
        Self { outcomes, problems, ..Self::new(texts, guard) }
    }

    async fn prepare(
        &self,
        integration: &Integration,
        message: &Message,
        secret: &str,
    ) -> Result<Prepared, Failure> {
        if message.alerts.len() <= MANY_ALERTS {
            return prepare(&self.texts, integration, message, secret);
        }
        let (texts, integration) = (self.texts.clone(), integration.clone());
        let (message, secret) = (message.clone(), secret.to_owned());
        let task = tokio::task::spawn_blocking(move || prepare(&texts, &integration, &message, &secret));
        task.await.map_err(|error| Failure::never(format!("the message cannot be written: {error}")))?
    }

    async fn send(
        &self,
        integration: &Integration,
        message: &Message,
        prepared: Prepared,
    ) -> Result<(), Failure> {
        let (http, timeout) = match &integration.settings {
            Settings::Webhook(webhook) => (&webhook.http, webhook.timeout),
            Settings::Slack(slack) => (&slack.http, slack.timeout),
            Settings::PagerDuty(pagerduty) => (&pagerduty.http, pagerduty.timeout),
            Settings::Email(email) => {
                let Prepared::Mail(mail) = prepared else { return Err(unsupported(integration)) };
                return smtp::send(email, &self.guard, &mail).await;
            }
            Settings::Unsupported => return Err(unsupported(integration)),
        };
        let Prepared::Http(request) = prepared else { return Err(unsupported(integration)) };
        let name = format!("{}/{}/{}", message.receiver, integration.kind, integration.index);
        let path = request.url.path().to_owned();
        let answer = self.clients.post(&name, http, request.url, request.body, timeout).await;
        answer.and_then(|answer| check(integration, &answer)).map_err(|failure| without(failure, &path))
    }
}

#[async_trait]
impl Deliver for Receivers {
    async fn deliver(&self, integration: &Integration, message: &Message) -> Result<(), Failure> {
        let attempt = self.outcomes.begin(&message.receiver, integration);
        let told = self.tell(integration, message).await;
        attempt.end(&told);
        told
    }

    fn outcome(&self, receiver: &str, integration: &Integration) -> Option<Outcome> {
        self.outcomes.get(receiver, integration)
    }

    fn problems(&self) -> &[Fault] {
        &self.problems
    }
}

impl Receivers {
    async fn tell(&self, integration: &Integration, message: &Message) -> Result<(), Failure> {
        if integration.unsupported().is_some() {
            return Err(unsupported(integration));
        }
        let secret = match &integration.settings {
            Settings::Webhook(webhook) => Some(&webhook.url),
            Settings::Slack(slack) => Some(&slack.url),
            Settings::PagerDuty(pagerduty) => {
                let (Key::Routing(key) | Key::Service(key)) = &pagerduty.key;
                Some(key)
            }
            Settings::Email(_) | Settings::Unsupported => None,
        };
        let secret = match secret {
            Some(secret) => secret.read().await.map_err(Failure::never)?,
            None => String::new(),
        };
        let prepared = self.prepare(integration, message, &secret).await?;
        let sent = self.send(integration, message, prepared).await;
        sent.map_err(|failure| without(failure, &secret))
    }
}

fn unsupported(integration: &Integration) -> Failure {
    Failure::never(
        integration.unsupported().unwrap_or_else(|| format!("{} is not sent yet", integration.kind)),
    )
}

fn prepare(
    texts: &Texts,
    integration: &Integration,
    message: &Message,
    secret: &str,
) -> Result<Prepared, Failure> {
    let rendering = texts.of(message);
    Ok(match &integration.settings {
        Settings::Webhook(webhook) => Prepared::Http(webhook::request(webhook, secret, &rendering)?),
        Settings::Slack(slack) => Prepared::Http(slack::request(slack, secret, &rendering)?),
        Settings::PagerDuty(pagerduty) => Prepared::Http(pagerduty::request(pagerduty, secret, &rendering)?),
        Settings::Email(email) => Prepared::Mail(email::mail(email, &rendering)?),
        Settings::Unsupported => return Err(unsupported(integration)),
    })
}

fn check(integration: &Integration, answer: &Answer) -> Result<(), Failure> {
    match &integration.settings {
        Settings::Slack(_) => slack::check(answer),
        Settings::PagerDuty(pagerduty) => pagerduty::check(pagerduty, answer),
        _ => answer.check(),
    }
}

/// A text that a template became, or which key's template failed.
fn rendered(what: &str, text: Result<String, TemplateError>) -> Result<String, Failure> {
    text.map_err(|error| Failure::never(format!("the template of {what} fails: {error}")))
}

/// Takes a secret out of what others say. A short one is none, and would tear words apart.
fn without(failure: Failure, secret: &str) -> Failure {
    match secret.trim() {
        secret if secret.len() < 6 => failure,
        secret => Failure { reason: failure.reason.replace(secret, "<secret>"), ..failure },
    }
}

/// At most so many characters, the last one an ellipsis if some are missing.
fn shortened(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        None => text.to_owned(),
        Some(_) => text.chars().take(max_chars.saturating_sub(1)).chain(['…']).collect(),
    }
}
