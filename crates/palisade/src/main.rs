//! `palisade`: is a vulnerable function really reached?

use std::process::ExitCode;

fn main() -> ExitCode {
    palisade::run(std::env::args_os())
}
