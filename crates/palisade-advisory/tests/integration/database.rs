//! Opening a database and reading advisories out of it.

use std::fs;

use camino::Utf8Path;
use palisade_advisory::{Advisory, Collection, Database, DatabaseError, Limits};
use palisade_model::Kind;
use proptest::prelude::*;

use crate::fixture::{Fixture, advisory};

const PATCHED: &str = "[versions]\npatched = [\">= 2.0.0\"]";

/// Reads the only package of a fixture.
#[track_caller]
fn read(fixture: &Fixture) -> (Vec<Advisory>, Vec<String>) {
    let (database, opening) = fixture.open();
    let (advisories, reading) = database.all();
    let messages = opening.into_iter().chain(reading).map(|diagnostic| {
        assert!(
            diagnostic.file.starts_with(fixture.path()),
            "the file is named"
        );
        format!(
            "{}: {}",
            diagnostic.file.file_name().unwrap(),
            diagnostic.message
        )
    });
    (advisories, messages.collect())
}

/// Guards that every field of the format arrives where it belongs.
#[test]
fn all_fields_are_read() {
    let fixture = Fixture::new().advisory(
        "sample-pool",
        "RUSTSEC-2024-9001",
        r#"
withdrawn = "2024-03-01"
url = "https://example.com/1"
references = ["https://example.com/2"]
aliases = ["CVE-2024-90001"]
related = ["CVE-2024-90002"]
categories = ["memory-corruption"]
keywords = ["pool"]
informational = "unsound"
cvss = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
yanked = true
expect-deleted = true
license = "CC-BY-4.0"
something-new = { nested = [1, 2] }
"#,
        r#"
[affected]
os = ["linux"]
arch = ["x86"]
[affected.functions]
"sample_pool::Pool::free" = ["< 1.5.0"]
"sample_pool::Pool::all" = []
[versions]
patched = [">= 2.0.0", "^1.9"]
unaffected = ["< 0.3"]
"#,
    );
    let (mut advisories, diagnostics) = read(&fixture);
    assert_eq!(diagnostics, [""; 0]);
    let advisory = advisories.pop().unwrap();
    assert_eq!(advisory.id, "RUSTSEC-2024-9001");
    assert_eq!(advisory.package, "sample-pool");
    assert_eq!(advisory.collection, Collection::Crates);
    assert_eq!(advisory.title, "A made-up problem");
    assert_eq!(advisory.description, "It does not exist.");
    assert_eq!(advisory.date.to_string(), "2024-02-29");
    assert_eq!(advisory.withdrawn.unwrap().to_string(), "2024-03-01");
    assert_eq!(advisory.kind, Kind::Unsound);
    assert_eq!(advisory.url.as_deref(), Some("https://example.com/1"));
    assert_eq!(advisory.references, ["https://example.com/2"]);
    assert_eq!(advisory.aliases, ["CVE-2024-90001"]);
    assert_eq!(advisory.related, ["CVE-2024-90002"]);
    assert_eq!(advisory.categories, ["memory-corruption"]);
    assert_eq!(advisory.keywords, ["pool"]);
    assert_eq!(advisory.informational.as_deref(), Some("unsound"));
    assert!(advisory.cvss.unwrap().starts_with("CVSS:3.1"));
    assert!(advisory.yanked && advisory.expect_deleted);
    assert_eq!(advisory.license, "CC-BY-4.0");
    assert_eq!(advisory.os, ["linux"]);
    assert_eq!(advisory.arch, ["x86"]);
    let functions: Vec<_> = advisory
        .functions
        .iter()
        .map(|f| (f.text.as_str(), f.versions.len()))
        .collect();
    assert_eq!(
        functions,
        [
            ("sample_pool::Pool::all", 0),
            ("sample_pool::Pool::free", 1)
        ]
    );
    assert_eq!(advisory.versions.patched.len(), 2);
    assert_eq!(advisory.versions.unaffected[0].as_str(), "< 0.3");
}

/// Guards what a licence, a byte order mark, carriage returns and a text
/// without a body default to.
#[test]
fn lenient_about_form() {
    let text = advisory("dos", "RUSTSEC-2024-9002", "", PATCHED).replace('\n', "\r\n");
    let fixture = Fixture::new()
        .file("crates/dos/RUSTSEC-2024-9002.md", format!("\u{feff}{text}"))
        .file("crates/dos/README.txt", "not an advisory");
    let (advisories, diagnostics) = read(&fixture);
    assert_eq!(diagnostics, [""; 0]);
    assert_eq!(advisories[0].license, "CC0-1.0");
    assert_eq!(advisories[0].title, "A made-up problem");
}

