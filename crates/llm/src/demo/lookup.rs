//! Finds what a question wants to be looked up: "weather in Paris and Rome" wants two things.

use crate::demo::arithmetic;
use crate::demo::lookup::vocabulary::{COMPANIES, ENDS, FILLERS, KINDS, Kind, SYMBOLS};
use crate::demo::words::{bare, has_any, trim};

mod vocabulary;

/// Arguments of the tool `data_fetcher`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lookup {
    pub(super) data_type: &'static str,
    pub(super) query: String,
}

/// Everything that the question wants to be looked up, in order, nothing twice.
///
/// "And in Rome?" wants more of the data type that was looked up `before`.
pub(super) fn find(question: &str, before: Option<&str>) -> Vec<Lookup> {
    let mut lookups: Vec<Lookup> = Vec::new();
    let goes_on = question
        .split_whitespace()
        .next()
        .is_some_and(|word| bare(word) == "and")
        || has_any(question, &["what about", "how about"]);
    let computes = !arithmetic::find(question).is_empty();
    let before = before
        .filter(|_| goes_on && !computes)
        .and_then(|before| KINDS.iter().find(|kind| kind.data_type == before));
    for clause in clauses(question) {
        let mut subject = subject(&clause);
        if subject.is_empty() && has_any(&clause, &["there"]) {
            // "... and what time is it there?"
            subject = lookups
                .last()
                .map(|it| it.query.clone())
                .unwrap_or_default();
        }
        let last = lookups.last().map(|lookup| lookup.data_type);
        let data_type = if let Some(kind) = kind_of(&clause) {
            kind.data_type
        } else if !companies(&subject).is_empty() {
            "stock"
        } else if let Some(last) =
            last.filter(|_| is_name(&clause) || (!computes && is_bare_name(&clause)))
        {
            // "... and Rome" means more of the same.
            last
        } else if let Some(kind) = before.filter(|_| is_name(&clause) || is_short(&clause)) {
            kind.data_type
        } else {
            continue;
        };
        for query in queries(data_type, subject) {
            let lookup = Lookup { data_type, query };
            if !lookups.contains(&lookup) {
                lookups.push(lookup);
            }
        }
    }
    lookups
}

fn kind_of(clause: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| has_any(clause, kind.words))
}

/// What to look up of a kind: the companies in it one by one, the usual where nothing is named.
fn queries(data_type: &str, subject: String) -> Vec<String> {
    let companies = companies(&subject);
    if data_type == "stock" && !companies.is_empty() {
        return companies;
    }
    let usual = KINDS
        .iter()
        .find(|kind| kind.data_type == data_type && subject.is_empty());
    vec![usual.map_or(subject, |kind| kind.usual.to_owned())]
}

/// The companies that a subject consists of; "Apple (AAPL)" is one.
fn companies(subject: &str) -> Vec<String> {
    let is_in = |list: &str, word: &str| list.split(' ').any(|known| known == bare(word));
    let is_symbol = |word: &&str| is_in(SYMBOLS, word);
    let all_known = subject
        .split(' ')
        .all(|word| is_symbol(&word) || is_in(COMPANIES, word));
    if !all_known {
        return Vec::new();
    }
    let symbols: Vec<String> = subject
        .split(' ')
        .filter(is_symbol)
        .map(str::to_uppercase)
        .collect();
    if symbols.is_empty() {
        subject.split(' ').map(str::to_owned).collect()
    } else {
        symbols
    }
}

fn clauses(question: &str) -> Vec<String> {
    let mut clauses = vec![String::new()];
    for word in question.split_whitespace() {
        let ends = word.ends_with([',', ';', '?', '!', '.']);
        if matches!(
            bare(word).as_str(),
            "and" | "or" | "then" | "also" | "versus" | "vs"
        ) {
            clauses.push(String::new());
        } else if let Some(clause) = clauses.last_mut() {
            clause.push_str(word);
            clause.push(' ');
            if ends {
                clauses.push(String::new());
            }
        }
    }
    clauses.retain(|clause| !clause.trim().is_empty());
    clauses
}

/// What is left of a clause without the words that are in every question.
fn subject(clause: &str) -> String {
    let of_shares = has_any(clause, &["shares", "share"]);
    let mut left: Vec<&str> = Vec::new();
    for word in clause.split_whitespace() {
        let bare = bare(word);
        if bare == "times" && left.iter().all(|word| word.parse::<f64>().is_ok()) {
            // "5 times the price of AAPL"
            left.clear();
            continue;
        }
        if ENDS.contains(&bare.as_str()) || word.starts_with(['*', '/', '+', '×', '÷']) {
            break;
        }
        let of_a_kind = KINDS.iter().any(|kind| {
            kind.words
                .iter()
                .any(|words| words.split(' ').any(|part| part == bare))
        });
        // "12 shares of AAPL": how many is no part of what.
        let a_number_first =
            of_shares && left.is_empty() && bare.chars().all(|c| c.is_ascii_digit());
        if !of_a_kind && !a_number_first && !is_filler(&bare) {
            left.push(owner(trim(word)));
        }
    }
    left.retain(|word| !word.is_empty());
    left.join(" ")
}

