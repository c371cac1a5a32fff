//! Files mapped into memory, and numbers in them.
//!
//! A mapped file is read in place; nothing of it is decoded before it is asked
//! for, so that opening gigabytes takes a moment.

use std::fs::File;
use std::ops::Deref;

use camino::Utf8Path;
use memmap2::Mmap;

use crate::TablesError;

/// The bytes of a file.
#[derive(Debug)]
pub(crate) struct Bytes(Option<Mmap>);

impl Bytes {
    /// Maps a file.
    pub(crate) fn open(path: &Utf8Path) -> Result<Bytes, TablesError> {
        let failed = |source| TablesError::Io {
            operation: "open",
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.len() == 0 {
            return Ok(Bytes(None));
        }
        // SAFETY: a map is sound as long as nobody changes the file. Palisade
        // writes a segment's files once, below a name that no manifest lists
        // yet, and only ever unlinks them afterwards, which leaves maps alone.
        // The directory belongs to the user who asks; whoever could truncate
        // its files could as well replace the executable that reads them.
        // Every access below is bounds-checked, so that other content gives
        // wrong numbers, never wrong memory.
        #[expect(unsafe_code, reason = "the one place that maps files; see above")]
        let map = unsafe { Mmap::map(&file) }.map_err(failed)?;
        Ok(Bytes(Some(map)))
    }

    /// The `index`th little-endian number; 0 behind the end.
    pub(crate) fn u32(&self, index: usize) -> u32 {
        let bytes = index.checked_mul(4).and_then(|at| self.get(at..at + 4));
        bytes.map_or(0, le32)
    }

    /// The `index`th little-endian number; 0 behind the end.
    pub(crate) fn u64(&self, index: usize) -> u64 {
        let bytes = index.checked_mul(8).and_then(|at| self.get(at..at + 8));
        bytes.map_or(0, |bytes| {
            u64::from(le32(bytes)) | u64::from(le32(&bytes[4..])) << 32
        })
    }

    /// The `index`th pair of numbers.
    pub(crate) fn pair(&self, index: usize) -> (u32, u32) {
        (self.u32(2 * index), self.u32(2 * index + 1))
    }

    /// How many pairs there are.
    pub(crate) fn pairs(&self) -> usize {
        self.len() / 8
    }

    /// The first of the pairs that are sorted and not below `wanted`.
    pub(crate) fn lower(&self, wanted: (u32, u32)) -> usize {
        partition(0, self.pairs(), |at| self.pair(at) < wanted)
    }

    /// The second halves of the sorted pairs that begin with `first`.
    pub(crate) fn seconds(&self, first: u32) -> impl Iterator<Item = u32> + '_ {
        (self.lower((first, 0))..self.pairs())
            .map(|at| self.pair(at))
            .take_while(move |pair| pair.0 == first)
            .map(|pair| pair.1)
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

/// The first place from `low` to `high` where `before` no longer holds.
pub(crate) fn partition(mut low: usize, mut high: usize, before: impl Fn(usize) -> bool) -> usize {
    while low < high {
        let middle = low + (high - low) / 2;
        match before(middle) {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    low
}

fn le32(bytes: &[u8]) -> u32 {
    match bytes {
        [a, b, c, d, ..] => u32::from_le_bytes([*a, *b, *c, *d]),
        _ => 0,
    }
}

/// Appends a number of 7 bits a byte, the low ones first.
pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8 & 0x7f) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Numbers as [`put`] writes them; 0 behind the end.
pub(crate) struct Numbers<'a> {
    pub(crate) bytes: &'a [u8],
}

impl<'a> Numbers<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Numbers { bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn next(&mut self) -> u64 {
        let (mut value, mut shift) = (0_u64, 0);
        while let Some((&byte, rest)) = self.bytes.split_first() {
            self.bytes = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
            shift += 7;
            if shift > 63 {
                break;
            }
        }
        value
    }

    pub(crate) fn small(&mut self) -> u32 {
        self.next() as u32
    }

    pub(crate) fn list(&mut self) -> Vec<u32> {
        let count = self.next().min(self.bytes.len() as u64);
        (0..count).map(|_| self.small()).collect()
    }

    pub(crate) fn text(&mut self) -> &'a str {
        let len = (self.next() as usize).min(self.bytes.len());
        let (own, rest) = self.bytes.split_at(len);
        self.bytes = rest;
        std::str::from_utf8(own).unwrap_or_default()
    }
}

pub(crate) fn put_list(out: &mut Vec<u8>, list: &[u32]) {
    put(out, list.len() as u64);
    for &value in list {
        put(out, value.into());
    }
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

pub(crate) fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
