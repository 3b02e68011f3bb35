//! The sizes that the protocol sets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest frame, in bytes: 32 KiB of content can grow sixfold by JSON escapes.
pub const MAX_FRAME_BYTES: usize = 262_144;
/// The longest `content` of a user message after trimming, in bytes of UTF-8.
pub const MAX_CONTENT_BYTES: usize = 32_768;
/// The longest `metadata` of a user message, in bytes of its JSON without white space.
pub const MAX_METADATA_BYTES: usize = 4_096;
/// How deep a client's JSON may nest.
pub const MAX_JSON_DEPTH: usize = 32;
/// So many refused frames in a row close the connection.
pub const MAX_REFUSED_FRAMES: u32 = 20;

/// What a client must keep to; told in `session_ready`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Limits {
    /// The longest frame, in bytes.
    pub max_frame_bytes: u32,
    /// The longest `content`, in bytes of UTF-8.
    pub max_content_bytes: u32,
    /// The longest `metadata`, in bytes of JSON.
    pub max_metadata_bytes: u32,
    /// How many messages may wait behind the answer in flight.
    pub max_queued_messages: u32,
}
