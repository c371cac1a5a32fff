//! What a scan finds.

use serde::{Deserialize, Serialize};

macro_rules! ordered_words {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $word_doc:literal])+ $word:ident $text:literal,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name {
            $($(#[doc = $word_doc])+ $word,)+
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[$name] = &[$($name::$word,)+];

            /// The stable word that every format uses.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$word => $text,)+ }
            }

            /// The one with this word.
            pub fn parse(text: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }
    };
}

ordered_words! {
    /// What a finding is about.
    Category {
        /// It behaves as malware does.
        Malice "malice",
        /// It ships a secret.
        Secret "secret",
        /// Its name or its numbers imitate another crate.
        Name "name",
        /// It does not come from where it says.
        Provenance "provenance",
        /// It depends on something bad.
        Dependency "dependency",
        /// It could be kept better, or could not be scanned as a whole.
        Hygiene "hygiene",
    }
}

ordered_words! {
    /// How bad it is if it is true.
    Severity {
        /// Worth knowing in a review.
        Low "low",
        /// Worth a look by itself.
        Medium "medium",
        /// To be looked at before anybody builds it.
        High "high",
        /// Not to be built at all.
        Critical "critical",
    }
}

ordered_words! {
    /// How sure it is.
    Confidence {
        /// Honest crates have it as well.
        Low "low",
        /// Honest crates seldom have it.
        Medium "medium",
        /// Hardly anything honest has it.
        High "high",
    }
}

/// A place that a reviewer should look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The file, relative to the package.
    pub file: String,
    /// The line, counted from 1; 0 for the file as a whole.
    pub line: u32,
    /// What is there.
    pub label: String,
    /// The line's text, without its indentation and without characters that
    /// could steer a terminal; empty where there is none to show.
    pub text: String,
    /// Where in `text` it is, in characters.
    pub columns: (u32, u32),
}

/// Something that a reviewer should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The detector's id.
    pub detector: String,
    /// What it is about.
    pub category: Category,
    /// How bad it is if it is true.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// What was found, in one sentence without a full stop.
    pub message: String,
    /// The evidence, the most telling place first. Empty when it concerns the
    /// package as a whole.
    pub places: Vec<Place>,
    /// Why `palisade.toml` lets it pass; `None` when it does not.
    pub suppressed: Option<String>,
}

impl Finding {
    /// The file of the most telling place.
    pub fn file(&self) -> Option<&str> {
        self.places.first().map(|place| place.file.as_str())
    }

    /// The line of the most telling place.
    pub fn line(&self) -> Option<u32> {
        self.places
            .first()
            .map(|place| place.line)
            .filter(|&line| line > 0)
    }
}
