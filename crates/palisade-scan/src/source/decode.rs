//! What a text or a list of bytes stands for when it is encoded.
//!
//! Decoding is by trial: a result counts only when it can be read, or when it
//! begins like a program. What matters is never the encoding itself, which is
//! common, but what was hidden by it.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// How a text was hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Disguise {
    /// Base64, of either alphabet.
    Base64,
    /// Hexadecimal digits.
    Hex,
    /// A list of numbers or characters.
    Bytes,
    /// Combined with a key by exclusive or.
    Xor,
    /// Written backwards.
    Reversed,
    /// Letters moved by thirteen places.
    Rot13,
    /// Each number moved by the same distance.
    Shifted,
    /// With characters that are taken out, or with others in their place.
    Filtered,
    /// In pieces that are put together.
    Split,
    /// Several of these, one in the other.
    Layers,
}

impl Disguise {
    /// How messages say it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Disguise::Base64 => "base64",
            Disguise::Hex => "hexadecimal digits",
            Disguise::Bytes => "a list of bytes",
            Disguise::Xor => "an exclusive or with a key",
            Disguise::Reversed => "reversed text",
            Disguise::Rot13 => "rotated letters",
            Disguise::Shifted => "numbers that are moved",
            Disguise::Filtered => "characters that are taken out or replaced",
            Disguise::Split => "pieces that are put together",
            Disguise::Layers => "several encodings, one in the other",
        }
    }
}

/// The shortest text that is worth decoding.
const SHORTEST: usize = 8;
/// The longest that is tried with keys, in bytes.
const LONGEST_WITH_KEY: usize = 2048;
/// The longest that is decoded at all, in bytes.
const LONGEST: usize = 8 << 20;
/// The most encodings that lie in each other.
const LAYERS: usize = 3;
/// How many characters are asked before memory is taken for all.
const PROBE: usize = 64;
/// How much of a decoded program is kept, in bytes.
const PROGRAM_HEAD: usize = 256;

/// What nobody would hide but to use it.
const CRIBS: [&[u8]; 9] = [
    b"https://",
    b"http://",
    b"/bin/sh",
    b"/bin/bash",
    b"powershell",
    b"cmd.exe",
    b"/.ssh/",
    b"curl -",
    b"wget ",
];

/// What `text` hides, and how.
pub(crate) fn reveal(text: &[u8]) -> Option<(String, Disguise)> {
    let (mut found, mut disguise) = layer(text)?;
    for _ in 1..LAYERS {
        let Some((deeper, _)) = layer(found.as_bytes()) else {
            break;
        };
        found = deeper;
        disguise = Disguise::Layers;
    }
    Some((found, disguise))
}

fn layer(text: &[u8]) -> Option<(String, Disguise)> {
    if !(SHORTEST..=LONGEST).contains(&text.len()) {
        return None;
    }
    if let Some(decoded) = hex(text)
        && let Some((found, inner)) = reveal_bytes(&decoded)
    {
        return Some((found, outer(inner, Disguise::Hex)));
    }
    if let Some(decoded) = base64(text)
        && let Some((found, inner)) = reveal_bytes(&decoded)
    {
        return Some((found, outer(inner, Disguise::Base64)));
    }
    if text.len() > LONGEST_WITH_KEY {
        return None;
    }
    let shown = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if let Some(found) = SEARCHERS.turned.find(text)
        && !has_crib(text)
    {
        let reversed = found.pattern().as_usize() < CRIBS.len();
        return Some(if reversed {
            let bytes = text.iter().rev().copied().collect();
            (shown(bytes), Disguise::Reversed)
        } else {
            let bytes = text.iter().map(|&byte| rot13(byte)).collect();
            (shown(bytes), Disguise::Rot13)
        });
    }
    one_byte_key(text).map(|text| (text, Disguise::Xor))
}

fn outer(inner: Disguise, own: Disguise) -> Disguise {
    match inner {
        Disguise::Bytes => own,
        _ => Disguise::Layers,
    }
}

/// What a list of bytes says: as it is, or with a key.
pub(crate) fn reveal_bytes(bytes: &[u8]) -> Option<(String, Disguise)> {
    if bytes.len() < SHORTEST.saturating_sub(2) {
        return None;
    }
    if let Some(head) = program(bytes) {
        return Some((head, Disguise::Bytes));
    }
    let plain = readable(bytes);
    // What can be read may still be something else: a key of few bits leaves
    // letters letters.
    let with_key = || one_byte_key(bytes).or_else(|| longer_key(bytes));
    if bytes.len() <= LONGEST_WITH_KEY
        && !has_crib(bytes)
        && let Some(text) = with_key()
    {
        return Some((text, Disguise::Xor));
    }
    plain.map(|text| (text.to_owned(), Disguise::Bytes))
}

