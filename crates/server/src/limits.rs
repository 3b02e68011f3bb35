//! What one caller may take of the server: connections, new sessions, messages, frames. A caller is a user,
//! where authentication says which, and otherwise the network that it comes from; each is counted in this
//! process alone.
//!
//! Deciding costs a look into a table and waits for nobody. Every table is bounded, and what one caller takes
//! too much of is refused to that caller alone.

mod clock;
mod held;
mod opening;
mod origin;
mod rate;
mod refusal;
mod table;
mod who;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use ipnet::IpNet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

pub(crate) use clock::TokioClock;
pub(crate) use held::Place;
pub(crate) use opening::may_open;
pub(crate) use refusal::{Limit, TooMuch};
pub(crate) use who::Who;

use crate::auth::{Caller, Origin, Subject};
use crate::config::{Config, LimitsConfig};
use crate::metrics::LimitMeasures;
use held::Held;
use origin::Origins;
use rate::{Per, Rates};
use who::is_in;

/// How often callers are forgotten who have all their allowance again.
const CLEANING: Duration = Duration::from_secs(60);

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct CallerLimits {
    origins: Origins,
    /// Who comes from here and is no user is not counted.
    exempt: Vec<IpNet>,
    of_address: Held,
    of_user: Held,
    new_sessions: Rates,
    /// Sessions that were asked for and are not there.
    unknown_sessions: Rates,
    messages: Rates,
    frames: Rates,
    measures: Arc<LimitMeasures>,
}

impl CallerLimits {
    /// The limits that the configuration sets.
    pub(crate) fn new(config: &Config, measures: Arc<LimitMeasures>) -> Self {
        let LimitsConfig {
            connections_per_address,
            connections_per_user,
            new_sessions_per_user,
            new_sessions_per_address,
            unknown_sessions_per_address,
            messages_per_minute,
            messages_burst,
            frames_per_minute,
            frames_burst,
            ref exempt,
            ..
        } = config.limits;
        let rates = |users, addresses| Rates::new(users, addresses, &measures);
        let hourly = |count| Per::hour(count);
        let messages = Per::minute(messages_per_minute, messages_burst);
        let frames = Per::minute(frames_per_minute, frames_burst);
        let unknown = hourly(unknown_sessions_per_address);
        Self {
            origins: Origins::new(config.server.trusted_proxies.clone(), exempt.clone()),
            exempt: exempt.clone(),
            of_address: Held::new(connections_per_address),
            of_user: Held::new(connections_per_user),
            new_sessions: rates(
                hourly(new_sessions_per_user),
                hourly(new_sessions_per_address),
            ),
            unknown_sessions: rates(unknown, unknown),
            messages: rates(messages, messages),
            frames: rates(frames, frames),
            measures,
        }
    }

