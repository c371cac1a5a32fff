//! How much of a package is looked at.

/// Bounds on one package. What lies beyond them is a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What is read of an archive or a directory.
    pub archive: palisade_archive::Limits,
    /// The largest Rust file that is analysed, in bytes. Of a thousand popular
    /// crates the largest had 13 MB, and was generated.
    pub source_bytes: u64,
    /// The largest other file that is searched for secrets, in bytes.
    pub text_bytes: u64,
    /// The most findings of one detector that are kept.
    pub findings: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            archive: palisade_archive::Limits::default(),
            source_bytes: 16 << 20,
            text_bytes: 16 << 20,
            findings: 50,
        }
    }
}
