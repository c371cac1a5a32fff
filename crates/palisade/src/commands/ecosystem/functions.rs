//! `palisade ecosystem functions`.

use anyhow::{Context, Result};
use palisade_graph::{Capabilities, Fragment, Store};
use palisade_model::facts::FunctionKind;
use serde::Serialize;

use crate::cli::WhyFormat;
use crate::ecosystem_args::FunctionsArgs;
use crate::errors::Usage;
use crate::exit::Exit;
use crate::output;

#[derive(Serialize)]
struct Line<'a> {
    package: &'a str,
    version: &'a str,
    features: &'a [String],
    #[serde(rename = "crate")]
    krate: &'a str,
    kind: &'static str,
    path: &'a str,
    file: Option<&'a str>,
    line: Option<u32>,
    public: bool,
    #[serde(rename = "unsafe")]
    is_unsafe: bool,
    calls: usize,
    capabilities: Vec<&'static str>,
    hash: String,
}

pub(crate) fn run(args: &FunctionsArgs) -> Result<Exit> {
    let (name, version) = match args.package.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (args.package.as_str(), None),
    };
    let mut fragments: Vec<Fragment> = Vec::new();
    for fragment in Store::new(&args.graph).versions(name)? {
        match fragment.fragment {
            Ok(fragment) if version.is_none_or(|wanted| wanted == fragment.version) => {
                fragments.push(fragment);
            }
            Ok(_) => {}
            Err(error) => output::warn(&format!("{}: {error}", fragment.path)),
        }
    }
    if fragments.is_empty() {
        return Err(Usage {
            message: format!(
                "there is no fragment of `{}` in `{}`",
                args.package, args.graph
            ),
            hint: "make one with `palisade ecosystem build`".to_owned(),
        }
        .into());
    }
    let lines: Vec<Line<'_>> = fragments.iter().flat_map(lines).collect();
    output::to_stdout(|out| {
        if args.format == WhyFormat::Json {
            serde_json::to_writer_pretty(&mut *out, &lines)?;
            return writeln!(out);
        }
        for line in &lines {
            let public = if line.public { "pub " } else { "" };
            let is_unsafe = if line.is_unsafe { "unsafe " } else { "" };
            write!(
                out,
                "{} {}  {public}{is_unsafe}",
                line.package, line.version
            )?;
            write!(out, "{}::{}", line.krate, line.path)?;
            if let (Some(file), Some(number)) = (line.file, line.line) {
                write!(out, "  {file}:{number}")?;
            }
            match line.capabilities.is_empty() {
                true => writeln!(out)?,
                false => writeln!(out, "  [{}]", line.capabilities.join(", "))?,
            }
        }
        Ok(())
    })
    .context("cannot write the functions")?;
    Ok(Exit::Clean)
}

/// The functions of one fragment that have a body.
fn lines(fragment: &Fragment) -> impl Iterator<Item = Line<'_>> {
    fragment
        .crates
        .iter()
        .enumerate()
        .flat_map(move |(krate, facts)| {
            let functions = facts.functions.iter().enumerate();
            let functions =
                functions.filter(|(_, function)| function.kind == FunctionKind::Function);
            functions.map(move |(place, function)| {
                let here = |capable: &&palisade_graph::Capable| {
                    (capable.krate as usize, capable.function as usize) == (krate, place)
                };
                let capable = fragment.capabilities.iter().find(here);
                let bits = capable.map_or(0, |capable| capable.capabilities);
                Line {
                    package: &fragment.package,
                    version: &fragment.version,
                    features: &fragment.features,
                    krate: &facts.name,
                    kind: facts.kind.as_str(),
                    path: &facts.items[function.item as usize].path,
                    file: facts.files.get(function.file as usize).map(String::as_str),
                    line: (function.line != 0).then_some(function.line),
                    public: function.public,
                    is_unsafe: function.is_unsafe,
                    calls: function.calls.len(),
                    capabilities: Capabilities::from_bits(bits)
                        .iter()
                        .map(|one| one.as_str())
                        .collect(),
                    hash: format!("{:016x}", function.hash),
                }
            })
        })
}
