//! From Markdown to sections: sources, configuration and assertions.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::assertion::{self, Assertion, Claim};

/// The crate name of every build script.
pub(crate) const BUILD_SCRIPT: &str = "build_script_build";

/// One `##` section: a small program and what is claimed about it.
pub(crate) struct Section {
    /// `file/title-in-kebab-case`, unique.
    pub(crate) name: String,
    /// The crates, in the order in which they are first mentioned.
    pub(crate) crates: Vec<Crate>,
    pub(crate) config: Config,
    pub(crate) assertions: Vec<Assertion>,
}

/// A section, or a whole file, that does not follow the format.
pub(crate) struct Broken {
    pub(crate) name: String,
    pub(crate) message: String,
}

/// One crate of a section.
#[derive(Default)]
pub(crate) struct Crate {
    /// The name that code uses.
    pub(crate) name: String,
    /// The package's name, where it differs.
    pub(crate) package: Option<String>,
    pub(crate) proc_macro: bool,
    /// Crates of the section that this one depends on; for `main` all
    /// libraries are added.
    pub(crate) deps: Vec<String>,
    /// Crates of the section that its `build.rs` depends on.
    pub(crate) build_deps: Vec<String>,
    pub(crate) features: Vec<String>,
    pub(crate) edition: Option<String>,
    pub(crate) files: Vec<Source>,
}

/// One fence: a file of a crate.
pub(crate) struct Source {
    /// Below the package's directory: `src/main.rs`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// The Markdown file, for messages.
    pub(crate) document: String,
    /// The line of the Markdown file that holds the first line of `text`.
    pub(crate) line: u32,
}

/// What the `toml` fence of a section says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// Of `main` and of every crate that does not say otherwise.
    pub(crate) edition: String,
    /// What `main` is.
    pub(crate) kind: Kind,
    /// Features of `main`.
    pub(crate) features: Vec<String>,
    /// Configuration flags of `main`, in the form of `rustc --print cfg`.
    pub(crate) cfgs: Vec<String>,
    /// Flags of `main` that its build script may set.
    pub(crate) unknown_cfgs: Vec<String>,
    /// Walk build scripts and procedural macros too.
    pub(crate) build_context: bool,
    pub(crate) limits: BTreeMap<String, u64>,
    pub(crate) rustc: RustcConfig,
}

/// Why `rustc` cannot confirm a section; each value is a reason.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RustcConfig {
    /// The code does not compile.
    pub(crate) compile: Option<String>,
    /// It compiles, but its symbols do not answer the question.
    pub(crate) symbols: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    #[default]
    Bin,
    Lib,
    /// The unit tests of a library.
    Test,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            edition: "2024".to_owned(),
            kind: Kind::Bin,
            features: Vec::new(),
            cfgs: Vec::new(),
            unknown_cfgs: Vec::new(),
            build_context: false,
            limits: BTreeMap::new(),
            rustc: RustcConfig::default(),
        }
    }
}

impl Section {
    /// Whether a crate of that name belongs to the section; build scripts are
    /// crates too, all of one name.
    pub(crate) fn has_crate(&self, name: &str) -> bool {
        let mut files = self.crates.iter().flat_map(|krate| &krate.files);
        self.crates.iter().any(|krate| krate.name == name)
            || name == BUILD_SCRIPT && files.any(|source| source.path == "build.rs")
    }
}

/// Reads every Markdown file of the directory except its `README.md`.
pub(crate) fn read_all(directory: &Path) -> (Vec<Section>, Vec<Broken>) {
    let mut files: Vec<_> = fs::read_dir(directory)
        .expect("the directory of the Markdown files exists")
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.extension().is_some_and(|it| it == "md") && !path.ends_with("README.md")
        })
        .collect();
    files.sort();
    let (mut sections, mut broken) = (Vec::new(), Vec::new());
    for file in files {
        let stem = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = fs::read_to_string(&file).expect("a Markdown file is readable");
        let (good, bad) = read(&stem, &text);
        sections.extend(good);
        broken.extend(bad);
    }
    for (index, section) in sections.iter().enumerate() {
        if sections[..index]
            .iter()
            .any(|earlier| earlier.name == section.name)
        {
            broken.push(Broken {
                name: section.name.clone(),
                message: "two sections have this title".to_owned(),
            });
        }
    }
    (sections, broken)
}

fn read(stem: &str, text: &str) -> (Vec<Section>, Vec<Broken>) {
    let document = format!("tests/mdtest/{stem}.md");
    let (mut sections, mut broken) = (Vec::new(), Vec::new());
    let mut open: Option<Draft> = None;
    let mut lines = (1..).zip(text.lines());
    let mut finish = |draft: Option<Draft>| {
        let Some(draft) = draft else { return };
        let name = format!("{stem}/{}", slug(&draft.title));
        let line = draft.line;
        match draft.finish(name.clone()) {
            Ok(section) => sections.push(section),
            Err(message) => {
                let located = message.starts_with(&document);
                let place = if located {
                    String::new()
                } else {
                    format!("{document}:{line}: ")
                };
                broken.push(Broken {
                    name,
                    message: format!("{place}{message}"),
                });
            }
        }
    };
    while let Some((number, line)) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            finish(open.take());
            open = Some(Draft {
                title: title.trim().to_owned(),
                line: number,
                ..Draft::default()
            });
        } else if let Some(info) = line.strip_prefix("```") {
            let first = number + 1;
            let mut body = String::new();
            for (_, line) in lines
                .by_ref()
                .take_while(|(_, line)| !line.starts_with("```"))
            {
                body.push_str(line);
                body.push('\n');
            }
            if let Some(draft) = &mut open {
                draft.fences.push(Fence {
                    info: info.trim().to_owned(),
                    text: body,
                    document: document.clone(),
                    line: first,
                });
            }
        } else if let Some(draft) = &mut open {
            draft.positive_only |= line.starts_with("<!-- positive only: ");
        }
    }
    finish(open);
    (sections, broken)
}

