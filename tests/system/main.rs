//! The shop as those who use it meet it: the real program, over HTTP and on its command line. Each file is one promise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bad_input;
mod baskets;
mod descriptors;
mod document;
mod full_disk;
mod head_office;
mod kill;
mod lifecycle;
mod opening;
mod powercut;
mod printing;
mod privacy;
mod readme;
mod repeat;
mod retail;
mod stream;
mod till;
mod unplug;
mod views;
