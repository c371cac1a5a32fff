//! Fragments: what one crate version contributes to the call graph of an
//! ecosystem, in one immutable file.
//!
//! `docs/fragments.md` describes the format for readers in other languages.

mod columns;
mod decode;
mod encode;

use std::fmt;

use palisade_model::{
    BlindSpotCause,
    facts::{CrateFacts, FunctionKind},
};

pub use decode::{FormatError, ReadLimits};

/// The first bytes of every fragment.
pub const MAGIC: [u8; 4] = *b"PALF";
/// The version of the format that is written, and the only one that is read.
pub const FORMAT: u8 = 1;

/// What one crate version contributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fragment {
    /// The package's name.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Where it comes from.
    pub origin: Origin,
    /// The features that it was read with, sorted.
    pub features: Vec<String>,
    /// What made the fragment; another engine may see more.
    pub engine: String,
    /// Dependencies that were not there, as `name version` or a requirement,
    /// sorted.
    pub missing: Vec<String>,
    /// The package's crates: its library, its programs, its build script.
    pub crates: Vec<CrateFacts>,
    /// What functions can do to the world outside by themselves.
    pub capabilities: Vec<Capable>,
}

/// Where a package comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// A registry.
    #[default]
    Registry,
    /// Somebody's own source: a directory or a repository.
    Local,
    /// The standard library.
    Sysroot,
}

impl Origin {
    /// Every origin, in the order of the format.
    pub const ALL: [Origin; 3] = [Origin::Registry, Origin::Local, Origin::Sysroot];
}

/// A function that can do something to the world outside by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Capable {
    /// Which of [`Fragment::crates`].
    pub krate: u32,
    /// Which of its functions.
    pub function: u32,
    /// What it can do: the bits of [`crate::Capabilities`].
    pub capabilities: u16,
}

/// How much of a crate version was understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quality {
    /// Call sites that name a callee.
    pub resolved: u64,
    /// Call sites that do not.
    pub unresolved: u64,
    /// Lines of source.
    pub lines: u64,
    /// Functions with a body.
    pub functions: u64,
    /// Places that could not be followed.
    pub blind_spots: u64,
    /// Panics of the analysis library, a body each.
    pub panics: u64,
}

impl Quality {
    /// The share of call sites that name a callee, from 0 to 1; 1 where there
    /// are none.
    pub fn share(&self) -> f64 {
        match self.resolved + self.unresolved {
            0 => 1.0,
            all => self.resolved as f64 / all as f64,
        }
    }
}

/// The least share of call sites that must name a callee.
pub const ENOUGH: f64 = 0.97;

/// Why a fragment does not count as made.
#[derive(Clone, Debug, PartialEq)]
pub enum Shortfall {
    /// These dependencies were not there.
    Missing(Vec<String>),
    /// Too few call sites name a callee; the share of those that do.
    Unresolved(f64),
    /// No crate of the package could be read.
    Empty,
    /// This file is missing or does not parse.
    Broken(String),
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shortfall::Missing(names) => {
                write!(f, "dependencies were not there: {}", names.join(", "))
            }
            Shortfall::Unresolved(share) => write!(
                f,
                "only {:.1} % of the call sites name a callee",
                100.0 * share
            ),
            Shortfall::Broken(file) => write!(f, "`{file}` is missing or does not parse"),
            Shortfall::Empty => f.write_str("no crate of the package could be read"),
        }
    }
}

impl Fragment {
    /// The fragment as a file.
    pub fn encode(&self) -> Vec<u8> {
        encode::encode(self)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It is not a fragment of this format, is damaged, or exceeds a limit.
    pub fn decode(bytes: &[u8], limits: &ReadLimits) -> Result<Fragment, FormatError> {
        decode::decode(bytes, limits)
    }

    /// How much was understood.
    pub fn quality(&self) -> Quality {
        let mut quality = Quality::default();
        for facts in &self.crates {
            quality.lines += u64::from(facts.lines);
            quality.blind_spots += facts.blind_spots.len() as u64;
            let panics = facts.blind_spots.iter();
            quality.panics += panics
                .filter(|spot| spot.cause == BlindSpotCause::AnalysisPanic)
                .count() as u64;
            for function in &facts.functions {
                quality.functions += u64::from(function.kind == FunctionKind::Function);
                quality.resolved += function.calls.len() as u64;
                quality.unresolved += function.unresolved.len() as u64;
            }
        }
        quality
    }

    /// Why the fragment does not count as made, if it does not.
    pub fn shortfall(&self) -> Option<Shortfall> {
        if self.crates.is_empty() {
            return Some(Shortfall::Empty);
        }
        if !self.missing.is_empty() {
            return Some(Shortfall::Missing(self.missing.clone()));
        }
        let mut spots = self.crates.iter().flat_map(|facts| &facts.blind_spots);
        if let Some(broken) = spots.find(|spot| spot.cause == BlindSpotCause::BrokenSource) {
            return Some(Shortfall::Broken(broken.file.clone()));
        }
        let share = self.quality().share();
        (share < ENOUGH).then_some(Shortfall::Unresolved(share))
    }
}
