//! What a crate's manifest inherits from the workspace, so that no crate strays.

/// Keys of `[package]` that have one value for the whole workspace.
const INHERITED: [&str; 4] = ["version", "edition", "rust-version", "license"];

/// What a manifest says for itself and should inherit.
pub(super) fn faults(text: &str) -> Vec<String> {
    let has = |wanted: &str| text.lines().any(|line| line.trim() == wanted);
    let mut faults: Vec<String> = INHERITED
        .iter()
        .map(|key| format!("{key}.workspace = true"))
        .filter(|line| !has(line))
        .map(|line| format!("`{line}` is missing"))
        .collect();
    if !text.contains("[lints]\nworkspace = true") {
        faults.push("`[lints]` with `workspace = true` is missing".to_owned());
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nname = \"x\"\nversion.workspace = true\n\
        edition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\n\n\
        [lints]\nworkspace = true\n";

    #[test]
    fn a_manifest_that_inherits_everything_is_fine() {
        assert_eq!(faults(GOOD), Vec::<String>::new());
    }

    #[test]
    fn a_version_of_its_own_is_a_fault() {
        let manifest = GOOD.replace("version.workspace = true\ne", "version = \"2.0.0\"\ne");
        assert_eq!(faults(&manifest), ["`version.workspace = true` is missing"]);
    }

    #[test]
    fn a_crate_without_the_lints_is_a_fault() {
        let manifest = GOOD.replace("[lints]\nworkspace = true\n", "");
        assert_eq!(
            faults(&manifest),
            ["`[lints]` with `workspace = true` is missing"]
        );
    }
}
