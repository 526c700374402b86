//! The conversation with virtual time and without a socket.

use super::*;

const WELL: [u8; 4] = [0x12; 4];
const PAPER_END: [u8; 4] = [0x1a, 0x32, 0x12, 0x72];

struct Talk {
    session: Session,
    now: Moment,
}

impl Talk {
    fn new(answers: bool) -> Self {
        Self::with_operator(answers, Duration::ZERO)
    }

    fn with_operator(answers: bool, operator: Duration) -> Self {
        let now = Moment::default();
        let patience = Patience {
            connect: Duration::from_secs(3),
            status: Duration::from_secs(2),
            confirm: Duration::from_secs(30),
            look: Duration::from_secs(1),
        };
        Self { session: Session::new(b"receipt".to_vec(), answers, patience, operator, now), now }
    }

    /// What the session sends, all of it taken.
    fn sent(&mut self) -> Vec<u8> {
        let output = self.session.poll_output().to_vec();
        self.session.taken(output.len(), self.now);
        output
    }

    fn says(&mut self, bytes: &[u8]) {
        self.session.handle_input(bytes, self.now);
    }

    /// Waits until the session wants to be woken.
    fn waits(&mut self) {
        self.now = self.session.poll_timeout();
        self.session.handle_timeout(self.now);
    }

    fn confirming() -> Self {
        Self::confirming_with_operator(Duration::ZERO)
    }

    fn confirming_with_operator(operator: Duration) -> Self {
        let mut talk = Self::with_operator(true, operator);
        assert_eq!(talk.sent(), status::ASK);
        talk.says(&WELL);
        assert_eq!(talk.sent(), b"receipt\x1dr\x01");
        talk
    }

    fn unknown(&self) -> &Fault {
        match self.session.outcome() {
            Some(Outcome::Unknown { reason }) => reason,
            other => panic!("not unknown: {other:?}"),
        }
    }

    fn not_printed(&self) -> &Fault {
        match self.session.outcome() {
            Some(Outcome::NotPrinted { reason }) => reason,
            other => panic!("not 'not printed': {other:?}"),
        }
    }
}

#[test]
fn printed_needs_the_answer_in_order_and_a_well_printer_after_it() {
    let mut talk = Talk::confirming();
    talk.says(&[0x00]);
    assert_eq!(talk.session.outcome(), None);
    assert_eq!(talk.sent(), status::ASK);
    talk.says(&WELL[..3]);
    assert_eq!(talk.session.outcome(), None);
    talk.says(&WELL[3..]);
    assert_eq!(talk.session.outcome(), Some(&Outcome::Printed));
    assert_eq!(talk.session.status(), Some(Status::default()));
}

#[test]
fn a_well_printer_that_overtakes_the_job_confirms_nothing() {
    let mut talk = Talk::confirming();
    for _ in 0..5 {
        talk.waits();
        assert_eq!(talk.sent(), status::ASK);
        talk.says(&WELL);
        assert_eq!(talk.session.outcome(), None);
    }
    while talk.session.outcome().is_none() {
        talk.waits();
        talk.sent();
    }
    assert_eq!(*talk.unknown(), Fault::NotConfirmed { waited: Duration::from_secs(30) });
}

#[test]
fn answers_to_an_earlier_look_are_not_taken_for_the_last() {
    let mut talk = Talk::confirming();
    talk.waits();
    assert_eq!(talk.sent(), status::ASK);
    talk.says(&[0x12, 0x12, 0x00, 0x12]);
    assert_eq!(talk.sent(), b"", "the earlier look is still owed an answer");
    talk.says(&[0x12]);
    assert_eq!(talk.session.outcome(), None);
    assert_eq!(talk.sent(), status::ASK);
    talk.says(&PAPER_END);
    assert_eq!(*talk.unknown(), Fault::PaperEnd);
}

#[test]
fn a_status_that_nobody_asked_for_confirms_nothing() {
    let mut talk = Talk::confirming();
    talk.says(&[0x14, 0x00, 0x00, 0x0f]);
    assert_eq!(talk.session.outcome(), None);
    assert_eq!(talk.sent(), b"");
    talk.says(&[0x00]);
    assert_eq!(talk.sent(), status::ASK);
}

