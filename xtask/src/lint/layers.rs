//! The arrows between the crates: which crate may depend on which, and on what it must not.
//!
//! The rules are the table of `ARCHITECTURE.md`. They hold for what a manifest names, plain and for
//! build scripts: that a library brings another one along is its own affair. Tests may use anything,
//! but the crate of fakes is for tests alone.

use anyhow::bail;

use crate::metadata::{Dependency, Metadata, Package};

/// What one crate may and must not name in its manifest.
struct Rule {
    package: &'static str,
    /// The crates of this workspace that it may use; every other one is forbidden.
    may_use: &'static [&'static str],
    /// Groups of foreign crates that it must not use.
    never: &'static [Forbidden],
}

/// Foreign crates that stand for one kind of knowledge.
struct Forbidden {
    /// What a crate that names one of them would know about.
    subject: &'static str,
    crates: &'static [&'static str],
}

const RUNTIME: Forbidden = Forbidden {
    subject: "the async runtime",
    crates: &["tokio", "tokio-util"],
};
const SERVING: Forbidden = Forbidden {
    subject: "HTTP serving and WebSockets",
    crates: &[
        "hyper",
        "hyper-util",
        "tower-http",
        "tokio-tungstenite",
        "tungstenite",
    ],
};
const HTTP_CLIENT: Forbidden = Forbidden {
    subject: "an HTTP client",
    crates: &["reqwest"],
};
const DATABASE: Forbidden = Forbidden {
    subject: "a database",
    crates: &["sqlx"],
};
const CONFIGURATION: Forbidden = Forbidden {
    subject: "command lines and configuration files",
    crates: &["clap", "dotenvy", "toml"],
};
/// For a crate that has a table of its own in TOML, embedded in it.
const CONFIGURATION_BUT_TOML: Forbidden = Forbidden {
    subject: "command lines and the environment",
    crates: &["clap", "dotenvy"],
};

const RULES: &[Rule] = &[
    Rule {
        package: "patter-protocol",
        may_use: &[],
        never: &[RUNTIME, SERVING, HTTP_CLIENT, DATABASE, CONFIGURATION],
    },
    Rule {
        package: "patter-metrics",
        may_use: &[],
        never: &[RUNTIME, SERVING, HTTP_CLIENT, DATABASE, CONFIGURATION],
    },
    Rule {
        package: "patter-llm",
        may_use: &[],
        never: &[SERVING, DATABASE, CONFIGURATION_BUT_TOML],
    },
    Rule {
        package: "patter-tools",
        may_use: &[],
        never: &[SERVING, DATABASE, CONFIGURATION],
    },
    Rule {
        package: "patter-store",
        may_use: &["patter-protocol", "patter-metrics"],
        never: &[SERVING, HTTP_CLIENT, CONFIGURATION],
    },
    Rule {
        package: "patter-session",
        may_use: &[
            "patter-protocol",
            "patter-metrics",
            "patter-llm",
            "patter-tools",
            "patter-store",
        ],
        never: &[SERVING, HTTP_CLIENT, DATABASE, CONFIGURATION],
    },
    Rule {
        package: "patter-server",
        may_use: &[
            "patter-protocol",
            "patter-metrics",
            "patter-llm",
            "patter-tools",
            "patter-store",
            "patter-session",
        ],
        never: &[],
    },
    Rule {
        package: "patter-testkit",
        may_use: &[
            "patter-protocol",
            "patter-llm",
            "patter-tools",
            "patter-store",
        ],
        never: &[CONFIGURATION],
    },
    // It drives the binary, and knows nothing of what is in it.
    Rule {
        package: "patter-faults",
        may_use: &["patter-protocol", "patter-testkit"],
        never: &[CONFIGURATION],
    },
    // It measures the binary from outside, and of the libraries what has to be seen without the rest.
    Rule {
        package: "patter-bench",
        may_use: &[
            "patter-protocol",
            "patter-llm",
            "patter-store",
            "patter-session",
            "patter-testkit",
            "patter-faults",
        ],
        never: &[HTTP_CLIENT],
    },
    Rule {
        package: "xtask",
        may_use: &[],
        never: &[RUNTIME, SERVING, HTTP_CLIENT, DATABASE],
    },
];

/// Compares the workspace with the rules.
///
/// # Errors
///
/// When a crate breaks one, or has none; every case is listed.
pub(super) fn check(metadata: &Metadata) -> anyhow::Result<()> {
    let faults = faults(metadata);
    if !faults.is_empty() {
        bail!(
            "{} arrows that must not be:\n{}",
            faults.len(),
            faults.join("\n")
        );
    }
    Ok(())
}

fn faults(metadata: &Metadata) -> Vec<String> {
    let names: Vec<&str> = metadata
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    metadata
        .packages
        .iter()
        .flat_map(|package| faults_of(package, &names))
        .collect()
}

fn faults_of(package: &Package, workspace: &[&str]) -> Vec<String> {
    let Some(rule) = RULES.iter().find(|rule| rule.package == package.name) else {
        return vec![format!(
            "`{}` has no rule in xtask/src/lint/layers.rs",
            package.name
        )];
    };
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind.as_deref() != Some("dev"))
        .filter_map(|dependency| rule.fault(dependency, workspace))
        .collect()
}

impl Rule {
    fn fault(&self, dependency: &Dependency, workspace: &[&str]) -> Option<String> {
        let Self {
            package,
            may_use,
            never,
        } = self;
        let name = dependency.name.as_str();
        if workspace.contains(&name) && !may_use.contains(&name) {
            return Some(format!(
                "`{package}` must not depend on `{name}`: of this workspace it may use {}",
                list(may_use)
            ));
        }
        let forbidden = never.iter().find(|group| group.crates.contains(&name))?;
        Some(format!(
            "`{package}` must not depend on `{name}`: it knows nothing about {}",
            forbidden.subject
        ))
    }
}

fn list(names: &[&str]) -> String {
    if names.is_empty() {
        return "nothing".to_owned();
    }
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests;
