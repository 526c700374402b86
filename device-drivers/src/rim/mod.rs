//! The rim: the only place that touches sockets. Everything inside it is a state machine.

pub(crate) mod exchange;
pub(crate) mod serial;
pub(crate) mod tcp;
