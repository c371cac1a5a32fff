//! Texts in order, each sharing the start of the one before.

use crate::TablesError;
use crate::raw::{Bytes, Numbers, put, put_text};
use crate::write::Files;

/// Every so many texts one is written in full.
const BLOCK: usize = 16;

/// Texts by their place.
#[derive(Debug)]
pub(crate) struct Names {
    heads: Bytes,
    text: Bytes,
}

impl Names {
    pub(crate) fn open(dir: &camino::Utf8Path) -> Result<Names, TablesError> {
        Ok(Names {
            heads: Bytes::open(&dir.join("names.heads"))?,
            text: Bytes::open(&dir.join("names.text"))?,
        })
    }

    pub(crate) fn write<'a>(
        files: &mut Files,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<(), TablesError> {
        let mut heads = files.file("names.heads")?;
        let mut text = files.file("names.text")?;
        let mut buffer = Vec::new();
        let mut last = "";
        for (place, name) in names.enumerate() {
            buffer.clear();
            if place.is_multiple_of(BLOCK) {
                heads.u64(text.bytes)?;
            } else {
                let both = last.bytes().zip(name.bytes());
                let mut shared = both.take_while(|(a, b)| a == b).count();
                while !name.is_char_boundary(shared) {
                    shared -= 1;
                }
                put(&mut buffer, shared as u64);
                last = &name[shared..];
                put_text(&mut buffer, last);
                text.bytes(&buffer)?;
                last = name;
                continue;
            }
            put_text(&mut buffer, name);
            text.bytes(&buffer)?;
            last = name;
        }
        files.done(heads)?;
        files.done(text)
    }

    pub(crate) fn get(&self, place: usize) -> String {
        let mut text = String::new();
        self.scan(place / BLOCK * BLOCK, place + 1, |at, name| {
            if at == place {
                text.push_str(name);
            }
            true
        });
        text
    }

    /// The texts from `start` (which must be a block's first) to `end`, until
    /// `visit` says no.
    fn scan(&self, start: usize, end: usize, mut visit: impl FnMut(usize, &str) -> bool) {
        let mut numbers = Numbers::new(&[]);
        let mut name = String::new();
        for place in start..end {
            if place.is_multiple_of(BLOCK) {
                let head = self.heads.u64(place / BLOCK) as usize;
                numbers = Numbers::new(self.text.get(head..).unwrap_or_default());
                name.clear();
            } else {
                let shared = (numbers.next() as usize).min(name.len());
                match name.is_char_boundary(shared) {
                    true => name.truncate(shared),
                    false => name.clear(),
                }
            }
            name.push_str(numbers.text());
            if !visit(place, &name) {
                return;
            }
        }
    }

    /// Visits the texts from `start` to `end`.
    pub(crate) fn each(&self, start: usize, end: usize, mut visit: impl FnMut(usize, &str)) {
        self.scan(start / BLOCK * BLOCK, end, |place, name| {
            if place >= start {
                visit(place, name);
            }
            true
        });
    }

    /// The place of a text among those from `start` to `end`, which are
    /// sorted.
    pub(crate) fn find(&self, start: usize, end: usize, wanted: &str) -> Option<usize> {
        // The last block whose head is not behind the wanted text, if that
        // lies in the range at all.
        let first = start.div_ceil(BLOCK);
        let blocks = end.div_ceil(BLOCK);
        let head = |block: usize| {
            let at = self.heads.u64(block) as usize;
            Numbers::new(self.text.get(at..).unwrap_or_default()).text()
        };
        let after = crate::raw::partition(first, blocks.max(first), |block| head(block) <= wanted);
        let from = match after == first {
            true => start,
            false => (after - 1) * BLOCK,
        };
        let mut found = None;
        let until = end.min(after * BLOCK);
        self.scan(from / BLOCK * BLOCK, until, |place, name| {
            if place >= start && name == wanted {
                found = Some(place);
            }
            found.is_none()
        });
        found
    }
}
