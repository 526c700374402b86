//! A catalogue file becomes one command: all its good lines are put, or none.

use serde::{Deserialize, Serialize};

use pos_domain::command::Command;
use pos_domain::event::Event;

use super::{Failed, Reply};
use crate::backup::Progress;
use crate::catalog_csv::{self, Target};
use crate::checkout::{Origin, Shop};

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Imported {
    /// Products of the file that stand in the catalogue now.
    pub products: u64,
    /// How many of them are new or differ from what stood there.
    pub changed: u64,
    /// Lines that were left out.
    pub skipped: u64,
}

/// Puts the products of a file. `say` hears progress, each line that was left out, each that was changed, and last
/// [`Reply::Imported`] or [`Reply::Failed`]. Blocks; not for the threads of the runtime.
pub fn import(shop: &Shop, file: &[u8], say: &mut dyn FnMut(Reply)) {
    let last = match try_import(shop, file, say) {
        Ok(imported) => Reply::Imported(imported),
        Err(what) => Reply::Failed(Failed { what }),
    };
    say(last);
}

fn try_import(shop: &Shop, file: &[u8], say: &mut dyn FnMut(Reply)) -> Result<Imported, String> {
    let total = file.len() as u64;
    let store = shop.store();
    let owner = |barcode: &str, gtin| {
        let state = shop.state();
        let owner = match gtin {
            Some(gtin) => state.catalog.by_gtin(gtin),
            None => state.catalog.by_code(barcode),
        };
        owner.map(|product| product.sku.to_string())
    };
    let target = Target { store: &store, owner: &owner };
    let read =
        catalog_csv::read(file, &target, |done| say(Reply::Progress(Progress::new("reading", done, total))));
    let catalogue = read.map_err(|error| error.to_string())?;
    for note in catalogue.warnings {
        say(Reply::Warning(note));
    }
    for note in catalogue.skipped {
        say(Reply::Skipped(note));
    }
    let products = catalogue.products.len() as u64;
    let mut imported = Imported { products, changed: 0, skipped: catalogue.skipped_count };
    if products == 0 {
        return Ok(imported);
    }
    say(Reply::Progress(Progress::new("writing", total, total)));
    let command = Command::PutProducts { products: catalogue.products, if_version: None };
    let done = shop.submit_blocking(None, command, Origin::default());
    let done = done.map_err(|error| format!("the catalogue was not changed: {error}"))?;
    imported.changed = done.events.iter().map(|event| put(event)).sum();
    Ok(imported)
}

fn put(event: &Event) -> u64 {
    match event {
        Event::ProductsPut(products) => products.len() as u64,
        _ => 0,
    }
}
