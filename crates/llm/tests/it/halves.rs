//! Characters that a server cut in half between two pieces.

use patter_llm::FinishReason;
use patter_testkit::model_server::Reply;

use crate::support::{Wire, ask};

#[tokio::test]
async fn a_character_that_came_in_two_halves_is_whole() {
    let pieces = [r"a \ud83c", r"\udf0a wave"];
    for wire in Wire::ALL {
        let body: String = match wire {
            Wire::Gemini => pieces
                .map(|text| {
                    format!(
                        r#"data: {{"candidates":[{{"content":{{"parts":[{{"text":"{text}"}}]}},"finishReason":"STOP"}}]}}"#
                    ) + "\r\n\r\n"
                })
                .concat(),
            Wire::OpenAi => pieces
                .map(|text| {
                    format!(
                        r#"data: {{"choices":[{{"delta":{{"content":"{text}"}},"finish_reason":"stop"}}]}}"#
                    ) + "\n\n"
                })
                .concat(),
            Wire::Responses => {
                let events = pieces.map(|text| {
                    format!(
                        r#"{{"type":"response.output_text.delta","output_index":0,"delta":"{text}"}}"#
                    )
                });
                let end = r#"{"type":"response.completed","response":{"status":"completed"}}"#;
                events
                    .iter()
                    .map(String::as_str)
                    .chain([end])
                    .map(|event| format!("data: {event}\n\n"))
                    .collect()
            }
        };
        let outcome = ask(wire, Reply::sse(body)).await;
        assert_eq!(outcome.text, "a 🌊 wave", "{wire:?}: {outcome:?}");
        assert_eq!(outcome.reason(), Some(FinishReason::Stop));
    }
}
