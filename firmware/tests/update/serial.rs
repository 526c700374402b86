//! Updates of an RP2040's flash: where things are in it, what may not be changed, and what a cut leaves.

use core::ops::Range;

use device_drivers::Moment;
use embedded_storage::nor_flash::{NorFlash as _, ReadNorFlash as _};
use firmware::update::{
    HEADER, PAGE, Receiver, SECTOR, SerialChip as _, SerialError, SerialFlash, Slot, State, Store,
    Updates as _, load,
};
use pos_link::{Ended, Identity, Kind, ToHost, UpdateRefusal, Version};

use crate::flash::{Flash, TEARS};
use crate::layout::{IDENTITY, IMAGE, LAYOUT, LONGEST, MAPPED, WRITABLE};
use crate::random::Random;
use crate::shop::{Does, Image, TARGET, image, key, version};

/// What a Pico has.
const CAPACITY: usize = 2 << 20;

pub(crate) type Serial = SerialFlash<Flash>;

pub(crate) fn serial(flash: &Flash) -> Serial {
    SerialFlash::new(flash.clone(), WRITABLE)
}

pub(crate) fn store(flash: &Flash) -> Store<Serial> {
    Store::new(serial(flash), LAYOUT).unwrap()
}

/// A board that left the factory with this image.
pub(crate) fn made(image: &Image, random: Random) -> Flash {
    let mut bytes = vec![0x5a; CAPACITY];
    bytes[LAYOUT.slots[0] as usize..][..image.bytes.len()].copy_from_slice(&image.bytes);
    Flash::holding(bytes, random)
}

/// Boots as the boot loader does. Gives what runs, and which slot that is from; `None` if the power was cut within.
pub(crate) fn boot(flash: &Flash, images: &[&Image], now: Moment) -> Option<(Receiver<Serial>, Slot)> {
    flash.power_on();
    let mut memory = vec![0; LONGEST as usize];
    let mut fed = 0;
    let slot = load(&mut store(flash), TARGET, key().verifying_key().as_bytes(), &mut memory, || fed += 1);
    if !flash.has_power() {
        return None;
    }
    assert_eq!(fed, 3, "the watchdog is fed before, behind the look at the slots, and behind the copying");
    let receiver = Receiver::new(store(flash), TARGET, slot.unwrap(), now).unwrap();
    let runs = images.iter().find(|image| image.version == receiver.version()).unwrap();
    assert_eq!(memory[..runs.bytes.len() - HEADER], runs.bytes[HEADER..]);
    Some((receiver, slot.unwrap()))
}

fn state(flash: &Flash) -> State {
    store(flash).state().unwrap().unwrap()
}

/// The box updates it whatever happens; gives what became of it.
fn update(flash: &Flash, old: &Image, new: &Image) -> Ended {
    let mut upload = new.upload();
    for _ in 0..100 {
        let Some((mut receiver, _)) = boot(flash, &[old, new], Moment::default()) else { continue };
        if new.does == Does::Hangs && receiver.version() == new.version {
            continue;
        }
        receiver.all_is_well();
        let firmware = receiver.version();
        let (hardware, key) = ([0; 8], [0; 16]);
        upload.handle(&ToHost::Identity(Identity { kind: Kind::Drawer, hardware, firmware, key }));
        while flash.has_power() && !receiver.wants_reboot() {
            while receiver.has_work() {
                receiver.work();
            }
            while flash.has_power()
                && let Some(told) = receiver.report_due()
            {
                upload.handle(&told);
                receiver.reported();
            }
            if let Some(ended) = upload.ended() {
                return ended;
            }
            if let Some(said) = upload.poll() {
                upload.sent();
                receiver.handle(&said);
            }
        }
    }
    panic!("it never ends: {upload:?}")
}

