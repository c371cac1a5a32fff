//! The compressed layer, after RFC 1952.
//!
//! Readers differ in what they do behind the first member, so the members'
//! boundaries are found here and everything behind the first is reported.

use zlib_rs::{Inflate, InflateError, InflateFlush, Status};

use crate::finding::{FindingKind, Findings};
use crate::{ArchiveError, Limits};

const MAGIC: [u8; 2] = [0x1f, 0x8b];
const DEFLATE: u8 = 8;
const HEADER_CRC: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;

/// The unpacked bytes of the first member.
pub(crate) struct Unpacked {
    pub(crate) bytes: Vec<u8>,
    /// Why there could be more.
    pub(crate) cut: Option<Cut>,
}

/// Why unpacking stopped before the end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The limit on unpacked bytes was hit.
    Limit,
    /// The compressed data ends early.
    Truncated,
    /// The compressed data is damaged from there on.
    Corrupt,
}

/// Unpacks the first member of `packed`.
pub(crate) fn unpack(
    subject: &str,
    packed: &[u8],
    limits: &Limits,
    findings: &mut Findings,
) -> Result<Unpacked, ArchiveError> {
    let not_gzip = |reason| ArchiveError::NotGzip {
        subject: subject.to_owned(),
        reason,
    };
    let start = header(packed, findings).map_err(not_gzip)?;
    let body = &packed[start..];
    let (bytes, used, cut) = inflate(body, limits.unpacked_bytes);
    match cut {
        Some(Cut::Limit) => findings.add(
            FindingKind::UnpackedLimit,
            "",
            format!("read {} bytes", limits.unpacked_bytes),
        ),
        Some(Cut::Truncated | Cut::Corrupt) => {}
        None => trailer(&body[used..], &bytes, findings),
    }
    let ratio = bytes.len() as u64 / packed.len().max(1) as u64;
    if ratio > limits.ratio {
        findings.add(FindingKind::Ratio, "", format!("{ratio} times"));
    }
    Ok(Unpacked { bytes, cut })
}

/// The length of the header in front of the compressed data.
fn header(packed: &[u8], findings: &mut Findings) -> Result<usize, &'static str> {
    if packed.len() < 10 {
        return Err("it is too short");
    }
    if packed[..2] != MAGIC {
        return Err("its first bytes are others");
    }
    if packed[2] != DEFLATE {
        return Err("its compression method is unknown");
    }
    let flags = packed[3];
    if flags & RESERVED != 0 {
        return Err("its header has unknown flags");
    }
    let mut at = 10;
    if flags & EXTRA != 0 {
        let length = packed.get(at..at + 2).ok_or("its header breaks off")?;
        at += 2 + usize::from(u16::from_le_bytes([length[0], length[1]]));
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            let rest = packed.get(at..).ok_or("its header breaks off")?;
            let end = rest.iter().position(|&byte| byte == 0);
            at += end.ok_or("its header breaks off")? + 1;
        }
    }
    if flags & HEADER_CRC != 0 {
        at += 2;
    }
    if at > packed.len() {
        return Err("its header breaks off");
    }
    // `tar` and `gzip` store the file's name; the others are unheard of.
    if flags & (EXTRA | COMMENT) != 0 {
        findings.add(FindingKind::GzipExtras, "", "");
    }
    Ok(at)
}

/// Inflates up to `limit` bytes: what came out, how much went in, and why it
/// stopped early.
fn inflate(body: &[u8], limit: u64) -> (Vec<u8>, usize, Option<Cut>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    // The file's last four bytes tell the length, which spares copies. They
    // are the attacker's to choose, but memory that is reserved and never
    // written to costs nothing, and deflate cannot do better than 1032 to 1.
    let told = body
        .last_chunk()
        .map_or(0, |&last| u32::from_le_bytes(last));
    let most = body.len().saturating_mul(1032);
    let first = usize::try_from(told)
        .unwrap_or(usize::MAX)
        .min(most)
        .max(1 << 12);
    let mut out = vec![0; first.min(limit)];
    let mut filled = 0;
    let mut used = 0;
    let mut decoder = Inflate::new(false, 15);
    loop {
        if filled == out.len() && filled < limit {
            out.resize(out.len().saturating_mul(2).clamp(1 << 12, limit), 0);
        }
        let step = decoder.decompress(&body[used..], &mut out[filled..], InflateFlush::NoFlush);
        // Both count what one call consumed and produced, which fit in memory.
        let consumed = decoder.total_in() as usize - used;
        let produced = decoder.total_out() as usize - filled;
        used += consumed;
        filled += produced;
        let cut = match step {
            Ok(Status::StreamEnd) => None,
            Ok(Status::Ok | Status::BufError) if consumed > 0 || produced > 0 => continue,
            Ok(Status::Ok | Status::BufError) => {
                if filled < out.len() {
                    Some(if used == body.len() {
                        Cut::Truncated
                    } else {
                        Cut::Corrupt
                    })
                } else if filled < limit {
                    continue;
                } else {
                    Some(Cut::Limit)
                }
            }
            Err(
                InflateError::DataError
                | InflateError::NeedDict { .. }
                | InflateError::StreamError
                | InflateError::MemError,
            ) => Some(Cut::Corrupt),
        };
        out.truncate(filled);
        return (out, used, cut);
    }
}

/// Judges what follows the compressed data.
fn trailer(rest: &[u8], bytes: &[u8], findings: &mut Findings) {
    let Some((trailer, behind)) = rest.split_at_checked(8) else {
        findings.add(FindingKind::CutTrailer, "", "");
        return;
    };
    let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| trailer[at + i]));
    // The stored length is the real one modulo 2^32.
    if word(0) != zlib_rs::crc32::crc32(0, bytes) || word(4) != bytes.len() as u32 {
        findings.add(FindingKind::WrongTrailer, "", "");
    }
    if behind.starts_with(&MAGIC) {
        findings.add(
            FindingKind::SecondMember,
            "",
            format!("{} bytes", behind.len()),
        );
    } else if !behind.is_empty() {
        findings.add(
            FindingKind::TrailingBytes,
            "",
            format!("{} bytes", behind.len()),
        );
    }
}
