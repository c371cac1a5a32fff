//! The checksum that a registry's index gives for an archive.

use std::fmt;
use std::str::FromStr;

/// A SHA-256 checksum. Computing it is for whoever reads the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Checksum(pub [u8; 32]);

/// Why a text is not a checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChecksumError;

impl fmt::Display for ChecksumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a checksum has 64 hexadecimal digits")
    }
}

impl std::error::Error for ChecksumError {}

impl FromStr for Checksum {
    type Err = ChecksumError;

    fn from_str(text: &str) -> Result<Checksum, ChecksumError> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(ChecksumError);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16).ok_or(ChecksumError);
            let value = digit(pair[0])? << 4 | digit(pair[1])?;
            *byte = u8::try_from(value).map_err(|_| ChecksumError)?;
        }
        Ok(Checksum(bytes))
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards that what an index writes is what is read, and that nothing
    /// else passes for a checksum.
    #[test]
    fn text_round_trips_and_nonsense_is_refused() {
        let text = "0123456789abcdef".repeat(4);
        let checksum: Checksum = text.parse().unwrap();
        assert_eq!(checksum.to_string(), text);
        assert_eq!(text.to_uppercase().parse(), Ok(checksum));
        for wrong in [
            "",
            "0123",
            &"g".repeat(64),
            &"é".repeat(32),
            &"+".repeat(64),
        ] {
            assert_eq!(wrong.parse::<Checksum>(), Err(ChecksumError), "{wrong}");
        }
    }
}
