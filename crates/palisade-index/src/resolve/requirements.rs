//! From features that are asked of a package to the dependencies that they
//! need and the features that they ask of those.

use std::collections::{BTreeMap, BTreeSet};

use crate::feature::{FeatureValue, Features};
use crate::{Dependency, DependencyKind, Requested};

/// Which features are asked of a package.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Wanted {
    All,
    Some {
        features: BTreeSet<String>,
        default: bool,
    },
}

impl From<&Requested> for Wanted {
    fn from(requested: &Requested) -> Wanted {
        match requested {
            Requested::All => Wanted::All,
            Requested::Some { features, default } => Wanted::Some {
                features: features.iter().cloned().collect(),
                default: *default,
            },
        }
    }
}

/// What follows from the features.
pub(super) struct Needed {
    /// The features that become enabled.
    pub(super) features: BTreeSet<String>,
    /// The dependencies, by their place in the list, and the features that are
    /// asked of each.
    pub(super) dependencies: Vec<(usize, BTreeSet<String>)>,
}

/// Follows `wanted` through a package's features.
///
/// A weak feature of an optional dependency needs that dependency here, as in
/// cargo: whether something enables it is only settled when building.
///
/// # Errors
/// A feature does not exist; its name.
pub(super) fn follow(
    dependencies: &[Dependency],
    features: &Features,
    wanted: &Wanted,
    development: bool,
) -> Result<Needed, String> {
    let mut walk = Walk {
        features,
        dependencies,
        enabled: BTreeSet::new(),
        asked: BTreeMap::new(),
        pending: Vec::new(),
    };
    match wanted {
        Wanted::All => {
            for name in features.keys() {
                walk.feature(name)?;
            }
            for dependency in dependencies.iter().filter(|dependency| dependency.optional) {
                walk.asked.entry(dependency.name.clone()).or_default();
            }
        }
        Wanted::Some {
            features: names,
            default,
        } => {
            for name in names {
                walk.value(&FeatureValue::parse(name))?;
            }
            if *default && features.contains_key("default") {
                walk.feature("default")?;
            }
        }
    }
    walk.finish()?;
    let mut needed = Vec::new();
    for (at, dependency) in dependencies.iter().enumerate() {
        if dependency.kind == DependencyKind::Development && !development {
            continue;
        }
        let asked = walk.asked.get(&dependency.name);
        if dependency.optional && asked.is_none() {
            continue;
        }
        let mut features = asked.cloned().unwrap_or_default();
        features.extend(dependency.features.iter().cloned());
        needed.push((at, features));
    }
    Ok(Needed {
        features: walk.enabled,
        dependencies: needed,
    })
}

struct Walk<'a> {
    features: &'a Features,
    dependencies: &'a [Dependency],
    enabled: BTreeSet<String>,
    /// Dependencies by name, and the features asked of them.
    asked: BTreeMap<String, BTreeSet<String>>,
    /// Features that are enabled but not followed yet: a chain of features may
    /// be longer than the stack is deep.
    pending: Vec<&'a [FeatureValue]>,
}

impl Walk<'_> {
    fn feature(&mut self, name: &str) -> Result<(), String> {
        let values = self.features.get(name).ok_or(name)?;
        if self.enabled.insert(name.to_owned()) {
            self.pending.push(values);
        }
        Ok(())
    }

    fn value(&mut self, value: &FeatureValue) -> Result<(), String> {
        match value {
            FeatureValue::Feature(name) => self.feature(name),
            FeatureValue::Dependency(name) => {
                self.asked.entry(name.clone()).or_default();
                Ok(())
            }
            FeatureValue::DependencyFeature {
                dependency,
                feature,
                weak,
            } => {
                let optional = |known: &Dependency| known.optional && known.name == *dependency;
                // `dep:` may have taken the feature of that name away.
                if !weak
                    && self.features.contains_key(dependency)
                    && self.dependencies.iter().any(optional)
                {
                    self.feature(dependency)?;
                }
                let asked = self.asked.entry(dependency.clone()).or_default();
                asked.insert(feature.clone());
                Ok(())
            }
        }
    }

    fn finish(&mut self) -> Result<(), String> {
        while let Some(values) = self.pending.pop() {
            for value in values {
                self.value(value)?;
            }
        }
        Ok(())
    }
}
