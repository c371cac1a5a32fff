//! `palisade ecosystem`: one file per command.

mod build;
mod callers;
pub(super) mod exposed;
mod functions;
mod stats;
mod summary;
mod universe;

use anyhow::Result;

use crate::cli::{EcosystemArgs, EcosystemCommand};
use crate::exit::Exit;

pub(crate) fn run(args: &EcosystemArgs) -> Result<Exit> {
    match &args.command {
        EcosystemCommand::Build(args) => build::run(args),
        EcosystemCommand::Stats(args) => stats::run(args),
        EcosystemCommand::Functions(args) => functions::run(args),
        EcosystemCommand::Callers(args) => callers::run(args),
        EcosystemCommand::Exposed(args) => exposed::run(args),
    }
}
