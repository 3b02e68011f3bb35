//! The script that a text is written in: Unicode's `Script` property (UAX 24), by majority.

use icu_properties::CodePointMapData;
use icu_properties::props::Script;
use icu_properties::{PropertyNamesLong, PropertyParser};

/// So many letters tell the script of a text.
const COUNTED_LETTERS: usize = 1000;

/// Of Japanese text at least one in so many letters is kana; of Chinese text hardly any is.
const KANA_SHARE: usize = 10;

/// The script of this name in Unicode (case, spaces and `_` do not matter), if letters have it.
pub(super) fn by_name(name: &str) -> Option<Script> {
    let script = PropertyParser::<Script>::new().get_loose(name)?;
    is_of_letters(script).then_some(script)
}

/// Its name in Unicode.
pub(super) fn name(script: Script) -> &'static str {
    PropertyNamesLong::<Script>::new()
        .get(script)
        .unwrap_or("a script without a name")
}

/// The script of one character.
pub(super) fn of(character: char) -> Script {
    CodePointMapData::<Script>::new().get(character)
}

/// The script that most letters of the text are in, of its first 1000; with several of the same
/// number, the first in the text. `None` where there are no letters.
///
/// Where Han and kana stand together and a tenth is kana, all of them count as the more frequent
/// kana.
pub(super) fn dominant(text: &str) -> Option<Script> {
    let scripts = CodePointMapData::<Script>::new();
    let mut counts: Vec<(Script, usize)> = Vec::new();
    // Nearly all characters that belong to one script are letters or marks on them.
    for script in text
        .chars()
        .map(|character| scripts.get(character))
        .filter(|it| is_of_letters(*it))
        .take(COUNTED_LETTERS)
    {
        match counts.iter_mut().find(|(known, _)| *known == script) {
            Some((_, count)) => *count += 1,
            None => counts.push((script, 1)),
        }
    }
    join_japanese(&mut counts);
    // Of equals `max_by_key` takes the last.
    let most = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    most.map(|(script, _)| script)
}

/// Moves the letters of Japanese to the kana of which there are more.
fn join_japanese(counts: &mut [(Script, usize)]) {
    let of = |counts: &[(Script, usize)], script| {
        let found = counts.iter().find(|(known, _)| *known == script);
        found.map_or(0, |(_, count)| *count)
    };
    let hiragana = of(counts, Script::Hiragana);
    let katakana = of(counts, Script::Katakana);
    let all = hiragana + katakana + of(counts, Script::Han);
    if (hiragana + katakana) * KANA_SHARE < all {
        return;
    }
    let kana = if hiragana >= katakana {
        Script::Hiragana
    } else {
        Script::Katakana
    };
    for (script, count) in counts {
        if *script == kana {
            *count = all;
        } else if [Script::Han, Script::Hiragana, Script::Katakana].contains(script) {
            *count = 0;
        }
    }
}

/// `Common` and `Inherited` are characters that every script uses, `Unknown` are none.
fn is_of_letters(script: Script) -> bool {
    ![Script::Common, Script::Inherited, Script::Unknown].contains(&script)
}
