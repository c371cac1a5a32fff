//! The features of a package, after the rules of Cargo's reference.

use std::collections::{BTreeMap, BTreeSet};

/// Each feature's name and what it enables.
pub type Features = BTreeMap<String, Vec<FeatureValue>>;

/// One thing that a feature enables.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FeatureValue {
    /// `name`: another feature of the same package.
    Feature(String),
    /// `dep:name`: an optional dependency.
    Dependency(String),
    /// `name/feature`: a feature of a dependency, which it enables if it is
    /// optional; `name?/feature`: only if something else enables it.
    DependencyFeature {
        /// The dependency, as the manifest calls it.
        dependency: String,
        /// The dependency's feature.
        feature: String,
        /// Whether it leaves the dependency as it is.
        weak: bool,
    },
}

impl FeatureValue {
    /// Reads one value of a feature's list.
    pub fn parse(text: &str) -> FeatureValue {
        if let Some((dependency, feature)) = text.split_once('/') {
            let weak = dependency.ends_with('?');
            return FeatureValue::DependencyFeature {
                dependency: dependency
                    .strip_suffix('?')
                    .unwrap_or(dependency)
                    .to_owned(),
                feature: feature.to_owned(),
                weak,
            };
        }
        match text.strip_prefix("dep:") {
            Some(dependency) => FeatureValue::Dependency(dependency.to_owned()),
            None => FeatureValue::Feature(text.to_owned()),
        }
    }
}

/// A dependency, as far as features care.
pub(crate) struct Named<'a> {
    pub(crate) name: &'a str,
    pub(crate) optional: bool,
}

/// Builds a package's features from its lists: parses them and adds the
/// feature that an optional dependency implies, unless some `dep:` names it.
///
/// # Errors
/// What cargo refuses, so that to cargo the version does not exist: a value
/// names what is not there. The text says which.
pub(crate) fn build(
    lists: &BTreeMap<String, Vec<String>>,
    dependencies: &[Named<'_>],
) -> Result<Features, String> {
    let mut features: Features = lists
        .iter()
        .map(|(name, values)| {
            let values = values.iter().map(|value| FeatureValue::parse(value));
            (name.clone(), values.collect())
        })
        .collect();
    let explicit: BTreeSet<String> = features
        .values()
        .flatten()
        .filter_map(|value| match value {
            FeatureValue::Dependency(name) => Some(name.clone()),
            _ => None,
        })
        .collect();
    // One name can stand for several dependencies, one for each target.
    let mut known: BTreeMap<&str, bool> = BTreeMap::new();
    for dependency in dependencies {
        *known.entry(dependency.name).or_default() |= dependency.optional;
    }
    for (&name, &optional) in &known {
        if optional && !explicit.contains(name) && !features.contains_key(name) {
            let value = FeatureValue::Dependency(name.to_owned());
            features.insert(name.to_owned(), vec![value]);
        }
    }
    for (name, values) in &features {
        for value in values {
            check(value, &features, &known).map_err(|why| format!("feature `{name}`: {why}"))?;
        }
    }
    Ok(features)
}

fn check(
    value: &FeatureValue,
    features: &Features,
    known: &BTreeMap<&str, bool>,
) -> Result<(), String> {
    match value {
        FeatureValue::Feature(name) if !features.contains_key(name) => {
            Err(format!("there is no feature `{name}`"))
        }
        FeatureValue::Dependency(name) => match known.get(name.as_str()) {
            None => Err(format!("there is no dependency `{name}`")),
            Some(false) => Err(format!("the dependency `{name}` is not optional")),
            Some(true) => Ok(()),
        },
        FeatureValue::DependencyFeature {
            dependency,
            feature,
            weak,
        } => {
            if feature.contains('/') || dependency.starts_with("dep:") {
                return Err(format!("`{dependency}/{feature}` is not a feature"));
            }
            match known.get(dependency.as_str()) {
                None => Err(format!("there is no dependency `{dependency}`")),
                Some(false) if *weak => {
                    Err(format!("the dependency `{dependency}` is not optional"))
                }
                Some(_) => Ok(()),
            }
        }
        FeatureValue::Feature(_) => Ok(()),
    }
}