#[test]
fn a_blocked_or_silent_printer_gets_nothing_of_the_job() {
    let mut talk = Talk::new(true);
    talk.sent();
    talk.says(&PAPER_END);
    assert_eq!(*talk.not_printed(), Fault::PaperEnd);
    assert_eq!(talk.sent(), b"");

    let mut talk = Talk::new(true);
    talk.sent();
    talk.says(&WELL[..3]);
    talk.waits();
    assert_eq!(*talk.not_printed(), Fault::NoAnswer { waited: Duration::from_secs(2) });
    assert_eq!(talk.sent(), b"");
}

#[test]
fn one_byte_taken_makes_it_unknown() {
    let mut talk = Talk::new(true);
    talk.sent();
    talk.says(&WELL);
    talk.session.handle_lost("reset".into());
    assert_eq!(talk.not_printed().kind(), crate::Kind::Retry);

    let mut talk = Talk::new(true);
    talk.sent();
    talk.says(&WELL);
    talk.session.taken(1, talk.now);
    assert_eq!(talk.session.poll_output(), b"eceipt\x1dr\x01");
    talk.session.handle_lost("reset".into());
    assert_eq!(*talk.unknown(), Fault::ConnectionLost { reason: "reset".into() });
}

#[test]
fn a_fault_during_the_job_is_told_at_once() {
    let mut talk = Talk::confirming();
    talk.waits();
    talk.sent();
    talk.says(&PAPER_END);
    assert_eq!(*talk.unknown(), Fault::PaperEnd);
}

const MINUTES: Duration = Duration::from_secs(120);
const COVER_OPEN: [u8; 4] = [0x1a, 0x16, 0x12, 0x12];
const JAMMED: [u8; 4] = [0x1a, 0x52, 0x1a, 0x12];
const BROKEN: [u8; 4] = [0x1a, 0x52, 0x32, 0x12];

#[test]
fn a_person_who_sees_to_it_in_time_makes_it_printed() {
    for (said, fault) in [(PAPER_END, Fault::PaperEnd), (COVER_OPEN, Fault::CoverOpen)] {
        let mut talk = Talk::confirming_with_operator(MINUTES);
        let begun = talk.now;
        while talk.now.since(begun) < Duration::from_secs(100) {
            talk.waits();
            assert_eq!(talk.sent(), status::ASK, "nothing but looks");
            talk.says(&said);
            assert_eq!((talk.session.outcome(), talk.session.trouble()), (None, Some(&fault)));
        }
        // Well again: from here on it has its usual time.
        talk.waits();
        talk.sent();
        talk.says(&WELL);
        assert_eq!((talk.session.outcome(), talk.session.trouble()), (None, None));
        let mended = talk.now;
        while talk.now.since(mended) < Duration::from_secs(29) {
            talk.waits();
            talk.sent();
            talk.says(&WELL);
        }
        talk.says(&[0x00]);
        assert_eq!(talk.sent(), status::ASK);
        talk.says(&WELL);
        assert_eq!(talk.session.outcome(), Some(&Outcome::Printed));
    }
}

#[test]
fn the_answer_in_order_may_come_before_the_next_look() {
    let mut talk = Talk::confirming_with_operator(MINUTES);
    talk.waits();
    talk.sent();
    talk.says(&PAPER_END);
    talk.says(&[0x00]);
    assert_eq!(talk.sent(), status::ASK);
    talk.says(&WELL);
    assert_eq!(talk.session.outcome(), Some(&Outcome::Printed));
}

#[test]
fn a_person_who_does_not_come_leaves_it_unknown_for_the_reason_that_was() {
    for (said, fault) in
        [(PAPER_END, Fault::PaperEnd), (COVER_OPEN, Fault::CoverOpen), (JAMMED, Fault::Cutter)]
    {
        let mut talk = Talk::confirming_with_operator(MINUTES);
        talk.waits();
        let stopped = talk.now;
        while talk.session.outcome().is_none() {
            talk.sent();
            talk.says(&said);
            talk.waits();
        }
        assert_eq!((talk.unknown(), talk.now.since(stopped)), (&fault, MINUTES));
    }
    // Nor does one help who comes while nothing answers any more.
    let mut talk = Talk::confirming_with_operator(MINUTES);
    talk.waits();
    talk.sent();
    talk.says(&PAPER_END);
    while talk.session.outcome().is_none() {
        talk.waits();
        talk.sent();
    }
    assert_eq!(*talk.unknown(), Fault::PaperEnd);
}

