//! The second factor: codes that change every half minute (RFC 6238, with the
//! parameters that every authenticator knows: SHA-1, six digits, 30 s).

use ring::hmac;
use subtle::ConstantTimeEq as _;

/// Seconds of a step.
const STEP: i64 = 30;

/// Steps before and after the present one whose code is taken: clocks differ,
/// and people type slowly.
const SLACK: i64 = 1;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A new key, in base 32.
///
/// # Errors
/// The system has no randomness.
pub fn generate() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    // 32 characters of five bits each are the 160 bits of the hash.
    let text = bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    Ok(text.collect())
}

/// What an authenticator reads from a picture or takes as a link.
pub fn link(login: &str, registry: &str, key: &str) -> String {
    let plain = |text: &str| -> String {
        text.chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || ".-".contains(c) {
                    c
                } else {
                    '-'
                }
            })
            .collect()
    };
    let (login, registry) = (plain(login), plain(registry));
    format!("otpauth://totp/{registry}:{login}?secret={key}&issuer={registry}")
}

/// The step whose code this is; `None` when it is none of those that are taken
/// at `now`, in seconds since 1970. A step is good once: the caller remembers
/// it.
pub fn verify(key: &str, code: &str, now: i64) -> Option<i64> {
    let key = decode(key)?;
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if code.len() != 6 {
        return None;
    }
    let present = now.div_euclid(STEP);
    // Every step is compared, and every digit: the time tells nothing.
    let mut found = None;
    for step in present - SLACK..=present + SLACK {
        let right = digits(&key, step);
        if right.as_bytes().ct_eq(code.as_bytes()).into() {
            found = Some(step);
        }
    }
    found
}

/// The code of a moment, for tests and for who sets up an account.
pub fn code(key: &str, now: i64) -> Option<String> {
    Some(digits(&decode(key)?, now.div_euclid(STEP)))
}

fn digits(key: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[tag.len() - 1] & 0xf);
    let number = tag[offset..offset + 4]
        .iter()
        .fold(0_u32, |number, &byte| (number << 8) | u32::from(byte));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for symbol in text.bytes() {
        let value = ALPHABET.iter().position(|&known| known == symbol)?;
        bits = (bits << 5) | u32::try_from(value).ok()?;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the codes by the test vectors of RFC 6238, appendix B.
    #[test]
    fn codes_are_those_of_the_rfc() {
        // "12345678901234567890" in base 32.
        let key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        for (time, right) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(key, time).as_deref(), Some(right));
            assert_eq!(verify(key, right, time), Some(time / 30));
            assert_eq!(verify(key, right, time + 90), None);
        }
        let own = generate().unwrap();
        assert_eq!(decode(&own).map(|bytes| bytes.len()), Some(20));
        assert!(verify(key, "", 59).is_none() && verify("?", "287082", 59).is_none());
    }
}
