//! Tables are made once, by however many at once, and not touched where they are not ours.

use cloud_receiver::schema::{MigrateError, check, migrate};

use crate::server::Database;

#[tokio::test]
async fn a_second_time_does_nothing_and_two_at_once_do_it_once() {
    let Some(database) = Database::empty().await else { return };
    let missing = check(&database.client().await).await;
    assert!(matches!(missing, Err(MigrateError::Missing { version: 1, .. })), "{missing:?}");
    let (mut one, mut other) = (database.client().await, database.client().await);
    let (first, second) = tokio::join!(migrate(&mut one), migrate(&mut other));
    let mut applied = [first.unwrap(), second.unwrap()].concat();
    applied.sort_unstable();
    let rows =
        one.query("SELECT name FROM schema_migrations ORDER BY name COLLATE \"C\"", &[]).await.unwrap();
    let recorded: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(applied, recorded);
    assert!(applied.contains(&"records"));
    assert_eq!(migrate(&mut one).await.unwrap(), Vec::<&str>::new());
    check(&one).await.unwrap();
}

#[tokio::test]
async fn a_changed_and_a_newer_migration_are_told_by_name() {
    let Some(database) = Database::new().await else { return };
    let mut client = database.client().await;
    let newer = "INSERT INTO schema_migrations (version, name, checksum) VALUES (1000, 'loyalty', '')";
    client.batch_execute(newer).await.unwrap();
    let error = migrate(&mut client).await.unwrap_err();
    assert!(matches!(&error, MigrateError::Newer { version: 1000, name } if name == "loyalty"), "{error}");
    client.batch_execute("DELETE FROM schema_migrations WHERE version = 1000").await.unwrap();
    client.batch_execute("UPDATE schema_migrations SET checksum = 'other' WHERE version = 2").await.unwrap();
    let error = migrate(&mut client).await.unwrap_err();
    assert!(matches!(&error, MigrateError::Changed { version: 2, name } if name == "shop"), "{error}");
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    let Some(database) = Database::empty().await else { return };
    let mut client = database.client().await;
    client.batch_execute("CREATE TABLE sales (mine text)").await.unwrap();
    assert!(matches!(migrate(&mut client).await, Err(MigrateError::Database(_))));
    let applied = client.query("SELECT name FROM schema_migrations", &[]).await.unwrap();
    assert_eq!(applied.len(), 1);
    let tables = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'sale_items%'";
    assert_eq!(client.query_one(tables, &[]).await.unwrap().get::<_, i64>(0), 0);
    client.batch_execute("DROP TABLE sales").await.unwrap();
    assert_eq!(migrate(&mut client).await.unwrap()[..2], ["shop", "views"]);
}
