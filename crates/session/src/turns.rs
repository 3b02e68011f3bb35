//! How many answers are given at the same time: by all sessions of a process, and for any one of those who
//! ask. A session has one place, from the moment at which it takes a message until nothing is left to answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use patter_protocol::ErrorCode;

use crate::command::{Refusal, error_event};
use crate::settings::SessionSettings;

/// Nobody knows when an answer ends; few take longer.
const RETRY_AFTER_MS: u64 = 2_000;

/// The places. There are no more entries than places taken.
#[derive(Debug)]
pub(crate) struct Turns {
    max: usize,
    max_of_one: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_asker: HashMap<Arc<str>, usize>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(crate) struct TurnPlace {
    turns: Arc<Turns>,
    asker: Option<Arc<str>>,
}

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// Whoever asks has all that one may have.
    OfAsker,
    /// All are taken.
    AtAll,
}

impl Turns {
    pub(crate) fn new(settings: &SessionSettings) -> Self {
        Self {
            max: settings.max_turns,
            max_of_one: settings.max_turns_of_one,
            taken: Mutex::default(),
        }
    }

    /// A place for what is asked now.
    pub(crate) fn begin(self: &Arc<Self>, asker: Option<&Arc<str>>) -> Result<TurnPlace, NoPlace> {
        let mut taken = self.taken();
        let of_asker = asker.and_then(|asker| taken.by_asker.get(asker).copied());
        if of_asker.is_some_and(|of_asker| of_asker >= self.max_of_one) {
            return Err(NoPlace::OfAsker);
        }
        if taken.all >= self.max {
            return Err(NoPlace::AtAll);
        }
        Ok(self.place(&mut taken, asker))
    }

    /// A place for what was asked before and cannot be refused any more, whether there is one or not.
    pub(crate) fn go_on(self: &Arc<Self>) -> TurnPlace {
        self.place(&mut self.taken(), None)
    }

    fn place(self: &Arc<Self>, taken: &mut Taken, asker: Option<&Arc<str>>) -> TurnPlace {
        taken.all += 1;
        if let Some(asker) = asker {
            *taken.by_asker.entry(Arc::clone(asker)).or_default() += 1;
        }
        TurnPlace {
            turns: Arc::clone(self),
            asker: asker.cloned(),
        }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing panics while it is locked.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TurnPlace {
    fn drop(&mut self) {
        let mut taken = self.turns.taken();
        taken.all -= 1;
        let Some(asker) = &self.asker else {
            return;
        };
        if let Some(of_asker) = taken.by_asker.get_mut(asker) {
            *of_asker -= 1;
            if *of_asker == 0 {
                taken.by_asker.remove(asker);
            }
        }
    }
}

impl From<NoPlace> for Refusal {
    fn from(none: NoPlace) -> Self {
        let (code, limit, message) = match none {
            NoPlace::OfAsker => (
                ErrorCode::RateLimited,
                "turns_of_user",
                "too many answers are in flight for you already; the message was not taken",
            ),
            NoPlace::AtAll => (
                ErrorCode::Busy,
                "turns",
                "the server gives as many answers as it can; the message was not taken",
            ),
        };
        let mut event = error_event(code, message);
        event.details.insert("limit".to_owned(), limit.into());
        let wait = RETRY_AFTER_MS.into();
        event.details.insert("retry_after_ms".to_owned(), wait);
        Self::Refused(event)
    }
}
