//! The load generator: HTTP/1.1 keep-alive connections that cost as little of the shared processors as possible.
//!
//! Requests are serialised before the clock runs and only their ids are patched in ([`request`]); replies are read
//! whole but only their status and length are looked at ([`response`]). Closed loop ([`closed_loop`]): each connection asks again
//! as soon as it is answered, which finds the highest rate. Open loop ([`open_loop`]): requests are due at fixed
//! times whatever the server does, and a latency counts from when the request was *due*, so that a stall is
//! charged to all who waited for it.

pub mod closed_loop;
pub mod open_loop;
pub mod request;
pub mod response;
