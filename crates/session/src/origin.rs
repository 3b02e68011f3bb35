//! Where a message came from: for the traces of its answer, and for whom it is counted.

use std::sync::Arc;

use tracing::{Span, span};

/// The span in which a message was submitted, what the trace of its answer has to do with it, and who asked.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    span: Span,
    is_linked: bool,
    asker: Option<Arc<str>>,
}

impl Origin {
    /// Nowhere: the answer has a trace of its own.
    pub(crate) fn none() -> Self {
        Self {
            span: Span::none(),
            is_linked: false,
            asker: None,
        }
    }

    /// The current span. The answer belongs to its trace, or has one of its own that is linked to it.
    pub(crate) fn here(is_linked: bool, asker: Option<Arc<str>>) -> Self {
        Self {
            span: Span::current(),
            is_linked,
            asker,
        }
    }

    /// Who asked, if anybody is counted.
    pub(crate) fn asker(&self) -> Option<&Arc<str>> {
        self.asker.as_ref()
    }

    pub(crate) fn parent(&self) -> Option<span::Id> {
        self.span.id().filter(|_| !self.is_linked)
    }

    pub(crate) fn link(&self, span: &Span) {
        if self.is_linked {
            span.follows_from(&self.span);
        }
    }
}
