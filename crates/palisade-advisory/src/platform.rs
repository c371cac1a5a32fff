//! The platform that a build is for, and the filters of advisories.

/// The part of a target triple that advisories filter by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetInfo {
    /// The value of `target_os` (`linux`, `windows`, …).
    pub os: String,
    /// The value of `target_arch` (`x86_64`, `aarch64`, …).
    pub arch: String,
}

/// The values of `target_os` that rustc 1.95 knows.
const OPERATING_SYSTEMS: &str = "\
    aix amdhsa android cuda cygwin dragonfly emscripten espidf freebsd fuchsia \
    haiku helenos hermit horizon hurd illumos ios l4re linux lynxos178 macos \
    managarm motor netbsd none nto nuttx openbsd psp psx qurt redox rtems \
    solaris solid_asp3 teeos trusty tvos uefi unknown vexos visionos vita \
    vxworks wasi watchos windows xous zkvm";

/// The values of `target_arch` that rustc 1.95 knows.
const ARCHITECTURES: &str = "\
    aarch64 amdgpu arm arm64ec avr bpf csky hexagon loongarch32 loongarch64 m68k \
    mips mips32r6 mips64 mips64r6 msp430 nvptx64 powerpc powerpc64 riscv32 \
    riscv64 s390x sparc sparc64 spirv wasm32 wasm64 x86 x86_64 xtensa";

impl TargetInfo {
    /// Whether filters of an advisory admit this platform.
    ///
    /// An empty list admits every platform. So does a list with a name that
    /// no compiler uses: a misspelt name must not hide the advisory.
    pub(crate) fn is_admitted(&self, os: &[String], arch: &[String]) -> bool {
        admits(os, &self.os, OPERATING_SYSTEMS) && admits(arch, &self.arch, ARCHITECTURES)
    }
}

fn admits(filter: &[String], value: &str, known: &str) -> bool {
    filter.is_empty()
        || filter.iter().any(|name| {
            name.eq_ignore_ascii_case(value)
                || !known
                    .split(' ')
                    .any(|known| known.eq_ignore_ascii_case(name))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards that only well-spelt filters of another platform exclude.
    #[test]
    fn filters() {
        let linux = TargetInfo {
            os: "linux".into(),
            arch: "x86_64".into(),
        };
        let names = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert!(linux.is_admitted(&[], &[]));
        assert!(linux.is_admitted(&names(&["windows", "linux"]), &[]));
        assert!(linux.is_admitted(&[], &names(&["x86_64"])));
        assert!(!linux.is_admitted(&names(&["windows"]), &[]));
        assert!(!linux.is_admitted(&names(&["linux"]), &names(&["arm"])));
        assert!(
            linux.is_admitted(&names(&["windwos"]), &[]),
            "a misspelt name must not hide"
        );
    }
}
