//! Why a route was taken: for each route, which of its conditions hold.

use std::fmt;

use serde::Serialize;

use super::check::{Check, alternatives};
use super::classifier::Classification;
use super::reading::Reading;
use super::{Choice, Compiled, Router};

/// What [`Router::explain`] says. Written out, it is some lines for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Name of the route that is taken, or [`Router::DEFAULT`].
    pub route: String,
    /// What the classifier said, if it was asked.
    pub class: Option<Classification>,
    /// All routes, in order.
    pub routes: Vec<RouteExplanation>,
}

/// One route of an [`Explanation`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteExplanation {
    /// Its name.
    pub name: String,
    /// Whether it is the one that is taken.
    pub taken: bool,
    /// Its conditions.
    pub conditions: Vec<Finding>,
}

/// One condition of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What is looked at, such as `words` or `metadata.tier`.
    pub field: String,
    /// Whether it holds; `None` where that was not asked, which only happens to `class`.
    pub holds: Option<bool>,
    /// What the route asks for.
    pub wanted: String,
    /// What the message has of it; `None` for nothing.
    pub found: Option<String>,
}

impl Explanation {
    pub(super) fn new<T>(
        router: &Router<T>,
        choice: &Choice<'_, T>,
        reading: &mut Reading<'_>,
    ) -> Self {
        let class = choice.class.as_ref();
        let routes = router.routes.iter().map(|route| RouteExplanation {
            name: route.name.clone(),
            taken: route.name == choice.route,
            conditions: findings(route, class, reading),
        });
        Self {
            route: choice.route.to_owned(),
            class: choice.class.clone(),
            routes: routes.collect(),
        }
    }
}

fn findings<T>(
    route: &Compiled<T>,
    class: Option<&Classification>,
    reading: &mut Reading<'_>,
) -> Vec<Finding> {
    let finding = |check: &Check| Finding {
        field: check.field(),
        holds: Some(check.holds(reading)),
        wanted: check.wanted(),
        found: check.found(reading),
    };
    let mut findings: Vec<_> = route.checks.iter().map(finding).collect();
    if !route.class.is_empty() {
        findings.push(Finding {
            field: "class".to_owned(),
            holds: class.map(|it| it.is_one_of(&route.class)),
            wanted: alternatives(&route.class),
            found: class.and_then(|it| it.label.clone()),
        });
    }
    findings
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for route in &self.routes {
            writeln!(f, "{route}")?;
        }
        if let Some(failure) = self.class.as_ref().and_then(|it| it.failure.as_ref()) {
            writeln!(f, "the classifier gave no label: {failure}")?;
        }
        write!(f, "taken: {}", self.route)
    }
}

impl fmt::Display for RouteExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holds = self.conditions.iter().all(|it| it.holds == Some(true));
        let outcome = match (self.taken, holds) {
            (true, _) => "taken",
            (false, true) => "holds, but one before it is taken",
            (false, false) => "does not hold",
        };
        write!(f, "{}: {outcome}", self.name)?;
        if self.conditions.is_empty() {
            f.write_str("\n  always")?;
        }
        self.conditions
            .iter()
            .try_for_each(|it| write!(f, "\n  {it}"))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holds = match self.holds {
            Some(true) => "yes",
            Some(false) => "no ",
            None => "not asked",
        };
        write!(f, "{holds} {}: {}", self.field, self.wanted)?;
        match &self.found {
            Some(found) => write!(f, " (it has {found})"),
            None if self.holds.is_some() => f.write_str(" (it has none)"),
            None => Ok(()),
        }
    }
}
