//! How much of an archive or a directory is read.

/// Bounds on one archive or directory. One that is hit is a
/// [`Finding`](crate::Finding), or an error where nothing could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes that a `.crate` file may have. Registries accept 10 MB
    /// and grant exceptions.
    pub compressed_bytes: u64,
    /// The most bytes that are unpacked, headers and padding included; a
    /// directory's files may have as many together. cargo stops there too.
    pub unpacked_bytes: u64,
    /// The most unpacked bytes for each compressed one that are still usual.
    /// A higher ratio is reported, but read. Of a thousand popular crates the
    /// highest was 21.
    pub ratio: u64,
    /// The most entries, of whatever type.
    pub entries: usize,
    /// The most bytes of one file that are kept.
    pub file_bytes: u64,
    /// The most bytes that a path may have, below the top directory.
    pub path_bytes: usize,
    /// The most components that a path may have, below the top directory.
    pub path_depth: usize,
    /// The most bytes of one extension header: a long name, PAX records.
    pub extension_bytes: u64,
    /// The most findings of each class that are kept; others are counted.
    pub findings: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            compressed_bytes: 128 << 20,
            unpacked_bytes: 512 << 20,
            ratio: 100,
            entries: 100_000,
            file_bytes: 64 << 20,
            path_bytes: 1024,
            path_depth: 64,
            extension_bytes: 64 << 10,
            findings: 1000,
        }
    }
}
