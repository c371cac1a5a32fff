//! Which members and features the options select.

use std::collections::BTreeSet;

use camino::Utf8Path;
use guppy::graph::cargo::{CargoOptions, CargoResolverVersion, CargoSet};
use guppy::graph::feature::{FeatureId, FeatureSet, StandardFeatures};
use guppy::graph::{PackageGraph, PackageMetadata};
use guppy::platform::{Platform, PlatformSpec, TargetFeatures};

use crate::{LoadError, LoadOptions};

/// A target triple and its flags, as guppy evaluates conditions.
pub(crate) fn platform(triple: &str, cfgs: &[String]) -> Result<PlatformSpec, LoadError> {
    let features = cfgs.iter().filter_map(|cfg| {
        let feature = cfg.strip_prefix("target_feature=\"")?.strip_suffix('"')?;
        Some(feature.to_owned())
    });
    let mut platform = Platform::new(triple.to_owned(), TargetFeatures::features(features))
        .map_err(|error| LoadError::Target {
            triple: triple.to_owned(),
            message: error.to_string(),
        })?;
    platform.add_flags(cfgs.iter().filter(|cfg| !cfg.contains('=')).cloned());
    Ok(PlatformSpec::from(platform))
}

/// The members that are selected, in the order of the workspace.
pub(crate) fn members<'g>(
    graph: &'g PackageGraph,
    options: &LoadOptions,
    root: &Utf8Path,
    manifest: &Utf8Path,
) -> Result<Vec<PackageMetadata<'g>>, LoadError> {
    let workspace = graph.workspace();
    let names = || {
        let names: Vec<&str> = workspace.iter().map(|member| member.name()).collect();
        Some(format!("the workspace has {}", listed(&names)))
    };
    let unknown = |name: &str| LoadError::Selection {
        manifest: manifest.to_owned(),
        message: format!("no package `{name}`"),
        advice: names(),
    };
    let find = |wanted: &str| {
        let (name, version) = match wanted.rsplit_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (wanted, None),
        };
        workspace
            .iter()
            .find(|member| {
                member.name() == name
                    && version.is_none_or(|version| member.version().to_string() == version)
            })
            .ok_or_else(|| unknown(wanted))
    };

    let mut selected: Vec<PackageMetadata<'g>> = Vec::new();
    if !options.packages.is_empty() {
        for name in &options.packages {
            selected.push(find(name)?);
        }
    } else if options.workspace {
        for name in &options.exclude {
            find(name)?;
        }
        selected.extend(
            workspace
                .iter()
                .filter(|member| !options.exclude.iter().any(|name| name == member.name())),
        );
    } else {
        // The manifest's own package, unless it is the root of the workspace:
        // then its default members, as cargo has it.
        let own = workspace
            .iter()
            .find(|member| member.manifest_path() == manifest);
        match own {
            Some(own) if manifest.parent() != Some(root) => selected.push(own),
            _ => selected.extend(workspace.default_members()),
        }
        if selected.is_empty() {
            selected.extend(own);
        }
    }
    if selected.is_empty() {
        return Err(LoadError::Selection {
            manifest: manifest.to_owned(),
            message: "no package is selected".to_owned(),
            advice: Some("name one with --package, or use --workspace".to_owned()),
        });
    }
    let mut seen = BTreeSet::new();
    selected.retain(|member| seen.insert(member.id().clone()));
    Ok(selected)
}

/// Simulates cargo's resolver for the selected members.
pub(crate) fn resolve<'g>(
    graph: &'g PackageGraph,
    selected: &[PackageMetadata<'g>],
    options: &LoadOptions,
    resolver: CargoResolverVersion,
    [target, host]: [&PlatformSpec; 2],
    manifest: &Utf8Path,
) -> Result<CargoSet<'g>, LoadError> {
    let failed = |error: guppy::Error| LoadError::Metadata {
        manifest: manifest.to_owned(),
        message: error.to_string(),
    };
    let (initials, features_only) = features(graph, selected, options, manifest)?;
    let mut cargo = CargoOptions::new();
    cargo
        .set_resolver(resolver)
        .set_include_dev(options.tests)
        .set_target_platform(target.clone())
        .set_host_platform(host.clone());
    CargoSet::new(initials, features_only, &cargo).map_err(failed)
}

/// The features asked for: of the selected members, and of their dependencies
/// (`--features dependency/name`).
fn features<'g>(
    graph: &'g PackageGraph,
    selected: &[PackageMetadata<'g>],
    options: &LoadOptions,
    manifest: &Utf8Path,
) -> Result<(FeatureSet<'g>, FeatureSet<'g>), LoadError> {
    let failed = |error: guppy::Error| LoadError::Metadata {
        manifest: manifest.to_owned(),
        message: error.to_string(),
    };
    let standard = if options.all_features {
        StandardFeatures::All
    } else if options.no_default_features {
        StandardFeatures::None
    } else {
        StandardFeatures::Default
    };
    let mut members = graph.feature_graph().resolve_none();
    for member in selected {
        members = members.union(&member.to_feature_set(standard));
    }

    let mut of_members: Vec<FeatureId<'g>> = Vec::new();
    let mut of_dependencies: Vec<FeatureId<'g>> = Vec::new();
    let requested = options
        .features
        .iter()
        .flat_map(|list| list.split([',', ' ']))
        .filter(|name| !name.is_empty());
    for request in requested {
        let before = of_members.len() + of_dependencies.len();
        for member in selected {
            let named = |name: &str| member.named_features().find(|feature| *feature == name);
            match request.split_once('/') {
                None => of_members
                    .extend(named(request).map(|feature| FeatureId::named(member.id(), feature))),
                Some((package, feature)) if package == member.name() => of_members
                    .extend(named(feature).map(|feature| FeatureId::named(member.id(), feature))),
                Some((dependency, feature)) => {
                    let dependency = dependency.trim_end_matches('?');
                    for link in member
                        .direct_links()
                        .filter(|link| link.dep_name() == dependency)
                    {
                        of_dependencies.extend(
                            link.to()
                                .named_features()
                                .find(|name| *name == feature)
                                .map(|name| FeatureId::named(link.to().id(), name)),
                        );
                        let optional = FeatureId::optional_dependency(member.id(), link.dep_name());
                        if graph.feature_graph().contains(optional) {
                            of_members.push(optional);
                        }
                    }
                }
            }
        }
        if before == of_members.len() + of_dependencies.len() {
            let names: BTreeSet<&str> = selected
                .iter()
                .flat_map(PackageMetadata::named_features)
                .collect();
            let names: Vec<&str> = names.into_iter().collect();
            return Err(LoadError::Selection {
                manifest: manifest.to_owned(),
                message: format!("no feature `{request}`"),
                advice: Some(format!("the selected packages have {}", listed(&names))),
            });
        }
    }
    let feature_graph = graph.feature_graph();
    let members = members.union(&feature_graph.resolve_ids(of_members).map_err(failed)?);
    let dependencies = feature_graph.resolve_ids(of_dependencies).map_err(failed)?;
    Ok((members, dependencies))
}

/// Names for a message, not too many of them.
pub(crate) fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 20;
    if names.is_empty() {
        return "none".to_owned();
    }
    let mut text = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        text.push_str(", …");
    }
    text
}
