//! Index lines.

use palisade_index::{
    DependencyKind, FeatureValue, IndexFile, canonical_name, index_path, is_crate_name,
};

fn line(more: &str) -> String {
    let checksum = "0".repeat(64);
    format!(
        r#"{{"name":"demo","vers":"1.0.0","deps":[],"cksum":"{checksum}","features":{{}}{more}}}"#
    )
}

fn problem(line: &str) -> String {
    let file = IndexFile::parse("demo", line);
    assert_eq!((file.versions.len(), file.problems.len()), (0, 1), "{line}");
    file.problems[0].reason.clone()
}

/// Guards that fields of the future do no harm and are kept byte for byte.
#[test]
fn unknown_fields_are_kept() {
    let text = line(r#","new":{"deep":[1,2]}"#);
    let file = IndexFile::parse("demo", &text);
    assert_eq!(file.versions[0].raw, text);
    assert_eq!(file.problems, []);
}

/// Guards every known field, among them those that came later.
#[test]
fn all_fields_are_read() {
    let dependency = r#"{"name":"renamed","package":"real","req":"^1.2","features":["a"],"optional":true,
        "default_features":false,"target":"cfg(unix)","kind":"build","registry":null}"#;
    let text = line(&format!(
        r#","yanked":true,"links":"z","rust_version":"1.70","v":2,"pubtime":"2020-01-01T00:00:00Z",
           "features2":{{"x":["dep:renamed","renamed?/a"]}},"deps":[{dependency}]"#
    ));
    // The last of two equal keys counts to no one: it is refused.
    let text = text.replacen(r#""deps":[],"#, "", 1).replace('\n', "");
    let file = IndexFile::parse("demo", &text);
    let version = &file.versions[0];
    assert!(version.yanked);
    assert_eq!(version.links.as_deref(), Some("z"));
    assert_eq!(version.rust_version.as_deref(), Some("1.70"));
    assert_eq!(
        (version.schema, version.published.unwrap().as_second()),
        (2, 1_577_836_800)
    );
    let dependency = &version.dependencies[0];
    assert_eq!(
        (dependency.name.as_str(), dependency.package.as_str()),
        ("renamed", "real")
    );
    assert_eq!(dependency.kind, DependencyKind::Build);
    assert!(dependency.optional && !dependency.default_features);
    let weak = FeatureValue::DependencyFeature {
        dependency: "renamed".to_owned(),
        feature: "a".to_owned(),
        weak: true,
    };
    assert_eq!(
        version.features["x"],
        [FeatureValue::Dependency("renamed".to_owned()), weak]
    );
    // `dep:` takes the feature of that name away.
    assert_eq!(version.features.len(), 1);
}

/// Guards old lines: absent or null fields, and the feature that an optional
/// dependency implies.
#[test]
fn old_lines_are_read() {
    let checksum = "0".repeat(64);
    let text = format!(
        r#"{{"name":"demo","vers":"0.1.0+build.5","cksum":"{checksum}","links":null,"yanked":null,
            "deps":[{{"name":"other","req":"*","optional":true}}]}}"#
    );
    let file = IndexFile::parse("demo", &text.replace('\n', ""));
    let version = &file.versions[0];
    assert_eq!(version.version.to_string(), "0.1.0+build.5");
    assert_eq!(
        version.features["other"],
        [FeatureValue::Dependency("other".to_owned())]
    );
    assert!(version.dependencies[0].default_features);
}

/// Guards that a wrong line costs itself alone, and says what is wrong.
#[test]
fn wrong_lines_are_problems() {
    let cases = [
        ("not json".to_owned(), "expected"),
        (line("").replace("1.0.0", "1.0"), "version `1.0`"),
        (line("").replace("\"0000", "\"zzzz"), "checksum"),
        (
            line("").replace("[]", r#"[{"name":"a","req":"~>1"}]"#),
            "requirement `~>1`",
        ),
        (
            line("").replace("[]", r#"[{"name":"a","req":"1","kind":"odd"}]"#),
            "kind `odd`",
        ),
        (
            line("").replace("[]", r#"[{"name":"a","req":"1","target":"cfg("}]"#),
            "target `cfg(`",
        ),
        (line(r#","features2":{"x":["y"]}"#), "no feature `y`"),
        (line(r#","features2":{"x":["dep:y"]}"#), "no dependency `y`"),
        (line(r#","v":3"#), "schema 3"),
        (line("").replace("demo", "evil"), "about `evil`"),
    ];
    for (text, reason) in cases {
        let found = problem(&text);
        assert!(found.contains(reason), "{text}: {found}");
    }
    let mixed = format!(
        "{}\nbroken\n\n{}",
        line(""),
        line("").replace("1.0.0", "1.1.0")
    );
    let file = IndexFile::parse("demo", &mixed);
    assert_eq!((file.versions.len(), file.problems[0].line), (2, 2));
}

/// Guards where files lie and which names may become paths.
#[test]
fn names_and_paths() {
    let paths = ["a", "ab", "abc", "Abcd", "serde_json"].map(index_path);
    assert_eq!(
        paths,
        ["1/a", "2/ab", "3/a/abc", "ab/cd/abcd", "se/rd/serde_json"]
    );
    assert_eq!(canonical_name("Foo_Bar-baz"), "foo-bar-baz");
    assert!(is_crate_name("a-b_c9"));
    for wrong in ["", "../x", "a/b", "a.b", "é", "a b", &"x".repeat(65)] {
        assert!(!is_crate_name(wrong), "{wrong}");
    }
}
