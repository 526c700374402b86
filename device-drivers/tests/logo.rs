//! A picture above the receipt, from a file to the paper.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::sync::Arc;

use device_drivers::{Kick, Logo, LogoError, Mark, Paper, Profile, decode, encode};
use pos_domain::receipt::{Block, Document};

fn receipt() -> Document {
    [Block::title("Bäckerei"), Block::row("Brot", "2,40 €"), Block::Cut].into_iter().collect()
}

/// A black frame with a white dot in its middle, and one black dot to the left of that.
const PLAIN: &str =
    "P1\n# a frame\n9 5\n1 1 1 1 1 1 1 1 1\n100000001\n100100001 # the dot\n100000001\n111111111\n";

fn frame() -> Logo {
    Logo::of_file(PLAIN.as_bytes()).unwrap()
}

fn with(logo: Logo) -> Profile {
    Profile { logo: Some(Arc::new(logo)), ..Profile::epson_80_mm() }
}

/// As an encoder of the library writes it, one byte for each sample.
fn png(width: u32, height: u32, color: png::ColorType, depth: png::BitDepth, samples: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder.write_header().unwrap().write_image_data(samples).unwrap();
    file
}

#[test]
fn golden_bytes() {
    let bytes = encode(&receipt(), &with(frame())).bytes;
    let expected = b"\x1b@\x1bR\x00\x1bt\x13\x1ba\x01\x1dv0\x00\x02\x00\x05\x00\
        \xff\x80\x80\x80\x90\x80\x80\x80\xff\x80\x1ba\x00\x1bE\x01";
    assert_eq!(bytes.get(..expected.len()), Some(expected.as_slice()));
}

#[test]
fn each_kind_of_file_gives_the_same_dots() {
    let packed = b"P4 9\t5\n\xff\x80\x80\x80\x90\x80\x80\x80\xff\x80";
    assert_eq!(Logo::of_file(packed).unwrap(), frame());
    // What stands beyond the width is no dot.
    assert_eq!(Logo::of_file(b"P4\n9 5\n\xff\xff\x80\x80\x90\x81\x80\x80\xff\x80").unwrap(), frame());
    let bits: Vec<bool> = PLAIN
        .lines()
        .skip(3)
        .flat_map(|line| {
            line.split('#')
                .next()
                .unwrap()
                .chars()
                .filter(|c| c.is_ascii_digit())
                .map(|c| c == '1')
                .collect::<Vec<_>>()
        })
        .collect();
    let each = |dark: &[u8], light: &[u8]| {
        bits.iter().flat_map(|black| if *black { dark } else { light }.to_vec()).collect::<Vec<_>>()
    };
    use png::{BitDepth, ColorType};
    for (color, dark, light) in [
        (ColorType::Grayscale, [127].as_slice(), [128].as_slice()),
        (ColorType::GrayscaleAlpha, &[0, 200], &[0, 100]),
        (ColorType::Rgb, &[180, 0, 90], &[0, 220, 0]),
        (ColorType::Rgba, &[0, 0, 0, 255], &[0, 0, 0, 0]),
    ] {
        let file = png(9, 5, color, BitDepth::Eight, &each(dark, light));
        assert_eq!(Logo::of_file(&file).unwrap(), frame(), "{color:?}");
    }
    let packed: Vec<u8> = packed[7..].iter().map(|byte| !byte).collect();
    assert_eq!(Logo::of_file(&png(9, 5, ColorType::Grayscale, BitDepth::One, &packed)).unwrap(), frame());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("logo.pbm"), PLAIN).unwrap();
    assert_eq!(Logo::read(&folder.path().join("logo.pbm")).unwrap(), frame());
    assert!(matches!(Logo::read(&folder.path().join("none")), Err(LogoError::Read(_))));
}

