//! Database dumps.

use std::fs;

use camino::Utf8Path;
use palisade_index::{Dump, DumpOptions, IndexError, Owner};

use crate::fixture::directory;

/// A dump of two crates, with columns that nobody asked for.
fn write(directory: &Utf8Path) {
    fs::create_dir_all(directory).unwrap();
    let files = [
        (
            "crates.csv",
            "created_at,description,homepage,id,name,repository\n\
          2020-01-01 12:00:00.5+00,\"A demo, with a comma\nand a line\",,1,demo,https://example.org/demo\n\
          2021-01-01 12:00:00+00,,,2,other,\nnonsense\n",
        ),
        ("crate_downloads.csv", "crate_id,downloads\n1,1000\n2,5\n"),
        (
            "users.csv",
            "gh_avatar,gh_id,gh_login,id,name\n,7,alice,10,Alice\n,8,bob,11,\n",
        ),
        ("teams.csv", "id,login,org_id\n20,forge:org:team,1\n"),
        (
            "crate_owners.csv",
            "crate_id,created_at,owner_id,owner_kind\n1,,20,1\n1,,10,0\n2,,99,0\n",
        ),
        (
            "versions.csv",
            "crate_id,created_at,downloads,id,num,published_by,yanked\n\
          1,2021-01-01 12:00:00+00,400,101,1.1.0,11,t\n1,2020-01-01 12:00:00,600,100,1.0.0,,f\n2,,5,102,0.1.0,10,f\n",
        ),
        (
            "version_downloads.csv",
            "date,downloads,version_id\n2024-01-01,3,100\n2024-01-02,4,101\n2024-01-02,1,102\n",
        ),
    ];
    for (name, text) in files {
        fs::write(directory.join(name), text).unwrap();
    }
}

/// Guards that everything is joined, wherever the files lie.
#[test]
fn a_dump_is_joined() {
    let (_guard, root) = directory();
    write(&root.join("data"));
    let dump = Dump::open(&root, &DumpOptions::default()).unwrap();
    let demo = &dump.crates["demo"];
    assert_eq!((demo.downloads, demo.recent_downloads), (1000, 7));
    assert_eq!(
        demo.description.as_deref(),
        Some("A demo, with a comma\nand a line")
    );
    assert_eq!(demo.created.unwrap().to_string(), "2020-01-01T12:00:00.5Z");
    assert_eq!(
        demo.owners,
        [
            Owner::User("alice".to_owned()),
            Owner::Team("forge:org:team".to_owned())
        ]
    );
    let versions: Vec<_> = demo
        .versions
        .iter()
        .map(|version| {
            (
                version.version.to_string(),
                version.yanked,
                version.published_by.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        versions,
        [
            ("1.0.0".to_owned(), false, None),
            ("1.1.0".to_owned(), true, Some("bob"))
        ]
    );
    assert!(demo.versions[0].created.is_some());
    // A row of nonsense, and an owner that nobody knows.
    let problems: Vec<_> = dump
        .problems
        .iter()
        .map(|problem| problem.to_owned())
        .collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert_eq!(
        (problems[0].file.as_str(), problems[0].reason.as_str()),
        ("crates.csv", "1 of 3 rows could not be used")
    );
}

/// Guards that only the list of crates is needed, and that what is missing is
/// said.
#[test]
fn most_files_may_be_missing() {
    let (_guard, root) = directory();
    write(&root);
    for file in fs::read_dir(&root).unwrap() {
        let path = file.unwrap().path();
        if !path.ends_with("crates.csv") {
            fs::remove_file(path).unwrap();
        }
    }
    let dump = Dump::open(&root, &DumpOptions::default()).unwrap();
    assert_eq!(dump.crates.len(), 2);
    assert_eq!(dump.problems.len(), 7);
    fs::write(root.join("crates.csv"), "id,title\n").unwrap();
    let error = Dump::open(&root, &DumpOptions::default()).unwrap_err();
    assert!(error.to_string().contains("no column `name`"), "{error}");
    fs::remove_file(root.join("crates.csv")).unwrap();
    assert!(matches!(
        Dump::open(&root, &DumpOptions::default()),
        Err(IndexError::Read { .. })
    ));
}

/// Guards the limit, which is reported.
#[test]
fn rows_are_limited() {
    let (_guard, root) = directory();
    write(&root);
    let options = DumpOptions {
        rows: 1,
        ..DumpOptions::default()
    };
    let dump = Dump::open(&root, &options).unwrap();
    assert_eq!(dump.crates.len(), 1);
    assert!(
        dump.problems
            .iter()
            .any(|problem| problem.reason.contains("only 1 rows"))
    );
}
