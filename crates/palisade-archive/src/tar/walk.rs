//! The strict parser. It follows cargo's in what counts, and reports whatever
//! another one could read differently.

use std::ops::Range;

use super::header::{BLOCK, Format, Header};
use super::pax::{self, Records};
use super::second;
use crate::finding::{FindingKind, Findings};
use crate::{Limits, visible};

/// One entry, its extensions applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: EntryKind,
    pub(crate) path: Vec<u8>,
    /// The target of a link.
    pub(crate) link: Vec<u8>,
    /// Where the contents lie.
    pub(crate) data: Range<usize>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File,
    Directory,
    Symlink,
    HardLink,
    Device,
    Sparse,
    /// A header for all entries that follow; cargo unpacks nothing for it.
    GlobalRecords,
    Unknown(u8),
}

/// How the walk ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// At the end mark, or where the bytes end between two entries.
    Mark,
    /// At a limit.
    Limit,
    /// In the middle of an entry, at this byte.
    Inside(usize),
    /// At a header that cannot be read: why, with its place.
    Damaged(String),
}

/// What extension headers have said about the next entry.
#[derive(Default)]
struct Pending {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    records: Option<Records>,
}

/// Reads the entries of `bytes`. `whole` says whether they are all that the
/// archive has.
pub(crate) fn walk(
    bytes: &[u8],
    whole: bool,
    limits: &Limits,
    findings: &mut Findings,
) -> (Vec<Entry>, End) {
    let mut walk = Walk {
        bytes,
        at: 0,
        entries: Vec::new(),
        limits,
        findings,
    };
    let end = walk.run(whole);
    let mut entries = walk.entries;
    if matches!(end, End::Mark | End::Limit)
        && let Some((detail, theirs)) = second::disagreement(bytes, &entries, end == End::Limit)
    {
        findings.add(FindingKind::ParsersDisagree, "", detail);
        // What cargo unpacks is what gets built.
        if let Some(theirs) = theirs {
            entries = theirs;
        }
    }
    (entries, end)
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    entries: Vec<Entry>,
    limits: &'a Limits,
    findings: &'a mut Findings,
}

impl<'a> Walk<'a> {
    fn run(&mut self, whole: bool) -> End {
        let mut pending = Pending::default();
        let mut headers = 0_usize;
        loop {
            let rest = &self.bytes[self.at..];
            if rest.is_empty() && whole && pending.is_empty() {
                self.findings.add(FindingKind::NoEndMark, "", "");
                return End::Mark;
            }
            let Some(block) = rest.first_chunk::<BLOCK>() else {
                return End::Inside(self.at);
            };
            let header = Header(block);
            if header.is_zero() {
                if !pending.is_empty() {
                    return End::Damaged(self.here("an extension describes no entry"));
                }
                let behind = &rest[BLOCK..];
                if behind.iter().any(|&byte| byte != 0) {
                    self.findings.add(
                        FindingKind::DataAfterEnd,
                        "",
                        format!("{} bytes", behind.len()),
                    );
                }
                return End::Mark;
            }
            // Extension headers count as well: nothing may be had for free.
            headers += 1;
            if headers > self.limits.entries {
                self.findings.add(
                    FindingKind::EntryLimit,
                    "",
                    format!("read {}", self.limits.entries),
                );
                return End::Limit;
            }
            if let Err(end) = self.entry(header, &mut pending) {
                return end;
            }
        }
    }

    /// Reads one header and steps over its contents.
    fn entry(&mut self, header: Header<'a>, pending: &mut Pending) -> Result<(), End> {
        if !header.checksum_is_right() {
            return Err(End::Damaged(self.here("a header's checksum is wrong")));
        }
        let Some(size) = header.size() else {
            return Err(End::Damaged(self.here("a size is no number")));
        };
        let shown = visible(&String::from_utf8_lossy(&header.path()));
        if size.odd {
            self.findings.add(FindingKind::OddNumber, &shown, "size");
        }
        // cargo's parser knows extensions by their magic alone.
        let known = header.format() != Format::Old;
        let extension = known && matches!(header.kind(), b'L' | b'K' | b'x');
        let mut length = size.value;
        if !extension
            && header.kind() != b'g'
            && let Some(said) = pending.records.as_ref().and_then(|records| records.size)
        {
            if said != length {
                let detail = format!("{said}, not {length}");
                self.findings
                    .add(FindingKind::SizeDisagrees, &shown, detail);
            }
            length = said;
        }
        self.at += BLOCK;
        if known && header.kind() == b'S' {
            self.sparse_map(header)?;
        }
        let data = self.contents(length, &shown)?;
        if extension {
            return self.extension(header.kind(), data, &shown, pending);
        }
        self.finish(header, data, &shown, std::mem::take(pending));
        Ok(())
    }

