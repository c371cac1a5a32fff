//! `palisade admin restore`.

use anyhow::Result;
use camino::Utf8PathBuf;
use clap::Args;

use super::{Desk, lines};
use crate::exit::Exit;

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The copy
    #[arg(value_name = "FILE")]
    from: Utf8PathBuf,
}

pub(super) async fn run(desk: &Desk<'_>, args: &RestoreArgs) -> Result<Exit> {
    let rows = desk.store.restore(&args.from).await?;
    let found = desk.store.verify(None).await?;
    lines(found.problems.iter().cloned().chain([
        format!("restored {rows} rows; audit records: {}", found.records),
        format!("head: {}", found.head),
    ]))
}
