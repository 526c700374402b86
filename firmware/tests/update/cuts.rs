//! The power is cut at each change of the flash.

use pos_link::{Ended, UpdateRefusal};

use crate::flash::{SECTOR, TEARS, Tear};
use crate::random::Random;
use crate::shop::{Board, Does, Image, image, version};

/// Twice, for each kind of tear.
const ROUNDS: usize = 2;

/// Runs it with one cut after each number of changes until that is more than there are. Gives how many cuts there were.
fn at_each_change(mut run: impl FnMut(&mut Board, &Image, &Image), old: &Image, new: &Image) -> u32 {
    let mut random = Random::new();
    let mut cuts = 0;
    for tear in TEARS.into_iter().cycle().take(TEARS.len() * ROUNDS) {
        for after in 0.. {
            let mut board = Board::new(old, random.fork());
            board.knows(new);
            board.flash.cut_after(after, tear);
            run(&mut board, old, new);
            if board.flash.0.borrow().changes <= after {
                break;
            }
            cuts += 1;
        }
    }
    cuts
}

#[test]
fn wherever_the_power_is_cut_the_new_image_runs_in_the_end() {
    let (old, new) = (image(1, 2_000, Does::Well), image(2, 5_000, Does::Well));
    let run = |board: &mut Board, _: &Image, new: &Image| {
        assert_eq!(board.update(&mut new.upload()), Ended::Confirmed);
        board.on = None;
        assert_eq!((board.runs(), board.state().floor), (version(2), version(2)));
    };
    let cuts = at_each_change(run, &old, &new);
    println!("{cuts} cuts");
    assert!(cuts > 25 * 8, "an update changes the flash more often than {cuts} times");
}

#[test]
fn the_box_may_forget_it_with_the_board_and_begin_again() {
    let (old, new) = (image(1, 2_000, Does::Well), image(2, 5_000, Does::Well));
    let run = |board: &mut Board, _: &Image, new: &Image| {
        let mut upload = new.upload();
        // Until the power is cut, if it is.
        while board.flash.has_power() && upload.ended().is_none() {
            if board.go_on(&mut upload).is_none() {
                board.on = None;
            }
        }
        let ended = board.update(&mut new.upload());
        let known = matches!(
            ended,
            Ended::Confirmed | Ended::Refused(UpdateRefusal::NotNewer | UpdateRefusal::OnTrial)
        );
        assert!(known, "{ended:?}");
        board.on = None;
        assert_eq!(board.update(&mut new.upload()), Ended::Confirmed);
        assert_eq!(board.runs(), version(2));
    };
    assert!(at_each_change(run, &old, &new) > 25 * 8);
}

#[test]
fn an_image_that_does_not_start_gives_way_wherever_the_power_is_cut() {
    for does in [Does::Hangs, Does::IsDeaf] {
        let (old, new) = (image(1, 2_000, Does::Well), image(2, 3_000, does));
        let run = |board: &mut Board, _: &Image, new: &Image| {
            assert_eq!(board.update(&mut new.upload()), Ended::Refused(UpdateRefusal::DidNotStart));
            board.on = None;
            assert_eq!((board.runs(), board.state().floor), (version(1), version(1)));
            // And the next one is taken.
            let mended = image(3, 3_000, Does::Well);
            board.knows(&mended);
            assert_eq!(board.update(&mut mended.upload()), Ended::Confirmed);
            assert_eq!(board.runs(), version(3));
        };
        assert!(at_each_change(run, &old, &new) > 25 * 8);
    }
}

#[test]
fn one_cut_after_the_other_only_takes_longer() {
    let mut random = Random::new();
    let (old, new) = (image(1, 2_000, Does::Well), image(2, 7_000, Does::Well));
    for _ in 0..300 {
        let mut board = Board::new(&old, random.fork());
        board.knows(&new);
        let mut upload = new.upload();
        for _ in 0..random.below(30) {
            let tear = TEARS[usize::try_from(random.below(4)).unwrap()];
            board.flash.cut_after(u32::try_from(random.below(12)).unwrap(), tear);
            while board.flash.has_power() && upload.ended().is_none() {
                if board.go_on(&mut upload).is_none() {
                    board.on = None;
                }
            }
            if board.on.is_none() {
                board.flash.power_on();
            }
        }
        board.flash.never_cut();
        // Each cut in a trial was a start; so it may have been refused, and nothing else.
        match board.update(&mut upload) {
            Ended::Confirmed => {}
            Ended::Refused(UpdateRefusal::DidNotStart) => {
                assert_eq!(board.runs(), version(1));
                assert_eq!(board.update(&mut new.upload()), Ended::Confirmed);
            }
            ended => panic!("{ended:?}"),
        }
        assert_eq!(board.runs(), version(2));
    }
}

#[test]
fn what_a_second_update_has_begun_to_erase_is_not_taken_for_the_first_one() {
    let mut random = Random::new();
    let (old, new) = (image(1, 2_000, Does::Well), image(3, 7_000, Does::Well));
    let short = image(2, 1_500, Does::Well);
    for tear in TEARS {
        for after in 0..6 {
            let mut board = Board::new(&old, random.fork());
            [&new, &short].into_iter().for_each(|image| board.knows(image));
            board.boot().unwrap();
            let begun = board.flash.0.borrow().changes;
            let mut upload = new.upload();
            while board.flash.0.borrow().changes < begun + 18 {
                let said = upload.poll().unwrap();
                upload.sent();
                board.say(&said).unwrap().iter().for_each(|told| upload.handle(told));
            }
            board.flash.cut_after(after, tear);
            let mut upload = short.upload();
            while board.go_on(&mut upload).is_some() {}
            board.on = None;
            assert_eq!(board.update(&mut new.upload()), Ended::Confirmed, "{after} {tear:?}");
        }
    }
}

#[test]
fn what_was_stored_is_not_sent_again() {
    let mut random = Random::new();
    let (old, new) = (image(1, 2_000, Does::Well), image(2, 7_000, Does::Well));
    for tear in TEARS {
        let mut board = Board::new(&old, random.fork());
        board.knows(&new);
        let mut upload = new.upload();
        board.boot().unwrap();
        // The state twice, eight sectors' erasing, and twelve units, the last of which tears.
        board.flash.cut_after(2 + 7 + 11, tear);
        assert_eq!(board.go_on(&mut upload), None);
        let stored = upload.stored();
        assert!(stored >= 9 * 512, "{stored}");
        board.on = None;
        let mut upload = new.upload();
        board.boot().unwrap();
        let told = board.say(&upload.poll().unwrap()).unwrap();
        upload.sent();
        told.iter().for_each(|told| upload.handle(told));
        let again = stored - upload.stored();
        assert!(again <= SECTOR, "{again} bytes again after {tear:?}");
        assert_eq!(board.update(&mut upload), Ended::Confirmed);
    }
    assert_eq!(TEARS[2], Tear::Mixed);
}
