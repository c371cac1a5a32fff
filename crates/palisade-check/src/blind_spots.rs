//! The blind spots of several walks as one list.

use std::collections::BTreeSet;

use palisade_model::{BlindSpot, Finding};

/// Collects the blind spots of several walks. Walks of targets that share
/// code meet the same ones.
#[derive(Debug, Default)]
pub(crate) struct BlindSpots {
    all: Vec<BlindSpot>,
}

impl BlindSpots {
    /// Takes the blind spots of one walk; the result maps its indices.
    pub(crate) fn add(&mut self, spots: Vec<BlindSpot>) -> Vec<usize> {
        let offset = self.all.len();
        let indices = (offset..offset + spots.len()).collect();
        self.all.extend(spots);
        indices
    }

    /// The sorted list without repetitions, after pointing the findings at it.
    pub(crate) fn finish(self, findings: &mut [Finding]) -> Vec<BlindSpot> {
        let unique: Vec<BlindSpot> = self
            .all
            .iter()
            .cloned()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        for finding in findings {
            for index in &mut finding.blind_spots {
                let spot = &self.all[*index];
                *index = unique
                    .binary_search(spot)
                    .expect("every blind spot was collected");
            }
            finding.blind_spots.sort_unstable();
            finding.blind_spots.dedup();
        }
        unique
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::finding;
    use palisade_model::{BlindSpotCause, Location};

    fn spot(file: &str) -> BlindSpot {
        BlindSpot {
            location: Location {
                file: file.to_owned(),
                line: 1,
            },
            cause: BlindSpotCause::UnexpandedMacro,
            detail: "m!".to_owned(),
            may_reach: Vec::new(),
        }
    }

    /// Guards that findings keep pointing at the right blind spots when walks
    /// of several targets are joined.
    #[test]
    fn joined_and_remapped() {
        let mut spots = BlindSpots::default();
        let first = spots.add(vec![spot("b.rs"), spot("c.rs")]);
        let second = spots.add(vec![spot("a.rs"), spot("c.rs")]);
        let mut findings = [
            finding("A", "a 1.0.0", "bin:a"),
            finding("A", "a 1.0.0", "bin:b"),
        ];
        findings[0].blind_spots = vec![first[0], first[1]];
        findings[1].blind_spots = vec![second[1], first[1]];
        let all = spots.finish(&mut findings);
        let files: Vec<_> = all.iter().map(|spot| spot.location.file.as_str()).collect();
        assert_eq!(files, ["a.rs", "b.rs", "c.rs"]);
        assert_eq!(findings[0].blind_spots, [1, 2]);
        assert_eq!(findings[1].blind_spots, [2]);
    }
}