/// "AAPL's" as "AAPL".
fn owner(word: &str) -> &str {
    ["'s", "’s"]
        .iter()
        .find_map(|ending| word.strip_suffix(ending))
        .unwrap_or(word)
}

fn is_filler(bare: &str) -> bool {
    FILLERS.split(' ').any(|filler| filler == bare)
}

/// Whether a clause is a name and nothing else: few words, the first with a capital.
fn is_name(clause: &str) -> bool {
    let words: Vec<&str> = clause
        .split_whitespace()
        .filter(|word| !is_filler(&bare(word)))
        .collect();
    (1..=3).contains(&words.len())
        && words
            .first()
            .is_some_and(|word| trim(word).starts_with(char::is_uppercase))
        && !words
            .iter()
            .any(|word| matches!(bare(word).as_str(), "i" | "thanks" | "hello"))
}

/// Whether a clause has nothing but a name without a capital, as in "... and rome".
fn is_bare_name(clause: &str) -> bool {
    const BESIDES: [&str; 6] = ["in", "of", "for", "at", "on", "the"];
    is_short(clause)
        && !has_any(clause, &["thanks", "thank", "hello", "bye"])
        && clause.split_whitespace().all(|word| {
            let word = bare(word);
            BESIDES.contains(&word.as_str()) || !is_filler(&word)
        })
}

/// Whether a clause may be a name that somebody was too lazy to give its capital: "what about
/// tokyo?", not "how about a joke?".
fn is_short(clause: &str) -> bool {
    let words = clause.split_whitespace();
    let names = words.clone().filter(|word| !is_filler(&bare(word))).count();
    (1..=2).contains(&names) && !has_any(clause, &["a", "an", "you", "your", "me", "my"])
}

#[cfg(test)]
mod tests {
    use super::find;

    /// Questions, and the data types and queries that they are about.
    const QUESTIONS: &[(&str, &str)] = &[
        (
            "What's the weather in Paris and Rome?",
            "weather Paris, weather Rome",
        ),
        ("weather in New York today", "weather New York"),
        ("Paris weather, please", "weather Paris"),
        ("the price of AAPL times 12", "stock AAPL"),
        ("What would 12 shares of MSFT cost?", "stock MSFT"),
        ("Look up order 1001 and user 42", "order 1001, user 42"),
        ("Is the keyboard in stock?", "inventory keyboard"),
        ("How are sales in Europe?", "sales Europe"),
        ("Show the system metrics of db-2", "system_metrics db-2"),
        ("What time is it in Tokyo?", "time Tokyo"),
        ("How is the weather?", "weather London"),
        ("5 times the price of TSLA", "stock TSLA"),
        (
            "Compare the price of AAPL and MSFT",
            "stock AAPL, stock MSFT",
        ),
        ("Can you check the CPU of db-3?", "system_metrics db-3"),
        (
            "Compare the stock prices of AAPL and MSFT",
            "stock AAPL, stock MSFT",
        ),
        ("AAPL vs MSFT", "stock AAPL, stock MSFT"),
        ("compare aapl msft", "stock AAPL, stock MSFT"),
        (
            "how are Apple (AAPL) and MSFT doing",
            "stock AAPL, stock MSFT",
        ),
        ("Apple vs. Microsoft stock", "stock Apple, stock Microsoft"),
        (
            "Which is more expensive, TSLA or NVDA?",
            "stock TSLA, stock NVDA",
        ),
        (
            "Is it warmer in Madrid or Lisbon?",
            "weather Madrid, weather Lisbon",
        ),
        ("Will it rain tomorrow in Berlin?", "weather Berlin"),
        ("Where is my order #4711?", "order 4711"),
        ("Sales in Europe last month", "sales Europe"),
        (
            "weather in paris, rome and new york",
            "weather paris, weather rome, weather new york",
        ),
        ("orders 1001 and 1002", "order 1001, order 1002"),
        ("the price of AAPL, squared", "stock AAPL"),
        ("weather in Paris, thanks", "weather Paris"),
        ("What’s AAPL’s price?", "stock AAPL"),
        (
            "the weather in Paris, and what time is it there?",
            "weather Paris, time Paris",
        ),
        ("HTTP vs WebSockets", ""),
        ("I ate an apple and a pear", ""),
        ("How are you?", ""),
        ("Tell me a story, Anna", ""),
    ];

    #[test]
    fn what_is_to_be_looked_up_is_found_in_a_question() {
        for (question, expected) in QUESTIONS {
            let lookups = find(question, None);
            let found: Vec<String> = lookups
                .iter()
                .map(|lookup| format!("{} {}", lookup.data_type, lookup.query))
                .collect();
            assert_eq!(found.join(", "), *expected, "{question}");
        }
    }

    #[test]
    fn a_question_can_go_on_from_the_one_before() {
        let before = Some("weather");
        for question in ["And in Rome?", "What about Rome?", "and Rome tomorrow?"] {
            let found = find(question, before);
            assert_eq!(found.len(), 1, "{question}");
            assert_eq!(
                (found[0].data_type, found[0].query.as_str()),
                ("weather", "Rome")
            );
        }
        assert_eq!(find("what about tokyo?", before)[0].query, "tokyo");
        for question in ["Rome is nice.", "How about a joke?", "and why?"] {
            assert!(find(question, before).is_empty(), "{question}");
        }
    }
}
