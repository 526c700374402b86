//! A scanner controller's board with both of its front ends, and the box's end of the line.
//!
//! `TILLBOX_DUT` names a real board, or `TILLBOX_FIRMWARE_SCANNER` the firmware of an emulated one (`scripts/hil` builds it); without either,
//! each scenario is skipped and says so. `TILLBOX_SCANS` is how many scans are timed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::io::Write;
use std::time::{Duration, Instant};

use pos_link::{Kind, ScanRefusal, Settings, ToController, ToHost};
use tillbox_hil::{BoxEnd, Input, Label, Need, Output, Rig, Scan, Scene, skipped};

/// The stack's budget, bytes: three quarters of what the memory leaves it. A boot that takes up what was kept is the deepest.
const STACK: usize = 44 * 1024;

/// A scanner that articles are shown to.
struct Bench {
    rig: Box<dyn Rig>,
    end: BoxEnd,
    bars: Box<dyn Write>,
    engine: Box<dyn Write>,
}

const LIGHTS: [Need; 3] = [Need::See(Output::Green), Need::See(Output::Red), Need::See(Output::Waiting)];

/// A rig that has this and both front ends, with the box's end of its line, or `None`, and why.
fn bench(needs: &[Need]) -> Option<Bench> {
    let needs = [needs, &[Need::Bars, Need::Engine]].concat();
    let levels = [(Input::LooksAlways, true)];
    let scene =
        Scene { kind: Kind::Scanner, firmware: "TILLBOX_FIRMWARE_SCANNER", levels: &levels, needs: &needs };
    let mut rig = scene.rig().expect("the rig starts")?;
    let end = BoxEnd::new(rig.line().unwrap(), None).unwrap();
    let (bars, engine) = (rig.bars().unwrap(), rig.engine().unwrap());
    let mut bench = Bench { rig, end, bars, engine };
    bench.end.wait_for(|told| matches!(told, ToHost::Identity(_)).then_some(())).unwrap();
    Some(bench)
}

impl Bench {
    /// The engine reads this.
    fn engine(&mut self, code: &str) {
        self.engine.write_all(format!("]{code}\r").as_bytes()).unwrap();
    }

    /// The sensor is moved over this.
    fn sensor(&mut self, label: &Label) {
        self.bars.write_all(&label.bytes).unwrap();
    }

    /// Waits until this is so, while the box goes on with its work.
    fn wait_until_driven(&mut self, output: Output, driven: bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.rig.drives(output).unwrap() != driven {
            assert!(Instant::now() < deadline, "{output:?} is never {driven}; {:?}", self.end);
            self.end.work().unwrap();
        }
    }

    /// The box boots anew, with what it had stored.
    fn reboot_box(&mut self) {
        let line = self.rig.line().unwrap();
        self.end.reboot(line).unwrap();
    }

    fn configure(&mut self, double_read_ms: u16) {
        let settings = Settings { symbologies: 0x7f, double_read_ms, ..Settings::default() };
        self.end.say(&ToController::Configure(settings)).unwrap();
        // The answer to what is said later tells that it was heard.
        self.end.tally().unwrap();
    }

    fn codes(&self) -> Vec<&str> {
        self.end.scans.iter().map(|scan| scan.code.as_str()).collect()
    }
}

#[test]
fn the_good_signal_is_the_boxes_word_and_a_light_waits_for_it() {
    let Some(mut bench) = bench(&LIGHTS) else { return };
    let label = Label::of(400_638_133_393);
    let codes = [format!("E0{}", label.digits), "E496385074".to_owned()];
    for (at, code) in codes.iter().enumerate() {
        if at == 0 {
            bench.sensor(&label)
        } else {
            bench.engine(code)
        }
        bench.end.wait_for_scans(at + 1).unwrap();
        assert_eq!(bench.codes().last(), Some(&code.as_str()));
        bench.wait_until_driven(Output::Waiting, true);
        assert!(!bench.rig.drives(Output::Green).unwrap());
        let scan = bench.end.scans.last().unwrap().id;
        bench.end.say(&ToController::ScanAccepted { scan }).unwrap();
        bench.wait_until_driven(Output::Green, true);
        bench.wait_until_driven(Output::Waiting, false);
        bench.wait_until_driven(Output::Green, false);
    }
    bench.end.verdict = Some(Err(ScanRefusal::UnknownArticle));
    bench.engine("C0no such article");
    bench.wait_until_driven(Output::Red, true);
    assert!(!bench.rig.drives(Output::Waiting).unwrap() && !bench.rig.drives(Output::Green).unwrap());
    let tally = bench.end.tally().unwrap();
    assert_eq!((tally.scans, tally.scans_refused), (3, 1));
}

#[test]
fn a_label_that_is_read_over_and_over_is_one_scan() {
    let Some(mut bench) = bench(&[]) else { return };
    bench.configure(60_000);
    let (label, other) = (Label::of(1), Label::of(2));
    (0..5).for_each(|_| bench.sensor(&label));
    bench.sensor(&other);
    bench.end.wait_for_scans(2).unwrap();
    bench.engine(&format!("E0{}", label.digits));
    bench.engine("E496385074");
    bench.end.wait_for_scans(3).unwrap();
    let expected = [format!("E0{}", label.digits), format!("E0{}", other.digits), "E496385074".to_owned()];
    assert_eq!(bench.codes(), expected);
    let tally = bench.end.tally().unwrap();
    assert_eq!((tally.scans, tally.repeats), (3, 5));
}

