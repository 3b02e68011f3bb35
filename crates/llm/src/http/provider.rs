//! How one provider is reached: what all backends over HTTP do before their first request.

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::error::LlmError;
use crate::http::Transport;
use crate::report::Reporter;
use crate::settings::Settings;

/// A provider as it is where the settings say nothing else.
#[derive(Debug)]
pub(crate) struct Provider {
    /// What errors call it.
    pub(crate) name: &'static str,
    /// Where its API is.
    pub(crate) base_url: &'static str,
    /// The header in which the server at a base URL wants the key, and what stands there before
    /// it. Not the URL, where logs would show it.
    pub(crate) key_header: fn(&Url) -> (HeaderName, &'static str),
}

impl Provider {
    /// A pool of connections that sends the key along, and the base URL that is in force, without
    /// its trailing slashes.
    ///
    /// # Errors
    ///
    /// [`LlmError::Settings`] for a base URL or a key that cannot be one.
    pub(crate) fn connect(&self, settings: &Settings) -> Result<(Transport, Url), LlmError> {
        let reporter = self.reporter(settings);
        let base = settings.base_url.as_deref().unwrap_or(self.base_url);
        let base = base_url(base, &reporter)?;
        let mut headers = HeaderMap::new();
        if let Some(key) = &settings.key {
            let (name, prefix) = (self.key_header)(&base);
            headers.insert(name, secret_header(key, prefix, &reporter)?);
        }
        let transport = Transport::new(
            &base,
            headers,
            settings.headers.clone(),
            settings.timeouts,
            reporter,
        )?;
        Ok((transport, base))
    }

    /// Speaks for the provider as the settings name it.
    pub(crate) fn reporter(&self, settings: &Settings) -> Reporter {
        let name = settings.name.as_deref().unwrap_or(self.name);
        Reporter::new(name.to_owned(), settings.key.clone())
    }
}

fn base_url(text: &str, reporter: &Reporter) -> Result<Url, LlmError> {
    let url = Url::parse(text.trim().trim_end_matches('/'))
        .map_err(|error| reporter.settings(&format!("the base URL is none: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(reporter.settings("the base URL does not begin with http:// or https://"));
    }
    Ok(url)
}

/// A header that holds the key and is kept out of debug output.
fn secret_header(
    key: &SecretString,
    prefix: &str,
    reporter: &Reporter,
) -> Result<HeaderValue, LlmError> {
    let mut value = HeaderValue::from_str(&format!("{prefix}{}", key.expose_secret().trim()))
        .map_err(|_| reporter.settings("the key holds characters that no header can carry"))?;
    value.set_sensitive(true);
    Ok(value)
}
