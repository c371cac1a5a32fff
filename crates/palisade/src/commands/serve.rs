//! `palisade serve`.

use anyhow::{Context, Result};
use palisade_gateway::{Config, Gateway, Parts};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::ServeArgs;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(args: &ServeArgs) -> Result<Exit> {
    let config = Config::load(&args.config)?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start threads")?;
    runtime.block_on(async {
        // Asked for before anybody can know the address: a signal that comes
        // at once is not lost.
        let mut terminate = signal(SignalKind::terminate()).context("cannot wait for signals")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for signals")?;
        let mut shown = config.clone();
        let gateway = Gateway::start(config, Parts::default()).await?;
        shown.listen = gateway.address();
        output::to_stdout(|out| {
            writeln!(out, "listening: {}", gateway.address())?;
            writeln!(out, "index:     {}", shown.index_address())
        })?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        gateway.stop().await;
        Ok(Exit::Clean)
    })
}
