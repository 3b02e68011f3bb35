//! Most chunks of an answer are the one before with another text. What stands around the text is remembered, and
//! a chunk in which the same stands around a text is not read again: it is compared, and its text taken out. Of what
//! a token takes, reading all of its chunk is a fifth.
//!
//! No chunk is taken for what it is not: what is remembered was read, by the same reader as every other chunk, with
//! another string in place of the text, and said that string and nothing else.

use memchr::{memmem, memrchr};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::openai::chat::wire::Chunk;

/// The key of the text.
const KEY: &[u8] = b"\"content\":";
/// After so many chunks in a row of which each had to be read, nothing more is to be learned.
const MAX_LESSONS: u8 = 8;
/// Longer chunks are read: to learn from one takes reading it several times.
const MAX_BYTES: usize = 8 * 1024;
/// So many places are tried where the text may stand.
const MAX_PLACES: usize = 2;
/// Put in place of a string to see what depends on it. One of them is another string than the one that stands there.
const PROBES: [&str; 2] = ["\"a\"", "\"b\""];

/// What the chunks of an answer have in common.
#[derive(Debug, Default)]
pub(super) struct Template {
    known: Option<Around>,
    /// Since a chunk was known.
    lessons: u8,
}

/// What stands around the text of a chunk that says nothing else.
#[derive(Debug)]
struct Around {
    before: String,
    after: String,
    /// After that, where a string follows that is another in each chunk and says nothing, what stands after it:
    /// `OpenAI` fills its chunks up, so that their length does not tell how long a word is.
    after_filling: Option<String>,
}

impl Template {
    /// The text of a chunk that is as the ones before; `None` where it has to be read.
    pub(super) fn text_of(&mut self, data: &str) -> Option<String> {
        let text = self.known.as_ref()?.text_of(data)?;
        self.lessons = 0;
        Some(text)
    }

    /// Learns from a chunk that had to be read.
    pub(super) fn learn(&mut self, data: &str, chunk: &Chunk) {
        let Some(text) = chunk.bare_text() else {
            return;
        };
        if self.lessons == MAX_LESSONS || data.len() > MAX_BYTES {
            return;
        }
        self.lessons += 1;
        if let Some(around) = Around::find(data, text) {
            let filled = self.known.take().and_then(|known| known.filled(&around));
            self.known = Some(filled.unwrap_or(around));
        }
    }
}

impl Around {
    fn find(data: &str, text: &str) -> Option<Self> {
        let places = memmem::find_iter(data.as_bytes(), KEY).filter_map(|at| {
            let (before, from) = data.split_at_checked(at + KEY.len())?;
            let (found, after) = leading::<String>(from)?;
            (found == text).then_some((before, after))
        });
        let (before, after) = places.take(MAX_PLACES).find(|(before, after)| {
            PROBES.iter().all(|probe| {
                let said = said([before, *probe, after]);
                said.is_some_and(|said| said == probe.trim_matches('"'))
            })
        })?;
        Some(Self {
            before: before.to_owned(),
            after: after.to_owned(),
            after_filling: None,
        })
    }

    fn text_of(&self, data: &str) -> Option<String> {
        let (text, rest) = leading::<String>(data.strip_prefix(&self.before)?)?;
        let rest = rest.strip_prefix(&self.after)?;
        let rest = match &self.after_filling {
            Some(after) => skip_string(rest)?.strip_prefix(after.as_str())?,
            None => rest,
        };
        rest.is_empty().then_some(text)
    }

    /// The two of them as one, if they differ in a string alone that stands after the text and says nothing.
    fn filled(self, other: &Self) -> Option<Self> {
        if self.before != other.before || self.after_filling.is_some() {
            return None;
        }
        let (one, another) = (self.after.as_bytes(), other.after.as_bytes());
        let same = one.iter().zip(another).take_while(|(a, b)| a == b).count();
        let quote = memrchr(b'"', one.get(..same)?)?;
        let (after, filling) = self.after.split_at_checked(quote)?;
        let rest = skip_string(filling)?;
        let is_one_string = skip_string(other.after.get(quote..)?)? == rest;
        // A key says something, whatever it is.
        let is_value = after.trim_end().ends_with(':');
        let [text, ..] = PROBES;
        let says_nothing = PROBES.iter().all(|probe| {
            let said = said([&self.before, text, after, *probe, rest]);
            said.is_some_and(|said| said == text.trim_matches('"'))
        });
        (is_one_string && is_value && says_nothing).then(|| Self {
            before: self.before.clone(),
            after: after.to_owned(),
            after_filling: Some(rest.to_owned()),
        })
    }
}

