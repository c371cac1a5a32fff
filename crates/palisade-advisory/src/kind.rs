//! What an advisory is about.

use palisade_model::Kind;

/// Decides what an advisory is about, the gravest first.
///
/// An advisory reports a **malicious** crate when
/// - `malicious` is among its categories, or
/// - its title, in lower case and without backticks, contains both
///   `removed from crates.io` and `malicious` (some advisories about removed
///   crates carry no category), or begins with `malicious crate `.
///
/// The word alone does not suffice ("stack overflow when parsing malicious
/// packets"), nor does `expect-deleted`, which crates deleted for other
/// reasons carry as well.
///
/// Otherwise `informational` decides; a kind of information that is not known
/// counts as a notice, and its absence means a vulnerability.
pub(crate) fn classify(categories: &[String], title: &str, informational: Option<&str>) -> Kind {
    if categories.iter().any(|category| category == "malicious") || is_malicious_title(title) {
        return Kind::Malicious;
    }
    match informational {
        None => Kind::Vulnerability,
        Some("unsound") => Kind::Unsound,
        Some("unmaintained") => Kind::Unmaintained,
        Some(_) => Kind::Notice,
    }
}

fn is_malicious_title(title: &str) -> bool {
    let title = title.replace('`', "").to_lowercase();
    (title.contains("removed from crates.io") && title.contains("malicious"))
        || title.starts_with("malicious crate ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards both directions of the rule about titles, and the precedence.
    #[test]
    fn kinds() {
        let none: &[String] = &[];
        let category = &["malicious".to_owned()];
        let removed = "`arone` was removed from crates.io due to malicious code";
        let affiliated = "`x` was removed from crates.io due to affiliation with malicious code";
        assert_eq!(classify(none, removed, None), Kind::Malicious);
        assert_eq!(classify(none, affiliated, None), Kind::Malicious);
        assert_eq!(classify(none, "malicious crate `x`", None), Kind::Malicious);
        assert_eq!(
            classify(category, "anything", Some("unsound")),
            Kind::Malicious
        );
        for innocent in [
            "Stack overflow when parsing malicious packet",
            "Malicious input could cause uninitialized memory to be exposed",
            "`x` was removed from crates.io at its author's request",
        ] {
            assert_eq!(
                classify(none, innocent, None),
                Kind::Vulnerability,
                "{innocent}"
            );
        }
        assert_eq!(classify(none, "t", Some("unsound")), Kind::Unsound);
        assert_eq!(
            classify(none, "t", Some("unmaintained")),
            Kind::Unmaintained
        );
        assert_eq!(classify(none, "t", Some("notice")), Kind::Notice);
        assert_eq!(classify(none, "t", Some("something new")), Kind::Notice);
    }
}
