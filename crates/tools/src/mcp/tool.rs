//! A tool of a server, as any other tool.

use async_trait::async_trait;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientRequest, RequestId, RequestMetaObject,
    ServerResult,
};
use rmcp::service::{PeerRequestOptions, ServiceError};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::connection::{Peering, Voice, went_away};
use super::{Link, RESTART_PATIENCE, result};
use crate::{Tool, ToolContext, ToolError, ToolSpec};

/// Where a server finds the id of a call, by which it can tell one that it is sent twice.
const CALL_ID: &str = "patter/call_id";

#[derive(Debug)]
pub(super) struct McpTool {
    link: Link,
    spec: ToolSpec,
    remote_name: String,
    writes: bool,
}

impl McpTool {
    pub(super) fn new(link: Link, spec: ToolSpec, remote_name: String, writes: bool) -> Self {
        Self {
            link,
            spec,
            remote_name,
            writes,
        }
    }

    /// Whom to ask, after a restart of the server if it is down just now.
    async fn voice(&self) -> Result<Voice, ToolError> {
        let mut peering = self.link.peering.clone();
        let is_up = peering.wait_for(|it| match it {
            Peering::Up(voice) => voice.is_open(),
            Peering::Starting | Peering::Down(_) => false,
        });
        if let Ok(Ok(up)) = timeout(RESTART_PATIENCE, is_up).await
            && let Peering::Up(voice) = &*up
        {
            return Ok(voice.clone());
        }
        let why = match &*self.link.peering.borrow() {
            Peering::Down(why) => why.clone(),
            Peering::Starting | Peering::Up(_) => "it is being started".to_owned(),
        };
        Err(self.not_there(&why))
    }

    fn not_there(&self, why: &str) -> ToolError {
        let server = &self.link.server;
        ToolError::Failed(format!(
            "not run: the MCP server `{server}` is not there: {why}"
        ))
    }

    fn read(&self, answer: Result<ServerResult, ServiceError>) -> Result<Value, ToolError> {
        let outcome = match answer {
            Ok(ServerResult::CallToolResult(answer)) => result::read(answer),
            Ok(ServerResult::EmptyResult(_)) => Ok(Value::Null),
            Ok(ServerResult::InputRequiredResult(_)) => Err(ToolError::Failed(
                "the tool wants to ask people something, which it cannot here".to_owned(),
            )),
            Ok(_) => Err(ToolError::InvalidOutput(
                "it is no result of a tool".to_owned(),
            )),
            Err(error) => Err(self.error(error)),
        };
        let secrets = &self.link.secrets;
        let mut value = outcome.map_err(|error| secrets.hide_in_error(error))?;
        secrets.hide_in(&mut value);
        Ok(value)
    }

    fn error(&self, error: ServiceError) -> ToolError {
        match error {
            ServiceError::McpError(error) => ToolError::Failed(error.message.into_owned()),
            ServiceError::TransportClosed => ToolError::Failed(went_away(&self.link.server)),
            error => {
                let server = &self.link.server;
                ToolError::Failed(format!("the MCP server `{server}` failed: {error}"))
            }
        }
    }
}

#[async_trait]
impl Tool for McpTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn writes(&self) -> bool {
        self.writes
    }

    async fn call(
        &self,
        arguments: Map<String, Value>,
        context: ToolContext,
    ) -> Result<Value, ToolError> {
        let voice = self.voice().await?;
        let _turn = voice.turns.acquire().await;
        if !voice.is_open() {
            return Err(self.not_there("it has gone away"));
        }
        let params = CallToolRequestParams::new(self.remote_name.clone()).with_arguments(arguments);
        let mut meta = RequestMetaObject::default();
        meta.0.insert(CALL_ID.to_owned(), json!(context.call_id));
        let options = PeerRequestOptions::no_options().with_meta(meta);
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        let sending = voice.peer.send_request_with_option(request, options);
        let Ok(sent) = sending.await else {
            return Err(self.not_there("it has gone away"));
        };
        let _listening = voice
            .handler
            .listen(sent.progress_token.clone(), context.progress);
        let mut under_way = UnderWay {
            call: Some(sent.id.clone()),
            given_up: voice.given_up,
        };
        let answer = tokio::select! {
            biased;
            answer = sent.await_response() => answer,
            () = voice.gone.cancelled() => Err(ServiceError::TransportClosed),
        };
        under_way.call = None;
        if let Err(ServiceError::TransportSend(_)) = answer {
            voice.failed.notify_one();
        }
        self.read(answer)
    }
}

/// A call that the server is to forget if it is dropped before its answer.
struct UnderWay {
    call: Option<RequestId>,
    given_up: mpsc::Sender<RequestId>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(call) = self.call.take() {
            // Where too many were given up, the server answers for nobody.
            let _told = self.given_up.try_send(call).is_ok();
        }
    }
}
