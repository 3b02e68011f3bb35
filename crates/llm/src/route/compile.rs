//! From routes as they are written to a router that matches; every fault there is gets told.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use icu_properties::props::Script;
use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::check::{Check, Word};
use super::classifier::Classifier;
use super::conditions::{Conditions, Route};
use super::fault::{RouteFault, RouterError};
use super::script;
use super::words::WordList;
use super::{Compiled, Router};

/// Most memory of one compiled pattern, and of each cache that its searches use, in bytes.
const PATTERN_BYTES: usize = 1024 * 1024;

pub(super) fn router<T>(
    routes: Vec<Route<T>>,
    classifier: Option<Classifier>,
) -> Result<Router<T>, RouterError> {
    let mut compiler = Compiler::default();
    let mut compiled = Vec::with_capacity(routes.len());
    for (index, route) in routes.into_iter().enumerate() {
        compiler.route = index;
        compiled.push(compiler.route(route, classifier.as_ref()));
    }
    let Compiler {
        words, mut faults, ..
    } = compiler;
    faults.extend(classifier.iter().flat_map(Classifier::faults));
    match words.build() {
        Ok(words) if faults.is_empty() => Ok(Router {
            routes: compiled,
            words,
            classifier,
        }),
        words => {
            faults.extend(words.err().map(|error| RouteFault {
                field: "routes".to_owned(),
                problem: format!("there are too many words: {error}"),
            }));
            Err(RouterError { faults })
        }
    }
}

/// Compiles one route after the other.
#[derive(Default)]
struct Compiler {
    /// Index of the route at hand.
    route: usize,
    words: WordList,
    /// Where each name stands.
    names: HashMap<String, usize>,
    /// The first route that always holds.
    always: Option<usize>,
    faults: Vec<RouteFault>,
}

impl Compiler {
    fn route<T>(&mut self, route: Route<T>, classifier: Option<&Classifier>) -> Compiled<T> {
        let Route { name, when, then } = route;
        self.name::<T>(&name);
        let faults_before = self.faults.len();
        let checks = self.checks(&when);
        self.class(&when.class, classifier);
        if checks.is_empty() && when.class.is_empty() && self.faults.len() == faults_before {
            self.always.get_or_insert(self.route);
        }
        Compiled {
            name,
            checks,
            class: when.class,
            then,
        }
    }

    fn fault(&mut self, field: &str, problem: impl Into<String>) {
        let field = format!("routes[{}].{field}", self.route);
        let problem = problem.into();
        self.faults.push(RouteFault { field, problem });
    }

    fn name<T>(&mut self, name: &str) {
        if name.trim().is_empty() {
            self.fault("name", "is empty");
        } else if name == Router::<T>::DEFAULT {
            self.fault("name", format!("`{name}` is taken where no route holds"));
        } else if let Some(other) = self.names.insert(name.to_owned(), self.route) {
            self.fault("name", format!("routes[{other}] is named `{name}` too"));
        }
        if let Some(always) = self.always {
            let problem = format!("is never reached: routes[{always}] has no conditions");
            self.fault("name", problem);
        }
    }

    /// All but `class`, the cheap ones first.
    fn checks(&mut self, when: &Conditions) -> Vec<Check> {
        let turns = self.range("turns", when.min_turns, when.max_turns);
        let length = self.range("length", when.min_length, when.max_length);
        let mut checks: Vec<_> = turns.map(Check::Turns).into_iter().collect();
        checks.extend(length.map(Check::Length));
        for (key, wanted) in &when.metadata {
            let values = self.scalars(key, wanted);
            checks.push(Check::Metadata(key.clone(), values));
        }
        if !when.script.is_empty() {
            checks.push(Check::Script(self.scripts(&when.script)));
        }
        if !when.words.is_empty() {
            checks.push(Check::Words(self.words("words", &when.words)));
        }
        if !when.tool.is_empty() {
            checks.push(Check::Tool(self.words("tool", &when.tool)));
        }
        if !when.pattern.is_empty() {
            checks.push(Check::Pattern(self.patterns(&when.pattern)));
        }
        checks
    }

    /// `None` where every number is in it.
    fn range(
        &mut self,
        what: &str,
        least: Option<u64>,
        most: Option<u64>,
    ) -> Option<RangeInclusive<u64>> {
        let range = least.unwrap_or(0)..=most.unwrap_or(u64::MAX);
        if range.is_empty() {
            let problem = format!(
                "{} is more than max_{what} = {}",
                range.start(),
                range.end()
            );
            self.fault(&format!("min_{what}"), problem);
        }
        (range != (0..=u64::MAX)).then_some(range)
    }

    fn scalars(&mut self, key: &str, wanted: &Value) -> Vec<Value> {
        let values = match wanted {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        let is_scalar = |it: &Value| !it.is_array() && !it.is_object();
        if values.is_empty() || !values.iter().all(is_scalar) {
            let problem = format!("{wanted} is neither a scalar nor a list of scalars");
            self.fault(&format!("metadata.{key}"), problem);
        }
        values.to_vec()
    }

    fn scripts(&mut self, names: &[String]) -> Vec<Script> {
        let mut scripts = Vec::new();
        for name in names {
            match script::by_name(name) {
                Some(script) => scripts.push(script),
                None => self.fault(
                    "script",
                    format!(
                        "`{name}` is not Unicode's name of a script, such as Latin, Cyrillic, \
                         Han or Arabic"
                    ),
                ),
            }
        }
        scripts
    }

    fn words(&mut self, field: &str, texts: &[String]) -> Vec<Word> {
        let mut words = Vec::new();
        for text in texts {
            match self.words.number(text) {
                Some(number) => words.push(Word {
                    text: text.clone(),
                    number,
                }),
                None => self.fault(field, "has an entry that is empty"),
            }
        }
        words
    }

    fn patterns(&mut self, patterns: &[String]) -> Vec<Regex> {
        let mut compiled = Vec::new();
        for pattern in patterns {
            let built = RegexBuilder::new(pattern)
                .size_limit(PATTERN_BYTES)
                .dfa_size_limit(PATTERN_BYTES)
                .build();
            match built {
                Ok(regex) => compiled.push(regex),
                Err(regex::Error::CompiledTooBig(limit)) => {
                    let problem = format!("`{pattern}` takes more than {limit} bytes, compiled");
                    self.fault("pattern", problem);
                }
                Err(error) => {
                    let problem = format!("`{pattern}` cannot be read: {}", reason(&error));
                    self.fault("pattern", problem);
                }
            }
        }
        compiled
    }

    fn class(&mut self, labels: &[String], classifier: Option<&Classifier>) {
        let Some(classifier) = classifier else {
            if !labels.is_empty() {
                self.fault("class", "needs a classifier, and there is none");
            }
            return;
        };
        for label in labels.iter().filter(|it| !classifier.has_label(it)) {
            let known = classifier.labels().collect::<Vec<_>>().join("`, `");
            let problem = format!("the classifier has no label `{label}`, but `{known}`");
            self.fault("class", problem);
        }
    }
}

/// What the regex crate says last; above it stands the pattern, with the place marked.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().next_back().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}
