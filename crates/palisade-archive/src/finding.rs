//! What is wrong or unusual about an archive.

use std::fmt;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Worth knowing; nothing is ambiguous and nothing is missing.
    Note,
    /// Something was not read, so that an analysis is not complete.
    Limit,
    /// Registries refuse it today. Older versions may have it.
    Forbidden,
    /// Two readers could see two different things.
    Ambiguous,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident $code:literal $class:ident $message:literal,)+) => {
        /// What a finding is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum FindingKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl FindingKind {
            /// Every kind, in the order of their declaration.
            pub const ALL: &[FindingKind] = &[$(FindingKind::$kind,)+];

            /// The stable name that every output format uses.
            pub fn code(self) -> &'static str {
                match self { $(FindingKind::$kind => $code,)+ }
            }

            /// How much it matters.
            pub fn class(self) -> Class {
                match self { $(FindingKind::$kind => Class::$class,)+ }
            }

            /// What it means, in a few words without a full stop.
            pub fn message(self) -> &'static str {
                match self { $(FindingKind::$kind => $message,)+ }
            }
        }
    };
}

kinds! {
    /// A second compressed member follows: cargo reads the first alone, other
    /// readers all of them.
    SecondMember "second-gzip-member" Ambiguous "another compressed member follows, which cargo does not read",
    /// Bytes follow the compressed data.
    TrailingBytes "trailing-bytes" Ambiguous "bytes follow the compressed data",
    /// The checksum or length at the end of the compressed data is wrong.
    /// cargo stops before it and does not notice.
    WrongTrailer "wrong-gzip-trailer" Ambiguous "the checksum or length behind the compressed data is wrong",
    /// The compressed data breaks off behind the last entry.
    CutTrailer "cut-gzip-trailer" Ambiguous "the compressed data breaks off behind the last entry",
    /// The compressed data's header has a comment or an extra field.
    GzipExtras "gzip-extras" Note "the compression header carries extra fields",
    /// Unpacked, it is many times larger than packed.
    Ratio "compression-ratio" Forbidden "it grows unusually much when unpacked",
    /// It was not unpacked to its end.
    UnpackedLimit "unpacked-limit" Limit "it was not unpacked to its end",
    /// Entries behind the limit were not read.
    EntryLimit "entry-limit" Limit "it has more entries than are read",
    /// One file is larger than what is kept.
    FileLimit "file-limit" Limit "the file is larger than what is kept",
    /// A path is longer or deeper than what is kept.
    PathLimit "path-limit" Limit "the path is longer or deeper than what is kept",
    /// A file or directory could not be read.
    Unreadable "unreadable" Limit "it cannot be read",
    /// More was found than is listed.
    FindingLimit "finding-limit" Note "more was found than is listed",
    /// Data that is not zero follows the mark of the end.
    DataAfterEnd "data-after-end" Ambiguous "data follows the archive's end mark",
    /// The archive has no end mark.
    NoEndMark "no-end-mark" Note "the archive's end mark is missing",
    /// The bytes that fill up a block are not zero.
    Padding "padding" Ambiguous "the filling behind a file is not empty",
    /// A number in a header is not written as the format says.
    OddNumber "odd-number" Ambiguous "a number in the header can be read in several ways",
    /// The size in the PAX record is not the one in the header.
    SizeDisagrees "size-disagrees" Ambiguous "the extension and the header disagree on the size",
    /// The long name is not what the header's name begins with.
    NameDisagrees "name-disagrees" Ambiguous "the extension and the header disagree on the name",
    /// A PAX record is malformed or occurs twice.
    OddRecord "odd-record" Ambiguous "an extension record is malformed or occurs twice",
    /// A PAX header for all entries that follow.
    GlobalRecord "global-record" Ambiguous "an extension applies to all entries that follow, which cargo ignores",
    /// An entry that is neither file nor directory carries data.
    SizedEntry "sized-entry" Ambiguous "an entry that has no contents carries data",
    /// Our parser and cargo's see different entries.
    ParsersDisagree "parsers-disagree" Ambiguous "two parsers see different entries",
    /// A file of the same path came before. cargo keeps the last.
    Duplicate "duplicate-entry" Ambiguous "another entry has the same path; the last one counts",
    /// Two paths are one on file systems that ignore case or normalise.
    Collision "path-collision" Ambiguous "another path is the same on some file systems",
    /// A path is both a file and a directory.
    FileAndDirectory "file-and-directory" Ambiguous "a file has the path of a directory",
    /// A regular file whose name ends as a directory's.
    TrailingSlash "trailing-slash" Ambiguous "the file is named like a directory",
    /// The path has empty components or single dots.
    Unnormalised "unnormalised-path" Ambiguous "the path has empty or `.` components",
    /// A symbolic link; not followed.
    Symlink "symbolic-link" Forbidden "it is a symbolic link, which is not followed",
    /// A hard link; not followed.
    HardLink "hard-link" Forbidden "it is a hard link, which is not followed",
    /// A device, a pipe or a socket.
    Device "device" Forbidden "it is a device, a pipe or a socket",
    /// A sparse file; its contents are not read.
    Sparse "sparse-file" Forbidden "it is a sparse file, which is not read",
    /// An entry of a type that is not known.
    UnknownType "unknown-type" Forbidden "it has an unknown type",
    /// The path begins at the root or with a drive.
    Absolute "absolute-path" Forbidden "the path is absolute",
    /// The path has `..` components.
    ParentComponent "parent-component" Forbidden "the path leads upwards",
    /// The path is not below the `name-version` directory.
    OutsidePrefix "outside-prefix" Forbidden "the path is not below the crate's directory",
    /// The path is empty.
    NoPath "no-path" Forbidden "the entry has no path",
    /// The path holds a backslash, which is a separator on Windows.
    Backslash "backslash" Ambiguous "the path holds a backslash, which separates on Windows",
    /// The path is not UTF-8.
    NotUtf8 "path-not-utf8" Forbidden "the path is not UTF-8",
    /// The path holds control characters.
    Control "control-character" Forbidden "the path holds control characters",
    /// The path holds characters that reorder text or cannot be seen.
    Invisible "invisible-character" Forbidden "the path holds invisible or reordering characters",
    /// The path cannot exist on Windows, or is another one there.
    NotPortable "not-portable" Note "the path cannot exist on Windows",
    /// cargo's own marker file. cargo skips it.
    CargoOk "cargo-ok" Forbidden "it is cargo's own marker, which no archive should hold",
    /// There is no manifest at the top.
    NoManifest "no-manifest" Forbidden "there is no Cargo.toml at the top",
    /// The manifest is not spelled `Cargo.toml`.
    MiscasedManifest "miscased-manifest" Forbidden "the manifest is not spelled Cargo.toml",
    /// The manifest says that cargo generated it, but the original is missing,
    /// or the reverse.
    OriginalManifest "original-manifest" Note "Cargo.toml and Cargo.toml.orig do not fit together",
}

