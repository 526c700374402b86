//! Views deleted, truncated, full of garbage, of another journal: the shop opens, nothing is missing.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use edge_daemon::checkout::{ReadError, SaleFilter, Shop};
use pos_journal::codec::state_digest;
use uuid::Uuid;

use super::{add_products, open_shop, sell};

fn wait_for_views(shop: &Shop) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while shop.condition().rebuilding.is_some() {
        assert!(Instant::now() < deadline, "the views were not made in a minute");
        std::thread::yield_now();
    }
}

fn damaged_views_make_no_difference(damage: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    let (shop, running) = open_shop(folder.path());
    add_products(&shop, 20);
    let ids: Vec<_> = (0..300).map(|_| Uuid::now_v7()).collect();
    let answers: Vec<_> = ids.iter().map(|id| sell(&shop, *id).unwrap()).collect();
    let digest = state_digest(&shop.state()).unwrap();
    running.stop().unwrap();
    drop(shop);

    damage(&folder.path().join("views"));

    let (shop, running) = open_shop(folder.path());
    assert_eq!(state_digest(&shop.state()).unwrap(), digest);
    // It sells at once, while the views are made.
    let next = sell(&shop, Uuid::now_v7()).unwrap();
    assert_eq!(next.sale().unwrap().receipt.unwrap().number, 301);
    // A list is whole or refused, never cut short.
    let all = || shop.sales(&SaleFilter { limit: 1000, ..SaleFilter::default() });
    while let Err(refused) = all() {
        assert!(matches!(refused, ReadError::NotReady(_)), "{refused}");
        std::thread::yield_now();
    }
    assert_eq!(all().unwrap().items.len(), 301);
    wait_for_views(&shop);
    for (id, answer) in ids.iter().zip(&answers) {
        let again = sell(&shop, *id).unwrap();
        assert!(again.repeated);
        assert_eq!((&again.events, again.position), (&answer.events, answer.position));
        assert_eq!(shop.sale(*id).unwrap().as_ref(), answer.sale());
    }
    let page = shop.sales(&SaleFilter { limit: 1000, ..SaleFilter::default() }).unwrap();
    assert_eq!(page.items.len(), 301);
    running.stop().unwrap();
}

#[test]
fn deleted() {
    damaged_views_make_no_difference(|views| fs::remove_dir_all(views).unwrap());
}

#[test]
fn truncated() {
    damaged_views_make_no_difference(|views| {
        let db = fs::OpenOptions::new().write(true).open(views.join("db")).unwrap();
        db.set_len(db.metadata().unwrap().len() / 3).unwrap();
        for file in fs::read_dir(views).unwrap().map(|entry| entry.unwrap().path()) {
            if file.file_name().unwrap().to_string_lossy().starts_with("snap") {
                fs::remove_file(file).unwrap();
            }
        }
    });
}

#[test]
fn full_of_garbage() {
    damaged_views_make_no_difference(|views| {
        for file in
            fs::read_dir(views).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
        {
            let garbage: Vec<u8> =
                (0..20_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
            fs::write(file, garbage).unwrap();
        }
    });
}

#[test]
fn a_file_where_the_folder_should_be() {
    damaged_views_make_no_difference(|views| {
        fs::remove_dir_all(views).unwrap();
        fs::write(views, b"not a folder").unwrap();
    });
}

#[test]
fn of_another_journal() {
    let other = tempfile::tempdir().unwrap();
    let (shop, running) = open_shop(other.path());
    add_products(&shop, 3);
    sell(&shop, Uuid::now_v7()).unwrap();
    running.stop().unwrap();
    drop(shop);
    let foreign = other.path().join("views");
    damaged_views_make_no_difference(move |views| {
        fs::remove_dir_all(views).unwrap();
        fs::rename(foreign, views).unwrap();
    });
}
