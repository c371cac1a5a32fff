//! Resource limits of the process.

use std::io;
use std::time::Duration;

use rlimit::{Resource, getrlimit, setrlimit};

/// Sets soft and hard limit, never above a hard limit that is there already.
fn set(resource: Resource, value: u64) -> io::Result<()> {
    let (_, hard) = getrlimit(resource)?;
    let value = value.min(hard);
    setrlimit(resource, value, value)
}

/// Private writable memory, in bytes.
pub(super) fn memory(bytes: u64) -> io::Result<()> {
    set(Resource::DATA, bytes)
}

/// Open files.
pub(super) fn open_files(count: u64) -> io::Result<()> {
    set(Resource::NOFILE, count)
}

/// No write to a file succeeds; pipes are no files.
pub(super) fn no_file_grows() -> io::Result<()> {
    set(Resource::FSIZE, 0)
}

/// A dump of gigabytes helps nobody. Where it cannot be switched off there is
/// no harm beyond the disk's space.
pub(super) fn no_core() {
    set(Resource::CORE, 0).ok();
}

/// Moves the soft limit to `used` and `more`. The hard limit stays, or the
/// next job could not be granted its time.
pub(super) fn grant_cpu(used: Duration, more: Duration) -> io::Result<()> {
    let (_, hard) = getrlimit(Resource::CPU)?;
    let total = used.saturating_add(more);
    let seconds = total.as_secs() + u64::from(total.subsec_nanos() > 0);
    setrlimit(Resource::CPU, seconds.min(hard), hard)
}
