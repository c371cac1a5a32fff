//! The list of applications.

use super::{Set, Target};

/// All targets. They are published programs that nobody here wrote, need
/// nothing but a C compiler to build, and together cover what applications
/// use: threads, hand-built vtables, tables of trait objects, derives of
/// every common kind, and the main asynchronous stacks.
pub(crate) const TARGETS: &[Target] = &[
    // Tables of `&dyn Flag`, regex automata, threads, memory maps.
    Target {
        name: "ripgrep",
        version: "14.1.1",
        bin: "rg",
        set: Set::Plain,
        commands: &[
            &["--help"],
            &["fn\\s+main", "{dir}"],
            &["--json", "-i", "-C2", "impl", "{dir}/crates"],
            &["--files", "--sort", "path", "{dir}"],
            &["-c", "-w", "--stats", "use", "{dir}"],
            &["-U", "-o", "-r", "$1", "fn (\\w+)\\(", "{dir}/crates"],
        ],
        server: &[],
    },
    // Parsers, geometry, images and fonts: number crunching behind traits.
    Target {
        name: "resvg",
        version: "0.49.0",
        bin: "resvg",
        set: Set::Plain,
        commands: &[&["--help"], &["--version"]],
        server: &[],
    },
    // clap's builder without derives, closures over iterators.
    Target {
        name: "pastel",
        version: "0.12.0",
        bin: "pastel",
        set: Set::Plain,
        commands: &[
            &["--help"],
            &["--color-mode", "24bit", "format", "lch", "rebeccapurple"],
            &["gradient", "-n", "4", "red", "blue"],
            &["mix", "red", "blue"],
            &["list"],
        ],
        server: &[],
    },
    // clap and serde derives, rayon, a configuration file.
    Target {
        name: "du-dust",
        version: "1.2.7",
        bin: "dust",
        set: Set::Cli,
        commands: &[
            &["--help"],
            &["-d", "3", "{dir}"],
            &["-j", "{dir}"],
            &["-t", "-F", "{dir}"],
        ],
        server: &[],
    },
    // derives of clap, serde, snafu and strum; a parser and an evaluator.
    Target {
        name: "just",
        version: "1.59.0",
        bin: "just",
        set: Set::Cli,
        commands: &[
            &["--help"],
            &["--justfile", "{dir}/justfile", "--list"],
            &["--justfile", "{dir}/justfile", "--dump"],
            &["--justfile", "{dir}/justfile", "--summary"],
            &[
                "--justfile",
                "{dir}/justfile",
                "--dump",
                "--dump-format",
                "json",
            ],
        ],
        server: &[],
    },
    // derives of clap, serde, derive_more, strum and thiserror; winnow.
    Target {
        name: "typos-cli",
        version: "1.52.0",
        bin: "typos",
        set: Set::Cli,
        commands: &[
            &["--help"],
            &["{dir}"],
            &["--format", "json", "{dir}"],
            &["--dump-config", "-"],
        ],
        server: &[],
    },
    // derives of clap and serde around a terminal interface. Chosen for being
    // widely used before it was measured; no expander was written for it.
    Target {
        name: "bottom",
        version: "0.15.0",
        bin: "btm",
        set: Set::Cli,
        commands: &[&["--help"], &["--version"]],
        server: &[],
    },
    // The smallest real tokio program: derives, tracing, framed streams.
    Target {
        name: "bore-cli",
        version: "0.6.0",
        bin: "bore",
        set: Set::Async,
        commands: &[&["--help"], &["local", "1", "--to", "localhost"]],
        server: &[],
    },
    // hyper, tokio, compression, TLS; generated markup.
    Target {
        name: "static-web-server",
        version: "2.44.1",
        bin: "static-web-server",
        set: Set::Async,
        commands: &[&["--help"], &["--root", "/nonexistent"]],
        server: &[
            "--host",
            "127.0.0.1",
            "--port",
            "{port}",
            "--root",
            "{dir}",
            "--directory-listing",
        ],
    },
    // tonic, tower, hyper, prost: services nested in services.
    Target {
        name: "tokio-console",
        version: "0.1.14",
        bin: "tokio-console",
        set: Set::Async,
        commands: &[&["--help"], &["gen-completion", "bash"]],
        server: &[],
    },
    // actix: actors, handlers as generic functions, multipart; the largest.
    Target {
        name: "miniserve",
        version: "0.35.0",
        bin: "miniserve",
        set: Set::Async,
        commands: &[&["--help"], &["--print-manpage"]],
        server: &["--interfaces", "127.0.0.1", "--port", "{port}", "{dir}"],
    },
    // Advisories: time, chrono, users, regex and thread_local of 2021.
    Target {
        name: "fd-find",
        version: "8.3.0",
        bin: "fd",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: a small program whose affected crates are terminal helpers.
    Target {
        name: "hexyl",
        version: "0.9.0",
        bin: "hexyl",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: rayon's crates, tempfile and structopt of 2020.
    Target {
        name: "sd",
        version: "0.7.6",
        bin: "sd",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: rand, remove_dir_all and regex of 2021.
    Target {
        name: "hyperfine",
        version: "1.12.0",
        bin: "hyperfine",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: many crates of 2021 that are locked for features which are off.
    Target {
        name: "tokei",
        version: "12.1.2",
        bin: "tokei",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: structopt, proptest and regex of 2020.
    Target {
        name: "grex",
        version: "1.1.0",
        bin: "grex",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: anyhow and rand of 2020.
    Target {
        name: "zoxide",
        version: "0.4.3",
        bin: "zoxide",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: a binding to a C library, and users.
    Target {
        name: "exa",
        version: "0.10.1",
        bin: "exa",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: failure, nix, lock_api and smallvec of 2020 behind a terminal.
    Target {
        name: "diskonaut",
        version: "0.11.0",
        bin: "diskonaut",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: time, chrono and the crossbeam crates of 2021.
    Target {
        name: "dua-cli",
        version: "2.14.1",
        bin: "dua",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: archives: tar, lz4_flex, time and bytes of 2023.
    Target {
        name: "ouch",
        version: "0.5.1",
        bin: "ouch",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: image in two versions, and arc-swap.
    Target {
        name: "viu",
        version: "1.0.0",
        bin: "viu",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: syntax highlighting, git2 and nix of 2021.
    Target {
        name: "bat",
        version: "0.18.3",
        bin: "bat",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: failure, users, bumpalo and hyper of 2021.
    Target {
        name: "procs",
        version: "0.11.13",
        bin: "procs",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: reqwest with OpenSSL, tar, tokio and futures of 2020.
    Target {
        name: "tealdeer",
        version: "1.4.1",
        bin: "tldr",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: pnet, tokio, OpenSSL and smallvec of 2019 and 2020.
    Target {
        name: "bandwhich",
        version: "0.20.0",
        bin: "bandwhich",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: maxminddb, hickory, lru and tokio of 2024.
    Target {
        name: "trippy",
        version: "0.11.0",
        bin: "trip",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: ammonia, shlex, warp and tungstenite of 2021.
    Target {
        name: "mdbook",
        version: "0.4.10",
        bin: "mdbook",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
];
