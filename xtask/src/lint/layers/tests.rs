//! The rules, tried on made-up workspaces.

use super::*;

/// A dependency as a manifest names it: the crate, and its kind.
type Line = (&'static str, Option<&'static str>);

/// A workspace of the given packages, each with the dependencies of its manifest.
fn workspace(packages: &[(&str, &[Line])]) -> Metadata {
    let packages = packages
        .iter()
        .map(|(name, dependencies)| Package {
            name: (*name).to_owned(),
            dependencies: dependencies
                .iter()
                .map(|(name, kind)| Dependency {
                    name: (*name).to_owned(),
                    kind: kind.map(str::to_owned),
                })
                .collect(),
            targets: Vec::new(),
            features: std::collections::BTreeMap::new(),
        })
        .collect();
    Metadata {
        packages,
        target_directory: "target".into(),
    }
}

#[test]
fn arrows_that_point_down_are_fine() {
    let metadata = workspace(&[
        ("patter-protocol", &[("serde", None)]),
        ("patter-store", &[("patter-protocol", None), ("sqlx", None)]),
        ("patter-session", &[("patter-store", None), ("tokio", None)]),
        (
            "patter-server",
            &[("patter-session", None), ("hyper", None), ("toml", None)],
        ),
    ]);
    assert_eq!(faults(&metadata), Vec::<String>::new());
}

#[test]
fn an_arrow_that_points_up_is_named_with_its_rule() {
    let metadata = workspace(&[
        (
            "patter-store",
            &[("patter-protocol", None), ("patter-session", None)],
        ),
        ("patter-protocol", &[]),
        ("patter-session", &[]),
    ]);
    assert_eq!(
        faults(&metadata),
        ["`patter-store` must not depend on `patter-session`: \
          of this workspace it may use `patter-protocol`, `patter-metrics`"]
    );
}

#[test]
fn a_foreign_crate_that_must_not_be_known_is_named_with_its_subject() {
    let metadata = workspace(&[("patter-session", &[("sqlx", None), ("toml", None)])]);
    assert_eq!(
        faults(&metadata),
        [
            "`patter-session` must not depend on `sqlx`: it knows nothing about a database",
            "`patter-session` must not depend on `toml`: \
             it knows nothing about command lines and configuration files",
        ]
    );
}

#[test]
fn a_build_script_keeps_to_the_rules_too() {
    let metadata = workspace(&[("patter-llm", &[("clap", Some("build"))])]);
    assert_eq!(faults(&metadata).len(), 1);
}

#[test]
fn the_fakes_are_for_tests_alone() {
    let as_dev = workspace(&[
        ("patter-llm", &[("patter-testkit", Some("dev"))]),
        ("patter-testkit", &[("patter-llm", None)]),
    ]);
    assert_eq!(faults(&as_dev), Vec::<String>::new());

    let as_plain = workspace(&[
        ("patter-server", &[("patter-testkit", None)]),
        ("patter-testkit", &[]),
    ]);
    assert_eq!(faults(&as_plain).len(), 1);
}

#[test]
fn a_crate_without_a_rule_is_a_fault() {
    let metadata = workspace(&[("patter-new", &[])]);
    assert_eq!(
        faults(&metadata),
        ["`patter-new` has no rule in xtask/src/lint/layers.rs"]
    );
}
