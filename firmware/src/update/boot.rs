//! What a boot loader runs.
//!
//! ```text
//!                 starts left, image fit:          it confirms
//!   UpdateEnd ──> one fewer, run it ───────────────────────────> active, floor raised
//!                 none left, or image not fit ──> told at the next boots; the active one runs
//! ```
//!
//! What always holds:
//!
//! - What runs is wholly there, signed by the known key, made for this board and kind, and not below the floor.
//! - A start of a trial is counted before it begins. Where that cannot be kept, there is no trial.
//! - A cut anywhere leaves the slots' state as it was or as it was to be; the active slot is never written to.

use ed25519_dalek::VerifyingKey;
use embedded_storage::nor_flash::NorFlash;
use pos_link::{UpdateRefusal, Version};

use super::image::{Header, Target, Unfit, is_signed};
use super::state::{Outcome, Phase, Slot, State};
use super::store::Store;

/// What to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The slot whose image runs; `None` if neither may.
    pub run: Option<Slot>,
    /// What is known from now on: to be kept before that.
    pub state: State,
}

/// Decides. `look` says which version is in a slot, if that image may run on this board at all.
///
/// `state` is `None` on a new board, whose image came to be in a slot without an update.
pub fn decide(state: Option<State>, mut look: impl FnMut(Slot) -> Result<Version, Unfit>) -> Decision {
    let Some(mut state) = state else { return first(look) };
    let spare = state.active.other();
    if let Phase::Trial { left } = state.phase {
        let fit = look(spare).and_then(|version| above(version, state.floor));
        match (fit, left.checked_sub(1)) {
            (Ok(()), Some(left)) => {
                state.phase = Phase::Trial { left };
                return Decision { run: Some(spare), state };
            }
            (Ok(()), None) => refuse(&mut state, UpdateRefusal::DidNotStart),
            (Err(unfit), _) => refuse(&mut state, unfit.into()),
        }
    }
    let fit = look(state.active).is_ok_and(|version| version >= state.floor);
    Decision { run: fit.then_some(state.active), state }
}

/// On a new board the newer image runs, and is confirmed by that.
fn first(mut look: impl FnMut(Slot) -> Result<Version, Unfit>) -> Decision {
    let (one, two) = (look(Slot::First).ok(), look(Slot::Second).ok());
    let active = if two > one { Slot::Second } else { Slot::First };
    let floor = one.max(two);
    let state = State { active, floor: floor.unwrap_or_default(), ..State::default() };
    Decision { run: floor.map(|_| active), state }
}

fn above(version: Version, floor: Version) -> Result<(), Unfit> {
    if version > floor { Ok(()) } else { Err(Unfit::NotNewer) }
}

fn refuse(state: &mut State, reason: UpdateRefusal) {
    state.phase = Phase::Rest;
    state.outcome = Some(Outcome::Refused(reason));
}

/// Decides with what is in the flash and keeps what was decided. Gives the slot to [load](Store::load) and run, with what its
/// header says; `None` if there is nothing that may run.
///
/// # Errors
/// What the flash says, when it cannot be read.
pub fn boot<F: NorFlash>(
    store: &mut Store<F>,
    target: Target,
    key: &VerifyingKey,
) -> Result<Option<(Slot, Header)>, F::Error> {
    let known = store.state()?;
    let mut sight = Sight { store, target, key, seen: [None; 2], failed: None };
    let mut decision = decide(known, |slot| sight.look(slot));
    let unread = sight.failed.take().is_some();
    if unread || (known != Some(decision.state) && sight.store.keep(decision.state).is_err()) {
        // A start that is not counted does not happen, and nothing is refused for good because a wire was loose: what is
        // confirmed runs, and all else stays as it is.
        let rest = known.map(|state| State { phase: Phase::Rest, ..state });
        decision = decide(rest, |slot| sight.look(slot));
        if let Some(error) = sight.failed {
            return Err(error);
        }
    }
    Ok(decision.run.and_then(|slot| Some((slot, sight.seen.get(slot as usize).copied().flatten()?))))
}

/// Looks at slots, and remembers what it saw.
struct Sight<'a, F: NorFlash> {
    store: &'a mut Store<F>,
    target: Target,
    key: &'a VerifyingKey,
    seen: [Option<Header>; 2],
    failed: Option<F::Error>,
}

