//! `palisade admin backup`.

use anyhow::Result;
use camino::Utf8PathBuf;
use clap::Args;

use super::{Desk, say};
use crate::exit::Exit;

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The new file
    #[arg(value_name = "FILE")]
    to: Utf8PathBuf,
}

pub(super) async fn run(desk: &Desk<'_>, args: &BackupArgs) -> Result<Exit> {
    desk.store.backup(&args.to).await?;
    say(&format!("wrote {}", args.to))
}
