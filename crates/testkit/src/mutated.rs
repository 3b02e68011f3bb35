//! Texts that are nearly right, for fuzz targets: what is wholly random is refused at its first character, and
//! reaches nothing.

use bolero::{Driver, ValueGenerator, one_value_of};

/// How many changes are made: mostly few, since each may make something else of the text.
const CHANGES: [usize; 8] = [0, 1, 1, 1, 2, 2, 4, 8];
/// A word is repeated so often at most.
const MAX_REPEATS: usize = 300;
/// A longer text grows no further.
const MAX_CHARS: usize = 8 * 1024;

/// One of some texts as somebody could mean them, changed in a few places.
#[derive(Debug, Clone)]
pub struct Mutated {
    seeds: Vec<Vec<char>>,
    words: &'static [&'static str],
}

impl Mutated {
    /// Changes one of `seeds`, by these words among others.
    pub fn new<S: AsRef<str>>(
        seeds: impl IntoIterator<Item = S>,
        words: &'static [&'static str],
    ) -> Self {
        let seeds = seeds.into_iter();
        Self {
            seeds: seeds.map(|seed| seed.as_ref().chars().collect()).collect(),
            words,
        }
    }

    fn change<D: Driver>(&self, text: &mut Vec<char>, driver: &mut D) -> Option<()> {
        // At its ends much is decided, wherever else the text is changed.
        let anywhere = (0..=text.len()).generate(driver)?;
        let at = one_value_of([0, text.len(), anywhere, anywhere]).generate(driver)?;
        let end = (at..=text.len()).generate(driver)?;
        match (0..8_u8).generate(driver)? {
            0 => drop(text.drain(at..end)),
            1 => {
                let twice = text[at..end].to_vec();
                text.splice(at..at, twice);
            }
            2 => {
                let other = &self.seeds[(0..self.seeds.len()).generate(driver)?];
                let from = (0..=other.len()).generate(driver)?;
                text.splice(at.., other[from..].iter().copied());
            }
            3 => {
                let times = (2..=MAX_REPEATS).generate(driver)?;
                let word = self.word(driver)?.repeat(times);
                text.splice(at..at, word.chars());
            }
            4 => text.insert(at, driver.produce()?),
            5 if at < text.len() => text[at] = char::from((b' '..=b'~').generate(driver)?),
            6 if at < text.len() => drop(text.remove(at)),
            _ => drop(text.splice(at..at, self.word(driver)?.chars())),
        }
        text.truncate(MAX_CHARS);
        Some(())
    }

    fn word<D: Driver>(&self, driver: &mut D) -> Option<&'static str> {
        Some(self.words[(0..self.words.len()).generate(driver)?])
    }
}

impl ValueGenerator for Mutated {
    type Output = String;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<String> {
        let mut text = self.seeds[(0..self.seeds.len()).generate(driver)?].clone();
        for _ in 0..one_value_of(CHANGES).generate(driver)? {
            self.change(&mut text, driver)?;
        }
        Some(text.into_iter().collect())
    }
}
