//! `cargo xtask evaluate-provenance`: is every real crate a match with the
//! repository that it was made from?
//!
//! Where real repositories cannot be had, they are made from the crates' own
//! history: each version of a crate that cargo has fetched becomes a commit,
//! with the manifest as its author wrote it, in a directory of a monorepo, its
//! readme and licences further up behind links. From each commit the real
//! cargo packs a real archive, whose normalisations are then cargo's own. Any
//! difference that Palisade sees is a false one.

use std::collections::BTreeMap;
use std::io::Read;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use semver::Version;

use crate::demo::palisade_binary;
use crate::process;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// cargo's home, whose archives are taken [default: that of this user]
    #[arg(long, value_name = "DIR")]
    cargo_home: Option<Utf8PathBuf>,
    /// Use this binary instead of building one
    #[arg(long, value_name = "FILE")]
    palisade: Option<Utf8PathBuf>,
    /// How many crates to compare
    #[arg(long, value_name = "N", default_value_t = 30)]
    crates: usize,
}

/// The most versions of one crate that become commits.
const VERSIONS: usize = 3;
/// Archives that are larger are left out.
const BYTES: u64 = 2 << 20;

/// Measures and prints the table of `docs/evaluation.md`.
///
/// # Errors
///
/// Something cannot be built or run.
pub(crate) fn run(args: &Args) -> Result<()> {
    let binary = match &args.palisade {
        Some(binary) => binary.clone(),
        None => {
            process::run(process::cargo().args(["build", "--release", "--package", "palisade"]))?;
            palisade_binary()
        }
    };
    let home = match &args.cargo_home {
        Some(home) => home.clone(),
        None => {
            let home = std::env::home_dir().context("there is no home directory")?;
            let home = Utf8PathBuf::from_path_buf(home.join(".cargo"));
            home.map_err(|home| anyhow::anyhow!("{} is not UTF-8", home.display()))?
        }
    };
    let crates = fetched(&home)?;
    // Spread over the alphabet, so that not all are of one family.
    let step = (crates.len() / (args.crates * 2)).max(1);
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    let mut changes: BTreeMap<String, usize> = BTreeMap::new();
    let (mut done, mut versions, mut same) = (0, 0, 0);
    let mut differences = Vec::new();
    for (name, archives) in crates.iter().step_by(step) {
        if done == args.crates {
            break;
        }
        let compared = compare(&binary, name, archives)?;
        if compared.is_empty() {
            continue;
        }
        done += 1;
        for (version, provenance) in compared {
            versions += 1;
            let class = provenance["class"].as_str().unwrap_or("none");
            *classes.entry(class.to_owned()).or_default() += 1;
            same += provenance["same"].as_u64().unwrap_or(0);
            for change in provenance["normalised"].as_array().into_iter().flatten() {
                let change = change["change"].as_str().unwrap_or_default();
                *changes.entry(change.to_owned()).or_default() += 1;
            }
            for difference in provenance["differences"].as_array().into_iter().flatten() {
                differences.push(format!("{name} {version}: {difference}"));
            }
        }
    }
    println!(
        "\n{versions} archives of {done} crates, packed by cargo from repositories made of their own history.\n"
    );
    println!("| result | archives |\n|---|---|");
    for (class, count) in &classes {
        println!("| `{class}` | {count} |");
    }
    println!("\n{same} files are the repository's byte for byte. Others, by what was changed:\n");
    println!("| change | files |\n|---|---|");
    for (change, count) in &changes {
        println!("| {change} | {count} |");
    }
    println!("\n{} false differences.", differences.len());
    for difference in &differences {
        println!("- {difference}");
    }
    if done < args.crates {
        bail!("only {done} crates could be packed again");
    }
    Ok(())
}

/// The archives of each crate, oldest first.
fn fetched(home: &Utf8Path) -> Result<BTreeMap<String, Vec<(Version, Utf8PathBuf)>>> {
    let root = home.join("registry/cache");
    let mut crates: BTreeMap<String, Vec<(Version, Utf8PathBuf)>> = BTreeMap::new();
    for registry in root
        .read_dir_utf8()
        .with_context(|| format!("cannot list {root}"))?
    {
        for entry in registry?.path().read_dir_utf8()? {
            let entry = entry?;
            let path = entry.path().to_owned();
            let named = path.file_name().and_then(|file| {
                let stem = file.strip_suffix(".crate")?;
                stem.match_indices('-').find_map(|(at, _)| {
                    Some((
                        stem[..at].to_owned(),
                        stem[at + 1..].parse::<Version>().ok()?,
                    ))
                })
            });
            let Some((name, version)) = named else {
                continue;
            };
            if entry.metadata()?.len() <= BYTES {
                crates.entry(name).or_default().push((version, path));
            }
        }
    }
    for archives in crates.values_mut() {
        archives.sort();
        let more = archives.len().saturating_sub(VERSIONS);
        archives.drain(..more);
    }
    Ok(crates)
}

