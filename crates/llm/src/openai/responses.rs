//! Responses (<https://platform.openai.com/docs/api-reference/responses>): the body of a request,
//! and what the events of its stream mean. Nothing is stored at the service: every request carries
//! the whole conversation, and the model's reasoning travels in it, encrypted.

mod decode;
mod encode;
mod item;
mod replay;
mod wire;

pub(super) use decode::Decoder;
pub(super) use encode::request;
