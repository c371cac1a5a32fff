//! A name that looks like another crate's.

use crate::names::look_alike;
use crate::rule::detector;
use crate::subject::{Findings, OwnerHint, Subject};
use crate::{Confidence, Finding, NameCorpus, Severity};

detector! {
    /// The name looks like the name of a much more popular crate.
    ///
    /// ## What it does
    /// Compares the name with all names of a registry (a database dump, `--dump`): letters left out,
    /// added, doubled, swapped or mistaken for others, words reordered, affixes that say nothing, digits
    /// that count on. A name counts only with evidence: the other crate is far more popular and older,
    /// belongs to somebody else, and perhaps has the same description or repository.
    ///
    /// ## Why is this bad?
    /// A mistyped dependency is built as well as any other.
    ///
    /// ## Example
    /// `envlogger` for `env_logger`, `rustdecimal` for `rust_decimal`.
    ///
    /// ## How to fix it
    /// Choose a name that says what is different.
    NameLookAlike "name-look-alike" Name High Medium Stable
}

impl NameLookAlike {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let Some(names) = subject.names else { return };
        let hint = subject.package.owner_hint();
        if let Some(found) = judge(names, &subject.package.name, hint) {
            let (severity, confidence, message) = found;
            findings.rated(&Self::RULE, severity, confidence, message, Vec::new());
        }
    }
}

fn judge(
    names: &NameCorpus,
    name: &str,
    hint: OwnerHint<'_>,
) -> Option<(Severity, Confidence, String)> {
    let found = look_alike(names, name, hint)?;
    let (severity, confidence) = match found.score {
        4.. => (Severity::High, Confidence::Medium),
        2.. => (Severity::Medium, Confidence::Medium),
        _ => (Severity::Low, Confidence::Low),
    };
    let message = format!("the name looks like {}: {}", found.target, found.evidence);
    Some((severity, confidence, message))
}

/// The id of the detector for imitated names.
pub const IMITATION: &str = NameLookAlike::RULE.id;

/// What the detector for imitated names says about a name, for whoever has the
/// names but not the package.
pub fn imitation(
    names: &NameCorpus,
    name: &str,
    description: Option<&str>,
    repository: Option<&str>,
) -> Option<Finding> {
    let hint = OwnerHint {
        description,
        repository,
    };
    let (severity, confidence, message) = judge(names, name, hint)?;
    Some(Finding {
        detector: NameLookAlike::RULE.id.to_owned(),
        category: NameLookAlike::RULE.category,
        severity,
        confidence,
        message,
        places: Vec::new(),
        reached: None,
        suppressed: None,
    })
}
