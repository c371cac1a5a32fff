//! The search for one version of everything.
//!
//! The state is changed in place; every change is noted on a trail, so that
//! going back means undoing. A point to go back to exists wherever another
//! candidate was left. When a dependency gets stuck, all points are skipped
//! that lie behind the activation of everything that is in its way: trying
//! something else there could not help. What was in the way is remembered, so
//! that the same dead end is recognised from afar.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use semver::Version;

use super::candidates::{Candidates, Id};
use super::learned::{Key, Learned};
use super::requirements::{self, Wanted};
use super::{Resolution, ResolveError, ResolveOptions, ResolvedDependency, ResolvedPackage, Root};
use crate::feature::Features;
use crate::{Dependency, IndexVersion, Registry};

/// What has dependencies: a root or a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Node {
    Root(usize),
    Version(Id),
}

/// The versions of a crate among which there can be only one: those that are
/// compatible with each other.
type Slot = (String, Compatible);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Compatible {
    Major(u64),
    Minor(u64),
    Patch(u64),
}

impl From<&Version> for Compatible {
    fn from(version: &Version) -> Compatible {
        match (version.major, version.minor) {
            (0, 0) => Compatible::Patch(version.patch),
            (0, minor) => Compatible::Minor(minor),
            (major, _) => Compatible::Major(major),
        }
    }
}

/// One dependency that is to be activated.
#[derive(Clone)]
struct Need {
    /// Its place among its parent's dependencies.
    dependency: usize,
    candidates: Rc<Vec<Id>>,
    wanted: Wanted,
    key: Key,
}

/// The dependencies of one activation, those with fewest candidates first.
struct Frame {
    parent: Node,
    needs: Rc<Vec<Need>>,
}

/// A frame that still has something to do: the number of candidates of its
/// next dependency, the frame and that dependency's place in it. The smallest
/// is next.
type Waiting = (usize, usize, usize);

/// A change, to be undone.
enum Change {
    Activated(Slot),
    Linked(String),
    Enabled(Id, Option<Rc<BTreeSet<String>>>),
    Connected,
    Waits(Waiting),
    Went(Waiting),
    Framed,
}

/// A place to go back to: another candidate was left for this dependency.
struct Point {
    trail: usize,
    age: u32,
    parent: Node,
    need: Need,
    /// The candidate to try next.
    next: usize,
    conflicts: BTreeSet<Id>,
}

struct Search<'a> {
    candidates: Candidates<'a>,
    roots: &'a [Root],
    activated: HashMap<Slot, (Id, u32)>,
    linked: HashMap<String, Id>,
    enabled: HashMap<Id, Rc<BTreeSet<String>>>,
    connected: Vec<(Node, usize, Id)>,
    frames: Vec<Frame>,
    waiting: BTreeSet<Waiting>,
    trail: Vec<Change>,
    learned: Learned,
    /// How many activations there were.
    age: u32,
    steps: u64,
}

pub(super) fn search(
    registry: &dyn Registry,
    options: &ResolveOptions,
    roots: &[Root],
) -> Result<Resolution, ResolveError> {
    let mut search = Search {
        candidates: Candidates::new(registry, options),
        roots,
        activated: HashMap::new(),
        linked: HashMap::new(),
        enabled: HashMap::new(),
        connected: Vec::new(),
        frames: Vec::new(),
        waiting: BTreeSet::new(),
        trail: Vec::new(),
        learned: Learned::default(),
        age: 0,
        steps: options.steps,
    };
    search.run(options.steps)?;
    let resolution = search.finish();
    super::cycle::refuse(&resolution)?;
    Ok(resolution)
}

