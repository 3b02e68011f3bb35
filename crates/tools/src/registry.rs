//! The tools of conversations, and the safe way to call them.
//!
//! Whatever a tool does, a call ends by its deadline, and its result is one that can be stored,
//! sent, and read back.

mod counts;
mod guarded;
mod hygiene;
mod policy;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use serde_json::{Map, Value};
use tracing::{Instrument, error_span};

use crate::arguments::Schema;
use crate::{RegistryError, Tool, ToolContext, ToolError, ToolSpec, trace};
use counts::Counts;
pub use counts::ToolCounts;
use policy::Rule;
pub use policy::{Approval, ToolPolicy};

/// What a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToolLimits {
    /// How long one call may take. 30 seconds.
    pub timeout: Duration,
    /// The largest result, in bytes of JSON. 256 KiB.
    pub max_result_bytes: usize,
}

impl Default for ToolLimits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            max_result_bytes: 256 * 1024,
        }
    }
}

/// A set of tools with different names, to which tools may come, and from which they may go, while it is
/// in use. Cloning it is cheap and shares the tools.
#[derive(Clone, Default)]
pub struct ToolRegistry {
    shared: Arc<RwLock<Shared>>,
    limits: ToolLimits,
    /// Whether traces hold arguments and results.
    traces_content: bool,
    /// If so, only tools with these names are in it.
    only: Option<Arc<BTreeSet<String>>>,
}

/// Sorted by name, so that a model sees the same list every time and its cache holds.
#[derive(Default)]
struct Shared {
    tools: BTreeMap<String, Entry>,
    rules: BTreeMap<String, Arc<Rule>>,
}

#[derive(Clone)]
struct Entry {
    tool: Arc<dyn Tool>,
    /// What the registry checks arguments against, unless the tool does.
    schema: Option<Arc<Schema>>,
    counts: Arc<Counts>,
}

impl ToolRegistry {
    /// A registry without tools, with the default limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the limits of every call that is made through this registry and clones of it.
    #[must_use]
    pub fn with_limits(mut self, limits: ToolLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether the spans of calls that are made through this registry and clones of it hold their
    /// arguments and results, as far as they are not too long; by default not.
    #[must_use]
    pub fn with_traced_content(mut self, traces_content: bool) -> Self {
        self.traces_content = traces_content;
        self
    }

    /// Adds a tool, for a chain of calls.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub fn with(self, tool: impl Tool + 'static) -> Result<Self, RegistryError> {
        self.add(tool)?;
        Ok(self)
    }

    /// Adds a tool, which all clones get.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] when the name is not one that every provider accepts, when it is taken,
    /// or when the arguments are not an object, or not described by a schema that can be used. The
    /// registry is as it was then.
    pub fn add(&self, tool: impl Tool + 'static) -> Result<(), RegistryError> {
        self.add_with_policy(tool, ToolPolicy::default())
    }

