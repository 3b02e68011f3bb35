//! What can go wrong with a call of a tool, and with adding one.
//!
//! The text of a [`ToolError`] is shown to the model, which may correct itself by it.

use std::time::Duration;

/// Why a call of a tool has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// The arguments do not fit the tool; the text names the field and says what is wrong.
    #[error("the arguments do not fit: {0}")]
    InvalidArguments(String),
    /// No tool has this name.
    #[error("there is no tool named `{0}`")]
    UnknownTool(String),
    /// The call did not end in time and was stopped.
    #[error("the tool did not answer within {} ms", .limit.as_millis())]
    Timeout {
        /// How long it had.
        limit: Duration,
    },
    /// The result is larger than what may be kept and sent.
    #[error("the result has {bytes} bytes, more than the {limit} that are allowed")]
    TooLarge {
        /// Size of the result, in bytes of JSON.
        bytes: usize,
        /// The largest size allowed, in bytes of JSON.
        limit: usize,
    },
    /// The tool was asked to reach an address that it must not reach.
    #[error("the address may not be reached: {0}")]
    BlockedAddress(String),
    /// The call needed a person's approval and did not get it.
    #[error("the call was not approved")]
    NotApproved,
    /// The tool answered with what cannot be used as a result.
    #[error("the tool gave a result that cannot be used: {0}")]
    InvalidOutput(String),
    /// The call was stopped from outside before it ended.
    #[error("the call was interrupted")]
    Interrupted,
    /// The tool tried and failed; the text says how.
    #[error("{0}")]
    Failed(String),
}

/// The kind of a [`ToolError`], without its details: one for each code of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ToolErrorKind {
    /// See [`ToolError::InvalidArguments`].
    InvalidArguments,
    /// See [`ToolError::UnknownTool`].
    UnknownTool,
    /// See [`ToolError::Timeout`].
    Timeout,
    /// See [`ToolError::TooLarge`].
    TooLarge,
    /// See [`ToolError::BlockedAddress`].
    BlockedAddress,
    /// See [`ToolError::NotApproved`].
    NotApproved,
    /// See [`ToolError::InvalidOutput`].
    InvalidOutput,
    /// See [`ToolError::Interrupted`].
    Interrupted,
    /// See [`ToolError::Failed`].
    Failed,
}

impl ToolErrorKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::InvalidArguments,
        Self::UnknownTool,
        Self::Timeout,
        Self::TooLarge,
        Self::BlockedAddress,
        Self::NotApproved,
        Self::InvalidOutput,
        Self::Interrupted,
        Self::Failed,
    ];

    /// The code of the protocol for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidArguments => "invalid_arguments",
            Self::UnknownTool => "unknown_tool",
            Self::Timeout => "timeout",
            Self::TooLarge => "too_large",
            Self::BlockedAddress => "blocked_address",
            Self::NotApproved => "not_approved",
            Self::InvalidOutput => "invalid_output",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

impl ToolError {
    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> ToolErrorKind {
        match self {
            Self::InvalidArguments(_) => ToolErrorKind::InvalidArguments,
            Self::UnknownTool(_) => ToolErrorKind::UnknownTool,
            Self::Timeout { .. } => ToolErrorKind::Timeout,
            Self::TooLarge { .. } => ToolErrorKind::TooLarge,
            Self::BlockedAddress(_) => ToolErrorKind::BlockedAddress,
            Self::NotApproved => ToolErrorKind::NotApproved,
            Self::InvalidOutput(_) => ToolErrorKind::InvalidOutput,
            Self::Interrupted => ToolErrorKind::Interrupted,
            Self::Failed(_) => ToolErrorKind::Failed,
        }
    }
}

/// Why a tool was not added to a registry. A matter of start-up, never of a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The name is not one that every provider accepts.
    #[error(
        "the tool name `{0}` is not a letter or `_` followed by at most 63 letters, digits, `_` or `-`"
    )]
    InvalidName(String),
    /// Another tool has the name already.
    #[error("there is a tool named `{0}` already")]
    DuplicateName(String),
    /// The arguments are not described as a JSON object, the only form a model can write.
    #[error("the arguments of the tool `{0}` are not an object: use a struct with named fields")]
    NotAnObject(String),
    /// The schema of the arguments is none, or refers to what is not in it.
    #[error("the schema of the arguments of the tool `{name}` cannot be used: {why}")]
    InvalidSchema {
        /// The tool.
        name: String,
        /// What is wrong with it.
        why: String,
    },
}
