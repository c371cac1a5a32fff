//! Landlock: reading in named places only, no writing, no TCP, no signals to
//! others.

use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, PathBeneath, PathFd,
    RestrictionStatus, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
    Scope,
};

/// The newest version whose rights are asked for; older kernels enforce what
/// they know.
const NEWEST: ABI = ABI::V6;

/// What the kernel enforces.
pub(super) enum Files {
    /// Everything that was asked for.
    Full { abi: i32 },
    /// What this version knows.
    Partly { abi: i32 },
    /// Nothing.
    None { reason: String },
}

/// Restricts this thread and those that it will start.
///
/// # Errors
/// A place that is to be readable cannot be opened.
pub(super) fn restrict(readable: &[PathBuf]) -> Result<Files, String> {
    let mut places = Vec::with_capacity(readable.len());
    for path in readable {
        let metadata = path
            .metadata()
            .map_err(|error| format!("cannot make `{}` readable: {error}", path.display()))?;
        let opened = PathFd::new(path)
            .map_err(|error| format!("cannot make `{}` readable: {error}", path.display()))?;
        let access = if metadata.is_dir() {
            AccessFs::ReadFile | AccessFs::ReadDir
        } else {
            AccessFs::ReadFile.into()
        };
        places.push(PathBeneath::new(opened, access));
    }
    Ok(match enforce(places) {
        Ok(status) => explain(&status),
        Err(error) => Files::None {
            reason: error.to_string(),
        },
    })
}

fn enforce(places: Vec<PathBeneath<PathFd>>) -> Result<RestrictionStatus, RulesetError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    for place in places {
        ruleset = ruleset.add_rule(place)?;
    }
    ruleset.restrict_self()
}

fn explain(status: &RestrictionStatus) -> Files {
    let abi = match &status.landlock {
        LandlockStatus::Available {
            effective_abi,
            kernel_abi,
        } => kernel_abi.unwrap_or(*effective_abi as i32),
        LandlockStatus::NotEnabled => {
            return Files::None {
                reason: "the kernel has it switched off".to_owned(),
            };
        }
        LandlockStatus::NotImplemented => {
            return Files::None {
                reason: "the kernel does not have it".to_owned(),
            };
        }
    };
    match status.ruleset {
        RulesetStatus::FullyEnforced => Files::Full { abi },
        RulesetStatus::PartiallyEnforced => Files::Partly { abi },
        RulesetStatus::NotEnforced => Files::None {
            reason: "the kernel does not enforce it".to_owned(),
        },
    }
}
