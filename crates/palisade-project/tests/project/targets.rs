//! Which targets are analysed, and what each unit knows.

use palisade_project::UnitKind;

use crate::support::{Project, labels, package, shape};

fn workspace() -> Project {
    Project::new(&[
        (
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"a\", \"b\", \"m\"]\ndefault-members = [\"a\"]\n",
        ),
        (
            "a/Cargo.toml",
            &package(
                "a",
                "[dependencies]\nm = { path = \"../m\" }\n\
                 [dev-dependencies]\nb = { path = \"../b\" }\n\
                 [features]\nspecial = []\n\
                 [[bin]]\nname = \"needs\"\nrequired-features = [\"special\"]\n",
            ),
        ),
        ("a/src/lib.rs", ""),
        ("a/src/main.rs", "fn main() {}"),
        ("a/src/bin/two-words.rs", "fn main() {}"),
        ("a/src/bin/needs.rs", "fn main() {}"),
        ("a/tests/it.rs", ""),
        ("a/benches/speed.rs", ""),
        ("a/examples/show.rs", "fn main() {}"),
        ("b/Cargo.toml", &package("b", "")),
        ("b/src/lib.rs", ""),
        ("m/Cargo.toml", &package("m", "[lib]\nproc-macro = true\n")),
        ("m/src/lib.rs", ""),
        ("m/build.rs", "fn main() {}"),
    ])
}

/// Guards the default selection and the flags that change it.
#[test]
fn members_and_binaries_are_selected_as_cargo_does() {
    let project = workspace();
    assert_eq!(
        labels(&project.load(|_| {})),
        ["lib:a", "bin:a", "bin:two-words"]
    );
    assert_eq!(
        labels(&project.load(|options| options.workspace = true)),
        ["lib:a", "bin:a", "bin:two-words", "lib:b", "lib:m"]
    );
    assert_eq!(
        labels(&project.load(|options| {
            options.workspace = true;
            options.exclude = vec!["a".to_owned()];
        })),
        ["lib:b", "lib:m"]
    );
    assert_eq!(
        labels(&project.load(|options| options.packages = vec!["b".to_owned()])),
        ["lib:b"]
    );
    assert_eq!(
        labels(&project.load(|options| options.path = project.root().join("b"))),
        ["lib:b"]
    );
    assert_eq!(
        labels(&project.load(|options| options.bins = vec!["two-words".to_owned()])),
        ["bin:two-words"]
    );
    assert_eq!(
        labels(&project.load(|options| options.features = vec!["special".to_owned()])),
        ["lib:a", "bin:a", "bin:needs", "bin:two-words"]
    );
}

/// Guards that tests, benches and examples bring the development dependencies,
/// and only they.
#[test]
fn tests_bring_development_dependencies() {
    let plan = workspace().load(|options| options.tests = true);
    assert_eq!(
        labels(&plan),
        [
            "lib:a",
            "test:lib:a",
            "bin:a",
            "test:bin:a",
            "bin:two-words",
            "test:bin:two-words",
            "example:show",
            "test:it",
            "bench:speed",
        ]
    );
    for target in &plan.targets {
        let unit = &plan.units[target.unit.0];
        let names: Vec<&str> = unit.deps.iter().map(|(name, _)| name.as_str()).collect();
        let expected: &[&str] = match (target.label.as_str(), unit.kind) {
            ("lib:a", _) => &["m"],
            ("test:lib:a", _) => &["b", "m"],
            (_, UnitKind::Bin) => &["a", "m"],
            _ => &["a", "b", "m"],
        };
        let mut names = names;
        names.sort_unstable();
        assert_eq!(names, expected, "{}", target.label);
        assert_eq!(
            unit.extra_cfgs.contains(&"test".to_owned()),
            matches!(unit.kind, UnitKind::Test | UnitKind::Bench),
            "{}",
            target.label
        );
    }
}

/// Guards the context of code that runs while a target is built.
#[test]
fn build_units_are_those_of_the_target() {
    let project = workspace();
    let plan = project.load(|options| options.bins = vec!["a".to_owned()]);
    let kinds: Vec<(UnitKind, bool)> = plan.targets[0]
        .build_units
        .iter()
        .map(|id| (plan.units[id.0].kind, plan.units[id.0].host))
        .collect();
    assert_eq!(
        kinds,
        [(UnitKind::BuildScript, true), (UnitKind::ProcMacro, true)]
    );
    let plan = project.load(|options| options.packages = vec!["b".to_owned()]);
    assert_eq!(plan.targets[0].build_units, []);
}