impl Search<'_> {
    fn run(&mut self, limit: u64) -> Result<(), ResolveError> {
        for (at, root) in self.roots.iter().enumerate() {
            let node = Node::Root(at);
            let needs = self.needs(node, &Wanted::from(&root.requested))?;
            let Ok((_, needs)) = needs else {
                let feature = needs.err().unwrap_or_default();
                let root = root.name.clone();
                return Err(ResolveError::NoFeature { root, feature });
            };
            self.age += 1;
            self.push(node, needs);
        }
        let mut points: Vec<Point> = Vec::new();
        while let Some((parent, need)) = self.pop() {
            let mut current = Point {
                trail: self.trail.len(),
                age: self.age,
                parent,
                need,
                next: 0,
                conflicts: BTreeSet::new(),
            };
            let mut went_back = false;
            loop {
                self.steps = self
                    .steps
                    .checked_sub(1)
                    .ok_or(ResolveError::GaveUp { steps: limit })?;
                let Some(candidate) = self.candidate(&mut current) else {
                    if !went_back {
                        self.learned.add(current.need.key, &current.conflicts);
                    }
                    current = self.go_back(current, &mut points, went_back)?;
                    went_back = true;
                    continue;
                };
                let (parent, need) = (current.parent, current.need.clone());
                let before = self.trail.len();
                let another = self.has_candidate(&mut current);
                let frames = self.frames.len();
                let reason = if self.activate(parent, &need, candidate)? {
                    self.dead_end(candidate, frames)
                } else {
                    // It lacks a wanted feature, whatever else is active.
                    Some(BTreeSet::new())
                };
                let Some(reason) = reason else {
                    if another {
                        points.push(current);
                    }
                    break;
                };
                self.undo(before, current.age);
                current.conflicts.extend(reason);
            }
        }
        Ok(())
    }

    /// Takes the next candidate that nothing active is in the way of.
    fn candidate(&mut self, point: &mut Point) -> Option<Id> {
        if !self.has_candidate(point) {
            return None;
        }
        let id = point.need.candidates[point.next];
        point.next += 1;
        Some(id)
    }

    /// What else is active and makes it impossible to go on with `id`, whose
    /// dependencies are in the frames from `frames` on: one of them, or one
    /// that was waiting before, is known to fail.
    fn dead_end(&self, id: Id, frames: usize) -> Option<BTreeSet<Id>> {
        let is_active = |id| self.is_active(id);
        let without = |reason: &BTreeSet<Id>| {
            reason
                .iter()
                .copied()
                .filter(|&other| other != id)
                .collect()
        };
        for frame in &self.frames[frames..] {
            let mut needs = frame.needs.iter();
            let reason = needs.find_map(|need| self.learned.reason(need.key, is_active));
            if let Some(reason) = reason {
                return Some(without(reason));
            }
        }
        let related = self.learned.related(id)?;
        for &(_, frame, at) in &self.waiting {
            let frame = &self.frames[frame];
            let mut needs = frame.needs[at..]
                .iter()
                .filter(|need| related.contains(&need.key));
            let reason = needs.find_map(|need| self.learned.reason_with(need.key, id, is_active));
            if let Some(reason) = reason {
                let mut reason: BTreeSet<Id> = without(reason);
                if let Node::Version(parent) = frame.parent
                    && parent != id
                {
                    reason.insert(parent);
                }
                return Some(reason);
            }
        }
        None
    }

    fn is_active(&self, id: Id) -> bool {
        let active = self.activated.get(&slot(self.candidates.version(id)));
        active.is_some_and(|(active, _)| *active == id)
    }

    /// Steps over candidates that conflict with what is active.
    fn has_candidate(&self, point: &mut Point) -> bool {
        while let Some(&id) = point.need.candidates.get(point.next) {
            match self.conflict(id) {
                None => return true,
                Some(other) => point.conflicts.insert(other),
            };
            point.next += 1;
        }
        false
    }

    /// What is active and excludes this version.
    fn conflict(&self, id: Id) -> Option<Id> {
        let version = self.candidates.version(id);
        let linked = version
            .links
            .as_ref()
            .and_then(|links| self.linked.get(links));
        let compatible = self.activated.get(&slot(version)).map(|(other, _)| other);
        [linked, compatible]
            .into_iter()
            .flatten()
            .find(|&&other| other != id)
            .copied()
    }

    /// Goes back to the newest point that can make a difference to `stuck`.
    fn go_back(
        &mut self,
        stuck: Point,
        points: &mut Vec<Point>,
        went_back: bool,
    ) -> Result<Point, ResolveError> {
        // After going back once, what led here is no longer known in full.
        let age = if went_back {
            None
        } else {
            self.conflict_age(&stuck)
        };
        while let Some(mut point) = points.pop() {
            if age.is_some_and(|age| point.age >= age) {
                continue;
            }
            self.undo(point.trail, point.age);
            if self.has_candidate(&mut point) {
                return Ok(point);
            }
        }
        Err(self.no_version(&stuck))
    }

    /// When the last of what is in the way was activated.
    fn conflict_age(&self, stuck: &Point) -> Option<u32> {
        let parent = match stuck.parent {
            Node::Root(_) => None,
            Node::Version(id) => Some(id),
        };
        let mut latest = 0;
        for &id in stuck.conflicts.iter().chain(&parent) {
            let (active, age) = self.activated.get(&slot(self.candidates.version(id)))?;
            if *active != id {
                return None;
            }
            latest = latest.max(*age);
        }
        Some(latest)
    }

    /// Activates a candidate; `false` when it lacks a wanted feature.
    fn activate(&mut self, parent: Node, need: &Need, id: Id) -> Result<bool, ResolveError> {
        self.age += 1;
        self.connected.push((parent, need.dependency, id));
        self.trail.push(Change::Connected);
        let slot = slot(self.candidates.version(id));
        if let Entry::Vacant(entry) = self.activated.entry(slot.clone()) {
            entry.insert((id, self.age));
            self.trail.push(Change::Activated(slot));
            if let Some(links) = self.candidates.version(id).links.clone() {
                self.linked.insert(links.clone(), id);
                self.trail.push(Change::Linked(links));
            }
        } else if self.has_all(id, &need.wanted) {
            return Ok(true);
        }
        let node = Node::Version(id);
        let Ok((features, needs)) = self.needs(node, &need.wanted)? else {
            return Ok(false);
        };
        let before = self.enabled.get(&id).cloned();
        let mut all = before.as_deref().cloned().unwrap_or_default();
        all.extend(features);
        self.enabled.insert(id, Rc::new(all));
        self.trail.push(Change::Enabled(id, before));
        self.push(node, needs);
        Ok(true)
    }

    /// Whether an active version has all wanted features enabled already.
    fn has_all(&self, id: Id, wanted: &Wanted) -> bool {
        let Wanted::Some { features, default } = wanted else {
            return false;
        };
        let has_default = self.candidates.version(id).features.contains_key("default");
        match self.enabled.get(&id) {
            Some(enabled) => {
                features.is_subset(enabled)
                    && (!default || !has_default || enabled.contains("default"))
            }
            None => features.is_empty() && (!default || !has_default),
        }
    }

    /// The features that become enabled and the dependencies that they need;
    /// otherwise the feature that does not exist.
    #[expect(clippy::type_complexity, reason = "two failures of two kinds")]
    fn needs(
        &mut self,
        node: Node,
        wanted: &Wanted,
    ) -> Result<Result<(BTreeSet<String>, Vec<Need>), String>, ResolveError> {
        let (dependencies, features, development) = self.parts(node);
        let needed = match requirements::follow(dependencies, features, wanted, development) {
            Ok(needed) => needed,
            Err(feature) => return Ok(Err(feature)),
        };
        let mut needs = Vec::with_capacity(needed.dependencies.len());
        for (at, features) in needed.dependencies {
            let dependency = self.parts(node).0[at].clone();
            // What comes from elsewhere cannot be resolved here.
            let candidates = match dependency.registry {
                None => self.candidates.fitting(&dependency)?,
                Some(_) => Rc::new(Vec::new()),
            };
            let wanted = Wanted::Some {
                features,
                default: dependency.default_features,
            };
            let registry = dependency.registry.as_deref().unwrap_or_default();
            let requirement = format!("{} {registry}", dependency.requirement);
            needs.push(Need {
                dependency: at,
                candidates,
                key: self.learned.key(&dependency.package, requirement, &wanted),
                wanted,
            });
        }
        needs.sort_by_key(|need| need.candidates.len());
        Ok(Ok((needed.features, needs)))
    }

    fn parts(&self, node: Node) -> (&[Dependency], &Features, bool) {
        match node {
            Node::Root(at) => {
                let root = &self.roots[at];
                (&root.dependencies, &root.features, root.development)
            }
            Node::Version(id) => {
                let version = self.candidates.version(id);
                (&version.dependencies, &version.features, false)
            }
        }
    }

    fn push(&mut self, parent: Node, needs: Vec<Need>) {
        let frame = self.frames.len();
        if let Some(first) = needs.first() {
            self.wait((first.candidates.len(), frame, 0));
        }
        let needs = Rc::new(needs);
        self.frames.push(Frame { parent, needs });
        self.trail.push(Change::Framed);
    }

    fn wait(&mut self, waiting: Waiting) {
        self.waiting.insert(waiting);
        self.trail.push(Change::Waits(waiting));
    }

    /// The most constrained dependency; of equal ones that of the oldest
    /// frame.
    fn pop(&mut self) -> Option<(Node, Need)> {
        let waiting = self.waiting.pop_first()?;
        self.trail.push(Change::Went(waiting));
        let (_, frame, at) = waiting;
        let parent = self.frames[frame].parent;
        let needs = self.frames[frame].needs.clone();
        if let Some(next) = needs.get(at + 1) {
            self.wait((next.candidates.len(), frame, at + 1));
        }
        Some((parent, needs[at].clone()))
    }

    fn undo(&mut self, to: usize, age: u32) {
        self.age = age;
        for change in self.trail.drain(to..).rev() {
            match change {
                Change::Activated(slot) => {
                    self.activated.remove(&slot);
                }
                Change::Linked(links) => {
                    self.linked.remove(&links);
                }
                Change::Enabled(id, Some(before)) => {
                    self.enabled.insert(id, before);
                }
                Change::Enabled(id, None) => {
                    self.enabled.remove(&id);
                }
                Change::Connected => {
                    self.connected.pop();
                }
                Change::Waits(waiting) => {
                    self.waiting.remove(&waiting);
                }
                Change::Went(waiting) => {
                    self.waiting.insert(waiting);
                }
                Change::Framed => {
                    self.frames.pop();
                }
            }
        }
    }

    fn no_version(&self, stuck: &Point) -> ResolveError {
        let dependency = &self.parts(stuck.parent).0[stuck.need.dependency];
        let parent = match stuck.parent {
            Node::Root(at) => self.roots[at].name.clone(),
            Node::Version(id) => shown(self.candidates.version(id)),
        };
        let conflicts: Vec<String> = stuck
            .conflicts
            .iter()
            .filter(|&&id| stuck.parent != Node::Version(id))
            .map(|&id| shown(self.candidates.version(id)))
            .collect();
        let reason = if let Some(registry) = &dependency.registry {
            format!("it comes from another registry, {registry}")
        } else if stuck.need.candidates.is_empty() {
            self.candidates.explain(dependency)
        } else if conflicts.is_empty() {
            "no version has the features that are asked for".to_owned()
        } else {
            format!("it conflicts with {}", conflicts.join(", "))
        };
        ResolveError::NoVersion {
            package: dependency.package.clone(),
            requirement: dependency.requirement.to_string(),
            parent,
            reason,
        }
    }

    fn finish(self) -> Resolution {
        let mut ids: Vec<Id> = self.activated.values().map(|(id, _)| *id).collect();
        ids.sort_by_key(|&id| {
            let version = self.candidates.version(id);
            (version.name.clone(), version.version.clone())
        });
        let places: BTreeMap<Id, usize> =
            ids.iter().enumerate().map(|(at, &id)| (id, at)).collect();
        let mut roots = vec![BTreeSet::new(); self.roots.len()];
        let mut dependencies = vec![BTreeSet::new(); ids.len()];
        for (parent, dependency, id) in &self.connected {
            let package = places[id];
            let set = match parent {
                Node::Root(at) => &mut roots[*at],
                Node::Version(id) => &mut dependencies[places[id]],
            };
            set.insert(ResolvedDependency {
                dependency: *dependency,
                package,
            });
        }
        let packages = ids
            .iter()
            .zip(dependencies)
            .map(|(&id, dependencies)| {
                let (file, at) = self.candidates.place(id);
                ResolvedPackage {
                    file,
                    at,
                    features: self
                        .enabled
                        .get(&id)
                        .map(|set| (**set).clone())
                        .unwrap_or_default(),
                    dependencies: dependencies.into_iter().collect(),
                }
            })
            .collect();
        Resolution {
            packages,
            roots: roots
                .into_iter()
                .map(|set| set.into_iter().collect())
                .collect(),
            requested: self.roots.to_vec(),
        }
    }
}

fn slot(version: &IndexVersion) -> Slot {
    (version.name.clone(), Compatible::from(&version.version))
}

fn shown(version: &IndexVersion) -> String {
    format!("{} {}", version.name, version.version)
}
