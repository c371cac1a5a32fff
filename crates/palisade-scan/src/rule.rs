//! What a detector says about itself.

use crate::{Category, Confidence, Severity};

/// How settled a detector is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// New: its findings may still change.
    Preview,
    /// Its id and its meaning stay.
    Stable,
}

impl Lifecycle {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Lifecycle::Preview => "preview",
            Lifecycle::Stable => "stable",
        }
    }
}

/// A detector's identity and documentation.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The stable name, as in *allow `build-time-network`*.
    pub id: &'static str,
    /// What it is about.
    pub category: Category,
    /// The most severe of its findings.
    pub severity: Severity,
    /// How sure it usually is.
    pub confidence: Confidence,
    /// How settled it is.
    pub lifecycle: Lifecycle,
    /// The documentation, in Markdown: what it does, why that is bad, an
    /// example, how to fix it.
    pub documentation: &'static str,
}

impl Rule {
    /// The first sentence of the documentation.
    pub fn summary(&self) -> &'static str {
        self.documentation
            .trim()
            .split("\n\n")
            .next()
            .unwrap_or_default()
    }
}

/// Defines a detector: its documentation is what users read.
macro_rules! detector {
    ($(#[doc = $doc:literal])+ $name:ident $id:literal $category:ident $severity:ident $confidence:ident $lifecycle:ident) => {
        // The examples in the documentation are malware in small: they are for
        // reading, and no test compiles them.
        #[doc = concat!("The detector `", $id, "`.")]
        pub(crate) struct $name;

        impl $name {
            pub(crate) const RULE: $crate::Rule = $crate::Rule {
                id: $id,
                category: $crate::Category::$category,
                severity: $crate::Severity::$severity,
                confidence: $crate::Confidence::$confidence,
                lifecycle: $crate::Lifecycle::$lifecycle,
                documentation: concat!($($doc, "\n"),+),
            };
        }
    };
}

pub(crate) use detector;
