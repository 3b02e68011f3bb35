//! Which model answers, and how, by what a message says and where it stands: routes in order,
//! the first one whose conditions all hold is taken, and where none is, the default.
//!
//! A [`Router`] is compiled once from plain data ([`Conditions`]) and knows nothing of what its
//! routes lead to. Choosing never fails: a classifier that does is logged and its answer replaced.

mod check;
mod classifier;
mod compile;
mod conditions;
mod explanation;
mod fault;
mod reading;
mod script;
mod words;

pub use classifier::{Classification, Classifier, ClassifierSettings, ClassifierUse};
pub use conditions::{Conditions, Route};
pub use explanation::{Explanation, Finding, RouteExplanation};
pub use fault::{RouteFault, RouterError};
pub use reading::Situation;

use check::Check;
use reading::Reading;
use words::Words;

/// Routes in order, and what is taken where none of them holds.
#[derive(Debug)]
pub struct Router<T> {
    routes: Vec<Compiled<T>>,
    /// The words and tool names of all routes, searched for in one pass.
    words: Words,
    classifier: Option<Classifier>,
}

/// A route, ready to be matched.
#[derive(Debug)]
struct Compiled<T> {
    name: String,
    /// All of them must hold; the cheap ones come first.
    checks: Vec<Check>,
    /// Labels of the classifier, one of which must be what it says; empty where it does not matter.
    class: Vec<String>,
    then: T,
}

/// What was chosen for a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice<'r, T> {
    /// Name of the route that was taken, or [`Router::DEFAULT`].
    pub route: &'r str,
    /// Where it leads; `None` for the default.
    pub then: Option<&'r T>,
    /// What the classifier said, if it was asked.
    pub class: Option<Classification>,
}

impl<T> Default for Router<T> {
    /// No routes: the default is taken for every message.
    fn default() -> Self {
        Self {
            routes: Vec::new(),
            words: Words::default(),
            classifier: None,
        }
    }
}

impl<T> Router<T> {
    /// What the choice is called where no route is taken; no route may have this name.
    pub const DEFAULT: &'static str = "default";

    /// Compiles routes. A classifier is needed where a route names a `class`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the routes and the classifier, each with its field.
    pub fn new(routes: Vec<Route<T>>, classifier: Option<Classifier>) -> Result<Self, RouterError> {
        compile::router(routes, classifier)
    }

    /// Where the route with this name leads.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&T> {
        let route = self.routes.iter().find(|route| route.name == name);
        route.map(|route| &route.then)
    }

    /// Chooses a route for a message. The classifier is asked at most once, and only when a route
    /// that names a `class` is reached and everything else in it holds; without it the future is
    /// ready at once.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the request to the classifier; nothing else is under way.
    pub async fn choose(&self, situation: &Situation<'_>) -> Choice<'_, T> {
        self.choose_by(&mut Reading::new(situation, &self.words))
            .await
    }

    /// What [`Router::choose`] chooses, and for each route which of its conditions hold. It asks
    /// the classifier when `choose` does.
    ///
    /// # Cancel safety
    ///
    /// As [`Router::choose`].
    pub async fn explain(&self, situation: &Situation<'_>) -> Explanation {
        let mut reading = Reading::new(situation, &self.words);
        let choice = self.choose_by(&mut reading).await;
        Explanation::new(self, &choice, &mut reading)
    }

    async fn choose_by(&self, reading: &mut Reading<'_>) -> Choice<'_, T> {
        let mut class = None;
        for route in &self.routes {
            if !route.checks.iter().all(|check| check.holds(reading)) {
                continue;
            }
            if !route.class.is_empty() {
                if class.is_none()
                    && let Some(classifier) = &self.classifier
                {
                    class = Some(classifier.classify(reading.text()).await);
                }
                if !class.as_ref().is_some_and(|it| it.is_one_of(&route.class)) {
                    continue;
                }
            }
            return Choice {
                route: &route.name,
                then: Some(&route.then),
                class,
            };
        }
        Choice {
            route: Self::DEFAULT,
            then: None,
            class,
        }
    }
}