/// Guards that a malformed advisory costs itself only, and that the message
/// names the file and what is wrong with it.
#[test]
fn malformed_advisories_cost_themselves_only() {
    let good = advisory("mixed", "RUSTSEC-2024-9000", "", PATCHED);
    let named = |id: &str, metadata: &str, rest: &str| advisory("mixed", id, metadata, rest);
    let fixture = Fixture::new()
        .file("crates/mixed/RUSTSEC-2024-9000.md", &good)
        .file("crates/mixed/a.md", "# No front matter")
        .file("crates/mixed/b.md", "```toml\n[advisory]\n")
        .file("crates/mixed/c.md", named("c", "id = \"c\"", PATCHED))
        .file("crates/mixed/d.md", named("d", "", ""))
        .file(
            "crates/mixed/e.md",
            named("e", "withdrawn = \"yesterday\"", PATCHED),
        )
        .file(
            "crates/mixed/f.md",
            named("f", "", "[versions]\npatched = [\"newest\"]"),
        )
        .file("crates/mixed/g.md", &good)
        .file("crates/mixed/h.md", advisory("other", "h", "", PATCHED))
        .file("crates/mixed/i.md", b"```toml\n\xff\n```\n")
        .file(
            "crates/mixed/j.md",
            named("j", "", PATCHED).replace("# A made-up", "A made-up"),
        )
        .file("crates/mixed/k.md", vec![b'a'; 2 << 20])
        .file(
            "crates/mixed/l.md",
            format!("```toml\na = {}\n```\n# Deep", "[".repeat(100_000)),
        )
        .file("crates/mixed/m.md/inner.md", "");
    let (advisories, diagnostics) = read(&fixture);
    assert_eq!(advisories.len(), 1);
    let expected = [
        "m.md: it is not a file",
        "a.md: it does not begin with a block fenced by ```toml and ```",
        "b.md: it does not begin with a block fenced by ```toml and ```",
        "c.md: its TOML block does not parse: duplicate key",
        "d.md: its TOML block does not parse: missing field `versions`",
        "e.md: `withdrawn` is not a date of the form YYYY-MM-DD: `yesterday`",
        "f.md: `patched` holds a version requirement that cannot be read: \
         `newest` is not a version requirement: unexpected character 'n' while parsing major version number",
        "g.md: its id `RUSTSEC-2024-9000` differs from the name of its file",
        "h.md: it is about `other`, but lies in the directory of another package",
        "i.md: it is not UTF-8",
        "j.md: no heading follows its TOML block",
        "k.md: it has more than 1048576 bytes",
        "l.md: its TOML block does not parse: cannot recurse further; max recursion depth met",
    ];
    assert_eq!(diagnostics, expected);
}

/// Guards that a function path nobody can read is reported while the advisory
/// and its other functions stay.
#[test]
fn an_unreadable_function_path_keeps_the_advisory() {
    let functions = "[affected.functions]\n\"odd::a-b\" = []\n\"odd::c\" = []\n";
    let fixture = Fixture::new().advisory(
        "odd",
        "RUSTSEC-2024-9003",
        "",
        &format!("{functions}{PATCHED}"),
    );
    let (advisories, diagnostics) = read(&fixture);
    assert!(advisories[0].functions[0].path.is_err());
    assert!(advisories[0].functions[1].path.is_ok());
    let expected = "RUSTSEC-2024-9003.md: it names a function by a path that cannot be read, \
                    `odd::a-b`: expected `::` at offset 6, found `-`";
    assert_eq!(diagnostics, [expected]);
}

/// Guards that nothing that could pass for good news is accepted as a
/// database, and that each refusal comes with advice.
#[test]
fn what_is_not_a_database() {
    let check = |dir: &Utf8Path, message: &str| {
        let error = Database::open(dir, &Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), message.replace("DIR", dir.as_str()));
        assert!(!error.hint().is_empty());
    };
    let empty = Fixture::new()
        .file("crates/some/README.txt", "")
        .file("file", "");
    let dir = empty.path();
    check(
        &dir.join("nowhere"),
        "the advisory database DIR does not exist",
    );
    check(&dir, "the advisory database DIR holds no advisories");
    check(
        &dir.join("crates"),
        "DIR is not an advisory database: it holds no `crates` directory",
    );
    check(
        &dir.join("file"),
        "DIR is not an advisory database: it holds no `crates` directory",
    );
}

/// Guards against a directory that is not a database but very large.
#[test]
fn the_number_of_entries_is_bounded() {
    let fixture = (0..20).fold(Fixture::new(), |fixture, n| {
        fixture.advisory(&format!("p{n}"), "RUSTSEC-2024-9000", "", PATCHED)
    });
    let limits = |entries| Limits {
        entries,
        ..Limits::default()
    };
    assert!(Database::open(&fixture.path(), &limits(20)).is_ok());
    let error = Database::open(&fixture.path(), &limits(19)).unwrap_err();
    assert!(matches!(error, DatabaseError::TooLarge { limit: 19, .. }));
}

