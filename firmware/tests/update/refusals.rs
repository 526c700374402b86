//! What is not taken, and what a box that lies gets to hear.

use ed25519_dalek::SigningKey;
use firmware::update::{
    HEADER, Header, Layout, Outcome, Phase, Slot, Store, TRIAL_PATIENCE, Target, Updates, boot, fingerprint,
};
use pos_link::{Ended, Kind, ToController, ToHost, UpdateRefusal};

use crate::flash::{TEARS, Tear};
use crate::random::Random;
use crate::shop::{Board, Does, Image, LAYOUT, SLOT, TARGET, header_of, image, image_by, key, version};

fn board(old: &Image) -> Board {
    let mut board = Board::new(old, Random::new());
    board.boot().unwrap();
    board.work().unwrap();
    board
}

fn old() -> Image {
    image(5, 2_000, Does::Well)
}

fn refused(board: &mut Board, image: &Image, reason: UpdateRefusal) {
    let before = board.runs();
    assert_eq!(board.update(&mut image.upload()), Ended::Refused(reason));
    board.on = None;
    assert_eq!(board.runs(), before);
    board.work().unwrap();
}

fn begin(image: &Image) -> ToController {
    let length = u32::try_from(image.bytes.len()).unwrap();
    let fingerprint = Some(fingerprint(image.header()));
    ToController::UpdateBegin { length, version: image.version, fingerprint }
}

fn chunk(offset: u32, data: &[u8]) -> ToController {
    ToController::UpdateChunk { offset, data: data.iter().copied().collect() }
}

fn answer(reason: UpdateRefusal, stored: u32) -> Option<Vec<ToHost>> {
    Some(vec![ToHost::UpdateRefused { reason, stored }])
}

#[test]
fn what_another_key_signed_does_not_run() {
    let body = [0x11; 3_000];
    let forged = image_by(&SigningKey::from_bytes(&[8; 32]), header_of(&body, 6), &body, Does::Well);
    let mut board = board(&old());
    refused(&mut board, &forged, UpdateRefusal::BadSignature);
    assert_eq!(board.state().outcome, Some(Outcome::Refused(UpdateRefusal::BadSignature)));
    // Nor does a good image of which somebody changed the body.
    let mut changed = image(6, 3_000, Does::Well);
    changed.bytes[HEADER + 10] ^= 1;
    let boots = board.boots;
    assert_eq!(board.update(&mut changed.upload()), Ended::Refused(UpdateRefusal::Damaged));
    assert_eq!(board.boots, boots, "it does not boot for that");
    // What is stored of that is not taken for the good one's.
    let good = image(6, 3_000, Does::Well);
    board.knows(&good);
    assert_eq!(board.update(&mut good.upload()), Ended::Confirmed);
}

/// The boot loader believes neither what received the image nor the flash.
#[test]
fn what_changes_in_the_flash_before_it_is_started_does_not_run() {
    let new = image(6, 3_000, Does::Well);
    for at in [4, 12, 70, HEADER, HEADER + 2_999] {
        let mut board = board(&old());
        let mut upload = new.upload();
        while board.go_on(&mut upload).is_some() {}
        board.flash.0.borrow_mut().bytes[LAYOUT.slots[1] as usize + at] ^= 0x40;
        board.on = None;
        let reason =
            if (5..HEADER).contains(&at) { UpdateRefusal::BadSignature } else { UpdateRefusal::Damaged };
        assert_eq!(board.update(&mut upload), Ended::Refused(reason), "byte {at}");
        assert_eq!(board.runs(), version(5));
    }
    let board = board(&old());
    board.flash.0.borrow_mut().bytes[LAYOUT.slots[0] as usize + 500] ^= 1;
    let found = boot(&mut board.store(), TARGET, &key().verifying_key());
    assert_eq!(found, Ok(None), "rather nothing than that");
}

