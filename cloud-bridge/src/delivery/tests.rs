//! Chunks in any order, twice, of several versions, broken.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn lines(words: &[String]) -> String {
    words.iter().map(|word| format!("{}\n", serde_json::to_string(word).unwrap())).collect()
}

fn words(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("document {n}: \"Müller\" \\ \u{1} \u{85}")).collect()
}

/// Takes chunks in; what became whole, what was refused, and the marks that were given back.
fn take_all(assembly: &mut Assembly<usize>, chunks: &[(Delivery, usize)]) -> (Vec<Whole>, usize, Vec<usize>) {
    let (mut wholes, mut refused, mut given_back) = (Vec::new(), 0, Vec::new());
    for (chunk, mark) in chunks {
        let taken = assembly.take(chunk.clone(), *mark);
        given_back.extend(taken.settled);
        match taken.progress {
            Progress::Waits => {}
            Progress::Whole(whole, marks) => {
                wholes.push(whole);
                given_back.extend(marks);
            }
            Progress::Refused(_, marks) => {
                refused += 1;
                given_back.extend(marks);
            }
        }
        assert!(assembly.bytes() <= MAX_DELIVERY_BYTES);
    }
    (wholes, refused, given_back)
}

proptest! {
    /// Whatever the order and however often: the text comes out as it was cut, and each mark is given back exactly once.
    #[test]
    fn chunks_make_the_text_again(
        words in vec(".{0,40}", 0..60),
        largest in 330_usize..2_000,
        base in proptest::option::of(0_u64..7),
        order in vec(any::<prop::sample::Index>(), 0..80),
    ) {
        let Ok(chunks) = cut(7, base, &words, largest) else { return Ok(()) };
        for chunk in &chunks {
            let bytes = chunk.encode().unwrap();
            prop_assert!(bytes.len() <= largest, "{} bytes", bytes.len());
            prop_assert_eq!(&Delivery::decode(&bytes).unwrap(), chunk);
        }
        let extra = order.iter().map(|index| chunks[index.index(chunks.len())].clone());
        let all: Vec<_> = extra.chain(chunks.clone()).zip(0..).collect();
        let mut assembly = Assembly::default();
        let (wholes, refused, mut marks) = take_all(&mut assembly, &all);
        // What follows a whole begins the same delivery anew; until it is whole again, marks wait.
        prop_assert!(!wholes.is_empty() && refused == 0);
        for whole in &wholes {
            prop_assert_eq!(&whole.text, &lines(&words));
            prop_assert_eq!((whole.version, whole.base), (7, base));
            prop_assert_eq!(whole.documents().count(), words.len());
        }
        let kept: usize = all.len() - marks.len();
        prop_assert!(kept < chunks.len(), "{} marks are kept", kept);
        marks.sort_unstable();
        marks.dedup();
        prop_assert_eq!(marks.len(), all.len() - kept, "a mark was given back twice");
    }

    /// A bit that fell over on the way is a refusal, or another delivery that is never whole: never another text.
    #[test]
    fn what_was_changed_on_the_way_is_not_taken(
        at in any::<prop::sample::Index>(), bit in 0_u8..8, largest in 400_usize..900,
    ) {
        let words = words(12);
        let chunks = cut(2, Some(1), &words, largest).unwrap();
        let mut assembly = Assembly::default();
        let place = at.index(chunks.len());
        for (number, chunk) in chunks.iter().enumerate() {
            let mut bytes = chunk.encode().unwrap();
            if number == place {
                let place = at.index(bytes.len());
                bytes[place] ^= 1 << bit;
            }
            let Ok(chunk) = Delivery::decode(&bytes) else { continue };
            if let Progress::Whole(whole, _) = assembly.take(chunk, ()).progress {
                prop_assert_eq!(whole.text, lines(&words));
            }
        }
    }
}

