//! Fuzz targets for what strangers send: frames and session ids. Each is an ordinary test for a second;
//! `cargo xtask fuzz` runs them longer.

use bolero::{Driver, ValueGenerator, check, one_of, one_value_of, produce};
use patter_protocol::{
    ClientMessage, ErrorCode, MAX_CONTENT_BYTES, MAX_JSON_DEPTH, MAX_METADATA_BYTES, ParseError,
    SessionId, UserInput,
};
use serde_json::{Value, json};

/// What is told back of a frame that is refused, whatever its size.
const MAX_PROBLEM_BYTES: usize = 300;

const TYPES: &[&str] = &[
    "user_message",
    "user_message\",\"content\":\"Hello",
    "user_message\",\"content\":\"Hello",
    "user_message\",\"content\":\"Hello",
    "cancel",
    "regenerate",
    "tool_approval",
    "end",
    "end_session",
    "auth_refresh",
    "ping",
];

/// The fields of all of them; each with the greatest number of characters, where one counts.
const FIELDS: &[(&str, usize)] = &[
    ("content", MAX_CONTENT_BYTES),
    ("message", MAX_CONTENT_BYTES),
    ("id", 64),
    ("replaces", 64),
    ("reason", 1_000),
    ("token", 8_192),
    ("nonce", 64),
    ("metadata", 0),
    ("interrupt", 0),
    ("approve", 0),
    ("response_id", 0),
    ("call_id", 0),
];

const SCALARS: &[&str] = &[
    "\"Hello\"",
    "\"\\ud83d\\ude00\"",
    "\"01900000-0000-7000-8000-000000000001\"",
    "true",
    "false",
    "null",
    "0",
    "-0.0",
    "1E-999",
    "12345678901234567890123",
];

/// Stands where something else would be right.
const ODD: &[&str] = &[
    " ",
    "\n",
    "\r\t",
    "\u{feff}",
    "\u{a0}",
    "//",
    ",",
    "\0",
    "{",
    "]",
    "\"",
    "\"type\":\"end\",",
    "\"content\":\"again\",",
    "\"\\u0063ontent\":1,",
    "\"\":{},",
    "\"__proto__\":[],",
    "\"\\u0000\":0,",
    "\"\\ud83d\"",
    "\"\\u0000\"",
    "\" \\u3000 \"",
    "\"{01900000000070008000000000000001}\"",
    "1e400",
    "NaN",
    "01",
    "1.",
    "'x'",
];

/// Texts that are frames, or would be but for some place in them.
struct Frames;

impl ValueGenerator for Frames {
    type Output = String;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<String> {
        let mut frame = String::from("{");
        odd(&mut frame, driver)?;
        let kind = match (0..24_u8).generate(driver)? {
            0 => "x".repeat(one_value_of([41, 5_000]).generate(driver)?),
            _ => one_value_of(TYPES).generate(driver)?.to_owned(),
        };
        frame += &format!("\"type\":\"{kind}\"");
        for _ in 0..(0..5_u8).generate(driver)? {
            let (field, most) = one_value_of(FIELDS).generate(driver)?;
            odd(&mut frame, driver)?;
            frame += &format!(",\"{field}\":");
            odd(&mut frame, driver)?;
            frame += &value(driver, field, most)?;
        }
        frame.push('}');
        odd(&mut frame, driver)?;
        if (0..8_u8).generate(driver)? == 0 {
            let cut = (0..=frame.len()).generate(driver)?;
            frame.truncate(frame.floor_char_boundary(cut));
        }
        Some(frame)
    }
}

/// In one of some places, something that does not belong there.
fn odd<D: Driver>(text: &mut String, driver: &mut D) -> Option<()> {
    if (0..40_u8).generate(driver)? == 0 {
        *text += one_value_of(ODD).generate(driver)?;
    }
    Some(())
}

/// A value for a field; texts are often just as long as they may be, or one character longer.
fn value<D: Driver>(driver: &mut D, field: &str, most: usize) -> Option<String> {
    let scalar = one_value_of(SCALARS).generate(driver)?.to_owned();
    Some(match (0..10_u8).generate(driver)? {
        0 => scalar,
        1 => {
            // The frame is a level too.
            let levels = [1, 2, MAX_JSON_DEPTH - 1, MAX_JSON_DEPTH, 1_000];
            let levels = one_value_of(levels).generate(driver)?;
            let (open, close) = one_value_of([("[", "]"), ("{\"a\":", "}")]).generate(driver)?;
            format!("{}{scalar}{}", open.repeat(levels), close.repeat(levels))
        }
        2 if most > 0 => json!(produce::<String>().generate(driver)?).to_string(),
        _ if field == "metadata" => {
            let length = MAX_METADATA_BYTES - "{'k':''}".len();
            let length = one_value_of([1, length, length + 1]).generate(driver)?;
            let unit = one_value_of(["x", "x", "x", "\\u0000"]).generate(driver)?;
            format!("{{\"k\":\"{}\"}}", unit.repeat(length))
        }
        _ if most > 0 => {
            let unit = one_value_of(["x", "x", "é", "\\u0001", "\\u0000", " "]).generate(driver)?;
            let length = one_value_of([0, 1, most, most + 1]).generate(driver)?;
            format!("\"{}\"", unit.repeat(length))
        }
        _ => scalar,
    })
}

