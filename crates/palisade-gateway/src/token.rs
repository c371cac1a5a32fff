//! Tokens: how they look, and what is kept of them.

use palisade_archive::checksum;
use secrecy::{ExposeSecret, SecretString};

/// What every token begins with, so that scanners of leaked secrets know it.
pub const PREFIX: &str = "palisade_";

/// Random characters of a token; 62 symbols each, more than 256 bits in all.
const RANDOM: usize = 43;
/// Characters that tell a token from a text that only looks like one.
const CHECK: usize = 6;

/// The length of a token's text.
pub(crate) const LENGTH: usize = PREFIX.len() + RANDOM + CHECK;

const SYMBOLS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The text of a token. It is shown once and never printed by accident.
#[derive(Clone, Debug)]
pub struct Secret(SecretString);

impl Secret {
    /// A new token from the system's randomness.
    ///
    /// # Errors
    /// The system has none.
    pub fn generate() -> Result<Secret, getrandom::Error> {
        let mut text = String::with_capacity(LENGTH);
        text.push_str(PREFIX);
        let mut bytes = [0; 64];
        while text.len() < PREFIX.len() + RANDOM {
            getrandom::fill(&mut bytes)?;
            for byte in bytes {
                // Beyond the last multiple of 62, the first symbols would be
                // more frequent.
                if usize::from(byte) < 256 - 256 % 62 && text.len() < PREFIX.len() + RANDOM {
                    text.push(char::from(SYMBOLS[usize::from(byte) % 62]));
                }
            }
        }
        let check = check(&text);
        text.push_str(&check);
        Ok(Secret(SecretString::from(text)))
    }

    /// A token from what a client sent: raw, as cargo does, or with the scheme
    /// `Bearer`. `None` when it cannot be one of ours, which is known without
    /// asking the database.
    pub fn from_header(value: &str) -> Option<Secret> {
        let text = match value.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            Some(_) => return None,
            None => value,
        };
        is_token(text).then(|| Secret(SecretString::from(text.to_owned())))
    }

    /// What is kept: the SHA-256 of the text, in hexadecimal digits. The text
    /// is random enough that nothing slower is needed.
    pub fn hash(&self) -> String {
        checksum(self.0.expose_secret().as_bytes()).to_string()
    }

    /// The text, to show it to whom it belongs.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Whether a text is a token of ours, in force or not. Scanners of archives
/// ask this before the hash is looked up.
pub fn is_token(text: &str) -> bool {
    text.len() == LENGTH
        && text.is_ascii()
        && text.starts_with(PREFIX)
        && text[LENGTH - CHECK..] == check(&text[..LENGTH - CHECK])
}

/// A text for a log: what begins like a token of ours is left out, whether it
/// is one or not.
pub(crate) fn without_tokens(text: &str) -> String {
    let mut parts = text.split(PREFIX);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
        shown.push_str(PREFIX);
        shown.push_str("[left out]");
        shown.push_str(rest);
    }
    shown
}

fn check(text: &str) -> String {
    let mut sum = checksum(text.as_bytes()).to_string();
    sum.truncate(CHECK);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the form: what is given out is recognised, what is mistyped is
    /// not, and a log shows nothing.
    #[test]
    fn tokens_are_recognised() {
        let secret = Secret::generate().unwrap();
        let text = secret.expose();
        assert!(is_token(text) && text.len() == 58);
        assert_eq!(Secret::from_header(text).unwrap().hash(), secret.hash());
        let bearer = format!("Bearer {text}");
        assert_eq!(Secret::from_header(&bearer).unwrap().hash(), secret.hash());
        let other = if text.ends_with('0') { "1" } else { "0" };
        let mistyped = format!("{}{other}", &text[..text.len() - 1]);
        assert!(!is_token(&mistyped) && Secret::from_header("Basic abc").is_none());
        assert!(!format!("{secret:?}").contains(&text[PREFIX.len()..]));
        assert_ne!(Secret::generate().unwrap().expose(), text);
    }
}
