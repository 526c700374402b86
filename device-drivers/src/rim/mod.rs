//! The rim: the only place that touches sockets, ports and files. Everything inside it is a state machine.

pub(crate) mod clock;
pub(crate) mod controller;
pub(crate) mod exchange;
pub(crate) mod file;
pub(crate) mod gpio;
pub(crate) mod i2c;
pub(crate) mod input;
pub(crate) mod link;
pub(crate) mod serial;
pub(crate) mod tcp;
