//! The gateway as cargo sees it. Only loopback addresses are contacted.

mod client;
mod faults;
mod lockfile;
mod matrix;
mod publish;
mod pull;
mod replay;
mod upstream;
mod world;
