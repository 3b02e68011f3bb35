//! What people mean by `200 + 10%`: ten percent of what stands before, and not the number 0.1.

/// Writes `(200)*(1+10%)` for `200 + 10%`, at the end of the expression and of each part in parentheses.
/// `50% + 10%` stays as it is.
pub(super) fn apply_to_what_stands_before(expression: &str) -> String {
    let expression = in_parentheses(expression);
    let Some((at, operator)) = last_sum(&expression) else {
        return expression;
    };
    let (before, after) = expression.split_at(at);
    let before = before.trim();
    let percent = after.trim_start_matches(operator).trim();
    if !is_percentage(percent) {
        return expression;
    }
    let base = apply_to_what_stands_before(before);
    // Percentages are added to each other as they are.
    if base == before && before.ends_with('%') {
        return expression;
    }
    format!("({base})*(1{operator}{percent})")
}

/// The same with each part in parentheses rewritten.
fn in_parentheses(expression: &str) -> String {
    let mut written = String::with_capacity(expression.len());
    let (mut depth, mut inner) = (0_usize, String::new());
    for character in expression.chars() {
        match character {
            '(' if depth == 0 => written.push('('),
            ')' if depth == 1 => {
                written.push_str(&apply_to_what_stands_before(&inner));
                inner.clear();
                written.push(')');
            }
            _ if depth == 0 => written.push(character),
            _ => inner.push(character),
        }
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    written
}

/// The last `+` or `-` between two terms outside of parentheses, and where it stands.
fn last_sum(expression: &str) -> Option<(usize, char)> {
    let mut depth = 0_usize;
    let mut before = None;
    let mut found = None;
    for (at, character) in expression.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '+' | '-' if depth == 0 && before.is_some_and(ends_term) => {
                found = Some((at, character));
            }
            _ => {}
        }
        if !character.is_whitespace() {
            before = Some(character);
        }
    }
    found
}

/// Whether a term may end so. A letter may be the `e` of `1e-3`, and a percentage of that is none.
fn ends_term(character: char) -> bool {
    character.is_ascii_digit()
        || character.is_alphabetic()
        || matches!(character, ')' | '%' | '!' | '.')
}

fn is_percentage(text: &str) -> bool {
    text.strip_suffix('%').is_some_and(|number| {
        let number = number.trim_end();
        !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit() || it == b'.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_of_what_stands_before_it() {
        for (expression, written) in [
            ("200 + 10%", "(200)*(1+10%)"),
            ("200 - 10 %", "(200)*(1-10 %)"),
            ("2 * 3 + 8.5%", "(2 * 3)*(1+8.5%)"),
            ("100 + 10% + 10%", "((100)*(1+10%))*(1+10%)"),
            ("(200 + 10%) * 2", "((200)*(1+10%)) * 2"),
            ("5 km + 10%", "(5 km)*(1+10%)"),
        ] {
            assert_eq!(apply_to_what_stands_before(expression), written);
        }
        for unchanged in [
            "50% + 10%",
            "15% of 240",
            "-10%",
            "200 * 10%",
            "200 + 10% * 3",
            "10% + 200",
            "+10%",
            "3 * -10%",
            "1 + 2",
            "%",
            "+%",
            "1 + %",
        ] {
            assert_eq!(apply_to_what_stands_before(unchanged), unchanged);
        }
    }
}
