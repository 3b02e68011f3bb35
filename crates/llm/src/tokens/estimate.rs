//! How many tokens a text has, by rule of thumb: for models whose tokenizer is not published, or
//! not at hand.
//!
//! The estimate is meant to be too high rather than too low. Its weights come from counting prose
//! in forty languages, code, JSON, keys and emoji with published vocabularies (OpenAI's `cl100k` and
//! `o200k` above all); digits count one each, as in Qwen and in Gemma, the open sister of Gemini.
//! Prose comes out at 1 to 2 times what `o200k` counts (Basque and Quechua 0.95), and where an
//! older vocabulary falls apart into letters, up to 7 times. Too low it is for what is hardly
//! written: words of random small letters (half of the real count), rare characters of Han (0.6).

/// Small letters that a tokenizer is expected to take at once where a word begins. A letter with an
/// accent is worth as many.
const FIRST_LETTERS: u64 = 4;

/// The same further on in the word: what is put together of parts is put together of short ones.
const FURTHER_LETTERS: u64 = 3;

/// Longer rows of letters are no words but keys or Base64, of which five make three tokens.
const LONGEST_WORD: u64 = 24;

/// Blanks, tabs or line feeds that are taken at once.
const BLANKS_PER_TOKEN: u64 = 16;

/// How many of these a carriage return is worth: in a row, two make a token.
const CARRIAGE_RETURN: u64 = 8;

/// Tokens of the text, at most one for each of its bytes. Takes time in proportion to its length.
pub(super) fn tokens(text: &str) -> u64 {
    let mut sum = Sum::default();
    for character in text.chars() {
        sum.add(character);
    }
    sum.end_run();
    sum.quarters.div_ceil(4)
}

/// What characters are taken together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Run {
    #[default]
    None,
    /// A word of the Latin alphabet, so far in capitals.
    Capitals,
    /// A word of the Latin alphabet.
    Word,
    Blanks,
    Tabs,
    LineEnds,
}

/// What has been counted, in quarters of a token, and the run that goes on.
#[derive(Debug, Default)]
struct Sum {
    quarters: u64,
    run: Run,
    /// Characters of the run.
    length: u64,
    /// Of a word: how many small letters it is worth. Of the others: how many blanks.
    worth: u64,
}

impl Sum {
    fn add(&mut self, character: char) {
        let (run, worth) = match character {
            'a'..='z' => (Run::Word, 1),
            'A'..='Z' => (Run::Capitals, 3),
            // Latin with accents, as far as Vietnamese needs it.
            '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => (Run::Word, FIRST_LETTERS),
            ' ' => (Run::Blanks, 1),
            '\t' => (Run::Tabs, 1),
            '\n' => (Run::LineEnds, 1),
            '\r' => (Run::LineEnds, CARRIAGE_RETURN),
            _ => (Run::None, 0),
        };
        if self.run == run || (self.run == Run::Capitals && run == Run::Word) {
            self.run = run;
        } else {
            // The blank before a word belongs to its first token.
            let blank = self.run == Run::Blanks && self.length == 1;
            let joins = matches!(run, Run::Word | Run::Capitals)
                || (character.is_alphabetic() && !is_rare(character));
            if !(blank && joins) {
                self.end_run();
            }
            (self.run, self.length, self.worth) = (run, 0, 0);
        }
        self.length += 1;
        self.worth += worth;
        if run == Run::None {
            self.quarters += quarters(character);
        }
    }

    fn end_run(&mut self) {
        let tokens = match self.run {
            Run::None => 0,
            Run::Capitals | Run::Word if self.length > LONGEST_WORD => {
                (self.length * 3).div_ceil(5)
            }
            Run::Capitals | Run::Word => {
                1 + self
                    .worth
                    .saturating_sub(FIRST_LETTERS)
                    .div_ceil(FURTHER_LETTERS)
            }
            Run::Blanks | Run::Tabs | Run::LineEnds => self.worth.div_ceil(BLANKS_PER_TOKEN),
        };
        self.quarters += 4 * tokens;
    }
}

/// Whether no vocabulary has the character: it is one token for each of its bytes, with nothing
/// before it in the first.
fn is_rare(character: char) -> bool {
    quarters(character) == 4 * character.len_utf8() as u64
}

/// Quarters of a token for a character that is counted by itself.
fn quarters(character: char) -> u64 {
    match character {
        '\0'..='\u{7f}' => 4,
        // Cyrillic.
        '\u{400}'..='\u{52f}' => 2,
        // Arabic.
        '\u{600}'..='\u{6ff}' => 4,
        // Greek, Hebrew.
        '\u{370}'..='\u{3ff}' | '\u{590}'..='\u{5ff}' => 5,
        // The scripts of India, and Thai.
        '\u{900}'..='\u{e7f}' => 6,
        // Dashes and quotation marks.
        '\u{2010}'..='\u{2027}' => 4,
        // Kana, Han, Hangul, their punctuation and wide forms.
        '\u{3000}'..='\u{30ff}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{ff00}'..='\u{ff0f}'
        | '\u{ff1a}'..='\u{ff20}' => 5,
        // Wide and narrow forms that are no punctuation.
        '\u{ff10}'..='\u{ffef}' => 8,
        // Emoji, whose first two bytes are one token.
        '\u{1f000}'..='\u{1faff}' => 12,
        // Rare: every byte by itself.
        other => 4 * other.len_utf8() as u64,
    }
}
