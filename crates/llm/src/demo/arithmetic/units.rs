//! Finds conversions of units: "How much is 5 km in miles?" asks for `5 km to miles`.

/// Units that are asked for, as the calculator knows them.
const UNITS: &str = "mm cm m km inch inches foot feet ft yard yards mile miles mg g kg gram grams \
    kilogram kilograms pound pounds lb lbs ounce ounces oz ml l liter liters litre litres gallon \
    gallons second seconds minute minutes hour hours day days week weeks meter meters metre metres \
    kilometer kilometers kilometre kilometres mph kph kb mb gb tb kib mib gib";

/// The first conversion among the tokens, taken out of them.
pub(super) fn take(tokens: &mut Vec<String>) -> Option<String> {
    tokens.retain(|token| !matches!(token.as_str(), "°" | "degrees" | "degree"));
    let (position, length, conversion) = (0..tokens.len()).find_map(|position| {
        let (length, conversion) = conversion(tokens.get(position..)?)?;
        Some((position, length, conversion))
    })?;
    tokens.drain(position..position + length);
    Some(conversion)
}

/// "5 km in miles" or "many miles are in 5 km", and how many tokens that takes.
fn conversion(tokens: &[String]) -> Option<(usize, String)> {
    let written = |number: &str, from: &str, to: &str| {
        Some(format!(
            "{} {} to {}",
            count(number)?,
            unit(from)?,
            unit(to)?
        ))
    };
    let words: Vec<&str> = tokens.iter().take(6).map(String::as_str).collect();
    match words.as_slice() {
        ["many", to, "are" | "is", "in" | "there", number, from] => {
            written(number, from, to).map(|it| (6, it))
        }
        ["many", to, "in" | "is" | "are", number, from, ..] => {
            written(number, from, to).map(|it| (5, it))
        }
        ["-", number, from, "in" | "to" | "into", to, ..] => {
            written(number, from, to).map(|it| (5, format!("-{it}")))
        }
        [number, from, "in" | "to" | "into", to, ..] => written(number, from, to).map(|it| (4, it)),
        _ => None,
    }
}

fn count(word: &str) -> Option<&str> {
    match word {
        "a" | "an" => Some("1"),
        number if number.starts_with(|c: char| c.is_ascii_digit()) => Some(number),
        _ => None,
    }
}

fn unit(word: &str) -> Option<&str> {
    match word {
        "f" | "fahrenheit" => Some("°F"),
        "c" | "celsius" => Some("°C"),
        "kb" => Some("kB"),
        "mb" => Some("MB"),
        "gb" => Some("GB"),
        "tb" => Some("TB"),
        "kib" => Some("KiB"),
        "mib" => Some("MiB"),
        "gib" => Some("GiB"),
        _ => UNITS.split_whitespace().find(|unit| *unit == word),
    }
}
