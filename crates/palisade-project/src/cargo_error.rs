//! What cargo says when it refuses a workspace, made into one message.

use camino::Utf8Path;

use crate::LoadError;

/// Turns the text on cargo's standard error into one message with advice.
pub(crate) fn classify(manifest: &Utf8Path, stderr: &str) -> LoadError {
    let message = one_line(stderr);
    let has = |needle: &str| stderr.contains(needle);
    let advice = if has("contain this feature")
        || has("contains this feature")
        || has("contains these features")
    {
        Some("the features are listed under [features] in the package's Cargo.toml")
    } else if has("nightly") || has("is not stabilized") || has("-Z") {
        Some("this project needs a nightly toolchain: run with RUSTUP_TOOLCHAIN=nightly")
    } else if has("does not understand this lock file") || has("lock file version") {
        Some("this project needs a newer toolchain: run `rustup update`")
    } else if has("--locked") {
        Some("run `cargo update --workspace` and commit Cargo.lock, or leave out --locked")
    } else if has("--offline") || has("offline mode") || has("without internet access") {
        Some("run `cargo fetch` once with the network, or leave out --offline")
    } else if has("download") || has("resolve host") || has("spurious network") || has("fetch") {
        Some("check the network; with --offline only what cargo already has is used")
    } else if has("No such file") || has("couldn't find") || has("does not exist") {
        Some("check out the whole repository, submodules too")
    } else {
        None
    };
    LoadError::Cargo {
        manifest: manifest.to_owned(),
        message,
        advice: advice.map(str::to_owned),
    }
}

/// An error message on one line: "error: x", blank lines, "Caused by:" and
/// indentation become "x: y".
pub(crate) fn one_line(stderr: &str) -> String {
    const LIMIT: usize = 1_500;
    let mut line = String::new();
    let mut started = false;
    for text in stderr.lines() {
        let text = text.trim();
        if text.starts_with("warning:") && !started {
            continue;
        }
        // General advice, which the hint gives in fewer words.
        if text.starts_with("As a reminder,") {
            break;
        }
        let (text, first) = match text.strip_prefix("error: ") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        started |= first;
        if text.is_empty() || (text == "Caused by:") {
            continue;
        }
        if !line.is_empty() {
            line.push_str(if line.ends_with([':', ',', ';']) {
                " "
            } else {
                ": "
            });
        }
        line.push_str(text);
    }
    if line.len() > LIMIT {
        let end = (0..=LIMIT)
            .rev()
            .find(|&at| line.is_char_boundary(at))
            .unwrap_or(0);
        line.truncate(end);
        line.push('…');
    }
    if line.is_empty() {
        "it gave no reason".clone_into(&mut line);
    }
    line
}
