//! Which tools of a server are offered, and under which names.

use std::collections::{BTreeMap, BTreeSet};

use rmcp::model::Tool as RemoteTool;
use serde_json::Value;
use tracing::warn;

use super::Link;
use super::tool::McpTool;
use crate::{ToolPolicy, ToolRegistry, ToolSpec};

/// `OpenAI` takes 128 tools of all servers together.
const MAX_TOOLS: usize = 128;
/// A server that makes up new names again and again is not listened to for ever.
const MAX_SEEN: usize = 512;
/// A larger schema would crowd out the conversation.
const MAX_SCHEMA_BYTES: usize = 32 * 1024;

/// The tools of one server in a registry.
#[derive(Debug)]
pub(super) struct Offer {
    link: Link,
    only: Vec<String>,
    policy: ToolPolicy,
    tools: ToolRegistry,
    /// What each tool was when it was first seen, by the name under which it is offered.
    seen: BTreeMap<String, Seen>,
    offered: BTreeSet<String>,
}

/// What somebody trusts who trusts a tool.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    spec: ToolSpec,
    remote_name: String,
    writes: bool,
}

impl Offer {
    pub(super) fn new(
        link: Link,
        only: Vec<String>,
        policy: ToolPolicy,
        tools: ToolRegistry,
    ) -> Self {
        Self {
            link,
            only,
            policy,
            tools,
            seen: BTreeMap::new(),
            offered: BTreeSet::new(),
        }
    }

    /// Makes the tools of the server in the registry those that it has now.
    pub(super) fn update(&mut self, remote: Vec<RemoteTool>) {
        let mut now = BTreeMap::new();
        for tool in remote {
            if !self.only.is_empty() && !self.only.iter().any(|it| *it == *tool.name) {
                continue;
            }
            let Some(tool) = self.read(tool) else {
                continue;
            };
            if now.len() == MAX_TOOLS {
                self.warn(
                    &tool.spec.name,
                    "the server has more tools than can be offered",
                );
                break;
            }
            let name = tool.spec.name.clone();
            if now.insert(name.clone(), tool).is_some() {
                self.warn(&name, "the server has two tools for this name");
            }
        }
        let gone: Vec<_> = self
            .offered
            .iter()
            .filter(|it| !now.contains_key(*it))
            .cloned()
            .collect();
        gone.iter().for_each(|name| self.withdraw(name));
        for (name, tool) in now {
            self.offer(name, tool);
        }
    }

    /// Takes all of them out of the registry.
    pub(super) fn withdraw_all(&mut self) {
        for name in std::mem::take(&mut self.offered) {
            self.tools.remove(&name);
        }
    }

    fn offer(&mut self, name: String, tool: Seen) {
        match self.seen.get(&name) {
            Some(seen) if *seen != tool => {
                self.warn(&name, "it is not what it was when it was first seen");
                self.withdraw(&name);
                return;
            }
            Some(_) if self.offered.contains(&name) => return,
            Some(_) => {}
            None if self.seen.len() == MAX_SEEN => {
                self.warn(&name, "the server has had too many tools");
                return;
            }
            None => {
                self.seen.insert(name.clone(), tool.clone());
            }
        }
        let tool = McpTool::new(self.link.clone(), tool.spec, tool.remote_name, tool.writes);
        match self.tools.add_with_policy(tool, self.policy) {
            Ok(()) => {
                self.offered.insert(name);
            }
            Err(error) => self.warn(&name, &error.to_string()),
        }
    }

    fn withdraw(&mut self, name: &str) {
        if self.offered.remove(name) {
            self.tools.remove(name);
        }
    }

    fn read(&self, tool: RemoteTool) -> Option<Seen> {
        let mut name = format!("{}__", self.link.server);
        name.extend(tool.name.chars().map(|it| match it {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => it,
            _ => '_',
        }));
        let mut schema = (*tool.input_schema).clone();
        // No API needs to be told, and not all take it.
        schema.remove("$schema");
        let secrets = &self.link.secrets;
        let mut parameters = Value::Object(schema);
        secrets.hide_in(&mut parameters);
        if parameters.to_string().len() > MAX_SCHEMA_BYTES {
            self.warn(&name, "its schema is too large");
            return None;
        }
        // Models read every description at every step, and a server may hide instructions in a long one.
        let description = secrets.shorten(tool.description.unwrap_or_default().into_owned());
        let hints = tool.annotations;
        Some(Seen {
            // By the protocol a tool that does not say is one that may write.
            writes: !hints.and_then(|it| it.read_only_hint).unwrap_or(false),
            remote_name: tool.name.into_owned(),
            spec: ToolSpec {
                name,
                description,
                parameters,
            },
        })
    }

    fn warn(&self, tool: &str, why: &str) {
        warn!(
            plugin = &*self.link.server,
            tool,
            error = why,
            "a tool of an MCP server is not offered"
        );
    }
}
