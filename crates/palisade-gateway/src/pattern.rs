//! Patterns of crate names, as tokens and lists use them.

use std::fmt;

use palisade_index::is_crate_name;
use serde::{Deserialize, Serialize};

/// A name, the beginning of names (`acme-*`), or every name (`*`).
///
/// As on crates.io, case counts, and `-` and `_` differ: a pattern means what
/// it says, and a name that is spelled otherwise than the crate is refused
/// elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(String);

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a crate's name, nor the beginning of one with `*` behind it, nor `*`")]
pub struct PatternError(String);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Pattern, PatternError> {
        let name = text.strip_suffix('*').unwrap_or(text);
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if text == "*" || (begins && is_crate_name(name)) {
            Ok(Pattern(text.to_owned()))
        } else {
            Err(PatternError(text.escape_debug().to_string()))
        }
    }

    /// Whether it means this name.
    pub fn matches(&self, name: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => self.0 == name,
        }
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Pattern, PatternError> {
        Pattern::parse(&text)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> String {
        pattern.0
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    /// Guards the meaning that users know from crates.io.
    #[test]
    fn patterns_mean_what_crates_io_means() {
        let matches = |pattern: &str, name: &str| Pattern::parse(pattern).unwrap().matches(name);
        assert!(matches("*", "anything"));
        assert!(matches("foo-*", "foo-bar") && matches("foo*", "foo"));
        assert!(
            !matches("foo-*", "foo_bar") && !matches("foo", "Foo") && !matches("foo", "foobar")
        );
        for bad in [
            "", "**", "f*o", "*-foo", "-foo", "1foo", "foo bar", "é", "foo**",
        ] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }
}