    /// Adds a tool and [its policy](Self::add_policy), which holds for its first call already.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub fn add_with_policy(
        &self,
        tool: impl Tool + 'static,
        policy: ToolPolicy,
    ) -> Result<(), RegistryError> {
        let spec = tool.spec();
        let name = spec.name.clone();
        if !is_valid_name(&name) {
            return Err(RegistryError::InvalidName(name));
        }
        if spec.parameters.get("type").and_then(Value::as_str) != Some("object") {
            return Err(RegistryError::NotAnObject(name));
        }
        let entry = Entry::new(tool)?;
        let mut shared = self.write();
        if shared.tools.contains_key(&name) {
            return Err(RegistryError::DuplicateName(name));
        }
        shared.add_policy(&name, policy);
        shared.tools.insert(name, entry);
        Ok(())
    }

    /// Takes a tool away, for all clones too; calls of it that run may end. `false` if it was not there.
    pub fn remove(&self, name: &str) -> bool {
        self.write().tools.remove(name).is_some()
    }

    /// Says what holds for calls of the tool with this name, whether it is there already or comes later.
    /// Where several say something, the first does.
    pub fn add_policy(&self, name: &str, policy: ToolPolicy) {
        self.write().add_policy(name, policy);
    }

    /// The same with these tools only; a name that it does not have may come later.
    #[must_use]
    pub fn only(&self, names: &[String]) -> Self {
        let is_in = |name: &&String| self.has_room_for(name);
        Self {
            only: Some(Arc::new(names.iter().filter(is_in).cloned().collect())),
            ..self.clone()
        }
    }

    /// The tool with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<dyn Tool>> {
        self.entry(name).map(|entry| entry.tool)
    }

    /// The descriptions of all tools, sorted by name.
    #[must_use]
    pub fn specs(&self) -> Vec<ToolSpec> {
        self.each(|_, entry| entry.tool.spec().clone())
    }

    /// The names of all tools, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.each(|name, _| name.to_owned())
    }

    /// The limits of every call for which [its policy](Self::policy) says nothing else.
    #[must_use]
    pub fn limits(&self) -> ToolLimits {
        self.limits
    }

    /// What holds for calls of the tool with this name.
    #[must_use]
    pub fn policy(&self, name: &str) -> ToolPolicy {
        self.rule(name).map(|rule| rule.policy).unwrap_or_default()
    }

    /// Whether a person must agree to each call of the tool with this name. Of a tool that is not there, no
    /// call runs anyway.
    #[must_use]
    pub fn needs_approval(&self, name: &str) -> bool {
        match self.policy(name).approval.unwrap_or_default() {
            Approval::Never => false,
            Approval::Writes => self.get(name).is_some_and(|tool| tool.writes()),
            Approval::Always => true,
        }
    }

    /// What was counted of the calls of each tool, sorted by name.
    #[must_use]
    pub fn counts(&self) -> Vec<(String, ToolCounts)> {
        self.each(|name, entry| (name.to_owned(), entry.counts.read()))
    }

    /// Whether there is no tool.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names().is_empty()
    }

    /// Calls the tool named `name`.
    ///
    /// Where only so many calls of a tool may run at the same time, a call waits for its turn first. Then
    /// it ends at the deadline of the context or after its timeout, whichever comes first; the tool is
    /// told the earlier one. A panic in the tool ends this call and nothing else. U+0000, which Postgres
    /// cannot hold, becomes U+FFFD in the result and in errors. Approval and the number of calls in an
    /// answer are the caller's matter.
    ///
    /// # Errors
    ///
    /// What the tool says; [`UnknownTool`](ToolError::UnknownTool);
    /// [`InvalidArguments`](ToolError::InvalidArguments) where they do not fit the schema;
    /// [`Timeout`](ToolError::Timeout); [`TooLarge`](ToolError::TooLarge) and
    /// [`InvalidOutput`](ToolError::InvalidOutput) (nested deeper than 64 levels) for the result;
    /// [`Failed`](ToolError::Failed) for a panic.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the future of the tool.
    pub async fn call(
        &self,
        name: &str,
        arguments: Map<String, Value>,
        context: ToolContext,
    ) -> Result<Value, ToolError> {
        let Some(entry) = self.entry(name) else {
            return Err(hygiene::clean_error(ToolError::UnknownTool(
                name.to_owned(),
            )));
        };
        let rule = self.rule(name);
        let counting = entry.counts.begin();
        // Of the highest level, so that what is told of a call names it whatever is filtered.
        let span = error_span!("tool", name, call_id = context.call_id);
        let shown = self.traces_content.then_some(&arguments);
        let trace = trace::call(name, &context, shown);
        let calling = self.call_in_turn(&entry, rule.as_deref(), arguments, context);
        let result = calling.instrument(trace.clone()).instrument(span).await;
        trace::end(&trace, &result, self.traces_content);
        counting.end(&result);
        result
    }

    async fn call_in_turn(
        &self,
        entry: &Entry,
        rule: Option<&Rule>,
        arguments: Map<String, Value>,
        context: ToolContext,
    ) -> Result<Value, ToolError> {
        let arguments = match &entry.schema {
            Some(schema) => schema.check(arguments).map_err(hygiene::clean_error)?,
            None => arguments,
        };
        let _turn = match rule {
            Some(rule) => rule.turn(context.deadline).await?,
            None => None,
        };
        let limits = rule.map_or(self.limits, |rule| rule.policy.limits(self.limits));
        guarded::call(&*entry.tool, limits, arguments, context).await
    }

    fn entry(&self, name: &str) -> Option<Entry> {
        if !self.has_room_for(name) {
            return None;
        }
        self.read().tools.get(name).cloned()
    }

    fn rule(&self, name: &str) -> Option<Arc<Rule>> {
        self.read().rules.get(name).cloned()
    }

    fn each<T>(&self, mut of: impl FnMut(&str, &Entry) -> T) -> Vec<T> {
        let shared = self.read();
        let entries = shared.tools.iter();
        entries
            .filter(|(name, _)| self.has_room_for(name))
            .map(|(name, entry)| of(name, entry))
            .collect()
    }

    fn has_room_for(&self, name: &str) -> bool {
        let only = self.only.as_ref();
        only.is_none_or(|only| only.contains(name))
    }

    // What is done under the lock cannot panic half-way, so a poisoned one is whole.
    fn read(&self) -> RwLockReadGuard<'_, Shared> {
        self.shared.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Shared> {
        self.shared.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn add_policy(&mut self, name: &str, policy: ToolPolicy) {
        let known = self.rules.get(name).map(|rule| rule.policy);
        let merged = known.unwrap_or_default().or(policy);
        if merged != known.unwrap_or_default() {
            let rule = Arc::new(Rule::new(merged));
            self.rules.insert(name.to_owned(), rule);
        }
    }
}

impl Entry {
    fn new(tool: impl Tool + 'static) -> Result<Self, RegistryError> {
        let spec = tool.spec();
        let schema = if tool.checks_arguments() {
            None
        } else {
            let schema = Schema::new(&spec.parameters);
            let name = spec.name.clone();
            schema
                .map_err(|why| RegistryError::InvalidSchema { name, why })?
                .map(Arc::new)
        };
        Ok(Self {
            schema,
            tool: Arc::new(tool),
            counts: Arc::default(),
        })
    }
}

impl fmt::Debug for ToolRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolRegistry")
            .field("tools", &self.names())
            .field("limits", &self.limits)
            .finish()
    }
}

/// The names that both Gemini and `OpenAI` accept for a function.
fn is_valid_name(name: &str) -> bool {
    let is_first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    name.len() <= 64
        && name.bytes().next().is_some_and(is_first)
        && name
            .bytes()
            .all(|byte| is_first(byte) || byte.is_ascii_digit() || byte == b'-')
}
