//! `restore`

use std::path::Path;

use super::bar::Bar;
use super::failure::Failure;
use super::{Place, data_dir};
use crate::backup::{self, Keys};
use crate::lock;

pub(super) fn restore(place: &Place, from: &Path, keys: Option<&Path>) -> Result<(), Failure> {
    let dir = data_dir(place)?;
    let lock = lock::take(&dir)?;
    let mut bar = Bar::new();
    let restored = backup::restore(&dir, from, keys, &mut |progress| bar.show(&progress))?;
    drop((bar, lock));
    println!("{} records up to {} are in {}", restored.records, restored.position, dir.display());
    if let Some(aside) = restored.set_aside {
        println!("what was there is in {}", aside.display());
    }
    match restored.keys {
        Keys::Kept => println!("the persons' keys that were here stay; who was erased stays erased"),
        Keys::Installed { erased_again: 0 } => println!("the persons' keys of the backup are in place"),
        Keys::Installed { erased_again } => {
            println!(
                "the persons' keys of the backup are in place; {erased_again} erased persons stay erased"
            );
        }
        Keys::None => println!("there are no persons' keys: customers of the backup cannot be read"),
    }
    println!("the next start begins a new epoch with a new receipt series");
    Ok(())
}
