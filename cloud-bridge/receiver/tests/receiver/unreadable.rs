//! What cannot be read, or not be written, blocks nothing: it is kept, counted, and read again.

use cloud_receiver::Verdict;
use pos_domain::event::Event;
use pos_domain::sale::Sale;

use crate::dice::Dice;
use crate::server::Database;
use crate::shop::Shop;
use crate::tables::{self, address, assert_same};

#[tokio::test]
async fn a_record_of_newer_software_is_kept_and_counted() {
    let Some(database) = Database::new().await else { return };
    let (mut shop, address, mut ingest) = (Shop::new(0xA1), address("corner"), database.ingest().await);
    shop.sell(&[("milk", 1_000)]);
    shop.append(vec![2, 0xa0]);
    shop.append(b"\x01nonsense".to_vec());
    shop.append(vec![]);
    shop.sell(&[("milk", 1_000)]);
    let last = shop.records.last().unwrap().position();
    assert_eq!(ingest.take(&address, &[shop.all()]).await.unwrap(), [Verdict::Taken(last)]);
    assert_eq!(tables::count(ingest.client(), &address, "sales").await, 2);
    let status = cloud_receiver::status(ingest.client()).await.unwrap();
    assert_eq!((status[0].records, status[0].not_understood), (last.seq, 3));
    assert_eq!(cloud_receiver::verify(ingest.client(), None).await.unwrap().flaws, []);
    assert_eq!(ingest.reread(&address).await.unwrap(), 0);
    let why = ingest.client().query("SELECT why FROM not_understood ORDER BY seq", &[]).await.unwrap();
    assert!(why[0].get::<_, &str>(0).contains("form 2"));
}

#[tokio::test]
async fn values_that_postgresql_has_no_room_for_are_brought_near() {
    let Some(database) = Database::new().await else { return };
    let (mut shop, address, mut ingest) = (Shop::new(0xA1), address("corner"), database.ingest().await);
    let sale = shop.sell(&[("milk", 1_000)]);
    let odd = Sale {
        id: shop.id(),
        terminal: "till\0one".into(),
        started_at: pos_domain::time::Millis(i64::MAX),
        business_date: pos_domain::time::Date(i32::MIN),
        ..Sale::clone(&sale)
    };
    let step = pos_domain::event::Step::Sold;
    shop.happen(Event::Sale { step, sale: odd.clone().into() }, odd.business_date);
    ingest.take(&address, &[shop.all()]).await.unwrap();
    let row =
        ingest.client().query_one("SELECT terminal FROM sales WHERE id = $1", &[&odd.id]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "till\u{fffd}one");
    assert_eq!(tables::count(ingest.client(), &address, "not_understood").await, 0);
}

#[tokio::test]
async fn rows_that_the_database_refuses_do_not_stop_a_box_and_all_others_come_by_reading_again() {
    let Some(database) = Database::new().await else { return };
    let (mut shop, address, mut ingest) = (Shop::new(0xA1), address("corner"), database.ingest().await);
    let product = shop.state.catalog.iter().next().unwrap().clone();
    let (mut good, odd, mut end) = (shop.clone(), shop.records.len(), 0);
    for (life, is_odd) in [(&mut shop, true), (&mut good, false)] {
        let sale = life.ring(&[("milk", 1_000)]);
        // No index takes a key as long as this; it hardly shrinks.
        let mut dice = Dice::of(7);
        let long: String =
            (0..9_000).map(|_| char::from(b'!' + u8::try_from(dice.below(90)).unwrap())).collect();
        let product = pos_domain::catalog::Product { sku: long.into(), ..(*product).clone() };
        let date = life.state.business_date;
        if is_odd {
            life.happen(Event::ProductsPut(vec![product.into()]), date);
        } else {
            life.happen(Event::TerminalSeen("till-9".into()), date);
        }
        life.pay(sale);
        life.sell(&[("milk", 2_000)]);
        end = life.records.len();
    }
    let batches = [shop.batch(0..odd), shop.batch(odd..end)];
    let verdicts = ingest.take(&address, &batches).await.unwrap();
    assert!(matches!(&verdicts[..], [Verdict::Taken(_), Verdict::Taken(_)]), "{verdicts:?}");
    assert_eq!(tables::count(ingest.client(), &address, "not_understood").await, end - odd);
    assert_eq!(ingest.reread(&address).await.unwrap() as usize, end - odd - 1);
    let other = tables::address("good");
    ingest.take(&other, &[good.all()]).await.unwrap();
    let (mut a, mut b) =
        (tables::of(ingest.client(), &address).await, tables::of(ingest.client(), &other).await);
    assert_eq!(a["not_understood"].len(), 1);
    for own in ["records", "heads", "not_understood"] {
        a.remove(own);
        b.remove(own);
    }
    assert_same(&a, &b, "read again");
}