/// The levels of a value, as a reader counts them: a scalar has none.
fn depth_of(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth_of).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth_of).max().unwrap_or(0),
        _ => 0,
    }
}

/// No text makes the parser panic. What it takes is JSON to others too, within the limits, and means the same
/// when it is written and read again. What it refuses is told in short; and only what others would not read,
/// or read in different ways, or is nested too deeply, is no JSON.
#[test]
fn fuzz_frames() {
    let texts = one_of((Frames, Frames, Frames, produce::<String>()));
    check!().with_generator(texts).for_each(|frame| {
        let usual: Option<Value> = serde_json::from_str(frame).ok();
        let usual = usual.filter(Value::is_object);
        match ClientMessage::parse(frame) {
            Ok(message) => {
                assert!(usual.is_some(), "others refuse it");
                assert_eq!(
                    ClientMessage::parse(&message.to_json()),
                    Ok(message.clone())
                );
                assert_within_limits(frame, message);
            }
            Err(error) => {
                assert!(error.to_string().len() <= MAX_PROBLEM_BYTES, "{error}");
                assert_eq!(
                    error.field().is_some(),
                    error.code() == ErrorCode::InvalidField
                );
            }
        }
        // Without keys that stand twice, of which the usual reader has kept one.
        let Some(plain) = usual.filter(|it| depth_of(it) <= MAX_JSON_DEPTH) else {
            return;
        };
        let judged = ClientMessage::parse(&plain.to_string());
        assert!(
            !matches!(judged, Err(ParseError::InvalidJson(_))),
            "{judged:?}"
        );
    });
}

fn assert_within_limits(frame: &str, message: ClientMessage) {
    let ClientMessage::UserMessage(input) = message else {
        return;
    };
    assert_eq!(UserInput::parse(frame).as_ref(), Ok(&input));
    assert!((1..=MAX_CONTENT_BYTES).contains(&input.content.len()));
    assert_eq!(input.content.trim(), input.content);
    assert!(!input.content.contains('\0'));
    let metadata = Value::Object(input.metadata).to_string();
    assert!(metadata.len() <= MAX_METADATA_BYTES && !metadata.contains("\\u0000"));
    let ids = input.id.iter().chain(&input.replaces);
    assert!(ids.map(|id| id.as_str().chars().count()).all(|it| it <= 64));
}

/// As the contract has it: `[A-Za-z0-9][A-Za-z0-9._~:-]{0,127}`.
fn is_session_id(text: &str) -> bool {
    let is_first = |it: char| matches!(it, 'A'..='Z' | 'a'..='z' | '0'..='9');
    let is_other = |it: char| is_first(it) || "._~:-".contains(it);
    let mut characters = text.chars();
    characters.next().is_some_and(is_first) && characters.all(is_other) && text.len() < 129
}

/// A text is an id exactly where the contract says so, and is kept as it is: it stands in paths, logs and
/// statements, and one that is taken and should not be is a way out of all of them.
#[test]
fn fuzz_session_ids() {
    let allowed = "ABCabcxyz019._~:-".chars().collect::<Vec<_>>();
    let nearly = produce::<Vec<char>>()
        .with()
        .values(one_value_of(&allowed[..]))
        .len(one_of((0..12_usize, 126..132_usize)));
    let odd = one_of((
        produce::<Vec<char>>().with().len(0..1_usize),
        produce::<Vec<char>>().with().len(0..3_usize),
        one_value_of(["..", "/", "%2e", "\0", "\r\n", "\u{430}", "\u{200d}"])
            .map_gen(|it: &str| it.chars().collect::<Vec<_>>()),
    ));
    let texts = (nearly, odd, produce::<u8>()).map_gen(|(mut id, odd, at)| {
        let at = usize::from(at).min(id.len());
        id.splice(at..at, odd);
        id.into_iter().collect::<String>()
    });
    check!().with_generator(texts).for_each(|text| {
        let parsed: Result<SessionId, _> = text.parse();
        assert_eq!(parsed.is_ok(), is_session_id(text));
        assert!(parsed.is_ok_and(|id| id.as_str() == text) || !is_session_id(text));
    });
}
