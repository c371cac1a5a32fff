//! Writing the files of a segment.

use std::fs::File;
use std::io::{BufWriter, Write};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::TablesError;

/// A file as the manifest knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Written {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// The files of one segment, none of which is listed anywhere yet.
pub(crate) struct Files {
    dir: Utf8PathBuf,
    pub(crate) written: Vec<Written>,
}

impl Files {
    pub(crate) fn new(dir: &Utf8Path) -> Result<Files, TablesError> {
        std::fs::create_dir_all(dir).map_err(|source| TablesError::Io {
            operation: "make the directory",
            path: dir.to_owned(),
            source,
        })?;
        Ok(Files {
            dir: dir.to_owned(),
            written: Vec::new(),
        })
    }

    pub(crate) fn file(&self, name: &str) -> Result<Out, TablesError> {
        let path = self.dir.join(name);
        match File::create(&path) {
            Ok(file) => Ok(Out {
                name: name.to_owned(),
                path,
                file: BufWriter::with_capacity(1 << 18, file),
                digest: Sha256::new(),
                bytes: 0,
            }),
            Err(source) => Err(TablesError::Io {
                operation: "make",
                path,
                source,
            }),
        }
    }

    /// Sees to it that a file is on the disk.
    pub(crate) fn done(&mut self, out: Out) -> Result<(), TablesError> {
        let failed = |source| TablesError::Io {
            operation: "write",
            path: out.path.clone(),
            source,
        };
        let file = out
            .file
            .into_inner()
            .map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        self.written.push(Written {
            name: out.name,
            bytes: out.bytes,
            sha256: hex(&out.digest.finalize()),
        });
        Ok(())
    }

    /// Writes a whole file.
    pub(crate) fn whole(&mut self, name: &str, bytes: &[u8]) -> Result<(), TablesError> {
        let mut out = self.file(name)?;
        out.bytes(bytes)?;
        self.done(out)
    }

    /// Writes sorted pairs.
    pub(crate) fn pairs(&mut self, name: &str, pairs: &[(u32, u32)]) -> Result<(), TablesError> {
        let mut out = self.file(name)?;
        for &(first, second) in pairs {
            out.u32(first)?;
            out.u32(second)?;
        }
        self.done(out)
    }
}

/// A file that is being written.
pub(crate) struct Out {
    name: String,
    path: Utf8PathBuf,
    file: BufWriter<File>,
    digest: Sha256,
    pub(crate) bytes: u64,
}

impl Out {
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), TablesError> {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file
            .write_all(bytes)
            .map_err(|source| TablesError::Io {
                operation: "write",
                path: self.path.clone(),
                source,
            })
    }

    pub(crate) fn u32(&mut self, value: u32) -> Result<(), TablesError> {
        self.bytes(&value.to_le_bytes())
    }

    pub(crate) fn u64(&mut self, value: u64) -> Result<(), TablesError> {
        self.bytes(&value.to_le_bytes())
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digest of a file, and its size.
pub(crate) fn digest(path: &Utf8Path) -> std::io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    let mut bytes = 0;
    loop {
        match std::io::Read::read(&mut file, &mut buffer)? {
            0 => break,
            some => {
                digest.update(&buffer[..some]);
                bytes += some as u64;
            }
        }
    }
    Ok((bytes, hex(&digest.finalize())))
}
