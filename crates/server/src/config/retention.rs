//! What is kept, and for how long.

use serde::Deserialize;

/// When sessions are deleted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RetentionConfig {
    /// So many days after its end; never, where there is none.
    pub days: Option<u32>,
}
