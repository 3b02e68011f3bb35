//! Sessions over models with all their wrappers, `Failover(Retry(CircuitBreaker(Windowed(model))))`,
//! whatever goes wrong with whom and when.

use std::sync::Arc;
use std::time::Duration;

use patter_llm::{
    Catalog, Circuit, CircuitBreaker, CircuitState, Failover, FinishReason as ModelFinish,
    LlmError, ModelEvent, ModelInfo, Price, Retry, RetryBudget, TimeoutPhase, Windowed,
};
use patter_protocol::{
    AiResponse, ClientMessage, EventBody, FinishReason, LiveEvent, NoticeCode, Part, ServerMessage,
};
use patter_session::{After, SessionManager};
use patter_store::SessionStore;
use patter_testkit::failing_store::{FailingStore, Failure};
use patter_testkit::memory_spool::MemorySpool;
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::{
    Gate, Reply, ScriptedModel, Step, call, finish, overloaded, text,
};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::support::{self, Client, durable, open, say};

/// Two models, of which the second stands in for the first.
struct Stack {
    first: ScriptedModel,
    second: ScriptedModel,
    catalog: Catalog,
}

impl Stack {
    fn new() -> Self {
        let info = |provider: &str| ModelInfo {
            context_window: Some(8_000),
            prices: vec![Price {
                input: Some(1.0),
                output: Some(1.0),
                ..Price::default()
            }],
            ..ModelInfo::new(provider, format!("{provider}-1"))
        };
        Self {
            first: ScriptedModel::default().named("a", "a-1"),
            second: ScriptedModel::default().named("b", "b-1"),
            catalog: Catalog::builtin().with(info("a")).with(info("b")),
        }
    }

    /// A manager over both, and the circuit of the first.
    fn manager(&self, store: impl SessionStore + 'static) -> (SessionManager, Circuit) {
        let budget = RetryBudget::default();
        let guarded = |model: &ScriptedModel| {
            CircuitBreaker::new(Windowed::new(model.clone(), &self.catalog))
        };
        let first = guarded(&self.first);
        let circuit = first.circuit();
        let second = Retry::new(guarded(&self.second), budget.clone());
        let model = Failover::new(Retry::new(first, budget)).then(second);
        let manager = SessionManager::builder(store, model)
            .tools(support::tools())
            .prices(self.catalog.clone())
            .spool(MemorySpool::default())
            .start();
        (manager, circuit)
    }
}

fn wait_call() -> Step {
    let wait = call("c", "wait", json!({"millis": 1}));
    Step::Say(ModelEvent::ToolCall(wait))
}

async fn ask(session: &patter_session::SessionHandle, client: &mut Client, id: &str) -> AiResponse {
    say(session, id, "Hi").await;
    client.until_answer().await
}

