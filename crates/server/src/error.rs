//! Why a server does not start.

use patter_llm::LlmError;
use patter_store::StoreError;
use patter_tools::RegistryError;

/// Why a server does not start. Nothing of it is worth a second try before somebody has looked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The store cannot be opened: it is not there, or not usable.
    #[error("cannot open the store ({target})")]
    Store {
        /// Which store, without its password.
        target: String,
        /// What it said.
        source: StoreError,
    },
    /// The model cannot be set up: its address or its key is no such thing.
    #[error("cannot set up the model")]
    Model(#[source] LlmError),
    /// A tool cannot be offered: its name is taken or cannot be one.
    #[error("cannot offer the tools")]
    Tools(#[from] RegistryError),
    /// Two routes contradict each other: a defect.
    #[error("cannot set up the routes")]
    Routes(#[from] matchit::InsertError),
}