/// What a chunk of these pieces says, if that is a text and nothing else.
fn said<const PIECES: usize>(pieces: [&str; PIECES]) -> Option<String> {
    let data = pieces.concat();
    let chunk: Chunk = serde_json::from_str(&data).ok()?;
    chunk.bare_text().map(str::to_owned)
}

/// A value at the beginning, and what follows it.
fn leading<'a, T: Deserialize<'a>>(json: &'a str) -> Option<(T, &'a str)> {
    let mut values = serde_json::Deserializer::from_str(json).into_iter::<T>();
    let value = values.next()?.ok()?;
    Some((value, json.get(values.byte_offset()..)?))
}

/// What follows a string at the beginning.
fn skip_string(json: &str) -> Option<&str> {
    let (_, rest) = leading::<IgnoredAny>(json).filter(|_| json.starts_with('"'))?;
    Some(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::{Value, json};

    use super::*;

    /// What each of the chunks says, and whether that was known without reading it.
    fn read(chunks: &[String]) -> Vec<(Option<String>, bool)> {
        let mut template = Template::default();
        let read = chunks.iter().map(|data| {
            if let Some(text) = template.text_of(data) {
                return (Some(text), true);
            }
            let chunk: Chunk = serde_json::from_str(data).unwrap();
            template.learn(data, &chunk);
            (chunk.bare_text().map(str::to_owned), false)
        });
        read.collect()
    }

    /// How many of the chunks had to be read.
    fn lessons(chunks: &[String]) -> usize {
        let read = read(chunks);
        for ((said, _), data) in read.iter().zip(chunks) {
            let chunk: Chunk = serde_json::from_str(data).unwrap();
            assert_eq!(said.as_deref(), chunk.bare_text(), "{data}");
        }
        read.iter().filter(|(_, was_known)| !was_known).count()
    }

    const TEXTS: [&str; 6] = ["Hel", "lo", "", "\"quoted\"\n", "\u{1f30a} \\", "content"];

    #[test]
    fn of_chunks_that_differ_in_their_text_one_is_read() {
        let chunks = TEXTS.map(|text| {
            let text = json!(text);
            format!(
                r#"{{"id":"x","choices":[{{"index":0,"delta":{{"content": {text} }},"finish_reason":null}}],"model":"m"}}"#
            )
        });
        assert_eq!(lessons(&chunks), 1);
    }

    #[test]
    fn of_chunks_that_are_filled_up_two_are_read() {
        let fillings = ["8Hx", "8Hq", "", "tr", "\\u0061", "8"];
        let chunks: Vec<_> = TEXTS
            .iter()
            .zip(fillings)
            .map(|(text, filling)| {
                let text = json!(text);
                format!(
                    r#"{{"choices":[{{"delta":{{"content":{text}}}}}],"fill":"{filling}","usage":null}}"#
                )
            })
            .collect();
        assert_eq!(lessons(&chunks), 2);
    }

    #[test]
    fn a_key_or_a_field_that_counts_is_no_filling() {
        for (one, other) in [
            (r#""usual":1"#, r#""usage":{}"#),
            (r#""usage":null"#, r#""usage":{}"#),
            (r#""a":["x",1]"#, r#""a":["y",1]"#),
            (r#""error":null"#, r#""error":"e""#),
            (r#""k":"x:","n":5"#, r#""k":"x:","n":6"#),
        ] {
            let chunks = [one, other, other, one]
                .map(|field| format!(r#"{{"choices":[{{"delta":{{"content":"a"}}}}],{field}}}"#));
            let read = read(&chunks);
            for ((said, _), data) in read.iter().zip(&chunks) {
                let chunk: Chunk = serde_json::from_str(data).unwrap();
                assert_eq!(said.as_deref(), chunk.bare_text(), "{data}");
            }
        }
    }

    #[test]
    fn what_repeats_the_text_elsewhere_is_not_taken_for_it() {
        let chunks = ["a", "b"].map(|text| {
            format!(
                r#"{{"x":{{"content":"{text}"}},"y":"\"content\":\"{text}\"","choices":[{{"delta":{{"content":"{text}"}}}}]}}"#
            )
        });
        assert_eq!(lessons(&chunks), 2);
    }

    #[test]
    fn where_nothing_is_to_be_learned_it_is_not_tried_for_ever() {
        let chunks: Vec<_> = (0..100)
            .map(|number| {
                format!(r#"{{"created":{number},"choices":[{{"delta":{{"content":"a"}}}}]}}"#)
            })
            .collect();
        let mut template = Template::default();
        for data in &chunks {
            template.learn(data, &serde_json::from_str(data).unwrap());
        }
        assert_eq!(template.lessons, MAX_LESSONS);
        assert_eq!(lessons(&chunks), chunks.len());
    }

    #[test]
    fn nothing_is_learned_from_a_huge_chunk() {
        let odd = r#"{"content":"a"},"#.repeat(MAX_BYTES);
        let data = format!(r#"{{"x":[{odd}1],"choices":[{{"delta":{{"content":"a"}}}}]}}"#);
        let mut template = Template::default();
        template.learn(&data, &serde_json::from_str(&data).unwrap());
        assert_eq!(template.lessons, 0);
        assert_eq!(template.text_of(&data), None);
    }

    /// Fields of a chunk and of its choice that some servers write.
    fn fields() -> impl Strategy<Value = Value> {
        let odd = select(vec![
            json!({"id": "x"}),
            json!({"created": 7, "obfuscation": "f\"f"}),
            json!({"obfuscation": "content"}),
            json!({"usage": {"prompt_tokens": 1}}),
            json!({"error": null, "content": "a"}),
            json!({"message": "content"}),
        ]);
        prop_oneof![3 => Just(json!({"id": "x"})), 2 => "[a-z]{0,3}".prop_map(|fill| json!({"id": "x", "fill": fill})), 1 => odd]
    }

    fn chunk() -> impl Strategy<Value = String> {
        let delta = |text: String| {
            prop_oneof![
                6 => Just(json!({"content": text})),
                1 => Just(json!({"content": text, "role": "assistant"})),
                1 => Just(json!({"content": text, "refusal": text})),
                1 => Just(json!({"content": [{"text": text}]})),
                1 => Just(json!({"reasoning": text})),
            ]
        };
        let text = prop_oneof!["[ab\"\\\\\n]{0,4}", "content"];
        let finish = prop_oneof![9 => Just(Value::Null), 1 => Just(json!("stop"))];
        (text.prop_flat_map(delta), finish, fields()).prop_map(|(delta, finish, mut chunk)| {
            chunk["choices"] = json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
            chunk.to_string()
        })
    }

    proptest! {
        #[test]
        fn each_chunk_says_what_it_says_when_it_is_read_by_itself(
            chunks in prop::collection::vec(chunk(), 1..30),
        ) {
            lessons(&chunks);
        }

        #[test]
        fn what_is_no_chunk_is_not_taken_for_one(
            chunks in prop::collection::vec(chunk(), 1..8),
            (at, byte) in (any::<prop::sample::Index>(), any::<char>()),
            is_cut in any::<bool>(),
        ) {
            let mut template = Template::default();
            for data in &chunks {
                template.learn(data, &serde_json::from_str(data).unwrap());
            }
            let mut spoilt: Vec<char> = chunks.last().unwrap().chars().collect();
            let at = at.index(spoilt.len());
            if is_cut {
                spoilt.truncate(at);
            } else {
                spoilt[at] = byte;
            }
            let spoilt: String = spoilt.into_iter().collect();
            if let Some(text) = template.text_of(&spoilt) {
                let chunk: Chunk = serde_json::from_str(&spoilt).unwrap();
                prop_assert_eq!(chunk.bare_text(), Some(text.as_str()));
            }
        }
    }
}
