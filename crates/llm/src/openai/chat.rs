//! Chat Completions (<https://platform.openai.com/docs/api-reference/chat>): the body of a request,
//! and what its chunks mean.

mod calls;
mod decode;
mod dialect;
mod encode;
mod replay;
mod template;
mod wire;

pub(super) use decode::Decoder;
pub(super) use dialect::Dialect;
pub(super) use encode::request;
