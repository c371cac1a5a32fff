//! From a finished walk to what its caller asked for.

use std::collections::BTreeMap;

use palisade_model::{BlindSpot, BlindSpotCause, Context, Function, Hop, Location};
use rustc_hash::FxHashMap;

use crate::{
    api::{Call, Collection, Dispatch, Outcome, ReachedFunction, Request},
    names::{Identity, Names},
    walk::{Node, Pass, Site, Walk},
};

/// Puts together the result of a walk with these blind spots, which entries of
/// its possible passes index.
pub(crate) fn collect(
    names: &Names<'_>,
    walk: &Walk<'_>,
    mut blind_spots: Vec<BlindSpot>,
    request: &Request<'_>,
) -> Collection {
    blind_spots.extend(limits(names, walk));
    // A walk that was cut short never earns a *not reached*.
    let cut: Vec<usize> = (0..blind_spots.len())
        .filter(|&spot| blind_spots[spot].detail == CUT)
        .collect();
    let outcomes = outcomes(names, walk, &cut);
    let mut collection = Collection {
        outcomes,
        blind_spots,
        ..Collection::default()
    };
    if request.record {
        record(names, walk, &mut collection);
    }
    collection
}

/// How the limit on all instances of one walk is recorded.
const CUT: &str = "limit on instances";

fn outcomes(names: &Names<'_>, walk: &Walk<'_>, cut: &[usize]) -> Vec<Outcome> {
    let goals = walk.goals();
    let spot_of = |node| entry_blind_spot(walk, node).into_iter().collect();
    (goals.hits.iter().zip(&goals.possible_run))
        .map(|(hits, possible_run)| match hits.first() {
            None if !cut.is_empty() => Outcome::Possible {
                context: Context::Run,
                path: Vec::new(),
                blind_spots: cut.to_vec(),
            },
            None => Outcome::NotReached,
            Some(&first) => {
                let pass = walk.certain_origin(first).pass;
                match pass {
                    Pass::Run | Pass::Build => Outcome::Reached {
                        context: context(pass),
                        paths: hits.iter().map(|&hit| path(names, walk, hit)).collect(),
                        blind_spots: possible_run.map_or_else(Vec::new, spot_of),
                    },
                    Pass::PossibleRun | Pass::PossibleBuild => Outcome::Possible {
                        context: context(pass),
                        path: path(names, walk, first),
                        blind_spots: spot_of(first),
                    },
                }
            }
        })
        .collect()
}

fn context(pass: Pass) -> Context {
    match pass {
        Pass::Run | Pass::PossibleRun => Context::Run,
        Pass::Build | Pass::PossibleBuild => Context::Build,
    }
}

fn entry_blind_spot(walk: &Walk<'_>, mut node: u32) -> Option<usize> {
    loop {
        let origin = walk.origins[node as usize];
        match origin.parent {
            Some(parent) => node = parent,
            None => return origin.blind_spot.map(|spot| spot as usize),
        }
    }
}

/// The hops from the entry point to a node. Nodes that are no functions (drop
/// glue, vtables, initialisers) are folded into the hop before them.
fn path(names: &Names<'_>, walk: &Walk<'_>, goal: u32) -> Vec<Hop> {
    let mut chain = vec![goal];
    let mut current = goal;
    while let Some(parent) = walk.certain_origin(current).parent {
        chain.push(parent);
        current = parent;
    }
    chain.reverse();
    let mut hops: Vec<Hop> = Vec::new();
    // The first site and the most telling dispatch since the last function.
    let mut site: Option<Site> = None;
    let mut dispatch = Dispatch::Static;
    for &node in &chain {
        let origin = walk.certain_origin(node);
        site = site.or(origin.site);
        dispatch = dispatch.max(origin.dispatch);
        let Some(identity) = names.identity(&walk.nodes[node as usize]) else {
            continue;
        };
        if let Some(last) = hops.last_mut() {
            last.call_site = match &walk.nodes[node as usize] {
                Node::Expansion(_, Some(call)) => names.call_location(*call),
                _ => site.and_then(|site| names.site(site)),
            };
            last.dispatch = Some(dispatch.as_str());
        }
        hops.push(Hop {
            function: names.describe(&identity),
            call_site: None,
            dispatch: None,
        });
        site = None;
        dispatch = Dispatch::Static;
    }
    hops
}