/// Guards the environment that `env!` sees.
#[test]
fn units_know_their_environment() {
    let project = workspace();
    let plan = project.load(|options| options.bins = vec!["two-words".to_owned()]);
    let unit = &plan.units[plan.targets[0].unit.0];
    let value = |key: &str| unit.env.get(key).map(String::as_str);
    assert_eq!(value("CARGO_PKG_NAME"), Some("a"));
    assert_eq!(value("CARGO_PKG_VERSION_MINOR"), Some("1"));
    assert_eq!(value("CARGO_CRATE_NAME"), Some("two_words"));
    assert_eq!(value("CARGO_BIN_NAME"), Some("two-words"));
    assert_eq!(
        value("CARGO_MANIFEST_DIR"),
        Some(project.root().join("a").as_str())
    );
    assert_eq!(value("OUT_DIR"), None);
    assert_eq!(
        unit.root_file,
        project.root().join("a/src/bin/two-words.rs")
    );
    assert_eq!(unit.package_dir, project.root().join("a"));
    assert_eq!(unit.edition, "2024");
}

/// Guards that units come after those that they depend on.
#[test]
fn dependencies_come_first() {
    let plan = workspace().load(|options| options.tests = true);
    for (index, unit) in plan.units.iter().enumerate() {
        for (name, dependency) in &unit.deps {
            assert!(dependency.0 < index, "{} before {name}", unit.name);
        }
    }
}

/// Guards against an endless walk: a directory that contains itself is no
/// member and no module.
#[cfg(unix)]
#[test]
fn a_symbolic_link_to_itself_does_no_harm() {
    let project = Project::new(&[
        ("Cargo.toml", &package("app", "")),
        ("src/main.rs", "fn main() {}"),
    ]);
    std::os::unix::fs::symlink(project.root(), project.root().join("src/again"))
        .expect("a symbolic link");
    std::os::unix::fs::symlink(project.root().join("loop"), project.root().join("loop"))
        .expect("a symbolic link");
    assert_eq!(shape(&project.load(|_| {})), ["app:Bin[] ->"]);
}

/// Guards the names of a build script that nobody has reviewed, and the
/// formulas of one that uses `cfg_aliases!`.
#[test]
fn flags_of_build_scripts_are_found_in_their_text() {
    let project = Project::new(&[
        ("Cargo.toml", &package("app", "[features]\nfast = []\n")),
        ("src/main.rs", "fn main() {}"),
        (
            "build.rs",
            r#"
            // println!("cargo:rustc-cfg=in_a_comment");
            mod more;
            fn main() {
                println!("cargo::rustc-cfg=perhaps");
                println!("cargo:rustc-cfg=level=\"high\"");
                enable("composed");
                cfg_aliases::cfg_aliases! {
                    everywhere: { any(unix, windows) },
                    nowhere: { all(everywhere, not(any(unix, windows))) },
                    fast_here: { all(everywhere, feature = "fast") },
                }
            }
            fn enable(name: &str) { println!("cargo:rustc-cfg={name}") }
            "#,
        ),
        (
            "more.rs",
            r#"fn f() { println!("cargo:rustc-cfg=in_a_module"); }"#,
        ),
    ]);
    let plan = project.load(|options| options.features = vec!["fast".to_owned()]);
    let unit = plan.units.last().expect("the application");
    assert_eq!(unit.extra_cfgs, ["everywhere", "fast_here"]);
    assert_eq!(
        unit.unknown_cfgs,
        ["composed", "in_a_module", "level", "perhaps"]
    );
}

/// Guards the small files whose text a build script holds ready.
#[test]
fn generated_files_are_known() {
    let project = Project::new(&[
        ("Cargo.toml", &package("app", "")),
        ("src/main.rs", "fn main() {}"),
        (
            "build.rs",
            "const PRIVATE: &str = \"\\\npub mod __private$$ {}\n\";\n\
             fn main() { write(\"private.rs\", PRIVATE); }",
        ),
    ]);
    let plan = project.load(|_| {});
    let unit = plan.units.last().expect("the application");
    assert_eq!(
        plan.generated_files(unit, &palisade_project::OnDisk),
        [(
            "private.rs".to_owned(),
            "pub mod __private0 {}\n".to_owned()
        )]
    );
}
