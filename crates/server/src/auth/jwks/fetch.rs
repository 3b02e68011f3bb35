//! Asks a provider for its keys, within bounds of time and size, and follows nobody elsewhere.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use jsonwebtoken::jwk::Jwk;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::Keys;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TIMEOUT: Duration = Duration::from_secs(5);
/// A set of keys has one or two thousand.
const MAX_BYTES: usize = 64 * 1024;

/// See the [module](self).
pub(super) struct Fetcher {
    client: Client,
    url: String,
}

/// A set, of which some keys may be of kinds that nobody knows yet.
#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("{0}")]
    Request(#[from] reqwest::Error),
    #[error("the answer is {0}")]
    Status(StatusCode),
    #[error("the answer has more than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("the answer is no set of keys: {0}")]
    NoSet(#[from] serde_json::Error),
}

impl Fetcher {
    pub(super) fn new(url: String) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // One request in ten minutes needs no connection between.
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { client, url })
    }

    /// The keys, or what went wrong, in words for the log.
    pub(super) fn fetch(&self) -> impl Future<Output = Result<Arc<Keys>, Arc<str>>> + use<> {
        let (client, url) = (self.client.clone(), self.url.clone());
        async move {
            let keys = fetch(&client, &url).await;
            keys.map(Arc::new).map_err(|error| error.to_string().into())
        }
    }
}

async fn fetch(client: &Client, url: &str) -> Result<Keys, FetchError> {
    let mut answer = client.get(url).send().await?;
    if answer.status() != StatusCode::OK {
        return Err(FetchError::Status(answer.status()));
    }
    let mut body = BytesMut::new();
    while let Some(piece) = answer.chunk().await? {
        if body.len() + piece.len() > MAX_BYTES {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    let set: Set = serde_json::from_slice(&body)?;
    let known = set.keys.into_iter();
    Ok(Keys::new(
        known.filter_map(|key| serde_json::from_value::<Jwk>(key).ok()),
    ))
}
