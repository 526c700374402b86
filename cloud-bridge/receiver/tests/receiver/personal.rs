//! Who was erased stays erased.

use pos_domain::command::Command;

use crate::server::Database;
use crate::shop::{Shop, customer};
use crate::tables::{self, address, assert_same};

const READ: &str =
    "SELECT profile, email_hash, phone_hash, consent, erased_at IS NOT NULL, version FROM customers c
    JOIN stores t ON t.id = c.store_id WHERE t.store = $1 AND c.id = $2";

#[tokio::test]
async fn an_erasure_takes_all_that_is_personal_and_the_sales_stand() {
    let Some(database) = Database::new().await else { return };
    let (mut shop, address, mut ingest) = (Shop::new(0xA1), address("corner"), database.ingest().await);
    let person = shop.customer();
    let mut draft = shop.draft(&[("wine", 1_000)]);
    draft.customer = Some(person);
    draft.tenders.push(crate::shop::tender(pos_domain::tender::Method::Cash, 100_000));
    shop.run(Command::Sell(draft));
    ingest.take(&address, &[shop.all()]).await.unwrap();
    let row = ingest.client().query_one(READ, &[&"corner", &person]).await.unwrap();
    let mut profile = vec![1; 16];
    profile.extend([2; 24]);
    profile.extend(b"profile");
    assert_eq!(row.get::<_, Option<Vec<u8>>>(0), Some(profile));
    assert_eq!(row.get::<_, Option<&[u8]>>(1), Some(&person.as_bytes()[..]));

    let from = shop.records.len();
    shop.run(Command::EraseCustomer(person));
    ingest.take(&address, &[shop.batch(from..shop.records.len())]).await.unwrap();
    let row = ingest.client().query_one(READ, &[&"corner", &person]).await.unwrap();
    assert!((0..3).all(|column| row.get::<_, Option<Vec<u8>>>(column).is_none()));
    assert_eq!(row.get::<_, Option<&str>>(3), None);
    assert!(row.get::<_, bool>(4));
    assert_eq!(tables::count(ingest.client(), &address, "sales").await, 1);
    assert_eq!(cloud_receiver::verify(ingest.client(), None).await.unwrap().flaws, []);
}

#[tokio::test]
async fn a_late_record_of_another_box_does_not_bring_a_person_back() {
    let Some(database) = Database::new().await else { return };
    let (mut old, mut ingest) = (Shop::new(0xA1), database.ingest().await);
    let person = old.customer();
    let mut new = old.clone();
    new.new_epoch(0xB2);
    new.run(Command::EraseCustomer(person));
    // Later, on the box that knows nothing of it; and both erase another, at different times.
    old.now += 60_000;
    old.run(Command::PutCustomer(customer(person, false)));
    let (one, other) = (address("one"), address("other"));
    for (address, lives) in [(&one, [&old, &new]), (&other, [&new, &old])] {
        for life in lives {
            ingest.take(address, &[life.all()]).await.unwrap();
        }
        let row = ingest.client().query_one(READ, &[&address.store(), &person]).await.unwrap();
        assert_eq!((row.get::<_, Option<Vec<u8>>>(0), row.get::<_, bool>(4)), (None, true));
    }
    let (a, b) = (tables::of(ingest.client(), &one).await, tables::of(ingest.client(), &other).await);
    assert_same(&a, &b, "in the other order");
}