#[test]
fn scans_wait_for_a_box_that_is_away_and_none_is_lost_or_comes_twice() {
    let Some(mut bench) =
        bench(&[Need::See(Output::Red), Need::See(Output::Waiting), Need::See(Output::EngineTrigger)])
    else {
        return;
    };
    bench.configure(0);
    // Nobody hears until there is no room for more.
    let mut made: u32 = 0;
    let deadline = Instant::now() + Duration::from_secs(60);
    while !bench.rig.drives(Output::Red).unwrap() {
        assert!(Instant::now() < deadline, "the outbox has no end");
        std::thread::sleep(Duration::from_millis(1));
        bench.engine(&format!("C0code {made:05}"));
        made += 1;
    }
    assert!(!bench.rig.drives(Output::EngineTrigger).unwrap(), "it reads no more");
    bench.reboot_box();
    bench.end.verdict = Some(Ok(()));
    // Some came after the last that there was room for, and were refused; all were heard when the counters say so.
    let tally = loop {
        let tally = bench.end.tally().unwrap();
        if tally.scans + tally.scans_full == made {
            break tally;
        }
        assert!(Instant::now() < deadline, "of {made} codes it knows {tally:?}");
    };
    bench.end.wait_for_scans(tally.scans as usize).unwrap();
    bench.wait_until_driven(Output::Red, false);
    bench.wait_until_driven(Output::Waiting, false);
    bench.engine("C0the last");
    bench.end.wait_for_scans(tally.scans as usize + 1).unwrap();
    let codes = bench.codes();
    println!("{made} codes while the box was away: {} waited, {} had no room", tally.scans, tally.scans_full);
    assert!(tally.scans >= 40 && codes.is_sorted_by(|one, other| one < other), "{codes:?}");
    assert_eq!(codes.len(), tally.scans as usize + 1);
    let before: Vec<_> = (0..40).map(|number| format!("C0code {number:05}")).collect();
    assert_eq!(codes[..40], before);
    assert_eq!(bench.end.began, 0, "the stream goes on");
}

#[test]
fn a_scan_that_the_box_has_not_stored_outlives_a_reset_and_a_power_cut_is_told() {
    let Some(mut bench) = bench(&[]) else { return };
    bench.end.accepts = false;
    let label = Label::of(3);
    bench.sensor(&label);
    bench.end.wait_for_scans(1).unwrap();
    bench.engine("E496385074");
    bench.end.wait_for_scans(2).unwrap();
    let before: Vec<_> = bench.end.scans.iter().map(stamped).collect();
    bench.end.say(&ToController::Reboot).unwrap();
    let ups = bench.end.ups;
    while bench.end.ups == ups {
        bench.end.work().unwrap();
    }
    bench.reboot_box();
    bench.end.accepts = false;
    bench.end.wait_for_scans(2).unwrap();
    assert_eq!(
        bench.end.scans.iter().map(stamped).collect::<Vec<_>>(),
        before,
        "told again, with their time"
    );
    assert_eq!(bench.end.began, 0);

    // In the middle of a label.
    match bench.rig.lacks(Need::Memory) {
        Some(why) => skipped(&format!("the stack's depth: {why}")).unwrap_or_default(),
        None => {
            let deepest = bench.rig.deepest_stack().unwrap();
            println!(
                "the scanner's stack was {deepest} bytes deep, over a boot with kept scans and what came then"
            );
            assert!(deepest < STACK, "{deepest}");
        }
    }
    let (half, _) = label.bytes.split_at(label.bytes.len() / 2);
    bench.bars.write_all(half).unwrap();
    bench.rig.cut_power().unwrap();
    (bench.bars, bench.engine) = (bench.rig.bars().unwrap(), bench.rig.engine().unwrap());
    bench.reboot_box();
    bench.end.wait_for(|told| matches!(told, ToHost::Identity(_)).then_some(())).unwrap();
    let label = Label::of(4);
    bench.sensor(&label);
    bench.end.wait_for_scans(1).unwrap();
    assert_eq!((bench.codes(), bench.end.began), (vec![format!("E0{}", label.digits).as_str()], 1));
}

/// What a scan is known by.
fn stamped(scan: &Scan) -> (String, u32, u64) {
    (scan.code.clone(), scan.at.boot, scan.at.micros)
}

#[test]
fn scans_are_timed() {
    let Some(mut bench) = bench(&[]) else { return };
    let count = std::env::var("TILLBOX_SCANS").map_or(100, |count| count.parse().unwrap());
    bench.end.verdict = Some(Ok(()));
    for by_engine in [false, true] {
        let mut took: Vec<Duration> = Vec::new();
        for number in 0..=count {
            let label = Label::of(number * 7_919 + u64::from(by_engine));
            let scans = bench.end.scans.len();
            // All but the last run, or the end of the line: that is what the time counts from.
            let (first, last) = if by_engine {
                (format!("]E0{}", label.digits).into_bytes(), b"\r".to_vec())
            } else {
                let (first, last) = label.bytes.split_at(label.bytes.len() - 2);
                (first.to_vec(), last.to_vec())
            };
            let line = if by_engine { &mut bench.engine } else { &mut bench.bars };
            line.write_all(&first).unwrap();
            let begun = Instant::now();
            line.write_all(&last).unwrap();
            bench.end.wait_for_scans(scans + 1).unwrap();
            let scan = bench.end.scans.last().unwrap();
            assert_eq!(scan.code, format!("E0{}", label.digits));
            took.push(scan.came - begun);
        }
        // The first one waits until the emulator has seen that its terminal is open.
        took.remove(0);
        took.sort();
        let at = |percent: usize| took[(took.len() * percent / 100).min(took.len() - 1)];
        let by = if by_engine { "engine" } else { "bars" };
        println!(
            "{by}: last byte in to scan at the box, {} scans: p50 {:?}, p99 {:?}",
            took.len(),
            at(50),
            at(99)
        );
    }
}
