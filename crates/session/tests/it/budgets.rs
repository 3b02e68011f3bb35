//! What may be spent, and what becomes of an answer that would spend more.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what the tests share; one that cannot go on fails"
)]

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use patter_llm::{
    Catalog, Classifier, ClassifierSettings, Conditions, FinishReason as ModelFinish, ModelEvent,
    ModelInfo, Price, Route, Router, Usage as ModelUsage,
};
use patter_protocol::{
    AiResponse, ClientMessage, ErrorCode, ErrorEvent, FinishReason, LiveEvent, ServerMessage,
};
use patter_session::{
    After, Budgets, OpenOptions, Plan, SessionHandle, SessionManager, SessionManagerBuilder,
    Spender,
};
use patter_store::{Cap, Ledger, Spend, SqliteStore};
use patter_testkit::memory_ledger::MemoryLedger;
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::{
    Gate, Reply, ScriptedModel, Step, call, finish, overloaded, text,
};
use serde_json::{Value, json};

use crate::support::{self, Client, events_of, open, say};

/// 1 USD for a million tokens in, 10 for a million out.
fn prices() -> Catalog {
    let info = ModelInfo {
        prices: vec![Price {
            input: Some(1.0),
            output: Some(10.0),
            ..Price::default()
        }],
        ..ModelInfo::new("scripted", "script-1")
    };
    Catalog::builtin().with(info)
}

fn tokens(tokens: u64) -> Cap {
    Cap {
        tokens: Some(tokens),
        ..Cap::default()
    }
}

fn usd(micro_usd: u64) -> Cap {
    Cap {
        micro_usd: Some(micro_usd),
        ..Cap::default()
    }
}

fn turn(turn: Cap) -> Budgets {
    Budgets {
        turn,
        ..Budgets::default()
    }
}

fn session(session: Cap) -> Budgets {
    Budgets {
        session,
        ..Budgets::default()
    }
}

fn user_day(user_day: Cap) -> Budgets {
    Budgets {
        user_day,
        ..Budgets::default()
    }
}

/// An answer whose provider says that it used so much.
fn used(words: &str, input_tokens: u64, output_tokens: u64) -> Reply {
    Reply::of([
        text(words),
        Step::Say(ModelEvent::Finish {
            reason: ModelFinish::Stop,
            usage: ModelUsage {
                input_tokens: Some(input_tokens),
                output_tokens: Some(output_tokens),
                ..ModelUsage::default()
            },
            provider_data: None,
        }),
    ])
}

fn builder(
    store: &MemoryStore,
    model: &ScriptedModel,
    ledger: &MemoryLedger,
    budgets: Budgets,
) -> SessionManagerBuilder {
    SessionManager::builder(store.clone(), model.clone()).budgets(ledger.clone(), budgets)
}

async fn of_user(sessions: &SessionManager, id: &str, user_id: &str) -> SessionHandle {
    let options = OpenOptions {
        user_id: Some(user_id.to_owned()),
        ..OpenOptions::default()
    };
    sessions.open(id.parse().unwrap(), options).await.unwrap()
}

async fn ask(session: &SessionHandle, client: &mut Client, id: &str) -> AiResponse {
    say(session, id, "Hi").await;
    client.until_answer().await
}

fn errors(client: &Client) -> Vec<ErrorEvent> {
    let error = |message: &ServerMessage| match message {
        ServerMessage::Live(LiveEvent::Error(error)) => Some(error.clone()),
        _ => None,
    };
    client.seen.iter().filter_map(error).collect()
}

/// The one error that was told, which must be of a limit; which one, and what was left.
fn limit_told(client: &Client) -> (String, Value, Value) {
    let told = errors(client);
    assert_eq!(told.len(), 1, "{told:?}");
    let error = told.into_iter().next().unwrap();
    assert_eq!(error.code, ErrorCode::LimitReached);
    assert!(error.message_id.is_some() && error.response_id.is_some());
    let of = |name: &str| error.details.get(name).cloned().unwrap();
    let limit = of("limit").as_str().unwrap().to_owned();
    (limit, of("remaining"), of("resets_at"))
}

async fn spent(sessions: &SessionManager, spender: &Spender) -> Spend {
    let usage = sessions.usage(spender).await.unwrap().unwrap();
    usage.day.or(usage.session).unwrap().spent
}

fn user(user_id: &str) -> Spender {
    Spender {
        user_id: Some(user_id.to_owned()),
        ..Spender::default()
    }
}

fn session_of(id: &str) -> Spender {
    Spender {
        session_id: Some(id.parse().unwrap()),
        ..Spender::default()
    }
}