impl FindingKind {
    /// Whether a strict reader refuses the archive because of it.
    pub fn is_refused(self) -> bool {
        self.class() > Class::Note
    }
}

/// Something wrong or unusual, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What it is about.
    pub kind: FindingKind,
    /// The path that it concerns, as it may be shown: hostile characters are
    /// escaped. Empty when it concerns the whole.
    pub path: String,
    /// What exactly, where that helps: both values of a disagreement.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "`{}`: ", self.path)?;
        }
        f.write_str(self.kind.message())?;
        if !self.detail.is_empty() {
            write!(f, " ({})", self.detail)?;
        }
        Ok(())
    }
}

/// Findings as they are collected, no more of each class than a limit: a
/// flood of harmless ones must not hide the others.
#[derive(Clone, Debug)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    limit: usize,
    seen: [usize; 4],
}

impl Findings {
    pub(crate) fn new(limit: usize) -> Findings {
        Findings {
            list: Vec::new(),
            limit,
            seen: [0; 4],
        }
    }

    pub(crate) fn add(
        &mut self,
        kind: FindingKind,
        path: impl AsRef<str>,
        detail: impl Into<String>,
    ) {
        let seen = &mut self.seen[kind.class() as usize];
        *seen += 1;
        if *seen <= self.limit {
            self.list.push(Finding {
                kind,
                path: path.as_ref().to_owned(),
                detail: detail.into(),
            });
        }
    }

    pub(crate) fn is_incomplete(&self) -> bool {
        self.seen[Class::Limit as usize] > 0
    }

    /// Whether a strict reader refuses the archive.
    pub(crate) fn is_refused(&self) -> bool {
        self.seen[Class::Note as usize + 1..]
            .iter()
            .any(|&seen| seen > 0)
    }

    /// The list, most serious first, otherwise in the order of discovery.
    pub(crate) fn finish(mut self) -> Vec<Finding> {
        self.list
            .sort_by_key(|finding| std::cmp::Reverse(finding.kind.class()));
        let more: usize = self.seen.iter().sum::<usize>() - self.list.len();
        if more > 0 {
            self.list.push(Finding {
                kind: FindingKind::FindingLimit,
                path: String::new(),
                detail: format!("{more} more"),
            });
        }
        self.list
    }
}
