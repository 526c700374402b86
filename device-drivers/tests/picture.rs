//! The picture of a receipt.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use device_drivers::{Paper, Profile, decode, encode};
use pos_domain::receipt::{Block, Document};
use qrcode::{Color, EcLevel, QrCode};

const SALE: &str = "0190a5f2-7c1e-7d3a-9b7f-2f6a1c0d9e11";

fn receipt(lines: usize) -> Document {
    let mut receipt: Document = [Block::title("Bäckerei <Żółw> & Söhne")].into_iter().collect();
    receipt.extend((0..lines).map(|line| Block::row(format!("Brötchen {line}"), "0,45 €")));
    receipt.extend([Block::total("SUMME", "20,00 €"), Block::Qr(SALE.into()), Block::Cut]);
    receipt
}

/// The value of an attribute of the first element that starts like this.
fn attribute<'a>(svg: &'a str, element: &str, name: &str) -> &'a str {
    let start = svg.find(element).unwrap_or_else(|| panic!("no {element} in {svg}"));
    let rest = &svg[start..];
    let value = rest.find(&format!(" {name}=\"")).map(|at| &rest[at + name.len() + 3..]).unwrap();
    &value[..value.find('"').unwrap()]
}

#[test]
fn the_printer_and_the_document_give_the_same_picture() {
    for profile in [Profile::epson_80_mm(), Profile::epson_58_mm()] {
        let printed = decode(&encode(&receipt(20), &profile).bytes, &profile);
        let pictures: Vec<_> = printed.papers.iter().map(Paper::to_svg).collect();
        assert_eq!(pictures, [Paper::of(&receipt(20), profile.columns).to_svg()]);
    }
}

#[test]
fn a_long_receipt_is_whole_and_what_is_not_whole_says_so() {
    let long = receipt(12_000);
    let paper = Paper::of(&long, 42);
    assert!(!paper.cut_short);
    let svg = paper.to_svg();
    assert!(svg.contains(">11999<") && svg.contains(">SUMME<") && !svg.contains(">kept<"));
    // A printer may be fed for ever, so it does not keep everything.
    let profile = Profile::epson_80_mm();
    let printed = decode(&encode(&long, &profile).bytes, &profile);
    let [paper] = &printed.papers[..] else { panic!("{} papers", printed.papers.len()) };
    assert!(paper.cut_short);
    assert!(paper.to_svg().contains(">kept<"), "a picture without its total says that it is not whole");
}

#[test]
fn each_element_is_closed_and_names_are_escaped() {
    let svg = Paper::of(&receipt(600), 42).to_svg();
    assert!(svg.contains(">&lt;Żółw&gt;<") && svg.contains(">&amp;<") && svg.contains(">Brötchen<"));
    let mut open = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap();
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) => assert_eq!(open.pop(), Some(name)),
            (false, false) => open.push(name),
            (false, true) => {}
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

#[test]
fn it_grows_with_the_lines_and_is_as_wide_as_the_paper() {
    let size = |lines, columns| {
        let svg = Paper::of(&receipt(lines), columns).to_svg();
        let number = |name| attribute(&svg, "<svg", name).parse::<u32>().unwrap();
        (number("width"), number("height"))
    };
    let (wide, high) = size(1, 42);
    assert_eq!(size(101, 42), (wide, high + 100 * 21));
    assert_eq!(wide - size(1, 32).0, 10 * 9);
}

#[test]
fn the_total_is_twice_as_large_and_ends_where_the_amounts_end() {
    let svg = Paper::of(&receipt(1), 42).to_svg();
    let ends = |text: &str| {
        let start = svg[..svg.find(&format!(">{text}<")).unwrap()].rfind("<text").unwrap();
        let length: u32 = attribute(&svg[start..], "<text", "textLength").parse().unwrap();
        match svg[start..].strip_prefix("<text x=\"") {
            Some(rest) => rest.split('"').next().unwrap().parse::<u32>().unwrap() + length,
            None => {
                let transform = attribute(&svg[start..], "<text", "transform");
                assert!(transform.ends_with("scale(2 2)"), "{transform}");
                let x = transform.trim_start_matches("translate(").split(' ').next().unwrap();
                x.parse::<u32>().unwrap() + 2 * length
            }
        }
    };
    assert!(ends("20,00") < ends("€"));
    assert_eq!(svg.matches(">€<").count(), 2);
    let edge = ends("€");
    let last = &svg[svg.rfind(">€<").unwrap() - 200..];
    assert!(last.contains(&format!("translate({} ", edge - 18)), "{edge}: {last}");
}

#[test]
fn the_code_has_the_modules_that_a_scanner_expects() {
    let svg = Paper::of(&receipt(1), 42).to_svg();
    let path = attribute(&svg, "<path transform=\"translate(1", "d");
    let code = QrCode::with_error_correction_level(SALE, EcLevel::M).unwrap();
    let mut drawn = vec![Color::Light; code.width() * code.width()];
    for run in path.split('M').skip(1) {
        let (place, rest) = run.split_once('h').unwrap();
        let (x, y) = place.split_once(' ').unwrap();
        let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
        let wide: usize = rest.split('v').next().unwrap().parse().unwrap();
        for column in x / 4..(x + wide) / 4 {
            drawn[y / 4 * code.width() + column] = Color::Dark;
        }
    }
    assert_eq!(drawn, code.to_colors());
}