#[tokio::test(start_paused = true)]
async fn what_answers_used_is_on_the_accounts_of_session_and_user_by_the_providers_count() {
    let (store, ledger) = (MemoryStore::default(), MemoryLedger::default());
    let model = ScriptedModel::new([used("One.", 1_000, 50), used("Two.", 2_000, 60)]);
    let sessions = builder(&store, &model, &ledger, Budgets::default())
        .prices(prices())
        .start();
    let session = of_user(&sessions, "s", "ann").await;
    let mut client = Client::attach(&session, After::Start).await;
    ask(&session, &mut client, "m-1").await;
    ask(&session, &mut client, "m-2").await;
    let all = Spend {
        tokens: 3_110,
        micro_usd: 3_000 + 1_100,
    };
    assert_eq!(spent(&sessions, &user("ann")).await, all);
    assert_eq!(ledger.total("session:s"), all);
    assert_eq!(spent(&sessions, &user("bob")).await, Spend::default());
    // Where nothing is capped nobody waits for the ledger.
    assert_eq!(ledger.bookings(), 0);
    // A session without a user has a day of its own.
    let nobodys = open(&sessions, "t").await;
    let mut client = Client::attach(&nobodys, After::Start).await;
    model.push(used("Three.", 10, 1));
    ask(&nobodys, &mut client, "m-1").await;
    assert_eq!(spent(&sessions, &session_of("t")).await.tokens, 11);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_to_its_cap_ends_there_with_what_there_is_of_it() {
    let (store, ledger) = (MemoryStore::default(), MemoryLedger::default());
    let words = vec![text("word "); 10_000];
    let model = ScriptedModel::new([Reply::of(words), Reply::text(["Next."])]);
    let sessions = builder(&store, &model, &ledger, turn(tokens(100))).start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    let answer = ask(&session, &mut client, "m-1").await;
    assert_eq!(answer.finish_reason, FinishReason::Error);
    assert!(answer.content.starts_with("word word "));
    assert!(answer.content.len() < 600, "{}", answer.content.len());
    assert_eq!(client.tokens(), answer.content);
    let (limit, remaining, resets_at) = limit_told(&client);
    assert_eq!((limit.as_str(), resets_at), ("turn_tokens", Value::Null));
    assert!(remaining.as_u64().unwrap() <= 100);
    assert_eq!(model.broken_off(), 1);
    // The next turn has a budget of its own.
    let next = ask(&session, &mut client, "m-2").await;
    assert_eq!(next.finish_reason, FinishReason::Stop);
    let answers = client.count("ai_response");
    assert_eq!(answers, 2);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_calls_tools_for_ever_is_ended_by_what_it_costs() {
    let (store, ledger) = (MemoryStore::default(), MemoryLedger::default());
    let wait = || Reply::calls([call("x", "wait", json!({"millis": 1}))]);
    let model = ScriptedModel::new([wait(), wait(), wait(), wait(), wait()]);
    // 10 in and 5 out are 60 millionths; what is thought of a request is more.
    let sessions = builder(&store, &model, &ledger, turn(usd(500)))
        .tools(support::tools())
        .prices(prices())
        .start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    let answer = ask(&session, &mut client, "m-1").await;
    assert_eq!(answer.finish_reason, FinishReason::Error);
    assert_eq!(limit_told(&client).0, "turn_usd");
    assert!(!model.is_spent());
    assert!(model.requests().len() >= 2);
    support::judge::check_log(&events_of(&store).await);
}

#[tokio::test(start_paused = true)]
async fn a_day_that_is_spent_refuses_before_the_model_is_asked_and_says_when_it_ends() {
    let (store, ledger) = (MemoryStore::default(), MemoryLedger::default());
    let model = ScriptedModel::new([used("One.", 900, 99)]);
    let sessions = builder(&store, &model, &ledger, user_day(tokens(1_000))).start();
    let session = of_user(&sessions, "s", "ann").await;
    let mut client = Client::attach(&session, After::Start).await;
    let first = ask(&session, &mut client, "m-1").await;
    assert_eq!(first.finish_reason, FinishReason::Stop);
    assert_eq!(spent(&sessions, &user("ann")).await.tokens, 999);
    // Another session of the same user.
    let other = of_user(&sessions, "t", "ann").await;
    let mut client = Client::attach(&other, After::Start).await;
    let refused = ask(&other, &mut client, "m-1").await;
    assert_eq!(refused.finish_reason, FinishReason::Error);
    assert_eq!(refused.content, "");
    assert_eq!(refused.cost_usd, Some(0.0));
    let (limit, remaining, resets_at) = limit_told(&client);
    assert_eq!((limit.as_str(), remaining), ("user_day_tokens", json!(1)));
    assert!(resets_at.as_str().unwrap().contains("T00:00:00"));
    assert_eq!(model.requests().len(), 1);
    assert_eq!(spent(&sessions, &user("ann")).await.tokens, 999);
    // Somebody else has a day of their own.
    model.push(Reply::text(["Two."]));
    let of_bob = of_user(&sessions, "u", "bob").await;
    let mut client = Client::attach(&of_bob, After::Start).await;
    let answer = ask(&of_bob, &mut client, "m-1").await;
    assert_eq!(answer.finish_reason, FinishReason::Stop);
}

#[tokio::test(start_paused = true)]
async fn each_message_that_waits_is_refused_with_an_answer_of_its_own() {
    let (store, ledger) = (MemoryStore::default(), MemoryLedger::default());
    let gate = Gate::default();
    let model = ScriptedModel::new([Reply::of([Step::Wait(gate.clone())])
        .then(text("One."))
        .then(Step::Say(ModelEvent::Finish {
            reason: ModelFinish::Stop,
            usage: ModelUsage {
                input_tokens: Some(5_000),
                output_tokens: Some(5_000),
                ..ModelUsage::default()
            },
            provider_data: None,
        }))]);
    let sessions = builder(&store, &model, &ledger, session(tokens(2_000))).start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    for id in ["m-1", "m-2", "m-3"] {
        say(&session, id, "Hi").await;
    }
    gate.open();
    for _ in 0..3 {
        client.until_answer().await;
    }
    client.read_for(Duration::from_secs(1)).await;
    assert_eq!(client.count("ai_response"), 3);
    let limits = errors(&client);
    assert_eq!(limits.len(), 2);
    assert!(limits.iter().all(|it| it.code == ErrorCode::LimitReached));
    assert_eq!(limits[0].details["limit"], "session_tokens");
    support::judge::check_log(&events_of(&store).await);
}

#[tokio::test(start_paused = true)]
async fn a_model_without_a_price_is_held_by_tokens_and_not_by_dollars() {
    let (store, ledger) = (MemoryStore::default(), MemoryLedger::default());
    let model = ScriptedModel::new([used("One.", 500, 500), used("Two.", 500, 500)]);
    let budgets = Budgets {
        turn: usd(1),
        session: Cap {
            tokens: Some(1_500),
            micro_usd: Some(1),
        },
        user_day: usd(1),
    };
    let sessions = builder(&store, &model, &ledger, budgets).start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    for id in ["m-1", "m-2"] {
        let answer = ask(&session, &mut client, id).await;
        assert_eq!(answer.finish_reason, FinishReason::Stop);
    }
    let third = ask(&session, &mut client, "m-3").await;
    assert_eq!(third.finish_reason, FinishReason::Error);
    assert_eq!(limit_told(&client).0, "session_tokens");
}

/// What a user may take on a day, where two turns in two processes would each take all there is.
const SHARED: u64 = 3_000;
/// What one piece of theirs is counted as, at most.
const PIECE: u64 = 8;

/// What the two took together, and how many pieces each of them said.
async fn two_take_all_they_can(ledgers: [Arc<dyn Ledger>; 2]) -> (u64, [usize; 2]) {
    let mut turns = Vec::new();
    let mut processes = Vec::new();
    for ledger in &ledgers {
        let piece = || {
            [
                text("word word word word "),
                Step::Pause(Duration::from_millis(1)),
            ]
        };
        let model = ScriptedModel::new([Reply::of((0..5_000).flat_map(|_| piece()))]);
        let sessions = SessionManager::builder(MemoryStore::default(), model)
            .budgets(Arc::clone(ledger), user_day(tokens(SHARED)))
            .start();
        let session = of_user(&sessions, "s", "ann").await;
        let mut client = Client::attach(&session, After::Start).await;
        say(&session, "m-1", "Hi").await;
        turns.push(async move {
            let answer = client.until_answer().await;
            assert_eq!(answer.finish_reason, FinishReason::Error);
            assert_eq!(limit_told(&client).0, "user_day_tokens");
            answer.content.matches("word word word word ").count()
        });
        processes.push(sessions);
    }
    let said = join_all(turns).await;
    let mut all = 0;
    // Each tells of itself what it has still to book.
    for _ in 0..2 {
        for sessions in &processes {
            all = spent(sessions, &user("ann")).await.tokens;
        }
    }
    (all, [said[0], said[1]])
}

/// The bound: no more together than there is room for, and one piece for each of them.
#[tokio::test(start_paused = true)]
async fn two_processes_together_exceed_a_day_by_one_piece_each_at_most() {
    let ledger = MemoryLedger::default();
    let (all, said) = two_take_all_they_can([Arc::new(ledger.clone()), Arc::new(ledger)]).await;
    assert!(all <= SHARED + 2 * PIECE, "{all}");
    assert!(all + 100 > SHARED, "{all}");
    // Both had a part of it.
    assert!(said.iter().all(|pieces| *pieces > 100), "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_with_one_file_exceed_a_day_by_one_piece_each_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("patter.db");
    let first = SqliteStore::open(&file).await.unwrap();
    let second = SqliteStore::open(&file).await.unwrap();
    let (all, _) = two_take_all_they_can([Arc::new(first), Arc::new(second)]).await;
    assert!(all <= SHARED + 2 * PIECE, "{all}");
    assert!(all + 100 > SHARED, "{all}");
}

#[tokio::test(start_paused = true)]
async fn what_was_booked_and_not_used_is_booked_back() {
    let (store, ledger) = (MemoryStore::default(), MemoryLedger::default());
    let model = ScriptedModel::new([
        // Not accepted, and so free.
        Reply::refused(overloaded()),
        Reply::of([text("Half"), Step::Hang]),
        used("Whole.", 7, 3),
    ]);
    let sessions = builder(&store, &model, &ledger, session(tokens(100_000))).start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    ask(&session, &mut client, "m-1").await;
    assert_eq!(spent(&sessions, &session_of("s")).await.tokens, 0);
    // Broken off: nobody says what it used, so it counts as it was thought.
    say(&session, "m-2", "Hi").await;
    client.until_token("Half").await;
    let cancel = ClientMessage::Cancel { response_id: None };
    session.submit(cancel).await.unwrap();
    client.until_answer().await;
    let half = spent(&sessions, &session_of("s")).await.tokens;
    assert!((1..50).contains(&half), "{half}");
    ask(&session, &mut client, "m-3").await;
    assert_eq!(spent(&sessions, &session_of("s")).await.tokens, half + 10);
}

#[tokio::test(start_paused = true)]
async fn summaries_and_the_classifier_are_counted_too() {
    let (store, ledger) = (MemoryStore::default(), MemoryLedger::default());
    let model =
        ScriptedModel::new([used("One.", 100, 10)]).with_summary(used("A summary.", 1_000, 20));
    let judge = ScriptedModel::new([used("easy", 40, 2)]).named("judges", "judge-1");
    let settings = ClassifierSettings {
        labels: [("easy".to_owned(), "Easy.".to_owned())].into(),
        ..ClassifierSettings::default()
    };
    let route = Route {
        name: "easy".to_owned(),
        when: Conditions {
            class: vec!["easy".to_owned()],
            ..Conditions::default()
        },
        then: Plan::default(),
    };
    let router = Router::new(vec![route], Some(Classifier::new(judge, settings))).unwrap();
    let sessions = builder(&store, &model, &ledger, Budgets::default())
        .routes(router)
        .start();
    let session = of_user(&sessions, "s", "ann").await;
    let mut client = Client::attach(&session, After::Start).await;
    let answer = ask(&session, &mut client, "m-1").await;
    assert_eq!(answer.route.as_deref(), Some("easy"));
    assert_eq!(spent(&sessions, &user("ann")).await.tokens, 42 + 110);
    session.submit(ClientMessage::End).await.unwrap();
    client.until_closed().await;
    assert_eq!(
        spent(&sessions, &user("ann")).await.tokens,
        42 + 110 + 1_020
    );
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_is_away_stops_nobody_and_is_told_later() {
    let (store, ledger) = (MemoryStore::default(), MemoryLedger::default());
    let model = ScriptedModel::new([used("One.", 300, 30), used("Two.", 3_000, 30)]);
    let sessions = builder(&store, &model, &ledger, user_day(tokens(1_000))).start();
    let session = of_user(&sessions, "s", "ann").await;
    let mut client = Client::attach(&session, After::Start).await;
    ledger.set_away(true);
    for id in ["m-1", "m-2"] {
        let answer = ask(&session, &mut client, id).await;
        assert_eq!(answer.finish_reason, FinishReason::Stop);
    }
    assert!(sessions.usage(&user("ann")).await.is_err());
    ledger.set_away(false);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(spent(&sessions, &user("ann")).await.tokens, 3_360);
    let refused = ask(&session, &mut client, "m-3").await;
    assert_eq!(refused.finish_reason, FinishReason::Error);
    assert_eq!(limit_told(&client).0, "user_day_tokens");
}

#[tokio::test(start_paused = true)]
async fn a_booking_that_comes_too_late_lets_one_slice_pass_and_not_the_whole_answer() {
    let (store, ledger) = (MemoryStore::default(), MemoryLedger::default());
    let long = || Reply::of(vec![text("word "); 20_000]);
    let model = ScriptedModel::new([long(), long()]);
    let sessions = builder(&store, &model, &ledger, user_day(tokens(3_000))).start();
    let session = of_user(&sessions, "s", "ann").await;
    let mut client = Client::attach(&session, After::Start).await;
    ledger.delay_next(Duration::from_secs(3));
    let answer = ask(&session, &mut client, "m-1").await;
    assert_eq!(answer.finish_reason, FinishReason::Error);
    assert_eq!(limit_told(&client).0, "user_day_tokens");
    let spent = spent(&sessions, &user("ann")).await.tokens;
    assert!((2_000..3_020).contains(&spent), "{spent}");
    // Near the cap, too, it is not asked for each piece.
    assert!(ledger.bookings() < 10, "{}", ledger.bookings());
    // Nor does it let others pass.
    ask(&session, &mut client, "m-2").await;
    assert_eq!(model.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_booking_that_comes_late_counts_once_and_leaves_room_for_the_rest_of_the_answer() {
    let (store, ledger) = (MemoryStore::default(), MemoryLedger::default());
    let mut steps = vec![text("word "); 300];
    steps.push(Step::Pause(Duration::from_secs(2)));
    steps.push(finish(ModelFinish::Stop));
    let model = ScriptedModel::new([Reply::of(steps)]);
    // For what the answer uses, and not for a second slice beside the first.
    let sessions = builder(&store, &model, &ledger, user_day(tokens(1_400))).start();
    let session = of_user(&sessions, "s", "ann").await;
    let mut client = Client::attach(&session, After::Start).await;
    ledger.delay_next(Duration::from_secs(3));
    let answer = ask(&session, &mut client, "m-1").await;
    assert_eq!(answer.finish_reason, FinishReason::Stop);
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_is_slow_again_and_again_is_left_alone_for_a_while() {
    let (store, ledger) = (MemoryStore::default(), MemoryLedger::default());
    let model = ScriptedModel::new((0..7).map(|_| used("One.", 30, 3)));
    let sessions = builder(&store, &model, &ledger, user_day(tokens(10_000))).start();
    let session = of_user(&sessions, "s", "ann").await;
    let mut client = Client::attach(&session, After::Start).await;
    for (turn, is_slow) in [true, true, false, true, true, true, true]
        .into_iter()
        .enumerate()
    {
        if is_slow {
            ledger.delay_next(Duration::from_secs(3));
        }
        let answer = ask(&session, &mut client, &format!("m-{turn}")).await;
        assert_eq!(answer.finish_reason, FinishReason::Stop);
    }
    // Three in a row: of the last turn nothing was booked before.
    assert_eq!(ledger.bookings(), 6);
}

#[tokio::test(start_paused = true)]
async fn what_is_owed_is_booked_before_a_process_ends() {
    let (store, ledger) = (MemoryStore::default(), MemoryLedger::default());
    let model = ScriptedModel::new([used("One.", 300, 30)]);
    let sessions = builder(&store, &model, &ledger, user_day(tokens(10_000))).start();
    let session = of_user(&sessions, "s", "ann").await;
    let mut client = Client::attach(&session, After::Start).await;
    ask(&session, &mut client, "m-1").await;
    sessions.shutdown(Duration::from_secs(10)).await;
    assert_eq!(ledger.total("user:ann").tokens, 330);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_takes_over_is_held_by_the_same_cap() {
    let (store, ledger) = (MemoryStore::default(), MemoryLedger::default());
    let restarted = Step::Say(ModelEvent::Restarted {
        provider: "scripted".to_owned(),
        model: "script-1".to_owned(),
        error: overloaded(),
    });
    let mut steps = vec![text("word "); 150];
    steps.push(restarted);
    steps.extend(vec![text("word "); 300]);
    let model = ScriptedModel::new([Reply::of(steps)]).named("elsewhere", "other-1");
    let sessions = builder(&store, &model, &ledger, turn(tokens(500))).start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    let answer = client.until_answer().await;
    assert_eq!(answer.finish_reason, FinishReason::Error);
    assert_eq!(limit_told(&client).0, "turn_tokens");
}
