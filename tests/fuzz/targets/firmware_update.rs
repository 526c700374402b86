//! Messages of an update, and bytes in the spare slot, to a controller that boots now and then. Whatever came, what runs was signed and
//! is not older than what was confirmed, and a good image gets through.
#![no_main]

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::OnceLock;

use device_drivers::Moment;
use ed25519_dalek::{Signer as _, SigningKey};
use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use firmware::update::{HEADER, Header, Layout, Receiver, Slot, Store, Target, Updates, boot, fingerprint};
use libfuzzer_sys::fuzz_target;
use pos_link::{Ended, Identity, Kind, Message as _, ToController, ToHost, Upload, Version};
use sha2::{Digest as _, Sha256};

const SECTOR: u32 = 512;
const SLOT: u32 = 4 * SECTOR;
const LAYOUT: Layout = Layout { pages: [0, SECTOR], slots: [2 * SECTOR, 6 * SECTOR], slot_length: SLOT };
const TARGET: Target = Target { board: *b"fuzzed\0\0", kind: Kind::Drawer };

#[derive(Clone)]
struct Flash(Rc<RefCell<Vec<u8>>>);

impl ErrorType for Flash {
    type Error = core::convert::Infallible;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.copy_from_slice(&self.0.borrow()[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.borrow().len()
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 512;
    const ERASE_SIZE: usize = SECTOR as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        self.0.borrow_mut()[from as usize..to as usize].fill(0xff);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        let mut flash = self.0.borrow_mut();
        flash[offset as usize..].iter_mut().zip(bytes).for_each(|(old, new)| *old &= new);
        Ok(())
    }
}

fn version(patch: u16) -> Version {
    Version { major: 1, minor: 0, patch }
}

/// Versions 1 to 4; 1 is in the board, and 4 is for the end.
fn images() -> &'static [Vec<u8>; 4] {
    static IMAGES: OnceLock<[Vec<u8>; 4]> = OnceLock::new();
    IMAGES.get_or_init(|| {
        [1_u16, 2, 3, 4].map(|patch| {
            let body = vec![patch as u8; 300 * usize::from(patch)];
            let digest = Sha256::digest(&body).into();
            let header =
                Header { target: TARGET, version: version(patch), length: body.len() as u32, digest }
                    .to_bytes();
            [header.as_slice(), &key().sign(&header).to_bytes(), &body].concat()
        })
    })
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

struct Board {
    flash: Flash,
    confirmed: Version,
    receiver: Receiver<Flash>,
}

fn start(flash: &Flash, confirmed: Version) -> (Receiver<Flash>, Slot) {
    let mut store = Store::new(flash.clone(), LAYOUT).unwrap();
    let (slot, header) = boot(&mut store, TARGET, &key().verifying_key()).unwrap().expect("something runs");
    let mut memory = [0; SLOT as usize];
    store.load(slot, &header, &mut memory).unwrap();
    let body = &memory[..header.length as usize];
    assert!(images().iter().any(|image| &image[HEADER..] == body), "it was never signed");
    assert!(header.version >= confirmed, "it is older than what was confirmed");
    (Receiver::new(store, TARGET, slot, Moment::default()).unwrap(), slot)
}

impl Board {
    fn work(&mut self) -> Vec<ToHost> {
        while self.receiver.has_work() {
            self.receiver.work();
        }
        let mut told = Vec::new();
        while let Some(report) = self.receiver.report_due() {
            if let ToHost::UpdateConfirmed { version } = report {
                self.confirmed = self.confirmed.max(version);
            }
            told.push(report);
            self.receiver.reported();
        }
        if self.receiver.wants_reboot() {
            self.reboot();
        }
        told
    }

    fn reboot(&mut self) {
        self.receiver = start(&self.flash, self.confirmed).0;
    }
}

fuzz_target!(|input: &[u8]| {
    let mut bytes = vec![0x5a; 10 * SECTOR as usize];
    bytes[LAYOUT.slots[0] as usize..][..images()[0].len()].copy_from_slice(&images()[0]);
    let flash = Flash(Rc::new(RefCell::new(bytes)));
    let receiver = start(&flash, version(1)).0;
    let mut board = Board { flash, confirmed: version(1), receiver };
    let mut rest = input;
    // What to do, two numbers, then so many bytes.
    while let [what, number, length, more @ ..] = rest {
        let (bytes, after) = more.split_at(more.len().min(usize::from(*length)));
        rest = after;
        let image = &images()[1 + usize::from(*number) % 2];
        let header: &[u8; HEADER] = image.first_chunk().unwrap();
        match what % 8 {
            0 => {
                if let Ok(said) = ToController::decode(bytes) {
                    board.receiver.handle(&said);
                }
            }
            1 => {
                let mut changed = *header;
                changed.iter_mut().zip(bytes).for_each(|(to, from)| *to ^= from);
                if let Ok(read) = Header::read(&changed) {
                    assert!(read.image_length() > HEADER as u64);
                }
            }
            2 => {
                board.receiver.handle(&ToController::UpdateBegin {
                    length: image.len() as u32,
                    version: version(2 + u16::from(*number) % 2),
                    fingerprint: (*length < 128).then(|| fingerprint(header)),
                });
            }
            // A run of an image's chunks, the last of them changed.
            3 => {
                let from = usize::from(*number) / 2 * 16;
                let chunks = image.get(from..).unwrap_or_default().chunks(128);
                let last = chunks.len().saturating_sub(1);
                for (index, data) in chunks.enumerate() {
                    let mut data: heapless::Vec<u8, 128> = data.iter().copied().collect();
                    if index == last {
                        data.iter_mut().zip(bytes).for_each(|(byte, change)| *byte ^= change);
                    }
                    let offset = (from + index * 128) as u32;
                    board.receiver.handle(&ToController::UpdateChunk { offset, data });
                    board.work();
                }
            }
            4 => {
                board.receiver.handle(&ToController::UpdateEnd);
            }
            5 => board.receiver.all_is_well(),
            6 => board.reboot(),
            // The slot that does not run is anybody's.
            _ => {
                let (receiver, slot) = start(&board.flash, board.confirmed);
                board.receiver = receiver;
                if !board.receiver.on_trial() {
                    let at = LAYOUT.slots[slot.other() as usize] as usize + usize::from(*number);
                    board.flash.0.borrow_mut()[at..][..bytes.len()].copy_from_slice(bytes);
                }
            }
        }
        if length % 2 == 0 {
            board.work();
        } else {
            board.receiver.work();
        }
    }
    while board.receiver.on_trial() {
        board.reboot();
    }
    let last = &images()[3];
    let mut upload = Upload::new(last.as_slice(), version(4), fingerprint(last.first_chunk().unwrap()));
    board.reboot();
    for _ in 0..200 {
        board.receiver.all_is_well();
        let identity = Identity {
            kind: Kind::Drawer,
            hardware: [0; 8],
            firmware: board.receiver.version(),
            key: [0; 16],
        };
        if board.receiver.on_trial() {
            upload.handle(&ToHost::Identity(identity));
        }
        board.work().iter().for_each(|told| upload.handle(told));
        if let Some(said) = upload.poll() {
            upload.sent();
            board.receiver.handle(&said);
        }
    }
    assert_eq!(upload.ended(), Some(Ended::Confirmed), "{upload:?}");
});
