//! What a worker does to itself before it reads its first job.

#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod limits;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(target_os = "linux")]
mod syscalls;

#[cfg(target_os = "linux")]
pub(crate) use linux::{Meter, restrict};
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{Meter, restrict};
