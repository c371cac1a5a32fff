//! How a job and its answer travel through a pipe.
//!
//! A frame is a header of 17 bytes and a payload: four bytes that no text
//! starts with, the kind, the job's number and the payload's length, both
//! little-endian. The reader believes nothing: a length beyond the limit is
//! refused before any of it is read, and memory grows with what really came.

use std::io::{self, Read, Write};

/// Starts every frame, so that stray output is noticed at once.
const MAGIC: [u8; 4] = [0x91, b'P', b'W', 0x01];
const HEADER: usize = 4 + 1 + 8 + 4;
/// Memory set aside before the first byte of a payload has come.
const TRUSTED: usize = 64 << 10;

/// What a frame means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// To the worker: its limits, before anything else.
    Hello,
    /// From the worker: it is restricted; the payload is its report.
    Ready,
    /// From the worker: it cannot work; the payload says why.
    Refused,
    /// To the worker: a job.
    Job,
    /// From the worker: the answer.
    Answer,
    /// From the worker: the job panicked; the payload is the message.
    Panic,
    /// From the worker: the answer is too large; the payload is its size.
    TooLarge,
    /// From the worker: the job or its answer could not be encoded; the
    /// payload says why.
    Encoding,
}

impl Kind {
    /// Every kind; its code is its place.
    pub const ALL: [Self; 8] = [
        Self::Hello,
        Self::Ready,
        Self::Refused,
        Self::Job,
        Self::Answer,
        Self::Panic,
        Self::TooLarge,
        Self::Encoding,
    ];
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it means.
    pub kind: Kind,
    /// The job that it is about; 0 before the first one.
    pub job: u64,
    /// Its content.
    pub payload: Vec<u8>,
}

/// Why no frame could be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The pipe failed.
    #[error("the pipe failed")]
    Io {
        /// How.
        #[source]
        source: io::Error,
    },
    /// The stream ended within a frame.
    #[error("the stream ends within a frame")]
    Truncated,
    /// Something else than a frame.
    #[error("something else than a frame starts with {start:02x?}")]
    Garbage {
        /// Its first bytes.
        start: [u8; 4],
    },
    /// A kind that does not exist.
    #[error("there is no frame of kind {code}")]
    Kind {
        /// Its code.
        code: u8,
    },
    /// A payload that is larger than allowed.
    #[error("a frame of {length} bytes is larger than {limit}")]
    TooLarge {
        /// The payload's length, in bytes.
        length: u64,
        /// The limit, in bytes.
        limit: u64,
    },
}

impl Frame {
    /// The frame as bytes.
    ///
    /// # Errors
    /// A payload of 4 GiB or more does not fit.
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        let length = u32::try_from(self.payload.len()).map_err(|_| FrameError::TooLarge {
            length: self.payload.len() as u64,
            limit: u64::from(u32::MAX),
        })?;
        let mut bytes = Vec::with_capacity(HEADER + self.payload.len());
        bytes.extend(MAGIC);
        bytes.push(self.kind as u8);
        bytes.extend(self.job.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes.extend(&self.payload);
        Ok(bytes)
    }

    /// Writes the frame and flushes.
    ///
    /// # Errors
    /// The payload does not fit, or the pipe failed.
    pub fn write(&self, to: &mut impl Write) -> Result<(), FrameError> {
        let bytes = self.encode()?;
        to.write_all(&bytes)
            .and_then(|()| to.flush())
            .map_err(|source| FrameError::Io { source })
    }

    /// Reads the next frame; `None` where the stream ends before it.
    ///
    /// # Errors
    /// What came is not a frame, ends too early or has a payload of more than
    /// `limit` bytes.
    pub fn read(from: &mut impl Read, limit: u32) -> Result<Option<Self>, FrameError> {
        let mut header = Vec::with_capacity(HEADER);
        read_up_to(from, HEADER, &mut header)?;
        if header.is_empty() {
            return Ok(None);
        }
        let start = [0, 1, 2, 3].map(|at| header.get(at).copied().unwrap_or_default());
        if !MAGIC.starts_with(&header[..header.len().min(MAGIC.len())]) {
            return Err(FrameError::Garbage { start });
        }
        let Ok(header) = <[u8; HEADER]>::try_from(header) else {
            return Err(FrameError::Truncated);
        };
        let [_, _, _, _, code, rest @ ..] = header;
        let [j0, j1, j2, j3, j4, j5, j6, j7, l0, l1, l2, l3] = rest;
        let kind = *Kind::ALL
            .get(usize::from(code))
            .ok_or(FrameError::Kind { code })?;
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        if length > limit {
            return Err(FrameError::TooLarge {
                length: length.into(),
                limit: limit.into(),
            });
        }
        let length = length as usize;
        let mut payload = Vec::with_capacity(length.min(TRUSTED));
        read_up_to(from, length, &mut payload)?;
        if payload.len() < length {
            return Err(FrameError::Truncated);
        }
        Ok(Some(Self {
            kind,
            job: u64::from_le_bytes([j0, j1, j2, j3, j4, j5, j6, j7]),
            payload,
        }))
    }
}

fn read_up_to(from: &mut impl Read, count: usize, into: &mut Vec<u8>) -> Result<(), FrameError> {
    from.take(count as u64)
        .read_to_end(into)
        .map(drop)
        .map_err(|source| FrameError::Io { source })
}
