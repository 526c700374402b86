//! Files that may be pictures. What is one is bounded, and goes through the printer as it is.
#![no_main]

use std::sync::Arc;

use device_drivers::{Logo, Paper, Profile, decode, encode};
use libfuzzer_sys::fuzz_target;
use pos_domain::receipt::{Block, Document};

fuzz_target!(|input: &[u8]| {
    let Ok(logo) = Logo::of_file(input) else { return };
    assert!((8..=Logo::WIDTH_MAX).contains(&logo.width()) && (1..=Logo::HEIGHT_MAX).contains(&logo.height()));
    let profile = Profile { columns: 48, logo: Some(Arc::new(logo)), ..Profile::epson_80_mm() };
    let document: Document = [Block::text("x"), Block::Cut].into_iter().collect();
    let job = encode(&document, &profile);
    assert!(job.bytes.windows(2).all(|two| two[0] != 0x10 || !matches!(two[1], 0x04 | 0x05 | 0x14)));
    assert_eq!(
        (decode(&job.bytes, &profile).papers, job.left_out),
        (vec![Paper::on(&document, &profile)], 0)
    );
});
