//! Requests cut to the window of their model.

use std::sync::Mutex;

use async_trait::async_trait;
use futures_util::{FutureExt, stream};
use patter_llm::{
    Answer, AssistantMessage, AssistantPart, Catalog, ChatModel, ChatRequest, LlmError, Message,
    ModelInfo, ToolCall, ToolDeclaration, ToolResult, Window, Windowed,
};
use proptest::prelude::*;
use serde_json::{Map, json};

/// A model that answers nothing and keeps what it was asked.
#[derive(Debug, Default)]
struct Asked(Mutex<Vec<ChatRequest>>);

#[async_trait]
impl ChatModel for Asked {
    fn provider(&self) -> &'static str {
        "here"
    }

    fn model(&self) -> &'static str {
        "small"
    }

    async fn stream(&self, request: &ChatRequest) -> Result<Answer, LlmError> {
        self.0.lock().unwrap().push(request.clone());
        Ok(Answer::new(stream::empty()))
    }
}

fn catalog(context_window: u64) -> Catalog {
    Catalog::builtin().with(ModelInfo {
        context_window: Some(context_window),
        ..ModelInfo::new("here", "small")
    })
}

fn window(tokens: u64) -> Window {
    Window::of(catalog(tokens).find("here", "small").unwrap()).unwrap()
}

/// What reaches a model with such a window.
fn sent(context_window: u64, request: &ChatRequest) -> ChatRequest {
    let model = std::sync::Arc::new(Asked::default());
    let windowed = Windowed::new(model.clone(), &catalog(context_window));
    let asked = async { windowed.stream(request).await.unwrap() };
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(asked);
    let mut asked = model.0.lock().unwrap();
    assert_eq!(asked.len(), 1);
    asked.remove(0)
}

fn call(id: usize) -> ToolCall {
    ToolCall {
        id: format!("call-{id}"),
        name: "look".into(),
        arguments: Map::from_iter([("what".to_owned(), json!("for something"))]),
    }
}

/// A turn with so many words in each message, and so many steps with two calls each.
fn turn(number: usize, words: usize, steps: usize) -> Vec<Message> {
    let text = format!("{number} {}", "word ".repeat(words));
    let mut turn = vec![Message::user(&*text)];
    for step in 0..steps {
        let ids = [2 * step, 2 * step + 1].map(|call| 1_000 * number + call);
        turn.push(Message::Assistant(AssistantMessage {
            parts: ids
                .map(|id| AssistantPart::ToolCall(call(id)))
                .into_iter()
                .collect(),
            provider_data: None,
        }));
        let result = |id| ToolResult {
            call_id: format!("call-{id}"),
            name: "look".into(),
            outcome: Ok(json!(text)),
        };
        turn.push(Message::ToolResults(ids.map(result).into_iter().collect()));
    }
    turn.push(Message::Assistant(AssistantMessage::text(text)));
    turn
}

fn request(messages: Vec<Message>) -> ChatRequest {
    let tool = ToolDeclaration {
        name: "look".into(),
        description: "Looks something up.".into(),
        parameters: json!({"type": "object", "properties": {"what": {"type": "string"}}}),
    };
    let mut request = ChatRequest::new().system("Be brief.").tools([tool]);
    request.messages = messages;
    request
}

fn starts_a_turn(message: &Message) -> bool {
    matches!(message, Message::User(_))
}

/// Every result right behind its call, and every call with its result.
fn assert_paired(messages: &[Message]) {
    for (index, message) in messages.iter().enumerate() {
        match message {
            Message::ToolResults(results) => {
                let Some(Message::Assistant(step)) = messages.get(index.wrapping_sub(1)) else {
                    panic!("results without a step before them");
                };
                let calls: Vec<_> = step.tool_calls().map(|call| &call.id).collect();
                let results: Vec<_> = results.iter().map(|result| &result.call_id).collect();
                assert_eq!(calls, results);
            }
            Message::Assistant(step) if step.tool_calls().next().is_some() => {
                let next = messages.get(index + 1);
                assert!(matches!(next, Some(Message::ToolResults(_))), "{next:?}");
            }
            Message::User(_) | Message::Assistant(_) => {}
        }
    }
}

/// All that a cut must keep to, whatever the conversation.
fn assert_cut_rightly(tokens: u64, request: &ChatRequest) {
    let sent = sent(tokens, request);
    let window = window(tokens);
    assert_eq!(
        (&sent.system, &sent.tools),
        (&request.system, &request.tools)
    );
    assert!(request.messages.ends_with(&sent.messages));
    assert_paired(&sent.messages);

    let gone = request.messages.len() - sent.messages.len();
    assert_eq!(gone, window.overflow(request));
    let budget = window.budget(request);
    let kept = window.counter.messages(&sent.messages);
    let whole = window.counter.messages(&request.messages);
    if gone == 0 {
        let turns = request
            .messages
            .iter()
            .skip(1)
            .filter(|each| starts_a_turn(each));
        assert!(kept <= budget || turns.count() == 0, "{kept} of {budget}");
        return;
    }
    assert!(whole > budget, "{whole} of {budget} had to be cut");
    assert!(starts_a_turn(&sent.messages[0]));
    let only_the_last = !sent.messages[1..].iter().any(starts_a_turn);
    assert!(kept <= budget || only_the_last, "{kept} of {budget}");
    // No more went than had to, but for a half and what makes a turn whole.
    let largest = request.messages[..gone]
        .chunk_by(|_, next| !starts_a_turn(next))
        .map(|turn| window.counter.messages(turn))
        .max()
        .unwrap();
    let least = budget - budget / 2;
    assert!(
        only_the_last || kept + largest > least,
        "{kept} of {budget}"
    );
}

