//! What goes over the wire: the JSON of every message, what is made of the frames of strangers, and the document
//! for clients in other languages.

mod asyncapi;
mod fuzz;
mod parse;
mod session_ids;
mod support;
mod wire;
