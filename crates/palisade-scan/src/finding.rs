//! What a scan finds.

use palisade_archive::visible;
use serde::{Deserialize, Serialize};

use crate::facts::Scope;

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

/// How code is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Where it begins: `the build script`, `a public function`, `what runs
    /// before `main``.
    pub from: String,
    /// The functions from there to the code, by their names.
    pub chain: Vec<String>,
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
    /// From where that code is reached, as far as names tell; `None` where
    /// nothing seems to lead there, and for findings about something else
    /// than functions.
    pub reached: Option<Reach>,
    /// Why `palisade.toml` lets it pass; `None` when it does not.
    pub suppressed: Option<String>,
}

impl Confidence {
    /// One step surer.
    fn raised(self) -> Confidence {
        match self {
            Confidence::Low => Confidence::Medium,
            Confidence::Medium | Confidence::High => Confidence::High,
        }
    }

    /// One step less sure.
    fn lowered(self) -> Confidence {
        match self {
            Confidence::High => Confidence::Medium,
            Confidence::Medium | Confidence::Low => Confidence::Low,
        }
    }
}

impl Finding {
    /// Says how the code is reached. What runs without being asked for is
    /// surer to do harm; what nothing leads to may be a leftover, but calls
    /// are guessed from names, so it stays as severe.
    pub(crate) fn reached_as(&mut self, scope: &Scope<'_>) {
        self.confidence = match &scope.reached {
            Some(reached) if reached.entry.is_unasked() => self.confidence.raised(),
            Some(_) => self.confidence,
            None => self.confidence.lowered(),
        };
        self.reached = scope.reached.as_ref().map(|reached| Reach {
            from: reached.entry.as_str().to_owned(),
            chain: reached.chain.iter().map(|name| visible(name)).collect(),
        });
    }

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
