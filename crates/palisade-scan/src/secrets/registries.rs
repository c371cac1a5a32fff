//! Tokens of package registries.

use super::{Proof, SecretRule, checks, secret};
use crate::source::base64;

/// The families, in the order of the documentation.
pub(super) const RULES: &[SecretRule] = &[
    secret! {
        /// A token of crates.io.
        "secret-crates-io-token" Critical, anchors: &["cio"], before: 0, length: 35,
        pattern: r"(?:^|[^A-Za-z0-9_])(cio[A-Za-z0-9]{32})(?:$|[^A-Za-z0-9_])",
        check: checks::random
    },
    secret! {
        /// A token of npm.
        "secret-npm-token" Critical, anchors: &["npm_"], before: 0, length: 40,
        pattern: r"(?:^|[^A-Za-z0-9_])(npm_[A-Za-z0-9]{36})(?:$|[^A-Za-z0-9_])",
        check: checks::crc_suffix
    },
    secret! {
        /// A token of PyPI.
        "secret-pypi-token" Critical, anchors: &["pypi-AgE"], before: 0, length: 400,
        pattern: r"(pypi-AgE[IN][A-Za-z0-9_-]{60,})",
        check: proven
    },
    secret! {
        /// A key of RubyGems.
        "secret-rubygems-key" Critical, anchors: &["rubygems_"], before: 0, length: 57,
        pattern: r"(?:^|[^A-Za-z0-9_])(rubygems_[0-9a-f]{48})(?:$|[^0-9a-f])",
        check: checks::random
    },
    secret! {
        /// A token of Docker Hub.
        "secret-docker-hub-token" High, anchors: &["dckr_pat_", "dckr_oat_"], before: 0, length: 60,
        pattern: r"(dckr_[po]at_[A-Za-z0-9_-]{27,32})",
        check: checks::random
    },
    secret! {
        /// A key of NuGet.
        "secret-nuget-key" High, anchors: &["oy2"], before: 0, length: 46,
        pattern: r"(?:^|[^A-Za-z0-9])(oy2[a-z0-9]{43})(?:$|[^A-Za-z0-9])",
        check: checks::random
    },
    secret! {
        /// An upload token of a code host's package registry.
        "secret-jfrog-key" High, anchors: &["AKCp"], before: 0, length: 75,
        pattern: r"(?:^|[^A-Za-z0-9])(AKCp[A-Za-z0-9]{69})(?:$|[^A-Za-z0-9])",
        check: checks::random
    },
];

/// The body of a token of PyPI is a macaroon: base64 that begins with its
/// version and place.
fn proven(token: &str) -> Proof {
    let body = &token["pypi-".len()..];
    let whole = &body[..body.len() / 4 * 4];
    match base64(whole.as_bytes()) {
        Some(bytes) if bytes.windows(4).any(|window| window == b"pypi") => Proof::Right,
        _ => Proof::Wrong,
    }
}