/// One cut after each number of changes, until that is more than there are. Gives how many there were.
fn at_each_change(new: &Image, wanted: Ended, runs: Version) -> u32 {
    let mut random = Random::new();
    let old = image(1, 6_000, Does::Well);
    let factory = made(&old, random.fork()).0.borrow().bytes.clone();
    let mut cuts = 0;
    for tear in TEARS {
        for after in 0.. {
            let flash = Flash::holding(factory.clone(), random.fork());
            flash.cut_after(after, tear);
            assert_eq!(update(&flash, &old, new), wanted, "{after} {tear:?}");
            {
                let chip = flash.0.borrow();
                let (begin, end) = (WRITABLE.start as usize, WRITABLE.end as usize);
                assert!(chip.bytes[..begin] == factory[..begin], "the boot loader is left alone");
                assert!(chip.bytes[end..] == factory[end..], "and so is the identity");
            }
            assert_eq!(state(&flash).floor, runs);
            if flash.0.borrow().changes <= after {
                break;
            }
            cuts += 1;
        }
    }
    cuts
}

#[test]
fn wherever_the_power_is_cut_the_new_image_runs_in_the_end() {
    let cuts = at_each_change(&image(2, 9_000, Does::Well), Ended::Confirmed, version(2));
    println!("{cuts} cuts");
    assert!(cuts > 40 * 4, "an update changes the flash more often than {cuts} times");
}

#[test]
fn an_image_that_does_not_start_gives_way_wherever_the_power_is_cut() {
    let ended = Ended::Refused(UpdateRefusal::DidNotStart);
    assert!(at_each_change(&image(2, 5_000, Does::Hangs), ended, version(1)) > 25 * 4);
}

#[test]
fn the_longest_image_of_a_slot_fits_where_it_runs() {
    let (old, new) = (image(1, 100, Does::Well), image(2, LAYOUT.slot_length as usize - HEADER, Does::Well));
    let flash = made(&old, Random::new());
    assert_eq!(update(&flash, &old, &new), Ended::Confirmed);
    let (receiver, slot) = boot(&flash, &[&old, &new], Moment::default()).unwrap();
    assert_eq!((receiver.version(), slot), (version(2), Slot::Second));
    let longer = image(3, LAYOUT.slot_length as usize - HEADER + 1, Does::Well);
    assert_eq!(update(&flash, &new, &longer), Ended::Refused(UpdateRefusal::NoRoom));
}

#[test]
fn nothing_but_whole_sectors_and_pages_of_its_part_is_changed() {
    let flash = made(&image(1, 100, Does::Well), Random::new());
    let before = flash.0.borrow().bytes.clone();
    let mut serial = serial(&flash);
    let (sector, page) = (u32::try_from(SECTOR).unwrap(), u32::try_from(PAGE).unwrap());
    let Range { start, end } = WRITABLE;
    let (out, off) = (Err(SerialError::OutOfBounds), Err(SerialError::NotAligned));
    for from in [0, start - sector, end, IDENTITY, u32::MAX / sector * sector - sector] {
        assert_eq!(serial.erase(from, from + sector), out, "{from:x}");
    }
    for (from, to) in
        [(start - sector, start + sector), (end - sector, end + sector), (start + sector, start)]
    {
        assert_eq!(serial.erase(from, to), out, "{from:x} to {to:x}");
    }
    for (from, to) in [(start + page, start + sector), (start, start + page), (start + 1, start + 1 + sector)]
    {
        assert_eq!(serial.erase(from, to), off, "{from:x} to {to:x}");
    }
    for at in [0, start - page, end, end - page, IDENTITY, u32::MAX / page * page] {
        assert_eq!(serial.write(at, &[0; 2 * PAGE]), out, "{at:x}");
    }
    for (at, length) in [(start + 4, PAGE), (start, PAGE - 4), (start, PAGE + 1), (start + 1, PAGE)] {
        assert_eq!(serial.write(at, &vec![0; length]), off, "{length} at {at:x}");
    }
    assert_eq!(serial.read(end - 4, &mut [0; 8]), out);
    assert!(flash.0.borrow().bytes == before);
    assert_eq!(flash.0.borrow().changes, 0);

    assert_eq!(serial.erase(start, start + 2 * sector), Ok(()));
    assert_eq!(serial.erase(end - sector, end), Ok(()));
    assert_eq!(serial.write(end - 2 * page, &[0x77; 2 * PAGE]), Ok(()));
    assert_eq!(flash.0.borrow().changes, 5, "two sectors, one, and two pages");
    let mut read = [0; 2 * PAGE];
    assert_eq!(serial.read(end - 2 * page, &mut read), Ok(()));
    assert_eq!(read, [0x77; 2 * PAGE]);
}