impl<F: NorFlash> Sight<'_, F> {
    fn look(&mut self, slot: Slot) -> Result<Version, Unfit> {
        let found = self.image(slot).unwrap_or_else(|error| {
            self.failed = Some(error);
            Err(Unfit::NoImage)
        })?;
        if let Some(seen) = self.seen.get_mut(slot as usize) {
            *seen = Some(found);
        }
        Ok(found.version)
    }

    /// The image in a slot, if it may run here at all.
    fn image(&mut self, slot: Slot) -> Result<Result<Header, Unfit>, F::Error> {
        let bytes = self.store.header(slot)?;
        let header = match self.store.fitting(&bytes, self.target) {
            Ok(_) if !is_signed(&bytes, self.key) => return Ok(Err(Unfit::Signature)),
            Ok(header) => header,
            Err(unfit) => return Ok(Err(unfit)),
        };
        let whole = self.store.digest(slot, &header)? == header.digest;
        Ok(if whole { Ok(header) } else { Err(Unfit::Body) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn version(patch: u16) -> Version {
        Version { major: 1, minor: 0, patch }
    }

    const TRIAL: State =
        State { active: Slot::Second, floor: version(5), phase: Phase::Trial { left: 3 }, outcome: None };

    fn of(state: Option<State>, first: Result<Version, Unfit>, second: Result<Version, Unfit>) -> Decision {
        decide(state, |slot| if slot == Slot::First { first } else { second })
    }

    #[test]
    fn a_start_is_counted_and_the_last_one_is_the_last() {
        let new = (Ok(version(6)), Ok(version(5)));
        let mut state = TRIAL;
        for left in [2, 1, 0] {
            let decision = of(Some(state), new.0, new.1);
            assert_eq!((decision.run, decision.state.phase), (Some(Slot::First), Phase::Trial { left }));
            state = decision.state;
        }
        let decision = of(Some(state), new.0, new.1);
        let outcome = Some(Outcome::Refused(UpdateRefusal::DidNotStart));
        assert_eq!(
            decision,
            Decision { run: Some(Slot::Second), state: State { phase: Phase::Rest, outcome, ..TRIAL } }
        );
        assert_eq!(of(Some(decision.state), new.0, new.1), decision, "that is for good");
    }

    #[test]
    fn what_is_not_fit_is_refused_and_what_is_confirmed_runs() {
        for (found, reason) in [
            (Err(Unfit::Signature), UpdateRefusal::BadSignature),
            (Err(Unfit::Body), UpdateRefusal::Damaged),
            (Err(Unfit::NoImage), UpdateRefusal::Damaged),
            (Err(Unfit::Format(2)), UpdateRefusal::Damaged),
            (Err(Unfit::Target), UpdateRefusal::WrongBoard),
            (Err(Unfit::TooLong), UpdateRefusal::NoRoom),
            (Ok(version(5)), UpdateRefusal::NotNewer),
            (Ok(version(4)), UpdateRefusal::NotNewer),
        ] {
            let decision = of(Some(TRIAL), found, Ok(version(5)));
            let state = State { phase: Phase::Rest, outcome: Some(Outcome::Refused(reason)), ..TRIAL };
            assert_eq!(decision, Decision { run: Some(Slot::Second), state });
        }
    }

    #[test]
    fn nothing_below_the_floor_runs() {
        for phase in [Phase::Rest, Phase::Receiving] {
            let state = State { phase, ..TRIAL };
            assert_eq!(of(Some(state), Ok(version(9)), Ok(version(5))).run, Some(Slot::Second));
            for active in [Ok(version(4)), Err(Unfit::Body)] {
                let decision = of(Some(state), Ok(version(9)), active);
                assert_eq!(decision, Decision { run: None, state }, "nor what was never announced as whole");
            }
        }
    }

    #[test]
    fn on_a_new_board_the_newer_image_runs() {
        let none = Err(Unfit::NoImage);
        let run = |first, second| {
            let Decision { run, state } = of(None, first, second);
            assert_eq!((state.phase, state.outcome), (Phase::Rest, None));
            (run, state.floor)
        };
        assert_eq!(run(Ok(version(1)), none), (Some(Slot::First), version(1)));
        assert_eq!(run(none, Ok(version(2))), (Some(Slot::Second), version(2)));
        assert_eq!(run(Ok(version(3)), Ok(version(2))), (Some(Slot::First), version(3)));
        assert_eq!(run(none, none), (None, Version::default()));
    }
}
