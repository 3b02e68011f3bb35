//! Rules for source files: a header, a size, and what must not be left in.

/// The most lines of a source file, tests aside.
const MAX_LINES: usize = 400;

/// Endings of the page's own sources.
const PAGE_SOURCES: [&str; 4] = [".ts", ".tsx", ".css", ".mjs"];

/// As long as they need: what is made from the Rust types, and every word that a person reads, which stand in
/// one place for who translates them.
const LISTS: [&str; 2] = ["web/src/protocol.ts", "web/src/strings.ts"];

/// What must not be left in Rust code; put together here, so that this file is clean.
const LEFT_OVERS: [&str; 3] = [
    concat!("#[ig", "nore"),
    concat!("to", "do!"),
    concat!("unimpl", "emented!"),
];

/// What is wrong with a file; nothing, if it is not a source file.
pub(super) fn faults(path: &str, text: &str) -> Vec<String> {
    if path.ends_with(".rs") {
        rust_faults(path, text)
    } else if !LISTS.contains(&path) && PAGE_SOURCES.iter().any(|ending| path.ends_with(ending)) {
        too_long(text.lines().count()).into_iter().collect()
    } else {
        Vec::new()
    }
}

fn rust_faults(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if !(text.starts_with("//!") || text.starts_with("#![doc")) {
        faults.push("does not open with `//!` and what lives here".to_owned());
    }
    if path.ends_with("/mod.rs") && path.contains("src/") {
        faults.push("is a `mod.rs`: name it after its folder, beside it".to_owned());
    }
    if !is_test(path) {
        faults.extend(too_long(
            text.lines().take_while(|line| !opens_tests(line)).count(),
        ));
    }
    for (index, line) in text.lines().enumerate() {
        // A comment may speak of them.
        let code = line.split("//").next().unwrap_or_default();
        for left_over in LEFT_OVERS.iter().filter(|word| code.contains(**word)) {
            faults.push(format!("line {}: `{left_over}` is left over", index + 1));
        }
    }
    faults
}

fn too_long(lines: usize) -> Option<String> {
    (lines > MAX_LINES).then(|| format!("has {lines} lines without its tests, over {MAX_LINES}"))
}

/// Whether a file is there for tests, examples or measurements, and may be as long as it is.
fn is_test(path: &str) -> bool {
    let folder = |name: &str| path.split('/').any(|part| part == name);
    folder("tests") || folder("examples") || folder("benches") || path.ends_with("/tests.rs")
}

fn opens_tests(line: &str) -> bool {
    line.trim_end() == "#[cfg(test)]"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_a_header_is_fine() {
        assert!(faults("src/a.rs", "//! What lives here.\nfn a() {}\n").is_empty());
        assert!(faults("src/lib.rs", "#![doc = include_str!(\"../README.md\")]\n").is_empty());
    }

    #[test]
    fn a_file_without_a_header_is_a_fault_in_tests_too() {
        assert_eq!(faults("src/a.rs", "fn a() {}\n").len(), 1);
        assert_eq!(faults("tests/a.rs", "fn a() {}\n").len(), 1);
    }

    #[test]
    fn the_lines_of_tests_do_not_count() {
        let body = "line\n".repeat(MAX_LINES - 1);
        let fits = format!("//! Header.\n{body}#[cfg(test)]\nmod tests {{}}\n");
        assert_eq!(faults("src/a.rs", &fits), Vec::<String>::new());
        let too_long = format!("//! Header.\nline\n{body}#[cfg(test)]\nmod tests {{}}\n");
        assert_eq!(
            faults("src/a.rs", &too_long),
            ["has 401 lines without its tests, over 400"]
        );
        assert_eq!(
            faults("crates/a/tests/a.rs", &too_long),
            Vec::<String>::new()
        );
    }

    #[test]
    fn the_page_has_the_same_limit_but_not_for_what_is_generated() {
        let long = "line\n".repeat(MAX_LINES + 1);
        assert_eq!(faults("web/src/a.tsx", &long).len(), 1);
        assert!(faults(LISTS[0], &long).is_empty());
        assert!(faults("web/notes.md", &long).is_empty());
    }

    #[test]
    fn what_was_put_off_is_found_with_its_line_and_may_be_spoken_of() {
        for left_over in LEFT_OVERS {
            let text = format!("//! Header.\n{left_over}()]\n");
            let expected = format!("line 2: `{left_over}` is left over");
            assert_eq!(faults("src/a.rs", &text), [expected]);
            assert!(faults("src/a.rs", &format!("//! About {left_over}().\n")).is_empty());
        }
    }

    #[test]
    fn a_module_is_named_after_its_folder() {
        assert_eq!(faults("crates/a/src/b/mod.rs", "//! Header.\n").len(), 1);
    }
}
