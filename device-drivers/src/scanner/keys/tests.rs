//! Scans as they are typed, with virtual time.

use super::*;

const ECHO: Duration = Duration::from_millis(50);

struct Desk {
    reader: KeyReader,
    now: Moment,
    scans: Vec<String>,
}

impl Desk {
    fn new(layout: Layout) -> Self {
        Self { reader: KeyReader::new(layout, ECHO), now: Moment::default(), scans: Vec::new() }
    }

    fn events(&mut self, events: &[KeyEvent]) {
        for event in events {
            self.now += Duration::from_millis(2);
            self.scans.extend(self.reader.handle(*event, self.now).map(str::to_owned));
        }
    }

    fn press(&mut self, code: u16) {
        self.events(&[KeyEvent::Down(code), KeyEvent::Up(code)]);
    }

    fn hold(&mut self, key: u16, codes: &[u16]) {
        self.events(&[KeyEvent::Down(key)]);
        codes.iter().for_each(|code| self.press(*code));
        self.events(&[KeyEvent::Up(key)]);
    }

    fn types(&mut self, text: &str) {
        for letter in text.chars() {
            let stroke = self.reader.layout.stroke(letter).unwrap();
            match (stroke.shift, stroke.alt_gr) {
                (true, _) => self.hold(layout::LEFT_SHIFT, &[stroke.code]),
                (_, true) => self.hold(layout::ALT_GR, &[stroke.code]),
                _ => self.press(stroke.code),
            }
        }
    }

    fn scans(&mut self) -> Vec<String> {
        std::mem::take(&mut self.scans)
    }
}

#[test]
fn what_is_typed_is_read_in_each_layout() {
    let printable: String = (' '..='~').collect();
    for layout in [Layout::Us, Layout::German] {
        let mut desk = Desk::new(layout);
        for text in ["]E04006381333931", "]C1010400638133393110LOT-7/z", printable.as_str()] {
            desk.types(text);
            desk.press(layout::ENTER);
        }
        assert_eq!(desk.scans(), ["]E04006381333931", "]C1010400638133393110LOT-7/z", printable.as_str()]);
        assert_eq!(desk.reader.refused(), Refused::default());
    }
    // A scanner that is set to another layout than the box: that can be seen.
    let mut desk = Desk::new(Layout::German);
    [21, 44, 53].iter().for_each(|code| desk.press(*code));
    desk.press(layout::ENTER);
    assert_eq!(desk.scans(), ["zy-"]);
}

#[test]
fn a_scan_ends_with_enter_or_tab_or_their_control_letters_and_the_pads_enter() {
    let mut desk = Desk::new(Layout::Us);
    desk.types("1");
    desk.press(layout::ENTER);
    desk.types("2");
    desk.press(layout::PAD_ENTER);
    desk.types("3");
    desk.press(layout::TAB);
    desk.types("4");
    desk.hold(layout::LEFT_CONTROL, &[layout::M]);
    desk.types("5");
    desk.hold(layout::RIGHT_CONTROL, &[layout::J]);
    assert_eq!(desk.scans(), ["1", "2", "3", "4", "5"]);
}

#[test]
fn fnc1_and_letters_by_their_number_are_understood() {
    let mut desk = Desk::new(Layout::Us);
    desk.types("]C110LOT");
    desk.hold(layout::LEFT_CONTROL, &[layout::RIGHT_BRACE]);
    desk.types("21X");
    // Alt with 0029, 0065, 0228, 132 (ä in PC437), 0013.
    for digits in
        [&[82, 82, 80, 73][..], &[82, 82, 77, 76], &[82, 80, 80, 72], &[79, 81, 80], &[82, 82, 79, 81]]
    {
        desk.hold(layout::ALT, digits);
    }
    assert_eq!(desk.scans(), ["]C110LOT\u{1d}21X\u{1d}Aää"]);
}

#[test]
fn caps_lock_turns_letters_only_and_shift_turns_them_back() {
    let mut desk = Desk::new(Layout::German);
    desk.press(layout::CAPS_LOCK);
    desk.types("aB1ß-");
    desk.press(layout::CAPS_LOCK);
    desk.types("c");
    desk.press(layout::ENTER);
    assert_eq!(desk.scans(), ["Ab1ß-c"]);
}

#[test]
fn a_key_that_is_not_understood_or_lost_spoils_the_scan_and_no_other() {
    for spoil in [
        &[KeyEvent::Down(59), KeyEvent::Up(59)][..],
        &[KeyEvent::Gap],
        &[
            KeyEvent::Down(layout::LEFT_CONTROL),
            KeyEvent::Down(30),
            KeyEvent::Up(30),
            KeyEvent::Up(layout::LEFT_CONTROL),
        ],
        &[KeyEvent::Down(layout::ALT), KeyEvent::Down(2), KeyEvent::Up(layout::ALT)],
    ] {
        let mut desk = Desk::new(Layout::Us);
        desk.types("4006");
        desk.events(spoil);
        desk.types("381333931");
        desk.press(layout::ENTER);
        desk.types("96385074");
        desk.press(layout::ENTER);
        assert_eq!(
            (desk.scans(), desk.reader.refused().garbled),
            (vec!["96385074".to_owned()], 1),
            "{spoil:?}"
        );
    }
}

#[test]
fn half_a_scan_is_dropped_and_keys_that_were_never_let_go_are() {
    let mut desk = Desk::new(Layout::Us);
    desk.types("40063");
    desk.events(&[KeyEvent::Down(layout::LEFT_SHIFT)]);
    while let Some(at) = desk.reader.poll_timeout() {
        desk.now = at;
        desk.reader.handle_timeout(at);
    }
    assert_eq!(desk.reader.refused().half, 1);
    desk.types("96385074");
    desk.press(layout::ENTER);
    assert_eq!(desk.scans(), ["96385074"]);
    // Also when nobody told of the time.
    desk.events(&[KeyEvent::Down(layout::LEFT_SHIFT)]);
    desk.now += HALF;
    desk.types("1");
    desk.press(layout::ENTER);
    assert_eq!(desk.scans(), ["1"]);
}

#[test]
fn the_same_report_twice_is_one_scan_and_nothing_makes_it_grow() {
    let mut desk = Desk::new(Layout::Us);
    for _ in 0..2 {
        desk.types("11");
        desk.press(layout::ENTER);
    }
    assert_eq!((desk.scans().len(), desk.reader.refused().echoes), (1, 1));
    (0..100_000).for_each(|_| desk.press(2));
    desk.press(layout::ENTER);
    assert_eq!((desk.scans().len(), desk.reader.refused().long), (0, 1));
    (0..100_000).for_each(|_| desk.events(&[KeyEvent::Down(layout::ALT), KeyEvent::Down(73)]));
    desk.events(&[KeyEvent::Up(layout::ALT)]);
    desk.press(layout::ENTER);
    assert_eq!(desk.scans().len(), 0);
}