/// Guards that links neither loop nor lead out of the database, and that the
/// package they hide is named.
#[cfg(unix)]
#[test]
fn symbolic_links_are_not_followed() {
    let fixture = Fixture::new().advisory("real", "RUSTSEC-2024-9000", "", PATCHED);
    let crates = fixture.path().join("crates");
    let link =
        |target: &str, name: &str| std::os::unix::fs::symlink(target, crates.join(name)).unwrap();
    link("..", "loop");
    link("real", "alias");
    link("/etc/passwd", "real/RUSTSEC-2024-9001.md");
    let (advisories, diagnostics) = read(&fixture);
    assert_eq!(advisories.len(), 1);
    let links = ["alias", "loop", "RUSTSEC-2024-9001.md"];
    assert_eq!(
        diagnostics,
        links.map(|name| format!("{name}: it is a symbolic link, which is not followed"))
    );
    link("self", "self");
    let error = Database::open(&crates.join("self"), &Limits::default()).unwrap_err();
    assert!(matches!(error, DatabaseError::List { .. }), "{error}");
}

/// Guards that only the packages asked for are read, and that a name cannot
/// leave the directory.
#[test]
fn reading_is_lazy() {
    let fixture = Fixture::new()
        .advisory("wanted", "RUSTSEC-2024-9000", "", PATCHED)
        .file("crates/broken/RUSTSEC-2024-9001.md", "broken");
    let (database, diagnostics) = fixture.open();
    assert_eq!(database.count(), 2);
    assert_eq!(diagnostics, []);
    let (advisories, diagnostics) =
        database.advisories_for(["wanted", "absent", "../crates/wanted", ""]);
    assert_eq!(advisories.len(), 1);
    assert_eq!(diagnostics, []);
    let (_, diagnostics) = database.advisories_for(["broken"]);
    assert_eq!(diagnostics[0].package.as_deref(), Some("broken"));
}

/// Guards looking up by id and by alias.
#[test]
fn finding_one_advisory() {
    let fixture = Fixture::new()
        .advisory(
            "one",
            "RUSTSEC-2024-9001",
            "aliases = [\"CVE-2024-1\"]",
            PATCHED,
        )
        .advisory("two", "RUSTSEC-2024-9002", "", PATCHED);
    let (database, _) = fixture.open();
    let find = |id: &str| database.find(id).0.map(|advisory| advisory.package);
    assert_eq!(find("RUSTSEC-2024-9002").as_deref(), Some("two"));
    assert_eq!(find("CVE-2024-1").as_deref(), Some("one"));
    assert_eq!(find("RUSTSEC-2024-9003"), None);
    fs::write(
        fixture.path().join("crates/two/RUSTSEC-2024-9002.md"),
        "broken",
    )
    .unwrap();
    assert_eq!(database.find("RUSTSEC-2024-9002").1.len(), 1);
}

proptest! {
    /// Guards that no file content panics and that whatever is refused leaves
    /// exactly one diagnostic: text cut off, and bytes changed in it.
    #[test]
    fn garbled_files_never_panic(
        cut in 0usize..600,
        garble in prop::collection::vec((0usize..600, any::<u8>()), 0..6),
    ) {
        let functions = "[affected]\nos = [\"linux\"]\n[affected.functions]\n\"p::A<B>::c\" = [\">= 1, < 2\"]\n";
        let text = advisory("p", "RUSTSEC-2024-9001", "aliases = [\"CVE-1\"]", &format!("{functions}{PATCHED}"));
        let mut bytes = text.into_bytes();
        for (at, byte) in garble {
            let length = bytes.len();
            bytes[at % length] = byte;
        }
        bytes.truncate(bytes.len().saturating_sub(cut));
        let fixture = Fixture::new().file("crates/p/RUSTSEC-2024-9001.md", bytes);
        let (advisories, diagnostics) = read(&fixture);
        prop_assert!(advisories.len() <= 1);
        // An advisory may keep a diagnostic about its function's path.
        prop_assert!(diagnostics.len() + advisories.len() >= 1);
        prop_assert!(diagnostics.len() <= 1);
    }

    /// Guards the same for text that was never an advisory.
    #[test]
    fn arbitrary_text_never_panics(toml in "[a-z=\\[\\]{}\"' \n#.0-9]{0,200}", body in ".{0,80}") {
        let text = format!("```toml\n{toml}\n```\n{body}");
        let fixture = Fixture::new().file("crates/p/RUSTSEC-2024-9001.md", text);
        prop_assert_eq!(read(&fixture).1.len(), 1);
    }
}
