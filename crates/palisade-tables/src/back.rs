//! Adjacency backwards: for each target, who leads there.
//!
//! A segment knows the callers among its own functions alone, but of targets
//! of all segments up to its own. Most of the earlier ones have none, so a
//! bitmap with ranks says which have, and only those have an offset.

use camino::Utf8Path;

use crate::TablesError;
use crate::raw::{Bytes, Numbers, put};
use crate::write::Files;

/// Bits for each entry of the ranks.
const RANK: usize = 512;
/// Offsets for each base.
const BASE: usize = 1024;

/// Tells every edge, as a node and its target, to the function that it is
/// given. It is asked twice: to count, and to write.
type Edges<'a> = dyn Fn(&mut dyn FnMut(u32, u32)) + 'a;

#[derive(Debug)]
pub(crate) struct Back {
    bits: Bytes,
    ranks: Bytes,
    bases: Bytes,
    offsets: Bytes,
    lists: Bytes,
}

impl Back {
    pub(crate) fn open(dir: &Utf8Path, name: &str) -> Result<Back, TablesError> {
        let open = |part: &str| Bytes::open(&dir.join(format!("{name}.{part}")));
        Ok(Back {
            bits: open("bits")?,
            ranks: open("ranks")?,
            bases: open("bases")?,
            offsets: open("offsets")?,
            lists: open("lists")?,
        })
    }

    /// Writes the transpose of `edges`, each from a node of the segment (from
    /// 0) to a target below `targets`.
    pub(crate) fn write(
        files: &mut Files,
        name: &str,
        targets: u32,
        edges: &Edges<'_>,
    ) -> Result<(), TablesError> {
        let mut starts = vec![0_u32; targets as usize + 1];
        edges(&mut |_, target| starts[target as usize] += 1);
        let mut sum = 0_u32;
        for start in &mut starts {
            let count = std::mem::replace(start, sum);
            sum += count;
        }
        let mut callers = vec![0_u32; sum as usize];
        edges(&mut |node, target| {
            let place = &mut starts[target as usize];
            callers[*place as usize] = node;
            *place += 1;
        });
        // Now each place is the end of its list, and the start of the next.
        let mut bits = vec![0_u64; (targets as usize).div_ceil(RANK) * (RANK / 64)];
        let mut bases = files.file(&format!("{name}.bases"))?;
        let mut offsets = files.file(&format!("{name}.offsets"))?;
        let mut lists = files.file(&format!("{name}.lists"))?;
        let (mut written, mut base, mut count) = (0_u64, 0_u64, 0_usize);
        let mut buffer = Vec::new();
        let mut start = 0;
        for target in 0..targets as usize {
            let end = starts[target];
            let list = &mut callers[start as usize..end as usize];
            start = end;
            if list.is_empty() {
                continue;
            }
            bits[target / 64] |= 1 << (target % 64);
            if count.is_multiple_of(BASE) {
                base = written;
                bases.u64(base)?;
            }
            offsets.u32((written - base) as u32)?;
            count += 1;
            buffer.clear();
            let mut last = 0;
            for (place, &node) in list.iter().enumerate() {
                match place {
                    0 => put(&mut buffer, node.into()),
                    _ if node == last => {}
                    _ => put(&mut buffer, (node - last).into()),
                }
                last = node;
            }
            lists.bytes(&buffer)?;
            written += buffer.len() as u64;
        }
        if count.is_multiple_of(BASE) {
            base = written;
            bases.u64(base)?;
        }
        offsets.u32((written - base) as u32)?;
        let mut ranks = files.file(&format!("{name}.ranks"))?;
        let mut file = files.file(&format!("{name}.bits"))?;
        let mut rank = 0;
        for (place, word) in bits.iter().enumerate() {
            if place.is_multiple_of(RANK / 64) {
                ranks.u32(rank)?;
            }
            rank += word.count_ones();
            file.u64(*word)?;
        }
        for file in [bases, offsets, lists, ranks, file] {
            files.done(file)?;
        }
        Ok(())
    }

    /// The bytes of all parts.
    pub(crate) fn size(&self) -> u64 {
        let parts = [
            &self.bits,
            &self.ranks,
            &self.bases,
            &self.offsets,
            &self.lists,
        ];
        parts.iter().map(|part| part.len() as u64).sum()
    }

    /// The nodes that lead to a target, in order, counted from the segment's
    /// first.
    pub(crate) fn of(&self, target: u32) -> Callers<'_> {
        Callers {
            numbers: Numbers::new(self.list(target).unwrap_or_default()),
            last: 0,
        }
    }

    fn list(&self, target: u32) -> Option<&[u8]> {
        let target = target as usize;
        let word = self.bits.u64(target / 64);
        if word >> (target % 64) & 1 == 0 {
            return None;
        }
        let first = target / RANK * (RANK / 64);
        let mut place = self.ranks.u32(target / RANK) as usize;
        for at in first..target / 64 {
            place += self.bits.u64(at).count_ones() as usize;
        }
        place += (word & ((1 << (target % 64)) - 1)).count_ones() as usize;
        let offset =
            |place: usize| self.bases.u64(place / BASE) as usize + self.offsets.u32(place) as usize;
        self.lists.get(offset(place)..offset(place + 1))
    }
}

/// Who leads to a target.
pub(crate) struct Callers<'a> {
    numbers: Numbers<'a>,
    last: u32,
}

impl Iterator for Callers<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.numbers.is_empty() {
            return None;
        }
        self.last = self.last.wrapping_add(self.numbers.small());
        Some(self.last)
    }
}
