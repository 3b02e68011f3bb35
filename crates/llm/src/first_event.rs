//! The beginning of an answer. A provider may accept a request and fail before it says anything,
//! so a model has not begun to answer before its first event.

use crate::error::LlmError;
use crate::event::ModelEvent;
use crate::model::{Answer, ChatModel};
use crate::request::ChatRequest;

/// Asks, and waits for the first event of the answer; gives it and the rest.
///
/// # Errors
///
/// Where the request is not accepted, or the answer begins with an error. An answer that is over
/// before it began is [`LlmError::Truncated`].
///
/// # Cancel safety
///
/// Dropping the future closes the request.
pub(crate) async fn first_event<M: ChatModel + ?Sized>(
    model: &M,
    request: &ChatRequest,
) -> Result<(ModelEvent, Answer), LlmError> {
    let mut answer = model.stream(request).await?;
    match answer.next().await {
        Some(event) => Ok((event?, answer)),
        None => Err(LlmError::Truncated {
            provider: model.provider().to_owned(),
        }),
    }
}
