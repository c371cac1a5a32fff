//! Reading, of files that anybody may have made.
//!
//! Every place is checked against the list that it points into, and no list is
//! made room for before its entries have been read, so that a file cannot ask
//! for more memory than it has bytes, times a small number.

use std::io::Read;

use flate2::read::ZlibDecoder;
use palisade_model::facts::{
    AdtFact, BUILTINS, CallFact, CallKind, CrateFacts, CrateKind, CrateRef, FunctionFact,
    FunctionKind, ImplFact, Item, SpotFact, TraitFact, TypeFact, UnresolvedFact, Unsizing,
};

use super::columns::{COLUMNS, Column, take, unzigzag};
use super::encode::CAUSES;
use super::{Capable, FORMAT, Fragment, MAGIC, Origin};

/// How much a fragment may hold.
#[derive(Clone, Debug)]
pub struct ReadLimits {
    /// Bytes of the payload before compression.
    pub payload: u64,
}

impl Default for ReadLimits {
    /// The standard library's largest crate has a few megabytes.
    fn default() -> ReadLimits {
        ReadLimits { payload: 256 << 20 }
    }
}

/// Why bytes are not a fragment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// It does not begin as one.
    #[error("it is not a fragment")]
    Magic,
    /// It has another version of the format.
    #[error("it has version {found} of the format, not {FORMAT}")]
    Version {
        /// The version.
        found: u8,
    },
    /// The payload is larger than allowed.
    #[error("its payload has {bytes} bytes, more than {limit}")]
    TooLarge {
        /// The size that the file claims, in bytes.
        bytes: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// It is damaged.
    #[error("it is damaged: {what}")]
    Damaged {
        /// What is wrong.
        what: &'static str,
    },
}

type Result<T> = std::result::Result<T, FormatError>;

fn damaged<T>(what: &'static str) -> Result<T> {
    Err(FormatError::Damaged { what })
}

pub(super) fn decode(bytes: &[u8], limits: &ReadLimits) -> Result<Fragment> {
    let rest = bytes.strip_prefix(&MAGIC).ok_or(FormatError::Magic)?;
    let (&version, mut rest) = rest.split_first().ok_or(FormatError::Magic)?;
    if version != FORMAT {
        return Err(FormatError::Version { found: version });
    }
    let Some(size) = take(&mut rest) else {
        return damaged("it breaks off");
    };
    if size > limits.payload {
        return Err(FormatError::TooLarge {
            bytes: size,
            limit: limits.payload,
        });
    }
    let mut payload = Vec::new();
    let mut decoder = ZlibDecoder::new(rest).take(size + 1);
    if decoder.read_to_end(&mut payload).is_err() || payload.len() as u64 != size {
        return damaged("the payload cannot be unpacked");
    }
    if decoder.into_inner().total_in() != rest.len() as u64 {
        return damaged("something follows the payload");
    }
    let mut reader = Reader::new(&payload)?;
    let fragment = reader.fragment()?;
    if reader.columns.iter().any(|column| !column.is_empty()) {
        return damaged("a column holds more than its entries");
    }
    Ok(fragment)
}

struct Reader<'a> {
    columns: [&'a [u8]; COLUMNS],
    strings: Vec<String>,
    last: [i64; COLUMNS],
    /// Bytes of text that may still be handed out. A string is stored once and
    /// named by a byte or two, so naming a long one over and over would blow
    /// up; what an honest writer makes stays within a small multiple of its
    /// payload.
    budget: u64,
}

impl<'a> Reader<'a> {
    fn new(payload: &'a [u8]) -> Result<Self> {
        let mut rest = payload;
        let mut sizes = [0_usize; COLUMNS];
        for size in &mut sizes {
            let value = take(&mut rest).and_then(|size| usize::try_from(size).ok());
            *size = match value {
                Some(value) => value,
                None => return damaged("the sizes of the columns"),
            };
        }
        let mut columns: [&[u8]; COLUMNS] = [&[]; COLUMNS];
        for (column, size) in columns.iter_mut().zip(sizes) {
            let Some((own, behind)) = rest.split_at_checked(size) else {
                return damaged("a column breaks off");
            };
            (*column, rest) = (own, behind);
        }
        if !rest.is_empty() {
            return damaged("something follows the columns");
        }
        let mut reader = Reader {
            columns,
            strings: Vec::new(),
            last: [0; COLUMNS],
            budget: (payload.len() as u64).saturating_mul(64).max(1 << 20),
        };
        reader.read_strings()?;
        Ok(reader)
    }

