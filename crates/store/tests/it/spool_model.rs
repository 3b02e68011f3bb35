//! Whatever is done to a spool, in any order, it holds what a list would hold.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends where its preparation fails"
)]

use std::path::Path;

use patter_protocol::SessionId;
use patter_store::{Append, Fence, Kept, NewEvent, Spool, SpoolOptions, SqliteSpool};
use patter_testkit::store_conformance::sample::message;
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const SESSIONS: usize = 3;
const EVENTS: usize = 8;

#[derive(Debug, Clone)]
enum Step {
    Keep(Entry),
    /// By another process, which dies before the next opening.
    KeepElsewhere(Entry),
    Forget(usize, Vec<usize>),
    Reopen,
}

#[derive(Debug, Clone)]
struct Entry {
    session: usize,
    fence: i64,
    events: Vec<usize>,
}

fn entry() -> impl Strategy<Value = Entry> {
    (0..SESSIONS, 1..3_i64, vec(0..EVENTS, 0..5)).prop_map(|(session, fence, events)| Entry {
        session,
        fence,
        events,
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => entry().prop_map(Step::Keep),
        1 => entry().prop_map(Step::KeepElsewhere),
        3 => (0..SESSIONS, vec(0..EVENTS, 0..8)).prop_map(|(id, events)| Step::Forget(id, events)),
        1 => Just(Step::Reopen),
    ]
}

/// Session, fence and event, as they were kept.
#[derive(Debug, Default)]
struct Model(Vec<(usize, i64, usize)>);

impl Model {
    fn keep(&mut self, entry: &Entry) {
        for &event in &entry.events {
            let is_same = |kept: &(usize, i64, usize)| (kept.0, kept.2) == (entry.session, event);
            if !self.0.iter().any(is_same) {
                self.0.push((entry.session, entry.fence, event));
            }
        }
    }

    fn kept(&self, session: usize, events: &[NewEvent]) -> Vec<Kept> {
        let of_session = self.0.iter().filter(|kept| kept.0 == session);
        let mut kept: Vec<_> = of_session
            .map(|&(_, fence, event)| Kept {
                fence: Fence(fence),
                event: events[event].clone(),
            })
            .collect();
        kept.sort_by_key(|kept| kept.fence);
        kept
    }
}

struct Case {
    sessions: Vec<SessionId>,
    events: Vec<NewEvent>,
}

impl Case {
    fn append(&self, entry: &Entry) -> Append {
        let events = entry.events.iter().map(|&event| self.events[event].clone());
        Append {
            session_id: self.sessions[entry.session].clone(),
            fence: Fence(entry.fence),
            events: events.collect(),
        }
    }

    async fn check(&self, spool: &SqliteSpool, model: &Model) {
        for (number, id) in self.sessions.iter().enumerate() {
            let expected = model.kept(number, &self.events);
            assert_eq!(spool.holds(id), !expected.is_empty());
            assert_eq!(spool.sessions().contains(id), !expected.is_empty());
            assert_eq!(spool.kept(id).await.unwrap(), expected);
        }
        let usage = spool.usage();
        assert_eq!(usage.events, model.0.len() as u64);
        assert_eq!(usage.bytes == 0, model.0.is_empty());
        assert_eq!(usage.filled_for.is_none(), model.0.is_empty());
    }

    async fn run(&self, folder: &Path, steps: Vec<Step>) {
        let open = async || SqliteSpool::open(SpoolOptions::new(folder)).await.unwrap();
        let mut spool = open().await;
        let (mut model, mut elsewhere) = (Model::default(), Model::default());
        for step in steps {
            match step {
                Step::Keep(entry) => {
                    spool.keep(self.append(&entry)).await.unwrap();
                    model.keep(&entry);
                }
                Step::KeepElsewhere(entry) => {
                    let other = open().await;
                    other.keep(self.append(&entry)).await.unwrap();
                    elsewhere.keep(&entry);
                    self.check(&other, &elsewhere).await;
                    other.close().await;
                }
                Step::Forget(session, events) => {
                    let ids: Vec<_> = events.iter().map(|&it| self.events[it].event_id).collect();
                    spool.forget(&self.sessions[session], &ids).await.unwrap();
                    let is_forgotten =
                        |kept: &(usize, i64, usize)| kept.0 == session && events.contains(&kept.2);
                    model.0.retain(|kept| !is_forgotten(kept));
                }
                Step::Reopen => {
                    let before = spool.usage();
                    spool.close().await;
                    spool = open().await;
                    if elsewhere.0.is_empty() {
                        assert_eq!(spool.usage().bytes, before.bytes);
                    }
                    for (session, fence, event) in std::mem::take(&mut elsewhere).0 {
                        let events = vec![event];
                        model.keep(&Entry {
                            session,
                            fence,
                            events,
                        });
                    }
                }
            }
            self.check(&spool, &model).await;
        }
        spool.close().await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_spool_holds_what_a_list_would_hold(steps in vec(step(), 1..30)) {
        let folder = TempDir::new().unwrap();
        let case = Case {
            sessions: (0..SESSIONS).map(|_| SessionId::generate()).collect(),
            events: (0..EVENTS).map(|_| NewEvent::now(message("a"))).collect(),
        };
        Runtime::new().unwrap().block_on(case.run(folder.path(), steps));
    }
}
