//! What is known about models: the built-in table, and over it what the configuration says.

use patter_llm::{Catalog, ModelInfo, Price};
use url::Url;

use crate::config::{Config, ModelConfig};

/// The table with all that the configuration changes in it.
pub(crate) fn catalog(config: &Config) -> Catalog {
    let mut catalog = Catalog::builtin();
    // Behind an address of one's own is somebody else, with other prices and windows.
    for (provider, base_url, makers) in [
        ("gemini", &config.gemini.base_url, "googleapis.com"),
        ("openai", &config.openai.base_url, "openai.com"),
    ] {
        if base_url.as_deref().is_some_and(|url| !is_at(url, makers)) {
            catalog = catalog.without_provider(provider);
        }
    }
    config.models.iter().map(info).fold(catalog, Catalog::with)
}

/// Whether the host of the URL is the domain or within it.
fn is_at(url: &str, domain: &str) -> bool {
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    host.strip_suffix(domain)
        .is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

fn info(model: &ModelConfig) -> ModelInfo {
    let mut info = ModelInfo::new(&model.provider, &model.name);
    info.context_window = model.context_window;
    info.max_output_tokens = model.max_output_tokens;
    if model.input_price.is_some() {
        info.prices = vec![Price {
            input: model.input_price,
            output: model.output_price,
            cached_input: model.cached_input_price,
            ..Price::default()
        }];
    }
    info
}
