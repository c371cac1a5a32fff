//! Compiler flags that somebody configured: which of them can be honoured.
//!
//! A flag can make the compiler load a library or run a linker, so only those
//! that change nothing but configuration flags are passed on, and only in a
//! form that holds no surprises.

use std::env;
use std::str::FromStr;

use cargo_platform::{Cfg, Platform};

use crate::config::Config;

/// The checked flags for a target: the environment's, else the
/// configuration's, as cargo orders them.
///
/// `cfgs` are the target's flags as far as known, to decide about
/// `[target.'cfg(…)']`.
pub(crate) fn select(config: &Config, triple: &str, cfgs: &[String]) -> Vec<String> {
    let from_environment = env::var("CARGO_ENCODED_RUSTFLAGS")
        .ok()
        .filter(|flags| !flags.is_empty())
        .map(|flags| flags.split('\u{1f}').map(str::to_owned).collect())
        .or_else(|| {
            let flags = env::var("RUSTFLAGS").ok()?;
            Some(flags.split_whitespace().map(str::to_owned).collect())
        });
    let flags: Vec<String> = from_environment.unwrap_or_else(|| {
        let cfgs: Vec<Cfg> = cfgs
            .iter()
            .filter_map(|cfg| Cfg::from_str(cfg).ok())
            .collect();
        let for_target: Vec<String> = config
            .target_rustflags
            .iter()
            .filter(|(spec, _)| {
                Platform::from_str(spec).is_ok_and(|platform| platform.matches(triple, &cfgs))
            })
            .flat_map(|(_, flags)| flags.iter().cloned())
            .collect();
        if for_target.is_empty() {
            config.build_rustflags.clone()
        } else {
            for_target
        }
    });
    checked(&flags)
}

/// The flags that can be honoured, each in one argument.
fn checked(flags: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut flags = flags.iter().map(String::as_str);
    while let Some(flag) = flags.next() {
        if let Some(value) = value_of(flag, "--cfg", &mut flags) {
            if is_cfg(value) {
                kept.push(format!("--cfg={value}"));
            }
        } else if let Some(option) = codegen_option(flag, &mut flags)
            && is_harmless_option(option)
        {
            kept.push(format!("-C{option}"));
        }
    }
    kept
}

/// The value of `--name=value` or `--name value`.
fn value_of<'a>(
    flag: &'a str,
    name: &str,
    rest: &mut impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let tail = flag.strip_prefix(name)?;
    if tail.is_empty() {
        rest.next()
    } else {
        tail.strip_prefix('=')
    }
}

/// The option of `-Coption`, `-C option`, `--codegen option`, ….
fn codegen_option<'a>(flag: &'a str, rest: &mut impl Iterator<Item = &'a str>) -> Option<&'a str> {
    match flag.strip_prefix("-C") {
        Some("") => rest.next(),
        Some(option) => Some(option),
        None => value_of(flag, "--codegen", rest),
    }
}

/// `name` or `name="value"`.
fn is_cfg(cfg: &str) -> bool {
    Cfg::from_str(cfg).is_ok()
}

fn is_harmless_option(option: &str) -> bool {
    let Some((name, value)) = option.split_once('=') else {
        return option == "debug-assertions";
    };
    matches!(
        name,
        "target-feature" | "target-cpu" | "debug-assertions" | "panic"
    ) && value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '.' | ','))
}

#[cfg(test)]
mod tests {
    use super::checked;

    fn check(flags: &str, kept: &[&str]) {
        let flags: Vec<String> = flags.split_whitespace().map(str::to_owned).collect();
        assert_eq!(checked(&flags), kept, "{flags:?}");
    }

    /// Guards what configuration flags projects rely on, in every spelling.
    #[test]
    fn configuration_flags_are_kept() {
        check("--cfg tokio_unstable", &["--cfg=tokio_unstable"]);
        check("--cfg=uuid_unstable -O", &["--cfg=uuid_unstable"]);
        check(
            "-C target-feature=+aes,-sse3 -Ctarget-cpu=x86-64-v3",
            &["-Ctarget-feature=+aes,-sse3", "-Ctarget-cpu=x86-64-v3"],
        );
    }

    /// Guards against a flag that makes the compiler run or load something.
    #[test]
    fn other_flags_are_dropped() {
        check("-C linker=./evil -Zcodegen-backend=evil.so @evil", &[]);
        check("--sysroot=evil -Clink-arg=evil --cfg --cfg", &[]);
        check("-C target-cpu=a/b --cfg=a=b -C", &[]);
    }
}
