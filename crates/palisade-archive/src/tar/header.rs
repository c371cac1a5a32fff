//! One header block: POSIX ustar, GNU, or the old format before them.

/// Headers and contents come in blocks of this many bytes.
pub(super) const BLOCK: usize = 512;

/// Which format a header claims to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Before 1988: no magic, no prefix.
    Old,
    /// POSIX.
    Ustar,
    /// GNU, where the prefix field holds other things.
    Gnu,
}

/// A header block.
#[derive(Clone, Copy)]
pub(super) struct Header<'a>(pub(super) &'a [u8; BLOCK]);

/// A number, and whether it is written as the format says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) value: u64,
    pub(super) odd: bool,
}

impl<'a> Header<'a> {
    pub(super) fn is_zero(self) -> bool {
        self.0.iter().all(|&byte| byte == 0)
    }

    /// Whether the header's own checksum is right: the sum of its bytes with
    /// the checksum's own replaced by spaces.
    pub(super) fn checksum_is_right(self) -> bool {
        let sum: u64 = self
            .0
            .iter()
            .enumerate()
            .map(|(at, &byte)| {
                let own = (148..156).contains(&at);
                u64::from(if own { b' ' } else { byte })
            })
            .sum();
        octal(&self.0[148..156]).is_some_and(|number| number.value == sum)
    }

    pub(super) fn format(self) -> Format {
        match &self.0[257..265] {
            b"ustar\x0000" => Format::Ustar,
            b"ustar  \0" => Format::Gnu,
            _ => Format::Old,
        }
    }

    pub(super) fn kind(self) -> u8 {
        self.0[156]
    }

    /// The bytes that the entry's contents take in the archive.
    pub(super) fn size(self) -> Option<Number> {
        number(&self.0[124..136])
    }

    /// The path in this header alone. The GNU format keeps other things in
    /// the field that POSIX calls the prefix.
    pub(super) fn path(self) -> Vec<u8> {
        let name = text(&self.0[..100]);
        let prefix = match self.format() {
            Format::Ustar => text(&self.0[345..500]),
            Format::Old | Format::Gnu => &[],
        };
        if prefix.is_empty() {
            return name.to_vec();
        }
        [prefix, name].join(&b'/')
    }

    pub(super) fn link(self) -> &'a [u8] {
        text(&self.0[157..257])
    }

    /// Whether further blocks of a sparse file's map follow the header.
    pub(super) fn sparse_continues(self) -> bool {
        self.format() == Format::Gnu && self.0[482] == 1
    }
}

/// A field's text: all of it, or up to the first zero.
fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|&byte| byte == 0);
    &field[..end.unwrap_or(field.len())]
}

fn number(field: &[u8]) -> Option<Number> {
    if field.first()? & 0x80 == 0 {
        return octal(field);
    }
    // Base 256, for what does not fit in octal digits. Readers differ in how
    // many bytes they take and in the sign.
    let (head, tail) = field.split_at(field.len() - 8);
    let value = tail
        .iter()
        .fold(0, |value, &byte| value << 8 | u64::from(byte));
    let plain = head.first() == Some(&0x80) && head[1..].iter().all(|&byte| byte == 0);
    Some(Number {
        value,
        odd: !plain || value >> 63 != 0,
    })
}

/// Octal digits as cargo's parser reads them. Odd is what is not digits up to
/// the first zero or space, and nothing but these behind.
fn octal(field: &[u8]) -> Option<Number> {
    let written = std::str::from_utf8(text(field)).ok()?;
    let value = u64::from_str_radix(written.trim(), 8).ok()?;
    let digits = written.trim_start_matches(' ').trim_end_matches(' ');
    let behind = &field[written.len()..];
    let odd = digits.is_empty()
        || !digits.bytes().all(|byte| matches!(byte, b'0'..=b'7'))
        || !behind.iter().all(|byte| matches!(byte, 0 | b' '));
    Some(Number { value, odd })
}
