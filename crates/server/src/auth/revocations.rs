//! Users whose tokens are no longer believed, although they have not expired: those that were issued before
//! somebody said so at the admin port. Kept by this process and until it ends, for so many users.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use patter_protocol::Timestamp;
use tokio::sync::watch;

use super::{Caller, Subject};

/// Beyond it the oldest one is forgotten: its tokens have expired most likely.
const MAX_USERS: usize = 10_000;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Revocations {
    revoked: watch::Sender<Revoked>,
}

#[derive(Debug, Default)]
pub(super) struct Revoked {
    at: HashMap<Arc<str>, Timestamp>,
    order: VecDeque<Arc<str>>,
}

impl Revocations {
    /// From now on no token of the user that was issued before is believed.
    pub(super) fn revoke(&self, user_id: &str) {
        self.revoked.send_modify(|revoked| revoked.add(user_id));
    }

    /// Whether the caller's credential is among those.
    pub(super) fn cover(&self, caller: &Caller) -> bool {
        let Subject::User(user_id) = &caller.subject else {
            return false;
        };
        let revoked = self.revoked.borrow();
        let Some(at) = revoked.at.get(user_id) else {
            return false;
        };
        caller.issued_at.is_none_or(|issued_at| issued_at <= *at)
    }

    /// Tells when there are more of them.
    pub(super) fn watch(&self) -> watch::Receiver<Revoked> {
        self.revoked.subscribe()
    }
}

impl Revoked {
    fn add(&mut self, user_id: &str) {
        let user_id = Arc::<str>::from(user_id);
        if self
            .at
            .insert(Arc::clone(&user_id), Timestamp::now())
            .is_none()
        {
            self.order.push_back(user_id);
        }
        if self.order.len() > MAX_USERS
            && let Some(oldest) = self.order.pop_front()
        {
            self.at.remove(&oldest);
        }
    }
}