#[test]
fn what_is_older_or_for_another_board_or_too_long_is_not_taken() {
    let mut board = board(&old());
    for patch in [4, 5] {
        refused(&mut board, &image(patch, 900, Does::Well), UpdateRefusal::NotNewer);
    }
    let body = [0x11; 3_000];
    for target in [Target { kind: Kind::Scanner, ..TARGET }, Target { board: *b"another\0", ..TARGET }] {
        let header = Header { target, ..header_of(&body, 6) };
        refused(&mut board, &image_by(&key(), header, &body, Does::Well), UpdateRefusal::WrongBoard);
    }
    refused(&mut board, &image(6, SLOT as usize, Does::Well), UpdateRefusal::NoRoom);
    // It just fits.
    let longest = image(6, SLOT as usize - HEADER, Does::Well);
    board.knows(&longest);
    assert_eq!(board.update(&mut longest.upload()), Ended::Confirmed);
    assert_eq!(board.runs(), version(6));
}

#[test]
fn what_was_announced_and_what_comes_are_the_same() {
    let mut board = board(&image(3, 2_000, Does::Well));
    let (told, comes) = (image(7, 900, Does::Well), image(4, 900, Does::Well));
    let header = comes.header();
    let like = image_by(&key(), header_of(&[0x11; 900], 4), &[0x11; 900], Does::Well);
    for said in [
        begin(&told),
        ToController::UpdateBegin {
            length: 1_028,
            version: version(4),
            fingerprint: Some(fingerprint(like.header())),
        },
        ToController::UpdateBegin { length: 1_028, version: version(7), fingerprint: None },
        ToController::UpdateBegin {
            length: 1_100,
            version: version(7),
            fingerprint: Some(fingerprint(header)),
        },
    ] {
        assert_eq!(board.say(&said), Some(vec![ToHost::UpdateProgress { stored: 0 }]));
        let mut told = Vec::new();
        for (index, data) in comes.bytes.chunks(128).enumerate().take(4) {
            told = board.say(&chunk(u32::try_from(index * 128).unwrap(), data)).unwrap();
        }
        assert_eq!(Some(told), answer(UpdateRefusal::Damaged, 0));
    }
    let short = ToController::UpdateBegin { length: 128, version: version(7), fingerprint: None };
    assert_eq!(board.say(&short), answer(UpdateRefusal::Damaged, 0));
}

#[test]
fn chunks_out_of_their_turn_are_told_and_known_ones_change_nothing() {
    let mut board = board(&old());
    let new = image(6, 3_000, Does::Well);
    board.knows(&new);
    assert_eq!(board.say(&chunk(0, &[1; 9])), answer(UpdateRefusal::NoneBegun, 0));
    assert_eq!(board.say(&ToController::UpdateEnd), answer(UpdateRefusal::NoneBegun, 0));
    board.say(&begin(&new)).unwrap();
    assert_eq!(board.say(&chunk(1, &new.bytes[1..100])), answer(UpdateRefusal::BadOffset, 0));
    // In pieces of any length, each of which has something of the one before.
    let (mut at, mut random) = (0, Random::new());
    while at < new.bytes.len() {
        let from = at.saturating_sub(usize::try_from(random.below(60)).unwrap());
        let to = (from + 1 + usize::try_from(random.below(128)).unwrap()).min(new.bytes.len());
        board.say(&chunk(u32::try_from(from).unwrap(), &new.bytes[from..to])).unwrap();
        at = at.max(to);
        if at < new.bytes.len() {
            let told = board.say(&ToController::UpdateEnd).unwrap();
            assert!(matches!(told[..], [.., ToHost::UpdateRefused { reason: UpdateRefusal::Damaged, .. }]));
        }
    }
    assert_eq!(board.say(&chunk(3_128, &[0])), answer(UpdateRefusal::BadOffset, 3_128));
    let receiver = &mut board.on.as_mut().unwrap().receiver;
    for _ in 0..3 {
        receiver.handle(&ToController::UpdateEnd);
        receiver.work();
    }
    assert_eq!((receiver.report_due(), board.work()), (None, None), "it boots");
    board.on = None;
    assert_eq!((board.runs(), board.state().active), (version(6), Slot::First));
    assert_eq!(board.say(&begin(&image(7, 900, Does::Well))), answer(UpdateRefusal::OnTrial, 0));
    assert_eq!(board.say(&ToController::UpdateEnd), Some(vec![]), "that is why it runs");
}

