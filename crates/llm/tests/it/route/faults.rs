//! Routes that cannot be used, and what is said about them.

use patter_llm::{ClassifierSettings, Conditions, Demo};

use super::*;

/// All faults, a line each.
fn faults(toml: &str, classifier: Option<ClassifierSettings>) -> Vec<String> {
    let classifier = classifier.map(|settings| Classifier::new(Demo::new(), settings));
    match compile(toml, classifier) {
        Ok(_) => Vec::new(),
        Err(error) => error.faults.iter().map(ToString::to_string).collect(),
    }
}

fn labels(labels: &[&str]) -> ClassifierSettings {
    ClassifierSettings {
        labels: labels
            .iter()
            .map(|it| ((*it).to_owned(), "Meant.".to_owned()))
            .collect(),
        ..ClassifierSettings::default()
    }
}

#[test]
fn every_fault_is_told_at_once_with_its_field() {
    let faults = faults(
        r#"
        [[routes]]
        name = " "
        pattern = ["(unclosed", '\w{999}{999}']
        script = ["Latin", "Klingon", "Common"]
        [[routes]]
        name = "a"
        words = ["rust", " "]
        tool = ""
        min_length = 5
        max_length = 4
        [[routes]]
        name = "a"
        metadata = { one = [], two = { three = 3 }, four = [[4]] }
        min_turns = 2
        max_turns = 1
        class = "coding"
        [[routes]]
        name = "default"
        "#,
        None,
    );
    assert_eq!(
        faults,
        [
            "routes[0].name: is empty",
            "routes[0].script: `Klingon` is not Unicode's name of a script, such as Latin, \
             Cyrillic, Han or Arabic",
            "routes[0].script: `Common` is not Unicode's name of a script, such as Latin, \
             Cyrillic, Han or Arabic",
            "routes[0].pattern: `(unclosed` cannot be read: unclosed group",
            r"routes[0].pattern: `\w{999}{999}` takes more than 1048576 bytes, compiled",
            "routes[1].min_length: 5 is more than max_length = 4",
            "routes[1].words: has an entry that is empty",
            "routes[1].tool: has an entry that is empty",
            "routes[2].name: routes[1] is named `a` too",
            "routes[2].min_turns: 2 is more than max_turns = 1",
            "routes[2].metadata.four: [[4]] is neither a scalar nor a list of scalars",
            "routes[2].metadata.one: [] is neither a scalar nor a list of scalars",
            r#"routes[2].metadata.two: {"three":3} is neither a scalar nor a list of scalars"#,
            "routes[2].class: needs a classifier, and there is none",
            "routes[3].name: `default` is taken where no route holds",
        ]
    );
}

#[test]
fn a_route_behind_one_without_conditions_is_a_fault() {
    let always = "[[routes]]\nname = \"always\"\nmin_length = 0\n";
    let other = "[[routes]]\nname = \"other\"\nwords = \"rust\"\n";
    assert_eq!(
        faults(&format!("{always}{other}"), None),
        ["routes[1].name: is never reached: routes[0] has no conditions"]
    );
    assert_eq!(faults(&format!("{other}{always}"), None), [""; 0]);
}

#[test]
fn a_label_that_the_classifier_does_not_know_is_a_fault() {
    let route = "[[routes]]\nname = \"a\"\nclass = [\"Coding\", \"chess\"]\n";
    assert_eq!(
        faults(route, Some(labels(&["coding", "talk"]))),
        ["routes[0].class: the classifier has no label `chess`, but `coding`, `talk`"]
    );
    assert_eq!(faults(route, Some(labels(&["coding", "CHESS"]))), [""; 0]);
}

#[test]
fn a_classifier_that_cannot_work_is_a_fault() {
    let settings = ClassifierSettings {
        timeout_ms: 0,
        on_failure: Some("chess".into()),
        max_output_tokens: 0,
        ..labels(&["Talk", "talk", "\"\""])
    };
    let route = "[[routes]]\nname = \"a\"\n";
    assert_eq!(
        faults(route, Some(settings)),
        [
            "classifier.labels: has an entry that is empty",
            "classifier.labels: has `talk` twice, but for case",
            "classifier.on_failure: `chess` is none of the labels",
            "classifier.timeout_ms: must be at least 1",
            "classifier.max_output_tokens: must be at least 1",
        ]
    );
    assert_eq!(
        faults(route, Some(labels(&[]))),
        ["classifier.labels: has none"]
    );
}

#[test]
fn all_faults_are_in_the_one_error() {
    let route = |name: &str| Route {
        name: name.to_owned(),
        when: Conditions::default(),
        then: (),
    };
    let error = Router::new(vec![route(""), route("")], None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the routes cannot be used: routes[0].name: is empty; routes[1].name: is empty; \
         routes[1].name: is never reached: routes[0] has no conditions"
    );
}
