//! Writing to the terminal, or to whatever is in its place.

use std::io::{self, BufWriter, Write};

use clap::builder::styling::AnsiColor;

/// Writes data to standard output, with colour where that is wanted.
pub(crate) fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(anstream::AutoStream::auto(io::stdout().lock()));
    write(&mut out)?;
    out.flush()
}

/// Writes bytes that are never coloured to standard output.
pub(crate) fn bytes_to_stdout(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Writes a message to standard error. Where that is closed, nobody listens.
pub(crate) fn to_stderr(text: &str) {
    let mut err = anstream::AutoStream::auto(io::stderr().lock());
    let _ = err.write_all(text.as_bytes());
}

/// Writes a warning to standard error.
pub(crate) fn warn(text: &str) {
    let style = AnsiColor::Yellow.on_default().bold();
    to_stderr(&format!("{style}warning{style:#}: {text}\n"));
}
