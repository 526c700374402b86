//! A million damaged frames for each codec: none stops it, none swells it, and the next good one is understood.
//!
//! A debug build takes a tenth of them; `TILLBOX_FRAMES=1000000` takes the whole, `TILLBOX_SEED` the same ones again. It
//! is alone in its process, as it looks at the process's memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod random;

use std::time::{Duration, Instant};

use device_drivers::{
    CodePage, Decoder, Dialect, DisplayLine, DrawerEvent, DrawerWatch, Framing, HALF, KeyEvent, KeyReader,
    Layout, Logo, MAX_SCAN, Moment, Outcome, Patience, Profile, Reading, ScaleReader, ScanReader, Screen,
    Sensing, Session, Status, Talk, Unit, Weight, begin, encode, show,
};
use pos_domain::receipt::{Block, Document};
use random::Random;

/// Frames of each codec when nothing else is said.
const COUNT: u64 = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
/// What the process may grow by while a codec is at work, after its first frames.
const GROWTH_KIB: u64 = 4 * 1024;
const MS: Duration = Duration::from_millis(1);

impl Random {
    fn ms(&mut self, end: usize) -> Duration {
        MS * self.below(end) as u32
    }

    /// A frame of these with up to four damages: bits flipped, bytes lost, doubled or put in, its end cut off, another's
    /// end put on.
    fn damaged(&mut self, good: &[Vec<u8>]) -> Vec<u8> {
        let mut frame = good[self.below(good.len())].clone();
        for _ in 0..=self.below(4) {
            if frame.is_empty() {
                return frame;
            }
            let at = self.below(frame.len());
            match self.below(6) {
                0 | 1 => frame[at] ^= 1 << self.below(8),
                2 => drop(frame.remove(at)),
                3 => frame.insert(at, self.next() as u8),
                4 => frame.truncate(at),
                _ => {
                    let other = &good[self.below(good.len())];
                    frame.truncate(at);
                    frame.extend(&other[self.below(other.len())..]);
                }
            }
        }
        frame
    }
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Runs a codec, a frame with each call.
fn run(name: &str, random: &mut Random, mut frame: impl FnMut(&mut Random, u64)) {
    let asked = std::env::var("TILLBOX_FRAMES").ok().map(|count| count.parse().expect("TILLBOX_FRAMES"));
    let count: u64 = asked.unwrap_or(COUNT);
    let begun = Instant::now();
    let warm = count / 10;
    let mut before = resident_kib();
    for number in 0..count {
        frame(random, number);
        if number == warm {
            before = resident_kib();
        }
    }
    let grown = resident_kib().saturating_sub(before);
    println!("{name}: {count} frames in {} ms, grown by {grown} KiB", begun.elapsed().as_millis());
    assert!(grown < GROWTH_KIB, "{name} grew by {grown} KiB");
}

#[test]
fn no_damage_stops_a_codec_or_swells_it_and_the_next_good_frame_is_understood() {
    let mut random = Random::new();
    scans(&mut random);
    typed_scans(&mut random);
    scales(&mut random);
    sessions(&mut random);
    screens(&mut random);
    drawers(&mut random);
    printers(&mut random);
    logos(&mut random);
}

fn scans(random: &mut Random) {
    let good: Vec<_> = [
        "]E04006381333931\r\n",
        "\u{2}96385074\u{3}\r",
        "]C1010400638133393110LOT\u{1d}21X\n",
        "5449000000996\r\n",
        "größe-7\r\n",
    ]
    .map(|scan| scan.as_bytes().to_vec())
    .into();
    let framings = [Framing::Line, Framing::Idle(MS * 30)];
    let mut readers = framings.map(|framing| ScanReader::new(framing, MS * 50));
    let mut now = Moment::default();
    run("serial scans", random, |random, number| {
        now += random.ms(600);
        for reader in &mut readers {
            let bytes = random.damaged(&good);
            let cut = random.below(bytes.len() + 1);
            let later = now + random.ms(40);
            for (at, byte) in bytes.into_iter().enumerate() {
                let scan = reader.take(byte, if at < cut { now } else { later });
                assert!(scan.is_none_or(|scan| !scan.is_empty() && scan.len() <= MAX_SCAN));
            }
            now += HALF * 2;
            reader.handle_timeout(now);
            let good = format!("good {number}");
            good.bytes().for_each(|byte| assert_eq!(reader.take(byte, now), None));
            assert_eq!(reader.take(b'\r', now), Some(good.as_str()));
            assert_eq!(reader.take(b'\n', now), None);
        }
    });
}

fn typed_scans(random: &mut Random) {
    // Two bytes each: which key, and whether it goes down.
    let press = |key: u8| [key, 1, key, 0];
    let held = |key: u8, other: u8| [[key, 1].as_slice(), &press(other), &[key, 0]].concat();
    let digits: Vec<u8> = [5, 11, 11, 7, 4].iter().flat_map(|key| press(*key)).chain(press(28)).collect();
    let shifted = [held(42, 30), held(100, 16), held(29, 27), press(28).to_vec()].concat();
    let by_number = [[56, 1].as_slice(), &press(82), &press(77), &press(76), &[56, 0], &press(96)].concat();
    let good = [digits.clone(), shifted, by_number];
    let mut reader = KeyReader::new(Layout::German, MS * 50);
    let mut now = Moment::default();
    run("typed scans", random, |random, _| {
        let bytes = random.damaged(&good);
        for pair in bytes.chunks(2) {
            now += random.ms(4);
            let code = u16::from(pair[0]);
            let event = match pair.get(1).unwrap_or(&9) {
                1 => KeyEvent::Down(code),
                0 => KeyEvent::Up(code),
                _ => KeyEvent::Gap,
            };
            let scan = reader.handle(event, now);
            assert!(scan.is_none_or(|scan| !scan.is_empty() && scan.len() <= MAX_SCAN));
        }
        // A scanner at rest has let all keys go; but for Caps Lock, which digits do not have.
        while let Some(at) = reader.poll_timeout() {
            now = at;
            reader.handle_timeout(at);
        }
        let mut ended = 0;
        for pair in digits.chunks(2) {
            let event =
                if pair[1] == 1 { KeyEvent::Down(pair[0].into()) } else { KeyEvent::Up(pair[0].into()) };
            ended += usize::from(reader.handle(event, now).is_some());
        }
        assert_eq!((ended, reader.last()), (1, "40063"));
        now += MS * 60;
    });
}

fn scales(random: &mut Random) {
    let kilograms = |thousandths| Reading::Stable(Weight { thousandths, unit: Unit::Kilogram });
    for (name, talk, good) in [
        (
            "a polled scale",
            Talk::Polled { unit: Unit::Kilogram, places: 3 },
            ["\u{2}00475\r", "\u{2}00.475N\r", "\u{2}?A\r"],
        ),
        (
            "a continuous scale",
            Talk::Continuous,
            ["\u{2}%0    475000000\r", "\u{2}%8    481000010\r", "\u{2}%2 000010000000\r"],
        ),
    ] {
        let good: Vec<_> = good.map(|frame| frame.as_bytes().to_vec()).into();
        let mut reader = ScaleReader::new(talk);
        run(name, random, |random, _| {
            for byte in random.damaged(&good) {
                if let Some(Reading::Stable(weight)) = reader.take(byte) {
                    assert!(weight.thousandths.unsigned_abs() < 10_u64.pow(18));
                }
            }
            let found: Vec<_> = "\u{2}%0    475000000\r"
                .bytes()
                .chain("\u{2}00475\r".bytes())
                .filter_map(|byte| reader.take(byte))
                .collect();
            assert!(found.contains(&kilograms(475)), "{found:?}");
        });
        assert!(reader.refused() > 0);
    }
}

fn sessions(random: &mut Random) {
    let well = Status::default().to_answers().to_vec();
    let stopped = Status { offline: true, paper_end: true, ..Status::default() }.to_answers().to_vec();
    let jammed = Status { offline: true, cutter_error: true, ..Status::default() }.to_answers().to_vec();
    let good = [
        [well.as_slice(), &[0x00], &well].concat(),
        [well.as_slice(), &stopped, &stopped, &well, &[0x03], &well].concat(),
        [jammed.as_slice(), &well, &jammed, &well, &[0x00], &well].concat(),
        [[0x14, 0x00, 0x00, 0x0f].as_slice(), &well, &[0x0c], &well].concat(),
    ];
    let patience = Patience { confirm: MS * 300, status: MS * 200, look: MS * 20, ..Patience::default() };
    let begun = Moment::default();
    // Drives one job; what the printer says comes in pieces, whenever it likes.
    let job = |random: &mut Random, said: &[u8], honest: bool| {
        let operator = MS * [0, 100][random.below(2)];
        let mut session = Session::new(vec![0xaa; 40], true, patience, operator, begun);
        let (mut now, mut rest, mut sent, mut in_order) = (begun, said, 0, false);
        for step in 0.. {
            assert!(step < 10_000, "it never ends");
            if let Some(outcome) = session.outcome() {
                assert!(session.poll_output().is_empty());
                assert!(
                    sent == 0 || !matches!(outcome, Outcome::NotPrinted { .. }),
                    "{sent} bytes were sent"
                );
                assert!(*outcome != Outcome::Printed || (sent == 40 && in_order), "nobody said so");
                return outcome.clone();
            }
            let output = session.poll_output();
            if !output.is_empty() && (honest || random.below(3) > 0) {
                let count = if honest { output.len() } else { 1 + random.below(output.len()) };
                sent += output[..count].iter().filter(|byte| **byte == 0xaa).count();
                session.taken(count, now);
            } else if !rest.is_empty() && (honest || random.below(3) > 0) {
                // An honest printer answers what it was asked: four bytes, or one in its turn.
                let count = if honest {
                    if rest[0] & 0x90 == 0 { 1 } else { 4 }
                } else {
                    1 + random.below(rest.len())
                };
                let (now_said, later) = rest.split_at(count);
                in_order |= sent == 40 && now_said.iter().any(|byte| byte & 0x90 == 0);
                session.handle_input(now_said, now);
                rest = later;
            } else if !honest && random.below(50) == 0 {
                session.handle_lost("unplugged".into());
            } else {
                now = now.max(session.poll_timeout());
                session.handle_timeout(now);
            }
        }
        unreachable!()
    };
    let fine = [well.as_slice(), &[0x00], &well].concat();
    run("print jobs", random, |random, _| {
        let said = random.damaged(&good);
        job(random, &said, false);
        assert_eq!(job(random, &fine, true), Outcome::Printed);
    });
}

fn screens(random: &mut Random) {
    let lines = || [DisplayLine::new("Crème fraîche", "1,49 €"), DisplayLine::new("Summe", "12,07")];
    for (name, dialect) in [
        ("a display of the one kind", Dialect::Cd5220),
        ("a display of the other", Dialect::EscPos(CodePage::Pc858, 19)),
    ] {
        let good = [
            [&*begin(dialect), &*show(&lines(), dialect)].concat(),
            b"\x0c\x0bMilch\r\n1,09\x08\x18\x1b_\x00\x1fX\x04".to_vec(),
        ];
        let mut screen = Screen::new(dialect);
        run(name, random, |random, _| {
            random.damaged(&good).iter().for_each(|byte| screen.take(*byte));
            assert!(screen.lines().iter().all(|line| line.chars().count() == 20));
            // Whatever is open is ended first, as the driver does.
            [b"\r\0\0".as_slice(), &good[0]].concat().iter().for_each(|byte| screen.take(*byte));
            assert!(screen.lines()[1].starts_with("Summe          12,07"), "{:?}", screen.lines());
        });
    }
}

fn drawers(random: &mut Random) {
    // Three bytes each: the level, the time that it stays, and whether it is told to open.
    let good = [
        vec![1, 90, 0, 1, 50, 1, 0, 3, 0, 1, 2, 0, 0, 200, 0],
        vec![0, 40, 0, 1, 40, 0, 0, 40, 0, 1, 40, 0, 0, 20, 0, 1, 5, 0],
    ];
    let mut watch = DrawerWatch::new(Sensing::default());
    let (mut now, mut open) = (Moment::default(), None);
    run("a drawer's switch", random, |random, _| {
        let bytes = random.damaged(&good);
        let mut steps: Vec<_> = bytes
            .chunks(3)
            .map(|step| [step[0] & 1, *step.get(1).unwrap_or(&0), *step.get(2).unwrap_or(&0) & 1])
            .collect();
        // At rest, closed, then open.
        steps.extend([[1, 50, 0], [1, 50, 0], [0, 50, 1], [0, 50, 0]]);
        let mut last = None;
        for [level, ms, told] in steps {
            if told == 1 {
                watch.commanded(now);
            }
            watch.handle(level == 1, now);
            now += MS * u32::from(ms);
            watch.handle_timeout(now);
            while let Some(event) = watch.poll_event() {
                let opened = matches!(event, DrawerEvent::Opened { .. });
                assert_ne!(open.replace(opened), Some(opened), "it did the same twice");
                last = Some(event);
            }
            open = open.or(watch.is_open());
        }
        assert_eq!((last, watch.is_open()), (Some(DrawerEvent::Opened { commanded: true }), Some(true)));
    });
}

fn printers(random: &mut Random) {
    let receipt: Document = [
        Block::title("Bäckerei Żółw"),
        Block::row("Brötchen", "0,45 €"),
        Block::total("SUMME", "0,45 €"),
        Block::Qr("0190a5f2".into()),
        Block::Cut,
        Block::KickDrawer,
    ]
    .into_iter()
    .collect();
    let logo = Logo::new(64, 16, vec![0x55; 128]).unwrap();
    for profile in [
        Profile { logo: Some(logo.into()), ..Profile::default() },
        Profile { cuts: true, ..Profile::line_printer() },
    ] {
        let good = encode(&receipt, &profile).bytes;
        let marks = |bytes: &[u8], decoder: &mut Decoder| {
            let mut events = Vec::new();
            bytes.iter().for_each(|byte| decoder.push(*byte, &mut events));
            events
        };
        let meant = marks(&good, &mut Decoder::new(profile.clone()));
        let mut decoder = Decoder::new(profile.clone());
        let mut huge = false;
        run(&format!("a printer of {:?}", profile.language), random, |random, number| {
            let bytes = random.damaged(std::slice::from_ref(&good));
            // The one command that may swallow gigabytes, as in a real printer.
            huge |= bytes.windows(3).any(|three| three == b"\x1d8L");
            let mut events = Vec::new();
            for byte in bytes {
                decoder.push(byte, &mut events);
                assert!(events.len() <= 300);
                events.clear();
            }
            if number % 500 == 0 {
                // Any other swallows a megabyte at most; then the line at hand ends.
                for _ in 0..16 {
                    marks(&vec![0; 70_000], &mut decoder);
                    if !marks(b"\x1b@\n", &mut decoder).is_empty() {
                        break;
                    }
                }
                let seen = marks(&good, &mut decoder);
                assert!(huge || seen == meant, "{seen:?}");
                decoder = Decoder::new(profile.clone());
                huge = false;
            }
        });
    }
}

fn logos(random: &mut Random) {
    let good = [
        b"P1\n# a frame\n9 5\n111111111 100000001 100100001 100000001 111111111\n".to_vec(),
        b"P4 9\t5\n\xff\x80\x80\x80\x90\x80\x80\x80\xff\x80".to_vec(),
        png(),
    ];
    let meant = Logo::of_file(&good[0]).unwrap();
    run("logos", random, |random, number| {
        if let Ok(logo) = Logo::of_file(&random.damaged(&good)) {
            assert!(logo.width() <= Logo::WIDTH_MAX && logo.height() <= Logo::HEIGHT_MAX);
            assert_eq!(logo.rows().count() as u32, logo.height());
        }
        if number % 100 == 0 {
            assert!(good.iter().all(|file| Logo::of_file(file).unwrap() == meant));
        }
    });
}

/// The same frame as PNG.
fn png() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 9, 5);
    encoder.set_depth(png::BitDepth::One);
    let packed = [0xff, 0x80, 0x80, 0x80, 0x90, 0x80, 0x80, 0x80, 0xff, 0x80].map(|byte: u8| !byte);
    encoder.write_header().unwrap().write_image_data(&packed).unwrap();
    file
}