    fn take(&mut self, column: Column) -> Result<u64> {
        match take(&mut self.columns[column as usize]) {
            Some(value) => Ok(value),
            None => damaged("a number"),
        }
    }

    fn number(&mut self, column: Column) -> Result<u32> {
        match u32::try_from(self.take(column)?) {
            Ok(value) => Ok(value),
            Err(_) => damaged("a number is too large"),
        }
    }

    /// A place in a list of `len` entries.
    fn place(&mut self, column: Column, len: usize) -> Result<u32> {
        let place = self.number(column)?;
        in_list(place, len)
    }

    fn difference(&mut self, column: Column) -> Result<u32> {
        let difference = unzigzag(self.take(column)?);
        let last = &mut self.last[column as usize];
        let value = last.checked_add(difference);
        match value.and_then(|value| u32::try_from(value).ok()) {
            Some(value) => {
                *last = value.into();
                Ok(value)
            }
            None => damaged("a difference"),
        }
    }

    /// A place in a list of `len` entries, as a difference.
    fn near(&mut self, column: Column, len: usize) -> Result<u32> {
        let place = self.difference(column)?;
        in_list(place, len)
    }

    fn list(&mut self, column: Column, len: usize) -> Result<Vec<u32>> {
        let count = self.take(column)?;
        (0..count).map(|_| self.near(column, len)).collect()
    }

    fn string(&mut self, column: Column) -> Result<String> {
        let place = self.place(column, self.strings.len())?;
        self.text(place)
    }

    /// The string at a place that has been checked.
    fn text(&mut self, place: u32) -> Result<String> {
        self.spend(self.strings[place as usize].len())?;
        Ok(self.strings[place as usize].clone())
    }

    fn spend(&mut self, bytes: usize) -> Result<()> {
        match self.budget.checked_sub(bytes as u64) {
            Some(left) => {
                self.budget = left;
                Ok(())
            }
            None => damaged("it holds more text than it can"),
        }
    }

    /// Front coding can blow up as well: each string may repeat all of the one
    /// before.
    fn read_strings(&mut self) -> Result<()> {
        let count = self.take(Column::Strings)?;
        let mut previous: Vec<u8> = Vec::new();
        for _ in 0..count {
            let shared = self.take(Column::Strings)?;
            let own = self.take(Column::Strings)?;
            let shared = usize::try_from(shared).ok();
            let Some(shared) = shared.filter(|shared| *shared <= previous.len()) else {
                return damaged("a string shares more than there is");
            };
            let text = &mut self.columns[Column::Text as usize];
            let own = usize::try_from(own).ok();
            let Some((own, rest)) = own.and_then(|own| text.split_at_checked(own)) else {
                return damaged("a string breaks off");
            };
            *text = rest;
            previous.truncate(shared);
            previous.extend_from_slice(own);
            self.spend(previous.len())?;
            let Ok(string) = std::str::from_utf8(&previous) else {
                return damaged("a string is not UTF-8");
            };
            self.strings.push(string.to_owned());
        }
        Ok(())
    }

