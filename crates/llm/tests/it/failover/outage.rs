//! The minute in which a provider is down, with all wrappers in place. The README has its numbers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use patter_llm::{
    Answer, ChatModel, ChatRequest, CircuitBreaker, CircuitState, Demo, Failover, LlmError, Retry,
    RetryBudget,
};
use patter_testkit::scripted_model::overloaded;
use std::sync::Arc;
use tokio::time::{Instant, sleep_until};

use crate::wrappers::{question, rest_of};

/// Refuses every request, and counts them.
#[derive(Debug, Default)]
struct Down {
    asked: AtomicUsize,
}

#[async_trait]
impl ChatModel for Down {
    fn provider(&self) -> &str {
        "scripted"
    }

    fn model(&self) -> &str {
        "down-1"
    }

    async fn stream(&self, _request: &ChatRequest) -> Result<Answer, LlmError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Err(overloaded())
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_requests_in_the_minute_that_a_provider_is_down_are_all_answered() {
    let budget = RetryBudget::default();
    let down = Arc::new(Down::default());
    let breaker = CircuitBreaker::new(Arc::clone(&down));
    let circuit = breaker.circuit();
    let second = CircuitBreaker::new(Demo::new().pace(Duration::ZERO));
    let model = Failover::new(Retry::new(breaker, budget.clone())).then(Retry::new(second, budget));

    let began = Instant::now();
    let mut slowest = Duration::ZERO;
    for request in 0..100 {
        sleep_until(began + Duration::from_millis(600) * request).await;
        let asked = Instant::now();
        let answer = model.stream(&question()).await.unwrap();
        slowest = slowest.max(asked.elapsed());
        let lines = rest_of(answer).await;
        assert!(lines[0].starts_with("restarted demo/"), "{lines:?}");
        assert_eq!(lines.last().unwrap(), "finish Stop");
    }

    // Ten requests open the circuit, and two probes find it so.
    assert_eq!(down.asked.load(Ordering::SeqCst), 12);
    assert!(slowest <= Duration::from_millis(1_502), "{slowest:?}");
    let status = circuit.status();
    assert_ne!(status.state, CircuitState::Closed);
    assert_eq!(status.totals.opened, 1);
}
