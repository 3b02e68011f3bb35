//! A tool made from an async function.

use std::marker::PhantomData;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Tool, ToolContext, ToolError, ToolSpec, arguments};

/// Makes a tool from an async function.
///
/// The model sees the JSON Schema of `A`, with the doc comments of its fields. Arguments that do
/// not fit `A` are answered with [`ToolError::InvalidArguments`], and the function is not called.
pub fn tool<A, F, Answer>(
    name: impl Into<String>,
    description: impl Into<String>,
    function: F,
) -> impl Tool + 'static
where
    A: DeserializeOwned + JsonSchema + Send + 'static,
    F: Fn(A, ToolContext) -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Result<Value, ToolError>> + Send + 'static,
{
    FunctionTool {
        spec: ToolSpec::of::<A>(name, description),
        function,
        arguments: PhantomData,
    }
}

struct FunctionTool<A, F> {
    spec: ToolSpec,
    function: F,
    arguments: PhantomData<fn(A)>,
}

#[async_trait]
impl<A, F, Answer> Tool for FunctionTool<A, F>
where
    A: DeserializeOwned + Send + 'static,
    F: Fn(A, ToolContext) -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Result<Value, ToolError>> + Send + 'static,
{
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn checks_arguments(&self) -> bool {
        true
    }

    async fn call(
        &self,
        arguments: Map<String, Value>,
        context: ToolContext,
    ) -> Result<Value, ToolError> {
        (self.function)(arguments::parse(arguments)?, context).await
    }
}
