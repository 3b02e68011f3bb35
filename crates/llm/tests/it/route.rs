//! Routes: read from a file, compiled, chosen and explained.

mod choosing;
mod classifying;
mod faults;
mod properties;

use patter_llm::{Choice, Classifier, Explanation, Route, Router, RouterError, Situation};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Where the routes of these tests lead.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
struct Target {
    model: String,
}

impl Default for Target {
    fn default() -> Self {
        Self {
            model: "the usual one".into(),
        }
    }
}

/// The `[[routes]]` of a file.
#[derive(Debug, Deserialize)]
struct File {
    routes: Vec<Route<Target>>,
}

fn read(toml: &str) -> Vec<Route<Target>> {
    toml::from_str::<File>(toml).unwrap().routes
}

fn compile(toml: &str, classifier: Option<Classifier>) -> Result<Router<Target>, RouterError> {
    Router::new(read(toml), classifier)
}

/// A router of one route, `it`, with these conditions.
fn one(conditions: &str) -> Router<Target> {
    compile(&format!("[[routes]]\nname = \"it\"\n{conditions}"), None).unwrap()
}

/// A message with its metadata, to be looked at by a router.
#[derive(Debug, Clone)]
struct Said {
    text: String,
    session: Map<String, Value>,
    message: Map<String, Value>,
    turns: u64,
}

fn said(text: impl Into<String>) -> Said {
    Said {
        text: text.into(),
        session: Map::new(),
        message: Map::new(),
        turns: 0,
    }
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else {
        panic!("metadata is an object")
    };
    object
}

impl Said {
    fn in_session(mut self, metadata: Value) -> Self {
        self.session = object(metadata);
        self
    }

    fn with(mut self, metadata: Value) -> Self {
        self.message = object(metadata);
        self
    }

    fn after(mut self, turns: u64) -> Self {
        self.turns = turns;
        self
    }

    fn situation(&self) -> Situation<'_> {
        Situation {
            text: &self.text,
            session_metadata: &self.session,
            message_metadata: &self.message,
            turns: self.turns,
        }
    }

    async fn choose<'r>(&self, router: &'r Router<Target>) -> Choice<'r, Target> {
        router.choose(&self.situation()).await
    }

    async fn explain(&self, router: &Router<Target>) -> Explanation {
        router.explain(&self.situation()).await
    }

    async fn takes(&self, router: &Router<Target>) -> bool {
        self.choose(router).await.then.is_some()
    }
}

/// Texts that a router of one route takes, and texts that it does not.
async fn expect(conditions: &str, taken: &[&str], others: &[&str]) {
    let router = one(conditions);
    for text in taken {
        assert!(
            said(*text).takes(&router).await,
            "{conditions} and {text:?}"
        );
    }
    for text in others {
        assert!(
            !said(*text).takes(&router).await,
            "{conditions}, not {text:?}"
        );
    }
}

#[test]
fn a_route_is_read_flat_from_a_file_with_lists_of_one_without_brackets() {
    let routes = read(
        r#"
        [[routes]]
        name = "code"
        words = ["rust", "stack trace"]
        pattern = '(?i)error\[E\d+\]'
        script = ["Latin"]
        min_length = 200
        max_length = 2000
        tool = ["calculator"]
        metadata = { tier = "gold", seats = [1, 2] }
        min_turns = 3
        max_turns = 10
        class = ["coding"]
        model = "a-large-one"
        "#,
    );
    let [route] = routes.as_slice() else {
        panic!("{routes:?}")
    };
    assert_eq!(route.name, "code");
    assert_eq!(route.then.model, "a-large-one");
    assert_eq!(route.when.words, ["rust", "stack trace"]);
    assert_eq!(route.when.pattern, [r"(?i)error\[E\d+\]"]);
    assert_eq!(route.when.script, ["Latin"]);
    assert_eq!(
        (route.when.min_length, route.when.max_length),
        (Some(200), Some(2000))
    );
    assert_eq!(route.when.tool, ["calculator"]);
    assert_eq!(
        Value::Object(route.when.metadata.clone()),
        json!({"tier": "gold", "seats": [1, 2]})
    );
    assert_eq!(
        (route.when.min_turns, route.when.max_turns),
        (Some(3), Some(10))
    );
    assert_eq!(route.when.class, ["coding"]);
}

#[test]
fn a_route_that_cannot_be_read_names_the_field() {
    for (route, expected) in [
        (
            r#"name = "a""#.to_owned() + "\nword = \"rust\"",
            "word: no such field",
        ),
        ("words = \"rust\"".to_owned(), "missing field `name`"),
        ("name = 3".to_owned(), "name: expected a text"),
        (
            "name = \"a\"\nwords = []".to_owned(),
            "words: the list is empty",
        ),
        (
            "name = \"a\"\nwords = [1]".to_owned(),
            "words: expected a text or a list of texts",
        ),
        (
            "name = \"a\"\nmin_length = \"long\"".to_owned(),
            "min_length: invalid type",
        ),
        (
            "name = \"a\"\nmin_turns = -1".to_owned(),
            "min_turns: invalid value",
        ),
        ("name = \"a\"\nmodel = 7".to_owned(), "model: invalid type"),
    ] {
        let error = toml::from_str::<Route<Target>>(&route)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}