    /// Forgets, until `stop`, who need not be remembered.
    pub(crate) async fn keep(&self, stop: &CancellationToken) {
        let mut ticks = interval(CLEANING);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            for rates in [
                &self.new_sessions,
                &self.unknown_sessions,
                &self.messages,
                &self.frames,
            ] {
                rates.clean();
            }
        }
    }

    /// Where a request comes from, behind the proxies that are trusted.
    pub(crate) fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> Origin {
        self.origins.of(peer, headers)
    }

    /// As whom a caller is counted; `None` for those who are not: services, and who comes from an exempt
    /// network and is no user.
    pub(crate) fn who(&self, caller: &Caller) -> Option<Who> {
        match &caller.subject {
            Subject::User(user_id) => Some(Who::User(Arc::clone(user_id))),
            // The operator gave it a token, and it acts for many.
            Subject::Service { .. } => None,
            Subject::Anyone => {
                let Origin { address, is_local } = caller.origin;
                let is_feigned = address.is_loopback() && !is_local;
                let is_exempt = is_in(&self.exempt, address) && !is_feigned;
                (!is_exempt).then(|| Who::at(address))
            }
        }
    }

    /// A place for a connection that has just been made, before anything of it was read; none is needed for
    /// a proxy, whose connections are those of many.
    ///
    /// # Errors
    ///
    /// Where the address has too many already.
    pub(crate) fn connection(&self, peer: IpAddr) -> Result<Option<Place>, TooMuch> {
        let peer = peer.to_canonical();
        if self.origins.is_proxy(peer) || is_in(&self.exempt, peer) {
            return Ok(None);
        }
        self.place(&self.of_address, Who::at(peer), Limit::ConnectionsOfAddress)
            .map(Some)
    }

    /// A place for what is to stay, a WebSocket or the wait for an answer: among the user's, or among the
    /// address's where [`CallerLimits::connection`] did not count it (`is_counted`).
    ///
    /// # Errors
    ///
    /// Where the caller has too many already.
    pub(crate) fn stay(&self, caller: &Caller, is_counted: bool) -> Result<Option<Place>, TooMuch> {
        match self.who(caller) {
            Some(user @ Who::User(_)) => self
                .place(&self.of_user, user, Limit::ConnectionsOfUser)
                .map(Some),
            Some(network @ Who::Network(_)) if !is_counted => self
                .place(&self.of_address, network, Limit::ConnectionsOfAddress)
                .map(Some),
            Some(Who::Network(_)) | None => Ok(None),
        }
    }

    /// Counts a session that is about to be made.
    ///
    /// # Errors
    ///
    /// Where the caller made too many.
    pub(crate) fn new_session(&self, caller: &Caller) -> Result<(), TooMuch> {
        let made = self.take(&self.new_sessions, Limit::NewSessions, self.who(caller));
        if made.is_err() {
            // Otherwise the refusal would tell, as often as anybody likes, which sessions there are not.
            self.missed(caller);
        }
        made
    }

    /// Whether somebody without a name may ask for a session: not who asked for too many that there are not.
    /// Where an id is the only secret, it must not be guessed.
    ///
    /// # Errors
    ///
    /// Where they must wait.
    pub(crate) fn may_ask_for_session(&self, caller: &Caller) -> Result<(), TooMuch> {
        let Some(who @ Who::Network(_)) = self.who(caller) else {
            return Ok(());
        };
        let looked = self.unknown_sessions.look(&who);
        looked.map_err(|wait| self.hit(Limit::UnknownSessions, wait))
    }

    /// Counts a session that was asked for and is not there. Users are not counted: theirs are not to be
    /// had by guessing.
    pub(crate) fn missed(&self, caller: &Caller) {
        if let Some(who @ Who::Network(_)) = self.who(caller) {
            // The next one is refused where this was too many.
            let _too_many = self.unknown_sessions.take(&who);
        }
    }

    /// Counts a message that is to be answered.
    ///
    /// # Errors
    ///
    /// Where the caller sends too many.
    pub(crate) fn message(&self, who: Option<&Who>) -> Result<(), TooMuch> {
        self.take(&self.messages, Limit::Messages, who.cloned())
    }

    /// Counts a frame, whatever is in it.
    ///
    /// # Errors
    ///
    /// Where the caller sends too many.
    pub(crate) fn frame(&self, who: Option<&Who>) -> Result<(), TooMuch> {
        self.take(&self.frames, Limit::Frames, who.cloned())
    }

    fn take(&self, rates: &Rates, limit: Limit, who: Option<Who>) -> Result<(), TooMuch> {
        let taken = who.map_or(Ok(()), |who| rates.take(&who));
        taken.map_err(|wait| self.hit(limit, wait))
    }

    fn place(&self, held: &Held, who: Who, limit: Limit) -> Result<Place, TooMuch> {
        held.take(who)
            .ok_or_else(|| self.hit(limit, TooMuch::UNTIL_ONE_LEAVES))
    }

    fn hit(&self, limit: Limit, wait: Duration) -> TooMuch {
        self.measures.hit(limit);
        TooMuch { limit, wait }
    }
}

#[cfg(test)]
mod tests;
