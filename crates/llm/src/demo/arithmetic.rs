//! Finds arithmetic in a sentence: "What is 15% of 240?" asks for `15% of 240`.

mod units;
mod wording;

/// Stands in an expression for a number that has to be found out before.
pub(super) const THAT: &str = "that";

/// A stretch of a sentence that can be computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// An expression.
    Whole(String),
    /// An expression with [`THAT`] in it: `that * 12` in "the price of AAPL times 12".
    After(String),
}

const FUNCTIONS: [&str; 12] = [
    "sqrt", "sin", "cos", "tan", "log", "ln", "exp", "abs", "pi", "mod", "cbrt", "log2",
];

/// All arithmetic in the text: conversions of units, and then the rest in order.
pub(super) fn find(text: &str) -> Vec<Found> {
    // The slashes and digits of an address are none.
    let words = text.split_whitespace().filter(|word| !word.contains("://"));
    let text = words.collect::<Vec<_>>().join(" ");
    let mut tokens = tokens(&wording::in_symbols(&text));
    let mut found = Vec::new();
    while let Some(conversion) = units::take(&mut tokens) {
        found.push(Found::Whole(conversion));
    }
    let mut stretch: Vec<String> = Vec::new();
    for token in tokens {
        let is_value = is_number(&token) || FUNCTIONS.contains(&token.as_str());
        if is_value && stretch == [THAT] {
            // "Is that 5 + 5?"
            stretch.clear();
        }
        let fits = match token.as_str() {
            "of" => stretch.last().is_some_and(|last| last == "%"),
            THAT => stretch.last().is_none_or(|last| !is_number(last)),
            word if word.starts_with(char::is_alphabetic) => is_value,
            symbol => is_value || "+-*/^!%()×÷−".contains(symbol),
        };
        if fits {
            stretch.push(token);
        } else {
            found.extend(expression(&std::mem::take(&mut stretch)));
        }
    }
    found.extend(expression(&stretch));
    found
}

fn is_number(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_digit())
}

/// Numbers, words and single symbols. White space says nothing.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if c.is_whitespace() {
            continue;
        }
        let mut token = c.to_string();
        while let Some(next) = characters.peek().copied() {
            let goes_on = if c.is_ascii_digit() {
                let mut after = characters.clone();
                after.next();
                let digit_after = after.peek().is_some_and(char::is_ascii_digit);
                next.is_ascii_digit() || (matches!(next, '.' | ',' | 'e') && digit_after)
            } else {
                // The hyphen of "web-1" is no minus.
                c.is_alphabetic() && (next.is_alphanumeric() || matches!(next, '\'' | '-'))
            };
            if !goes_on {
                break;
            }
            token.push(next);
            characters.next();
        }
        // "3x4" and "3 x 4" mean a product.
        let after_number = tokens
            .last()
            .is_some_and(|last| last.ends_with(|c: char| c.is_ascii_digit()));
        tokens.push(if token == "x" && after_number {
            "*".to_owned()
        } else {
            token
        });
    }
    tokens
}

/// The expression that these tokens are, if they are one: it has a number and something to do
/// with it.
fn expression(tokens: &[String]) -> Option<Found> {
    if let [number, operator] = tokens
        && matches!(operator.as_str(), "*" | "+")
    {
        // "5 times the price" is the price times 5.
        return Some(Found::After(format!("{THAT} {operator} {number}")));
    }
    let is_operand = |token: &String| is_number(token) || token == THAT;
    let last = tokens
        .iter()
        .rposition(|token| is_operand(token) || ")!%".contains(token.as_str()))?;
    let tokens = tokens.get(..=last)?;
    if !tokens.iter().any(is_operand) || tokens.len() < 2 {
        return None;
    }
    // "twenty five", "2x + 3 = 7"
    let is_operator = |token: &String| "+*/^×÷".contains(token.as_str());
    let clashes = |pair: &[String]| {
        pair.iter().all(is_operand) || pair.iter().all(is_operator) || pair == ["-", "*"]
    };
    if tokens.windows(2).any(clashes) {
        return None;
    }
    let balance = |bracket: &str| tokens.iter().filter(|token| *token == bracket).count();
    if balance("(") != balance(")") {
        return None;
    }
    let text = join(tokens);
    let first = tokens.first()?.as_str();
    if matches!(first, "*" | "/" | "+" | "^" | "×" | "÷" | "mod")
        || (first == "-" && tokens.len() == 2)
    {
        return Some(Found::After(format!("{THAT} {text}")));
    }
    // "10%" and "(4)" alone are no question; "5!" is one.
    let works = |token: &String| !is_operand(token) && !"()%".contains(token.as_str());
    if !tokens.iter().any(works) {
        return None;
    }
    Some(if tokens.iter().any(|token| token == THAT) {
        Found::After(text)
    } else {
        Found::Whole(text)
    })
}

