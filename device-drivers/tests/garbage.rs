//! Bytes that no honest till sends, and bytes that another program sends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod random;

use std::cell::RefCell;
use std::rc::Rc;

use device_drivers::{Decoder, Event, Mark, Paper, Profile, decode, encode};
use escpos::driver::Driver;
use escpos::printer::Printer;
use escpos::utils::{JustifyMode, PageCode, Protocol, QRCodeCorrectionLevel, QRCodeModel, QRCodeOption};
use pos_domain::receipt::{Block, Document};
use random::Random;

/// A rough size of what an event holds on to, in bytes.
fn held(event: &Event) -> usize {
    match event {
        Event::Printed(Mark::Line { runs, .. }) => {
            64 + runs.iter().map(|run| 64 + run.text.len()).sum::<usize>()
        }
        Event::Printed(Mark::Qr { data, .. }) => 64 + data.len(),
        _ => 64,
    }
}

#[test]
fn random_bytes_neither_stop_the_decoder_nor_swell_it() {
    let mut random = Random::new();
    let starts = [0x1b, 0x1d, 0x1c, 0x10, b'(', b'k', b'\n', 0xff, b'8', b'L', b'v', b'0'];
    let mut events = Vec::new();
    let mut skipped = 0;
    for _ in 0..500 {
        // Afresh, as a single stray command may swallow gigabytes.
        let mut decoder = Decoder::new(Profile::default());
        for _ in 0..4_000 {
            let byte = match random.below(4) {
                0 => starts[random.below(starts.len())],
                _ => random.next() as u8,
            };
            decoder.push(byte, &mut events);
            assert!(events.iter().map(held).sum::<usize>() < 300 * 64 + 32 * 1024, "{} events", events.len());
            events.clear();
        }
        skipped += decoder.skipped();
    }
    assert!(skipped > 1000, "{skipped}: the garbage never reached the commands");
}

#[test]
fn one_flipped_bit_costs_at_most_the_rest_of_its_job() {
    let receipt: Document = (0..20)
        .map(|line| Block::row(format!("Brötchen {line}"), "0,45 €"))
        .chain([Block::Qr("0190a5f2".into()), Block::Cut])
        .collect();
    let profile = Profile::default();
    let job = encode(&receipt, &profile).bytes;
    for place in (0..job.len() * 8).step_by(5) {
        let mut broken = job.clone();
        broken[place / 8] ^= 1 << (place % 8);
        // Some flips start a command of up to 64 KiB: as with a printer, that swallows what follows.
        broken.extend(vec![0; 70_000]);
        broken.extend(&job);
        let papers = decode(&broken, &profile).papers;
        let good = Paper::of(&receipt, profile.columns);
        assert!(papers.last().is_some_and(|paper| paper.marks.ends_with(&good.marks)), "bit {place}");
    }
}

#[test]
fn paper_does_not_grow_for_ever() {
    let mut bytes = Vec::new();
    for _ in 0..30_000 {
        bytes.extend(b"\x1bE\x01a\x1bE\x00b\x1bE\x01c\x1bE\x00d\n");
    }
    let decoded = decode(&bytes, &Profile::default());
    let paper = decoded.papers.first().unwrap();
    assert!(paper.cut_short);
    assert!(paper.marks.len() < 20_000);
}

/// Collects what the other encoder writes.
#[derive(Clone, Default)]
struct Wire(Rc<RefCell<Vec<u8>>>);

impl Driver for Wire {
    fn name(&self) -> String {
        "collected".into()
    }

    fn write(&self, data: &[u8]) -> escpos::errors::Result<()> {
        self.0.borrow_mut().extend_from_slice(data);
        Ok(())
    }

    fn read(&self, _: &mut [u8]) -> escpos::errors::Result<usize> {
        Ok(0)
    }

    fn flush(&self) -> escpos::errors::Result<()> {
        Ok(())
    }
}

#[test]
fn another_encoder_is_understood() -> escpos::errors::Result<()> {
    let wire = Wire::default();
    Printer::new(wire.clone(), Protocol::default(), None)
        .init()?
        .page_code(PageCode::PC858)?
        .justify(JustifyMode::CENTER)?
        .size(2, 2)?
        .bold(true)?
        .writeln("Bäckerei")?
        .size(1, 1)?
        .bold(false)?
        .qrcode_option("0190a5f2", QRCodeOption::new(QRCodeModel::Model2, 6, QRCodeCorrectionLevel::M))?
        .justify(JustifyMode::RIGHT)?
        .reverse(true)?
        .writeln("1,49 €")?
        .feeds(2)?
        .print_cut()?;
    let bytes = wire.0.borrow().clone();
    let decoded = decode(&bytes, &Profile::default());
    assert_eq!(decoded.skipped, 0);
    assert_eq!(decoded.papers.len(), 1);
    let text = decoded.papers[0].to_text();
    assert_eq!(text, format!("{}Bäckerei\n0190a5f2\n{}1,49 €\n\n\n", " ".repeat(13), " ".repeat(36)));
    Ok(())
}
