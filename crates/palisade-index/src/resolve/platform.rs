//! A platform to build for or on.

use cargo_platform::Cfg;

/// A platform: its triple and the configuration that the compiler sets for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    triple: String,
    cfgs: Vec<Cfg>,
}

/// What `rustc --print cfg` says for the most common platform, as far as
/// dependencies are ever chosen by it.
const X86_64_LINUX: &str = "\
debug_assertions
panic=\"unwind\"
target_abi=\"\"
target_arch=\"x86_64\"
target_endian=\"little\"
target_env=\"gnu\"
target_family=\"unix\"
target_feature=\"fxsr\"
target_feature=\"sse\"
target_feature=\"sse2\"
target_has_atomic=\"16\"
target_has_atomic=\"32\"
target_has_atomic=\"64\"
target_has_atomic=\"8\"
target_has_atomic=\"ptr\"
target_os=\"linux\"
target_pointer_width=\"64\"
target_vendor=\"unknown\"
unix
";

impl Platform {
    /// From a triple and what `rustc --print cfg --target TRIPLE` prints.
    /// Lines that are no configuration are skipped.
    pub fn new(triple: &str, printed: &str) -> Platform {
        Platform {
            triple: triple.to_owned(),
            cfgs: printed
                .lines()
                .filter_map(|line| line.parse().ok())
                .collect(),
        }
    }

    /// 64-bit Linux on x86, without asking a compiler.
    pub fn x86_64_linux() -> Platform {
        Platform::new("x86_64-unknown-linux-gnu", X86_64_LINUX)
    }

    /// The triple.
    pub fn triple(&self) -> &str {
        &self.triple
    }

    /// Whether a dependency's `target` names this platform. What cannot be
    /// understood names none; index lines with such a target do not count.
    pub fn matches(&self, target: &str) -> bool {
        target
            .parse::<cargo_platform::Platform>()
            .is_ok_and(|platform| platform.matches(&self.triple, &self.cfgs))
    }
}