fn join(tokens: &[String]) -> String {
    let mut text = String::new();
    for token in tokens {
        let tight = matches!(token.as_str(), ")" | "!" | "%" | "^")
            || text.ends_with(['(', '^'])
            || (token == "(" && text.ends_with(char::is_alphabetic));
        if !tight && !text.is_empty() {
            text.push(' ');
        }
        text.push_str(token);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Found, find};

    #[test]
    fn arithmetic_is_found_in_a_sentence() {
        let whole = |text: &str| Found::Whole(text.to_owned());
        let after = |text: &str| Found::After(text.to_owned());
        let cases: [(&str, Vec<Found>); 35] = [
            (
                "2 + 2, see https://example.com/2/3?a=4-5",
                vec![whole("2 + 2")],
            ),
            ("What is 15% of 240?", vec![whole("15% of 240")]),
            ("15 percent of 240", vec![whole("15% of 240")]),
            (
                "(3+4)*2 and then 10!",
                vec![whole("(3 + 4) * 2"), whole("10!")],
            ),
            ("How much is 1,234.5 times 3?", vec![whole("1,234.5 * 3")]),
            ("the square root of 144 please", vec![whole("sqrt 144")]),
            ("What is 7 squared?", vec![whole("7^2")]),
            ("3 x 4", vec![whole("3 * 4")]),
            ("2 plus -3", vec![whole("2 + - 3")]),
            ("price of AAPL times 12", vec![after("that * 12")]),
            ("5 times the price of AAPL", vec![after("that * 5")]),
            (
                "What is 17% of 3450, and the square root of that?",
                vec![whole("17% of 3450"), after("sqrt that")],
            ),
            (
                "2 + 2, times 10, divide that by 6",
                vec![whole("2 + 2"), after("that * 10"), after("that / 6")],
            ),
            ("add 10 to it", vec![after("that + 10")]),
            ("Subtract 5 from 20.", vec![whole("20 - 5")]),
            ("What is seven times eight?", vec![whole("7 * 8")]),
            (
                "the average of 3, 5 and 10",
                vec![whole("(3 + 5 + 10) / 3")],
            ),
            ("the factorial of 5", vec![whole("5!")]),
            ("Is that 5 + 5?", vec![whole("5 + 5")]),
            ("How much is 5 km in miles?", vec![whole("5 km to miles")]),
            ("-40°F in °C", vec![whole("-40 °F to °C")]),
            (
                "How many feet are in a mile?",
                vec![whole("1 mile to feet")],
            ),
            ("What time is it in Tokyo?", vec![]),
            ("I like it. That was this one.", vec![]),
            ("how many do you have in 5 m?", vec![]),
            ("which one of the two is it?", vec![]),
            ("twenty five times 3", vec![]),
            ("Solve 2x + 3 = 7", vec![]),
            ("2 ** 8", vec![whole("2^8")]),
            ("calculate 1e3 * 2", vec![whole("1e3 * 2")]),
            ("What is 20% off $80?", vec![whole("80 - 20% of 80")]),
            ("10% tip on $45.50", vec![whole("10% of 45.50")]),
            ("the load of web-1", vec![]),
            ("order 1001 of a well-known user", vec![]),
            ("I have 2 cats, and 10% milk.", vec![]),
        ];
        for (text, expected) in cases {
            assert_eq!(find(text), expected, "{text}");
        }
    }
}
