//! `palisade admin doctor`.

use anyhow::Result;
use camino::Utf8PathBuf;
use clap::Args;
use palisade_gateway::admin;

use super::{Desk, lines};
use crate::exit::Exit;

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Mend what is wrong: restore archives from copies, quarantine versions
    /// without any, put aside what belongs to no version
    #[arg(long)]
    repair: bool,
    /// Where to look for copies: a directory with `.crate` files
    #[arg(long, value_name = "DIR", requires = "repair")]
    from: Vec<Utf8PathBuf>,
}

pub(super) async fn run(desk: &Desk<'_>, args: &DoctorArgs) -> Result<Exit> {
    let repair = args.repair.then_some(args.from.as_slice());
    let found = admin::doctor(desk.store, &desk.config.data, &desk.actor, desk.now, repair).await?;
    let mut report: Vec<String> = found
        .problems
        .iter()
        .map(|problem| match &problem.mended {
            Some(mended) => format!("{}: {mended}", problem.what),
            None => format!("{}; --repair mends it", problem.what),
        })
        .collect();
    report.push(format!("{} archives compared", found.archives));
    lines(report.into_iter())?;
    let wrong = found
        .problems
        .iter()
        .any(|problem| problem.mended.is_none() && !problem.debris);
    Ok(if wrong { Exit::Reached } else { Exit::Clean })
}
