//! Writes down the tokens of OpenAI's vocabulary, for the feature `o200k`: the crate that counts has them in a form
//! that is quick to load and takes 32 MB of a binary, of which the tokens themselves are 1 MB.

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "o200k")]
    o200k::write()?;
    Ok(())
}

#[cfg(feature = "o200k")]
mod o200k {
    use std::fs::File;
    use std::io::{self, Write};
    use std::path::Path;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    /// In the order of their numbers, each behind its length in one byte, compressed by DEFLATE.
    pub(super) fn write() -> io::Result<()> {
        let folder = std::env::var_os("OUT_DIR").unwrap_or_default();
        let file = File::create(Path::new(&folder).join("o200k.tokens"))?;
        let mut file = DeflateEncoder::new(file, Compression::best());
        let vocabulary = &bpe_openai::o200k_base().bpe;
        for number in 0..vocabulary.num_tokens() {
            let number = u32::try_from(number).map_err(io::Error::other)?;
            let token = vocabulary.token_bytes(number);
            let length = u8::try_from(token.len()).map_err(io::Error::other)?;
            file.write_all(&[length])?;
            file.write_all(token)?;
        }
        file.finish()?.sync_all()
    }
}
