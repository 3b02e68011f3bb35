//! What was told in confidence to a service that a tool asks, so that it does not come back in a result:
//! some services quote the headers or the variables that they were given.

use std::fmt;

use serde_json::Value;

use crate::ToolError;

/// Shorter words occur by themselves.
const MIN_BYTES: usize = 8;
/// Of what a stranger says, nobody reads more.
const MAX_SAID_BYTES: usize = 1024;
const MASK: &str = "[secret]";

/// Does not print.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// These texts, and each word of them: of `Bearer KEY`, the key too.
    pub(crate) fn new<'a>(texts: impl IntoIterator<Item = &'a String>) -> Self {
        let mut secrets = Vec::new();
        for text in texts {
            secrets.push(text.clone());
            secrets.extend(text.split_whitespace().map(str::to_owned));
        }
        secrets.retain(|secret| secret.len() >= MIN_BYTES);
        // A longer one first: it may have a shorter one in it.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self(secrets)
    }

    /// What a stranger said, for a log or for a person: without them, and short.
    pub(crate) fn shorten(&self, text: String) -> String {
        let mut text = self.without(text);
        if text.len() > MAX_SAID_BYTES {
            text.truncate(text.floor_char_boundary(MAX_SAID_BYTES));
            text.push('…');
        }
        text
    }

    /// The error without them.
    pub(crate) fn hide_in_error(&self, error: ToolError) -> ToolError {
        match error {
            ToolError::Failed(why) => ToolError::Failed(self.without(why)),
            ToolError::InvalidOutput(why) => ToolError::InvalidOutput(self.without(why)),
            other => other,
        }
    }

    /// Takes them out of a value. Recursion is as deep as JSON that was read can be.
    pub(crate) fn hide_in(&self, value: &mut Value) {
        if self.0.is_empty() {
            return;
        }
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) => *text = self.without(std::mem::take(text)),
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide_in(item)),
            Value::Object(fields) => {
                let all = std::mem::take(fields);
                for (name, mut value) in all {
                    self.hide_in(&mut value);
                    fields.insert(self.without(name), value);
                }
            }
        }
    }

    fn without(&self, text: String) -> String {
        self.0.iter().fold(text, |text, secret| {
            if text.contains(secret) {
                text.replace(secret, MASK)
            } else {
                text
            }
        })
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}
