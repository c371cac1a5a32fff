//! Circles of dependencies, which cargo refuses.

use super::{Resolution, ResolveError};

/// # Errors
/// There is a circle.
pub(super) fn refuse(resolution: &Resolution) -> Result<(), ResolveError> {
    let packages = &resolution.packages;
    // 0: not seen, 1: on the path, 2: done.
    let mut state = vec![0_u8; packages.len()];
    for start in 0..packages.len() {
        if state[start] != 0 {
            continue;
        }
        // A path of packages, and how many dependencies of each are done;
        // without recursion, as a chain may be of any length.
        let mut path = vec![(start, 0)];
        state[start] = 1;
        while let Some((at, done)) = path.last_mut() {
            let Some(edge) = packages[*at].dependencies.get(*done) else {
                state[*at] = 2;
                path.pop();
                continue;
            };
            *done += 1;
            let next = edge.package;
            match state[next] {
                0 => {
                    state[next] = 1;
                    path.push((next, 0));
                }
                1 => {
                    let from = path.iter().position(|(at, _)| *at == next).unwrap_or(0);
                    let circle = path[from..].iter().map(|(at, _)| *at).chain([next]);
                    let shown = circle.map(|at| {
                        let version = packages[at].version();
                        format!("{} {}", version.name, version.version)
                    });
                    return Err(ResolveError::Cycle {
                        packages: shown.collect(),
                    });
                }
                _ => {}
            }
        }
    }
    Ok(())
}
