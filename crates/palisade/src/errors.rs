//! Errors as users see them: once, with the whole chain and what to do.

use std::error::Error;
use std::io;

use clap::builder::styling::AnsiColor;
use palisade_advisory::{SnapshotError, UpdateError};
use palisade_check::CheckError;
use palisade_gateway::GatewayError;
use palisade_store::StoreError;

use crate::output;

/// Whether standard output was closed by whoever read it.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Prints an error, its causes, and the advice that comes with it.
pub(crate) fn print(error: &anyhow::Error) {
    let style = AnsiColor::Red.on_default().bold();
    let mut text = format!("{style}error{style:#}: {}\n", error);
    let mut last = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // A cause that its effect already quotes says nothing new.
        if !last.contains(&cause) {
            text.push_str(&format!("  caused by: {cause}\n"));
        }
        last = cause;
    }
    if let Some(hint) = error.chain().find_map(hint) {
        let style = AnsiColor::Cyan.on_default().bold();
        text.push_str(&format!("\n{style}hint{style:#}: {hint}\n"));
    }
    output::to_stderr(&text);
}

/// The advice of the first error in the chain that has some.
fn hint(cause: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = cause.downcast_ref::<CheckError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<UpdateError>() {
        return Some(error.hint());
    }
    if let Some(error) = cause.downcast_ref::<SnapshotError>() {
        return Some(error.hint());
    }
    if let Some(error) = cause.downcast_ref::<GatewayError>() {
        return error.hint().map(str::to_owned);
    }
    if let Some(error) = cause.downcast_ref::<StoreError>() {
        return error.hint().map(str::to_owned);
    }
    if let Some(error) = cause.downcast_ref::<palisade_gateway::ConfigError>() {
        return Some(error.hint().to_owned());
    }
    if let Some(error) = cause.downcast_ref::<palisade_scan::InputError>() {
        return Some(error.hint());
    }
    if let Some(error) = cause.downcast_ref::<palisade_scan::ProvenanceError>() {
        return Some(error.hint().to_owned());
    }
    cause
        .downcast_ref::<Usage>()
        .map(|usage| usage.hint.clone())
}

/// Arguments that do not go together, or that mean nothing here.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Usage {
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: String,
}
