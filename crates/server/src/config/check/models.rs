//! `[[models]]`: each says whose model it is, and something about it.

use super::lists::places;
use super::{Check, providers};

pub(super) fn check(check: &mut Check<'_>) {
    let mut before = Vec::new();
    for place in places(check.layers, "models") {
        let table = format!("models.{place}");
        let key = |name: &str| format!("{table}.{name}");
        for needed in ["provider", "name"] {
            if !check.has(&key(needed)) {
                check.table_fault(&table, format!("`{needed}` is missing"));
            }
        }
        if let Some(provider) = check.text(&key("provider"))
            && let Some(problem) = providers::unknown(check, provider)
        {
            check.key_fault(&key("provider"), problem);
        }
        // One price alone tells no cost.
        if check.has(&key("input_price")) != check.has(&key("output_price")) {
            let problem = "`input_price` and `output_price` go together";
            check.table_fault(&table, problem.into());
        } else if check.has(&key("cached_input_price")) && !check.has(&key("input_price")) {
            let problem = "`cached_input_price` needs `input_price` and `output_price`";
            check.table_fault(&table, problem.into());
        }
        let name = check.text(&key("provider")).zip(check.text(&key("name")));
        if name.is_some() && before.contains(&name) {
            check.table_fault(&table, "this model stands in the list before".into());
        }
        before.push(name);
    }
}
