//! Passwords of local accounts, for a first start without an issuer of
//! identities.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};

/// The fewest characters.
pub const LEAST: usize = 12;

/// The most bytes: hashing longer ones would only cost time.
const MOST: usize = 1024;

/// What is kept of a password, in the PHC string format.
///
/// # Errors
/// It is too short or too long, or the system has no randomness.
pub fn hash(password: &str) -> Result<String, String> {
    if password.chars().count() < LEAST || password.len() > MOST {
        return Err(format!(
            "a password has {LEAST} characters or more, and {MOST} bytes at most"
        ));
    }
    let hash: PasswordHash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|error| format!("the password cannot be hashed: {error}"))?;
    Ok(hash.to_string())
}

/// Whether a password is the one that was kept. With nothing kept, it takes as
/// long and says no, so that nobody learns who has an account.
pub fn verify(password: &str, kept: Option<&str>) -> bool {
    /// A hash of nothing that anybody has.
    const NOTHING: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    if password.len() > MOST {
        return false;
    }
    let Ok(parsed) = PasswordHash::new(kept.unwrap_or(NOTHING)) else {
        return false;
    };
    let right = Argon2::default().verify_password(password.as_bytes(), &parsed);
    right.is_ok() && kept.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards passwords: the right one is taken, others are not, and what is
    /// kept does not contain it.
    #[test]
    fn passwords_are_kept_as_hashes() {
        let kept = hash("correct horse battery").unwrap();
        assert!(kept.starts_with("$argon2id$") && !kept.contains("horse"));
        assert!(verify("correct horse battery", Some(&kept)));
        assert!(!verify("correct horse batterz", Some(&kept)));
        assert!(!verify("correct horse battery", None));
        assert!(!verify("", Some(&kept)) && !verify("x", Some("garbage")));
        assert!(hash("short").is_err() && hash(&"x".repeat(2000)).is_err());
        assert_ne!(hash("correct horse battery").unwrap(), kept, "salted");
    }
}