#[test]
fn nothing_is_changed_while_something_is_driven() {
    let flash = made(&image(1, 100, Does::Well), Random::new());
    let mut serial = serial(&flash);
    assert_eq!(serial.erase(WRITABLE.start, WRITABLE.start + 4096), Ok(()));
    flash.0.borrow_mut().driven = true;
    assert!(!flash.may_stand_still());
    assert_eq!(serial.erase(WRITABLE.start, WRITABLE.start + 4096), Err(SerialError::Driven));
    assert_eq!(serial.write(WRITABLE.start, &[0; PAGE]), Err(SerialError::Driven));
    flash.0.borrow_mut().driven = false;
    assert_eq!(serial.write(WRITABLE.start, &[0; PAGE]), Ok(()));
}

/// A flash that is worn out or locked says nothing.
#[test]
fn what_the_flash_did_not_do_is_an_error() {
    let (old, new) = (image(1, 5_000, Does::Well), image(2, 9_000, Does::Well));
    let dead = made(&old, Random::new());
    dead.0.borrow_mut().fail_at = Some(0);
    let start = WRITABLE.start;
    assert_eq!(serial(&dead).erase(start, start + 4096), Err(SerialError::NotChanged));
    assert_eq!(serial(&dead).write(start, &[0; PAGE]), Err(SerialError::NotChanged));
    let whole = made(&old, Random::new());
    assert_eq!(update(&whole, &old, &new), Ended::Confirmed);
    // The boot's state, the update's, three sectors, and eighteen units of two pages.
    let writes = 2 + 3 + 2 + 36;
    assert!(whole.0.borrow().changes > writes);
    for fail_at in 2..writes {
        let flash = made(&old, Random::new());
        flash.0.borrow_mut().fail_at = Some(fail_at);
        assert_eq!(update(&flash, &old, &new), Ended::Refused(UpdateRefusal::FlashFailed), "{fail_at}");
        flash.0.borrow_mut().fail_at = None;
        assert_eq!(update(&flash, &old, &new), Ended::Confirmed);
    }
}

/// The number in a linker script: `NAME : ORIGIN = 0x…, LENGTH = …`.
fn region(script: &str, name: &str) -> (u32, u32) {
    let line = script.lines().find(|line| line.trim_start().starts_with(&format!("{name} :"))).unwrap();
    let (origin, length) = line.split_once("ORIGIN = 0x").unwrap().1.split_once(", LENGTH = ").unwrap();
    let number = |text: &str| match text.trim().strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).unwrap(),
        None => text.trim().strip_suffix('K').unwrap().parse::<u32>().unwrap() << 10,
    };
    let length = length.split(" - ").map(number).reduce(|whole, part| whole - part).unwrap();
    (u32::from_str_radix(origin, 16).unwrap(), length)
}

#[test]
fn the_programs_are_linked_to_where_the_layout_has_them() {
    let boot = include_str!("../../boards/rp2040/boot.x");
    let image = include_str!("../../boards/rp2040/image.x");
    assert_eq!(region(boot, "BOOT2"), (MAPPED, 256));
    let (origin, length) = region(boot, "FLASH");
    assert_eq!((origin, origin + length), (MAPPED + 256, MAPPED + WRITABLE.start));
    assert_eq!(region(image, "FLASH"), (IMAGE, LONGEST));
    for script in [boot, image] {
        let (ram, kept) = (region(script, "RAM"), region(script, "KEPT"));
        assert_eq!(ram.0, IMAGE + LONGEST, "behind the longest image");
        assert_eq!((kept.0, kept.0 + kept.1), (ram.0 + ram.1, 0x2004_0000), "up to the end of the RAM");
    }
    let [one, two] = LAYOUT.slots;
    assert_eq!((LAYOUT.pages[0], two + LAYOUT.slot_length), (WRITABLE.start, WRITABLE.end));
    assert!(one + LAYOUT.slot_length <= two && LAYOUT.slot_length <= LONGEST);
    assert_eq!(IDENTITY as usize + SECTOR, CAPACITY);
}
