//! The columns of a fragment's payload, and numbers in them.
//!
//! Values of one kind stand together, where they resemble each other; that is
//! what makes the compressed file small.

/// One column. The order is part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// Counts, names of the package and its crates.
    Head,
    /// The string table.
    Strings,
    /// The text of the string table.
    Text,
    ItemCrates,
    ItemPaths,
    Types,
    TypeArguments,
    FunctionItems,
    FunctionFlags,
    FunctionGenerics,
    FunctionFiles,
    FunctionLines,
    Hashes,
    Counts,
    Callees,
    CallFlags,
    CallSelf,
    CallArguments,
    CallLines,
    Unsizings,
    Uses,
    Unresolved,
    Traits,
    Adts,
    Impls,
    Spots,
    Capabilities,
}

/// How many columns there are.
pub(super) const COLUMNS: usize = Column::Capabilities as usize + 1;

/// Seven bits to a byte, the lowest first; the eighth says that more follow.
pub(super) fn put(column: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        column.push(value as u8 | 0x80);
        value >>= 7;
    }
    column.push(value as u8);
}

/// Small numbers of either sign as small numbers.
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The reverse of [`zigzag`].
pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Takes one number; `None` where the bytes end or it has more than 64 bits.
pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        value |= bits << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