/// Compares each version of a crate with a repository that is made of them.
/// Versions that cargo does not pack again by themselves are left out.
fn compare(
    binary: &Utf8Path,
    name: &str,
    archives: &[(Version, Utf8PathBuf)],
) -> Result<Vec<(Version, serde_json::Value)>> {
    let scratch = tempfile::tempdir().context("there is no place for temporary files")?;
    let scratch = Utf8Path::from_path(scratch.path()).context("the place is not UTF-8")?;
    let repository = scratch.join("repository");
    let package = repository.join("crates").join(name);
    std::fs::create_dir_all(&repository)?;
    let git = |arguments: &[&str]| -> Result<()> {
        let mut git = process::command("git");
        git.current_dir(&repository)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", "a")
            .env("GIT_AUTHOR_EMAIL", "a@example.com")
            .env("GIT_COMMITTER_NAME", "a")
            .env("GIT_COMMITTER_EMAIL", "a@example.com")
            .args(arguments);
        let output = git.output().context("git cannot be started")?;
        if !output.status.success() {
            bail!(
                "git {arguments:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(())
    };
    git(&["init", "--quiet", "--initial-branch=main"])?;
    let mut compared = Vec::new();
    for (version, archive) in archives {
        if !unpack(archive, &repository, &package)? {
            continue;
        }
        git(&["add", "--all", "--force"])?;
        git(&["commit", "--quiet", "--allow-empty", "--message", "m"])?;
        let target = scratch.join("target");
        let mut cargo = process::cargo();
        cargo
            .current_dir(&package)
            .env("CARGO_TARGET_DIR", &target)
            .args([
                "package",
                "--quiet",
                "--offline",
                "--no-verify",
                "--exclude-lockfile",
            ]);
        // What depends on its siblings by path cannot be packed alone.
        if !cargo
            .output()
            .context("cargo cannot be started")?
            .status
            .success()
        {
            continue;
        }
        let packed = target
            .join("package")
            .join(format!("{name}-{version}.crate"));
        let mut palisade = process::command(binary);
        palisade
            .args([
                "scan",
                "--format",
                "json",
                "--fail-on",
                "critical",
                "--repository",
            ])
            .arg(&repository)
            .arg(&packed);
        let text = process::output_if(&mut palisade, |code| matches!(code, Some(0 | 1 | 4)))?;
        let scan: serde_json::Value = serde_json::from_str(&text)?;
        compared.push((version.clone(), scan["targets"][0]["provenance"].clone()));
    }
    Ok(compared)
}

/// Writes a version's files into the repository, as they may have been there.
/// `false` when its author's manifest is not in the archive, or needs a
/// workspace that nobody has.
fn unpack(archive: &Utf8Path, repository: &Utf8Path, package: &Utf8Path) -> Result<bool> {
    let file = std::fs::File::open(archive).with_context(|| format!("cannot read {archive}"))?;
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut tar = tar::Archive::new(flate2::read::MultiGzDecoder::new(file));
    for entry in tar.entries()? {
        let mut entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let Some((_, path)) = path.split_once('/') else {
            continue;
        };
        if path.is_empty() || path.split('/').any(|part| part == "..") {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        files.insert(path.to_owned(), bytes);
    }
    let Some(original) = files.remove("Cargo.toml.orig") else {
        return Ok(false);
    };
    let inherits = String::from_utf8_lossy(&original);
    let inherits = inherits.contains("workspace = true") || inherits.contains(".workspace");
    if inherits || inherits_path(&original) {
        return Ok(false);
    }
    files.insert("Cargo.toml".to_owned(), original);
    for written in ["Cargo.lock", ".cargo_vcs_info.json", ".cargo-ok"] {
        files.remove(written);
    }
    if package.exists() {
        std::fs::remove_dir_all(package)?;
    }
    for (path, bytes) in &files {
        let place = package.join(path);
        std::fs::create_dir_all(place.parent().unwrap_or(package))?;
        let shared =
            !path.contains('/') && (path.starts_with("LICENSE") || path.starts_with("README"));
        if shared {
            std::fs::write(repository.join(path), bytes)?;
            std::os::unix::fs::symlink(format!("../../{path}"), place)?;
        } else {
            std::fs::write(place, bytes)?;
        }
    }
    Ok(true)
}

/// Whether a manifest names a file outside of its package, which an archive
/// does not have.
fn inherits_path(manifest: &[u8]) -> bool {
    String::from_utf8_lossy(manifest).contains("\"../")
}
