//! Sheets on their way to paper, and drawers on their way open.
//!
//! ```text
//! sale completed ──ask──> PrintAsked (journal) ──Queue──> Worker ──> PrintEnded (journal)
//!                                                            │ not printed, and time or a hand can mend it:
//!                                                            └── the same job again, later
//! ```
//!
//! The intent is journalled before anything is sent, the outcome after: *printed* when the printer confirmed it, *not
//! printed* when not a byte of it left, *unknown* for everything between, and then a person looks. Only a job that
//! was *not printed* is tried again. A sale never waits for any of this. Jobs that a stop of the box left without
//! an outcome become *unknown* at the next start. What was not printed, or perhaps not, is kept until a person prints it
//! again, elsewhere if need be, or says that it is settled.
//!
//! Each printer has a queue and a worker. The drawer on its connector is opened by the same worker, before all sheets.

mod connector;
mod jobs;
mod queue;
mod worker;

pub use jobs::{JobError, Jobs, PrintState, PrintView};
pub(super) use queue::Queue;
pub(super) use worker::{GRACE, Worker};
