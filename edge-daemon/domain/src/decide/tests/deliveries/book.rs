//! Deliveries beside a simple book of who wrote what when.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::vec as many;
use proptest::option;
use proptest::prelude::*;

use super::{delta, document, loss, snapshot};
use crate::command::ProductDraft;
use crate::decide::tests::shop::*;
use crate::delivery::Field;
use crate::money::Money;

/// A write to one of two products' fields: in the store, or by a document of some age.
#[derive(Debug, Clone)]
enum Act {
    Edit(usize, Option<i64>, Option<String>),
    Say(usize, Option<i64>, Option<String>, i64),
}

fn acts() -> impl Strategy<Value = Act> {
    let (price, name) = (option::of(0_i64..4), option::of("[ab]"));
    let edit =
        (0_usize..2, price.clone(), name.clone()).prop_map(|(sku, price, name)| Act::Edit(sku, price, name));
    let say = (0_usize..2, price, name, -20_i64..20)
        .prop_map(|(sku, price, name, age)| Act::Say(sku, price, name, age));
    prop_oneof![edit, say]
}

proptest! {
    /// Field by field the write with the later time stands, head office's on a tie; each value that was made in the store and is given up
    /// against another, and each of head office's that is given up for one made in the store, is named.
    #[test]
    fn nothing_is_lost_silently(acts in many(acts(), 1..40)) {
        let mut shop = Shop::new();
        let skus = ["milk", "pen"];
        // (value, when, by head office) as a simple book would have it.
        let mut book: BTreeMap<(usize, Field), (String, i64, bool)> = BTreeMap::new();
        for (number, sku) in skus.iter().enumerate() {
            let product = shop.state.catalog.by_sku(sku).unwrap();
            for field in [Field::Name, Field::Price] {
                book.insert((number, field), (field.of(product), MORNING.0, false));
            }
        }
        let mut version = 0;
        for act in acts {
            let now = shop.later(7);
            let (number, price, name, said) = match act {
                Act::Edit(number, price, name) => (number, price, name, None),
                Act::Say(number, price, name, age) => (number, price, name, Some(now - age)),
            };
            let draft = ProductDraft {
                sku: skus[number].into(),
                price: price.map(Money),
                name: name.clone(),
                ..ProductDraft::default()
            };
            let fields = [(Field::Price, price.map(|price| price.to_string())), (Field::Name, name)];
            let mut expected = Vec::new();
            for (field, value) in fields {
                let Some(value) = value else { continue };
                let stands = book.get_mut(&(number, field)).unwrap();
                match said {
                    None if stands.0 != value => *stands = (value, now, false),
                    None => {}
                    Some(at) => {
                        let at = at.min(now);
                        let wins = at >= stands.1;
                        if stands.0 != value && !stands.2 {
                            let (kept, given_up) = if wins { (&value, &stands.0) } else { (&stands.0, &value) };
                            expected.push(loss(skus[number], field, kept, given_up, wins));
                        }
                        if wins {
                            *stands = (value, at, true);
                        }
                    }
                }
            }
            if let Some(at) = said {
                let command = match version {
                    0 => snapshot(1, vec![document(draft, at)]),
                    base => delta(base, base + 1, vec![document(draft, at)]),
                };
                version += 1;
                let mut losses = shop.deliver(command).losses;
                losses.sort_by_key(|loss| loss.field != Field::Price);
                prop_assert_eq!(losses, expected);
            } else {
                shop.put(vec![draft]);
            }
            for ((number, field), (value, at, by_head_office)) in &book {
                let product = shop.state.catalog.by_sku(skus[*number]).unwrap();
                prop_assert_eq!(&field.of(product), value);
                let stamp = shop.state.stamps[&product.id].of(*field);
                prop_assert_eq!((stamp.at.0, stamp.by_head_office), (*at, *by_head_office));
            }
        }
        // A state that is made again from the journal is the same.
        let mut again = crate::state::State::default();
        shop.journal.iter().for_each(|(event, time, date)| again.apply(event, *time, *date));
        prop_assert_eq!(again, shop.state);
    }
}
