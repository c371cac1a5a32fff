//! Reads every `.crate` file of a directory and counts what is found:
//! `cargo run --release --example survey -- DIR`.
//!
//! The directory is one of cargo's `registry/cache/*`, or any other.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::unwrap_used, reason = "a tool for maintainers")]

use std::collections::BTreeMap;
use std::time::Instant;

use camino::Utf8PathBuf;
use palisade_archive::{CrateArchive, CrateName, ReadOptions};

fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let mut files: Vec<Utf8PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| Utf8PathBuf::try_from(entry.unwrap().path()).unwrap())
        .filter(|path| path.extension() == Some("crate"))
        .collect();
    files.sort();
    let (mut packed, mut unpacked, mut strict) = (0, 0, 0);
    let mut counts: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    let mut most = [(0, String::new()), (0, String::new()), (0, String::new())];
    let start = Instant::now();
    for file in &files {
        let expected = CrateName::parse(file.file_stem().unwrap()).unwrap();
        let archive = CrateArchive::open(file, &ReadOptions::lenient().expecting(expected));
        let archive = match archive {
            Ok(archive) => archive,
            Err(error) => {
                println!("{error}");
                continue;
            }
        };
        packed += archive.packed_bytes();
        unpacked += archive.unpacked_bytes();
        let tree = archive.tree();
        let files = tree.files().len();
        let largest = tree
            .files()
            .map(|(_, bytes)| bytes.len())
            .max()
            .unwrap_or(0);
        let ratio = archive.unpacked_bytes() / archive.packed_bytes().max(1);
        for (slot, value) in most.iter_mut().zip([files, largest, ratio as usize]) {
            if value > slot.0 {
                *slot = (value, file.file_name().unwrap().to_owned());
            }
        }
        strict += usize::from(!tree.is_refused());
        for finding in tree.findings() {
            let entry = counts.entry(finding.kind.code()).or_default();
            entry.0 += 1;
            if entry.1.len() < 300 {
                entry.1 += &format!("\n      {} {finding}", file.file_name().unwrap());
            }
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{} archives, {} MB packed, {} MB unpacked, {:.1} s, {:.0} per second",
        files.len(),
        packed >> 20,
        unpacked >> 20,
        seconds,
        files.len() as f64 / seconds
    );
    println!("a strict reader takes {strict}");
    println!(
        "most files {:?}, largest file {:?}, highest ratio {:?}",
        most[0], most[1], most[2]
    );
    for (code, (count, examples)) in counts {
        println!("{count:6} {code}{examples}");
    }
}
