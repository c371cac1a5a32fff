//! `palisade admin delete`.

use anyhow::Result;
use clap::Args;
use palisade_gateway::admin::Action;

use super::Desk;
use crate::exit::Exit;

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// A crate that is published here
    #[arg(value_name = "CRATE")]
    name: String,
    /// One of its versions; the whole crate unless given
    version: Option<String>,
    /// Why
    #[arg(long)]
    reason: String,
    /// How long nobody may publish under the crate's name
    #[arg(long, value_name = "N", default_value_t = 24 * 30)]
    block_hours: u32,
    /// The crate's name again, to do it without being asked
    #[arg(long, value_name = "CRATE")]
    confirm: Option<String>,
}

pub(super) async fn run(desk: &Desk<'_>, args: &DeleteArgs) -> Result<Exit> {
    let action = match &args.version {
        Some(version) => Action::DeleteVersion {
            name: args.name.clone(),
            version: version.clone(),
        },
        None => Action::DeleteCrate {
            name: args.name.clone(),
            block_hours: args.block_hours,
        },
    };
    desk.act(&action, &args.reason, args.confirm.as_deref())
        .await
}
