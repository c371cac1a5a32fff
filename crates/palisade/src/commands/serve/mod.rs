//! `palisade serve`.

mod scanner;
mod worker;

use std::sync::Arc;

use anyhow::{Context, Result};
use palisade_gateway::policy::Mode;
use palisade_gateway::{Config, Gateway, Parts, Scanner};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::ServeArgs;
use crate::exit::Exit;
use crate::output;

pub(crate) use scanner::WORKER;
pub(crate) use worker::serve as serve_worker;

pub(crate) fn run(args: &ServeArgs) -> Result<Exit> {
    let config = Config::load(&args.config)?;
    // Before there are threads, each of which would be copied.
    let scanner: Option<Arc<dyn Scanner>> = match config.policy.scan.mode {
        Some(Mode::Off) => None,
        Some(Mode::Audit | Mode::Enforce) | None => Some(Arc::new(scanner::WorkerScanner::start(
            config.names.as_deref(),
            config.policy.scan.seconds,
        )?)),
    };
    let runtime = tokio::runtime::Runtime::new().context("cannot start threads")?;
    runtime.block_on(async {
        // Asked for before anybody can know the address: a signal that comes
        // at once is not lost.
        let mut terminate = signal(SignalKind::terminate()).context("cannot wait for signals")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for signals")?;
        let mut shown = config.clone();
        let parts = Parts {
            scanner,
            ..Parts::default()
        };
        let gateway = Gateway::start(config, parts).await?;
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