/// A heading in kebab case, so that it can be given to `cargo test`.
fn slug(title: &str) -> String {
    title
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect::<Vec<_>>()
        .join("-")
}

#[derive(Default)]
struct Draft {
    title: String,
    line: u32,
    positive_only: bool,
    fences: Vec<Fence>,
}

struct Fence {
    info: String,
    text: String,
    document: String,
    line: u32,
}

impl Draft {
    fn finish(self, name: String) -> Result<Section, String> {
        let mut section = Section {
            name,
            crates: Vec::new(),
            config: Config::default(),
            assertions: Vec::new(),
        };
        for fence in self.fences.iter().filter(|fence| fence.info == "toml") {
            section.config = toml::from_str(&fence.text).map_err(|error| error.to_string())?;
        }
        for fence in self.fences {
            if let Some(attributes) = fence.info.clone().strip_prefix("rust") {
                add(&mut section, attributes, fence)?;
            }
        }
        if !section.has_crate("main") {
            return Err("no fence belongs to the crate `main`".to_owned());
        }
        for krate in &section.crates {
            for source in &krate.files {
                section
                    .assertions
                    .extend(assertion::read(&krate.name, source)?);
            }
        }
        assertion::validate(&section)?;
        let negative =
            |it: &Assertion| matches!(it.claim, Claim::NotReached(_) | Claim::Unknown { .. });
        if section.assertions.iter().all(negative) {
            return Err("the section asserts nothing positive".to_owned());
        }
        if !self.positive_only && !section.assertions.iter().any(negative) {
            return Err(
                "the section needs a negative assertion, or `<!-- positive only: reason -->`"
                    .to_owned(),
            );
        }
        Ok(section)
    }
}

fn add(section: &mut Section, attributes: &str, fence: Fence) -> Result<(), String> {
    let list = |value: &str| value.split(',').map(str::to_owned).collect::<Vec<_>>();
    let (mut file, mut name) = (None, "main");
    let mut rest = Vec::new();
    for attribute in attributes.split_whitespace() {
        match attribute.split_once('=') {
            Some(("file", value)) => file = Some(value),
            Some(("crate", value)) => name = value,
            Some(pair) => rest.push(pair),
            None => return Err(format!("unknown fence attribute `{attribute}`")),
        }
    }
    let library = name != "main" || section.config.kind != Kind::Bin;
    let default = if library { "src/lib.rs" } else { "src/main.rs" };
    let file = file.unwrap_or(default);
    if !section.has_crate(name) {
        section.crates.push(Crate {
            name: name.to_owned(),
            ..Crate::default()
        });
    }
    let krate = section
        .crates
        .iter_mut()
        .find(|krate| krate.name == name)
        .expect("the crate was added above");
    for (key, value) in rest {
        match (key, value) {
            ("deps", _) if file == "build.rs" => krate.build_deps = list(value),
            ("deps", _) => krate.deps = list(value),
            ("features", _) => krate.features = list(value),
            ("package", _) => krate.package = Some(value.to_owned()),
            ("edition", _) => krate.edition = Some(value.to_owned()),
            ("kind", "proc-macro") => krate.proc_macro = true,
            _ => return Err(format!("unknown fence attribute `{key}={value}`")),
        }
    }
    krate.files.push(Source {
        path: file.to_owned(),
        text: fence.text,
        document: fence.document,
        line: fence.line,
    });
    Ok(())
}

/// The format refuses sections that could not fail, and says where.
pub(crate) fn self_check() -> Result<(), String> {
    let cases = [
        ("// reaches: f", "needs a negative assertion"),
        ("// not reached: f", "asserts nothing positive"),
        ("// reaches: main\n// not reached: g", "`g` does not occur"),
        ("// reachs: f", "unknown assertion"),
        (
            "// unknown: f [no-such-cause]\n// reaches: main",
            "unknown cause",
        ),
    ];
    for (assertions, expected) in cases {
        let text =
            format!("# T\n\n## S\n\n```rust\nfn main() {{}}\nfn f() {{}}\n{assertions}\n```\n");
        let (_, broken) = read("self-check", &text);
        let message = broken
            .first()
            .map_or("accepted", |broken| broken.message.as_str());
        if !message.contains(expected) {
            return Err(format!(
                "{assertions:?}: expected {expected:?}, got {message:?}"
            ));
        }
    }
    Ok(())
}
