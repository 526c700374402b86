//! The chain is verified from the database alone.

use cloud_receiver::verify;
use pos_journal::Position;

use crate::server::Database;
use crate::shop::Shop;
use crate::tables::address;

#[tokio::test]
async fn what_was_changed_in_the_database_is_found_at_its_place() {
    let Some(database) = Database::new().await else { return };
    let (mut shop, address, mut ingest) = (Shop::new(0xA1), address("corner"), database.ingest().await);
    (0..1_100).for_each(|_| drop(shop.sell(&[("milk", 1_000)])));
    let mut new = shop.clone();
    new.new_epoch(0xFFFF_0000_0000_00B2);
    ingest.take(&address, &[shop.all(), new.all()]).await.unwrap();
    let other = crate::tables::address("other");
    ingest.take(&other, &[Shop::new(0xA1).all()]).await.unwrap();
    let client = ingest.client();
    let whole = verify(client, Some(&address)).await.unwrap();
    assert_eq!((whole.epochs, whole.records), (2, (shop.records.len() + new.records.len()) as u64));
    assert_eq!(whole.flaws, []);

    let (end, at) = (shop.records.len() as u64, |seq| Position { epoch: shop.epoch, seq });
    let record = |seq: u64, set: &str| {
        format!("UPDATE records SET {set} WHERE seq = {seq} AND epoch = {} AND store_id = 1", 0xA1)
    };
    let byte = "body = set_byte(body, 20, (get_byte(body, 20) + 1) % 256)";
    let wrong = [
        (record(1_050, byte), at(1_050)),
        (record(1, "hash = set_byte(hash, 0, (get_byte(hash, 0) + 1) % 256)"), at(1)),
        (format!("DELETE FROM records WHERE seq = 77 AND epoch = {} AND store_id = 1", 0xA1), at(77)),
        (format!("DELETE FROM records WHERE seq = {end} AND epoch = {} AND store_id = 1", 0xA1), at(end - 1)),
        (record(end, "body = body || '\\x00'"), at(end)),
        (format!("UPDATE heads SET seq = seq - 1 WHERE epoch = {} AND store_id = 1", 0xA1), at(end - 1)),
        (format!("INSERT INTO records VALUES (1, {}, {}, '', '')", 0xA1, end + 1), at(end + 1)),
        (
            format!("UPDATE heads SET parent_seq = 5 WHERE epoch <> {} AND store_id = 1", 0xA1),
            Position { epoch: new.epoch, seq: 1 },
        ),
    ];
    for (change, place) in wrong {
        client.batch_execute("BEGIN").await.unwrap();
        assert_eq!(client.execute(&change, &[]).await.unwrap(), 1, "{change}");
        let found = verify(client, None).await.unwrap();
        client.batch_execute("ROLLBACK").await.unwrap();
        let places: Vec<_> = found.flaws.iter().map(|flaw| (flaw.store.as_str(), flaw.at)).collect();
        assert_eq!(places[0], ("acme/corner", place), "{change}");
        assert_eq!(found.epochs, 3);
    }
    assert_eq!(verify(client, None).await.unwrap().flaws, []);
}
