//! Loads small workspaces with the cargo of the machine, without the network.

mod errors;
mod features;
mod hostile;
mod lockfile;
mod support;
mod sysroot;
mod targets;
