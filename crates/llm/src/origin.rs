//! Where private data comes from: only the server and the model that made it can read it again.

use reqwest::Url;
use serde_json::{Map, Value};

use crate::clean;
use crate::message::{AssistantMessage, ProviderData};

/// A model at a server.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// With its port, where it is not the usual one.
    host: String,
    model: String,
}

impl Origin {
    /// A model at the server of this base URL.
    pub(crate) fn new(base: &Url, model: &str) -> Self {
        let host = base.host_str().unwrap_or_default();
        let host = match base.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Self {
            host,
            model: model.to_owned(),
        }
    }

    /// Name of the model.
    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    /// This data of an API, to be kept with an answer from here. It holds `host` and `model` then.
    pub(crate) fn provider_data(&self, kind: &str, mut data: Map<String, Value>) -> ProviderData {
        data.insert("host".to_owned(), self.host.as_str().into());
        data.insert("model".to_owned(), self.model.as_str().into());
        ProviderData {
            kind: kind.to_owned(),
            data: Value::Object(clean::object(data)),
        }
    }

    /// The data of an API that was kept with the message, if it came from here.
    pub(crate) fn data<'a>(&self, kind: &str, message: &'a AssistantMessage) -> Option<&'a Value> {
        let kept = message.provider_data.as_ref()?;
        let data = &kept.data;
        let is_ours = kept.kind == kind
            && data.get("host")? == &self.host
            && data.get("model")? == &self.model;
        is_ours.then_some(data)
    }
}
