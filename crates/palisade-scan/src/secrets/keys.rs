//! Private keys and passwords.

use super::{Proof, SecretRule, checks, secret};

/// The families, in the order of the documentation.
pub(super) const RULES: &[SecretRule] = &[
    secret! {
        /// A private key.
        "secret-private-key" High, anchors: &["-----BEGIN "], before: 0, length: 6000,
        pattern: r"(-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-[^-])+)",
        check: checks::private_key
    },
    secret! {
        /// A secret key of age.
        "secret-age-key" Critical, anchors: &["AGE-SECRET-KEY-1"], before: 0, length: 74,
        pattern: r"(AGE-SECRET-KEY-1[0-9A-Z]{58})(?:$|[^0-9A-Z])",
        check: checks::bech32
    },
    secret! {
        /// A JSON Web Token.
        "secret-json-web-token" Low, anchors: &["eyJ"], before: 0, length: 2000,
        pattern: r"(?:^|[^A-Za-z0-9_.-])(eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,})(?:$|[^A-Za-z0-9_.-])",
        check: checks::json_header
    },
    secret! {
        /// A password of a database.
        "secret-database-password" Medium, anchors: &["postgres://", "postgresql://", "mysql://", "mongodb://", "mongodb+srv://", "redis://", "amqp://"], before: 0, length: 160,
        pattern: r#"(?:postgres(?:ql)?|mysql|mongodb(?:\+srv)?|redis|amqp)://[A-Za-z0-9_.-]{1,40}:([^\s:/@"\x27<>{}$]{8,80})@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"#,
        check: database
    },
];

/// A password that somebody would use.
fn database(password: &str) -> Proof {
    let lower = password.to_ascii_lowercase();
    let usual = [
        "password",
        "postgres",
        "secret",
        "mysecretpassword",
        "passw0rd",
        "hunter2",
        "pass",
    ];
    if usual.iter().any(|usual| lower.contains(usual))
        || !password.bytes().any(|byte| byte.is_ascii_digit())
    {
        Proof::Wrong
    } else {
        Proof::None
    }
}
