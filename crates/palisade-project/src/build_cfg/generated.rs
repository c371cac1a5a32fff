//! Small source files that build scripts write and that can be written without
//! running them.

use camino::Utf8Path;
use semver::Version;

use super::lex::{self, Token};
use crate::{Limits, read};

/// The files that a package's build script would put into `OUT_DIR`, by name,
/// as far as they are known.
///
/// serde, thiserror and others write a module whose name holds the patch
/// version, so that what their derives generate only fits their own version:
/// the script holds its text as `const PRIVATE`, with `$$` for the version.
/// num-bigint up to 0.4.4 writes a table of the largest powers of each radix.
pub(crate) fn generated_files(
    script: &Utf8Path,
    version: &Version,
    limits: &Limits,
) -> Vec<(String, String)> {
    let Ok(text) = read::text(script, limits.build_script_bytes) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    if text.contains("\"private.rs\"")
        && let Some(template) = constant(&lex::tokens(&text), "PRIVATE")
    {
        let module = template.replace("$$", &version.patch.to_string());
        files.push(("private.rs".to_owned(), module));
    }
    if text.contains("\"radix_bases.rs\"") {
        files.push(("radix_bases.rs".to_owned(), radix_bases()));
    }
    files
}

/// The value of `const NAME: &str = "…";`.
fn constant(tokens: &[Token], name: &str) -> Option<String> {
    let at = tokens
        .windows(2)
        .position(|pair| pair[0].ident() == Some("const") && pair[1].ident() == Some(name))?;
    tokens[at..]
        .iter()
        .take_while(|token| !token.is(';'))
        .find_map(Token::text)
        .map(str::to_owned)
}

/// For each width and radix: the largest power of the radix that fits, and its
/// exponent; zeros for powers of two, which need none.
fn radix_bases() -> String {
    let mut file = String::new();
    for bits in [16_u32, 32, 64] {
        let limit = if bits == 64 { u64::MAX } else { 1 << bits };
        file.push_str(&format!(
            "pub(crate) static BASES_{bits}: [(u{bits}, usize); 257] = ["
        ));
        for radix in 0_u64..257 {
            let (mut base, mut power) = (0, 0);
            if radix != 0 && !radix.is_power_of_two() {
                (base, power) = (radix, 1);
                while let Some(next) = base.checked_mul(radix).filter(|&next| next <= limit) {
                    base = next;
                    power += 1;
                }
            }
            file.push_str(&format!("({base}, {power}),"));
        }
        file.push_str("];\n");
    }
    file
}