    fn fragment(&mut self) -> Result<Fragment> {
        let package = self.string(Column::Head)?;
        let version = self.string(Column::Head)?;
        let origin = self.one_of(Column::Head, &Origin::ALL)?;
        let engine = self.string(Column::Head)?;
        let [features, missing] = [self.texts()?, self.texts()?];
        let mut crates = Vec::new();
        for _ in 0..self.take(Column::Head)? {
            self.last = [0; COLUMNS];
            crates.push(self.krate()?);
        }
        let mut capabilities = Vec::new();
        for _ in 0..self.take(Column::Capabilities)? {
            let krate = self.place(Column::Capabilities, crates.len())?;
            let functions = crates[krate as usize].functions.len();
            let function = self.near(Column::Capabilities, functions)?;
            let Ok(bits) = u16::try_from(self.take(Column::Capabilities)?) else {
                return damaged("a capability");
            };
            capabilities.push(Capable {
                krate,
                function,
                capabilities: bits,
            });
        }
        Ok(Fragment {
            package,
            version,
            origin,
            features,
            engine,
            missing,
            crates,
            capabilities,
        })
    }

    fn texts(&mut self) -> Result<Vec<String>> {
        let count = self.take(Column::Head)?;
        (0..count).map(|_| self.string(Column::Head)).collect()
    }

    fn one_of<T: Copy>(&mut self, column: Column, all: &[T]) -> Result<T> {
        let place = self.place(column, all.len())?;
        Ok(all[place as usize])
    }

    fn krate(&mut self) -> Result<CrateFacts> {
        let kind = self.one_of(Column::Head, &CrateKind::ALL)?;
        let name = self.string(Column::Head)?;
        let lines = self.number(Column::Head)?;
        let mut facts = CrateFacts {
            kind,
            name,
            lines,
            ..CrateFacts::default()
        };
        for _ in 0..self.take(Column::Head)? {
            facts.crates.push(CrateRef {
                package: self.string(Column::Head)?,
                version: self.string(Column::Head)?,
                name: self.string(Column::Head)?,
            });
        }
        for _ in 0..self.take(Column::Head)? {
            let krate = self.near(Column::ItemCrates, facts.crates.len())?;
            let path = self.near(Column::ItemPaths, self.strings.len())?;
            let path = self.text(path)?;
            facts.items.push(Item { krate, path });
        }
        let items = facts.items.len();
        let count = self.take(Column::Head)?;
        // Arguments may lie ahead; they are checked when all are there.
        for _ in 0..count {
            let ty = self.ty(items)?;
            facts.types.push(ty);
        }
        let types = facts.types.len();
        for ty in &facts.types {
            if let TypeFact::Named { args, .. } | TypeFact::Builtin { args, .. } = ty {
                for &arg in args {
                    in_list(arg, types)?;
                }
            }
        }
        facts.files = self.texts()?;
        for _ in 0..self.take(Column::Head)? {
            facts.functions.push(self.function(items, types)?);
        }
        for _ in 0..self.take(Column::Head)? {
            facts.traits.push(TraitFact {
                item: self.near(Column::Traits, items)?,
                supertraits: self.list(Column::Traits, items)?,
                members: self.list(Column::Traits, items)?,
                in_vtable: self.list(Column::Traits, items)?,
            });
        }
        for _ in 0..self.take(Column::Head)? {
            facts.adts.push(AdtFact {
                item: self.near(Column::Adts, items)?,
                parts: self.list(Column::Adts, items)?,
            });
        }
        for _ in 0..self.take(Column::Head)? {
            let of = self.near(Column::Impls, items)?;
            let self_type = self.place(Column::Impls, types)?;
            let mut members = Vec::new();
            for _ in 0..self.take(Column::Impls)? {
                let of = self.near(Column::Impls, items)?;
                members.push((of, self.near(Column::Impls, items)?));
            }
            let types = self.list(Column::Impls, items)?;
            facts.impls.push(ImplFact {
                of,
                self_type,
                members,
                types,
            });
        }
        for _ in 0..self.take(Column::Head)? {
            facts.blind_spots.push(SpotFact {
                cause: self.one_of(Column::Spots, &CAUSES)?,
                detail: self.string(Column::Spots)?,
                file: self.string(Column::Spots)?,
                line: self.number(Column::Spots)?,
            });
        }
        Ok(facts)
    }

