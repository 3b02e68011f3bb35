//! Lists: `a,b` in a variable, `["a", "b"]` in the file.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Value as Json, json};
use url::Url;

use super::super::model_name::ModelName;
use super::super::value::Value;
use super::quoted;

/// What the items of a list are.
#[derive(Debug)]
pub(crate) enum Items {
    /// Some of several words, or none.
    Known(&'static [&'static str]),
    /// Any texts, or none.
    Texts,
    /// At least one port.
    Ports,
    /// Origins of pages: a scheme, a host, a port where it is not the usual one.
    Origins,
    /// Networks, or none; an address is a network of its own.
    Networks,
    /// Names of hosts, or none.
    Hosts,
    /// Names of environment variables, or none.
    Variables,
    /// At least one text.
    SomeTexts,
    /// At least one regular expression. Several stand in the file alone: a comma may be part of
    /// one.
    Patterns,
    /// At least one text, number or truth value.
    Scalars,
    /// Models, each as [`ModelName`] reads it.
    Models,
}

/// In a list of hosts: whichever it is.
pub(crate) const ANY_HOST: &str = "*";

impl Items {
    pub(super) fn parse(&self, value: &Value) -> Option<Json> {
        let items = match (self, value) {
            (Self::Patterns, Value::Text(text)) => vec![text.as_str()],
            (_, Value::Text(text)) => split(text),
            (Self::Patterns, Value::List(items)) => items.iter().map(String::as_str).collect(),
            (_, Value::List(items)) => items.iter().map(|item| item.trim()).collect(),
            (_, Value::Other(_)) => return None,
        };
        let fits = |item: &&str| match self {
            Self::Known(known) => known.contains(item),
            Self::Ports => item.parse().is_ok_and(|port: u16| port != 0),
            Self::Origins => is_origin(item),
            Self::Networks => network(item).is_some(),
            Self::Hosts => *item == ANY_HOST || super::is_host(item),
            Self::Variables => super::is_variable_name(item),
            Self::Models => ModelName::parse(item).is_some(),
            Self::Texts | Self::SomeTexts | Self::Patterns | Self::Scalars => !item.is_empty(),
        };
        let may_be_none = matches!(
            self,
            Self::Known(_)
                | Self::Texts
                | Self::Origins
                | Self::Networks
                | Self::Hosts
                | Self::Variables
                | Self::Models
        );
        if !items.iter().all(fits) || (items.is_empty() && !may_be_none) {
            return None;
        }
        Some(match self {
            Self::Ports => items
                .iter()
                .filter_map(|item| item.parse::<u16>().ok())
                .collect(),
            Self::Networks => json!(items.into_iter().filter_map(network).collect::<Vec<_>>()),
            Self::Scalars => items.into_iter().flat_map(meanings).collect(),
            _ => json!(items),
        })
    }

    pub(super) fn expected(&self) -> String {
        match self {
            Self::Known(known) => format!("none, one or several of {}", quoted(known)),
            Self::Texts => "a list of texts, none of them empty".into(),
            Self::Ports => "one or several ports from 1 to 65535".into(),
            Self::Origins => "a list of origins such as `https://app.example.org`, as browsers write them".into(),
            Self::Networks => "a list of networks such as `10.0.0.0/8` or `fd00::/8`, or of addresses".into(),
            Self::Hosts => "a list of host names such as `app.example.org`, without ports, or `*`".into(),
            Self::Variables => "a list of names of variables: capitals, digits and `_`".into(),
            Self::SomeTexts => "one or several texts, none of them empty".into(),
            Self::Patterns => "one or several regular expressions".into(),
            Self::Scalars => "one or several texts, numbers or truth values".into(),
            Self::Models => "a list of `PROVIDER` or `PROVIDER/MODEL`, where PROVIDER is \
                             `gemini`, `openai`, `demo` or the NAME of a `[providers.NAME]`, in small \
                             letters"
                .into(),
        }
    }
}

/// Whether a browser would write the origin just so.
fn is_origin(text: &str) -> bool {
    let is_http = |url: &Url| matches!(url.scheme(), "http" | "https");
    let url = Url::parse(text).ok().filter(is_http);
    url.is_some_and(|url| url.origin().ascii_serialization() == text)
}

fn network(text: &str) -> Option<IpNet> {
    let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(address)
}

/// The items of a list in a variable, which stand between commas.
pub(crate) fn split(text: &str) -> Vec<&str> {
    let items = text.split(',').map(str::trim);
    items.filter(|item| !item.is_empty()).collect()
}

/// What a scalar may mean: a client may have written `3` or `"3"`, and a variable is always text.
fn meanings(text: &str) -> Vec<Json> {
    match serde_json::from_str(text) {
        Ok(scalar @ (Json::Number(_) | Json::Bool(_))) => vec![scalar, json!(text)],
        _ => vec![json!(text)],
    }
}
