//! Good labels are read, from both ends, at any speed; and what must not be read is not.

use std::time::Duration;

use device_drivers::Moment;
use firmware::{BarReader, ItfLengths, Level, Patience, Reading, Run, Symbologies, Symbology};

use super::label::{Kind, Label, Line, Random};
use super::{MS, pass};

/// The text of what is read when a line is passed so often.
fn reads(reading: Reading, line: &Line, times: u32) -> Vec<String> {
    let mut reader = BarReader::new(reading);
    let codes = (0..times).flat_map(|time| pass(&mut reader, line, Moment::default() + MS * 50 * time));
    codes
        .map(|code| format!("{}{}", code.identifier, String::from_utf8(code.text.to_vec()).unwrap()))
        .collect::<Vec<_>>()
}

fn clean(label: &Label) -> Line {
    let runs = label.widths.iter().enumerate().map(|(at, width)| {
        let level = if at % 2 == 0 { Level::Light } else { Level::Dark };
        Run { level, ticks: (width * 100.0) as u32 }
    });
    Line(runs.collect())
}

fn turned(line: &Line) -> Line {
    Line(line.0.iter().rev().copied().collect())
}

#[test]
fn the_printer_prints_what_the_standards_print() {
    let ean13 =
        "10100010110100111011001100100110111101001110101010110011011011001000010101110010011101000100101";
    assert_eq!(Label::ean13(&[5, 9, 0, 1, 2, 3, 4, 1, 2, 3, 4, 5]).bits(), ean13);
    assert_eq!(
        Label::ean8(&[5, 5, 1, 2, 3, 4, 5]).bits(),
        "1010110001011000100110010010011010101000010101110010011101000100101"
    );
    assert_eq!(Label::itf(&[1, 2], 2.0, "]I0").bits().len(), 4 + 14 + 4);
}

#[test]
fn every_label_is_read_from_both_ends() {
    let mut random = Random::new();
    for round in 0..200 {
        for kind in Kind::ALL {
            let label = Label::any(kind, &mut random);
            let expected =
                [format!("{}{}", label.identifier, String::from_utf8(label.text.clone()).unwrap())];
            let line = clean(&label);
            assert_eq!(reads(Reading::default(), &line, 3), expected, "{kind:?} in round {round}");
            assert_eq!(
                reads(Reading::default(), &turned(&line), 3),
                expected,
                "{kind:?} from behind in {round}"
            );
        }
    }
}

/// A line that is read, and its label's text with the identifier.
fn good() -> (Line, String) {
    let label = Label::ean13(&[4, 0, 0, 6, 3, 8, 1, 3, 3, 3, 9, 3]);
    (clean(&label), "]E04006381333931".to_owned())
}

#[test]
fn upc_e_is_sent_as_the_thirteen_digits_that_it_stands_for() {
    for (digits, expected) in [
        ([1, 2, 3, 4, 5, 6], "]E00012345000065"),
        ([4, 2, 5, 2, 6, 1], "]E00042100005264"),
        ([1, 2, 3, 4, 5, 3], "]E00012300000451"),
        ([1, 2, 3, 4, 5, 4], "]E00012340000053"),
    ] {
        assert_eq!(reads(Reading::default(), &clean(&Label::upc_e(&digits)), 2), [expected]);
    }
}

#[test]
fn gs1_data_have_their_identifier_and_gs_between_elements() {
    let label = Label::gs1(&[0, 4, 0, 0, 6, 3, 8, 1, 3, 3, 3, 9, 3], b"LOT");
    assert_eq!(reads(Reading::default(), &clean(&label), 1), ["]C1010400638133393110LOT\u{1d}21X7"]);
}

#[test]
fn without_a_quiet_zone_nothing_is_read() {
    let (line, _) = good();
    for end in [0, line.0.len() - 1] {
        let mut narrow = line.clone();
        narrow.0[end].ticks = 450;
        // A bar of something else, and paper that is seen long before and after.
        let bar = Run { level: Level::Dark, ticks: 100 };
        let paper = Run { level: Level::Light, ticks: 5000 };
        narrow.0.splice(0..0, [paper, bar]);
        narrow.0.extend([bar, paper]);
        assert!(reads(Reading::default(), &narrow, 3).is_empty(), "at {end}");
    }
}

