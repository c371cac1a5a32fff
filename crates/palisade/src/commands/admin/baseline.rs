//! `palisade admin baseline`.

use anyhow::Result;
use camino::Utf8PathBuf;
use clap::Args;
use palisade_gateway::admin;
use palisade_index::Lockfile;
use palisade_model::PackageSource;

use super::{Desk, say};
use crate::errors::Usage;
use crate::exit::Exit;

#[derive(Debug, Args)]
pub(crate) struct BaselineArgs {
    /// Names of crates
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Every crate of a lockfile that comes from a registry
    #[arg(long, value_name = "FILE")]
    lockfile: Option<Utf8PathBuf>,
    /// Yes, I know them
    #[arg(long)]
    confirm: bool,
}

pub(super) async fn run(desk: &Desk<'_>, args: &BaselineArgs) -> Result<Exit> {
    let mut all = args.names.clone();
    if let Some(file) = &args.lockfile {
        let lockfile = Lockfile::open(file)?;
        let published = lockfile.packages.into_iter().filter(|package| {
            matches!(
                package.source,
                PackageSource::CratesIo | PackageSource::OtherRegistry(_)
            )
        });
        all.extend(published.map(|package| package.name));
    }
    all.sort();
    all.dedup();
    if !args.confirm {
        return Err(Usage {
            message: format!(
                "what the upstream lists of {} crates would count as old, even what it has \
                 published a minute ago without saying so",
                all.len()
            ),
            hint: "add --confirm when you vouch for them".to_owned(),
        }
        .into());
    }
    let added = admin::baseline(desk.store, &desk.actor, desk.now, &all).await?;
    say(&format!(
        "{added} crates; the other {} are known already",
        all.len() - added
    ))
}
