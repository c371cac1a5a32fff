//! `palisade rules`.

use anyhow::{Context, Result};
use palisade_scan::{detectors_page, rules};

use crate::cli::{RulesArgs, RulesCommand, RulesFormat};
use crate::errors::Usage;
use crate::exit::Exit;
use crate::output;
use crate::report::scan::rules as render;

pub(crate) fn run(args: &RulesArgs) -> Result<Exit> {
    match &args.command {
        RulesCommand::List {
            format: RulesFormat::Text,
        } => output::to_stdout(|out| render::list(&rules(), out)),
        RulesCommand::List {
            format: RulesFormat::Markdown,
        } => output::to_stdout(|out| out.write_all(detectors_page().as_bytes())),
        RulesCommand::Explain { id } => {
            let all = rules();
            let Some(rule) = all.iter().find(|rule| rule.id == id) else {
                return Err(Usage {
                    message: format!("no detector is called `{id}`"),
                    hint: "`palisade rules list` shows all of them".to_owned(),
                }
                .into());
            };
            output::to_stdout(|out| render::explain(rule, out))
        }
    }
    .context("cannot write the rules")?;
    Ok(Exit::Clean)
}