/// Whether these bytes are a program, by how they begin; if so, their head in
/// readable form.
pub(crate) fn program(bytes: &[u8]) -> Option<String> {
    let kind = match bytes {
        [0x7f, b'E', b'L', b'F', 1 | 2, ..] => "ELF",
        [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] => "Mach-O",
        [b'M', b'Z', ..] if windows_program(bytes) => "PE",
        // With a key of one byte.
        [a, b, c, d, ..]
            if a ^ b == 0x7f ^ b'E' && b ^ c == b'E' ^ b'L' && c ^ d == b'L' ^ b'F' =>
        {
            "ELF"
        }
        [a, b, ..] if a ^ b == b'M' ^ b'Z' && a != b && bytes.len() > 64 => {
            let key = a ^ b'M';
            let plain: Vec<u8> = bytes.iter().take(4096).map(|byte| byte ^ key).collect();
            if !windows_program(&plain) {
                return None;
            }
            "PE"
        }
        _ => return None,
    };
    let head = &bytes[..bytes.len().min(PROGRAM_HEAD)];
    Some(format!(
        "{PROGRAM_MARK}{kind} {}",
        String::from_utf8_lossy(head)
    ))
}

/// What stands before a decoded program.
pub(crate) const PROGRAM_MARK: &str = "\u{0}program:";

fn windows_program(bytes: &[u8]) -> bool {
    // The offset of the new header is at 0x3c.
    let Some(offset) = bytes.get(0x3c..0x40) else {
        return false;
    };
    let offset = u32::from_le_bytes([offset[0], offset[1], offset[2], offset[3]]) as usize;
    bytes
        .get(offset..)
        .is_some_and(|rest| rest.starts_with(b"PE\0\0"))
}

fn readable(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let readable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    let plain = text.chars().filter(|c| c.is_ascii()).count();
    (text.chars().all(readable) && plain * 10 >= text.chars().count() * 9).then_some(text)
}

/// What is searched in every text, each in one pass.
struct Searchers {
    plain: AhoCorasick,
    /// Written backwards, and then with letters moved.
    turned: AhoCorasick,
    /// The differences between neighbours, which an exclusive or with one byte
    /// leaves as they are.
    differences: AhoCorasick,
    /// Whether a crib begins with this difference.
    first_difference: [bool; 256],
}

static SEARCHERS: LazyLock<Searchers> = LazyLock::new(|| {
    let searcher = |cribs: Vec<Vec<u8>>| AhoCorasick::new(cribs).expect("the cribs are few");
    let changed = |change: fn(&[u8]) -> Vec<u8>| CRIBS.iter().map(|crib| change(crib)).collect();
    let mut turned: Vec<Vec<u8>> = changed(|crib| crib.iter().rev().copied().collect());
    turned.extend::<Vec<Vec<u8>>>(changed(|crib| {
        crib.iter().map(|&byte| rot13(byte)).collect()
    }));
    let mut first_difference = [false; 256];
    for crib in CRIBS {
        first_difference[usize::from(crib[0] ^ crib[1])] = true;
    }
    Searchers {
        plain: searcher(changed(<[u8]>::to_vec)),
        turned: searcher(turned),
        differences: searcher(changed(differences)),
        first_difference,
    }
});

fn differences(bytes: &[u8]) -> Vec<u8> {
    bytes.windows(2).map(|pair| pair[0] ^ pair[1]).collect()
}

fn has_crib(bytes: &[u8]) -> bool {
    SEARCHERS.plain.is_match(bytes)
}

fn one_byte_key(bytes: &[u8]) -> Option<String> {
    let begins = |pair: &[u8]| SEARCHERS.first_difference[usize::from(pair[0] ^ pair[1])];
    if !bytes.windows(2).any(begins) {
        return None;
    }
    let found = SEARCHERS.differences.find(&differences(bytes))?;
    let key = bytes[found.start()] ^ CRIBS[found.pattern().as_usize()][0];
    if key == 0 {
        return None;
    }
    let text: Vec<u8> = bytes.iter().map(|byte| byte ^ key).collect();
    readable(&text).map(str::to_owned)
}

/// The longest repeating key that is tried.
const KEY: usize = 8;

