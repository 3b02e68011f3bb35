//! Everything that needs no tool: what the demo is, what it remembers, and what it can show.

use crate::demo::summary;
use crate::demo::words::{counted, has, has_any, short, trim};
use crate::message::Message;
use crate::request::ToolDeclaration;

/// What it says of itself. It is no language model and never claims to be one.
const INTRODUCTION: &str = "I am the **demo model** of patter: a set of fixed rules that runs \
    offline, not a language model. Set `GEMINI_API_KEY` or `OPENAI_API_KEY` to talk to a real one.";

/// The first words of a conversation.
pub(super) fn greeting(tools: &[ToolDeclaration]) -> String {
    format!("Hello! {INTRODUCTION}\n\n{}", abilities(tools))
}

/// The answer to a question that wants no tool.
pub(super) fn reply(question: &str, earlier: &[Message], tools: &[ToolDeclaration]) -> String {
    if let Some(answer) = recall(question, earlier) {
        return answer;
    }
    if let Some(name) = name_in(question) {
        return format!("Nice to meet you, **{name}**. I will remember that in this conversation.");
    }
    if has_any(question, &["summarize", "summary", "sum up", "talk about"]) {
        return summary::write(&summary::transcript(earlier));
    }
    if has_any(question, &["code", "function", "program", "rust"]) {
        return CODE.to_owned();
    }
    if has_any(question, &["table", "markdown", "formatting"]) {
        return TABLE.to_owned();
    }
    if has_any(
        question,
        &["story", "something long", "long answer", "long text"],
    ) {
        return STORY.to_owned();
    }
    if has_any(question, &["poem", "haiku", "rhyme"]) {
        return HAIKU.to_owned();
    }
    if has_any(question, &["joke", "something funny"]) {
        return JOKE.to_owned();
    }
    if has_any(question, &["what is patter", "about patter", "patter do"]) {
        return PATTER.to_owned();
    }
    if has_any(question, &["how are you", "how do you do"]) {
        return "As well as a set of fixed rules can be, thank you. Ask me to compute something \
            or to look something up."
            .to_owned();
    }
    if has_any(question, &["thanks", "thank you"]) {
        return "You are welcome.".to_owned();
    }
    if has_any(question, &["bye", "goodbye", "see you"]) {
        return "Goodbye! Close the session and you will find a summary of our talk with it."
            .to_owned();
    }
    if has_any(
        question,
        &["hello", "hi", "hey", "good morning", "good evening"],
    ) {
        return greeting(tools);
    }
    if has_any(
        question,
        &[
            "help",
            "can you do",
            "who are you",
            "what are you",
            "are you",
            "your name",
            "made you",
            "tools",
            "you do",
        ],
    ) {
        return format!("{INTRODUCTION}\n\n{}", abilities(tools));
    }
    format!(
        "You said: “{}”. I have no rule for that: I know a few kinds of questions, in English. {INTRODUCTION}\n\n{}",
        short(question, 120),
        abilities(tools)
    )
}

fn abilities(tools: &[ToolDeclaration]) -> String {
    let mut text = "Try one of these:\n\n\
        - *What is 15% of 240?*\n\
        - *What's the weather in Paris and Rome?*\n\
        - *What is the price of AAPL times 12?*\n\
        - *What is 17% of 3450, and the square root of that?*\n\
        - *Compare the stock prices of AAPL and MSFT*\n\
        - *Look up order 1001 and user 42*\n\
        - *My name is Ada*, and later *What is my name?*\n\
        - *Show me some code*, *a table*, or *tell me a story*\n\
        - *Summarize our conversation*"
        .to_owned();
    let names: Vec<String> = tools
        .iter()
        .map(|tool| format!("`{}`", tool.name))
        .collect();
    if !names.is_empty() {
        text.push_str(&format!(
            "\n\nTools that I was given: {}.",
            names.join(", ")
        ));
    }
    text
}

/// Answers from what was said before.
fn recall(question: &str, earlier: &[Message]) -> Option<String> {
    let said: Vec<_> = earlier
        .iter()
        .filter_map(|message| match message {
            Message::User(message) => Some(message.joined_text()),
            Message::Assistant(_) | Message::ToolResults(_) => None,
        })
        .collect();
    if has_any(question, &["my name", "who am I"]) && !has(question, "my name is") {
        return Some(match said.iter().rev().find_map(|text| name_in(text)) {
            Some(name) => format!("Your name is **{name}**."),
            None => "You have not told me your name yet.".to_owned(),
        });
    }
    if !has_any(
        question,
        &[
            "did I ask",
            "did I say",
            "I asked",
            "have I asked",
            "I said",
        ],
    ) {
        return None;
    }
    let Some(last) = said.last() else {
        return Some("This is the first thing that you have said to me.".to_owned());
    };
    if has(question, "first") {
        let first = said.first().unwrap_or(last);
        return Some(format!(
            "The first thing you said was: “{}”",
            short(first, 200)
        ));
    }
    let lines: Vec<String> = said
        .iter()
        .enumerate()
        .map(|(index, text)| format!("{}. {}", index + 1, short(text, 120)))
        .collect();
    Some(format!(
        "Before this you said {}, the last one being “{}”:\n\n{}",
        counted(said.len(), "thing"),
        short(last, 120),
        lines.join("\n")
    ))
}

/// The name in "my name is Ada" or "call me Ada".
fn name_in(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let introduces = |pair: &[&str], first: &str, second: &str| match pair {
        [one, two] => one.eq_ignore_ascii_case(first) && two.eq_ignore_ascii_case(second),
        _ => false,
    };
    let position = words
        .windows(2)
        .position(|pair| introduces(pair, "name", "is") || introduces(pair, "call", "me"))?;
    let name = trim(words.get(position + 2)?);
    (!name.is_empty()).then(|| name.to_owned())
}

const CODE: &str = "Here is a small piece of Rust:\n\n\
```rust\n\
/// Greatest common divisor.\n\
fn gcd(a: u64, b: u64) -> u64 {\n    if b == 0 { a } else { gcd(b, a % b) }\n}\n\n\
assert_eq!(gcd(48, 36), 12);\n\
```\n\n\
It stops because the second argument becomes smaller in every call.";

const TABLE: &str = "What you can see of Markdown here:\n\n\
| element | how it is written |\n\
| --- | --- |\n\
| **bold** | two stars around the words |\n\
| `code` | backticks around it |\n\
| list | a dash before each line |\n\n\
> And this is a quotation.\n\n\
1. First\n2. Second";

const HAIKU: &str = "Packets in the night:\n\none word, then another word.\n\n\
    The log keeps them all.";

const JOKE: &str =
    "A request walks into a bar, orders, and leaves. A WebSocket walks into a bar, and stays.";

const PATTER: &str = "**patter** is a backend for conversations with language models. A client opens \
    one WebSocket, and a model answers token by token. In between it calls tools, such as a \
    calculator. Every event is stored, so that a client that was cut off goes on where it was, and \
    at its end each session gets a summary.";

const STORY: &str = "Once there was a server that could not wait. Whatever it was asked, it said \
    the first word as soon as it knew it, and the second as soon as it knew that one. People \
    liked to listen to it, for they were never left alone with a spinning wheel.\n\n\
    One night the network broke in the middle of a sentence. The server did not shout and did not \
    begin again. It wrote down what it had said so far, and when the listener came back and named \
    the last word he had heard, it went on with the next.\n\n\
    “How did you know where we were?” asked the listener. “I keep a log,” said the server.";