#[test]
fn a_trial_is_three_starts_and_each_may_take_two_minutes() {
    let new = image(6, 3_000, Does::IsDeaf);
    let mut board = board(&old());
    board.knows(&new);
    let mut upload = new.upload();
    while board.go_on(&mut upload).is_some() {}
    for left in [2, 1, 0] {
        board.boot().unwrap();
        assert_eq!(board.state().phase, Phase::Trial { left });
        let now = board.now;
        let receiver = &mut board.on.as_mut().unwrap().receiver;
        assert_eq!((receiver.on_trial(), receiver.report_due()), (true, None));
        receiver.handle_timeout(now + (TRIAL_PATIENCE - core::time::Duration::from_micros(1)));
        assert!(!receiver.wants_reboot());
        receiver.handle_timeout(now + TRIAL_PATIENCE);
        assert!(receiver.wants_reboot());
    }
    assert_eq!(board.runs(), version(6));
    board.boot().unwrap();
    assert_eq!(board.runs(), version(5));
    assert_eq!(board.work(), answer(UpdateRefusal::DidNotStart, 0));
    let receiver = &mut board.on.as_mut().unwrap().receiver;
    receiver.handle_timeout(board.now + TRIAL_PATIENCE * 10);
    assert!(!receiver.wants_reboot(), "what is confirmed may be alone");
}

#[test]
fn a_flash_that_fails_is_told_and_another_try_succeeds() {
    for failures_at in 0..12 {
        let new = image(6, 3_000, Does::Well);
        let mut board = board(&old());
        board.knows(&new);
        let mut upload = new.upload();
        // Some changes go well.
        let wanted = board.flash.0.borrow().changes + failures_at;
        let mut told = Vec::new();
        while upload.ended().is_none() {
            let Some(said) = upload.poll() else { break };
            upload.sent();
            board.flash.0.borrow_mut().fail_at = Some(wanted);
            told = board.say(&said).unwrap();
            told.iter().for_each(|told| upload.handle(told));
        }
        assert_eq!(upload.ended(), Some(Ended::Refused(UpdateRefusal::FlashFailed)), "{told:?}");
        board.flash.0.borrow_mut().fail_at = None;
        assert_eq!(board.update(&mut new.upload()), Ended::Confirmed);
        assert_eq!(board.runs(), version(6));
    }
}

#[test]
fn a_trial_that_cannot_be_confirmed_gets_its_other_starts() {
    let new = image(6, 3_000, Does::Well);
    let mut board = board(&old());
    board.knows(&new);
    let mut upload = new.upload();
    while board.go_on(&mut upload).is_some() {}
    board.boot().unwrap();
    let fails = board.flash.0.borrow().changes;
    board.flash.0.borrow_mut().fail_at = Some(fails);
    for told in [answer(UpdateRefusal::FlashFailed, 0), Some(vec![])] {
        board.on.as_mut().unwrap().receiver.all_is_well();
        assert_eq!(board.work(), told, "it is tried once a start");
    }
    board.flash.0.borrow_mut().fail_at = None;
    board.on = None;
    assert_eq!(board.update(&mut upload), Ended::Confirmed);
    assert_eq!(board.state().floor, version(6));
}

#[test]
fn a_change_that_was_made_and_said_to_have_failed_is_known() {
    let new = image(6, 3_000, Does::Well);
    let mut board = board(&old());
    board.knows(&new);
    let begun = board.flash.0.borrow().changes;
    let mut upload = new.upload();
    while board.go_on(&mut upload).is_some() {}
    let trial_kept = board.flash.0.borrow().changes - begun;

    let mut board = self::board(&old());
    board.knows(&new);
    let begun = board.flash.0.borrow().changes;
    board.flash.0.borrow_mut().lies_at = Some(begun + trial_kept);
    assert_eq!(board.update(&mut new.upload()), Ended::Refused(UpdateRefusal::FlashFailed));
    assert_eq!(board.state().phase, Phase::Trial { left: 3 });
    // The slot is about to be erased: there is no trial of it any more.
    board.flash.cut_after(3, Tear::After);
    assert_eq!(board.say(&begin(&new)), None);
    board.on = None;
    assert_eq!((board.runs(), board.work()), (version(5), answer(UpdateRefusal::NoneBegun, 0)));
    assert_eq!(board.update(&mut new.upload()), Ended::Confirmed);
}