#[test]
fn what_is_printed_is_what_was_meant() {
    let profile = with(frame());
    let decoded = decode(&encode(&receipt(), &profile).bytes, &profile);
    assert_eq!((decoded.skipped, &decoded.papers), (0, &vec![Paper::on(&receipt(), &profile)]));
    let [Mark::Picture { logo, .. }, ..] = &decoded.papers[0].marks[..] else { panic!("no picture") };
    assert_eq!((**logo == frame(), logo.width(), logo.height()), (true, 16, 5));
    let svg = decoded.papers[0].to_svg();
    assert!(
        svg.contains("scale(0.75)\" d=\"M0 0h9v1h-9zM0 1h1v1h-1zM8 1h1v1h-1zM0 2h1v1h-1zM3 2h1v1h-1z"),
        "{svg}"
    );
    let plain = Profile { logo: None, ..profile };
    assert_eq!(Paper::on(&receipt(), &plain), Paper::of(&receipt(), 42));
}

#[test]
fn a_picture_that_does_not_fit_is_left_out_and_counted() {
    let wide = Logo::new(512, 1, vec![0xff; 64]).unwrap();
    let profile = with(wide.clone());
    assert_eq!(encode(&receipt(), &profile).left_out, 0);
    for narrow in [
        Profile { logo: profile.logo.clone(), ..Profile::epson_58_mm() },
        Profile { logo: profile.logo.clone(), ..Profile::line_printer() },
        with(Logo::new(576, 400, vec![0; 28_800]).unwrap()),
    ] {
        let without = Profile { logo: None, ..narrow.clone() };
        let (job, plain) = (encode(&receipt(), &narrow), encode(&receipt(), &without));
        assert_eq!((job.bytes == plain.bytes, job.left_out, plain.left_out), (true, 1, 0));
        assert_eq!(Paper::on(&receipt(), &narrow), Paper::on(&receipt(), &without));
    }
    let full = Profile { columns: 48, ..with(Logo::new(576, 400, vec![0xaa; 28_800]).unwrap()) };
    let decoded = decode(&encode(&receipt(), &full).bytes, &full);
    assert_eq!((decoded.skipped, &decoded.papers), (0, &vec![Paper::on(&receipt(), &full)]));
}

#[test]
fn no_picture_commands_the_printer() {
    for request in [[0x10, 0x14, 1, 0, 1], [0x10, 0x05, 2, 0, 0], [0x10, 0x04, 1, 0, 0]] {
        let dots = request.repeat(20);
        let profile = with(Logo::new(40, 20, dots).unwrap());
        let bytes = encode(&receipt(), &profile).bytes;
        assert!(!bytes.windows(2).any(|pair| pair[0] == 0x10 && [0x04, 0x05, 0x14].contains(&pair[1])));
        let decoded = decode(&bytes, &profile);
        assert_eq!(
            (decoded.kicks, &decoded.papers),
            (Vec::<Kick>::new(), &vec![Paper::on(&receipt(), &profile)])
        );
    }
}

#[test]
fn what_is_no_picture_or_too_large_is_refused_by_a_typed_error() {
    let size = |bytes: &[u8]| matches!(Logo::of_file(bytes), Err(LogoError::Size { .. }));
    assert!(
        size(b"P1 577 1\n1")
            && size(b"P4 8 401\n")
            && size(b"P1 0 5\n")
            && size(b"P4 4000000000 4000000000\n")
    );
    let huge = png(577, 1, png::ColorType::Grayscale, png::BitDepth::Eight, &[0; 577]);
    assert!(size(&huge));
    let good = png(8, 8, png::ColorType::Grayscale, png::BitDepth::Eight, &[0; 64]);
    let broken = |bytes: &[u8]| matches!(Logo::of_file(bytes), Err(LogoError::Format(_)));
    assert!(
        Logo::of_file(&good).is_ok() && broken(&good[..good.len() - 20]) && broken(b"") && broken(b"GIF89a")
    );
    assert!(
        broken(b"P1 2 2\n1 0 1") && broken(b"P4 8 2\n\xff") && broken(b"P4 x 2\n\xff") && broken(b"P1 2")
    );
    assert!(broken(b"P1 99999999999 1\n1") && broken(b"P1 1 1\n2"));
    assert!(matches!(Logo::new(8, 2, vec![0; 3]), Err(LogoError::Dots { given: 3, wanted: 2 })));
    for cut in 0..good.len() {
        for bit in 0..8 {
            let mut bytes = good.clone();
            bytes[cut] ^= 1 << bit;
            let _ = Logo::of_file(&bytes);
        }
    }
}
