//! The protocol against a real shop.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::*;
use crate::checkout::{Running, Shop};
use crate::peripherals::Devices;
use crate::trial;

struct Daemon {
    dir: tempfile::TempDir,
    shop: Shop,
    running: Running,
}

async fn daemon() -> Daemon {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().to_owned();
    let (shop, running, _clock) = tokio::task::spawn_blocking(move || trial::open(&root)).await.unwrap();
    let listen = SocketAddr::from(([127, 0, 0, 1], 1));
    serve(Server { shop: shop.clone(), root: dir.path().to_owned(), listen, devices: Devices::none() })
        .unwrap();
    Daemon { dir, shop, running }
}

impl Daemon {
    async fn ask(&self, request: &Request, content: &[u8]) -> (Vec<Reply>, Reply) {
        let mut heard = Vec::new();
        let client = Client::connect(self.dir.path()).await.unwrap();
        let last = client.ask(request, content, |reply| heard.push(reply)).await.unwrap();
        (heard, last)
    }

    async fn end(self) {
        drop(self.shop);
        tokio::task::spawn_blocking(|| self.running.stop()).await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_puts_the_good_lines_at_once_and_names_the_bad_ones() {
    let daemon = daemon().await;
    let file = b"barcode,name,price_minor,tax_class,department\nA,Pen,250,standard,d\nB,,1,standard,d\nC,Ink,99,zero,d\n";
    let request = Request::Import { bytes: file.len() as u64 };
    let (heard, last) = daemon.ask(&request, file).await;
    assert_eq!(last, Reply::Imported(Imported { products: 2, changed: 2, skipped: 1 }));
    let skipped = Note { line: 3, reason: "the name is empty".into() };
    assert!(heard.contains(&Reply::Skipped(skipped)), "{heard:?}");
    assert_eq!(daemon.shop.state().catalog.len(), 2);
    let (_, again) = daemon.ask(&request, file).await;
    assert_eq!(again, Reply::Imported(Imported { products: 2, changed: 0, skipped: 1 }));
    // Whose barcode stands with another product already is one bad line, not the end of the import.
    let taken = b"barcode,sku,name,price_minor,tax_class,department\nA,PEN-2,Pen,250,standard,d\nD,INK,Ink,1,zero,d\n";
    let (heard, last) = daemon.ask(&Request::Import { bytes: taken.len() as u64 }, taken).await;
    assert_eq!(last, Reply::Imported(Imported { products: 1, changed: 1, skipped: 1 }), "{heard:?}");
    let skipped = Note { line: 2, reason: "the barcode A belongs to the product A already".into() };
    assert!(heard.contains(&Reply::Skipped(skipped)), "{heard:?}");
    let bad = b"barcode,name\n";
    let (_, refused) = daemon.ask(&Request::Import { bytes: bad.len() as u64 }, bad).await;
    assert!(matches!(&refused, Reply::Failed(Failed { what }) if what.contains("no column")), "{refused:?}");
    daemon.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_sample_catalogue_has_no_bad_line() {
    let daemon = daemon().await;
    let file = crate::demo::PRODUCTS;
    let (heard, last) = daemon.ask(&Request::Import { bytes: file.len() as u64 }, file).await;
    assert!(matches!(last, Reply::Imported(Imported { products: 60.., skipped: 0, .. })), "{last:?}");
    assert!(heard.iter().all(|reply| matches!(reply, Reply::Progress(_))), "{heard:?}");
    daemon.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_and_the_status_come_over_the_socket() {
    let daemon = daemon().await;
    let to = daemon.dir.path().join("copy");
    let (heard, last) = daemon.ask(&Request::Backup { to: to.clone(), keys: None }, &[]).await;
    assert!(matches!(&last, Reply::Saved(saved) if saved.records >= 2), "{last:?}");
    assert!(heard.iter().any(|reply| matches!(reply, Reply::Progress(_))));
    let (_, refused) = daemon.ask(&Request::Backup { to, keys: None }, &[]).await;
    assert!(matches!(&refused, Reply::Failed(failed) if failed.what.contains("is not empty")), "{refused:?}");
    let (_, status) = daemon.ask(&Request::Status, &[]).await;
    let head = daemon.shop.head().unwrap().position.to_string();
    assert!(
        matches!(&status, Reply::Status(status) if status.ready && status.position == Some(head)),
        "{status:?}"
    );
    daemon.end().await;
}

/// What the daemon answers to these bytes.
async fn raw(daemon: &Daemon, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(daemon.dir.path().join("control.sock")).await.unwrap();
    // It may close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_refused_and_the_next_one_is_served() {
    let daemon = daemon().await;
    let long = vec![b'x'; 100_000];
    for bytes in
        [&b"nonsense\n"[..], b"{\"do\":\"dance\"}\n", b"{\"do\":\"import\",\"bytes\":-1}\n", b"{", &long]
    {
        let answer = raw(&daemon, bytes).await;
        assert!(answer.is_empty() || answer.contains("cannot be read"), "{answer}");
    }
    let large = raw(&daemon, b"{\"do\":\"import\",\"bytes\":1000000000000}\n").await;
    assert!(large.contains("64 MiB"), "{large}");
    assert_eq!(raw(&daemon, b"{\"do\":\"import\",\"bytes\":10}\nabc").await, "", "a file that ends early");
    assert_eq!(daemon.shop.state().catalog.len(), 0);
    assert!(raw(&daemon, b"{\"do\":\"status\"}\n").await.contains("\"say\":\"status\""));
    daemon.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_for_the_owner_and_works_below_a_long_path() {
    use std::os::unix::fs::PermissionsExt as _;
    let base = tempfile::tempdir().unwrap();
    let root = base.path().join("d".repeat(120));
    std::fs::create_dir(&root).unwrap();
    let place = root.clone();
    let (shop, running, _clock) = tokio::task::spawn_blocking(move || trial::open(&place)).await.unwrap();
    let listen = SocketAddr::from(([127, 0, 0, 1], 1));
    let server = || Server { shop: shop.clone(), root: root.clone(), listen, devices: Devices::none() };
    serve(server()).unwrap().abort();
    // A leftover is replaced.
    serve(server()).unwrap();
    let mode = std::fs::metadata(root.join("control.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let client = Client::connect(&root).await.unwrap();
    assert!(matches!(client.ask(&Request::Status, &[], |_| {}).await.unwrap(), Reply::Status(_)));
    drop(shop);
    tokio::task::spawn_blocking(|| running.stop()).await.unwrap().unwrap();
    let nobody = Client::connect(base.path()).await.unwrap_err();
    assert!(matches!(nobody, ClientError::Absent { .. }), "{nobody}");
}