#[test]
fn a_start_that_cannot_be_counted_does_not_happen() {
    let new = image(6, 3_000, Does::Well);
    let mut board = board(&old());
    board.knows(&new);
    let mut upload = new.upload();
    while board.go_on(&mut upload).is_some() {}
    let wanted = board.flash.0.borrow().changes;
    board.flash.0.borrow_mut().fail_at = Some(wanted);
    board.boot().unwrap();
    assert_eq!(board.runs(), version(5));
    let receiver = &mut board.on.as_mut().unwrap().receiver;
    assert!(!receiver.on_trial());
    receiver.all_is_well();
    board.flash.0.borrow_mut().fail_at = None;
    board.work().unwrap();
    assert_eq!(board.state().floor, version(5), "the other one's trial is not confirmed by this one");
    board.boot().unwrap();
    assert_eq!(board.runs(), version(6));
}

/// Any messages, with any cuts between them: whatever came, what runs is good, and a good image gets through.
#[test]
fn a_box_that_says_anything_at_all_gets_nothing_bad_to_run() {
    let mut random = Random::new();
    let forger = SigningKey::from_bytes(&[8; 32]);
    let body = [0x33; 1_500];
    for _ in 0..60 {
        let images = [
            image(6, 2_500, Does::Well),
            image(7, 1_200, Does::Hangs),
            image(4, 1_200, Does::Well),
            image_by(&forger, header_of(&body, 8), &body, Does::Well),
            image_by(&key(), Header { length: u32::MAX, ..header_of(&body, 8) }, &body, Does::Well),
        ];
        let mut board = Board::new(&old(), random.fork());
        images[..2].iter().for_each(|image| board.knows(image));
        for _ in 0..400 {
            let pick = |random: &mut Random, end: usize| usize::try_from(random.below(end as u64)).unwrap();
            if random.below(40) == 0 {
                board.flash.cut_after(u32::try_from(random.below(6)).unwrap(), TEARS[pick(&mut random, 4)]);
            }
            if board.on.is_none() && board.boot().is_none() {
                continue;
            }
            let image = &images[pick(&mut random, images.len())];
            let said = match random.below(8) {
                0 => begin(image),
                1 => ToController::UpdateEnd,
                2 => {
                    board.on.as_mut().unwrap().receiver.all_is_well();
                    board.on.as_mut().unwrap().receiver.work();
                    continue;
                }
                3 => chunk(u32::MAX - 3, &[0; 100]),
                // A run of chunks from where it is, so that something gets through.
                _ => {
                    let mut at = match board.on.as_mut().unwrap().stored {
                        Some(at) if random.below(4) > 0 => at as usize,
                        _ => pick(&mut random, image.bytes.len()),
                    };
                    while let Some(data) = image.bytes.get(at..(at + 128).min(image.bytes.len()))
                        && !data.is_empty()
                        && board.say(&chunk(u32::try_from(at).unwrap(), data)).is_some()
                    {
                        at += data.len();
                    }
                    ToController::UpdateEnd
                }
            };
            if board.on.is_some() && board.say(&said).is_none() {
                board.on = None;
            }
        }
        board.flash.never_cut();
        let last = image(9, 2_000, Does::Well);
        board.knows(&last);
        board.on = None;
        while board.boot().is_none() || board.on.as_ref().unwrap().receiver.on_trial() {}
        assert_eq!(board.update(&mut last.upload()), Ended::Confirmed);
    }
}

#[test]
fn a_layout_fits_its_flash() {
    let flash = board(&old()).flash;
    let fits = |layout| Store::new(flash.clone(), layout).is_some();
    assert!(fits(LAYOUT));
    let [one, two] = LAYOUT.slots;
    assert!(!fits(Layout { slots: [one, two - 1_024], ..LAYOUT }), "slots over each other");
    assert!(!fits(Layout { slots: [one, two + 1_024], ..LAYOUT }), "beyond the end");
    assert!(!fits(Layout { pages: [0, 0], ..LAYOUT }));
    assert!(!fits(Layout { pages: [0, 512], ..LAYOUT }));
    assert!(!fits(Layout { slot_length: 0, ..LAYOUT }));
    assert!(!fits(Layout { slots: [one, u32::MAX - 1_023], ..LAYOUT }));
}
