//! `palisade ecosystem`: one file per command.

mod build;
mod callers;
mod capabilities;
mod confirm;
pub(super) mod exposed;
mod exposed_report;
mod functions;
mod graph;
mod path;
mod popularity;
mod stats;
mod summary;
mod unsafe_code;
mod update;
mod verify;

use anyhow::Result;

use crate::cli::{EcosystemArgs, EcosystemCommand};
use crate::exit::Exit;

pub(crate) fn run(args: &EcosystemArgs) -> Result<Exit> {
    match &args.command {
        EcosystemCommand::Build(args) => build::run(args),
        EcosystemCommand::Stats(args) => stats::run(args),
        EcosystemCommand::Functions(args) => functions::run(args),
        EcosystemCommand::Update(args) => update::run(args),
        EcosystemCommand::Verify(args) => verify::run(args),
        EcosystemCommand::Path(args) => path::run(args),
        EcosystemCommand::Capabilities(args) => capabilities::run(args),
        EcosystemCommand::Unsafe(args) => unsafe_code::run(args),
        EcosystemCommand::Callers(args) => callers::run(args),
        EcosystemCommand::Exposed(args) => exposed::run(args),
    }
}
