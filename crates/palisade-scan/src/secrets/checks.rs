//! What tokens prove by themselves.

use super::Proof;
use crate::source::base64;

/// The checksum of zip, gzip and PNG.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            let carry = crc & 1;
            crc >>= 1;
            if carry == 1 {
                crc ^= 0xedb8_8320;
            }
        }
    }
    !crc
}

/// A number in 62 digits, as tokens of GitHub and npm end: six digits, filled
/// with zeros.
pub(super) fn base62(mut number: u32) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    digits.iter().map(|&digit| char::from(digit)).collect()
}

/// A token whose last six characters are the checksum of the others, its
/// prefix left out. A wrong one may be an old format, so that it proves
/// nothing.
pub(super) fn crc_suffix(token: &str) -> Proof {
    let Some((_, body)) = token.rsplit_once('_') else {
        return Proof::None;
    };
    let Some(cut) = body.len().checked_sub(6) else {
        return Proof::None;
    };
    if base62(crc32(&body.as_bytes()[..cut])) == body[cut..] {
        Proof::Right
    } else {
        weak(body)
    }
}

/// A random token has many different characters; a pattern of the keyboard or
/// a repetition has few.
pub(super) fn weak(body: &str) -> Proof {
    let mut bytes: Vec<u8> = body.bytes().collect();
    bytes.sort_unstable();
    bytes.dedup();
    if bytes.len() < body.len().min(30) / 3 {
        Proof::Wrong
    } else {
        Proof::None
    }
}

/// A random token without a checksum.
pub(super) fn random(token: &str) -> Proof {
    let body = token.trim_start_matches(|c: char| c.is_ascii_lowercase());
    weak(body.trim_start_matches(['_', '-', '.', ':']))
}

/// JSON Web Tokens and macaroons begin with something that can be read.
pub(super) fn json_header(token: &str) -> Proof {
    let header = token.split('.').next().unwrap_or_default();
    let decoded = base64(header.as_bytes()).unwrap_or_default();
    match serde_json::from_slice::<serde_json::Value>(&decoded) {
        Ok(value) if value.get("alg").is_some() => Proof::Right,
        _ => Proof::Wrong,
    }
}

/// A key in PEM: its body is base64, and what it holds begins as keys do.
pub(super) fn private_key(text: &str) -> Proof {
    // In JSON and in code, line breaks are written as escapes.
    let text = text.replace("\\n", "\n").replace("\\r", "");
    let body: String = text
        .splitn(3, "-----")
        .nth(2)
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.contains(':'))
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace() && !matches!(c, '\\' | '"' | '\'' | ',' | ';'))
        .take_while(|c| *c != '-')
        .collect();
    // The end may lie beyond the window, in the middle of four characters.
    let whole = &body[..body.len() / 4 * 4];
    if whole.len() < 40 {
        return Proof::Wrong;
    }
    match base64(whole.as_bytes()) {
        Some(key) if key.starts_with(b"openssh-key-v1\0") || key.starts_with(&[0x30]) => {
            Proof::Right
        }
        // It is encrypted, or of a kind that is not known.
        Some(_) => Proof::None,
        None => Proof::Wrong,
    }
}

/// Access keys of AWS hold their account in base 32.
pub(super) fn aws_key(token: &str) -> Proof {
    let body = &token[4..];
    let base32 = body
        .bytes()
        .all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'));
    match weak(body) {
        Proof::Wrong => Proof::Wrong,
        _ if base32 => Proof::Right,
        _ => Proof::Wrong,
    }
}

/// The first part of a token of a Discord bot is its number in base64.
pub(super) fn discord_bot(token: &str) -> Proof {
    let number = token.split('.').next().unwrap_or_default();
    match base64(number.as_bytes()) {
        Some(digits) if digits.len() >= 17 && digits.iter().all(u8::is_ascii_digit) => Proof::Right,
        _ => Proof::Wrong,
    }
}

/// Bech32, without its variants: the checksum of keys of age.
pub(super) fn bech32(token: &str) -> Proof {
    const CHARACTERS: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let lower = token.to_ascii_lowercase();
    let Some((prefix, data)) = lower.rsplit_once('1') else {
        return Proof::Wrong;
    };
    let mut values: Vec<u32> = prefix.bytes().map(|byte| u32::from(byte) >> 5).collect();
    values.push(0);
    values.extend(prefix.bytes().map(|byte| u32::from(byte) & 31));
    for c in data.chars() {
        match CHARACTERS.find(c).map(u32::try_from) {
            Some(Ok(value)) => values.push(value),
            _ => return Proof::Wrong,
        }
    }
    const GENERATORS: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    let mut sum = 1_u32;
    for value in values {
        let top = sum >> 25;
        sum = (sum & 0x01ff_ffff) << 5 ^ value;
        for (bit, generator) in GENERATORS.iter().enumerate() {
            if top >> bit & 1 == 1 {
                sum ^= generator;
            }
        }
    }
    if sum == 1 { Proof::Right } else { Proof::Wrong }
}

/// Texts that stand where a secret would.
pub(super) fn is_placeholder(token: &str) -> bool {
    const WORDS: &[&str] = &[
        "example",
        "placeholder",
        "xxxx",
        "your",
        "redacted",
        "changeme",
        "dummy",
        "fake",
        "secret_here",
        "token_here",
        "0000000000",
        "1111111111",
        "abcdefgh",
        "12345678",
        "****",
        "aaaaaaaa",
        "insert",
        "sample",
        "deadbeef",
        "deedbeef",
        "testtest",
        "<",
        "${",
        "{{",
        "....",
    ];
    let lower = token.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the checksums against known values.
    #[test]
    fn checksums() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(base62(0), "000000");
        assert_eq!(base62(61), "00000z");
        assert_eq!(base62(u32::MAX), "4gfFC3");
        // From the specification of bech32.
        assert_eq!(bech32("A12UEL5L"), Proof::Right);
        assert_eq!(bech32("A12UEL5M"), Proof::Wrong);
    }

    /// Guards that what nobody would use is left out.
    #[test]
    fn placeholders() {
        assert!(is_placeholder("AKIAIOSFODNN7EXAMPLE"));
        assert!(is_placeholder("ghp_xxxxxxxxxxxxxxxxxxxx"));
        assert_eq!(weak("abababababababababab"), Proof::Wrong);
    }
}
