//! Puts the symbols of arithmetic for the words that people use: "add 5 to that" is `that + 5`.

use crate::demo::arithmetic::THAT;

/// Phrases and their symbols; a longer phrase stands before one that it begins with.
const PHRASES: [(&str, &str); 46] = [
    ("the square root of", "sqrt"),
    ("square root of", "sqrt"),
    ("the cube root of", "cbrt"),
    ("cube root of", "cbrt"),
    ("the absolute value of", "abs"),
    ("tip on", "of"),
    ("to the power of", "^"),
    ("multiplied by", "*"),
    ("divided by", "/"),
    ("times", "*"),
    ("plus", "+"),
    ("minus", "-"),
    ("squared", "^ 2"),
    ("cubed", "^ 3"),
    ("percent", "%"),
    ("per cent", "%"),
    ("half of", "50 % of"),
    ("double that", "that * 2"),
    ("double it", "that * 2"),
    ("twice", "2 *"),
    ("modulo", "mod"),
    ("the result", THAT),
    ("the answer", THAT),
    ("this", THAT),
    ("it", THAT),
    ("zero", "0"),
    ("one", "1"),
    ("two", "2"),
    ("three", "3"),
    ("four", "4"),
    ("five", "5"),
    ("six", "6"),
    ("seven", "7"),
    ("eight", "8"),
    ("nine", "9"),
    ("ten", "10"),
    ("eleven", "11"),
    ("twelve", "12"),
    ("fifteen", "15"),
    ("twenty", "20"),
    ("thirty", "30"),
    ("forty", "40"),
    ("fifty", "50"),
    ("hundred", "100"),
    ("thousand", "1000"),
    ("million", "1000000"),
];

/// The text in lower case, with symbols. Punctuation stands apart from the words, except within
/// numbers, and except `!`, which may be a factorial.
pub(super) fn in_symbols(text: &str) -> String {
    let words = separate(text);
    rewrite(&rewrite(&words, phrase), order).join(" ")
}

fn separate(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for word in text.split_whitespace() {
        let word = word.to_lowercase().replace("**", "^");
        let word = word.trim_start_matches(['$', '€', '£']);
        let bare = word.trim_end_matches(['?', ',', ';', ':', '.']);
        if !bare.is_empty() {
            words.push(bare.to_owned());
        }
        if bare.len() < word.len() {
            words.push(",".to_owned());
        }
    }
    words
}

/// Goes through the words and puts what `rule` makes of the first of them, and of how many.
fn rewrite(words: &[String], rule: impl Fn(&[String]) -> Option<(String, usize)>) -> Vec<String> {
    let mut written = Vec::new();
    let mut rest = words;
    while let Some((first, after)) = rest.split_first() {
        if let Some((symbols, used)) = rule(rest) {
            written.extend(symbols.split(' ').map(str::to_owned));
            rest = rest.get(used..).unwrap_or_default();
        } else {
            written.push(first.clone());
            rest = after;
        }
    }
    written
}

fn phrase(words: &[String]) -> Option<(String, usize)> {
    PHRASES.iter().find_map(|(phrase, symbols)| {
        let length = phrase.split(' ').count();
        let begins = words.len() >= length && phrase.split(' ').eq(words.iter().take(length));
        begins.then(|| ((*symbols).to_owned(), length))
    })
}

/// "20% off 80", "add 5 to 7", "divide that by 6", "multiply by 3", "the sum of 1, 2 and 3", "factorial of 5".
fn order(words: &[String]) -> Option<(String, usize)> {
    if let [share, off, whole, ..] = words
        && share.ends_with('%')
        && off == "off"
        && is_operand(whole)
    {
        return Some((format!("{whole} - {share} of {whole}"), 3));
    }
    let (verb, words) = words.split_first()?;
    let (symbol, links): (&str, &[&str]) = match verb.as_str() {
        "add" => ("+", &["to", "and"]),
        "subtract" => ("-", &["from"]),
        "multiply" => ("*", &["by", "with", "and"]),
        "divide" => ("/", &["by"]),
        "sum" | "average" | "mean" | "product" => return of_many(verb, words),
        "factorial" => {
            return match words {
                [of, number, ..] if of == "of" && is_operand(number) => {
                    Some((format!("{number}!"), 3))
                }
                _ => None,
            };
        }
        _ => return None,
    };
    let links_up = |word: &String| links.contains(&word.as_str());
    match words {
        [one, link, other, ..] if is_operand(one) && links_up(link) && is_operand(other) => {
            let written = if matches!(link.as_str(), "to" | "from") {
                format!("{other} {symbol} {one}")
            } else {
                format!("{one} {symbol} {other}")
            };
            Some((written, 4))
        }
        [by, other, ..] if by == "by" && is_operand(other) => {
            Some((format!("{symbol} {other}"), 3))
        }
        [other] if is_operand(other) => Some((format!("{symbol} {other}"), 2)),
        _ => None,
    }
}

fn of_many(verb: &str, words: &[String]) -> Option<(String, usize)> {
    let (_, listed) = words.split_first().filter(|(of, _)| *of == "of")?;
    let length = listed
        .iter()
        .take_while(|word| is_operand(word) || matches!(word.as_str(), "," | "and"))
        .count();
    let numbers: Vec<&str> = listed
        .iter()
        .take(length)
        .map(String::as_str)
        .filter(|word| is_operand(word))
        .collect();
    if numbers.len() < 2 {
        return None;
    }
    let written = match verb {
        "product" => numbers.join(" * "),
        "sum" => numbers.join(" + "),
        _ => format!("({}) / {}", numbers.join(" + "), numbers.len()),
    };
    Some((written, length + 2))
}

fn is_operand(word: &str) -> bool {
    word == THAT
        || word
            .trim_start_matches('-')
            .starts_with(|c: char| c.is_ascii_digit())
}