fn conversation() -> impl Strategy<Value = Vec<Message>> {
    let turns = prop::collection::vec((0..60_usize, 0..4_usize), 1..40);
    (turns, any::<bool>()).prop_map(|(turns, greeted)| {
        let turns = turns.into_iter().enumerate();
        let mut messages: Vec<_> = turns
            .flat_map(|(number, (words, steps))| turn(number, words, steps))
            .collect();
        if greeted {
            messages.insert(0, Message::Assistant(AssistantMessage::text("Hello!")));
        }
        messages
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_conversation_is_cut_rightly(messages in conversation(), tokens in 0..20_000_u64) {
        assert_cut_rightly(tokens, &request(messages));
    }

    #[test]
    fn a_turn_that_waits_for_its_answer_stays_whole(
        mut messages in conversation(),
        length in 1..6_usize,
        tokens in 0..5_000_u64,
    ) {
        // The last turn so far: a question, or steps up to a result.
        let mut open = turn(99, 20, 3);
        open.truncate(if length % 2 == 0 { length + 1 } else { length });
        messages.extend(open.iter().cloned());
        let request = request(messages);
        assert_cut_rightly(tokens, &request);
        prop_assert!(sent(tokens, &request).messages.ends_with(&open));
    }
}

#[test]
fn a_conversation_ten_times_the_window_goes_on_and_begins_the_same_for_some_time() {
    let tokens = 4_000;
    let mut messages = Vec::new();
    let mut beginnings = Vec::new();
    let mut turns = 0;
    while window(tokens).counter.messages(&messages) < 10 * tokens {
        messages.extend(turn(turns, 10, turns % 2));
        let request = request(messages.clone());
        assert_cut_rightly(tokens, &request);
        beginnings.push(window(tokens).overflow(&request));
        turns += 1;
    }
    beginnings.dedup();
    assert!(
        beginnings.len() < turns / 4,
        "{} beginnings in {turns} turns",
        beginnings.len()
    );
}

#[test]
fn the_answer_has_its_reserve() {
    let empty = ChatRequest::new();
    assert_eq!(window(100_000).budget(&empty), 100_000 - 8_192);
    assert_eq!(window(4_000).budget(&empty), 3_000);
    let limited = empty.max_output_tokens(1_000);
    assert_eq!(window(4_000).budget(&limited), 3_000);
    assert_eq!(window(100_000).budget(&limited), 99_000);
    assert_eq!(window(500).budget(&limited), 0);
    let input_alone = Window {
        max_input_tokens: Some(60_000),
        ..window(100_000)
    };
    assert_eq!(input_alone.budget(&limited), 60_000);
    let asked = limited.system("Be brief.");
    let system = window(4_000).counter.preamble(&asked);
    assert!(system > 0);
    assert_eq!(window(4_000).budget(&asked), 3_000 - system);
}

#[test]
fn a_last_turn_that_is_too_large_goes_out_for_the_provider_to_decide() {
    let mut messages = turn(0, 10, 1);
    let last = turn(1, 5_000, 1);
    messages.extend(last.clone());
    assert_eq!(sent(1_000, &request(messages)).messages, last);
}

/// Runs with the one thread busy that may block.
fn while_no_thread_may_block(test: impl AsyncFnOnce()) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let (release, busy) = std::sync::mpsc::channel::<()>();
    let occupied = runtime.spawn_blocking(move || busy.recv());
    runtime.block_on(test());
    drop(release);
    runtime.block_on(occupied).unwrap().unwrap_err();
}

#[test]
fn what_has_to_be_counted_is_counted_on_a_thread_that_may_block() {
    while_no_thread_may_block(async || {
        let model = Windowed::new(Asked::default(), &catalog(4_000));
        let small = request(turn(0, 10, 1));
        assert!(model.stream(&small).now_or_never().is_some());
        let large = request((0..50).flat_map(|number| turn(number, 100, 1)).collect());
        assert!(model.stream(&large).now_or_never().is_none());
    });
}

#[cfg(feature = "o200k")]
#[test]
fn a_vocabulary_is_loaded_on_a_thread_that_may_block_and_only_when_it_is_needed() {
    while_no_thread_may_block(async || {
        let catalog = Catalog::builtin();
        let window = |provider, model| Window::of(catalog.find(provider, model).unwrap()).unwrap();
        let luna = window("openai", "gpt-6-luna");
        assert!(luna.prepare(200_000).now_or_never().is_some());
        assert!(luna.prepare(900_000).now_or_never().is_none());
        let flash = window("gemini", "gemini-3.8-flash");
        assert!(flash.prepare(900_000_000).now_or_never().is_some());
    });
}

#[test]
fn without_a_known_window_everything_goes_out() {
    let messages: Vec<_> = (0..50).flat_map(|number| turn(number, 100, 1)).collect();
    let request = request(messages);
    let model = Windowed::new(Asked::default(), &Catalog::builtin());
    assert_eq!(model.window(), None);
    let model = Windowed::new(Asked::default(), &catalog(4_000));
    assert_eq!(model.window(), Some(&window(4_000)));
    assert_eq!(sent(u64::MAX, &request).messages, request.messages);
}
