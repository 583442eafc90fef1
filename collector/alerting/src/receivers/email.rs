//! A mail: from texts and addresses to the bytes that a server takes.

use lettre::Message as Mime;
use lettre::address::Envelope;
use lettre::message::header::{self, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Mailboxes, MessageBuilder, MultiPart, SinglePart};
use sha2::{Digest, Sha256};

use super::smtp::Mail;
use super::{Failure, rendered};
use crate::config::{Email, Threading};
use crate::message::{Message, Rendering};
use crate::template::Moment;

const SUBJECT: &str = r#"{{ template "email.default.subject" . }}"#;

/// The mail for a message.
pub(super) fn mail(email: &Email, rendering: &Rendering<'_>) -> Result<Mail, Failure> {
    let text = |what, template: &str| rendered(what, rendering.text(template));
    let from = addresses("from", &text("from", &email.from)?)?;
    let to = addresses("to", &text("to", &email.to)?)?;
    let [sender] = &from[..] else {
        return Err(Failure::never(format!("from must be one address, and is {}", from.len())));
    };
    let envelope =
        Envelope::new(Some(sender.email.clone()), to.iter().map(|one| one.email.clone()).collect());
    let envelope = envelope.map_err(|_| Failure::never("to has no address"))?;
    let mut builder = Mime::builder().envelope(envelope).date_now();
    builder = with_addresses(builder, email, sender, &to, rendering)?;
    builder = with_headers(builder, email, sender, rendering)?;
    let mime = with_body(builder, email, rendering)?;
    Ok(Mail {
        from: sender.email.to_string(),
        to: to.iter().map(|one| one.email.to_string()).collect(),
        bytes: mime.formatted(),
    })
}

fn addresses(what: &str, text: &str) -> Result<Vec<Mailbox>, Failure> {
    let parsed = text.trim().trim_end_matches(',').parse::<Mailboxes>();
    let all = parsed
        .map_err(|error| Failure::never(format!("{what}: {text:?} is no list of addresses: {error}")))?;
    Ok(all.into_iter().collect())
}

/// From and To as they are sent to, unless headers say otherwise.
fn with_addresses(
    mut builder: MessageBuilder,
    email: &Email,
    sender: &Mailbox,
    to: &[Mailbox],
    rendering: &Rendering<'_>,
) -> Result<MessageBuilder, Failure> {
    let given = |name: &str| {
        email.headers.get(name).map(|template| rendered(name, rendering.text(template))).transpose()
    };
    builder = match given("From")? {
        Some(text) => builder.mailbox(header::From::from(Mailboxes::from_iter(addresses("From", &text)?))),
        None => builder.from(sender.clone()),
    };
    let to = match given("To")? {
        Some(text) => addresses("To", &text)?,
        None => to.to_vec(),
    };
    builder = builder.mailbox(header::To::from(Mailboxes::from_iter(to)));
    if let Some(text) = given("Reply-To")? {
        builder = builder.mailbox(header::ReplyTo::from(Mailboxes::from_iter(addresses("Reply-To", &text)?)));
    }
    if let Some(text) = given("Cc")? {
        builder = builder.mailbox(header::Cc::from(Mailboxes::from_iter(addresses("Cc", &text)?)));
    }
    Ok(builder)
}

fn with_headers(
    mut builder: MessageBuilder,
    email: &Email,
    sender: &Mailbox,
    rendering: &Rendering<'_>,
) -> Result<MessageBuilder, Failure> {
    let subject = email.headers.get("Subject").map_or(SUBJECT, String::as_str);
    builder = builder.subject(one_line(&rendered("Subject", rendering.text(subject))?));
    let message = rendering.message();
    if !email.headers.contains_key("Message-Id") {
        builder = builder.message_id(Some(message_id(message, sender)));
    }
    if let Some(root) = thread_root(email.threading, message) {
        builder = builder.references(root.clone()).in_reply_to(root);
    }
    for (name, template) in &email.headers {
        if matches!(name.as_str(), "From" | "To" | "Reply-To" | "Cc" | "Subject" | "Bcc" | "Mime-Version")
            || name.starts_with("Content-")
        {
            // Set above; Bcc would tell who must not be told of.
            continue;
        }
        let value = one_line(&rendered(name, rendering.text(template))?);
        let wrong = |_| Failure::never(format!("{name:?} is no name of a header"));
        let header = HeaderName::new_from_ascii(name.clone()).map_err(wrong)?;
        builder = builder.raw_header(HeaderValue::new(header, value));
    }
    // So that nobody's absence is answered.
    Ok(builder.raw_header(HeaderValue::new(
        HeaderName::new_from_ascii_str("Auto-Submitted"),
        "auto-generated".to_owned(),
    )))
}

fn with_body(builder: MessageBuilder, email: &Email, rendering: &Rendering<'_>) -> Result<Mime, Failure> {
    let part = |kind: ContentType, body: String| SinglePart::builder().header(kind).body(body);
    let plain = match email.text.is_empty() {
        true => None,
        false => Some(part(ContentType::TEXT_PLAIN, rendered("text", rendering.text(&email.text))?)),
    };
    let html = match email.html.is_empty() {
        true => None,
        false => Some(part(ContentType::TEXT_HTML, rendered("html", rendering.html(&email.html))?)),
    };
    let mime = match (plain, html) {
        // The better one is the last (RFC 2046, 5.1.4).
        (Some(plain), Some(html)) => {
            builder.multipart(MultiPart::alternative().singlepart(plain).singlepart(html))
        }
        (Some(only), None) | (None, Some(only)) => builder.singlepart(only),
        (None, None) => builder.singlepart(part(ContentType::TEXT_PLAIN, String::new())),
    };
    mime.map_err(|error| Failure::never(format!("cannot write the mail: {error}")))
}

/// A value cannot begin another header.
fn one_line(text: &str) -> String {
    text.split(char::is_control).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn group_hash(message: &Message) -> String {
    let hash = Sha256::digest(message.group_key.as_bytes());
    hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same for the same message: a server that sees it twice can tell.
fn message_id(message: &Message, sender: &Mailbox) -> String {
    let mut hash = Sha256::new();
    for part in [&message.tenant, &message.receiver, &message.group_key] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    for alert in &message.alerts {
        hash.update(alert.fingerprint().to_le_bytes());
        hash.update([message.status_of(alert) as u8]);
    }
    let hash: String = hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("<{}.{hash}.{}@{}>", group_hash(message), message.at_ms, sender.email.domain())
}

/// What all mails of a thread answer to. There is no such mail; clients show them together all the same.
fn thread_root(threading: Threading, message: &Message) -> Option<String> {
    let day = match threading {
        Threading::None => return None,
        Threading::Group => String::new(),
        Threading::Daily => Moment::utc(message.at_ms).format("2006-01-02"),
    };
    Some(format!("<alert-{}-{day}@narrows>", group_hash(message)))
}
