//! Which values a key takes: how they are written, checked and shown.

mod items;

use std::time::Duration;

use serde_json::json;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::mask;
use super::secret_headers;
use super::store_target::StoreTarget;
use super::value::Value;

pub(crate) use items::{ANY_HOST, Items, split};

/// The values that a key takes.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Any text that says something.
    Text,
    /// A key or the like, which is never shown.
    Secret,
    /// See [`secret_headers`]; never shown.
    SecretHeaders,
    /// A whole number.
    Integer { min: u64, max: u64 },
    /// Yes or no.
    Flag,
    /// A number.
    Decimal { min: f64, max: f64 },
    /// A time in seconds.
    Seconds { min: f64, max: f64 },
    /// A time in milliseconds.
    Milliseconds { max: u64 },
    /// One of several words.
    Choice(&'static [&'static str]),
    /// Several values.
    List(Items),
    /// An IP address or the name of a host.
    Host,
    /// Where an API is.
    HttpUrl,
    /// See [`StoreTarget`].
    StoreUrl,
    /// The name of a provider.
    Provider,
    /// The name of a provider, or `auto`.
    ProviderOrAuto,
    /// The name of an environment variable, in capitals, as keys of providers hardly ever are.
    VariableName,
    /// The SHA-256 of a secret.
    Sha256,
    /// What [`EnvFilter`] reads.
    LogFilter,
}

impl Kind {
    /// The value in the form from which [`Config`](super::Config) is deserialized, or `None`
    /// if the key does not take it. No text makes it panic.
    pub(crate) fn parse(&self, value: &Value) -> Option<serde_json::Value> {
        match (self, value) {
            (Self::List(items), value) => items.parse(value),
            (_, Value::Text(text)) => self.parse_text(text),
            (_, Value::List(_) | Value::Other(_)) => None,
        }
    }

    fn parse_text(&self, text: &str) -> Option<serde_json::Value> {
        let text = text.trim();
        let fits = match self {
            Self::List(items) => return items.parse(&Value::Text(text.to_owned())),
            Self::Integer { min, max } => {
                let number = text
                    .parse()
                    .ok()
                    .filter(|number| (*min..=*max).contains(number));
                return number.map(|number: u64| json!(number));
            }
            Self::Flag => return text.parse().ok().map(|flag: bool| json!(flag)),
            Self::Decimal { min, max } => {
                return decimal(text, *min, *max).map(|number| json!(number));
            }
            Self::Seconds { min, max } => {
                let time = Duration::try_from_secs_f64(decimal(text, *min, *max)?).ok()?;
                return serde_json::to_value(time).ok();
            }
            Self::Milliseconds { max } => {
                let time = text.parse().ok().filter(|number| number <= max)?;
                return serde_json::to_value(Duration::from_millis(time)).ok();
            }
            Self::Text => !text.is_empty(),
            Self::Secret => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()),
            Self::SecretHeaders => secret_headers::parse(text).is_some(),
            Self::Choice(known) => known.contains(&text),
            Self::Host => is_host(text),
            Self::HttpUrl => is_http_url(text),
            Self::StoreUrl => StoreTarget::parse(text).is_some(),
            Self::Provider => is_provider_name(text) && text != "auto",
            Self::ProviderOrAuto => is_provider_name(text),
            Self::VariableName => is_variable_name(text),
            Self::Sha256 => text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
            Self::LogFilter => !text.is_empty() && EnvFilter::builder().parse(text).is_ok(),
        };
        fits.then(|| json!(text))
    }

    /// What the key takes, for whoever wrote something else.
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Text => "text that is not empty".into(),
            Self::Secret => "a key of visible ASCII characters, without spaces".into(),
            Self::SecretHeaders => {
                "`NAME=VALUE,NAME=VALUE`, with values in percent encoding".into()
            }
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::Flag => "`true` or `false`".into(),
            Self::Decimal { min, max } => format!("a number from {min} to {max}"),
            Self::Seconds { min, max } => format!("a number of seconds from {min} to {max}"),
            Self::Milliseconds { max } => format!("a whole number of milliseconds from 0 to {max}"),
            Self::Choice(known) => format!("one of {}", quoted(known)),
            Self::List(items) => items.expected(),
            Self::Host => "an IP address or a host name".into(),
            Self::HttpUrl => {
                "an http or https URL without user, password, query and fragment".into()
            }
            Self::StoreUrl => {
                "`sqlite:PATH` without parameters, a path that begins with `.` or `/`, or \
                               `postgres://USER:PASSWORD@HOST:PORT/DATABASE`"
                    .into()
            }
            Self::Provider => "`gemini`, `openai`, `demo` or the NAME of a `[providers.NAME]`, in \
                               small letters, digits, `_` and `-`"
                .into(),
            Self::ProviderOrAuto => "`auto`, `gemini`, `openai`, `demo` or the NAME of a \
                                   `[providers.NAME]`, in small letters, digits, `_` and `-`"
                .into(),
            Self::VariableName => "the name of a variable: capitals, digits and `_`".into(),
            Self::Sha256 => "64 hexadecimal digits".into(),
            Self::LogFilter => "directives such as `info` or `info,patter_session=debug`".into(),
        }
    }

    /// The value as it may be shown, also if the key does not take it.
    pub(crate) fn show(&self, value: &Value) -> String {
        match self {
            Self::Secret | Self::SecretHeaders => mask::MASK.into(),
            Self::HttpUrl | Self::StoreUrl => mask::url(&value.to_string()),
            // Somebody may have put the key itself here.
            Self::VariableName | Self::Sha256 if self.parse(value).is_none() => mask::MASK.into(),
            _ => mask::shorten(&value.to_string()),
        }
    }
}

fn decimal(text: &str, min: f64, max: f64) -> Option<f64> {
    text.parse()
        .ok()
        .filter(|number| (min..=max).contains(number))
}

fn quoted(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    text.parse::<std::net::IpAddr>().is_ok() || (text.len() <= 253 && text.split('.').all(is_label))
}

fn is_http_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    })
}

/// Whether `[providers.NAME]` may have this name.
pub(crate) fn is_provider_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
}

fn is_variable_name(text: &str) -> bool {
    let is_capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    !text.is_empty() && text.bytes().all(is_capital)
}