#[test]
fn a_wrong_check_digit_is_not_read() {
    for kind in [Kind::Ean13, Kind::Ean8, Kind::Itf14, Kind::Code128] {
        let mut label = Label::any(kind, &mut Random::new());
        let from = label.widths.len() / 2 + 2;
        // Two elements of one colour change places: other characters, all of them good ones or none.
        let at = (from..).find(|at| label.widths[*at] != label.widths[at + 2]).unwrap();
        label.widths.swap(at, at + 2);
        let right = String::from_utf8(label.text.clone()).unwrap();
        let read = reads(Reading::default(), &clean(&label), 3);
        assert!(read.iter().all(|text| text.ends_with(&right)), "{kind:?}: {read:?}");
    }
}

#[test]
fn what_was_not_asked_for_is_not_read() {
    let none = Reading { symbologies: Symbologies::ALL.without(Symbology::Ean13), ..Reading::default() };
    assert!(reads(none, &good().0, 3).is_empty());
    let short = clean(&Label::itf(&[1, 2, 3, 4, 5, 6], 2.5, "]I0"));
    assert!(reads(Reading::default(), &short, 3).is_empty());
    let six = Reading { itf: ItfLengths::ITF14.and(6), ..Reading::default() };
    assert_eq!(reads(six, &short, 3), ["]I0123456"]);
}

#[test]
fn itf_without_a_check_digit_is_believed_the_second_time() {
    let six = Reading { itf: ItfLengths::ITF14.and(6), ..Reading::default() };
    let short = clean(&Label::itf(&[1, 2, 3, 4, 5, 6], 2.5, "]I0"));
    assert!(reads(six, &short, 1).is_empty());
    assert_eq!(reads(six, &short, 2), ["]I0123456"]);
}

#[test]
fn a_code_in_sight_is_told_once_and_again_when_it_comes_back() {
    let (line, _) = good();
    let gone = Patience::default().gone;
    let mut reader = BarReader::new(Reading::default());
    let mut now = Moment::default();
    let mut told = 0;
    for _ in 0..100 {
        told += pass(&mut reader, &line, now).len();
        now += gone / 2;
    }
    assert_eq!(told, 1);
    now += gone / 2;
    assert_eq!(pass(&mut reader, &line, now).len(), 1);
}

#[test]
fn halves_of_two_labels_in_a_row_are_never_one_code() {
    let (line, _) = good();
    // The right half of one, the left half of another: their check digits are right together.
    let damaged = |line: &Line, half: usize| {
        let mut line = line.clone();
        let at = if half == 0 { 12 } else { 44 };
        let lost: u32 = line.0.drain(at..at + 2).map(|run| run.ticks).sum();
        line.0[at - 1].ticks += lost;
        line
    };
    let (left, right) = (damaged(&line, 1), damaged(&line, 0));
    let told = |order: &[&Line], pause: Duration| {
        let mut reader = BarReader::new(Reading::default());
        let mut now = Moment::default();
        let mut told = 0;
        for line in order {
            told += pass(&mut reader, line, now).len();
            now += pause;
        }
        told
    };
    assert_eq!(told(&[&left, &right, &left, &right], MS * 20), 1, "one label, seen twice on both sides");
    assert_eq!(told(&[&left, &right], MS * 20), 0, "seen once is not enough");
    assert_eq!(told(&[&left, &left, &right, &right], MS * 200), 0, "too far apart");
    let other = damaged(&clean(&Label::ean13(&[5, 9, 0, 1, 2, 3, 4, 1, 2, 3, 4, 5])), 1);
    assert_eq!(told(&[&left, &right, &other, &right, &left, &right], MS * 20), 0, "another one between");
}

#[test]
fn light_that_comes_in_pieces_is_one_run() {
    let (line, expected) = good();
    let pieces = line.0.iter().flat_map(|run| [Run { ticks: run.ticks / 2, ..*run }; 2]);
    assert_eq!(reads(Reading::default(), &Line(pieces.collect()), 1), [expected]);
}

#[test]
fn what_came_before_does_not_matter() {
    let (line, expected) = good();
    let mut random = Random::new();
    for length in 0..1000 {
        let mut runs: Vec<_> = (0..length)
            .map(|at| Run {
                level: [Level::Dark, Level::Light][at % 2],
                ticks: 50 + random.below(400) as u32,
            })
            .collect();
        runs.extend(line.0.iter().copied());
        assert_eq!(reads(Reading::default(), &Line(runs), 1), [expected.as_str()], "after {length} runs");
    }
}