#[test]
fn a_printer_with_jammed_mechanics_is_told_to_go_on_now_and_then_and_when_its_cover_was_closed() {
    let mut talk = Talk::confirming_with_operator(MINUTES);
    let mut sent = Vec::new();
    for _ in 0..13 {
        talk.waits();
        sent.push(talk.sent());
        talk.says(&JAMMED);
        sent.push(talk.sent());
    }
    let told: Vec<_> =
        sent.iter().enumerate().filter(|(_, bytes)| **bytes == status::GO_ON).map(|(at, _)| at / 2).collect();
    assert_eq!(told, [5, 10], "each attempt moves the knife");
    talk.waits();
    talk.sent();
    talk.says(&COVER_OPEN);
    assert_eq!(talk.sent(), b"", "not while somebody has a hand in it");
    talk.waits();
    talk.sent();
    talk.says(&JAMMED);
    assert_eq!(talk.sent(), status::GO_ON);
}

#[test]
fn what_only_service_can_mend_is_not_waited_for() {
    let mut talk = Talk::confirming_with_operator(MINUTES);
    talk.waits();
    talk.sent();
    talk.says(&BROKEN);
    assert_eq!(*talk.unknown(), Fault::Unrecoverable);
}

#[test]
fn a_fault_after_the_answer_in_order_is_not_waited_for() {
    let mut talk = Talk::confirming_with_operator(MINUTES);
    talk.says(&[0x00]);
    talk.sent();
    talk.says(&COVER_OPEN);
    assert_eq!(*talk.unknown(), Fault::CoverOpen, "somebody may have pulled the paper out");
}

#[test]
fn before_the_job_jammed_mechanics_are_tried_once() {
    let mut talk = Talk::new(true);
    talk.sent();
    talk.says(&JAMMED);
    assert_eq!(talk.sent(), status::GO_ON);
    talk.waits();
    assert_eq!(talk.sent(), status::ASK);
    talk.says(&WELL);
    assert_eq!(talk.sent(), b"receipt\x1dr\x01");

    let mut talk = Talk::new(true);
    talk.sent();
    for told in [status::GO_ON.as_slice(), b""] {
        talk.says(&JAMMED);
        assert_eq!(talk.sent(), told);
        talk.waits();
        talk.sent();
    }
    assert_eq!(*talk.not_printed(), Fault::Cutter);
}

#[test]
fn a_stalled_job_is_given_the_persons_time_too() {
    let mut talk = Talk::with_operator(true, MINUTES);
    let begun = talk.now;
    talk.sent();
    talk.says(&WELL);
    talk.session.taken(3, talk.now);
    talk.waits();
    assert_eq!((talk.unknown(), talk.now.since(begun)), (&Fault::NotConfirmed { waited: MINUTES }, MINUTES));
}

#[test]
fn a_printer_without_answers_is_never_asked_and_never_believed() {
    let mut talk = Talk::new(false);
    assert_eq!(talk.sent(), b"receipt");
    assert_eq!(*talk.unknown(), Fault::NoConfirmation);
}

#[test]
fn status_survives_the_wire() {
    for bits in 0..512_u16 {
        let bit = |place: u16| bits & (1 << place) != 0;
        let status = Status {
            offline: bit(0),
            cover_open: bit(1),
            paper_end: bit(2),
            paper_near_end: bit(3),
            cutter_error: bit(4),
            recovering: bit(5),
            error: bit(6) || bit(4) || bit(5) || bit(7),
            unrecoverable: bit(7),
            drawer_pin_high: bit(8),
        };
        let answers = status.to_answers();
        assert!(answers.iter().all(|byte| status::is_real_time(*byte) && !status::is_in_order(*byte)));
        assert_eq!(Status::from_answers(answers), status);
    }
}
