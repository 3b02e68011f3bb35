//! Whatever goes wrong with whom: what the consumer sees is one model's answer, or says otherwise.

use patter_llm::{Failover, ModelEvent};
use patter_testkit::scripted_model::{Reply, ScriptedModel, Step, finish, text};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};

use crate::wrappers::{every_error, question};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// What one model does.
#[derive(Debug, Clone)]
struct Script {
    /// Whether it accepts the request before it fails.
    accepts: bool,
    /// How many pieces of text it gives.
    pieces: usize,
    end: End,
}

#[derive(Debug, Clone)]
enum End {
    Finish,
    /// By its place in [`every_error`].
    Error(usize),
    /// The stream is over.
    Nothing,
}

fn script() -> impl Strategy<Value = Script> {
    let errors = every_error("a").len();
    let end = prop_oneof![
        1 => Just(End::Finish),
        3 => (0..errors).prop_map(End::Error),
        1 => Just(End::Nothing),
    ];
    (any::<bool>(), 0..4_usize, end).prop_map(|(accepts, pieces, end)| Script {
        accepts,
        pieces,
        end,
    })
}

impl Script {
    fn model(&self, name: &str) -> ScriptedModel {
        let mut steps = Vec::new();
        if self.accepts {
            steps.push(Step::Pause(std::time::Duration::ZERO));
        }
        // Each piece says whose it is and which.
        steps.extend((0..self.pieces).map(|at| text(&format!("{name}{at}"))));
        match self.end {
            End::Finish => steps.push(finish(patter_llm::FinishReason::Stop)),
            End::Error(at) => steps.push(Step::Fail(every_error(name)[at].clone())),
            End::Nothing => {}
        }
        ScriptedModel::new([Reply::of(steps)]).named(name, &format!("{name}-1"))
    }

    fn pieces_of(&self, name: &str) -> Vec<String> {
        (0..self.pieces).map(|at| format!("{name}{at}")).collect()
    }

    fn finishes(&self) -> bool {
        matches!(self.end, End::Finish)
    }

    fn is_blocked(&self) -> bool {
        matches!(self.end, End::Error(at) if every_error("a")[at].kind() == "blocked")
    }

    /// Whether the consumer sees it begin.
    fn begins(&self) -> bool {
        self.pieces > 0 || self.finishes()
    }
}

/// What a consumer that obeys `Restarted` has in the end.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    /// Who answers, as far as the consumer was told.
    voice: String,
    pieces: Vec<String>,
    finished: bool,
}

/// What the consumer must have in the end.
fn expected(scripts: &[Script]) -> Seen {
    let mut seen = Seen {
        voice: NAMES[0].to_owned(),
        ..Seen::default()
    };
    for (script, name) in scripts.iter().zip(NAMES) {
        if script.begins() {
            seen.voice = name.to_owned();
            seen.pieces = script.pieces_of(name);
            seen.finished = script.finishes();
        }
        if script.finishes() || script.is_blocked() {
            break;
        }
    }
    seen
}

async fn look(model: &dyn patter_llm::ChatModel) -> Seen {
    let mut seen = Seen {
        voice: model.provider().to_owned(),
        ..Seen::default()
    };
    let Ok(mut answer) = model.stream(&question()).await else {
        return seen;
    };
    let mut ends = 0;
    while let Some(event) = answer.next().await {
        assert_eq!(ends, 0, "{event:?} behind the end");
        match event {
            Ok(ModelEvent::Text(piece)) => {
                assert!(piece.starts_with(&seen.voice), "{piece} by {}", seen.voice);
                seen.pieces.push(piece);
            }
            Ok(ModelEvent::Restarted {
                provider, model, ..
            }) => {
                assert_eq!(model, format!("{provider}-1"));
                assert!(provider > seen.voice, "{provider} again");
                seen.voice = provider;
                seen.pieces.clear();
            }
            Ok(ModelEvent::Finish { .. }) => {
                seen.finished = true;
                ends += 1;
            }
            Ok(other) => panic!("{other:?} was in no script"),
            Err(_) => ends += 1,
        }
    }
    assert_eq!(ends, 1, "an answer has one end");
    seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_of_two_models_is_joined_and_there_is_one_end(
        scripts in prop::collection::vec(script(), 1..=NAMES.len()),
    ) {
        let mut models = scripts.iter().zip(NAMES).map(|(script, name)| script.model(name));
        let failover = Failover::new(models.next().unwrap());
        let failover = models.fold(failover, Failover::then);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let seen = runtime.block_on(look(&failover));
        assert_eq!(seen, expected(&scripts));
    }
}
