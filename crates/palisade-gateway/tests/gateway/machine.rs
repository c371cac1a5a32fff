//! Everything that people and rules can do to a version, in any order.

use camino::Utf8PathBuf;
use jiff::{SignedDuration, Timestamp};
use palisade_gateway::admin::{self, Action, Done, Ruling, WaiverRequest};
use palisade_gateway::policy::{Access, Orders, Policy, Viewer, access};
use palisade_gateway::{Config, GatewayError, Pattern};
use palisade_model::Checksum;
use palisade_store::{
    Actor, BY_PERSON, Cause, Decision, NewVersion, Origin, Role, State, Store, Version,
};
use proptest::prelude::*;

/// `ann` owns the crate; the others do not.
const PEOPLE: [&str; 4] = ["ann", "olga", "otto", "rita"];
const REASON: &str = "asked for by the test";
const SUBJECT: &str = "version demo 1.0.0";

#[derive(Clone, Debug)]
enum Step {
    /// A rule moves the version.
    Rule(State),
    Decide(&'static str, Ruling),
    Note(&'static str),
    Appeal(&'static str),
    Answer(&'static str, bool),
    AskToDelete(&'static str),
    Settle(&'static str, bool),
    AskWaiver(&'static str),
    SettleWaiver(&'static str, bool),
    /// Days pass.
    Wait(i64),
}

fn person() -> impl Strategy<Value = &'static str> {
    prop::sample::select(PEOPLE.to_vec())
}

fn step() -> impl Strategy<Value = Step> {
    let state = prop::sample::select(State::ALL.to_vec());
    let ruling = prop::sample::select(vec![Ruling::Release, Ruling::Reject, Ruling::Quarantine]);
    prop_oneof![
        4 => state.prop_map(Step::Rule),
        3 => (person(), ruling).prop_map(|(who, ruling)| Step::Decide(who, ruling)),
        1 => person().prop_map(Step::Note),
        3 => person().prop_map(Step::Appeal),
        3 => (person(), any::<bool>()).prop_map(|(who, grant)| Step::Answer(who, grant)),
        1 => person().prop_map(Step::AskToDelete),
        1 => (person(), any::<bool>()).prop_map(|(who, yes)| Step::Settle(who, yes)),
        2 => person().prop_map(Step::AskWaiver),
        2 => (person(), any::<bool>()).prop_map(|(who, yes)| Step::SettleWaiver(who, yes)),
        1 => (1..5_i64).prop_map(Step::Wait),
    ]
}

struct Desk {
    _dir: tempfile::TempDir,
    config: Config,
    store: Store,
    now: Timestamp,
}

impl Desk {
    async fn new(first: State) -> Desk {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        let text = "[gateway]\ndata = \"data\"\nadministration.second-person = [\"delete\"]";
        let config = Config::parse(&root.join("palisade.toml"), text).unwrap();
        let store = admin::open(&config).await.unwrap();
        let desk = Desk {
            _dir: dir,
            config,
            store,
            now: "2026-08-20T07:00:00Z".parse().unwrap(),
        };
        let mut tx = desk.store.begin(&Actor::policy(), desk.now).await.unwrap();
        tx.add_user("ann", &[Role::Publisher]).await.unwrap();
        tx.add_crate("demo", "demo", Origin::Hosted).await.unwrap();
        tx.commit().await.unwrap();
        let ann = desk.store.user("ann").await.unwrap();
        let mut tx = desk.store.begin(&Actor::policy(), desk.now).await.unwrap();
        tx.add_owner("demo", &ann).await.unwrap();
        let new = NewVersion {
            version: "1.0.0".to_owned(),
            identity: "1.0.0".to_owned(),
            line: "{}".to_owned(),
            checksum: Checksum([7; 32]),
            published: desk.now,
            settled: false,
            yanked: false,
            decision: by_rule(first, desk.now),
            publisher: Some(ann.id),
        };
        tx.add_versions("demo", &[new]).await.unwrap();
        tx.commit().await.unwrap();
        desk
    }

    async fn version(&self) -> Option<Version> {
        self.store
            .versions("demo")
            .await
            .unwrap()
            .into_iter()
            .next()
    }

    /// Does a step; how many records it should have written.
    async fn run(&mut self, step: &Step) -> Result<i64, GatewayError> {
        let (store, now) = (&self.store, self.now);
        let which = ("demo", "1.0.0");
        match *step {
            Step::Wait(days) => {
                self.now = now
                    .checked_add(SignedDuration::from_hours(24 * days))
                    .unwrap();
                Ok(0)
            }
            Step::Rule(to) => {
                let Some(seen) = self.version().await else {
                    return Err(GatewayError::Refused("gone".to_owned()));
                };
                let mut tx = store.begin(&Actor::policy(), now).await?;
                tx.decide("demo", &seen, &by_rule(to, now), Cause::Policy)
                    .await?;
                tx.commit().await?;
                Ok(1)
            }
            Step::Decide(who, ruling) => admin::decide(
                store,
                &Actor::operator(who),
                now,
                which,
                ruling,
                REASON,
                None,
            )
            .await
            .map(|()| 1),
            Step::Note(who) => {
                admin::add_evidence(store, &Actor::operator(who), now, which, REASON)
                    .await
                    .map(|_| 1)
            }
            Step::Appeal(who) => admin::appeal(store, &Actor::user(who, "1"), now, which, REASON)
                .await
                .map(|_| 1),
            Step::Answer(who, grant) => {
                let appeals = store.appeals().await?;
                let Some(open) = appeals.iter().find(|appeal| appeal.outcome.is_none()) else {
                    return Err(GatewayError::Refused("none".to_owned()));
                };
                let actor = Actor::operator(who);
                admin::decide_appeal(store, &actor, now, open.id, grant, REASON)
                    .await
                    .map(|_| 1 + i64::from(grant))
            }
            Step::AskToDelete(who) => {
                let action = Action::DeleteVersion {
                    name: "demo".to_owned(),
                    version: "1.0.0".to_owned(),
                };
                let actor = Actor::operator(who);
                let done = admin::ask(store, &self.config, &actor, now, &action, REASON).await?;
                assert!(matches!(done, Done::Asked(_)), "one person deleted");
                Ok(1)
            }
            Step::Settle(who, yes) => {
                let requests = store.requests().await?;
                let Some(open) = requests.iter().find(|request| request.is_open(now)) else {
                    return Err(GatewayError::Refused("none".to_owned()));
                };
                let actor = Actor::operator(who);
                admin::settle_request(store, &self.config, &actor, now, (open.id, yes), REASON)
                    .await
                    .map(|_| 1 + i64::from(yes))
            }
            Step::AskWaiver(who) => {
                let request = WaiverRequest {
                    pattern: Pattern::parse("demo").unwrap(),
                    versions: None,
                    rules: vec!["scan".to_owned()],
                    login: None,
                    reason: REASON.to_owned(),
                    days: 3,
                };
                admin::request_waiver(store, &Actor::user(who, "1"), now, &request)
                    .await
                    .map(|_| 1)
            }
            Step::SettleWaiver(who, yes) => {
                let waivers = store.waivers().await?;
                let open = waivers.iter().find(|waiver| waiver.decided_by.is_none());
                let Some(open) = open else {
                    return Err(GatewayError::Refused("none".to_owned()));
                };
                let mut tx = store.begin(&Actor::operator(who), now).await?;
                tx.decide_waiver(open.id, yes, REASON).await?;
                tx.commit().await?;
                Ok(1)
            }
        }
    }

    async fn is_open(&self, version: &Version) -> bool {
        let orders = Orders::load(&self.store, self.now).await.unwrap();
        let policy = Policy::default();
        access(&policy, &orders, "demo", version, &Viewer::Public) == Access::Open
    }

    /// Whether a waiver is in force that one person asked for and another one
    /// approved.
    async fn is_waived(&self) -> bool {
        let waivers = self.store.waivers().await.unwrap();
        waivers.iter().any(|waiver| {
            let other = |by: &String| tail(by) != tail(&waiver.requested_by);
            waiver.is_in_force(self.now) && waiver.decided_by.as_ref().is_some_and(other)
        })
    }
}

fn tail(actor: &str) -> &str {
    actor.split(':').next_back().unwrap()
}

fn by_rule(state: State, now: Timestamp) -> Decision {
    Decision {
        state,
        rule: Some("scan".to_owned()),
        rules: vec!["scan".to_owned()],
        reason: Some("because".to_owned()),
        until: (state == State::Held).then_some(now),
        observed: Vec::new(),
    }
}

/// Whether a version that stood at `before` may be let out like this.
fn may_let_out(before: &Version, step: &Step) -> bool {
    match step {
        Step::Rule(_) => {
            matches!(before.state, State::Held | State::Quarantined)
                && before.rule.as_deref() != Some(BY_PERSON)
        }
        Step::Decide(who, Ruling::Release) | Step::Answer(who, true) => *who != "ann",
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Guards the machine of states with everything that moves it: nothing
    /// becomes public but by a rule that kept it back or by somebody who may
    /// decide; each change has exactly one record; what failed left no trace.
    #[test]
    fn no_way_around_a_decision(
        first in prop::sample::select(vec![State::Allowed, State::Held, State::Quarantined]),
        steps in prop::collection::vec(step(), 1..24),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut desk = Desk::new(first).await;
            for step in &steps {
                let before = desk.version().await;
                let head = desk.store.head().await.unwrap();
                let result = desk.run(step).await;
                let after = desk.version().await;
                let records = desk.store.records(head).await.unwrap();
                let written = i64::try_from(records.len()).unwrap();
                prop_assert_eq!(written, *result.as_ref().unwrap_or(&0), "{:?}: {:?}", step, result);
                // A record that gives the version a state, for each change of it.
                let moves = records.iter().filter(|record| {
                    record.subject == SUBJECT && record.detail.contains("\"state\":")
                });
                let changed = match (&before, &after) {
                    (Some(before), Some(after)) => before.state_record != after.state_record,
                    (before, after) => before.is_some() != after.is_some(),
                };
                prop_assert_eq!(moves.count(), usize::from(changed), "{:?}", step);
                if let (Some(before), Some(after)) = (&before, &after) {
                    if !changed {
                        prop_assert_eq!(before, after);
                    }
                    if after.state.is_public() && !before.state.is_public() {
                        prop_assert!(may_let_out(before, step), "{:?} let out {:?}", step, before.state);
                    }
                    let open = desk.is_open(after).await;
                    let kept = matches!(after.state, State::Held | State::Quarantined);
                    let waived = kept && after.rule.as_deref() == Some("scan") && desk.is_waived().await;
                    prop_assert_eq!(open, after.state.is_public() || waived, "{:?}", after.state);
                }
            }
            for appeal in desk.store.appeals().await.unwrap() {
                if let Some(outcome) = appeal.outcome {
                    prop_assert_ne!(tail(&outcome.by), tail(&appeal.author));
                    prop_assert_ne!(tail(&outcome.by), "ann");
                }
            }
            let found = desk.store.verify(None).await.unwrap();
            prop_assert_eq!(found.problems, Vec::<String>::new());
            Ok(())
        })?;
    }
}