/// How long people wait in an outage, from its first minute to its end.
#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_for_a_little_then_not_at_all_and_its_end_is_found() {
    let stack = Stack::new();
    let (sessions, circuit) = stack.manager(MemoryStore::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    let waited = async |client: &mut Client, id: &str| {
        let begun = Instant::now();
        stack.second.push(Reply::text(["From b."]));
        let answer = ask(&session, client, id).await;
        assert_eq!(answer.provider, "b");
        begun.elapsed()
    };

    // A silence to the end of its time is waited for once: it is not asked again.
    let silent = LlmError::Timeout {
        provider: "a".to_owned(),
        phase: TimeoutPhase::FirstToken,
        limit: Duration::from_secs(45),
    };
    let silence = [Step::Pause(Duration::from_secs(45)), Step::Fail(silent)];
    stack.first.push(Reply::of(silence));
    assert_eq!(waited(&mut client, "silent").await.as_secs(), 45);
    assert_eq!(stack.first.requests().len(), 1);
    // Refusals: two more tries each time, until ten opened the circuit.
    sleep(Duration::from_secs(60)).await;
    for _ in 0..10 {
        stack.first.push(Reply::refused(overloaded()));
    }
    for id in ["r-1", "r-2", "r-3"] {
        let waited = waited(&mut client, id).await;
        assert!(
            (Duration::from_millis(750)..Duration::from_millis(1_510)).contains(&waited),
            "{waited:?}"
        );
    }
    waited(&mut client, "r-4").await;
    assert!(stack.first.is_spent());
    assert_eq!(waited(&mut client, "open").await, Duration::ZERO);

    // A probe that is cancelled leaves its place to the next one.
    sleep(Duration::from_secs(10)).await;
    assert_eq!(circuit.status().state, CircuitState::HalfOpen);
    stack.first.push(Reply::of([text("Half"), Step::Hang]));
    say(&session, "probe", "Hi").await;
    client.until_token("Half").await;
    let cancel = ClientMessage::Cancel { response_id: None };
    session.submit(cancel).await.unwrap();
    let cancelled = client.until_answer().await;
    assert_eq!(
        (cancelled.content.as_str(), cancelled.provider.as_str()),
        ("Half", "a")
    );
    assert_eq!(cancelled.cost_usd, None);
    assert_eq!(circuit.status().state, CircuitState::HalfOpen);
    stack.first.push(Reply::text(["From a."]));
    let answer = ask(&session, &mut client, "back").await;
    assert_eq!(answer.provider, "a");
    assert_eq!(circuit.status().state, CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_provider_may_fail_while_the_store_is_away() {
    let store = Arc::new(FailingStore::new(Arc::new(MemoryStore::default())));
    let stack = Stack::new();
    let gate = Gate::default();
    stack.first.push(Reply::of([
        text("I look. "),
        Step::Wait(gate.clone()),
        wait_call(),
        finish(ModelFinish::ToolCalls),
    ]));
    stack
        .first
        .push(Reply::of([text("Half"), Step::Fail(overloaded())]));
    stack.second.push(Reply::text(["Whole."]));
    let (sessions, _) = stack.manager(Arc::clone(&store));
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    client
        .until(|it| matches!(durable(it), Some(EventBody::UserMessage(_))).then_some(()))
        .await;
    store.set(Failure::Unavailable);
    gate.open();
    client
        .until(|it| matches!(it, ServerMessage::Live(LiveEvent::ResponseFinished(_))).then_some(()))
        .await;
    assert_eq!(client.tokens(), "I look. Whole.");
    let notices = client.seen.iter().filter_map(|it| match it {
        ServerMessage::Live(LiveEvent::Notice(notice)) => Some(notice.code),
        _ => None,
    });
    let notices: Vec<_> = notices.collect();
    assert_eq!(
        notices,
        [NoticeCode::StoreDegraded, NoticeCode::ProviderFailover]
    );
    store.set(Failure::None);
    let answer = client.until_answer().await;
    assert_eq!(answer.content, "I look. Whole.");
    assert_eq!(answer.provider, "b");
    let types = client.types();
    let at = |name: &str| types.iter().position(|it| it == name).unwrap();
    assert!(at("tool_call") < at("tool_result") && at("tool_result") < at("ai_response"));
}

/// What a model does when it is asked for one step.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Act {
    Refuse,
    /// Thinks, and fails.
    ThinkAndBreak,
    /// Says so many pieces, calls a tool, and fails.
    CallAndBreak(usize),
    Break(usize),
    Call(usize),
    Finish(usize),
}

impl Act {
    fn reply(self, name: &str) -> Reply {
        let pieces = |count: usize| {
            let pieces = (0..count).map(|at| text(&format!("{name}{at} ")));
            pieces.flat_map(|piece| [piece, Step::Pause(Duration::from_millis(1))])
        };
        let broken = Step::Fail(overloaded());
        let thought = Step::Say(ModelEvent::Reasoning("Hm.".to_owned()));
        match self {
            Self::Refuse => Reply::refused(LlmError::Auth {
                provider: name.to_owned(),
                message: "no".to_owned(),
            }),
            Self::ThinkAndBreak => Reply::of([thought]).then(broken),
            Self::CallAndBreak(count) => Reply::of(pieces(count)).then(wait_call()).then(broken),
            Self::Break(count) => Reply::of(pieces(count)).then(broken),
            Self::Call(count) => Reply::of(pieces(count))
                .then(wait_call())
                .then(finish(ModelFinish::ToolCalls)),
            Self::Finish(count) => Reply::of(pieces(count)).then(finish(ModelFinish::Stop)),
        }
    }

    fn text(self, name: &str) -> String {
        let count = match self {
            Self::Refuse | Self::ThinkAndBreak => 0,
            Self::CallAndBreak(count)
            | Self::Break(count)
            | Self::Call(count)
            | Self::Finish(count) => count,
        };
        (0..count).map(|at| format!("{name}{at} ")).collect()
    }

    fn is_whole(self) -> bool {
        matches!(self, Self::Call(_) | Self::Finish(_))
    }
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        1 => Just(Act::Refuse),
        1 => Just(Act::ThinkAndBreak),
        1 => (0..3_usize).prop_map(Act::CallAndBreak),
        2 => (1..4_usize).prop_map(Act::Break),
        2 => (0..3_usize).prop_map(Act::Call),
        1 => (0..3_usize).prop_map(Act::Finish),
    ]
}