    /// Steps over the contents and the filling behind them.
    fn contents(&mut self, length: u64, shown: &str) -> Result<Range<usize>, End> {
        let start = self.at;
        let end = usize::try_from(length)
            .ok()
            .and_then(|length| start.checked_add(length));
        // cargo's parser wants the filling as well.
        let next = end.and_then(|end| end.checked_next_multiple_of(BLOCK));
        let (Some(end), Some(next)) = (end, next.filter(|&next| next <= self.bytes.len())) else {
            return Err(End::Inside(start));
        };
        if self.bytes[end..next].iter().any(|&byte| byte != 0) {
            self.findings.add(FindingKind::Padding, shown, "");
        }
        self.at = next;
        Ok(start..end)
    }

    /// Steps over the blocks that continue a sparse file's map.
    fn sparse_map(&mut self, header: Header<'a>) -> Result<(), End> {
        let mut more = header.sparse_continues();
        while more {
            let rest = &self.bytes[self.at..];
            let block = rest.first_chunk::<BLOCK>().ok_or(End::Inside(self.at))?;
            more = block[504] == 1;
            self.at += BLOCK;
        }
        Ok(())
    }

    fn extension(
        &mut self,
        kind: u8,
        data: Range<usize>,
        shown: &str,
        pending: &mut Pending,
    ) -> Result<(), End> {
        if data.len() as u64 > self.limits.extension_bytes {
            let detail = format!("an extension of {} bytes", data.len());
            self.findings.add(FindingKind::PathLimit, shown, detail);
            return Err(End::Limit);
        }
        let bytes = &self.bytes[data];
        let twice = match kind {
            b'L' => pending.name.replace(name(bytes)).is_some(),
            b'K' => pending.link.replace(name(bytes)).is_some(),
            _ => pending.records.replace(pax::parse(bytes)).is_some(),
        };
        if twice {
            return Err(End::Damaged(self.here("two extensions describe one entry")));
        }
        Ok(())
    }

    /// Adds an entry.
    fn finish(&mut self, header: Header<'a>, data: Range<usize>, shown: &str, pending: Pending) {
        let records = pending.records.unwrap_or_default();
        if let Some(odd) = records.odd {
            self.findings.add(FindingKind::OddRecord, shown, odd);
        }
        let own = header.path();
        // The long name wins over the record in cargo's parser; others let
        // the record win.
        if let (Some(long), Some(record)) = (&pending.name, &records.path)
            && long != record
        {
            self.findings
                .add(FindingKind::NameDisagrees, shown, lossy(record));
        }
        let path = pending.name.or(records.path);
        if let Some(path) = &path
            && !fits(&own, path)
        {
            self.findings.add(
                FindingKind::NameDisagrees,
                lossy(path),
                format!("`{shown}` in the header"),
            );
        }
        let path = path.unwrap_or(own);
        let link = pending
            .link
            .or(records.link)
            .unwrap_or_else(|| header.link().to_vec());
        let old = header.format() == Format::Old;
        let kind = kind_of(header.kind(), old, &path, records.sparse);
        // Some readers step over the contents of such entries, others take
        // them for the next header.
        let empty = matches!(
            kind,
            EntryKind::Directory | EntryKind::HardLink | EntryKind::Symlink | EntryKind::Device
        );
        if empty && !data.is_empty() {
            let detail = format!("{} bytes", data.len());
            self.findings
                .add(FindingKind::SizedEntry, lossy(&path), detail);
        }
        self.entries.push(Entry {
            kind,
            path,
            link,
            data,
        });
    }

    fn here(&self, what: &str) -> String {
        format!("{what} at byte {}", self.at)
    }
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.name.is_none() && self.link.is_none() && self.records.is_none()
    }
}

/// What a header's type means to cargo. `old` says that the header has no
/// magic: then a directory can be a file with a slash at its end.
pub(super) fn kind_of(kind: u8, old: bool, path: &[u8], sparse: bool) -> EntryKind {
    match kind {
        _ if sparse => EntryKind::Sparse,
        b'0' | b'\0' | b'7' if old && path.ends_with(b"/") => EntryKind::Directory,
        b'0' | b'\0' | b'7' => EntryKind::File,
        b'1' => EntryKind::HardLink,
        b'2' => EntryKind::Symlink,
        b'3' | b'4' | b'6' => EntryKind::Device,
        b'5' => EntryKind::Directory,
        b'S' => EntryKind::Sparse,
        b'g' => EntryKind::GlobalRecords,
        other => EntryKind::Unknown(other),
    }
}

/// A GNU long name; one zero ends it.
fn name(bytes: &[u8]) -> Vec<u8> {
    bytes.strip_suffix(b"\0").unwrap_or(bytes).to_vec()
}

fn lossy(path: &[u8]) -> String {
    visible(&String::from_utf8_lossy(path))
}

/// Whether a header's own name is what a writer leaves there beside a longer
/// one: its beginning, or nothing.
fn fits(own: &[u8], long: &[u8]) -> bool {
    long.starts_with(own)
}
