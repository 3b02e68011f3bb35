//! Who is let in, and what they see, as the configuration has it.

use serde::Deserialize;

/// Who is let in, and what they see.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AuthConfig {
    /// Whether everybody may list and search what everybody said, where nobody is asked who they are.
    pub open_lists: bool,
}
