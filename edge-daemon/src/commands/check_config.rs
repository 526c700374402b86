//! `check-config`

use super::failure::Failure;
use crate::cli::Place;
use crate::config::Config;

pub(super) fn check(place: &Place, listen: Option<String>) -> Result<(), Failure> {
    let config = Config::load(&place.config, &place.flags(listen))?;
    println!("# {} is good; this is what would be used:\n", place.config.display());
    print!("{}", config.effective());
    Ok(())
}