fn longer_key(bytes: &[u8]) -> Option<String> {
    [&b"https://"[..], b"http://"].into_iter().find_map(|crib| {
        (2..=KEY.min(crib.len())).find_map(|length| {
            if bytes.len() < crib.len() + length {
                return None;
            }
            let key: Vec<u8> = (0..length).map(|at| bytes[at] ^ crib[at]).collect();
            let text: Vec<u8> = bytes
                .iter()
                .zip(key.iter().cycle())
                .map(|(byte, key)| byte ^ key)
                .collect();
            // The key was chosen so that the beginning fits; the rest has to
            // fit by itself, and be long enough for that to mean something.
            let rest = text.strip_prefix(crib)?;
            let of_address =
                |byte: &u8| byte.is_ascii_alphanumeric() || b"./_:?=&%~-".contains(byte);
            let host = rest.split(|&byte| byte == b'/').next().unwrap_or_default();
            let fits = rest.iter().all(of_address) && is_host(host);
            fits.then(|| String::from_utf8_lossy(&text).into_owned())
        })
    })
}

/// Whether these bytes are the name of a machine, as a name that was made by
/// chance hardly is: words between dots, and letters behind the last.
fn is_host(host: &[u8]) -> bool {
    let mut labels = host.split(|&byte| byte == b'.').rev();
    let last = labels.next().unwrap_or_default();
    let words = |label: &[u8]| {
        let inner = label
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-');
        inner && !label.is_empty() && !label.starts_with(b"-") && !label.ends_with(b"-")
    };
    let mut several = false;
    let rest = labels.all(|label| {
        several = true;
        words(label)
    });
    let numbers = host
        .iter()
        .all(|byte| byte.is_ascii_digit() || *byte == b'.');
    rest && several
        && (last.len() >= 2 && last.iter().all(u8::is_ascii_lowercase) || numbers && words(last))
}

fn rot13(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => (byte - b'a' + 13) % 26 + b'a',
        b'A'..=b'Z' => (byte - b'A' + 13) % 26 + b'A',
        _ => byte,
    }
}

fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.chunks_exact(2)
        .map(|pair| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok())
        .collect()
}

/// Decodes base64 of either alphabet, with line breaks, with or without
/// filling.
pub(crate) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    // Most texts are none, and are known by their first characters.
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_=\r\n".contains(byte);
    if !text.iter().take(PROBE).all(is_digit) {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut buffer, mut bits) = (0_u32, 0);
    let mut filling = 0;
    for &byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                filling += 1;
                continue;
            }
            b'\n' | b'\r' => continue,
            _ => return None,
        };
        if filling > 0 {
            return None;
        }
        buffer = buffer << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((buffer >> bits & 0xff) as u8);
        }
    }
    (filling <= 2 && bits < 6).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revealed(text: &[u8]) -> Option<(String, &'static str)> {
        reveal(text).map(|(text, disguise)| (text, disguise.as_str()))
    }

    /// Guards each way to hide an address.
    #[test]
    fn every_disguise() {
        let address = "https://drop.example.invalid/a";
        let encoded = "aHR0cHM6Ly9kcm9wLmV4YW1wbGUuaW52YWxpZC9h";
        let hexadecimal: String = address.bytes().map(|byte| format!("{byte:02x}")).collect();
        let reversed: String = address.chars().rev().collect();
        let rotated: Vec<u8> = address.bytes().map(rot13).collect();
        let twice: String = encoded.bytes().map(|byte| format!("{byte:02X}")).collect();
        for (text, disguise) in [
            (encoded.as_bytes(), Disguise::Base64),
            (hexadecimal.as_bytes(), Disguise::Hex),
            (reversed.as_bytes(), Disguise::Reversed),
            (&rotated, Disguise::Rot13),
            (twice.as_bytes(), Disguise::Layers),
        ] {
            assert_eq!(
                revealed(text),
                Some((address.to_owned(), disguise.as_str()))
            );
        }
        for key in [&b"K"[..], b"key", b"longkey!"] {
            let hidden: Vec<u8> = address
                .bytes()
                .zip(key.iter().cycle())
                .map(|(byte, key)| byte ^ key)
                .collect();
            let found = reveal_bytes(&hidden).map(|(text, _)| text);
            assert_eq!(found.as_deref(), Some(address), "{key:?}");
        }
    }

    /// Guards that ordinary words and digests are left alone.
    #[test]
    fn ordinary_text() {
        for text in [
            "application/octet-stream",
            "abcdefghijklmnop",
            "e3b0c44298fc1c149afbf4c8996fb924",
            "https://example.invalid/",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        ] {
            assert_eq!(revealed(text.as_bytes()), None, "{text}");
        }
    }
}
