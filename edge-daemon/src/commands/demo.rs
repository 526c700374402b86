//! `demo`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::failure::{Code, Failure};
use super::run;
use crate::checkout::Shop;
use crate::config::{Config, Flags};
use crate::control::{self, Reply};
use crate::demo::{self, HeadOffice, Place, VirtualCounter};

pub(super) fn demo(data: Option<PathBuf>, listen: String, cloud: bool) -> Result<(), Failure> {
    let place = match &data {
        Some(dir) => Place::at(dir),
        None => Place::temporary(),
    };
    let place = place.map_err(|error| Failure::new(Code::Failed, error, "name another folder by --data"))?;
    run::block_on(serve(place, listen, cloud))
}

async fn serve(place: Place, listen: String, cloud: bool) -> Result<(), Failure> {
    let flags = Flags { listen: Some(listen), data: None };
    let mut config = Config::load(&place.config, &flags)?;
    let counter = VirtualCounter::plug(&mut config.devices, &place.dir).await.map_err(|error| {
        let what = format!("the virtual devices cannot be plugged in: {error}");
        Failure::new(Code::Failed, what, "free a port on 127.0.0.1, or name another folder by --data")
    })?;
    run::start_log(&config)?;
    let office = if cloud { Some(open_head_office(&place, &mut config)?) } else { None };
    let pages = demo::counter_pages(Arc::new(counter));
    run::serve(config, Some(pages), |shop, address| {
        fill(shop)?;
        welcome(&place, address);
        if let Some(office) = &office {
            welcome_to(office, address);
        }
        Ok(())
    })
    .await?;
    let cloud = if cloud { " --cloud" } else { "" };
    println!("The shop stays in {}; go on with: {} demo --data {0}{cloud}", place.dir.display(), program());
    Ok(())
}

fn open_head_office(place: &Place, config: &mut Config) -> Result<HeadOffice, Failure> {
    let open = || HeadOffice::open(&place.dir, config);
    tokio::task::block_in_place(open).map_err(|error| {
        let next =
            "install or build what is missing, or leave --cloud out: the shop sells without head office";
        Failure::new(Code::Failed, error, next)
    })
}

fn welcome_to(office: &HeadOffice, address: SocketAddr) {
    println!(
        r#"Head office is there, too. What it has of this shop, and what the box says of the way there:

  {receiver} status --database '{database}'
  psql '{database}' -c 'SELECT * FROM daily_sales'
  curl -s http://{address}/api/v1/cloud
"#,
        receiver = office.receiver.display(),
        database = office.database,
    );
}

/// What to type to get this program again: it need not be on the path.
fn program() -> String {
    let typed = std::env::args_os()
        .next()
        .and_then(|typed| typed.into_string().ok())
        .filter(|typed| !typed.contains('/'));
    let found = || std::env::current_exe().ok().map(|path| path.display().to_string());
    typed.or_else(found).unwrap_or_else(|| "edge-daemon".to_owned())
}

/// Puts the sample catalogue into a shop that has none.
fn fill(shop: &Shop) -> Result<(), Failure> {
    if !shop.state().catalog.is_empty() {
        return Ok(());
    }
    let mut last = None;
    control::import(shop, demo::PRODUCTS, &mut |reply| last = Some(reply));
    match last {
        Some(Reply::Imported(_)) => Ok(()),
        other => {
            Err(Failure::new(Code::Failed, format!("the sample catalogue: {other:?}"), "use another --data"))
        }
    }
}

fn welcome(place: &Place, address: SocketAddr) {
    let url = format!("http://{address}");
    println!(
        r#"A little shop is open. Stop it with Ctrl-C.

  {url}/            what there is
  {url}/docs        the interface, to try it from the browser
  {url}/counter     a counter: scan something, weigh something, take the printer's paper away
  {dir}  its data and its configuration ({name})

Sell a loaf and 1.25 kg of apples, and look at the counter:

  curl -s {url}/api/v1/transactions -H 'Content-Type: application/json' \
    -H "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)" \
    -d '{{"terminalId":"till-1","items":[{{"barcode":"2000000000107","quantity":1}},{{"barcode":"2800101012500"}}],"tenders":[{{"method":"cash","amount":1000}}]}}'
"#,
        dir = place.dir.display(),
        name = demo::CONFIG_NAME,
    );
}
