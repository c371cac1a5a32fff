//! Small source files that build scripts write and that can be written without
//! running them.

use semver::Version;

use super::lex::{self, Token};

/// The files that a build script of this text would put into `OUT_DIR`, by
/// name, as far as they are known.
///
/// serde, thiserror and others write a module whose name holds the patch
/// version, so that what their derives generate only fits their own version:
/// the script holds its text as `const PRIVATE`, with `$$` for the version.
/// num-bigint up to 0.4.4 writes a table of the largest powers of each radix,
/// typenum up to 1.17 its named numbers.
pub(crate) fn generated_by(text: &str, version: &Version) -> Vec<(String, String)> {
    let mut files = Vec::new();
    if text.contains("\"private.rs\"")
        && let Some(template) = constant(&lex::tokens(text), "PRIVATE")
    {
        let module = template.replace("$$", &version.patch.to_string());
        files.push(("private.rs".to_owned(), module));
    }
    if text.contains("\"radix_bases.rs\"") {
        files.push(("radix_bases.rs".to_owned(), radix_bases()));
    }
    if text.contains("\"consts.rs\"") && text.contains("UTerm") {
        files.push(("consts.rs".to_owned(), typenum_consts()));
        // The other file holds a convenience macro that only users name.
        files.push(("op.rs".to_owned(), String::new()));
    }
    files
}

/// The variable through which source finds a generated file, where it does not
/// go through `OUT_DIR`.
pub(crate) fn variable(package: &str, file: &str) -> Option<&'static str> {
    match (package, file) {
        ("typenum", "consts.rs") => Some("TYPENUM_BUILD_CONSTS"),
        ("typenum", "op.rs") => Some("TYPENUM_BUILD_OP"),
        _ => None,
    }
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

/// typenum's numbers: 0 to 1024, the powers of two and of ten, each as an
/// unsigned (`U`), a positive (`P`) and a negative (`N`) type.
fn typenum_consts() -> String {
    let mut file = String::from(
        "pub mod consts { use crate::uint::{UInt, UTerm}; use crate::int::{PInt, NInt}; \
         pub use crate::bit::{B0, B1}; pub use crate::int::Z0; \
         pub type True = B1; pub type False = B0;\n",
    );
    let powers_of_two = (11..64).map(|power| 1_u64 << power);
    let powers_of_ten = (4..20).map(|power| 10_u64.pow(power));
    for number in (0..=1024).chain(powers_of_two).chain(powers_of_ten) {
        // From the highest bit down, each bit wraps what stands above it.
        let mut bits = String::from("UTerm");
        for place in (0..u64::BITS - number.leading_zeros()).rev() {
            bits = format!("UInt<{bits}, B{}>", (number >> place) & 1);
        }
        file.push_str(&format!("pub type U{number} = {bits};\n"));
        if number != 0 && i64::try_from(number).is_ok() {
            file.push_str(&format!(
                "pub type P{number} = PInt<U{number}>; pub type N{number} = NInt<U{number}>;\n"
            ));
        }
    }
    file.push('}');
    file
}
