//! Development tasks: what continuous integration runs, and the measurements
//! that the README quotes.
//!
//! Nothing here is part of the product; the product never depends on it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a task runner talks to the person who started it"
)]

mod accuracy;
mod advisory_paths;
mod bench;
mod bench_gateway;
mod corpus;
mod demo;
mod evaluate_provenance;
mod evaluate_scan;
mod fuzz;
mod process;
mod setup;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Development tasks of Palisade.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Find the standard library's source, or install it
    Setup,
    /// Check a small bundled project with real vulnerable dependencies
    Demo,
    /// Formatting, lints, documentation, policy and all tests
    Test(test::Args),
    /// Compare the call graph of published applications with what the linker
    /// kept; this builds them
    Accuracy(accuracy::Args),
    /// Ask about every function that advisories name in a real version of its
    /// crate
    AdvisoryPaths(advisory_paths::Args),
    /// Scan every crate that cargo has fetched, and look-alikes of malicious
    /// ones; time the scanner
    EvaluateScan(evaluate_scan::Args),
    /// Compare crates with repositories that are made of their own history, as
    /// the real cargo packs them
    EvaluateProvenance(evaluate_provenance::Args),
    /// Feed the parsers of hostile input with libFuzzer
    Fuzz(fuzz::Args),
    /// Make fragments of what cargo has fetched, and measure it
    Corpus(corpus::Args),
    /// Time Palisade beside a clean `cargo check` of published applications
    Bench(bench::Args),
    /// Measure the gateway beside nginx, with the same files and generator
    BenchGateway(bench_gateway::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Setup => setup::run(),
        Task::Demo => demo::run(),
        Task::Test(args) => test::run(&args),
        Task::Accuracy(args) => accuracy::run(&args),
        Task::AdvisoryPaths(args) => advisory_paths::run(&args),
        Task::EvaluateScan(args) => evaluate_scan::run(&args),
        Task::EvaluateProvenance(args) => evaluate_provenance::run(&args),
        Task::Fuzz(args) => fuzz::run(&args),
        Task::Corpus(args) => corpus::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::BenchGateway(args) => bench_gateway::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
