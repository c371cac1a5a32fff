//! The command line: arguments in, a library call, a rendered answer, an exit
//! code.
//!
//! This crate is *not* a place for analysis: it turns arguments into the
//! options of `palisade-check` or `palisade-scan`, and answers into text, JSON, SARIF, OpenVEX,
//! JSON lines or dot. [`run`] is all of it that binaries need.
//!
//! Data goes to standard output, everything else to standard error.

#![doc = include_str!("exit_codes.md")]

mod cli;
mod commands;
mod ecosystem_args;
mod errors;
mod exit;
mod gateway_args;
mod output;
mod progress;
mod report;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::filter::LevelFilter;

use crate::cli::{Cli, Command};
use crate::exit::Exit;

/// The argument that makes this program a worker of its own; no option of any
/// command.
const WORKER: &str = "--ecosystem-worker";

/// The same for a worker that scans packages.
pub(crate) const SCAN_WORKER: &str = "--scan-worker";

/// Runs the command that the arguments (the program's name first) ask for.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // A worker restricts itself before it does anything else.
    match arguments.get(1) {
        Some(argument) if argument == WORKER => return palisade_graph::serve_worker(),
        Some(argument) if argument == SCAN_WORKER => return palisade_scan::serve_worker(),
        _ => {}
    }
    if arguments
        .get(1)
        .is_some_and(|argument| argument == commands::serve::WORKER)
    {
        return commands::serve::serve_worker();
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() {
                Exit::Error
            } else {
                Exit::Clean
            };
            // Where even this cannot be written, the exit code still tells.
            let _ = error.print();
            return exit.into();
        }
    };
    // A service is watched by its log; what answers a person is not.
    start_log(match cli.command {
        Command::Serve(_) => LevelFilter::WARN,
        _ => LevelFilter::OFF,
    });
    let result = match cli.command {
        Command::Check(args) => commands::check::run(&args),
        Command::Why(args) => commands::why::run(&args),
        Command::Callgraph(args) => commands::callgraph::run(&args),
        Command::Scan(args) => commands::scan::run(&args),
        Command::Score(args) => commands::score::run(&args),
        Command::Diff(args) => commands::diff::run(&args),
        Command::Watch(args) => commands::watch::run(&args),
        Command::Report(args) => commands::report::run(&args),
        Command::Rules(args) => commands::rules::run(&args),
        Command::Db(args) => commands::db::run(&args),
        Command::Serve(args) => commands::serve::run(&args),
        Command::Admin(args) => commands::admin::run(&args),
        Command::Ecosystem(args) => commands::ecosystem::run(&args),
    };
    match result {
        Ok(exit) => exit.into(),
        // Whoever closed the pipe has read enough.
        Err(error) if errors::is_broken_pipe(&error) => Exit::Clean.into(),
        Err(error) => {
            errors::print(&error);
            Exit::Error.into()
        }
    }
}

/// `PALISADE_LOG=debug` shows what the libraries note.
fn start_log(usual: LevelFilter) {
    let level = std::env::var("PALISADE_LOG").ok();
    let level = level.and_then(|level| level.parse().ok()).unwrap_or(usual);
    // A second call in one process finds a subscriber, which is as good.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .try_init();
}
