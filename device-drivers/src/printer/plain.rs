//! A receipt for a printer that only writes lines: letters of one code page, CR LF, and a form feed or blank lines at its
//! end. It has no sizes, codes or pictures, and no drawer; a code stands as the text that it holds.

use pos_domain::receipt::{Block, Document, render_text, width};

use super::profile::Profile;
use super::proto::{Job, LINES_TO_TEAR_BAR};
use crate::code_page::{CodePage, similar};

pub(super) fn encode(document: &Document, profile: &Profile) -> Job {
    let page = profile.first_page().code_page;
    let mut job = Job { left_out: usize::from(profile.logo.is_some()), ..Job::default() };
    for piece in document.blocks.split_inclusive(|block| *block == Block::Cut) {
        let kicks = piece.iter().filter(|block| **block == Block::KickDrawer).count();
        job.left_out += kicks;
        let text = render_text(&piece.iter().cloned().collect(), usize::from(profile.columns));
        text.chars().for_each(|letter| put(&mut job, letter, page));
        if piece.last() == Some(&Block::Cut) {
            match profile.cuts {
                true => job.bytes.push(0x0c),
                false => (0..LINES_TO_TEAR_BAR).for_each(|_| put(&mut job, '\n', page)),
            }
        }
    }
    job
}

fn put(job: &mut Job, letter: char, page: CodePage) {
    if letter == '\n' {
        job.bytes.extend_from_slice(b"\r\n");
    } else if let Some(byte) = page.encode(letter) {
        job.bytes.push(byte);
    } else if let Some(byte) = similar(letter).and_then(|like| page.encode(like)) {
        job.bytes.push(byte);
        job.similar += 1;
    } else {
        // As many marks as the letter was wide, so that what follows stays in its column.
        let marks = width(letter.encode_utf8(&mut [0; 4]));
        job.bytes.extend(std::iter::repeat_n(b'?', marks));
        job.lost += 1;
    }
}
