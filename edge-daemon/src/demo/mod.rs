//! A whole little shop to try: a folder with a configuration and a sample catalogue, a virtual printer that speaks
//! the real wire, and pages on which its paper can be looked at.

mod page;
mod place;
#[cfg(test)]
mod tests;

pub use page::printer_pages;
pub use place::{DemoError, Place};

/// The sample catalogue: a corner shop's shelf, with in-store codes (prefix 20) and goods by weight (prefix 28).
pub const PRODUCTS: &[u8] = include_bytes!("products.csv");

/// The configuration of a demo; the virtual printer's address is put in at each start.
pub const CONFIG: &str = include_str!("demo.toml");

/// The name of the configuration in the demo's folder.
pub const CONFIG_NAME: &str = "demo.toml";
