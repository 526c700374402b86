//! What head office edits reaches a real box over a real broker; what the store changed meanwhile survives, or its loss is named.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cloud_trial::{Authority, BrokerError, Database, DatabaseError, Mosquitto, Persistence};
use serde_json::{Value, json};
use tillbox_tests::{Place, Setup, patiently, program, skip};
use tokio_postgres::{Client, NoTls};

const BOX: &str = "acme/corner/box-1";
const PATIENCE: Duration = Duration::from_secs(120);

/// A program that ends with this value.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[test]
fn what_head_office_edits_reaches_the_box_and_no_edit_of_the_store_is_lost_silently() {
    const TEST: &str = "what_head_office_edits_reaches_the_box_and_no_edit_of_the_store_is_lost_silently";
    let receiver = program().with_file_name("cloud-receiver");
    if !receiver.is_file() {
        return skip(TEST, "cloud-receiver is not built");
    }
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(&folder.path().join("keys")).unwrap();
    let broker = Mosquitto::start(&folder.path().join("broker"), &authority, &[BOX], Persistence::Kept);
    let mut broker = match broker {
        Err(BrokerError::Missing) => return skip(TEST, "mosquitto is not installed"),
        other => other.unwrap(),
    };
    let database = match Database::start(&folder.path().join("database")) {
        Err(DatabaseError::Missing) => return skip(TEST, "PostgreSQL is not installed"),
        other => other.unwrap(),
    };
    let port = broker.port();
    let (ours, theirs) =
        (authority.identity("box", BOX).unwrap(), authority.identity("cloud", "cloud").unwrap());
    let start = |verb: &str, more: &[&str]| {
        let log = std::fs::File::create(folder.path().join(format!("{verb}.log"))).unwrap();
        let mut command = Command::new(&receiver);
        command.arg(verb).args(["--database", &database.url()]).args(more);
        command.args(["--broker", &format!("localhost:{port}")]);
        command.arg("--authority").arg(&theirs.authority).arg("--certificate").arg(&theirs.certificate);
        command.arg("--key").arg(&theirs.key);
        Ends(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap())
    };
    let _receiving = start("run", &[]);
    let _publishing = [start("publish", &["--patience", "5"]), start("publish", &["--patience", "5"])];

    let cloud = format!(
        "[cloud]\nbroker = \"localhost:{port}\"\nauthority = \"{}\"\ncertificate = \"{}\"\nkey = \"{}\"\n",
        ours.authority.display(),
        ours.certificate.display(),
        ours.key.display()
    );
    let place = Place::new(&Setup::default().with(&cloud));
    place.stock_up(5);
    let daemon = place.start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let office = runtime.block_on(connect(&database.url()));
    let edit = |sql: &str| runtime.block_on(office.batch_execute(sql)).unwrap();
    let ask = |sql: &str| -> Vec<String> {
        let rows = runtime.block_on(office.query(sql, &[])).unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        patiently(PATIENCE, what, || holds().then_some(()));
    };
    let of_box = |daemon: &tillbox_tests::Daemon, sku: &str| -> Value {
        let reply = daemon.client().get(&format!("/api/v1/products/{sku}"));
        if reply.status == 200 { reply.json() } else { Value::Null }
    };
    let has =
        |daemon: &tillbox_tests::Daemon, sku: &str, price: i64| of_box(daemon, sku)["price"] == json!(price);
    until("the tables are there", &|| {
        !ask("SELECT coalesce(to_regclass('head_office_products')::text, '')").contains(&String::new())
    });

    // A snapshot: one product is new, one differs, the others are only the store's and stay.
    edit(
        "INSERT INTO head_office_products (tenant, sku, name, price_minor, tax_class)
         VALUES ('acme', 'tea', 'Tee', 300, 'standard'), ('acme', 'sku-1', 'Thing', 150, 'standard')",
    );
    until("the snapshot is here", &|| has(&daemon, "tea", 300) && has(&daemon, "sku-1", 150));
    assert!(has(&daemon, "sku-2", 102));
    // A delta over a broker that forgets a connection, to a box that is killed.
    daemon.kill();
    edit("UPDATE head_office_products SET price_minor = 320 WHERE sku = 'tea'");
    broker.begin().unwrap();
    let daemon = place.start();
    until("the delta is here", &|| has(&daemon, "tea", 320));

    // Changed in the store while nothing goes up or down; head office changed another field before, and this one never.
    broker.kill();
    edit("UPDATE head_office_products SET name = 'Grüner Tee' WHERE sku = 'tea'");
    let local = daemon.client().change("PUT", "/api/v1/products/tea", "local", &[], &json!({ "price": 310 }));
    assert!((200..300).contains(&local.status), "{}", local.text());
    broker.begin().unwrap();
    until("the name is here", &|| of_box(&daemon, "tea")["name"] == json!("Grüner Tee"));
    assert!(has(&daemon, "tea", 310), "the store's price is the later");
    let losses =
        "SELECT concat_ws(' ', sku, field, kept, given_up, stores) FROM product_losses ORDER BY seq, number";
    let of_tea = |loss: &String| loss.starts_with("tea ");
    until("the loss is named", &|| ask(losses).iter().any(of_tea));
    assert_eq!(ask(losses).into_iter().filter(of_tea).collect::<Vec<_>>(), ["tea price 310 320 f"]);

    // Then head office sets the price after all.
    edit("UPDATE head_office_products SET price_minor = 330 WHERE sku = 'tea'");
    until("head office's price is here", &|| has(&daemon, "tea", 330));
    until("the store's loss is named", &|| ask(losses).contains(&"tea price 330 310 t".to_owned()));
    until("head office has the rows", &|| {
        ask("SELECT name || ' ' || price_minor FROM products WHERE sku = 'tea'") == ["Grüner Tee 330"]
    });
    // All are at one version, and nothing more is sent.
    until("the box says its version", &|| {
        ask("SELECT coalesce((SELECT v.version::text FROM head_office_versions v JOIN boxes b
             ON (b.collections ->> 'products')::bigint = v.version), 'no')")
            == ["4"]
    });
    daemon.stop();
    place.verify();
}
