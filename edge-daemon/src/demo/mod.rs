//! A whole little shop to try: a folder with a configuration and a sample catalogue, virtual devices that speak the real
//! wire, and a page of the counter that they stand at; with head office, if that is wanted.

mod counter;
mod head_office;
mod page;
mod place;
#[cfg(test)]
mod tests;

pub use counter::VirtualCounter;
pub use head_office::{HeadOffice, HeadOfficeError};
pub use page::counter_pages;
pub use place::{DemoError, Place};

/// The sample catalogue: a corner shop's shelf, with in-store codes (prefix 20) and goods by weight (prefix 28).
pub const PRODUCTS: &[u8] = include_bytes!("products.csv");

/// The configuration of a demo.
pub const CONFIG: &str = include_str!("demo.toml");

/// The name of the configuration in the demo's folder.
pub const CONFIG_NAME: &str = "demo.toml";