    fn ty(&mut self, items: usize) -> Result<TypeFact> {
        let tag = self.take(Column::Types)?;
        Ok(match tag {
            0 => TypeFact::Open,
            1 => TypeFact::Dyn { item: None },
            2 => TypeFact::Dyn {
                item: Some(self.near(Column::TypeArguments, items)?),
            },
            odd if odd % 2 == 1 => TypeFact::Named {
                item: self.near(Column::TypeArguments, items)?,
                args: self.numbers(Column::TypeArguments, (odd - 3) / 2)?,
            },
            even => TypeFact::Builtin {
                name: self.one_of(Column::Types, &BUILTINS)?,
                args: self.numbers(Column::TypeArguments, (even - 4) / 2)?,
            },
        })
    }

    fn numbers(&mut self, column: Column, count: u64) -> Result<Vec<u32>> {
        (0..count).map(|_| self.number(column)).collect()
    }

    fn function(&mut self, items: usize, types: usize) -> Result<FunctionFact> {
        let item = self.near(Column::FunctionItems, items)?;
        let bits = self.take(Column::FunctionFlags)?;
        let kind = match usize::try_from(bits & 7) {
            Ok(kind) if kind < FunctionKind::ALL.len() => FunctionKind::ALL[kind],
            _ => return damaged("a kind of function"),
        };
        if bits >> 11 != 0 {
            return damaged("a function's flags");
        }
        let flag = |place: u32| bits >> (3 + place) & 1 == 1;
        let symbol = match flag(4) {
            true => Some(self.string(Column::FunctionGenerics)?),
            false => None,
        };
        let mut function = FunctionFact {
            item,
            kind,
            public: flag(0),
            is_unsafe: flag(1),
            has_unsafe: flag(2),
            entry: flag(3),
            symbol,
            generics: self.number(Column::FunctionGenerics)?,
            file: self.difference(Column::FunctionFiles)?,
            line: self.difference(Column::FunctionLines)?,
            ..FunctionFact::default()
        };
        if flag(7) {
            let column = &mut self.columns[Column::Hashes as usize];
            let Some((hash, rest)) = column.split_first_chunk() else {
                return damaged("a hash breaks off");
            };
            (function.hash, *column) = (u64::from_le_bytes(*hash), rest);
        }
        for _ in 0..self.take(Column::Counts)? {
            let call = self.call(items, types, function.line)?;
            function.calls.push(call);
        }
        if flag(5) {
            for _ in 0..self.take(Column::Counts)? {
                function.unsizings.push(Unsizing {
                    from: self.place(Column::Unsizings, types)?,
                    to: self.place(Column::Unsizings, items)?,
                    line: self.line(Column::Unsizings, function.line)?,
                });
            }
        }
        function.uses = self.list(Column::Uses, items)?;
        if flag(6) {
            for _ in 0..self.take(Column::Counts)? {
                function.unresolved.push(UnresolvedFact {
                    name: self.string(Column::Unresolved)?,
                    line: self.line(Column::Unresolved, function.line)?,
                });
            }
        }
        Ok(function)
    }

    fn call(&mut self, items: usize, types: usize, start: u32) -> Result<CallFact> {
        let callee = self.near(Column::Callees, items)?;
        let flags = self.take(Column::CallFlags)?;
        let kind = CallKind::ALL[(flags & 3) as usize];
        let self_type = match flags >> 2 & 1 {
            1 => Some(self.place(Column::CallSelf, types)?),
            _ => None,
        };
        let args = (0..flags >> 3)
            .map(|_| self.place(Column::CallArguments, types))
            .collect::<Result<_>>()?;
        Ok(CallFact {
            callee,
            kind,
            self_type,
            args,
            line: self.line(Column::CallLines, start)?,
        })
    }

    fn line(&mut self, column: Column, start: u32) -> Result<u32> {
        let Some(distance) = self.take(column)?.checked_sub(1) else {
            return Ok(0);
        };
        let line = i64::from(start).checked_add(unzigzag(distance));
        match line.and_then(|line| u32::try_from(line).ok()) {
            Some(line) => Ok(line),
            None => damaged("a line"),
        }
    }
}

fn in_list(place: u32, len: usize) -> Result<u32> {
    if (place as usize) < len {
        Ok(place)
    } else {
        damaged("something points behind a list's end")
    }
}