/// What is to become of an answer.
#[derive(Debug, PartialEq)]
struct Expected {
    content: String,
    provider: &'static str,
    reason: FinishReason,
    calls: usize,
    cost_is_known: bool,
}

/// Plays the steps as the issue describes them.
fn expected(steps: &[[Act; 2]]) -> Expected {
    let mut expected = Expected {
        content: String::new(),
        provider: "a",
        reason: FinishReason::Error,
        calls: 0,
        cost_is_known: true,
    };
    for [first, second] in steps {
        let whole = match (first, second) {
            (first, _) if first.is_whole() => {
                expected.content += &first.text("a");
                expected.provider = "a";
                first
            }
            (Act::Refuse, Act::Refuse) => return expected,
            (first, Act::Refuse) => {
                expected.content += &first.text("a");
                expected.provider = "a";
                expected.cost_is_known = false;
                return expected;
            }
            (first, second) => {
                expected.content += &second.text("b");
                expected.provider = "b";
                expected.cost_is_known &= *first == Act::Refuse && second.is_whole();
                if !second.is_whole() {
                    return expected;
                }
                second
            }
        };
        if matches!(whole, Act::Finish(_)) {
            expected.reason = FinishReason::Stop;
            return expected;
        }
        expected.calls += 1;
    }
    expected
}

/// Gives one answer by these steps, while somebody else attaches after so many milliseconds, and
/// may cancel it then.
async fn play(steps: &[[Act; 2]], late: u64, cancels: bool) {
    let stack = Stack::new();
    for [first, second] in steps {
        stack.first.push(first.reply("a"));
        if !first.is_whole() {
            stack.second.push(second.reply("b"));
        }
    }
    let store = MemoryStore::default();
    let (sessions, _) = stack.manager(store.clone());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    sleep(Duration::from_millis(late)).await;
    let mut other = Client::attach(&session, After::Start).await;
    if cancels {
        let cancel = ClientMessage::Cancel { response_id: None };
        // It may be over.
        let _refused = session.submit(cancel).await;
    }
    let answer = client.until_answer().await;
    other.until_answer().await;

    let results = client.count("tool_result");
    if answer.finish_reason != FinishReason::Cancelled {
        assert_eq!(
            Expected {
                content: answer.content.clone(),
                provider: if answer.provider == "a" { "a" } else { "b" },
                reason: answer.finish_reason,
                calls: results,
                cost_is_known: answer.cost_usd.is_some(),
            },
            expected(steps)
        );
    }
    assert_eq!(client.tokens(), answer.content);
    if other.count("response_snapshot") > 0 {
        assert_eq!(other.tokens(), answer.content);
    }
    let in_parts: String = answer
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Text { text } => Some(text.as_str()),
            Part::Call { .. } => None,
        })
        .collect();
    assert!(answer.parts.is_empty() || in_parts == answer.content);
    assert!(client.count("response_started") <= 1);
    assert_eq!(client.count("tool_call"), results);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn readers_and_the_log_agree_whoever_fails_and_when(
        steps in prop::collection::vec([act(), act()], 1..4),
        late in 0..12_u64,
        cancels in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let last = [Act::Finish(1); 2];
        let steps: Vec<_> = steps.into_iter().chain([last]).collect();
        runtime.block_on(play(&steps, late, cancels));
    }
}
