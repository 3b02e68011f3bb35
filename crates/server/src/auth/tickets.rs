//! Tickets for WebSockets: secrets that stand in a URL, where browsers cannot send a header, and are
//! therefore good once, for one session, and for half a minute. They are kept as digests, by this process
//! alone, and no more of them than a bounded number.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use patter_protocol::SessionId;
use tokio::time::Instant;

use super::Caller;
use super::secret::{Sha256, random, sha256};

/// A ticket is used at once, or never.
pub(crate) const LIFETIME: Duration = Duration::from_secs(30);
/// All that are not used at the same time, and those of one caller. The oldest ones make room.
const MAX_TICKETS: usize = 8192;
const MAX_OF_ONE: usize = 32;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Tickets {
    /// In the order in which they expire.
    open: Mutex<VecDeque<Ticket>>,
}

#[derive(Debug)]
struct Ticket {
    hash: Sha256,
    caller: Caller,
    session_id: SessionId,
    made_at: Instant,
}

impl Tickets {
    /// A ticket with which the caller may open this session once; `None` where there is no randomness.
    pub(super) fn issue(&self, caller: Caller, session_id: SessionId) -> Option<String> {
        let secret = random()?;
        let ticket = Ticket {
            hash: sha256(&secret),
            caller,
            session_id,
            made_at: Instant::now(),
        };
        self.change(|open| {
            let is_same = |other: &Ticket| other.caller.subject == ticket.caller.subject;
            let of_one = open.iter().filter(|other| is_same(other)).count();
            if of_one >= MAX_OF_ONE
                && let Some(oldest) = open.iter().position(is_same)
            {
                open.remove(oldest);
            }
            if open.len() >= MAX_TICKETS {
                open.pop_front();
            }
            open.push_back(ticket);
        });
        Some(secret)
    }

    /// Whose ticket it is. It is used up by that, also where it is for another session.
    pub(super) fn redeem(&self, secret: &str, session_id: &SessionId) -> Option<Caller> {
        let hash = sha256(secret);
        let ticket = self.change(|open| {
            let place = open.iter().position(|ticket| ticket.hash == hash)?;
            open.remove(place)
        })?;
        (ticket.session_id == *session_id).then_some(ticket.caller)
    }

    fn change<T>(&self, change: impl FnOnce(&mut VecDeque<Ticket>) -> T) -> T {
        // Nothing panics while it is held.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        while open
            .front()
            .is_some_and(|ticket| ticket.made_at.elapsed() >= LIFETIME)
        {
            open.pop_front();
        }
        change(&mut open)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::super::{Origin, Subject};
    use super::*;

    fn user(name: &str) -> Caller {
        Caller {
            subject: Subject::User(name.into()),
            ..Caller::anyone(Origin {
                address: IpAddr::V4(Ipv4Addr::LOCALHOST),
                is_local: true,
            })
        }
    }

    fn session() -> SessionId {
        "s".parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_ticket_is_good_for_half_a_minute() {
        let tickets = Tickets::default();
        let [young, old] = [(); 2].map(|()| tickets.issue(user("a"), session()).unwrap());
        tokio::time::advance(Duration::from_secs(29)).await;
        assert!(tickets.redeem(&young, &session()).is_some());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(tickets.redeem(&old, &session()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_takes_many_loses_their_own_oldest_ones_and_nobody_elses() {
        let tickets = Tickets::default();
        let others = tickets.issue(user("b"), session()).unwrap();
        let oldest = tickets.issue(user("a"), session()).unwrap();
        for _ in 0..MAX_OF_ONE {
            tickets.issue(user("a"), session()).unwrap();
        }
        assert!(tickets.redeem(&oldest, &session()).is_none());
        assert!(tickets.redeem(&others, &session()).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_never_more_than_so_many() {
        let tickets = Tickets::default();
        for number in 0..=MAX_TICKETS {
            tickets.issue(user(&number.to_string()), session()).unwrap();
        }
        assert_eq!(tickets.open.lock().unwrap().len(), MAX_TICKETS);
    }
}