#[test]
fn a_chunk_is_this() {
    let chunks = cut(3, Some(2), &["a"], 1_000).unwrap();
    let text = String::from_utf8(chunks[0].encode().unwrap()).unwrap();
    let sha = hex(&Sha256::digest("\"a\"\n"));
    assert_eq!(
        text,
        format!(r#"{{"version":3,"base":2,"chunk":0,"chunks":1,"sha256":"{sha}","data":"\"a\"\n"}}"#)
    );
    let none: [&str; 0] = [];
    let empty = cut(3, None, &none, 1_000).unwrap();
    assert_eq!((empty.len(), &*empty[0].data), (1, ""), "a delivery without documents is one, too");
}

#[test]
fn a_newer_version_takes_the_place_of_an_older_one_and_not_the_other_way() {
    let marked = |version, base| {
        let chunks = cut(version, base, &words(20), 500).unwrap();
        assert!(chunks.len() > 2);
        chunks
    };
    let (old, new) = (marked(4, Some(3)), marked(5, Some(3)));
    let mut assembly = Assembly::default();
    let first: Vec<_> = old.iter().take(2).cloned().zip([1, 2]).collect();
    assert_eq!(take_all(&mut assembly, &first), (vec![], 0, vec![]));
    assert_eq!(
        take_all(&mut assembly, &[(new[0].clone(), 10)]),
        (vec![], 0, vec![1, 2]),
        "the older is settled"
    );
    assert_eq!(take_all(&mut assembly, &[(old[2].clone(), 3)]), (vec![], 0, vec![3]), "it comes too late");
    let rest: Vec<_> = new.iter().skip(1).cloned().zip(11..).collect();
    let (wholes, refused, _) = take_all(&mut assembly, &rest);
    assert_eq!((wholes.len(), refused), (1, 0));
    assert_eq!(wholes[0].version, 5);
    // A snapshot of the same version is another delivery.
    let (delta, snapshot) = (marked(6, Some(5)), marked(6, None));
    take_all(&mut assembly, &[(delta[0].clone(), 20)]);
    assert_eq!(take_all(&mut assembly, &[(snapshot[0].clone(), 21)]).2, [20]);
}

#[test]
fn a_checksum_that_is_wrong_refuses_all_of_it_and_the_next_attempt_is_free() {
    let chunks = cut(4, None, &words(20), 500).unwrap();
    let mut broken = chunks.clone();
    broken[1].data = broken[1].data.replace("document", "DOCUMENT");
    let marked = |chunks: &[Delivery]| chunks.iter().cloned().zip(0..).collect::<Vec<_>>();
    let mut assembly = Assembly::default();
    let (wholes, refused, marks) = take_all(&mut assembly, &marked(&broken));
    assert_eq!((wholes.len(), refused, marks.len()), (0, 1, chunks.len()));
    assert_eq!(take_all(&mut assembly, &marked(&chunks)).0.len(), 1);
}

#[test]
fn too_much_is_refused_before_it_is_kept() {
    let chunk = |number, data: &str| Delivery {
        version: 1,
        base: None,
        chunk: number,
        chunks: MAX_CHUNKS,
        sha256: "0".repeat(64),
        data: data.into(),
    };
    let large = "x".repeat(MAX_CHUNK_BYTES - 1_000);
    let mut assembly = Assembly::default();
    let all: Vec<_> = (0..9).map(|number| (chunk(number, &large), usize::from(number))).collect();
    let (wholes, refused, marks) = take_all(&mut assembly, &all);
    assert_eq!((wholes.len(), refused, marks.len(), assembly.bytes()), (0, 1, 9, 0));

    assert!(matches!(Delivery::decode(&vec![b' '; MAX_CHUNK_BYTES + 1]), Err(DeliveryError::Chunk(_))));
    assert!(matches!(chunk(0, &"x".repeat(MAX_CHUNK_BYTES)).encode(), Err(DeliveryError::Chunk(_))));
    assert!(matches!(
        cut(1, None, &["x".repeat(MAX_DOCUMENT_BYTES)], 1 << 20),
        Err(DeliveryError::Document(_))
    ));
    assert!(matches!(cut(1, None, &vec!["x".repeat(16_000); 600], 1 << 20), Err(DeliveryError::Whole(_))));
    assert!(matches!(cut(1, None, &words(500), 330), Err(DeliveryError::Whole(_))), "more than 32 chunks");
}

#[test]
fn what_is_no_chunk_is_refused() {
    let good = cut(4, Some(3), &["a"], 1_000).unwrap().remove(0);
    assert!(Delivery::decode(&good.encode().unwrap()).is_ok());
    for bad in [
        Delivery { chunk: 1, ..good.clone() },
        Delivery { chunks: 0, ..good.clone() },
        Delivery { chunks: MAX_CHUNKS + 1, ..good.clone() },
        Delivery { base: Some(4), ..good.clone() },
        Delivery { version: 0, base: None, ..good },
    ] {
        let bytes = bad.encode().unwrap();
        assert!(matches!(Delivery::decode(&bytes), Err(DeliveryError::Contradictory(_))), "{bad:?}");
    }
    for bytes in [&b""[..], b"{}", b"[]", b"\xff", br#"{"version":-1}"#] {
        assert!(matches!(Delivery::decode(bytes), Err(DeliveryError::Malformed(_))));
    }
}

#[test]
fn a_document_is_this() {
    let document = ProductDocument {
        sku: "milk".into(),
        at: 1_000,
        field_at: [("price".into(), 900)].into(),
        price: Some(119),
        next_price: Some(NextPrice { price: 129, valid_from: 2_000 }),
        tax_class: Some("reduced".into()),
        by_weight: Some(false),
        low_stock_at: Some(3_000),
        ..ProductDocument::default()
    };
    let text = r#"{"sku":"milk","at":1000,"fieldAt":{"price":900},"price":119,"nextPrice":{"price":129,"validFrom":2000},"taxClass":"reduced","byWeight":false,"lowStockAt":3000}"#;
    assert_eq!(serde_json::to_string(&document).unwrap(), text);
    assert_eq!(serde_json::from_str::<ProductDocument>(text).unwrap(), document);
    assert!(
        serde_json::from_str::<ProductDocument>(r#"{"sku":"milk"}"#).is_err(),
        "when it was written is needed"
    );
}
