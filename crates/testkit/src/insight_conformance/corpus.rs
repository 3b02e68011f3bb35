//! Sessions to search, and the calls that the suite makes again and again.

use chrono::{DateTime, Utc};
use patter_protocol::{EventBody, SessionId, Timestamp};
use patter_store::{
    Append, EventQuery, Insight, NewEvent, NewSession, SearchHit, SearchQuery, SessionStore,
};
use serde_json::json;

use crate::store_conformance::sample::{owner, write};

/// A session of a user, with events that happen now.
pub(super) async fn said(
    store: &dyn SessionStore,
    user_id: Option<&str>,
    bodies: impl IntoIterator<Item = EventBody>,
) -> SessionId {
    let bodies = bodies.into_iter().map(|body| (Timestamp::now(), body));
    happened(store, user_id, bodies).await
}

/// A session of a user, with events at given times.
pub(super) async fn happened(
    store: &dyn SessionStore,
    user_id: Option<&str>,
    bodies: impl IntoIterator<Item = (Timestamp, EventBody)>,
) -> SessionId {
    let session_id = SessionId::generate();
    let session = NewSession {
        session_id: session_id.clone(),
        user_id: user_id.map(str::to_owned),
        metadata: json!({"title": format!("of {}", user_id.unwrap_or("nobody"))})
            .as_object()
            .cloned()
            .unwrap(),
    };
    let claimed = store.claim(session, &owner("test")).await.unwrap();
    let events = bodies.into_iter().map(|(at, body)| NewEvent {
        at,
        ..NewEvent::now(body)
    });
    let append = Append {
        session_id: session_id.clone(),
        fence: claimed.fence,
        events: events.collect(),
    };
    write(store, append).await.unwrap();
    session_id
}

/// A point in time.
pub(super) fn time(text: &str) -> Timestamp {
    text.parse::<DateTime<Utc>>().unwrap().into()
}

/// A search in everything.
pub(super) fn asked(text: &str) -> SearchQuery {
    SearchQuery {
        text: text.to_owned(),
        user_id: None,
        limit: 100,
        after: None,
    }
}

/// The texts that are found, in order.
pub(super) async fn found(insight: &dyn Insight, text: &str) -> Vec<String> {
    texts(&insight.search(asked(text)).await.unwrap().hits)
}

/// The texts of hits, as far as their excerpts go.
pub(super) fn texts(hits: &[SearchHit]) -> Vec<String> {
    let joined = |hit: &SearchHit| hit.excerpt.iter().map(|part| part.text.as_str()).collect();
    hits.iter().map(joined).collect()
}

/// The event that a hit tells of.
pub(super) async fn event_of(store: &dyn SessionStore, hit: &SearchHit) -> EventBody {
    let query = EventQuery {
        after: hit.seq - 1,
        limit: 1,
        types: Vec::new(),
    };
    let mut events = store.events(&hit.session_id, query).await.unwrap();
    events.remove(0).event.body
}