/// Limits that were hit; the walk went on with an approximation.
fn limits(names: &Names<'_>, walk: &Walk<'_>) -> Vec<BlindSpot> {
    let mut spots: Vec<BlindSpot> = walk
        .limited
        .iter()
        .filter_map(|&(node, limit)| {
            Some(BlindSpot {
                location: location(names, walk, node)?,
                cause: BlindSpotCause::LimitHit,
                detail: format!("limit on {limit}"),
                may_reach: Vec::new(),
            })
        })
        .collect();
    spots.sort();
    spots.dedup();
    spots
}

/// Where the function stands that a node belongs to.
pub(crate) fn location(names: &Names<'_>, walk: &Walk<'_>, node: u32) -> Option<Location> {
    let mut current = Some(node);
    while let Some(node) = current {
        if let Some(identity) = names.identity(&walk.nodes[node as usize]) {
            return names.describe(&identity).location;
        }
        current = walk.origins[node as usize].parent;
    }
    None
}

fn record(names: &Names<'_>, walk: &Walk<'_>, collection: &mut Collection) {
    let mut best: FxHashMap<Identity, Pass> = FxHashMap::default();
    for (node, origin) in walk.nodes.iter().zip(&walk.origins) {
        if let Some(identity) = names.identity(node) {
            let pass = best.entry(identity).or_insert(origin.pass);
            *pass = (*pass).min(origin.pass);
        }
    }
    // A package that is built for the host and for the target is loaded twice,
    // and is one definition all the same.
    let mut functions: BTreeMap<Function, (Pass, Vec<Identity>)> = BTreeMap::new();
    #[expect(
        clippy::iter_over_hash_type,
        reason = "which of them comes first makes no difference"
    )]
    for (identity, pass) in best {
        let known = functions.entry(names.describe(&identity));
        let (known, identities) = known.or_insert((pass, Vec::new()));
        *known = (*known).min(pass);
        identities.push(identity);
    }
    let mut index: FxHashMap<Identity, usize> = FxHashMap::default();
    for (function, (pass, identities)) in functions {
        let traits = identities.iter().map(|it| names.traits_of(it.def));
        let (body, inline_always) =
            traits.fold((false, false), |all, one| (all.0 | one.0, all.1 | one.1));
        let place = collection.functions.len();
        index.extend(identities.into_iter().map(|identity| (identity, place)));
        collection.functions.push(ReachedFunction {
            function,
            body,
            inline_always,
            context: context(pass),
            possible: matches!(pass, Pass::PossibleRun | Pass::PossibleBuild),
        });
    }
    collection.calls = calls(names, walk, &index);
}

fn calls(names: &Names<'_>, walk: &Walk<'_>, index: &FxHashMap<Identity, usize>) -> Vec<Call> {
    let successors = &walk.successors;
    let mut sites: FxHashMap<Site, Option<Location>> = FxHashMap::default();
    let mut calls = Vec::new();
    for (node, kind) in walk.nodes.iter().enumerate() {
        let Some(caller) = names
            .identity(kind)
            .and_then(|identity| index.get(&identity))
        else {
            continue;
        };
        // What is no function itself is looked through, down to functions.
        let mut stack: Vec<(u32, Option<Site>, Dispatch)> = successors[node].clone();
        let mut seen = rustc_hash::FxHashSet::default();
        while let Some((to, site, dispatch)) = stack.pop() {
            if !seen.insert((to, site)) {
                continue;
            }
            match names.identity(&walk.nodes[to as usize]) {
                Some(identity) => {
                    if let Some(&callee) = index.get(&identity) {
                        let site = site.and_then(|site| {
                            sites
                                .entry(site)
                                .or_insert_with(|| names.site(site))
                                .clone()
                        });
                        calls.push(Call {
                            caller: *caller,
                            callee,
                            site,
                            dispatch,
                        });
                    }
                }
                None => {
                    for &(next, next_site, next_dispatch) in &successors[to as usize] {
                        stack.push((next, site.or(next_site), dispatch.max(next_dispatch)));
                    }
                }
            }
        }
    }
    calls.sort();
    calls.dedup();
    calls
}
